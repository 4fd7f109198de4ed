//! Runs one hot part so often, for `scripts/instructions.sh`.
//!
//! ```text
//! wdsocket-micro                 names the parts, with how many operations a round has
//! wdsocket-micro PART ROUNDS     runs one; says which vector instructions it found
//! ```

use wdsocket_micro::PARTS;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rounds] = &arguments[..] else {
        for part in &PARTS {
            println!("{}\t{}", part.operations, part.name);
        }
        return;
    };
    let part = PARTS.iter().find(|part| part.name == name);
    let mut run = (part.expect("it is a part's name").prepare)();
    for _ in 0..rounds.parse().expect("it is a number") {
        run();
    }
    println!("{}", vectors());
}

/// What the code chooses by that is measured.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    for (name, is_there) in [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
    ] {
        if is_there {
            return name;
        }
    }
    "the architecture's least"
}

//! How long the hot parts take, and the look-up of names by several threads at once.

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use std::fmt::{self, Display, Formatter};
use wdsocket_micro::{PARTS, Part, look_up, look_up_again, names};

/// By its name.
struct Named(&'static Part);

impl Display for Named {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name)
    }
}

#[divan::bench(args = PARTS.iter().map(Named))]
fn a_round_of(bencher: Bencher, part: &Named) {
    let Part {
        operations, bytes, ..
    } = *part.0;
    let mut run = (part.0.prepare)();
    let bencher = bencher.counter(ItemsCount::new(operations));
    match bytes {
        0 => bencher.bench_local(run),
        bytes => bencher
            .counter(BytesCount::new(operations * bytes))
            .bench_local(&mut run),
    }
}

#[divan::bench(threads = [1, 2, 8])]
fn look_up_256_names(bencher: Bencher) {
    let names = names();
    bencher
        .counter(ItemsCount::new(names.len()))
        .bench(look_up(names));
}

#[divan::bench(threads = [1, 2, 8])]
fn look_up_the_same_name_64_times(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(64usize))
        .bench(look_up_again(names()));
}

fn main() {
    divan::main();
}

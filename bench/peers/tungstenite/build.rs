//! Tells the program which version of tokio-tungstenite it has, from the lock file.

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = std::fs::read_to_string("Cargo.lock").unwrap_or_default();
    let version = lock
        .split("name = \"tokio-tungstenite\"\nversion = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("of an unknown version");
    println!("cargo:rustc-env=TUNGSTENITE_VERSION={version}");
}

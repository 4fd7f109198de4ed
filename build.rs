//! Writes `include/wdsocket.h` from `src/ffi/`, and gives the shared library its name.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=src/ffi");
    println!("cargo::rerun-if-changed=include/wdsocket.h");
    println!("cargo::rerun-if-env-changed=CI");
    write_header();
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("windows") {
        embed_version();
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Cargo gives a cdylib no SONAME. Unloading it would pull the code from under its thread.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libwdsocket.so.0");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        link_soname();
    }
}

/// The DLL's version, for those who look at its properties.
fn embed_version() {
    println!("cargo::rerun-if-changed=src/sys/windows/version.rc");
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let width = env::var("CARGO_CFG_TARGET_POINTER_WIDTH").expect("cargo sets it");
    let macros = [
        format!("WDSOCKET_NUMBERS={},0", version.replace('.', ",")),
        format!("WDSOCKET_VERSION=\\\"{version}\\\""),
        format!("WDSOCKET_FILE=\\\"wdsocket{width}.dll\\\""),
    ];
    embed_resource::compile_for_everything("src/sys/windows/version.rc", macros)
        .manifest_required()
        .expect("the DLL's version can be embedded");
}

/// Programs ask for the library by its SONAME, under which cargo does not put it: a link beside it lets
/// them run against `target/release` as it is.
fn link_soname() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    // target/PROFILE/build/wdsocket-HASH/out
    if let Some(profile) = Path::new(&out).ancestors().nth(3) {
        let link = profile.join("libwdsocket.so.0");
        if fs::symlink_metadata(&link).is_err() {
            // Where it cannot be made, `make` and `make install` still do.
            let _ = symlink("libwdsocket.so", &link);
        }
    }
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_target: &str, _link: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The header is checked in, so that nobody needs cbindgen to read it. A build brings it up to
/// date; in CI a stale one fails the build.
fn write_header() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let root = Path::new(&root);
    let mut config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml can be read");
    config.after_includes =
        Some(fs::read_to_string(root.join("src/ffi/header.h")).expect("header.h can be read"));

    let mut builder = cbindgen::Builder::new().with_config(config);
    // In this order the header is read.
    for file in [
        "constants",
        "connecting",
        "events",
        "reading",
        "writing",
        "closing",
        "looking",
        "options",
        "last_error",
        "french",
        "wide",
    ] {
        builder = builder.with_src(root.join(format!("src/ffi/{file}.rs")));
    }
    let mut header = Vec::new();
    builder
        .generate()
        .expect("cbindgen can read src/ffi")
        .write(&mut header);

    let path = root.join("include/wdsocket.h");
    if fs::read(&path).is_ok_and(|old| old == header) {
        return;
    }
    assert!(
        env::var_os("CI").is_none(),
        "include/wdsocket.h is stale: build without CI in the environment and commit it"
    );
    fs::write(&path, header).expect("include/wdsocket.h can be written");
}

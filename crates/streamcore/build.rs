//! Lets cargo see when Vite has built the viewer page anew.

use std::path::Path;

fn main() {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
    let dist = Path::new(&manifest).join("../../ui/dist");
    // A folder that is not there cannot be watched: cargo would build this crate again every time, or never
    // see the page that comes later. It is one that git ignores.
    if let Err(error) = std::fs::create_dir_all(&dist) {
        println!("cargo:warning={} cannot be made: {error}", dist.display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", dist.display());
}

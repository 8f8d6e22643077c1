//! Makes sure that the folder of the desk's files exists, so that the engine builds before the desk does.
//! An engine without a desk says so to the browser that asks for it.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../../ui/dist");
    std::fs::create_dir_all("../../ui/dist")
}

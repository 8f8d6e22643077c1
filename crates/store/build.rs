//! A new migration is a change of this crate, which cargo does not see by itself: the files lie at the top.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}

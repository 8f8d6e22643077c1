//! Bakes the window's configuration and permissions into the program.

use std::path::Path;

fn main() {
    let desk = Path::new("ui/dist");
    println!("cargo:rerun-if-changed=ui/dist");
    if !desk.join("index.html").is_file() {
        // The checks of this crate alone need no desk; its window would be empty.
        println!("cargo:warning=ui/dist holds no desk: build ui first, the window stays empty");
        std::fs::create_dir_all(desk).expect("the checkout can be written");
    }
    let permissions =
        tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*");
    tauri_build::try_build(permissions).expect("tauri.conf.json and src-tauri/capabilities are valid");
}

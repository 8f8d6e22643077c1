//! Where the studio keeps its things: the same folder as the engine's own default.

use std::path::PathBuf;

/// The data folder: `STUDIO_DATA_DIR`, else the system's place for it. `None` without a home folder.
pub fn find() -> Option<PathBuf> {
    match std::env::var_os("STUDIO_DATA_DIR").filter(|path| !path.is_empty()) {
        // The engine may work in another folder: a relative path means the same to both.
        Some(path) => std::path::absolute(path).ok(),
        None => directories::ProjectDirs::from("live", "StreamCore", "Studio")
            .map(|folders| folders.data_dir().to_owned()),
    }
}

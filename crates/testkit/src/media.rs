//! Where the test clip lies.

use std::path::{Path, PathBuf};

use crate::PeerError;

const CLIP: &str = "bbb-720p25-51ch.mp4";

/// The test clip: 1280×720 at 25 frames a second with six channels of sound.
///
/// Looked for in the folder that `STUDIO_MEDIA` names, then in `../shared/media` and
/// `../../shared/media` seen from the top of the repository.
///
/// # Errors
/// [`PeerError::Unreadable`] with the places that were tried.
pub fn test_clip() -> Result<PathBuf, PeerError> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<PathBuf> = std::env::var_os("STUDIO_MEDIA")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    folders.push(top.join("../shared/media"));
    folders.push(top.join("../../shared/media"));
    let found = folders
        .iter()
        .map(|folder| folder.join(CLIP))
        .find(|path| path.is_file());
    found
        .and_then(|path| path.canonicalize().ok())
        .ok_or_else(|| PeerError::unreadable("the test clip", format!("{CLIP} is in none of {folders:?}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_test_clip_is_here() {
        let clip = super::test_clip().unwrap();
        assert!(
            clip.metadata().unwrap().len() > 1_000_000,
            "{} must be the whole clip",
            clip.display()
        );
    }
}

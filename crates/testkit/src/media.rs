//! Where the test clip lies.

use std::path::PathBuf;

use crate::PeerError;

const CLIP: &str = "bbb-720p25-51ch.mp4";

/// The test clip: 1280×720 at 25 frames a second with six channels of sound.
///
/// Looked for in the folder that `STUDIO_MEDIA` names, then in `shared/media` beside the crate under test and beside
/// each folder above it.
///
/// # Errors
/// [`PeerError::Unreadable`] with the places that were tried.
pub fn test_clip() -> Result<PathBuf, PeerError> {
    // Asked at run time: two checkouts may share a target folder.
    let crate_under_test = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    let beside = crate_under_test
        .ancestors()
        .map(|above| above.join("shared/media"));
    let folders: Vec<PathBuf> = std::env::var_os("STUDIO_MEDIA")
        .map(PathBuf::from)
        .into_iter()
        .chain(beside)
        .collect();
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

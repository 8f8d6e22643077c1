//! Recordings that died with their engine: made plain, seekable files beside everything else.

use std::path::Path;
use std::time::UNIX_EPOCH;

use media::output::{FinishError, finish_file};

use super::actor::{Actor, wall_ms};
use super::handle::Input;

/// A recording that was looked after, for the record.
#[derive(Debug)]
pub struct LookedAfter {
    recording: store::RecordingId,
    /// When its engine died, as near as the file tells: wall clock, milliseconds since 1970.
    ended_ms: u64,
    finalised: bool,
}

impl Actor {
    /// Finishes files that an earlier engine left open. They were listed before this one recorded anything, and a
    /// recording never takes a name that is there: so none of them is being written.
    pub(super) fn finish_cut_short(&self, files: Vec<store::Recording>) {
        if files.is_empty() {
            return;
        }
        let inputs = self.wiring.inputs.clone();
        tokio::task::spawn_blocking(move || {
            for file in files {
                let ended_ms = written_ms(&file.path).unwrap_or_else(wall_ms);
                let Some(finalised) = finish(&file.path) else {
                    continue;
                };
                let done = LookedAfter {
                    recording: file.id,
                    ended_ms,
                    finalised,
                };
                if inputs.blocking_send(Input::Recording(done)).is_err() {
                    // The studio stopped. What is not noted is looked at by the next one, and found plain.
                    return;
                }
            }
        });
    }

    pub(super) async fn on_looked_after(&self, done: LookedAfter) {
        if let Some(store) = &self.store
            && let Err(error) = store
                .recording_ended(done.recording, done.ended_ms, done.finalised)
                .await
        {
            tracing::error!(%error, "the end of a file could not be noted");
        }
    }
}

/// Makes one file plain, and says whether it is; `None` when the next start should try again.
fn finish(path: &Path) -> Option<bool> {
    if path.extension().is_none_or(|ending| ending != "mp4") {
        // Matroska is read without its index; only a jump in it is slow.
        tracing::info!(path = %path.display(), "recording was cut short");
        return Some(false);
    }
    match finish_file(path) {
        Ok(()) => {
            tracing::info!(path = %path.display(), "recording finished after a crash");
            Some(true)
        }
        Err(FinishError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), "recording is gone, it cannot be finished");
            Some(false)
        }
        // No room, no right, a disk that fails: each may be mended.
        Err(FinishError::Io(error)) => {
            tracing::warn!(path = %path.display(), %error, "recording stays fragmented until the next start");
            None
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "recording stays as it is");
            Some(false)
        }
    }
}

/// When the file was written last.
fn written_ms(path: &Path) -> Option<u64> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    u64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_be_finished_is_not_tried_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("other.mp4"), b"no recording").expect("written");
        std::fs::write(file("other.mkv"), b"no recording").expect("written");
        for name in ["gone.mp4", "other.mp4", "other.mkv"] {
            assert_eq!(finish(&file(name)), Some(false), "{name}");
        }
        std::fs::create_dir(file("folder.mp4")).expect("made");
        assert_eq!(
            finish(&file("folder.mp4")),
            None,
            "the file system may say something else tomorrow"
        );
    }
}

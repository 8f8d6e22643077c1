//! Where the studio keeps its things, and how a shell finds a running engine.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The file in the data folder by which a running engine is found.
const ANNOUNCEMENT: &str = "engine.json";

/// The folder for the studio's data: the system's own place for it.
pub fn default_data_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("live", "StreamCore", "Studio").map(|dirs| dirs.data_dir().to_owned())
}

/// The folder for recordings: the system's folder for videos, else the home folder.
pub fn default_recordings_folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    Some(
        dirs.video_dir()
            .unwrap_or_else(|| dirs.home_dir())
            .join("StreamCore"),
    )
}

/// What a running engine says of itself: one line on standard output, and a file that only its user can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
    /// What a desk must say first.
    pub token: String,
    /// Address of the desk for a browser, token included.
    pub desk: String,
    /// The engine's process.
    pub pid: u32,
}

impl Announcement {
    /// For an engine that listens at `address`.
    pub fn new(address: SocketAddr, token: &str) -> Self {
        let base = format!("http://{address}");
        let desk = format!("{base}/#token={token}");
        Self {
            address: base,
            token: token.to_owned(),
            desk,
            pid: std::process::id(),
        }
    }

    /// Writes `engine.json` for its user alone.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn publish(&self, data_folder: &Path) -> io::Result<Published> {
        let path = data_folder.join(ANNOUNCEMENT);
        let fresh = path.with_extension("json.new");
        // Created anew, so that the mode is ours from the first byte.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        fs::rename(&fresh, &path)?;
        Ok(Published { path })
    }
}

/// The file of a running engine; goes with it.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
}

impl Drop for Published {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the announcement was not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_user_can_read_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let said = Announcement::new("127.0.0.1:4000".parse().unwrap(), "secret");
        let published = said.publish(folder.path()).unwrap();
        let path = folder.path().join(ANNOUNCEMENT);
        let read: Announcement = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(read, said);
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(published);
        assert!(!path.exists(), "a stopped engine is not found");
    }
}

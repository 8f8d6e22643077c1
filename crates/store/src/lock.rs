//! One engine to a data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::StoreError;

/// Holds the data folder until it is dropped or the process ends, however it ends.
///
/// The lock is the operating system's (`flock`, `LockFileEx`), so a dead engine leaves none behind. Windows
/// lets nobody read a locked file: that is why the process number stands in a second one.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

const LOCK_FILE: &str = "engine.lock";
const PID_FILE: &str = "engine.pid";

impl FolderLock {
    /// Takes the folder.
    ///
    /// # Errors
    /// [`StoreError::Taken`] while another process, or another store of this one, has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Folder {
            path: folder.to_owned(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(folder.join(LOCK_FILE))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Taken {
                    path: folder.to_owned(),
                    pid: read_pid(folder),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        std::fs::write(folder.join(PID_FILE), std::process::id().to_string()).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn read_pid(folder: &Path) -> Option<u32> {
    let text: io::Result<String> = std::fs::read_to_string(folder.join(PID_FILE));
    text.ok()?.trim().parse().ok()
}

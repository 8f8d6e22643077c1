//! Why the store cannot do what it was asked.

use std::path::PathBuf;

/// Why the store could not be opened, read or written. Reads after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another engine works in the folder.
    #[error("use {}: another engine works there", path.display())]
    Taken {
        /// The data folder.
        path: PathBuf,
        /// The other engine's process, where it could be read.
        pid: Option<u32>,
    },
    /// The folder cannot be made or written.
    #[error("write in {}", path.display())]
    Folder {
        /// The data folder, or the file in it.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A later version of the studio has changed the database's tables.
    #[error("use {}: a newer version of the studio wrote it", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
    },
    /// The database cannot be opened or refuses a statement.
    #[error("use the database {}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds something that the studio never writes.
    #[error("read the database {}", path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// Which row, and why.
        #[source]
        source: UnreadableRow,
    },
}

/// A row that does not read as what it should be.
#[derive(Debug, thiserror::Error)]
#[error("understand {table}, row {row}: {detail}")]
pub struct UnreadableRow {
    /// Its table.
    pub table: &'static str,
    /// Its key.
    pub row: String,
    /// Why.
    pub detail: String,
}

//! The open database.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::Mutex;

use crate::lock::FolderLock;
use crate::{Document, StoreError, read, write};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

const DATABASE_FILE: &str = "studio.db";

/// How long a statement waits for somebody who looks into the database with another program.
pub(crate) const BUSY_FOR: Duration = Duration::from_secs(5);

/// The studio's database, held by this process alone.
///
/// One connection: statements of several callers run one after the other, each save in one transaction.
/// The journal is a write-ahead log with `synchronous=NORMAL`: a killed process loses nothing that was
/// saved; a power cut may lose the last seconds but leaves the database whole. `FULL` would cost a disk
/// flush for each of the thirty changes a second of a drag, on the disk that takes the recording.
pub struct Store {
    pub(crate) pool: SqlitePool,
    pub(crate) path: PathBuf,
    /// What the database holds now. Held for the whole of a save, so that saves keep their order.
    saved: Mutex<Option<Document>>,
    moved_aside: Option<MovedAside>,
    _lock: FolderLock,
}

/// A damaged database that was kept beside the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// Where it lies now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub detail: String,
}

impl Store {
    /// Takes the folder (made if need be, for its owner alone) and opens the database in it.
    ///
    /// A damaged database is moved aside, never deleted, and a fresh one begun: see [`Store::moved_aside`].
    ///
    /// # Errors
    /// [`StoreError::Taken`] while another engine has the folder, [`StoreError::Newer`] when a later version
    /// of the studio was here, [`StoreError::Folder`] and [`StoreError::Database`] for the rest.
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        make_private_folder(data_dir).map_err(|source| StoreError::Folder {
            path: data_dir.to_owned(),
            source,
        })?;
        let lock = FolderLock::take(data_dir)?;
        let path = data_dir.join(DATABASE_FILE);
        let (opened, moved_aside) = match open_checked(&path).await {
            Ok(opened) => (opened, None),
            Err(error) => match damage(&error) {
                Some(detail) => {
                    let aside = MovedAside {
                        path: move_aside(&path)?,
                        detail,
                    };
                    tracing::error!(from = %path.display(), to = %aside.path.display(), detail = aside.detail,
                        "database damaged, moved aside");
                    (open_checked(&path).await?, Some(aside))
                }
                None => return Err(error),
            },
        };
        let (pool, document) = opened;
        Ok(Self {
            pool,
            path,
            saved: Mutex::new(document),
            moved_aside,
            _lock: lock,
        })
    }

    /// The damaged database that [`Store::open`] found, if it found one.
    pub fn moved_aside(&self) -> Option<&MovedAside> {
        self.moved_aside.as_ref()
    }

    /// What was saved last; `None` in a fresh database.
    pub async fn load(&self) -> Option<Document> {
        self.saved.lock().await.clone()
    }

    /// Saves the document whole or not at all. Only rows that differ are written; nothing, if none does.
    ///
    /// # Errors
    /// [`StoreError::Database`], also for an item whose source, or a program whose scene, is not in the
    /// document; the database then still holds what was saved before.
    pub async fn save(&self, document: &Document) -> Result<(), StoreError> {
        let mut saved = self.saved.lock().await;
        let document = document.lasting();
        if saved.as_ref() == Some(&document) {
            return Ok(());
        }
        let mut transaction = self.pool.begin().await.map_err(|e| self.failed(e))?;
        write::changes(&mut transaction, saved.as_ref(), &document)
            .await
            .map_err(|e| self.failed(e))?;
        transaction.commit().await.map_err(|e| self.failed(e))?;
        *saved = Some(document);
        Ok(())
    }

    /// Closes the database and gives the folder back, after what is being saved.
    pub async fn close(self) {
        self.pool.close().await;
    }

    pub(crate) fn failed(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database {
            path: self.path.clone(),
            source,
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

async fn open_checked(path: &Path) -> Result<(SqlitePool, Option<Document>), StoreError> {
    let database = |source| StoreError::Database {
        path: path.to_owned(),
        source,
    };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_FOR);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(database)?;
    let document = check(&pool, path).await;
    if document.is_err() {
        // Open files cannot be moved on Windows.
        pool.close().await;
    }
    Ok((pool, document?))
}

async fn check(pool: &SqlitePool, path: &Path) -> Result<Option<Document>, StoreError> {
    let database = |source| StoreError::Database {
        path: path.to_owned(),
        source,
    };
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(pool)
        .await
        .map_err(database)?;
    if verdict != "ok" {
        let source = crate::UnreadableRow {
            table: "sqlite_schema",
            row: String::new(),
            detail: verdict,
        };
        return Err(StoreError::Unreadable {
            path: path.to_owned(),
            source,
        });
    }
    MIGRATIONS.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => StoreError::Newer {
            path: path.to_owned(),
        },
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => database(source),
        other => database(sqlx::Error::Migrate(Box::new(other))),
    })?;
    read::document(pool).await.map_err(|error| match error {
        read::ReadError::Sqlite(source) => database(source),
        read::ReadError::Row(source) => StoreError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })
}

/// What is wrong with the database itself, if that is what the error says.
fn damage(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Unreadable { source, .. } => Some(source.to_string()),
        StoreError::Database {
            source: sqlx::Error::Database(said),
            ..
        } => {
            // SQLITE_CORRUPT is 11, SQLITE_NOTADB 26; extended codes keep them in their low byte.
            let code: i64 = said.code()?.parse().ok()?;
            matches!(code & 0xff, 11 | 26).then(|| said.message().to_owned())
        }
        _ => None,
    }
}

/// Moves a damaged database aside, with what SQLite keeps beside it, and returns where it lies now:
/// `studio.db` becomes `studio-damaged-{milliseconds since 1970}.db`.
///
/// # Errors
/// [`StoreError::Folder`].
pub fn move_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let stamp = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!("{name}-damaged-{stamp}.db"));
    for suffix in ["-wal", "-shm", ""] {
        let from = with_suffix(path, suffix);
        match std::fs::rename(&from, with_suffix(&aside, suffix)) {
            // SQLite's thread may still be closing what could not be opened, and takes its own files away then.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            moved => moved.map_err(|source| StoreError::Folder { path: from, source })?,
        }
    }
    Ok(aside)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

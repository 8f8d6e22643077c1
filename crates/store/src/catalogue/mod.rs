//! What can be sold: shops, products, what the show has chosen of them, and their pictures.

mod pictures;
mod products;
mod search;
mod shops;
mod show;

use std::path::{Path, PathBuf};

use sqlx::Row;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};

use crate::{Store, StoreError, UnreadableRow};

pub use pictures::Picture;
pub use products::{Kept, ProductRow};
pub use search::Found;
pub use shops::ShopRow;
pub use show::Chosen;

/// Searches that may run at a time, each beside whatever is being written.
const READERS: u32 = 2;

/// The catalogue of products. Cheap to clone; it works until its [`Store`] is closed.
///
/// Reads have connections of their own, so that a search never waits for a refresh that writes.
#[derive(Debug, Clone)]
pub struct Catalogue {
    writer: SqlitePool,
    readers: SqlitePool,
    path: PathBuf,
    pictures: PathBuf,
}

impl Store {
    /// The catalogue of this database.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn catalogue(&self) -> Result<Catalogue, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(true)
            .busy_timeout(crate::store::BUSY_FOR);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(|e| self.failed(e))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        Ok(Catalogue {
            writer: self.pool.clone(),
            readers,
            path: self.path.clone(),
            pictures: folder.join("product-pictures"),
        })
    }
}

impl Catalogue {
    fn failed(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database {
            path: self.path.clone(),
            source,
        }
    }

    fn folder(&self, path: &Path, source: std::io::Error) -> StoreError {
        StoreError::Folder {
            path: path.to_owned(),
            source,
        }
    }

    /// One column of a row, as the type that it stands for.
    fn read<T>(&self, row: &SqliteRow, table: &'static str, column: &'static str) -> Result<T, StoreError>
    where
        T: TryFrom<String>,
        T::Error: std::fmt::Display,
    {
        let text: String = row.try_get(column).map_err(|e| self.failed(e))?;
        T::try_from(text.clone()).map_err(|error| StoreError::Unreadable {
            path: self.path.clone(),
            source: UnreadableRow {
                table,
                row: text,
                detail: error.to_string(),
            },
        })
    }

    fn whole<T: TryFrom<i64>>(&self, row: &SqliteRow, column: &'static str) -> Result<Option<T>, StoreError> {
        let number: Option<i64> = row.try_get(column).map_err(|e| self.failed(e))?;
        Ok(number.and_then(|number| T::try_from(number).ok()))
    }
}

//! Pictures of products, as files beside the database.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use sqlx::Row;

use super::Catalogue;
use crate::StoreError;

/// Most bytes of all pictures together. A product's picture has some 50 KB, so that five thousand find room.
const ALL: i64 = 256 * 1024 * 1024;

/// A kept picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// `image/jpeg` and the like.
    pub mime: String,
    /// The file.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}, {} bytes)", self.mime, self.bytes.len())
    }
}

impl Catalogue {
    /// The picture that was kept for an address; `None` when it was not, or had to go.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn picture(&self, address: &str, now_ms: u64) -> Result<Option<Picture>, StoreError> {
        let hash = hash(address);
        let row = sqlx::query("UPDATE product_pictures SET used_ms = ?2 WHERE hash = ?1 RETURNING mime")
            .bind(&hash)
            .bind(now_ms.cast_signed())
            .fetch_optional(&self.writer)
            .await
            .map_err(|e| self.failed(e))?;
        let Some(row) = row else { return Ok(None) };
        let mime: String = row.try_get("mime").map_err(|e| self.failed(e))?;
        // A file that somebody took away is fetched again.
        Ok(tokio::fs::read(self.picture_path(&hash))
            .await
            .ok()
            .map(|bytes| Picture { mime, bytes }))
    }

    /// Keeps a picture. When all together are too large, those that were not looked at for longest go.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Folder`].
    pub async fn keep_picture(
        &self,
        address: &str,
        picture: &Picture,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        self.keep_picture_within(address, picture, now_ms, ALL).await
    }

    async fn keep_picture_within(
        &self,
        address: &str,
        picture: &Picture,
        now_ms: u64,
        most: i64,
    ) -> Result<(), StoreError> {
        let hash = hash(address);
        let path = self.picture_path(&hash);
        let write = async {
            tokio::fs::create_dir_all(&self.pictures).await?;
            // Under its name only once it is whole.
            let part = path.with_extension("part");
            tokio::fs::write(&part, &picture.bytes).await?;
            tokio::fs::rename(&part, &path).await
        };
        write.await.map_err(|error| self.folder(&path, error))?;
        sqlx::query(
            "INSERT OR REPLACE INTO product_pictures (hash, mime, bytes, used_ms) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(&hash)
        .bind(&picture.mime)
        .bind(i64::try_from(picture.bytes.len()).unwrap_or(i64::MAX))
        .bind(now_ms.cast_signed())
        .execute(&self.writer)
        .await
        .map_err(|e| self.failed(e))?;
        let gone = sqlx::query(
            "DELETE FROM product_pictures WHERE hash IN (SELECT hash FROM (SELECT hash, \
             sum(bytes) OVER (ORDER BY used_ms DESC, hash) AS together FROM product_pictures) WHERE together > ?1) \
             RETURNING hash",
        )
        .bind(most)
        .fetch_all(&self.writer)
        .await
        .map_err(|e| self.failed(e))?;
        for row in gone {
            let hash: String = row.try_get("hash").map_err(|e| self.failed(e))?;
            let path = self.picture_path(&hash);
            if let Err(error) = tokio::fs::remove_file(&path).await {
                tracing::debug!(%error, path = %path.display(), "an old picture could not be removed");
            }
        }
        Ok(())
    }

    fn picture_path(&self, hash: &str) -> PathBuf {
        self.pictures.join(hash)
    }
}

fn hash(address: &str) -> String {
    let digest = Sha256::digest(address.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn the_pictures_that_nobody_looks_at_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let catalogue = store.catalogue().await.unwrap();
        let picture = |size| Picture {
            mime: "image/png".to_owned(),
            bytes: vec![7; size],
        };
        for (now, address) in [(1, "a"), (2, "b")] {
            catalogue
                .keep_picture_within(address, &picture(40), now, 100)
                .await
                .unwrap();
        }
        assert_eq!(
            catalogue.picture("a", 3).await.unwrap(),
            Some(picture(40)),
            "looked at last"
        );
        catalogue
            .keep_picture_within("c", &picture(40), 4, 100)
            .await
            .unwrap();
        assert_eq!(
            catalogue.picture("b", 5).await.unwrap(),
            None,
            "the oldest made room"
        );
        assert!(catalogue.picture("a", 6).await.unwrap().is_some());
        let files = std::fs::read_dir(folder.path().join("product-pictures"))
            .unwrap()
            .count();
        assert_eq!(files, 2, "its file went with it");
    }
}

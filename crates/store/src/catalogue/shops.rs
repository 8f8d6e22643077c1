//! Shops, without their keys.

use protocol::{ShopId, ShopUrl};
use sqlx::Row;

use super::Catalogue;
use crate::StoreError;

/// A shop as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopRow {
    /// Which.
    pub id: ShopId,
    /// Where.
    pub url: ShopUrl,
    /// When it last answered in full; wall clock, milliseconds since 1970.
    pub fresh_ms: Option<u64>,
    /// When all of it was last read, not only what had changed.
    pub whole_ms: Option<u64>,
    /// Products of it in the catalogue.
    pub products: u32,
}

impl Catalogue {
    /// All shops, in the order in which they were connected.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn shops(&self) -> Result<Vec<ShopRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, url, fresh_ms, whole_ms, (SELECT count(*) FROM products WHERE shop_id = shops.id) AS products \
             FROM shops ORDER BY position",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.failed(e))?;
        rows.iter()
            .map(|row| {
                Ok(ShopRow {
                    id: self.read(row, "shops", "id")?,
                    url: self.read(row, "shops", "url")?,
                    fresh_ms: self.whole(row, "fresh_ms")?,
                    whole_ms: self.whole(row, "whole_ms")?,
                    products: self.whole(row, "products")?.unwrap_or(0),
                })
            })
            .collect()
    }

    /// Keeps a shop, new or with another address. One with another address is read whole again.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn keep_shop(&self, id: &ShopId, url: &ShopUrl) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO shops (id, position, url) VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM shops), ?2) \
             ON CONFLICT (id) DO UPDATE SET url = excluded.url, whole_ms = NULL WHERE url <> excluded.url",
        )
        .bind(id.as_str())
        .bind(url.as_str())
        .execute(&self.writer)
        .await
        .map(drop)
        .map_err(|e| self.failed(e))
    }

    /// Forgets a shop, its products, and their places in the show.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn remove_shop(&self, id: &ShopId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM shops WHERE id = ?1")
            .bind(id.as_str())
            .execute(&self.writer)
            .await
            .map(drop)
            .map_err(|e| self.failed(e))
    }

    /// A reading that began at `began_ms` has met everything that it asked for. After a `whole` one, what it did not
    /// meet is no longer in the shop: it goes, or counts as sold out while the show has it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn shop_was_read(&self, id: &ShopId, began_ms: u64, whole: bool) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await.map_err(|e| self.failed(e))?;
        let began = began_ms.cast_signed();
        if whole {
            for sql in [
                "UPDATE products SET buyable = 0 WHERE shop_id = ?1 AND seen_ms < ?2 \
                 AND id IN (SELECT product_id FROM show_products)",
                "DELETE FROM products WHERE shop_id = ?1 AND seen_ms < ?2 \
                 AND id NOT IN (SELECT product_id FROM show_products)",
            ] {
                sqlx::query(sql)
                    .bind(id.as_str())
                    .bind(began)
                    .execute(&mut *transaction)
                    .await
                    .map_err(|e| self.failed(e))?;
            }
        }
        sqlx::query(
            "UPDATE shops SET fresh_ms = ?2, whole_ms = CASE WHEN ?3 THEN ?2 ELSE whole_ms END WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(began)
        .bind(whole)
        .execute(&mut *transaction)
        .await
        .map_err(|e| self.failed(e))?;
        transaction.commit().await.map_err(|e| self.failed(e))
    }

    /// How many products there are in all.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn products(&self) -> Result<u32, StoreError> {
        let row = sqlx::query("SELECT count(*) AS products FROM products")
            .fetch_one(&self.readers)
            .await
            .map_err(|e| self.failed(e))?;
        let count: i64 = row.try_get("products").map_err(|e| self.failed(e))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

//! What is kept of products: the list, what is featured, what viewers did minute by minute, and the pictures.

use std::time::Duration;

use bytes::Bytes;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, Sqlite, Transaction};

use super::image::Hash;
use super::interest::visit_minute;
use super::wire::{Figure, Interest, Product, ProductId, Visit};
use crate::chat::keep::{KeepError, Keeper, number};
use crate::chat::room::ProductChange;
use crate::room::{RoomId, wall_ms};

/// Pictures of a room.
pub const MOST_IMAGES: i64 = 500;
/// Bytes of a picture.
pub const MOST_IMAGE_BYTES: usize = 1024 * 1024;
/// How long a picture that is in no list may wait for the list that it was put there for.
const LIST_WITHIN: Duration = Duration::from_secs(600);
/// Figures of one answer.
const PAGE: i64 = 2000;
const MINUTE_MS: u64 = 60_000;

/// What is kept of a room's products while nobody is in it.
#[derive(Debug, Default, Clone)]
pub struct KeptProducts {
    /// In the host's order.
    pub list: Vec<Product>,
    pub featured: Vec<ProductId>,
    /// What was counted of every product, also of those that are gone.
    pub interest: Vec<Interest>,
}

/// What is kept of a room's products.
pub async fn load(pool: &SqlitePool, room: &str) -> Result<KeptProducts, KeepError> {
    let list = sqlx::query("SELECT body FROM products WHERE room = ?1 ORDER BY place")
        .bind(room)
        .fetch_all(pool)
        .await?
        .iter()
        .map(|row| Ok(serde_json::from_str(row.try_get("body")?)?))
        .collect::<Result<_, KeepError>>()?;
    let featured: Option<String> = sqlx::query("SELECT featured FROM rooms WHERE room = ?1")
        .bind(room)
        .fetch_one(pool)
        .await?
        .try_get("featured")?;
    let interest = sqlx::query(
        "SELECT product, sum(opened) AS opened, sum(carted) AS carted FROM visits WHERE room = ?1 GROUP BY product",
    )
    .bind(room)
    .fetch_all(pool)
    .await?
    .iter()
    .map(|row| {
        Ok(Interest {
            product: row.try_get("product")?,
            opened: row.try_get::<i64, _>("opened")?.cast_unsigned(),
            carted: row.try_get::<i64, _>("carted")?.cast_unsigned(),
        })
    })
    .collect::<Result<_, KeepError>>()?;
    Ok(KeptProducts {
        list,
        featured: featured
            .map(|text| serde_json::from_str(&text))
            .transpose()?
            .unwrap_or_default(),
        interest,
    })
}

/// Keeps one change, as part of what its turn changes.
pub async fn keep_product_change(
    to: &mut Transaction<'_, Sqlite>,
    room: &str,
    change: &ProductChange,
) -> Result<(), KeepError> {
    match change {
        ProductChange::Listed(list) => {
            sqlx::query("DELETE FROM products WHERE room = ?1")
                .bind(room)
                .execute(&mut **to)
                .await?;
            for (place, product) in (0_i64..).zip(list) {
                sqlx::query("INSERT INTO products (room, id, place, body) VALUES (?1, ?2, ?3, ?4)")
                    .bind(room)
                    .bind(product.id.clone())
                    .bind(place)
                    .bind(serde_json::to_string(product)?)
                    .execute(&mut **to)
                    .await?;
            }
            drop_images(to, room).await
        }
        ProductChange::Changed(product) => {
            sqlx::query("UPDATE products SET body = ?3 WHERE room = ?1 AND id = ?2")
                .bind(room)
                .bind(product.id.clone())
                .bind(serde_json::to_string(product)?)
                .execute(&mut **to)
                .await?;
            drop_images(to, room).await
        }
        ProductChange::Featured(ids) => {
            sqlx::query("UPDATE rooms SET featured = ?2 WHERE room = ?1")
                .bind(room)
                .bind(serde_json::to_string(ids)?)
                .execute(&mut **to)
                .await?;
            Ok(())
        }
        ProductChange::Visited {
            product,
            minute,
            what,
        } => {
            let (opened, carted) = match what {
                Visit::Opened => (1_i64, 0_i64),
                Visit::Carted => (0, 1),
            };
            sqlx::query(
                "INSERT INTO visits (room, minute, product, opened, carted) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (room, minute, product) DO UPDATE SET opened = opened + ?4, carted = carted + ?5",
            )
            .bind(room)
            .bind(number(*minute))
            .bind(product.clone())
            .bind(opened)
            .bind(carted)
            .execute(&mut **to)
            .await?;
            Ok(())
        }
    }
}

/// Pictures that are in the list no more go; those that came just now may be for a list that is on its way.
async fn drop_images(to: &mut Transaction<'_, Sqlite>, room: &str) -> Result<(), KeepError> {
    let waited = wall_ms().saturating_sub(LIST_WITHIN.as_millis() as u64);
    sqlx::query(
        "DELETE FROM images WHERE room = ?1 AND at_ms < ?2 AND hash NOT IN
         (SELECT json_extract(body, '$.image') FROM products
          WHERE room = ?1 AND json_extract(body, '$.image') IS NOT NULL)",
    )
    .bind(room)
    .bind(number(waited))
    .execute(&mut **to)
    .await?;
    Ok(())
}

impl Keeper {
    /// Keeps a picture; `None` if the room has as many as it may have.
    pub async fn put_image(&self, room: &RoomId, bytes: &[u8]) -> Result<Option<Hash>, KeepError> {
        let (room, hash) = (room.as_str(), Hash::of(bytes));
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO rooms (room) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(room)
            .execute(&mut *transaction)
            .await?;
        drop_images(&mut transaction, room).await?;
        let others: i64 = sqlx::query("SELECT count(*) AS others FROM images WHERE room = ?1 AND hash <> ?2")
            .bind(room)
            .bind(hash.to_string())
            .fetch_one(&mut *transaction)
            .await?
            .try_get("others")?;
        if others >= MOST_IMAGES {
            return Ok(None);
        }
        sqlx::query(
            "INSERT INTO images (room, hash, at_ms, body) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (room, hash) DO UPDATE SET at_ms = ?3",
        )
        .bind(room)
        .bind(hash.to_string())
        .bind(number(wall_ms()))
        .bind(bytes)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(hash))
    }

    /// A picture of a room.
    pub async fn image(&self, room: &RoomId, hash: Hash) -> Result<Option<Bytes>, KeepError> {
        // Held while the database is asked: the others who want the same one find it then.
        let mut at_hand = self.images.lock().await;
        if let Some(bytes) = at_hand.find(room, hash) {
            return Ok(Some(bytes));
        }
        let row = sqlx::query("SELECT body FROM images WHERE room = ?1 AND hash = ?2")
            .bind(room.as_str())
            .bind(hash.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let bytes = Bytes::from(row.try_get::<Vec<u8>, _>("body")?);
        at_hand.put(room, hash, bytes.clone());
        Ok(Some(bytes))
    }

    /// The place in `list` of the first product whose picture is not in the room.
    pub async fn without_image(&self, room: &RoomId, list: &[Product]) -> Result<Option<usize>, KeepError> {
        if list.iter().all(|product| product.image.is_none()) {
            return Ok(None);
        }
        let there: std::collections::HashSet<String> = sqlx::query("SELECT hash FROM images WHERE room = ?1")
            .bind(room.as_str())
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(|row| row.try_get("hash"))
            .collect::<Result<_, _>>()?;
        Ok(list
            .iter()
            .position(|product| product.image.as_ref().is_some_and(|hash| !there.contains(hash))))
    }

    /// What viewers did from a moment on, oldest first, and whether there is more of it.
    pub async fn figures(&self, room: &RoomId, from_ms: u64) -> Result<(Vec<Figure>, bool), KeepError> {
        let rows = sqlx::query(
            "SELECT minute, product, opened, carted FROM visits WHERE room = ?1 AND minute >= ?2
             ORDER BY minute, product LIMIT ?3",
        )
        .bind(room.as_str())
        .bind(number(visit_minute(from_ms)))
        .bind(PAGE + 1)
        .fetch_all(&self.pool)
        .await?;
        let figures = rows
            .iter()
            .take(PAGE as usize)
            .map(|row| {
                Ok(Figure {
                    minute_ms: row.try_get::<i64, _>("minute")?.cast_unsigned() * MINUTE_MS,
                    product: row.try_get("product")?,
                    opened: row.try_get::<i64, _>("opened")?.cast_unsigned(),
                    carted: row.try_get::<i64, _>("carted")?.cast_unsigned(),
                })
            })
            .collect::<Result<_, KeepError>>()?;
        Ok((figures, rows.len() > PAGE as usize))
    }
}

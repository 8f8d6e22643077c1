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
use crate::room::{MINUTE_MS, RoomId, wall_ms};

/// Pictures of a room.
pub const MOST_IMAGES: i64 = 500;
/// Bytes of a picture.
pub const MOST_IMAGE_BYTES: usize = 1024 * 1024;
/// How long a picture that is in no list may wait for the list that it was put there for.
const LIST_WITHIN: Duration = Duration::from_secs(600);
/// Figures of one answer.
const PAGE: i64 = 2000;

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

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::chat::products::wire::Stock;
    use crate::chat::room::Change;

    async fn keeper() -> (Keeper, RoomId) {
        let key = SecretString::from("a key");
        let keeper = Keeper::open(None, &key).await.expect("memory");
        (keeper, "show".parse().expect("a room's name"))
    }

    fn product(id: &str, image: Option<Hash>) -> Product {
        Product {
            id: id.into(),
            title: id.into(),
            price: None,
            note: None,
            promo_code: None,
            ends_at_ms: None,
            image: image.map(|hash| hash.to_string()),
            link: None,
            stock: Stock::Enough,
        }
    }

    async fn set(keeper: &Keeper, room: &RoomId, list: Vec<Product>) {
        let changes = [Change::Product(ProductChange::Listed(list))];
        keeper.keep(room, Some(1), &changes).await.expect("kept");
    }

    /// All pictures came an hour ago.
    async fn an_hour_passes(keeper: &Keeper) {
        sqlx::query("UPDATE images SET at_ms = at_ms - 3600000")
            .execute(&keeper.pool)
            .await
            .expect("done");
    }

    async fn is_there(keeper: &Keeper, room: &RoomId, hash: Hash) -> bool {
        let list = [product("a", Some(hash))];
        keeper.without_image(room, &list).await.expect("read").is_none()
    }

    #[tokio::test]
    async fn a_picture_goes_with_the_list_that_it_is_not_in() {
        let (keeper, room) = keeper().await;
        let put = async |bytes: &[u8]| {
            keeper
                .put_image(&room, bytes)
                .await
                .expect("kept")
                .expect("there is room")
        };
        let (old, kept) = (put(b"old").await, put(b"kept").await);
        an_hour_passes(&keeper).await;
        let fresh = put(b"fresh").await;
        assert!(!is_there(&keeper, &room, old).await, "in no list after an hour");
        set(&keeper, &room, vec![]).await;
        assert!(is_there(&keeper, &room, fresh).await, "its list is on its way");
        let kept_again = put(b"kept").await;
        assert_eq!(kept, kept_again, "the same picture has one name");
        set(&keeper, &room, vec![product("a", Some(kept))]).await;
        an_hour_passes(&keeper).await;
        set(&keeper, &room, vec![product("b", Some(kept))]).await;
        assert!(is_there(&keeper, &room, kept).await, "it is in the list");
        assert!(!is_there(&keeper, &room, fresh).await, "its list never came");
        let without = ProductChange::Changed(product("b", None));
        keeper
            .keep(&room, Some(2), &[Change::Product(without)])
            .await
            .expect("kept");
        assert!(
            !is_there(&keeper, &room, kept).await,
            "the product has no picture now"
        );
    }

    #[tokio::test]
    async fn a_room_has_so_many_pictures_and_no_more() {
        let (keeper, room) = keeper().await;
        for n in 0..MOST_IMAGES {
            let put = keeper.put_image(&room, &n.to_be_bytes()).await.expect("kept");
            assert!(put.is_some(), "{n}");
        }
        assert_eq!(
            keeper.put_image(&room, b"one more").await.expect("answered"),
            None
        );
        let again = keeper.put_image(&room, &0_i64.to_be_bytes()).await.expect("kept");
        assert!(again.is_some(), "one that is there takes no place");
    }

    #[tokio::test]
    async fn figures_are_added_up_minute_by_minute() {
        let (keeper, room) = keeper().await;
        let visit = |minute, what| {
            Change::Product(ProductChange::Visited {
                product: "a".into(),
                minute,
                what,
            })
        };
        let changes = [
            visit(7, Visit::Opened),
            visit(7, Visit::Carted),
            visit(7, Visit::Opened),
            visit(8, Visit::Carted),
        ];
        keeper.keep(&room, None, &changes).await.expect("kept");
        let (figures, more) = keeper.figures(&room, 0).await.expect("read");
        let seen: Vec<_> = figures
            .iter()
            .map(|one| (one.minute_ms, one.opened, one.carted))
            .collect();
        assert_eq!((seen, more), (vec![(420_000, 2, 1), (480_000, 0, 1)], false));
        let (later, _) = keeper.figures(&room, 480_000).await.expect("read");
        assert_eq!(later.len(), 1);
        let kept = keeper.load(&room).await.expect("read");
        assert_eq!(
            (
                kept.seq,
                kept.products.interest[0].opened,
                kept.products.interest[0].carted
            ),
            (0, 2, 2)
        );
    }
}

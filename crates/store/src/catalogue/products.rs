//! Products, as shops and files bring them.

use protocol::{Price, Product, ProductId, ShopId, Stock, Text};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Executor, Row};

use super::Catalogue;
use crate::StoreError;

/// A product as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// Which.
    pub id: ProductId,
    /// The shop's own number; may be empty.
    pub sku: Text<100>,
    /// What it is called.
    pub title: Text<200>,
    /// Names of its categories, for the search.
    pub categories: Text<500>,
    /// One line about it; may be empty.
    pub about: Text<200>,
    /// What it costs.
    pub price: Option<Price>,
    /// Whether it can be bought.
    pub buyable: bool,
    /// How many there are; `None` counts nothing.
    pub left: Option<u32>,
    /// Where it can be bought; may be empty.
    pub link: Text<1000>,
    /// Where its picture is; may be empty.
    pub image: Text<1000>,
}

/// What came of keeping products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// They were not there.
    pub added: u32,
    /// They were.
    pub changed: u32,
}

/// Columns of a [`Product`], of a table that is called `p`.
pub(super) const SHOWN: &str = "p.id, p.shop_id, p.title, p.sku, p.minor, p.was_minor, p.currency, p.digits, \
    p.buyable, p.stock_left, p.link, p.image";

impl Catalogue {
    /// Keeps products of a shop (`None`: the host's own), all of them or none, in the place of those with the same id.
    ///
    /// `seen_ms` is when the reading that found them began.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn keep_products(
        &self,
        shop: Option<&ShopId>,
        products: &[ProductRow],
        seen_ms: u64,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await.map_err(|e| self.failed(e))?;
        for product in products {
            keep(&mut transaction, shop, product, seen_ms)
                .await
                .map_err(|e| self.failed(e))?;
        }
        transaction.commit().await.map_err(|e| self.failed(e))
    }

    /// Keeps products of the host's own that a file names, all of them or none. One whose number (or title, where it
    /// has no number) is there already keeps the id that it has.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn import(&self, products: &[ProductRow], now_ms: u64) -> Result<Kept, StoreError> {
        let mut kept = Kept::default();
        let mut transaction = self.writer.begin().await.map_err(|e| self.failed(e))?;
        for product in products {
            let (sql, key) = if product.sku.is_empty() {
                (
                    "SELECT id FROM products WHERE shop_id IS NULL AND title = ?1 AND sku = ''",
                    product.title.as_str(),
                )
            } else {
                (
                    "SELECT id FROM products WHERE shop_id IS NULL AND sku = ?1",
                    product.sku.as_str(),
                )
            };
            let there = sqlx::query(sql)
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
            let mut product = product.clone();
            match there {
                Some(row) => {
                    product.id = self.read(&row, "products", "id")?;
                    kept.changed += 1;
                }
                None => kept.added += 1,
            }
            keep(&mut transaction, None, &product, now_ms)
                .await
                .map_err(|e| self.failed(e))?;
        }
        transaction.commit().await.map_err(|e| self.failed(e))?;
        Ok(kept)
    }

    /// What a shop says of a few products now: those of `asked` that it did not name can no longer be bought.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn keep_polled(
        &self,
        shop: &ShopId,
        asked: &[ProductId],
        products: &[ProductRow],
        seen_ms: u64,
    ) -> Result<(), StoreError> {
        self.keep_products(Some(shop), products, seen_ms).await?;
        for id in asked {
            if products.iter().all(|product| product.id != *id) {
                sqlx::query("UPDATE products SET buyable = 0 WHERE id = ?1")
                    .bind(id.as_str())
                    .execute(&self.writer)
                    .await
                    .map_err(|e| self.failed(e))?;
            }
        }
        Ok(())
    }

    /// A product as a desk shows it; `None` when there is none of this id.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn product(&self, id: &ProductId) -> Result<Option<Product>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {SHOWN} FROM products p WHERE p.id = ?1"
        )))
        .bind(id.as_str())
        .fetch_optional(&self.writer)
        .await
        .map_err(|e| self.failed(e))?;
        row.map(|row| self.shown(&row)).transpose()
    }

    /// A product as it is kept.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn product_row(&self, id: &ProductId) -> Result<Option<ProductRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM products WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.failed(e))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ProductRow {
            id: id.clone(),
            sku: self.read(&row, "products", "sku")?,
            title: self.read(&row, "products", "title")?,
            categories: self.read(&row, "products", "categories")?,
            about: self.read(&row, "products", "about")?,
            price: self.price(&row)?,
            buyable: row.try_get("buyable").map_err(|e| self.failed(e))?,
            left: self.whole(&row, "stock_left")?,
            link: self.read(&row, "products", "link")?,
            image: self.read(&row, "products", "image")?,
        }))
    }

    /// Removes a product, also from the show.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn remove_product(&self, id: &ProductId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM products WHERE id = ?1")
            .bind(id.as_str())
            .execute(&self.writer)
            .await
            .map(drop)
            .map_err(|e| self.failed(e))
    }

    /// A row with the columns of [`SHOWN`].
    pub(super) fn shown(&self, row: &SqliteRow) -> Result<Product, StoreError> {
        let shop: Option<String> = row.try_get("shop_id").map_err(|e| self.failed(e))?;
        let shop = match shop {
            Some(_) => Some(self.read(row, "products", "shop_id")?),
            None => None,
        };
        let buyable: bool = row.try_get("buyable").map_err(|e| self.failed(e))?;
        let stock = if buyable {
            Stock::of(self.whole(row, "stock_left")?)
        } else {
            Stock::SoldOut
        };
        Ok(Product {
            id: self.read(row, "products", "id")?,
            shop,
            title: self.read(row, "products", "title")?,
            sku: self.read(row, "products", "sku")?,
            price: self.price(row)?,
            stock,
            link: self.read(row, "products", "link")?,
            image: self.read(row, "products", "image")?,
        })
    }

    fn price(&self, row: &SqliteRow) -> Result<Option<Price>, StoreError> {
        let Some(minor) = self.whole(row, "minor")? else {
            return Ok(None);
        };
        let currency: Option<String> = row.try_get("currency").map_err(|e| self.failed(e))?;
        Ok(Some(Price {
            minor,
            currency: currency.unwrap_or_default(),
            digits: self.whole(row, "digits")?.unwrap_or(0),
            was_minor: self.whole(row, "was_minor")?,
        }))
    }
}

async fn keep(
    db: &mut SqliteConnection,
    shop: Option<&ShopId>,
    product: &ProductRow,
    seen_ms: u64,
) -> Result<(), sqlx::Error> {
    let price = product.price.as_ref();
    let query = sqlx::query(
        "INSERT INTO products (id, shop_id, sku, title, categories, about, minor, was_minor, currency, digits, buyable, \
         stock_left, link, image, changed_ms, seen_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15) \
         ON CONFLICT (id) DO UPDATE SET sku = excluded.sku, title = excluded.title, categories = excluded.categories, \
         about = excluded.about, minor = excluded.minor, was_minor = excluded.was_minor, currency = excluded.currency, \
         digits = excluded.digits, buyable = excluded.buyable, stock_left = excluded.stock_left, link = excluded.link, \
         image = excluded.image, seen_ms = excluded.seen_ms, \
         changed_ms = CASE WHEN (title, minor, was_minor, buyable, stock_left) IS \
           (excluded.title, excluded.minor, excluded.was_minor, excluded.buyable, excluded.stock_left) \
           THEN changed_ms ELSE excluded.changed_ms END",
    )
    .bind(product.id.as_str())
    .bind(shop.map(ShopId::as_str))
    .bind(product.sku.as_str())
    .bind(product.title.as_str())
    .bind(product.categories.as_str())
    .bind(product.about.as_str())
    .bind(price.map(|price| price.minor.cast_signed()))
    .bind(price.and_then(|price| price.was_minor).map(u64::cast_signed))
    .bind(price.map(|price| price.currency.as_str()))
    .bind(price.map(|price| i64::from(price.digits)))
    .bind(product.buyable)
    .bind(product.left.map(i64::from))
    .bind(product.link.as_str())
    .bind(product.image.as_str())
    .bind(seen_ms.cast_signed());
    db.execute(query).await.map(drop)
}

//! What the show has chosen.

use protocol::{Offer, ProductId, ShowProduct};
use sqlx::{AssertSqlSafe, Row};

use super::Catalogue;
use super::products::SHOWN;
use crate::StoreError;

/// The show's products.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// In the host's order.
    pub products: Vec<ShowProduct>,
    /// Those beside the picture, in their order.
    pub featured: Vec<ProductId>,
}

impl Catalogue {
    /// The show's products as the catalogue has them now.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Unreadable`].
    pub async fn chosen(&self) -> Result<Chosen, StoreError> {
        // By the connection that writes: what was just chosen is to be seen.
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {SHOWN}, s.note, s.promo_code, s.ends_ms, s.counting_ms, s.featured \
             FROM show_products s JOIN products p ON p.id = s.product_id ORDER BY s.position"
        )))
        .fetch_all(&self.writer)
        .await
        .map_err(|e| self.failed(e))?;
        let mut chosen = Chosen::default();
        let mut featured = Vec::new();
        for row in &rows {
            let product = self.shown(row)?;
            let place: Option<i64> = row.try_get("featured").map_err(|e| self.failed(e))?;
            featured.extend(place.map(|place| (place, product.id.clone())));
            chosen.products.push(ShowProduct {
                product,
                offer: Offer {
                    note: self.read(row, "show_products", "note")?,
                    promo_code: self.read(row, "show_products", "promo_code")?,
                    ends_at_ms: self.whole(row, "ends_ms")?,
                },
                counting_since_ms: self.whole(row, "counting_ms")?,
            });
        }
        featured.sort();
        chosen.featured = featured.into_iter().map(|(_, id)| id).collect();
        Ok(chosen)
    }

    /// Keeps what the show has chosen, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Database`], also for a product that the catalogue does not have.
    pub async fn keep_chosen(&self, chosen: &Chosen) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await.map_err(|e| self.failed(e))?;
        sqlx::query("DELETE FROM show_products")
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
        for (position, chosen_product) in (0_i64..).zip(&chosen.products) {
            let id = &chosen_product.product.id;
            let offer = &chosen_product.offer;
            let place = chosen.featured.iter().position(|featured| featured == id);
            sqlx::query(
                "INSERT INTO show_products (product_id, position, note, promo_code, ends_ms, counting_ms, featured) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .bind(id.as_str())
            .bind(position)
            .bind(offer.note.as_str())
            .bind(offer.promo_code.as_str())
            .bind(offer.ends_at_ms.map(u64::cast_signed))
            .bind(chosen_product.counting_since_ms.map(u64::cast_signed))
            .bind(place.map(|place| place as i64))
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.failed(e))?;
        }
        transaction.commit().await.map_err(|e| self.failed(e))
    }
}

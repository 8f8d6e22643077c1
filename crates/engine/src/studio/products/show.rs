//! Commands about the show's products.

use protocol::{ErrorCode, Offer, ProductId, Reply, ShowProduct, ShowProducts, Stock, Text, UserError};
use store::Chosen;

use super::super::actor::{Actor, wall_ms};
use super::super::document::store_error;
use super::super::edit::{bad_value, missing};

/// The longest countdown: a month.
const LONGEST_MS: u64 = 31 * 24 * 60 * 60 * 1000;

impl Actor {
    pub(in crate::studio) async fn choose_product(&mut self, id: &ProductId) -> Result<Reply, UserError> {
        let chosen = &self.state.products.chosen;
        if chosen.iter().any(|known| known.product.id == *id) {
            return Ok(Reply::Done);
        }
        if chosen.len() >= ShowProducts::CHOSEN {
            return Err(UserError::new(ErrorCode::LimitReached)
                .with("what", "products")
                .with("most", ShowProducts::CHOSEN));
        }
        let catalogue = self.products.catalogue()?;
        let product = catalogue.product(id).await.map_err(store_error)?;
        let product = product.ok_or_else(|| missing("product", id))?;
        // What the shop says in one line is what a host would write first.
        let about = catalogue.product_row(id).await.map_err(store_error)?;
        let note = about.map_or_else(Text::default, |row| row.about);
        self.state.products.chosen.push(ShowProduct {
            product,
            offer: Offer {
                note,
                ..Offer::default()
            },
            counting_since_ms: None,
        });
        self.keep_chosen().await
    }

    pub(in crate::studio) async fn leave_product(&mut self, id: &ProductId) -> Result<Reply, UserError> {
        self.place_of_product(id)?;
        let products = &mut self.state.products;
        products.chosen.retain(|known| known.product.id != *id);
        products.featured.retain(|featured| featured != id);
        self.keep_chosen().await
    }

    pub(in crate::studio) async fn move_product(
        &mut self,
        id: &ProductId,
        to: u32,
    ) -> Result<Reply, UserError> {
        let from = self.place_of_product(id)?;
        let chosen = &mut self.state.products.chosen;
        let product = chosen.remove(from);
        chosen.insert((to as usize).min(chosen.len()), product);
        self.keep_chosen().await
    }

    pub(in crate::studio) async fn set_offer(
        &mut self,
        id: &ProductId,
        offer: &Offer,
    ) -> Result<Reply, UserError> {
        let at = self.place_of_product(id)?;
        let now = wall_ms();
        if offer.ends_at_ms.is_some_and(|ends| ends > now + LONGEST_MS) {
            return Err(bad_value("ends_at_ms", "31 d"));
        }
        let chosen = &mut self.state.products.chosen[at];
        // A countdown that runs and is made longer has still begun when it did.
        let runs = chosen.offer.ends_at_ms.is_some_and(|ends| ends > now);
        chosen.counting_since_ms = match (offer.ends_at_ms, chosen.counting_since_ms) {
            (None, _) => None,
            (Some(_), Some(since)) if runs => Some(since),
            (Some(_), _) => Some(now),
        };
        chosen.offer = offer.clone();
        self.keep_chosen().await
    }

    pub(in crate::studio) async fn feature_products(
        &mut self,
        ids: &[ProductId],
    ) -> Result<Reply, UserError> {
        if ids.len() > ShowProducts::FEATURED {
            return Err(UserError::new(ErrorCode::LimitReached)
                .with("what", "featured products")
                .with("most", ShowProducts::FEATURED));
        }
        let mut featured: Vec<ProductId> = Vec::new();
        for id in ids {
            let product = &self.state.products.chosen[self.place_of_product(id)?].product;
            // One that sells out while viewers look at it stays, and says so.
            let fresh = !self.state.products.featured.contains(id);
            if fresh && product.stock == Stock::SoldOut {
                return Err(UserError::new(ErrorCode::ProductSoldOut).with("title", product.title.as_str()));
            }
            if !featured.contains(id) {
                featured.push(id.clone());
            }
        }
        self.state.products.featured = featured;
        self.keep_chosen().await
    }

    /// Keeps the choice, and only then hands it on to the room.
    async fn keep_chosen(&mut self) -> Result<Reply, UserError> {
        let chosen = Chosen {
            products: self.state.products.chosen.clone(),
            featured: self.state.products.featured.clone(),
        };
        self.products
            .catalogue()?
            .keep_chosen(&chosen)
            .await
            .map_err(store_error)?;
        self.products.publish(&self.state);
        Ok(Reply::Done)
    }

    fn place_of_product(&self, id: &ProductId) -> Result<usize, UserError> {
        let chosen = &self.state.products.chosen;
        chosen
            .iter()
            .position(|known| known.product.id == *id)
            .ok_or_else(|| missing("product", id))
    }
}

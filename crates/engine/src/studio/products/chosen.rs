//! What viewers are offered, in the form in which a room takes it.

use protocol::{Price, ProductId, ShowProduct, ShowProducts, Stock};
use serde::Serialize;

/// The show's products for a room: what the link to it reads, by `StudioHandle::chosen_products`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ChosenProducts {
    /// In the host's order.
    pub products: Vec<ChosenProduct>,
    /// Those beside the picture now, at most three.
    pub featured: Vec<ProductId>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChosenProduct {
    /// Which; the same for as long as the product is in the catalogue.
    pub id: ProductId,
    /// Plain text.
    pub title: String,
    /// `{minor, currency, digits, was_minor}`.
    pub price: Option<Price>,
    /// Plain text; may be empty.
    pub note: String,
    /// May be empty.
    pub promo_code: String,
    /// End of the countdown: wall clock, milliseconds since 1970.
    pub ends_at_ms: Option<u64>,
    /// Address of the picture in the shop; may be empty.
    pub image: String,
    /// Address at which it can be bought; may be empty.
    pub link: String,
    /// Whether it can be bought.
    pub stock: RoomStock,
}

/// Stock as viewers are told: how many there are only when there are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomStock {
    /// It can be bought.
    InStock,
    /// It can, but not for long.
    Low {
        /// So many.
        left: u32,
    },
    /// It cannot.
    SoldOut,
}

impl ChosenProducts {
    pub(super) fn of(products: &ShowProducts) -> Self {
        Self {
            products: products.chosen.iter().map(ChosenProduct::of).collect(),
            featured: products.featured.clone(),
        }
    }
}

impl ChosenProduct {
    fn of(chosen: &ShowProduct) -> Self {
        let ShowProduct { product, offer, .. } = chosen;
        Self {
            id: product.id.clone(),
            title: product.title.as_str().to_owned(),
            price: product.price.clone(),
            note: offer.note.as_str().to_owned(),
            promo_code: offer.promo_code.as_str().to_owned(),
            ends_at_ms: offer.ends_at_ms,
            image: product.image.as_str().to_owned(),
            link: product.link.as_str().to_owned(),
            stock: match product.stock {
                Stock::InStock { .. } => RoomStock::InStock,
                Stock::Low { left } => RoomStock::Low { left },
                Stock::SoldOut => RoomStock::SoldOut,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Offer, Product, Text};

    use super::*;

    #[test]
    fn a_room_gets_what_was_agreed_on() {
        let product = Product {
            id: ProductId::try_from("s-7").unwrap(),
            shop: None,
            title: Text::cut("Nocturne LP"),
            sku: Text::default(),
            price: None,
            stock: Stock::Low { left: 3 },
            link: Text::default(),
            image: Text::default(),
        };
        let chosen = ShowProduct {
            product,
            offer: Offer::default(),
            counting_since_ms: Some(1),
        };
        assert_eq!(
            serde_json::to_value(ChosenProduct::of(&chosen)).unwrap(),
            serde_json::json!({
                "id": "s-7", "title": "Nocturne LP", "price": null, "note": "", "promo_code": "", "ends_at_ms": null,
                "image": "", "link": "", "stock": { "low": { "left": 3 } },
            })
        );
    }
}

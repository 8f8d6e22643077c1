//! What viewers are offered, in the form in which a room takes it.

use protocol::{Price, ProductId, ShowProduct, ShowProducts, Stock};
use serde::Serialize;

/// Longest title that a room takes, in characters.
const TITLE: usize = 120;

/// The show's products for a room: what the link to it reads, by `StudioHandle::chosen_products`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChosenProducts {
    /// In the host's order.
    pub products: Vec<ChosenProduct>,
    /// Those beside the picture now, at most three.
    pub featured: Vec<ProductId>,
}

/// One of them; serialized as the room's protocol has it, but for the picture, which the room knows by a name of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChosenProduct {
    /// Which; the same for as long as the product is in the catalogue.
    pub id: ProductId,
    /// Plain text, no longer than a room takes.
    pub title: String,
    /// `{minor, currency, digits, was_minor}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Plain text; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// May be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub promo_code: String,
    /// End of the countdown: wall clock, milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<u64>,
    /// Address of the picture in the shop; may be empty.
    #[serde(skip)]
    pub image: String,
    /// Address at which it can be bought; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub link: String,
    /// Whether it can be bought.
    pub stock: RoomStock,
}

/// Stock as viewers are told: how many there are only when there are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
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
        let title: String = product.title.as_str().chars().take(TITLE).collect();
        Self {
            id: product.id.clone(),
            title: title.trim_end().to_owned(),
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

    fn chosen(title: &str, stock: Stock) -> ShowProduct {
        let product = Product {
            id: ProductId::try_from("s-7").unwrap(),
            shop: None,
            title: Text::cut(title),
            sku: Text::default(),
            price: None,
            stock,
            link: Text::default(),
            image: Text::cut("https://shop.example/7.jpg"),
        };
        ShowProduct {
            product,
            offer: Offer::default(),
            counting_since_ms: Some(1),
        }
    }

    #[test]
    fn what_a_product_has_not_is_not_said() {
        let few = ChosenProduct::of(&chosen("Nocturne LP", Stock::Low { left: 3 }));
        assert_eq!(
            serde_json::to_value(few).unwrap(),
            serde_json::json!({ "id": "s-7", "title": "Nocturne LP", "stock": { "is": "low", "left": 3 } })
        );
    }

    #[test]
    fn a_long_title_is_cut_to_what_a_room_takes() {
        let long = format!("{} tail", "n".repeat(TITLE - 1));
        let product = ChosenProduct::of(&chosen(&long, Stock::SoldOut));
        assert_eq!(product.title, "n".repeat(TITLE - 1));
    }
}

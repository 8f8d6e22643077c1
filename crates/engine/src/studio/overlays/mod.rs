//! Overlays: what the host puts over the program's picture, and what comes by itself.
//!
//! The actor decides what is shown and in which words ([`words`]); `media` draws it and lays it over the picture.

mod words;

use std::sync::Arc;

use media::overlay::{OverlayOnCanvas, OverlayWanted, PictureBytes, check_logo};
use protocol::{Canvas, ErrorCode, Overlay, OverlayKind, ProductId, Reply, State, UserError};

use super::actor::{Actor, wall_ms};
use super::edit::{bad_value, missing};
use super::handle::Input;
use crate::sentences::Language;

/// The longest countdown: a month.
const LONGEST_MS: u64 = 31 * 24 * 60 * 60 * 1000;

/// What lies over the program's picture now.
#[derive(Debug, Clone, Default)]
pub struct OverlayFrame {
    /// Of this size.
    pub canvas: Canvas,
    /// Back to front.
    pub shown: Arc<[OverlayOnCanvas]>,
}

/// The picture on the product card.
#[derive(Debug, Default)]
pub struct OverlayPicture {
    /// Whose, and from which address.
    of: Option<(ProductId, String)>,
    /// `None` while it is fetched, or when there is none to be had.
    bytes: Option<PictureBytes>,
}

/// What a new show begins with: nothing of the last one is on the picture but its logo, and nothing of its viewers is
/// kept.
pub fn begin_anew(state: &mut State) {
    let prepared = &mut state.overlays.prepared;
    prepared.retain(|one| one.overlay.kind() != OverlayKind::ChatMessage);
    for one in prepared {
        one.shown &= one.overlay.kind() == OverlayKind::Logo;
    }
}

/// Makes the product card follow the show's products: what the show has no more is on no card, and where the host
/// wants it so, the first of the featured products has the card for as long as it is featured. Pure.
pub fn follow_products(before: &State, state: &mut State) {
    let chosen = &state.products.chosen;
    state.overlays.prepared.retain(|one| match &one.overlay {
        Overlay::ProductCard { product } => chosen.iter().any(|known| known.product.id == *product),
        _ => true,
    });
    let first = state.products.featured.first();
    let asked = state.overlays.look.featured_by_itself;
    let turned_on = asked && !before.overlays.look.featured_by_itself;
    if !asked || (first == before.products.featured.first() && !turned_on) {
        return;
    }
    match first {
        Some(product) => {
            let overlay = Overlay::ProductCard {
                product: product.clone(),
            };
            state.overlays.set(overlay, Some(true));
        }
        None => {
            state.overlays.hide(OverlayKind::ProductCard);
        }
    }
}

impl Actor {
    /// Takes an overlay up; `shown` as in [`protocol::Overlays::set`].
    pub(super) async fn set_overlay(
        &mut self,
        overlay: &Overlay,
        shown: Option<bool>,
    ) -> Result<Reply, UserError> {
        match overlay {
            Overlay::ProductCard { product } => {
                let chosen = &self.state.products.chosen;
                if chosen.iter().all(|known| known.product.id != *product) {
                    return Err(missing("product", product));
                }
            }
            Overlay::ChatMessage { text, .. } if text.is_empty() => return Err(bad_value("text", "1–500")),
            Overlay::LowerThird { title, .. } if title.is_empty() => {
                return Err(bad_value("title", "1–200"));
            }
            Overlay::Logo { path } => self.check_logo(path.as_str()).await?,
            Overlay::Countdown { ends_at_ms, .. } if *ends_at_ms > wall_ms() + LONGEST_MS => {
                return Err(bad_value("ends_at_ms", "31 d"));
            }
            Overlay::Goal { target: 0, .. } => return Err(bad_value("target", "≥ 1")),
            _ => {}
        }
        self.state.overlays.set(overlay.clone(), shown);
        Ok(Reply::Done)
    }

    /// A file that cannot be shown is said now, not on air.
    async fn check_logo(&self, path: &str) -> Result<(), UserError> {
        let (path, canvas) = (path.to_owned(), self.state.settings.canvas);
        tokio::task::spawn_blocking(move || check_logo(&path, canvas))
            .await
            .map_err(|error| UserError::new(ErrorCode::Internal).with("detail", error))?
    }

    /// Makes the picture show the overlays that the state says.
    pub(super) fn arrange_overlays(&mut self) {
        self.fetch_overlay_picture();
        let picture = self.overlay_picture.bytes.as_ref();
        self.media.show_overlays(OverlayWanted {
            look: self.state.overlays.look.clone(),
            contents: words::contents(&self.state, picture, Language::of_system()),
        });
    }

    /// Begins to fetch the picture of the product on the card; the card is shown without it until it is there.
    fn fetch_overlay_picture(&mut self) {
        let wanted = words::product_on_card(&self.state)
            .map(|chosen| &chosen.product)
            .filter(|product| !product.image.is_empty())
            .map(|product| (product.id.clone(), product.image.as_str().to_owned()));
        if wanted == self.overlay_picture.of {
            return;
        }
        self.overlay_picture = OverlayPicture {
            of: wanted.clone(),
            bytes: None,
        };
        let (Some((product, _)), Some(pictures)) = (wanted, &self.wiring.product_pictures) else {
            return;
        };
        let (pictures, inputs) = (pictures.clone(), self.wiring.inputs.clone());
        tokio::spawn(async move {
            let picture = pictures.picture(&product).await;
            let bytes = picture.map(|picture| picture.bytes);
            // A studio that has stopped shows no card.
            let _heard = inputs.send(Input::OverlayPicture(product, bytes)).await;
        });
    }

    pub(super) fn on_overlay_picture(&mut self, product: &ProductId, bytes: Option<Vec<u8>>) {
        let picture = &mut self.overlay_picture;
        if picture.of.as_ref().is_some_and(|(of, _)| of == product) {
            picture.bytes = bytes.map(|bytes| PictureBytes(bytes.into()));
            self.arrange_overlays();
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Offer, Product, ShowProduct, Stock, Text};

    use super::super::first_state;
    use super::*;

    fn id(text: &str) -> ProductId {
        ProductId::try_from(text).unwrap()
    }

    pub(super) fn with_products(ids: &[&str]) -> State {
        let mut state = first_state();
        state.products.chosen = ids
            .iter()
            .map(|text| ShowProduct {
                product: Product {
                    id: id(text),
                    shop: None,
                    title: Text::cut(text),
                    sku: Text::default(),
                    price: None,
                    stock: Stock::of(None),
                    link: Text::default(),
                    image: Text::default(),
                },
                offer: Offer::default(),
                counting_since_ms: None,
            })
            .collect();
        state
    }

    fn card(state: &State) -> Option<(&str, bool)> {
        let prepared = state.overlays.of(OverlayKind::ProductCard)?;
        match &prepared.overlay {
            Overlay::ProductCard { product } => Some((product.as_str(), prepared.shown)),
            _ => None,
        }
    }

    /// What a command that does `change` leads to.
    fn after(state: &mut State, change: impl FnOnce(&mut State)) {
        let before = state.clone();
        change(state);
        follow_products(&before, state);
    }

    #[test]
    fn a_featured_product_has_the_card_only_where_the_host_wants_it_so() {
        let mut state = with_products(&["a", "b"]);
        after(&mut state, |state| state.products.featured = vec![id("a")]);
        assert_eq!(card(&state), None, "off at first");
        after(&mut state, |state| state.overlays.look.featured_by_itself = true);
        assert_eq!(card(&state), Some(("a", true)));
        after(&mut state, |state| {
            state.products.featured = vec![id("b"), id("a")]
        });
        assert_eq!(card(&state), Some(("b", true)));
        // Taken off by hand, it stays off until another one is featured.
        after(&mut state, |state| {
            state.overlays.hide(OverlayKind::ProductCard);
        });
        after(&mut state, |state| state.show.title = "Encore".to_owned());
        assert_eq!(card(&state), Some(("b", false)));
        after(&mut state, |state| state.products.featured = vec![id("a")]);
        assert_eq!(card(&state), Some(("a", true)));
        after(&mut state, |state| state.products.featured.clear());
        assert_eq!(card(&state), Some(("a", false)));
    }

    #[test]
    fn what_the_show_has_no_more_is_on_no_card() {
        let mut state = with_products(&["a", "b"]);
        let overlay = Overlay::ProductCard { product: id("a") };
        after(&mut state, |state| state.overlays.set(overlay, Some(true)));
        assert_eq!(card(&state), Some(("a", true)));
        after(&mut state, |state| {
            state.products.chosen.retain(|one| one.product.id != id("a"))
        });
        assert_eq!(card(&state), None);
    }

    #[test]
    fn a_new_show_begins_with_its_logo_and_nothing_of_yesterdays_viewers() {
        let mut state = with_products(&["a"]);
        let message = Overlay::ChatMessage {
            message: 7,
            name: Text::cut("Ada"),
            text: Text::cut("Hello"),
        };
        let logo = Overlay::Logo {
            path: Text::cut("/logo.png"),
        };
        let title = Overlay::LowerThird {
            title: Text::cut("Maya"),
            subtitle: Text::default(),
        };
        for overlay in [message, logo, title] {
            state.overlays.set(overlay, Some(true));
        }
        begin_anew(&mut state);
        let kept: Vec<_> = state
            .overlays
            .prepared
            .iter()
            .map(|one| (one.overlay.kind(), one.shown))
            .collect();
        assert_eq!(
            kept,
            [(OverlayKind::Logo, true), (OverlayKind::LowerThird, false)]
        );
    }
}

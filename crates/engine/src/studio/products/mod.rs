//! Products: the catalogue, the shops that it comes from, and what the show has chosen.
//!
//! The actor decides; whatever speaks to a shop or reads a file runs beside it and comes back as [`News`].

mod chosen;
mod import;
mod link;
mod own;
mod pictures;
mod shops;
mod show;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use audience::woocommerce;
use protocol::{ErrorCode, ProductId, Reply, ShopId, State, UserError};
use store::Catalogue;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::actor::Actor;
use super::document::store_error;
use super::overlays;

pub use chosen::{ChosenProduct, ChosenProducts, RoomStock};
pub use link::run as link_to_room;
pub use pictures::ProductPictures;

/// What came of work beside the actor.
#[derive(Debug)]
pub enum News {
    /// A shop is being read.
    Progress {
        /// Which.
        shop: ShopId,
        /// So many products so far.
        read: u32,
        /// Of so many; 0 while nobody knows.
        of: u32,
    },
    /// A shop was read, or could not be.
    Read {
        /// Which.
        shop: ShopId,
        /// Why not.
        result: Result<(), UserError>,
    },
    /// Shops were asked about the show's products.
    Polled(Vec<(ShopId, Result<(), UserError>)>),
    /// The catalogue has changed otherwise; then somebody may wait for an answer.
    Changed(Option<Waiting>),
}

/// Somebody who waits for what was done beside the actor.
#[derive(Debug)]
pub struct Waiting {
    result: Result<Reply, UserError>,
    answer: oneshot::Sender<Result<Reply, UserError>>,
}

/// What the actor needs for products.
pub struct Products {
    /// `None` for a show that leaves no trace.
    catalogue: Option<Catalogue>,
    clients: HashMap<ShopId, Arc<woocommerce::Client>>,
    readings: HashMap<ShopId, Reading>,
    polling: Option<JoinHandle<()>>,
    polled: Option<Instant>,
    /// THE place from which the link to a room reads what viewers are offered.
    chosen: watch::Sender<ChosenProducts>,
}

/// When a shop is read next, and the task that reads it now.
struct Reading {
    task: Option<JoinHandle<()>>,
    due: Instant,
}

impl Products {
    /// With what was kept of an earlier engine put into `state`.
    ///
    /// # Errors
    /// [`ErrorCode::DatabaseUnusable`].
    pub async fn take_up(
        catalogue: Option<Catalogue>,
        chosen: watch::Sender<ChosenProducts>,
        state: &mut State,
    ) -> Result<Self, UserError> {
        let products = Self {
            catalogue,
            clients: HashMap::new(),
            readings: HashMap::new(),
            polling: None,
            polled: None,
            chosen,
        };
        if let Some(catalogue) = &products.catalogue {
            for row in catalogue.shops().await.map_err(store_error)? {
                state.shops.push(protocol::Shop {
                    id: row.id,
                    url: row.url,
                    phase: protocol::ShopPhase::Idle,
                    products: row.products,
                    fresh_at_ms: row.fresh_ms,
                    error: None,
                });
            }
            products.read_chosen(state).await?;
        }
        Ok(products)
    }

    /// The catalogue.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] in a show from the command line, which keeps nothing.
    fn catalogue(&self) -> Result<&Catalogue, UserError> {
        self.catalogue
            .as_ref()
            .ok_or_else(|| UserError::new(ErrorCode::NotFound).with("thing", "catalogue"))
    }

    /// The show's products as the catalogue has them now, into the state and to the room.
    async fn read_chosen(&self, state: &mut State) -> Result<(), UserError> {
        let catalogue = self.catalogue()?;
        let chosen = catalogue.chosen().await.map_err(store_error)?;
        state.products = protocol::ShowProducts {
            chosen: chosen.products,
            featured: chosen.featured,
            catalogue: catalogue.products().await.map_err(store_error)?,
        };
        for shop in catalogue.shops().await.map_err(store_error)? {
            if let Some(shown) = state.shops.iter_mut().find(|shown| shown.id == shop.id) {
                shown.products = shop.products;
                shown.fresh_at_ms = shop.fresh_ms;
            }
        }
        self.publish(state);
        Ok(())
    }

    /// Hands what viewers are offered on to the room.
    fn publish(&self, state: &State) {
        let now = ChosenProducts::of(&state.products);
        self.chosen.send_if_modified(|before| {
            let other = *before != now;
            *before = now;
            other
        });
    }

    /// Ends what runs beside the actor.
    pub fn stop(&mut self) {
        let readings = self
            .readings
            .values_mut()
            .filter_map(|reading| reading.task.take());
        for task in readings.chain(self.polling.take()) {
            task.abort();
        }
    }
}

impl Actor {
    pub(super) async fn on_products(&mut self, news: News) {
        match news {
            News::Progress { shop, read, of } => self.on_progress(&shop, read, of),
            News::Read { shop, result } => {
                self.on_read(&shop, result);
                self.refresh_chosen().await;
            }
            News::Polled(results) => {
                self.products.polling = None;
                for (shop, result) in results {
                    self.note_shop_error(&shop, result.err());
                }
                self.refresh_chosen().await;
            }
            News::Changed(waiting) => {
                self.refresh_chosen().await;
                if let Some(Waiting { result, answer }) = waiting {
                    self.say();
                    // A desk that left does not hear its answer.
                    let _heard = answer.send(result);
                }
            }
        }
    }

    /// Takes the catalogue's changes up. Should it fail, the show goes on with what it has.
    async fn refresh_chosen(&mut self) {
        let before = self.state.clone();
        if let Err(error) = self.products.read_chosen(&mut self.state).await {
            tracing::error!(?error, "the show's products could not be read");
        }
        overlays::follow_products(&before, &mut self.state);
        if self.state.overlays != before.overlays
            && let Err(error) = self.save().await
        {
            tracing::error!(?error, "the overlays could not be kept");
        }
    }
}

/// The id of a shop's product: the same for ever, so that a refresh meets what the show has chosen.
fn product_id(shop: &ShopId, number: u64) -> Option<ProductId> {
    ProductId::try_from(format!("{shop}-{number}")).ok()
}

/// The shop's own number of a product.
fn number_in(shop: &ShopId, id: &ProductId) -> Option<u64> {
    id.as_str()
        .strip_prefix(shop.as_str())?
        .strip_prefix('-')?
        .parse()
        .ok()
}

fn row(id: ProductId, found: audience::Found) -> store::ProductRow {
    store::ProductRow {
        id,
        sku: found.sku,
        title: found.title,
        categories: found.categories,
        about: found.about,
        price: found.price,
        buyable: found.buyable,
        left: found.left,
        link: found.link,
        image: found.image,
    }
}

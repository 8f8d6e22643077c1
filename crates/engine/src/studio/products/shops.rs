//! Shops: connected by commands, read in the background, asked about the show's products while it is on air.

use std::sync::Arc;
use std::time::{Duration, Instant};

use audience::woocommerce::{Client, Listed, Options};
use protocol::{ErrorCode, ProductId, Reply, Shop, ShopId, ShopKeys, ShopPhase, ShopUrl, UserError};
use secrecy::SecretString;
use store::{Catalogue, ProductRow};
use tokio::sync::mpsc;

use super::super::actor::{Actor, wall_ms};
use super::super::document::store_error;
use super::super::edit::{bad_value, missing, new_id};
use super::super::handle::Input;
use super::super::limits;
use super::{News, Reading, number_in, product_id, row};

/// A shop is asked for what has changed.
const CHANGES_EVERY: Duration = Duration::from_secs(15 * 60);
/// After a failure it is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(2 * 60);
/// Everything is read, for what is no longer there does not count as changed.
const WHOLE_EVERY_MS: u64 = 24 * 60 * 60 * 1000;
/// On air: what viewers can buy.
const POLL_EVERY: Duration = Duration::from_secs(30);
/// Most pages of one reading: a hundred thousand products.
const MOST_PAGES: u32 = 1000;

impl Actor {
    pub(in crate::studio) async fn add_shop(
        &mut self,
        url: &str,
        keys: &ShopKeys,
    ) -> Result<Reply, UserError> {
        if self.state.shops.len() >= limits::SHOPS {
            return Err(UserError::new(ErrorCode::LimitReached)
                .with("what", "shops")
                .with("most", limits::SHOPS));
        }
        let (url, keys) = (checked_url(url)?, checked_keys(keys)?);
        let catalogue = self.products.catalogue()?.clone();
        let id: ShopId = new_id();
        self.keys.keep_shop(&id, Some(keys)).await?;
        catalogue.keep_shop(&id, &url).await.map_err(store_error)?;
        self.state.shops.push(Shop {
            id: id.clone(),
            url,
            phase: ShopPhase::Idle,
            products: 0,
            fresh_at_ms: None,
            error: None,
        });
        self.read_shop(&id, true).await;
        Ok(Reply::Shop { id })
    }

    pub(in crate::studio) async fn change_shop(
        &mut self,
        id: &ShopId,
        url: &str,
        keys: Option<&ShopKeys>,
    ) -> Result<Reply, UserError> {
        let at = self.place_of_shop(id)?;
        let (url, keys) = (checked_url(url)?, keys.map(checked_keys).transpose()?);
        let catalogue = self.products.catalogue()?.clone();
        if let Some(keys) = keys {
            self.keys.keep_shop(id, Some(keys)).await?;
        }
        catalogue.keep_shop(id, &url).await.map_err(store_error)?;
        self.state.shops[at].url = url;
        self.products.clients.remove(id);
        self.read_shop(id, true).await;
        Ok(Reply::Done)
    }

    pub(in crate::studio) async fn remove_shop(&mut self, id: &ShopId) -> Result<Reply, UserError> {
        let at = self.place_of_shop(id)?;
        let catalogue = self.products.catalogue()?.clone();
        self.keys.keep_shop(id, None).await?;
        self.stop_reading(id);
        self.products.readings.remove(id);
        self.products.clients.remove(id);
        self.state.shops.remove(at);
        let (inputs, id) = (self.wiring.inputs.clone(), id.clone());
        // Fifty thousand products take seconds to go.
        tokio::spawn(async move {
            if let Err(error) = catalogue.remove_shop(&id).await {
                tracing::error!(%error, shop = %id, "the products of a shop could not be removed");
            }
            let _stopped = inputs.send(Input::Products(News::Changed(None))).await;
        });
        Ok(Reply::Done)
    }

    pub(in crate::studio) async fn refresh_shop(&mut self, id: &ShopId) -> Result<Reply, UserError> {
        let at = self.place_of_shop(id)?;
        if self.state.shops[at].phase == ShopPhase::Idle {
            self.read_shop(id, true).await;
        }
        Ok(Reply::Done)
    }

    /// Reads the shops that are due, and asks about the show's products while it is on air.
    pub(in crate::studio) async fn look_after_shops(&mut self) {
        let due: Vec<ShopId> = self
            .state
            .shops
            .iter()
            .filter(|shop| shop.phase == ShopPhase::Idle)
            .map(|shop| shop.id.clone())
            .filter(|id| {
                self.products
                    .readings
                    .get(id)
                    .is_none_or(|reading| reading.due <= Instant::now())
            })
            .collect();
        for id in due {
            self.read_shop(&id, false).await;
        }
        let polled = self.products.polled.is_some_and(|at| at.elapsed() < POLL_EVERY);
        if self.state.show.phase.on_air() && !polled && self.products.polling.is_none() {
            self.poll().await;
        }
    }

    /// Begins to read a shop: `whole`, or only what has changed since the last time where that is enough.
    async fn read_shop(&mut self, id: &ShopId, whole: bool) {
        self.stop_reading(id);
        let began_ms = wall_ms();
        let started = self.reading_of(id, whole, began_ms).await;
        let (task, phase, error) = match started {
            Ok(task) => (Some(task), ShopPhase::Reading { read: 0, of: 0 }, None),
            Err(error) => (None, ShopPhase::Idle, Some(error)),
        };
        if let Some(shop) = self.state.shops.iter_mut().find(|shop| shop.id == *id) {
            shop.phase = phase;
            // What was wrong is shown until something else is known.
            if error.is_some() {
                shop.error = error;
            }
        }
        let reading = Reading {
            task,
            due: Instant::now() + AGAIN_AFTER,
        };
        self.products.readings.insert(id.clone(), reading);
    }

    async fn reading_of(
        &mut self,
        id: &ShopId,
        whole: bool,
        began_ms: u64,
    ) -> Result<tokio::task::JoinHandle<()>, UserError> {
        let client = self.client(id).await?;
        let catalogue = self.products.catalogue()?.clone();
        let rows = catalogue.shops().await.map_err(store_error)?;
        let kept = rows
            .into_iter()
            .find(|row| row.id == *id)
            .ok_or_else(|| missing("shop", id))?;
        let old = kept.whole_ms.is_none_or(|at| at + WHOLE_EVERY_MS < began_ms);
        let since = if whole || old { None } else { kept.fresh_ms };
        let (inputs, shop) = (self.wiring.inputs.clone(), id.clone());
        Ok(tokio::spawn(async move {
            let result = read(&client, &catalogue, &shop, since, began_ms, &inputs).await;
            let _stopped = inputs.send(Input::Products(News::Read { shop, result })).await;
        }))
    }

    async fn poll(&mut self) {
        let Ok(catalogue) = self.products.catalogue().cloned() else {
            return;
        };
        let mut asked: Vec<(ShopId, Arc<Client>, Vec<ProductId>)> = Vec::new();
        let shops: Vec<ShopId> = self.state.shops.iter().map(|shop| shop.id.clone()).collect();
        for shop in shops {
            let of_shop = |chosen: &&protocol::ShowProduct| chosen.product.shop.as_ref() == Some(&shop);
            let ids: Vec<ProductId> = self
                .state
                .products
                .chosen
                .iter()
                .filter(of_shop)
                .map(|chosen| chosen.product.id.clone())
                .collect();
            if ids.is_empty() {
                continue;
            }
            match self.client(&shop).await {
                Ok(client) => asked.push((shop, client, ids)),
                Err(error) => self.note_shop_error(&shop, Some(error)),
            }
        }
        self.products.polled = Some(Instant::now());
        if asked.is_empty() {
            return;
        }
        let inputs = self.wiring.inputs.clone();
        self.products.polling = Some(tokio::spawn(async move {
            let mut results = Vec::new();
            for (shop, client, ids) in asked {
                let result = ask_about(&client, &catalogue, &shop, &ids).await;
                results.push((shop, result));
            }
            let _stopped = inputs.send(Input::Products(News::Polled(results))).await;
        }));
    }

    async fn client(&mut self, id: &ShopId) -> Result<Arc<Client>, UserError> {
        if let Some(client) = self.products.clients.get(id) {
            return Ok(client.clone());
        }
        let url = self.state.shops[self.place_of_shop(id)?].url.clone();
        let keys = self.keys.shop(id).await?;
        let keys = keys.ok_or_else(|| UserError::new(ErrorCode::ShopKeyRefused).with("host", url.host()))?;
        let client = Client::new(url, keys, Options::default()).map_err(|error| error.user_error())?;
        let client = Arc::new(client);
        self.products.clients.insert(id.clone(), client.clone());
        Ok(client)
    }

    pub(super) fn on_progress(&mut self, id: &ShopId, read: u32, of: u32) {
        if let Some(shop) = self.state.shops.iter_mut().find(|shop| shop.id == *id) {
            shop.phase = ShopPhase::Reading { read, of };
        }
    }

    pub(super) fn on_read(&mut self, id: &ShopId, result: Result<(), UserError>) {
        let next = if result.is_ok() {
            CHANGES_EVERY
        } else {
            AGAIN_AFTER
        };
        if let Some(shop) = self.state.shops.iter_mut().find(|shop| shop.id == *id) {
            shop.phase = ShopPhase::Idle;
            shop.error = result.err();
        }
        if let Some(reading) = self.products.readings.get_mut(id) {
            reading.task = None;
            reading.due = Instant::now() + next;
        }
    }

    pub(super) fn note_shop_error(&mut self, id: &ShopId, error: Option<UserError>) {
        if let Some(shop) = self.state.shops.iter_mut().find(|shop| shop.id == *id) {
            shop.error = error;
        }
    }

    fn stop_reading(&mut self, id: &ShopId) {
        let task = self
            .products
            .readings
            .get_mut(id)
            .and_then(|reading| reading.task.take());
        if let Some(task) = task {
            task.abort();
        }
    }

    fn place_of_shop(&self, id: &ShopId) -> Result<usize, UserError> {
        let shops = &self.state.shops;
        shops
            .iter()
            .position(|shop| shop.id == *id)
            .ok_or_else(|| missing("shop", id))
    }
}

fn checked_url(url: &str) -> Result<ShopUrl, UserError> {
    ShopUrl::try_from(url.to_owned()).map_err(|error| {
        UserError::new(ErrorCode::ShopAddressInvalid)
            .with("url", url)
            .with("detail", error)
    })
}

fn checked_keys(keys: &ShopKeys) -> Result<SecretString, UserError> {
    let joined = keys.joined().map_err(|error| bad_value("key", error))?;
    Ok(SecretString::from(joined))
}

/// Reads a shop page by page, each kept at once: what was read before a failure is there.
async fn read(
    client: &Client,
    catalogue: &Catalogue,
    shop: &ShopId,
    since: Option<u64>,
    began_ms: u64,
    inputs: &mpsc::Sender<Input>,
) -> Result<(), UserError> {
    let (mut first_total, mut read) = (None, 0);
    for page in 1..=MOST_PAGES {
        let answer = client.page(page, since).await.map_err(|error| {
            tracing::warn!(%shop, %error, page, "a shop could not be read");
            error.user_error()
        })?;
        let rows = rows(shop, answer.products);
        catalogue
            .keep_products(Some(shop), &rows, began_ms)
            .await
            .map_err(store_error)?;
        read += u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let of = answer.total.unwrap_or(0);
        let shown = News::Progress {
            shop: shop.clone(),
            read,
            of,
        };
        // Only a number to look at: a studio that is behind does without.
        let _shown = inputs.try_send(Input::Products(shown));
        first_total = if page == 1 { answer.total } else { first_total };
        if !answer.more {
            // A shop in which something went while it was read has moved products from page to page, past the reader:
            // then nothing counts as gone until the next time.
            let steady = first_total == answer.total && answer.total.is_none_or(|total| read >= total);
            let whole = since.is_none() && steady;
            return catalogue
                .shop_was_read(shop, began_ms, whole)
                .await
                .map_err(store_error);
        }
    }
    Err(UserError::new(ErrorCode::LimitReached)
        .with("what", "products")
        .with("most", MOST_PAGES * 100))
}

async fn ask_about(
    client: &Client,
    catalogue: &Catalogue,
    shop: &ShopId,
    ids: &[ProductId],
) -> Result<(), UserError> {
    let numbers: Vec<u64> = ids.iter().filter_map(|id| number_in(shop, id)).collect();
    let products = client.some(&numbers).await.map_err(|error| {
        tracing::warn!(%shop, %error, "a shop could not be asked about the show's products");
        error.user_error()
    })?;
    catalogue
        .keep_polled(shop, ids, &rows(shop, products), wall_ms())
        .await
        .map_err(store_error)
}

fn rows(shop: &ShopId, listed: Vec<Listed>) -> Vec<ProductRow> {
    let rows = listed
        .into_iter()
        .filter_map(|Listed { number, product }| Some(row(product_id(shop, number)?, product)));
    rows.collect()
}

//! Pictures of products for desks: from the disk, and the first time from the shop.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use audience::picture::Pictures;
use protocol::ProductId;
use store::{Catalogue, Picture};
use tokio::sync::{Mutex, Semaphore};

use super::super::actor::wall_ms;

/// Pictures that are fetched at a time.
const AT_A_TIME: usize = 4;
/// How long one that could not be had is not asked for again.
const LATER: Duration = Duration::from_secs(120);
/// Most addresses that are remembered for that.
const REMEMBERED: usize = 10_000;

/// Gives pictures of products. Cheap to clone.
#[derive(Clone)]
pub struct ProductPictures {
    catalogue: Catalogue,
    fetching: Arc<Fetching>,
}

struct Fetching {
    /// Made when the first picture is wanted: certificates take their time to read. `None` where no TLS can be had.
    pictures: LazyLock<Option<Pictures>>,
    gate: Semaphore,
    failed: Mutex<HashMap<String, Instant>>,
}

impl ProductPictures {
    /// Of this catalogue.
    pub fn new(catalogue: Catalogue) -> Self {
        let pictures = || {
            let failed = |error: &_| tracing::error!(%error, "products will have no pictures");
            Pictures::new().inspect_err(failed).ok()
        };
        let fetching = Fetching {
            pictures: LazyLock::new(pictures),
            gate: Semaphore::new(AT_A_TIME),
            failed: Mutex::default(),
        };
        Self {
            catalogue,
            fetching: Arc::new(fetching),
        }
    }

    /// The picture of a product; `None` when there is none, or none to be had now.
    pub async fn picture(&self, product: &ProductId) -> Option<Picture> {
        let row = self.catalogue.product_row(product).await.ok().flatten()?;
        let address = row.image.as_str();
        if address.is_empty() {
            return None;
        }
        if let Ok(Some(kept)) = self.catalogue.picture(address, wall_ms()).await {
            return Some(kept);
        }
        let _turn = self.fetching.gate.acquire().await.ok()?;
        if self.failed_lately(address).await {
            return None;
        }
        match self.fetching.pictures.as_ref()?.fetch(address).await {
            Ok(fetched) => {
                let picture = Picture {
                    mime: fetched.mime.to_owned(),
                    bytes: fetched.bytes,
                };
                if let Err(error) = self.catalogue.keep_picture(address, &picture, wall_ms()).await {
                    tracing::warn!(%error, "a product's picture could not be kept");
                }
                Some(picture)
            }
            Err(error) => {
                tracing::debug!(%error, product = %product, "a product's picture could not be had");
                self.fail(address).await;
                None
            }
        }
    }

    async fn failed_lately(&self, address: &str) -> bool {
        let failed = self.fetching.failed.lock().await;
        failed.get(address).is_some_and(|at| at.elapsed() < LATER)
    }

    async fn fail(&self, address: &str) {
        let mut failed = self.fetching.failed.lock().await;
        if failed.len() >= REMEMBERED {
            failed.clear();
        }
        failed.insert(address.to_owned(), Instant::now());
    }
}

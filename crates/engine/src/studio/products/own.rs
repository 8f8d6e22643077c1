//! Commands about products of the host's own, and the search.

use protocol::{ErrorCode, ProductDraft, ProductId, Reply, Text, UserError};
use store::ProductRow;
use tokio::sync::oneshot;

use super::super::actor::{Actor, wall_ms};
use super::super::document::store_error;
use super::super::edit::{bad_value, missing, new_id};

/// Most products of one answer.
const MOST: u32 = 100;

impl Actor {
    pub(in crate::studio) async fn add_product(&mut self, draft: &ProductDraft) -> Result<Reply, UserError> {
        let id: ProductId = new_id();
        self.keep_own(id.clone(), draft).await?;
        Ok(Reply::Product { id })
    }

    pub(in crate::studio) async fn change_product(
        &mut self,
        id: &ProductId,
        draft: &ProductDraft,
    ) -> Result<Reply, UserError> {
        self.own(id).await?;
        self.keep_own(id.clone(), draft).await?;
        Ok(Reply::Done)
    }

    pub(in crate::studio) async fn remove_product(&mut self, id: &ProductId) -> Result<Reply, UserError> {
        self.own(id).await?;
        self.products
            .catalogue()?
            .remove_product(id)
            .await
            .map_err(store_error)?;
        self.products.read_chosen(&mut self.state).await?;
        Ok(Reply::Done)
    }

    /// Searches beside the actor: a question of fifty milliseconds must not hold up a cut.
    pub(in crate::studio) fn search_products(
        &self,
        words: Text<200>,
        (offset, limit): (u32, u32),
        answer: oneshot::Sender<Result<Reply, UserError>>,
    ) {
        let catalogue = self.products.catalogue().cloned();
        tokio::spawn(async move {
            let search = async {
                if !(1..=MOST).contains(&limit) {
                    return Err(bad_value("limit", "1–100"));
                }
                let found = catalogue?
                    .search(words.as_str(), offset, limit)
                    .await
                    .map_err(store_error)?;
                Ok(Reply::Products {
                    products: found.products,
                    found: found.count,
                })
            };
            // A desk that left does not hear its answer.
            let _heard = answer.send(search.await);
        });
    }

    async fn keep_own(&mut self, id: ProductId, draft: &ProductDraft) -> Result<(), UserError> {
        let row = checked(id, draft)?;
        self.products
            .catalogue()?
            .keep_products(None, &[row], wall_ms())
            .await
            .map_err(store_error)?;
        self.products.read_chosen(&mut self.state).await
    }

    /// A shop's product is changed in the shop: the next refresh would undo it here.
    async fn own(&self, id: &ProductId) -> Result<(), UserError> {
        let known = self
            .products
            .catalogue()?
            .product(id)
            .await
            .map_err(store_error)?;
        let known = known.ok_or_else(|| missing("product", id))?;
        match known.shop {
            None => Ok(()),
            Some(_) => Err(UserError::new(ErrorCode::ProductOfShop).with("title", known.title.as_str())),
        }
    }
}

fn checked(id: ProductId, draft: &ProductDraft) -> Result<ProductRow, UserError> {
    if draft.title.is_empty() {
        return Err(bad_value("title", "1–200"));
    }
    let address = |field: &str, text: &Text<1000>| match text.as_str() {
        "" => Ok(Text::default()),
        address => audience::web_address(address).ok_or_else(|| bad_value(field, "https://…")),
    };
    Ok(ProductRow {
        id,
        sku: draft.sku.clone(),
        title: draft.title.clone(),
        categories: Text::default(),
        about: Text::default(),
        price: draft.price.clone(),
        buyable: draft.left != Some(0),
        left: draft.left,
        link: address("link", &draft.link)?,
        image: address("image", &draft.image)?,
    })
}

//! The link from the show's products to the room in which viewers see them.
//!
//! A task of its own: it says to the room what [`ChosenProducts`] holds, again after each connection, and hears what a
//! moderator features there. Pictures follow when they are there; nothing waits for them.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use audience::picture;
use audience::room::{Door, Room, RoomError, Tray};
use protocol::{Command, ProductId, RoomId};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::chosen::{ChosenProduct, ChosenProducts};
use super::pictures::ProductPictures;
use crate::studio::StudioHandle;

/// First wait before a lost room is tried again, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// More changes than so many are said as one list.
const ONE_BY_ONE: usize = 3;

/// Runs for as long as the engine does.
pub async fn run(studio: StudioHandle, mut room: watch::Receiver<Option<RoomId>>) {
    let mut chosen = studio.chosen_products();
    let mut wait = FIRST_WAIT;
    loop {
        // A room that never had products needs none of this.
        let offered = chosen.wait_for(|chosen| !chosen.products.is_empty());
        if offered.await.is_err() {
            return;
        }
        let Ok(name) = room.wait_for(Option::is_some).await.map(|name| name.clone()) else {
            return;
        };
        let Some(door) = door(&studio, name).await else {
            return;
        };
        let ended = match Room::join(&door).await {
            Ok(joined) => {
                wait = FIRST_WAIT;
                let link = Link {
                    featured: joined.featured().to_vec(),
                    room: joined,
                    door,
                    tray: Tray::default(),
                    studio: studio.clone(),
                    echoes: VecDeque::new(),
                    said: Vec::new(),
                    refused: Vec::new(),
                    pictures: HashMap::new(),
                    fetching: JoinSet::new(),
                };
                tokio::select! {
                    ended = link.serve(&mut chosen) => ended,
                    _ = room.changed() => continue,
                }
            }
            Err(error) => error,
        };
        tracing::warn!(
            error = &ended as &(dyn std::error::Error + 'static),
            "products do not reach the room now"
        );
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn door(studio: &StudioHandle, room: Option<RoomId>) -> Option<Door> {
    let door = studio.chat_door(room?.as_str().to_owned()).await?;
    Some(Door {
        chat: door.url,
        images: door.images,
        token: SecretString::clone(&door.token),
    })
}

/// A room that is joined.
struct Link {
    room: Room,
    door: Door,
    tray: Tray,
    studio: StudioHandle,
    /// The list that the room has.
    said: Vec<Value>,
    /// A list that the room did not want; not said again.
    refused: Vec<Value>,
    /// What the room features.
    featured: Vec<String>,
    /// What we featured and have not heard of from the room yet, oldest first.
    echoes: VecDeque<Vec<String>>,
    /// What the room calls a picture, by its address in the shop; `None` while there is none to be had.
    pictures: HashMap<String, Option<String>>,
    fetching: JoinSet<(String, Option<String>)>,
}

impl Link {
    /// Until the room is lost.
    async fn serve(mut self, chosen: &mut watch::Receiver<ChosenProducts>) -> RoomError {
        loop {
            let now = chosen.borrow_and_update().clone();
            if let Err(error) = self.say(&now).await {
                return error;
            }
            self.fetch(&now);
            tokio::select! {
                changed = chosen.changed() => if changed.is_err() { return RoomError::Closed },
                Some(fetched) = self.fetching.join_next() => {
                    if let Ok((address, name)) = fetched {
                        self.pictures.insert(address, name);
                    }
                }
                featured = self.room.next_featured() => match featured {
                    Ok(featured) => self.follow(featured, &now).await,
                    Err(error) => return error,
                },
            }
        }
    }

    /// Brings the room to what is chosen.
    async fn say(&mut self, now: &ChosenProducts) -> Result<(), RoomError> {
        let list: Vec<Value> = now.products.iter().map(|product| self.wire(product)).collect();
        if list != self.said && list != self.refused {
            let acts = acts(&self.said, &list);
            for act in acts {
                match self.room.act(act).await {
                    Ok(()) => {}
                    Err(RoomError::Refused { code, field }) => {
                        tracing::error!(code, field, "the room does not take the products");
                        self.refused = list;
                        // A picture that the room has forgotten is put there again.
                        self.pictures.clear();
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
            // What is in the list no more is featured no more.
            self.featured
                .retain(|id| list.iter().any(|product| product["id"] == id.as_str()));
            self.said = list;
        }
        let featured: Vec<String> = now.featured.iter().map(|id| id.as_str().to_owned()).collect();
        if featured != self.featured {
            let act = json!({ "do": "feature", "products": featured });
            self.echoes.push_back(featured.clone());
            match self.room.act(act).await {
                Ok(()) => {}
                Err(RoomError::Refused { code, field }) => {
                    tracing::error!(code, field, "the room does not feature the products");
                    self.echoes.pop_back();
                }
                Err(error) => return Err(error),
            }
            self.featured = featured;
        }
        Ok(())
    }

    /// Somebody in the room has featured something: the show has it so too, or takes it back.
    async fn follow(&mut self, featured: Vec<String>, now: &ChosenProducts) {
        if let Some(own) = self.echoes.iter().position(|echo| *echo == featured) {
            self.echoes.drain(..=own);
            return;
        }
        if !self.echoes.is_empty() {
            // It was featured before what we featured since, whose echo is on its way: that is the last word.
            return;
        }
        self.featured = featured;
        let known = now.featured.iter().map(ProductId::as_str);
        if known.eq(self.featured.iter().map(String::as_str)) {
            return;
        }
        let products = self
            .featured
            .iter()
            .filter_map(|id| ProductId::try_from(id.clone()).ok())
            .collect();
        if let Err(error) = self.studio.command(Command::FeatureProducts { products }).await {
            // What the show has is said to the room again: there it is as it was.
            tracing::info!(
                code = error.code.as_str(),
                "a moderator's choice of products does not hold"
            );
        }
    }

    /// Begins to fetch the pictures that nobody has asked for yet.
    fn fetch(&mut self, now: &ChosenProducts) {
        let Some(pictures) = self.studio.product_pictures() else {
            return;
        };
        for product in &now.products {
            if product.image.is_empty() || self.pictures.contains_key(&product.image) {
                continue;
            }
            self.pictures.insert(product.image.clone(), None);
            let (pictures, product) = (pictures.clone(), product.clone());
            let (tray, door) = (self.tray.clone(), self.door.clone());
            self.fetching.spawn(async move {
                let name = put(&pictures, &product, &tray, &door).await;
                (product.image, name)
            });
        }
    }

    /// A product as the room's protocol has it.
    fn wire(&self, product: &ChosenProduct) -> Value {
        let mut wire = serde_json::to_value(product).unwrap_or_default();
        if let Some(Some(name)) = self.pictures.get(&product.image) {
            wire["image"] = Value::from(name.as_str());
        }
        wire
    }
}

/// The acts that make a list out of another: a few products that are others, or all of them.
fn acts(before: &[Value], after: &[Value]) -> Vec<Value> {
    let ids = |list: &[Value]| -> Vec<Value> { list.iter().map(|product| product["id"].clone()).collect() };
    let others: Vec<&Value> = after.iter().filter(|product| !before.contains(product)).collect();
    if ids(before) == ids(after) && others.len() <= ONE_BY_ONE {
        return others
            .into_iter()
            .map(|product| json!({ "do": "product", "product": product }))
            .collect();
    }
    vec![json!({ "do": "products", "list": after })]
}

async fn put(
    pictures: &ProductPictures,
    product: &ChosenProduct,
    tray: &Tray,
    door: &Door,
) -> Option<String> {
    let kept = pictures.picture(&product.id).await?;
    let small = tokio::task::spawn_blocking(move || picture::for_viewers(kept.bytes))
        .await
        .ok()??;
    match tray.put(door, small).await {
        Ok(name) => Some(name),
        Err(error) => {
            let error = &error as &(dyn std::error::Error + 'static);
            tracing::warn!(
                error,
                product = product.id.as_str(),
                "viewers do not see the product's picture"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str, title: &str) -> Value {
        json!({ "id": id, "title": title })
    }

    #[test]
    fn a_changed_price_is_one_act_and_another_order_is_the_list() {
        let before = [product("a", "A"), product("b", "B")];
        let changed = [product("a", "A"), product("b", "B2")];
        assert_eq!(
            acts(&before, &changed),
            [json!({ "do": "product", "product": product("b", "B2") })]
        );
        let turned = [product("b", "B"), product("a", "A")];
        assert_eq!(
            acts(&before, &turned),
            [json!({ "do": "products", "list": turned })]
        );
        assert_eq!(acts(&[], &before), [json!({ "do": "products", "list": before })]);
        assert_eq!(acts(&before, &[]), [json!({ "do": "products", "list": [] })]);
    }
}

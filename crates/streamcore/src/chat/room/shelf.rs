//! What the host sells: the show's list, what is featured of it, and viewers' clicks.

use std::time::Instant;

use super::moderation::{Acted, out_of_range};
use super::{Audience, Change, Follow, Now, ProductChange, Room, Speaker, Undo};
use crate::chat::identity::Role;
use crate::chat::products::wire::{Interest, Product, ProductId, Visit};
use crate::chat::products::{Clicks, KeptProducts, MOST_FEATURED, checked, checked_list, visit_minute};
use crate::chat::wire::{Done, Happening, Refused};

/// Products and what viewers do with them.
#[derive(Debug)]
pub struct Shelf {
    list: Vec<Product>,
    featured: Vec<ProductId>,
    clicks: Clicks,
}

impl Shelf {
    pub fn new(kept: KeptProducts) -> Self {
        Self {
            list: kept.list,
            featured: kept.featured,
            clicks: Clicks::new(kept.interest),
        }
    }

    /// In the host's order.
    pub fn list(&self) -> &[Product] {
        &self.list
    }

    /// In the order in which they are shown.
    pub fn featured(&self) -> &[ProductId] {
        &self.featured
    }

    fn find(&self, id: &str) -> Option<&Product> {
        self.list.iter().find(|product| product.id == id)
    }

    fn titles(&self, ids: &[ProductId]) -> Option<String> {
        let titles: Vec<&str> = ids
            .iter()
            .filter_map(|id| self.find(id))
            .map(|product| product.title.as_str())
            .collect();
        (!titles.is_empty()).then(|| titles.join(", "))
    }
}

impl Room {
    /// The show's list is another one. What is featured and still in it stays featured.
    pub(super) fn list(
        &mut self,
        follow: &mut Follow,
        list: &[Product],
        role: Role,
    ) -> Result<Acted, Refused> {
        may_sell(role)?;
        let list = checked_list(list, &self.id)?;
        // A newer list says it all: older ones are not held for those who come back.
        for told in &mut self.events {
            if let Happening::Listed { products, .. } = &mut told.event.what {
                *products = Vec::new();
                told.audience = Audience::Nobody;
            }
        }
        self.shelf.list.clone_from(&list);
        let kept = |id: &ProductId| list.iter().any(|product| product.id == *id);
        let featured: Vec<ProductId> = self
            .shelf
            .featured
            .iter()
            .filter(|id| kept(id))
            .cloned()
            .collect();
        keep(follow, ProductChange::Listed(list.clone()));
        if featured != self.shelf.featured {
            keep(follow, ProductChange::Featured(featured.clone()));
            self.shelf.featured.clone_from(&featured);
        }
        let what = Happening::Listed {
            products: list,
            featured,
        };
        self.happen(follow, Audience::All, what);
        Ok(Acted::on(None, None))
    }

    /// One product of the list is another one now: price, stock, note.
    pub(super) fn change_product(
        &mut self,
        follow: &mut Follow,
        product: &Product,
        role: Role,
    ) -> Result<Acted, Refused> {
        may_sell(role)?;
        let product = checked(product, &self.id)?;
        let place = self.shelf.list.iter_mut().find(|one| one.id == product.id);
        place.ok_or(Refused::Unknown)?.clone_from(&product);
        let whom = product.title.clone();
        keep(follow, ProductChange::Changed(product.clone()));
        self.happen(follow, Audience::All, Happening::ProductChanged { product });
        Ok(Acted::on(Some(whom), None))
    }

    /// These are shown, and no others.
    pub(super) fn feature(
        &mut self,
        follow: &mut Follow,
        ids: &[ProductId],
        by: &str,
    ) -> Result<Acted, Refused> {
        let twice = ids.iter().enumerate().any(|(at, id)| ids[..at].contains(id));
        if ids.len() > MOST_FEATURED || twice {
            return Err(out_of_range("products"));
        }
        if ids.iter().any(|id| self.shelf.find(id).is_none()) {
            return Err(Refused::Unknown);
        }
        let before = self.shelf.featured.clone();
        let whom = self.shelf.titles(ids).or_else(|| self.shelf.titles(&before));
        self.put_in_front(follow, ids.to_vec(), by);
        Ok(Acted::on(whom, Some(Undo::Feature(before))))
    }

    /// What was shown before is shown again, as far as it is still in the list.
    pub(super) fn feature_again(
        &mut self,
        follow: &mut Follow,
        before: Vec<ProductId>,
        by: &str,
    ) -> Option<String> {
        let there: Vec<ProductId> = before
            .into_iter()
            .filter(|id| self.shelf.find(id).is_some())
            .collect();
        let whom = self.shelf.titles(&there);
        self.put_in_front(follow, there, by);
        whom
    }

    fn put_in_front(&mut self, follow: &mut Follow, ids: Vec<ProductId>, by: &str) {
        self.shelf.featured.clone_from(&ids);
        keep(follow, ProductChange::Featured(ids.clone()));
        let what = Happening::Featured {
            products: ids,
            by: by.to_owned(),
        };
        self.happen(follow, Audience::All, what);
    }

    /// A viewer goes to the shop. Answered the same whether it counts or not; what host and moderators try does not.
    ///
    /// # Errors
    /// `unknown` for a product that is not in the list.
    pub fn visit(
        &mut self,
        by: &Speaker,
        product: &str,
        what: Visit,
        now: Now,
    ) -> Result<(Done, Follow), Refused> {
        if self.shelf.find(product).is_none() {
            return Err(Refused::Unknown);
        }
        let mut follow = Follow::default();
        let counts = by.author.role == Role::Viewer
            && self.shelf.clicks.count(&by.author.id, product, what, now.wall_ms);
        if counts {
            let change = ProductChange::Visited {
                product: product.to_owned(),
                minute: visit_minute(now.wall_ms),
                what,
            };
            keep(&mut follow, change);
        }
        Ok((Done::Counted, follow))
    }

    /// How much viewers want what is in the list.
    pub fn interest(&self) -> Vec<Interest> {
        self.shelf.clicks.totals(&self.shelf.list)
    }

    /// When host and moderators are to be told of clicks; `None` while there are no new ones.
    pub fn interest_at(&self, now: Instant) -> Option<Instant> {
        self.shelf.clicks.tell_at(now)
    }

    /// They have been told.
    pub fn interest_told(&mut self, now: Instant) {
        self.shelf.clicks.told(now);
    }
}

fn may_sell(role: Role) -> Result<(), Refused> {
    if role == Role::Host {
        Ok(())
    } else {
        Err(Refused::NotAllowed)
    }
}

fn keep(follow: &mut Follow, change: ProductChange) {
    follow.keep.push(Change::Product(change));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Stage, host, speaker, viewer};
    use super::*;
    use crate::chat::products::wire::Stock;
    use crate::chat::wire::Act;

    fn product(id: &str) -> Product {
        Product {
            id: id.into(),
            title: format!("Thing {id}"),
            price: None,
            note: None,
            promo_code: None,
            ends_at_ms: None,
            image: None,
            link: Some("https://shop.example/".into()),
            stock: Stock::Enough,
        }
    }

    fn products(ids: &[&str]) -> Act {
        Act::Products {
            list: ids.iter().map(|id| product(id)).collect(),
        }
    }

    fn feature(ids: &[&str]) -> Act {
        Act::Feature {
            products: ids.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn stage(ids: &[&str]) -> Stage {
        let mut stage = Stage::new();
        stage.acted(&host(), products(ids));
        stage
    }

    #[test]
    fn what_is_featured_can_be_taken_back_as_far_as_it_is_still_there() {
        let mut stage = stage(&["a", "b", "c"]);
        stage.acted(&host(), feature(&["a", "b"]));
        let entry = stage.acted(&host(), feature(&[]));
        stage.acted(&host(), products(&["b", "c"]));
        stage.acted(&host(), Act::Undo { entry });
        assert_eq!(stage.room.shelf.featured(), ["b"]);
        assert_eq!(
            stage.act(&host(), Act::Undo { entry }).err(),
            Some(Refused::NotUndoable),
            "once"
        );
    }

    #[test]
    fn the_list_is_the_hosts_and_featuring_the_moderators_too() {
        let mut stage = stage(&["a"]);
        let ines = speaker("ines", Role::Moderator, 9);
        assert_eq!(
            stage.act(&ines, feature(&["a"])).err(),
            Some(Refused::NotAllowed),
            "not invited"
        );
        let _the_host_invites = stage.room.invitations.insert("ines".into(), "Inès".into());
        stage.acted(&ines, feature(&["a"]));
        assert_eq!(stage.act(&ines, products(&[])).err(), Some(Refused::NotAllowed));
        let change = Act::Product {
            product: product("a"),
        };
        assert_eq!(stage.act(&ines, change).err(), Some(Refused::NotAllowed));
        assert_eq!(
            stage.act(&viewer("ada"), feature(&[])).err(),
            Some(Refused::NotAllowed)
        );
    }

    #[test]
    fn a_refused_act_changes_nothing() {
        let mut stage = stage(&["a", "b", "c", "d"]);
        stage.acted(&host(), feature(&["a"]));
        let seq = stage.room.seq();
        for wrong in [
            feature(&["a", "b", "c", "d"]),
            feature(&["b", "b"]),
            feature(&["z"]),
            products(&["x", "x"]),
        ] {
            assert!(stage.act(&host(), wrong).is_err());
        }
        assert_eq!(stage.room.shelf.featured(), ["a"]);
        assert_eq!((stage.room.shelf.list().len(), stage.room.seq()), (4, seq));
    }

    #[test]
    fn one_changed_product_is_told_and_kept_alone() {
        let mut stage = stage(&["a", "b"]);
        let sold_out = Product {
            stock: Stock::SoldOut,
            ..product("b")
        };
        let follow = stage
            .act(&host(), Act::Product { product: sold_out })
            .expect("the host may");
        let told = follow.tell.iter().find_map(|told| match &told.event.what {
            Happening::ProductChanged { product } => Some(product),
            _ => None,
        });
        assert_eq!(told.map(|product| product.stock), Some(Stock::SoldOut));
        assert_eq!(stage.room.shelf.list()[0].stock, Stock::Enough);
        let other = Act::Product {
            product: product("z"),
        };
        assert_eq!(stage.act(&host(), other).err(), Some(Refused::Unknown));
    }

    #[test]
    fn of_many_lists_only_the_newest_is_held_for_those_who_return() {
        let mut stage = stage(&["a"]);
        let seen = stage.room.seq();
        for ids in [&["b"], &["c"], &["d"]] {
            stage.acted(&host(), products(ids));
        }
        let missed = stage.room.since(seen, Role::Viewer, "ada").expect("not long ago");
        let lists: Vec<String> = missed
            .iter()
            .filter_map(|event| match &event.what {
                Happening::Listed { products, .. } => Some(products[0].id.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(lists, ["d"]);
    }

    #[test]
    fn clicks_are_kept_and_take_no_number() {
        let mut stage = stage(&["a"]);
        let seq = stage.room.seq();
        let mut visit = |who: &Speaker, what| {
            let now = stage.now();
            let (_, follow) = stage.room.visit(who, "a", what, now).expect("it is in the list");
            assert!(follow.tell.is_empty());
            follow.keep.len()
        };
        assert_eq!(visit(&viewer("ada"), Visit::Carted), 1);
        assert_eq!(visit(&viewer("ada"), Visit::Carted), 0, "once a minute");
        assert_eq!(visit(&viewer("bob"), Visit::Carted), 1);
        assert_eq!(visit(&host(), Visit::Carted), 0, "the crew does not count");
        assert_eq!(stage.room.seq(), seq);
        assert_eq!(stage.room.interest()[0].carted, 2);
        stage.acted(&host(), products(&["b"]));
        assert!(
            stage.room.interest().is_empty(),
            "what is gone is not counted out"
        );
        stage.acted(&host(), products(&["a"]));
        assert_eq!(stage.room.interest()[0].carted, 2, "and is not forgotten");
    }
}

//! What a client says of its products, as it may be kept and shown. A refusal names the field.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::image::Hash;
use super::wire::{Price, Product};
use crate::chat::text::whole_line;
use crate::chat::wire::Refused;
use crate::room::RoomId;

/// Products of a show.
const MOST_PRODUCTS: usize = 200;
/// Products that are shown at once.
pub const MOST_FEATURED: usize = 3;
const MOST_OF_AN_ID: usize = 64;
const MOST_OF_A_TITLE: usize = 120;
const MOST_OF_A_NOTE: usize = 200;
const MOST_OF_A_CODE: usize = 40;
const MOST_OF_A_LINK: usize = 2000;
const MOST_DIGITS: u8 = 4;
/// What JavaScript counts exactly.
const MOST_NUMBER: u64 = (1 << 53) - 1;

/// The list as it may be shown.
///
/// # Errors
/// `out_of_range` with a field such as `products[2].title`.
pub fn checked_list(list: &[Product], room: &RoomId) -> Result<Vec<Product>, Refused> {
    if list.len() > MOST_PRODUCTS {
        return Err(out_of_range("products".into()));
    }
    let mut ids = HashSet::new();
    let mut checked = Vec::with_capacity(list.len());
    for (at, product) in list.iter().enumerate() {
        let product =
            look_at(product, room).map_err(|field| out_of_range(format!("products[{at}].{field}")))?;
        if !ids.insert(product.id.clone()) {
            return Err(out_of_range(format!("products[{at}].id")));
        }
        checked.push(product);
    }
    Ok(checked)
}

/// One product as it may be shown.
///
/// # Errors
/// `out_of_range` with a field such as `product.title`.
pub fn checked(product: &Product, room: &RoomId) -> Result<Product, Refused> {
    look_at(product, room).map_err(|field| out_of_range(format!("product.{field}")))
}

fn out_of_range(field: String) -> Refused {
    Refused::OutOfRange { field }
}

fn look_at(product: &Product, room: &RoomId) -> Result<Product, &'static str> {
    let id = whole_line(&product.id, MOST_OF_AN_ID).filter(|id| *id == product.id && !id.is_empty());
    let title = whole_line(&product.title, MOST_OF_A_TITLE).filter(|title| !title.is_empty());
    let image = match &product.image {
        Some(text) => Some(text.parse::<Hash>().map_err(|_| "image")?.to_string()),
        None => None,
    };
    if product.ends_at_ms.is_some_and(|at| at > MOST_NUMBER) {
        return Err("ends_at_ms");
    }
    Ok(Product {
        id: id.ok_or("id")?,
        title: title.ok_or("title")?,
        price: product.price.as_ref().map(look_at_price).transpose()?,
        note: words(product.note.as_deref(), MOST_OF_A_NOTE).ok_or("note")?,
        promo_code: words(product.promo_code.as_deref(), MOST_OF_A_CODE).ok_or("promo_code")?,
        ends_at_ms: product.ends_at_ms,
        image,
        link: match &product.link {
            Some(link) => Some(with_show(link, room).ok_or("link")?),
            None => None,
        },
        stock: product.stock,
    })
}

/// Nothing is as good as absent; `None` is too long.
#[expect(clippy::option_option, reason = "the outer one is the refusal")]
fn words(text: Option<&str>, most: usize) -> Option<Option<String>> {
    match text {
        None => Some(None),
        Some(text) => whole_line(text, most).map(|text| Some(text).filter(|text| !text.is_empty())),
    }
}

fn look_at_price(price: &Price) -> Result<Price, &'static str> {
    if price.minor > MOST_NUMBER {
        return Err("price.minor");
    }
    if price.currency.len() != 3 || !price.currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err("price.currency");
    }
    if price.digits > MOST_DIGITS {
        return Err("price.digits");
    }
    if price.was_minor.is_some_and(|was| was > MOST_NUMBER) {
        return Err("price.was_minor");
    }
    Ok(Price {
        was_minor: price.was_minor.filter(|was| *was > price.minor),
        ..price.clone()
    })
}

/// How the shop's own figures tell this show's visitors from others.
const SHOW: [&str; 3] = ["utm_source", "utm_medium", "utm_campaign"];

/// The link with the show behind whatever query it has; `None` for what is no link to a shop.
fn with_show(link: &str, room: &RoomId) -> Option<String> {
    // Longer ones are not even taken apart; what the server put in itself comes back with a changed price.
    if link.len() > 2 * MOST_OF_A_LINK {
        return None;
    }
    let mut url = Url::parse(link).ok()?;
    let web = match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| is_this_machine(&host)),
        _ => false,
    };
    // A name before the host would pass for another shop.
    if !web || !url.has_host() || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    // The pieces that stay are not read and written again: a shop may have its own way of writing them.
    let stays = |piece: &&str| {
        let pair = url::form_urlencoded::parse(piece.as_bytes()).next();
        pair.is_none_or(|(key, _)| !SHOW.contains(&key.as_ref()))
    };
    let query = url
        .query()
        .map(|query| query.split('&').filter(stays).collect::<Vec<_>>().join("&"));
    url.set_query(query.as_deref().filter(|query| !query.is_empty()));
    if url.as_str().len() > MOST_OF_A_LINK {
        return None;
    }
    let values = ["streamcore", "live", room.as_str()];
    url.query_pairs_mut().extend_pairs(SHOW.iter().zip(values));
    Some(url.into())
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => Ipv4Addr::is_loopback(address),
        Host::Ipv6(address) => Ipv6Addr::is_loopback(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::products::wire::Stock;

    fn room() -> RoomId {
        "night-1".parse().expect("a room's name")
    }

    fn product(change: impl FnOnce(&mut Product)) -> Product {
        let mut product = Product {
            id: "p1".into(),
            title: "Vinyl".into(),
            price: Some(Price {
                minor: 3230,
                currency: "EUR".into(),
                digits: 2,
                was_minor: Some(3800),
            }),
            note: None,
            promo_code: None,
            ends_at_ms: None,
            image: None,
            link: None,
            stock: Stock::Enough,
        };
        change(&mut product);
        product
    }

    fn refused(change: impl FnOnce(&mut Product)) -> String {
        match checked(&product(change), &room()) {
            Err(Refused::OutOfRange { field }) => field,
            other => panic!("it was to be refused: {other:?}"),
        }
    }

    fn price(product: &mut Product) -> &mut Price {
        product.price.as_mut().expect("it has one")
    }

    #[test]
    fn a_refusal_names_the_field() {
        let long = |most: usize| "é".repeat(most + 1);
        assert_eq!(refused(|p| p.id = String::new()), "product.id");
        assert_eq!(refused(|p| p.id = long(64)), "product.id");
        assert_eq!(
            refused(|p| p.id = " p1".into()),
            "product.id",
            "it would be another one"
        );
        assert_eq!(refused(|p| p.title = "\u{200b}".into()), "product.title");
        assert_eq!(refused(|p| p.title = long(120)), "product.title");
        assert_eq!(refused(|p| p.note = Some(long(200))), "product.note");
        assert_eq!(refused(|p| p.promo_code = Some(long(40))), "product.promo_code");
        assert_eq!(refused(|p| p.ends_at_ms = Some(1 << 53)), "product.ends_at_ms");
        assert_eq!(refused(|p| p.image = Some("../../x".into())), "product.image");
        assert_eq!(refused(|p| p.image = Some("A".repeat(64))), "product.image");
        assert_eq!(
            refused(|p| price(p).currency = "eur".into()),
            "product.price.currency"
        );
        assert_eq!(refused(|p| price(p).digits = 5), "product.price.digits");
        assert_eq!(refused(|p| price(p).minor = 1 << 53), "product.price.minor");
        assert_eq!(
            refused(|p| price(p).was_minor = Some(u64::MAX)),
            "product.price.was_minor"
        );
        let twice = [product(|_| ()), product(|_| ())];
        let field = match checked_list(&twice, &room()) {
            Err(Refused::OutOfRange { field }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(field, "products[1].id");
        let many: Vec<Product> = (0..201).map(|n| product(|p| p.id = format!("p{n}"))).collect();
        assert!(checked_list(&many, &room()).is_err(), "at most 200");
        assert!(checked_list(&many[..200], &room()).is_ok());
    }

    #[test]
    fn texts_are_one_line_that_hides_nothing() {
        let shown = checked(
            &product(|p| {
                p.title = " Vinyl\n\u{202e}signed ".into();
                p.note = Some("  ".into());
            }),
            &room(),
        );
        let shown = shown.expect("it may be shown");
        assert_eq!(shown.title, "Vinyl signed");
        assert_eq!(shown.note, None, "nothing is absent");
    }

    #[test]
    fn a_regular_price_that_is_not_higher_is_none() {
        let shown = checked(&product(|p| price(p).was_minor = Some(3230)), &room()).expect("fine");
        assert_eq!(shown.price.and_then(|price| price.was_minor), None);
    }

    fn link(text: &str) -> Option<String> {
        with_show(text, &room())
    }

    #[test]
    fn a_link_carries_the_show_behind_its_own_query() {
        let utm = "utm_source=streamcore&utm_medium=live&utm_campaign=night-1";
        assert_eq!(
            link("https://a.example"),
            Some(format!("https://a.example/?{utm}"))
        );
        assert_eq!(
            link("https://a.example/p?x=%20y&z#top"),
            Some(format!("https://a.example/p?x=%20y&z&{utm}#top")),
            "what is there stays as it is"
        );
        let once = link("https://a.example/p?add=1").expect("a link");
        assert_eq!(link(&once), Some(once.clone()), "the show is in it once");
        assert_eq!(
            link("https://a.example/?utm_source=mail&b:2"),
            Some(format!("https://a.example/?b:2&{utm}"))
        );
    }

    #[test]
    fn whatever_is_taken_for_a_link_is_one_of_the_web_with_the_show_in_it() {
        use rand::{Rng, SeedableRng};
        let mut random = rand::rngs::StdRng::seed_from_u64(3);
        let parts = [
            "https://",
            "http://",
            "a.example",
            "localhost",
            "@",
            ":",
            "/",
            "?",
            "&",
            "=",
            "#",
            "%",
            "utm_source",
            "é",
            "\u{202e}",
            "[::1]",
            "\\",
            "..",
            " ",
            "javascript:",
        ];
        let mut taken = 0;
        for _ in 0..20_000 {
            let count = random.random_range(0..10);
            let text: String = (0..count)
                .map(|_| parts[random.random_range(0..parts.len())])
                .collect();
            let Some(made) = link(&text) else { continue };
            taken += 1;
            let url = Url::parse(&made).expect("what was made is an address");
            assert!(matches!(url.scheme(), "https" | "http"), "{text:?} became {made}");
            assert!(url.username().is_empty(), "{text:?} became {made}");
            let sources = url.query_pairs().filter(|(key, _)| key == "utm_source").count();
            assert_eq!(sources, 1, "{text:?} became {made}");
            assert_eq!(link(&made).as_ref(), Some(&made), "once is as good as twice");
        }
        assert!(taken > 100, "some of them are links: {taken}");
    }

    #[test]
    fn a_link_leads_to_a_shop_and_nowhere_else() {
        for good in [
            "https://a.example/",
            "http://localhost:8080/x",
            "http://127.0.0.1/",
            "http://[::1]:1/",
        ] {
            assert!(link(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "http://a.example/",
            "http://127.0.0.1.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://bank.example@evil.example/",
            "//a.example/",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
        let long = |count: usize| format!("https://a.example/{}", "x".repeat(count));
        assert!(link(&long(2000 - 18)).is_some());
        assert_eq!(link(&long(2000 - 17)), None);
    }
}

//! WooCommerce's JSON, taken apart with patience: shops carry plugins that put anything anywhere.

use protocol::Text;
use serde_json::{Map, Value};

use super::Listed;
use crate::Found;
use crate::money::Unit;
use crate::product::{plain, web_address};

/// The fields that are asked for. Without them a page of products with their descriptions has megabytes.
pub const FIELDS: &str = "id,name,type,permalink,sku,price,regular_price,stock_status,stock_quantity,purchasable,\
    short_description,images,categories";

/// A page of products; what is wrong with it, if it is none.
pub fn products(body: &[u8], unit: Unit) -> Result<Vec<Listed>, String> {
    let items: Vec<Map<String, Value>> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            product(item, unit).ok_or_else(|| format!("product {at} of the page has no number"))
        })
        .collect()
}

/// The shop's currency, out of `/settings/general/woocommerce_currency` or `/data/currencies/current`.
pub fn currency(body: &[u8]) -> Result<Unit, String> {
    let answer: Map<String, Value> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let code = ["value", "code"]
        .iter()
        .find_map(|name| answer.get(*name)?.as_str());
    code.and_then(Unit::of)
        .ok_or_else(|| "the shop names no currency".to_owned())
}

/// The shop's own word for an error.
pub fn code(body: &[u8]) -> (String, String) {
    let answer: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
    (text(&answer, "code"), text(&answer, "message"))
}

fn product(item: &Map<String, Value>, unit: Unit) -> Option<Listed> {
    let number = item.get("id")?.as_u64().filter(|id| *id > 0)?;
    let title = Text::cut(&plain(&text(item, "name")));
    let minor = unit.minor(&text(item, "price"));
    let before = unit.minor(&text(item, "regular_price"));
    let status = text(item, "stock_status");
    let left = item.get("stock_quantity").and_then(Value::as_f64);
    Some(Listed {
        number,
        product: Found {
            sku: Text::cut(&text(item, "sku")),
            title: if title.is_empty() {
                Text::cut(&format!("#{number}"))
            } else {
                title
            },
            categories: Text::cut(&names(item, "categories")),
            about: Text::cut(&plain(&text(item, "short_description"))),
            price: minor.map(|minor| unit.price(minor, before)),
            buyable: status != "outofstock",
            // On back order people buy what is not there: a count would say "sold out".
            left: left
                .filter(|_| status == "instock")
                .map(|left| left.clamp(0.0, f64::from(u32::MAX)) as u32),
            link: web_address(&text(item, "permalink")).unwrap_or_default(),
            image: first_image(item).unwrap_or_default(),
        },
    })
}

fn text(item: &Map<String, Value>, name: &str) -> String {
    match item.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn names(item: &Map<String, Value>, list: &str) -> String {
    let names = item.get(list).and_then(Value::as_array).into_iter().flatten();
    let names = names.filter_map(|entry| Some(plain(entry.get("name")?.as_str()?)));
    names.collect::<Vec<_>>().join(", ")
}

fn first_image(item: &Map<String, Value>) -> Option<Text<1000>> {
    web_address(item.get("images")?.get(0)?.get("src")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Listed>, String> {
        products(json.as_bytes(), Unit::of("EUR").unwrap())
    }

    #[test]
    fn a_product_of_the_contract_is_understood() {
        let listed = read(
            r#"[{"id":7,"name":"Nocturne LP, signed &amp; numbered","permalink":"https://s.example/p/7","sku":"N-7",
            "price":"32.30","regular_price":"38.00","sale_price":"32.30","stock_status":"instock","stock_quantity":18,
            "short_description":"<p>Double vinyl</p>","images":[{"src":"https://s.example/7.jpg"},{"src":"x"}],
            "categories":[{"name":"Vinyl"},{"name":"Signed"}],"meta_data":[{"anything":{}}]}]"#,
        )
        .unwrap();
        let Found {
            title,
            categories,
            about,
            price,
            buyable,
            left,
            ..
        } = &listed[0].product;
        assert_eq!(title.as_str(), "Nocturne LP, signed & numbered");
        assert_eq!(
            (categories.as_str(), about.as_str()),
            ("Vinyl, Signed", "Double vinyl")
        );
        let price = price.clone().unwrap();
        assert_eq!(
            (price.minor, price.was_minor, price.currency.as_str()),
            (3230, Some(3800), "EUR")
        );
        assert_eq!((*buyable, *left), (true, Some(18)));
    }

    #[test]
    fn what_plugins_leave_out_is_left_out() {
        let listed = read(
            r#"[{"id":1,"name":null,"price":"","stock_quantity":null,"images":[],"permalink":"javascript:alert(1)"},
            {"id":2,"price":12.5,"regular_price":10,"stock_status":"onbackorder","stock_quantity":-3,"images":"none"},
            {"id":3,"stock_status":"outofstock","stock_quantity":9}]"#,
        )
        .unwrap();
        let product = |at: usize| &listed[at].product;
        assert_eq!((product(0).title.as_str(), &product(0).price), ("#1", &None));
        assert!(product(0).link.is_empty(), "a link that runs is none");
        assert_eq!(
            product(1).price.as_ref().map(|p| (p.minor, p.was_minor)),
            Some((1250, None))
        );
        assert_eq!((product(1).buyable, product(1).left), (true, None));
        assert!(!product(2).buyable);
    }

    #[test]
    fn what_is_no_list_of_products_is_said_so() {
        for bad in [
            "",
            "[",
            "{}",
            "[1]",
            r#"[{"name":"x"}]"#,
            r#"[{"id":-1}]"#,
            "<html>",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

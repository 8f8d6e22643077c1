//! From the state to what overlays say, in the host's language. Pure.

use media::overlay::{OverlayContent, PictureBytes, ProductCard};
use protocol::{Overlay, OverlayKind, Params, Price, ShowProduct, State, Stock};

use crate::sentences::{self, Language};

/// A space that breaks no line.
const NO_BREAK: char = '\u{a0}';

/// The product whose card is on the picture.
pub(super) fn product_on_card(state: &State) -> Option<&ShowProduct> {
    let prepared = state.overlays.of(OverlayKind::ProductCard)?;
    match &prepared.overlay {
        Overlay::ProductCard { product } if prepared.shown => state
            .products
            .chosen
            .iter()
            .find(|one| one.product.id == *product),
        _ => None,
    }
}

/// Everything that is on the picture, in the order in which it was put there.
pub(super) fn contents(
    state: &State,
    picture: Option<&PictureBytes>,
    language: Language,
) -> Vec<OverlayContent> {
    let shown = state.overlays.prepared.iter().filter(|prepared| prepared.shown);
    shown
        .filter_map(|prepared| {
            Some(match &prepared.overlay {
                Overlay::ProductCard { .. } => product(product_on_card(state)?, picture.cloned(), language),
                Overlay::ChatMessage { name, text, .. } => OverlayContent::Message {
                    name: name.as_str().to_owned(),
                    text: text.as_str().to_owned(),
                },
                Overlay::LowerThird { title, subtitle } => OverlayContent::LowerThird {
                    title: title.as_str().to_owned(),
                    subtitle: subtitle.as_str().to_owned(),
                },
                Overlay::Logo { path } => OverlayContent::Logo {
                    path: path.as_str().to_owned(),
                },
                Overlay::Countdown { label, ends_at_ms } => OverlayContent::Countdown {
                    label: label.as_str().to_owned(),
                    ends_at_ms: *ends_at_ms,
                },
                Overlay::Goal {
                    label,
                    value,
                    target,
                    unit,
                } => {
                    let counted = |number: u32| {
                        let number = grouped(&number.to_string(), language);
                        match unit.as_str() {
                            "" => number,
                            unit => format!("{number}{NO_BREAK}{unit}"),
                        }
                    };
                    OverlayContent::Goal {
                        label: label.as_str().to_owned(),
                        value: counted(*value),
                        target: counted(*target),
                        share: *value as f32 / (*target).max(1) as f32,
                    }
                }
            })
        })
        .collect()
}

fn product(chosen: &ShowProduct, picture: Option<PictureBytes>, language: Language) -> OverlayContent {
    let ShowProduct { product, offer, .. } = chosen;
    let price = |minor| product.price.as_ref().map(|price| money(minor, price, language));
    let now = product.price.as_ref().and_then(|of| price(of.minor));
    let was = product.price.as_ref().and_then(|of| price(of.was_minor?));
    let stock = match product.stock {
        Stock::InStock { .. } => String::new(),
        Stock::Low { left } => {
            let params = Params::from([("left".to_owned(), left.to_string())]);
            sentences::name("overlay_few_left", &params, language).unwrap_or_default()
        }
        Stock::SoldOut => sentences::name("overlay_sold_out", &Params::new(), language).unwrap_or_default(),
    };
    OverlayContent::Product(ProductCard {
        title: product.title.as_str().to_owned(),
        note: offer.note.as_str().to_owned(),
        price: now.unwrap_or_default(),
        was: was.unwrap_or_default(),
        code: offer.promo_code.as_str().to_owned(),
        stock,
        ends_at_ms: offer.ends_at_ms,
        picture,
    })
}

/// An amount as the desk writes it: `€1,132.30`, `1 132,30 €`.
fn money(minor: u64, price: &Price, language: Language) -> String {
    let digits = usize::from(price.digits);
    let figures = format!("{minor:0>width$}", width = digits + 1);
    let (whole, part) = figures.split_at(figures.len() - digits);
    let point = match language {
        Language::English => '.',
        Language::French => ',',
    };
    let mut amount = grouped(whole, language);
    if !part.is_empty() {
        amount.push(point);
        amount.push_str(part);
    }
    let sign = match (price.currency.as_str(), language) {
        ("EUR", _) => "€",
        ("GBP", Language::English) => "£",
        ("GBP", Language::French) => "£GB",
        ("USD", Language::English) => "$",
        ("USD", Language::French) => "$US",
        ("CAD", Language::English) => "CA$",
        ("CAD", Language::French) => "$CA",
        ("JPY", Language::English) => "¥",
        ("XOF", _) => "F CFA",
        (code, _) => code,
    };
    match language {
        Language::French => format!("{amount}{NO_BREAK}{sign}"),
        // A sign stands close, a word does not.
        Language::English if sign.ends_with(|c: char| c.is_ascii_alphabetic()) => {
            format!("{sign}{NO_BREAK}{amount}")
        }
        Language::English => format!("{sign}{amount}"),
    }
}

/// Figures in groups of three.
fn grouped(figures: &str, language: Language) -> String {
    let between = match language {
        Language::English => ',',
        Language::French => '\u{202f}',
    };
    let mut out = String::with_capacity(figures.len() + figures.len() / 3 * 3);
    for (n, figure) in figures.chars().enumerate() {
        if n > 0 && (figures.len() - n).is_multiple_of(3) {
            out.push(between);
        }
        out.push(figure);
    }
    out
}

#[cfg(test)]
mod tests {
    use protocol::{ProductId, Text};

    use super::super::tests::with_products;
    use super::*;

    fn price(minor: u64, currency: &str, digits: u8) -> Price {
        Price {
            minor,
            currency: currency.to_owned(),
            digits,
            was_minor: None,
        }
    }

    #[test]
    fn money_reads_as_on_the_desk() {
        let written = |price: Price| {
            [Language::English, Language::French]
                .map(|language| money(price.minor, &price, language).replace(['\u{a0}', '\u{202f}'], "_"))
        };
        assert_eq!(written(price(3230, "EUR", 2)), ["€32.30", "32,30_€"]);
        assert_eq!(
            written(price(123_456_705, "USD", 2)),
            ["$1,234,567.05", "1_234_567,05_$US"]
        );
        assert_eq!(written(price(5, "GBP", 2)), ["£0.05", "0,05_£GB"]);
        assert_eq!(written(price(1500, "JPY", 0)), ["¥1,500", "1_500_JPY"]);
        assert_eq!(written(price(1234, "TND", 3)), ["TND_1.234", "1,234_TND"]);
        assert_eq!(written(price(0, "CHF", 2)), ["CHF_0.00", "0,00_CHF"]);
    }

    #[test]
    fn the_card_says_what_the_show_says_at_the_time() {
        let mut state = with_products(&["a"]);
        let product = ProductId::try_from("a").unwrap();
        state.overlays.set(Overlay::ProductCard { product }, Some(true));
        let one = &mut state.products.chosen[0];
        one.product.price = Some(Price {
            was_minor: Some(3800),
            ..price(3230, "EUR", 2)
        });
        one.product.stock = Stock::Low { left: 3 };
        one.offer.promo_code = Text::cut("LIVE15");
        let [
            OverlayContent::Product(ProductCard {
                price,
                was,
                code,
                stock,
                ..
            }),
        ] = &contents(&state, None, Language::French)[..]
        else {
            panic!("no card");
        };
        let read = [price, was, code, stock].map(|text| text.replace('\u{a0}', "_"));
        assert_eq!(read, ["32,30_€", "38,00_€", "LIVE15", "Plus que 3"]);
        state.products.chosen[0].product.stock = Stock::SoldOut;
        let [OverlayContent::Product(ProductCard { stock, .. })] =
            &contents(&state, None, Language::English)[..]
        else {
            panic!("no card");
        };
        assert_eq!(stock, "Sold out");
    }

    #[test]
    fn what_is_ready_and_not_shown_is_not_there() {
        let mut state = with_products(&[]);
        let goal = Overlay::Goal {
            label: Text::cut("LPs"),
            value: 1500,
            target: 3000,
            unit: Text::cut("€"),
        };
        state.overlays.set(goal, None);
        assert_eq!(contents(&state, None, Language::English), []);
        state.overlays.prepared[0].shown = true;
        let [
            OverlayContent::Goal {
                value, target, share, ..
            },
        ] = &contents(&state, None, Language::English)[..]
        else {
            panic!("no goal");
        };
        assert_eq!(
            (value.as_str(), target.as_str()),
            ("1,500\u{a0}€", "3,000\u{a0}€")
        );
        assert!((share - 0.5).abs() < 1e-6);
    }
}

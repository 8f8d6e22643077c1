//! Measures the search over a catalogue of fifty thousand products, beside the least that the same database can do: a
//! row by its primary key, and beside what a search without an index would be: a scan. One line of JSON, in
//! milliseconds. Run by `cargo xtask bench products`.
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::time::Instant;

use protocol::{Price, ProductId, Text};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use store::{Catalogue, ProductRow, Store};

const PRODUCTS: usize = 50_000;
const WORDS: [&str; 24] = [
    "moth",
    "night",
    "stage",
    "tour",
    "signed",
    "vinyl",
    "poster",
    "enamel",
    "cap",
    "tote",
    "crème",
    "brûlée",
    "lamp",
    "silk",
    "scarf",
    "mug",
    "print",
    "velvet",
    "brass",
    "linen",
    "oak",
    "stoneware",
    "amber",
    "été",
];
/// What hosts type: one letter, which nearly everything has; the beginning of a word; two; a number; none.
const QUESTIONS: [&str; 12] = [
    "s",
    "m",
    "to",
    "vin",
    "creme bru",
    "signed vin",
    "poster 31",
    "SKU-31337",
    "oak stone",
    "ete",
    "scarf silk 4",
    "",
];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let rounds: usize = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(20);
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path()).await?;
    let catalogue = store.catalogue().await?;
    let rows: Vec<ProductRow> = (0..PRODUCTS).map(product).collect::<Outcome<_>>()?;
    let before = Instant::now();
    for page in rows.chunks(100) {
        catalogue.keep_products(None, page, 1).await?;
    }
    let filled = before.elapsed().as_secs_f64();
    let (mut search, mut key, mut scan) = (Vec::new(), Vec::new(), Vec::new());
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("studio.db"))
        .read_only(true);
    let other = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    for round in 0..rounds {
        for question in QUESTIONS {
            search.push(asked(&catalogue, question).await?);
            let id = format!("p{}", (round * 7919 + question.len() * 101) % PRODUCTS);
            let before = Instant::now();
            sqlx::query("SELECT * FROM products WHERE id = ?1")
                .bind(id)
                .fetch_one(&other)
                .await?;
            key.push(milliseconds(before));
        }
        let before = Instant::now();
        sqlx::query("SELECT * FROM products WHERE title LIKE '%vin%' AND title LIKE '%signed%' ORDER BY title LIMIT 30")
            .fetch_all(&other)
            .await?;
        scan.push(milliseconds(before));
    }
    // And once more while a refresh writes page after page.
    let writing = tokio::spawn({
        let (catalogue, rows) = (catalogue.clone(), rows.clone());
        async move {
            for page in rows.chunks(100) {
                if let Err(error) = catalogue.keep_products(None, page, 2).await {
                    return Some(error);
                }
            }
            None
        }
    });
    let mut beside = Vec::new();
    while !writing.is_finished() {
        for question in QUESTIONS {
            beside.push(asked(&catalogue, question).await?);
        }
    }
    if let Some(error) = writing.await? {
        return Err(error.into());
    }
    let said = serde_json::json!({
        "search_ms": search, "beside_refresh_ms": beside, "primary_key_ms": key, "scan_ms": scan, "filled_s": filled,
    });
    println!("{said}");
    Ok(())
}

async fn asked(catalogue: &Catalogue, question: &str) -> Outcome<f64> {
    let before = Instant::now();
    catalogue.search(question, 0, 30).await?;
    Ok(milliseconds(before))
}

fn milliseconds(before: Instant) -> f64 {
    before.elapsed().as_secs_f64() * 1000.0
}

fn product(number: usize) -> Outcome<ProductRow> {
    let word = |by: usize| WORDS[(number / by) % WORDS.len()];
    let title = format!("{} {} {} {}", word(1), word(24), word(577), number % 997);
    Ok(ProductRow {
        id: ProductId::try_from(format!("p{number}")).map_err(|error| error.to_string())?,
        sku: Text::cut(&format!("SKU-{number:05}")),
        title: Text::cut(&title),
        categories: Text::cut(word(7)),
        about: Text::cut("A fine thing, made by hand"),
        price: Some(Price {
            minor: number as u64 % 10_000,
            currency: "EUR".to_owned(),
            digits: 2,
            was_minor: None,
        }),
        buyable: true,
        left: None,
        link: Text::cut("https://shop.example/product"),
        image: Text::cut("https://shop.example/product.jpg"),
    })
}

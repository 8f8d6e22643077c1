//! The catalogue: what a search finds, what a refresh takes away, what the show keeps.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::time::Instant;

use protocol::{Offer, Price, ProductId, ShopId, ShopUrl, ShowProduct, Stock, Text};
use store::{Catalogue, Chosen, ProductRow, Store};

async fn fresh(folder: &tempfile::TempDir) -> (Store, Catalogue) {
    let store = Store::open(folder.path()).await.expect("a fresh database");
    let catalogue = store.catalogue().await.expect("its catalogue");
    (store, catalogue)
}

fn product(id: &str, title: &str) -> ProductRow {
    ProductRow {
        id: ProductId::try_from(id).unwrap(),
        sku: Text::default(),
        title: Text::cut(title),
        categories: Text::default(),
        about: Text::default(),
        price: Some(Price {
            minor: 3230,
            currency: "EUR".to_owned(),
            digits: 2,
            was_minor: Some(3800),
        }),
        buyable: true,
        left: None,
        link: Text::cut("https://shop.example/p"),
        image: Text::default(),
    }
}

async fn titles(catalogue: &Catalogue, words: &str) -> Vec<String> {
    let found = catalogue.search(words, 0, 100).await.expect("a search answers");
    found
        .products
        .iter()
        .map(|p| p.title.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn a_search_finds_words_by_their_beginning_and_without_accents() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, catalogue) = fresh(&folder).await;
    let mut hoodie = product("2", "Moth hoodie");
    hoodie.sku = Text::cut("HD-2041/XL");
    hoodie.categories = Text::cut("Vêtements, Été");
    let rows = [
        product("1", "Crème brûlée à l’orange"),
        hoodie,
        product("3", "Noctürne LP"),
    ];
    catalogue.keep_products(None, &rows, 1).await.unwrap();
    for (words, title) in [
        ("creme bru", "Crème brûlée à l’orange"),
        ("BRÛLÉE", "Crème brûlée à l’orange"),
        ("l'orange", "Crème brûlée à l’orange"),
        ("hd-20", "Moth hoodie"),
        ("2041/xl", "Moth hoodie"),
        ("hood ete", "Moth hoodie"),
        ("nocturne", "Noctürne LP"),
        ("nocturne", "Noctürne LP"),
    ] {
        assert_eq!(titles(&catalogue, words).await, [title], "{words:?}");
    }
    assert!(
        titles(&catalogue, "moth lp").await.is_empty(),
        "every word must be there"
    );
    assert_eq!(titles(&catalogue, "").await.len(), 3, "no word finds all");
    assert_eq!(
        titles(&catalogue, "").await[0],
        "Crème brûlée à l’orange",
        "by title"
    );
}

#[tokio::test]
async fn what_a_person_types_is_never_an_operator() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, catalogue) = fresh(&folder).await;
    catalogue
        .keep_products(None, &[product("1", "Rock OR roll")], 1)
        .await
        .unwrap();
    for hostile in [
        "\"",
        "*",
        "rock AND",
        "NOT rock",
        "title:rock",
        "NEAR(a b)",
        "^rock",
        "rock\0",
        "a\"b\"*",
        "{",
        "-rock",
        "(((",
        "'; DROP TABLE products; --",
        "🙂",
        "\u{301}",
        "rock + roll",
    ] {
        catalogue
            .search(hostile, 0, 10)
            .await
            .unwrap_or_else(|e| panic!("{hostile:?} broke the search: {e}"));
    }
    assert_eq!(
        titles(&catalogue, "rock or").await.len(),
        1,
        "or is a word like any other"
    );
    assert!(titles(&catalogue, "rock OR metal").await.is_empty());
}

#[tokio::test]
async fn the_index_follows_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, catalogue) = fresh(&folder).await;
    catalogue
        .keep_products(None, &[product("1", "Old name")], 1)
        .await
        .unwrap();
    catalogue
        .keep_products(None, &[product("1", "Fresh name")], 2)
        .await
        .unwrap();
    assert!(titles(&catalogue, "old").await.is_empty());
    assert_eq!(titles(&catalogue, "fresh").await, ["Fresh name"]);
    catalogue
        .remove_product(&ProductId::try_from("1").unwrap())
        .await
        .unwrap();
    assert!(titles(&catalogue, "fresh").await.is_empty());
}

#[tokio::test]
async fn a_whole_reading_takes_away_what_the_shop_no_longer_has() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, catalogue) = fresh(&folder).await;
    let shop = ShopId::try_from("s").unwrap();
    let url = ShopUrl::try_from("https://shop.example".to_owned()).unwrap();
    catalogue.keep_shop(&shop, &url).await.unwrap();
    catalogue
        .keep_products(None, &[product("own", "Own")], 1)
        .await
        .unwrap();
    let rows = [
        product("s-1", "Stays"),
        product("s-2", "Goes"),
        product("s-3", "Chosen"),
    ];
    catalogue.keep_products(Some(&shop), &rows, 10).await.unwrap();
    let shown = catalogue.product(&rows[2].id).await.unwrap().unwrap();
    catalogue.keep_chosen(&chosen(vec![shown])).await.unwrap();

    catalogue
        .keep_products(Some(&shop), &rows[..1], 20)
        .await
        .unwrap();
    catalogue.shop_was_read(&shop, 20, false).await.unwrap();
    assert_eq!(
        titles(&catalogue, "").await.len(),
        4,
        "a reading of changes takes nothing away"
    );
    catalogue.shop_was_read(&shop, 20, true).await.unwrap();
    assert_eq!(titles(&catalogue, "").await, ["Chosen", "Own", "Stays"]);
    let gone = &catalogue.chosen().await.unwrap().products[0].product;
    assert_eq!(
        gone.stock,
        Stock::SoldOut,
        "the show keeps what it chose, as sold out"
    );
    let known = &catalogue.shops().await.unwrap()[0];
    assert_eq!(
        (known.fresh_ms, known.whole_ms, known.products),
        (Some(20), Some(20), 2)
    );

    catalogue.remove_shop(&shop).await.unwrap();
    assert_eq!(titles(&catalogue, "").await, ["Own"]);
    assert!(catalogue.chosen().await.unwrap().products.is_empty());
}

#[tokio::test]
async fn a_file_that_is_read_again_changes_what_it_made() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, catalogue) = fresh(&folder).await;
    let mut numbered = product("a", "Mug");
    numbered.sku = Text::cut("M-1");
    let kept = catalogue
        .import(&[numbered.clone(), product("b", "Pin")], 1)
        .await
        .unwrap();
    assert_eq!((kept.added, kept.changed), (2, 0));
    numbered.id = ProductId::try_from("c").unwrap();
    numbered.title = Text::cut("Better mug");
    let kept = catalogue
        .import(&[numbered, product("d", "Pin")], 2)
        .await
        .unwrap();
    assert_eq!((kept.added, kept.changed), (0, 2));
    assert_eq!(titles(&catalogue, "").await, ["Better mug", "Pin"]);
}

#[tokio::test]
async fn the_shows_choice_outlives_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let (store, catalogue) = fresh(&folder).await;
    let rows = [product("1", "One"), product("2", "Two")];
    catalogue.keep_products(None, &rows, 1).await.unwrap();
    let mut products = Vec::new();
    for row in rows.iter().rev() {
        products.push(catalogue.product(&row.id).await.unwrap().unwrap());
    }
    let mut wanted = chosen(products);
    wanted.products[0].offer = Offer {
        note: Text::cut("Double vinyl"),
        promo_code: Text::cut("LIVE15"),
        ends_at_ms: Some(99),
    };
    wanted.products[0].counting_since_ms = Some(9);
    wanted.featured = vec![rows[0].id.clone(), rows[1].id.clone()];
    catalogue.keep_chosen(&wanted).await.unwrap();
    store.close().await;
    let (_store, catalogue) = fresh(&folder).await;
    assert_eq!(catalogue.chosen().await.unwrap(), wanted);
}

#[tokio::test]
async fn fifty_thousand_products_are_searched_while_a_refresh_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, catalogue) = fresh(&folder).await;
    let words = [
        "moth", "night", "stage", "tour", "signed", "vinyl", "poster", "enamel", "cap", "tote",
    ];
    let rows: Vec<ProductRow> = (0..50_000)
        .map(|n: usize| {
            let word = |by: usize| words[(n / by) % 10];
            let mut row = product(&format!("p{n}"), &format!("{} {} {n}", word(1), word(10)));
            row.sku = Text::cut(&format!("SKU-{n:05}"));
            row
        })
        .collect();
    catalogue.keep_products(None, &rows, 1).await.unwrap();
    let writing = tokio::spawn({
        let (catalogue, rows) = (catalogue.clone(), rows[..20_000].to_vec());
        async move { catalogue.keep_products(None, &rows, 2).await }
    });
    let before = Instant::now();
    let found = catalogue.search("vin sign", 0, 20).await.unwrap();
    assert_eq!((found.products.len(), found.count), (20, 1000));
    assert_eq!(titles(&catalogue, "SKU-31337").await.len(), 1);
    // The figure stands in the benchmark; here a search must only not wait for the writer.
    assert!(
        !writing.is_finished(),
        "the searches were to run beside the refresh"
    );
    assert!(
        before.elapsed().as_secs() < 5,
        "a search waited for the refresh: {:?}",
        before.elapsed()
    );
    writing.await.unwrap().unwrap();
}

fn chosen(products: Vec<protocol::Product>) -> Chosen {
    let products = products.into_iter().map(|product| ShowProduct {
        product,
        offer: Offer::default(),
        counting_since_ms: None,
    });
    Chosen {
        products: products.collect(),
        featured: Vec::new(),
    }
}

//! Products: from a shop to what viewers are offered.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;
#[path = "../../audience/tests/shop/mod.rs"]
mod shop;

use std::path::Path;

use common::{Desk, Engine, command};
use protocol::{
    Command, ErrorCode, Offer, Product, ProductDraft, ProductId, Reply, ShopKeys, ShopPhase, State, Stock,
    Text,
};
use shop::{FakeShop, KEY, SECRET, product};

/// A shop on a thread of its own, for tests that wait by blocking.
fn open_shop(products: Vec<serde_json::Value>) -> FakeShop {
    let (opened, shop) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            opened.send(FakeShop::open(products).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    shop.recv().unwrap()
}

fn keys() -> ShopKeys {
    ShopKeys {
        consumer_key: KEY.to_owned(),
        consumer_secret: SECRET.to_owned(),
    }
}

fn connect(desk: &mut Desk, shop: &FakeShop) {
    desk.done(Command::AddShop {
        url: shop.url(),
        keys: keys(),
    });
    desk.until("the shop was read", was_read);
}

fn was_read(state: &State) -> bool {
    let idle = |shop: &protocol::Shop| {
        shop.phase == ShopPhase::Idle && (shop.fresh_at_ms.is_some() || shop.error.is_some())
    };
    state.shops.iter().all(idle)
}

fn search(desk: &mut Desk, words: &str) -> Vec<Product> {
    let asked = Command::SearchProducts {
        words: Text::cut(words),
        offset: 0,
        limit: 50,
    };
    match desk.done(asked) {
        Reply::Products { products, .. } => products,
        other => panic!("{other:?} is no answer to a search"),
    }
}

fn choose(desk: &mut Desk, words: &str) -> ProductId {
    let id = search(desk, words).remove(0).id;
    desk.done(Command::ChooseProduct { product: id.clone() });
    id
}

fn titles(state: &State) -> Vec<&str> {
    state
        .products
        .chosen
        .iter()
        .map(|chosen| chosen.product.title.as_str())
        .collect()
}

#[test]
fn a_shops_products_are_chosen_offered_and_sell_out_by_themselves() {
    let data = tempfile::tempdir().unwrap();
    let things: Vec<_> = (3..=250)
        .map(|id| product(id, &format!("Thing {id}"), "1.00", None))
        .collect();
    let mut products = vec![
        product(1, "Nocturne LP", "32.30", Some(18)),
        product(2, "Moth hoodie", "54", Some(0)),
    ];
    products.extend(things);
    let shop = open_shop(products);
    let mut engine = Engine::start_by(command(data.path(), &[]).env("STUDIO_LOG", "trace"));
    let mut desk = engine.desk();
    connect(&mut desk, &shop);
    assert_eq!(
        (desk.state.shops[0].products, desk.state.products.catalogue),
        (250, 250)
    );
    assert_eq!(desk.state.shops[0].error, None);

    let lp = choose(&mut desk, "noct");
    let hoodie = choose(&mut desk, "moth hood");
    let thing = choose(&mut desk, "thing 33");
    assert_eq!(titles(&desk.state), ["Nocturne LP", "Moth hoodie", "Thing 33"]);
    assert_eq!(
        desk.state.products.chosen[0].product.stock,
        Stock::Low { left: 18 }
    );
    assert_eq!(
        desk.state.products.chosen[0].offer.note.as_str(),
        "A fine thing",
        "the shop's line is the first note"
    );
    desk.done(Command::MoveProduct {
        product: thing.clone(),
        to: 0,
    });
    let offer = Offer {
        note: Text::cut("Double vinyl"),
        promo_code: Text::cut("LIVE15"),
        ends_at_ms: Some(4_000),
    };
    desk.done(Command::SetOffer {
        product: lp.clone(),
        offer: offer.clone(),
    });
    assert_eq!(desk.state.products.chosen[1].offer, offer);
    assert!(desk.state.products.chosen[1].counting_since_ms.is_some());

    let sold_out = desk
        .ask(Command::FeatureProducts {
            products: vec![hoodie],
        })
        .unwrap_err();
    assert_eq!(
        (sold_out.code, sold_out.params["title"].as_str()),
        (ErrorCode::ProductSoldOut, "Moth hoodie")
    );
    let four = vec![lp.clone(), thing.clone(), lp.clone(), thing.clone()];
    let many = desk.ask(Command::FeatureProducts { products: four }).unwrap_err();
    assert_eq!(many.code, ErrorCode::LimitReached);
    desk.done(Command::FeatureProducts {
        products: vec![lp.clone(), thing.clone()],
    });
    assert_eq!(desk.state.products.featured, [lp.clone(), thing.clone()]);

    // On air the shop is asked at once, and then every thirty seconds: one question for all.
    shop.manners().products[0] = product(1, "Nocturne LP", "29.90", Some(0));
    shop.manners().requests.clear();
    desk.clear_destinations();
    desk.add_room("show");
    desk.done(Command::GoLive);
    desk.until("sold out", |state| {
        state.products.chosen[1].product.stock == Stock::SoldOut
    });
    assert_eq!(
        desk.state.products.chosen[1]
            .product
            .price
            .as_ref()
            .unwrap()
            .minor,
        2990
    );
    assert_eq!(
        desk.state.products.featured,
        [lp.clone(), thing],
        "what viewers look at stays, and says so"
    );
    assert_eq!(shop.asked(), 1, "{:?}", shop.manners().requests);
    desk.end();

    let state = serde_json::to_string(&desk.state).unwrap();
    engine.process.terminate().unwrap();
    engine
        .process
        .wait_exit(std::time::Duration::from_secs(30))
        .unwrap();
    let log = engine.process.output();
    assert!(log.contains("TRACE"), "the log is listened to");
    for text in [state, log] {
        let at = text
            .lines()
            .find(|line| line.contains(SECRET) || line.contains(KEY));
        assert_eq!(at, None, "keys stand where they must not");
    }
    no_file_holds(data.path(), SECRET);

    // Without the shop everything is there, and its absence is said.
    drop(shop);
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    assert_eq!(titles(&desk.state), ["Thing 33", "Nocturne LP", "Moth hoodie"]);
    assert_eq!(desk.state.products.featured.len(), 2);
    assert_eq!(search(&mut desk, "thing 24").len(), 11);
    let id = desk.state.shops[0].id.clone();
    desk.done(Command::RemoveShop { shop: id });
    desk.until("its products are gone", |state| {
        state.products.catalogue == 0 && state.products.chosen.is_empty()
    });
}

#[test]
fn what_is_wrong_with_a_shop_is_said_and_keys_can_be_mended() {
    let data = tempfile::tempdir().unwrap();
    let shop = open_shop(vec![product(1, "Mug", "1", None)]);
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let open = desk.ask(Command::AddShop {
        url: "http://shop.example".into(),
        keys: keys(),
    });
    assert_eq!(
        open.unwrap_err().code,
        ErrorCode::ShopAddressInvalid,
        "keys never travel in the open"
    );
    let wrong = ShopKeys {
        consumer_secret: "cs_wrong".into(),
        ..keys()
    };
    desk.done(Command::AddShop {
        url: shop.url(),
        keys: wrong,
    });
    desk.until("the keys are refused", |state| state.shops[0].error.is_some());
    let error = desk.state.shops[0].error.clone().unwrap();
    assert_eq!(
        (error.code, error.params["host"].as_str()),
        (ErrorCode::ShopKeyRefused, shop.address.to_string().as_str())
    );
    let id = desk.state.shops[0].id.clone();
    desk.done(Command::ChangeShop {
        shop: id,
        url: shop.url(),
        keys: Some(keys()),
    });
    desk.until("the shop was read", |state| {
        state.shops[0].products == 1 && state.shops[0].error.is_none()
    });
    let product = choose(&mut desk, "mug");
    let refused = desk.ask(Command::RemoveProduct { product }).unwrap_err();
    assert_eq!(
        refused.code,
        ErrorCode::ProductOfShop,
        "a shop's product is changed in the shop"
    );
}

#[test]
fn files_and_hands_make_products_too() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let file = data.path().join("produits.csv");
    std::fs::write(
        &file,
        "\u{feff}Titre;Prix;Devise;Stock\r\nThéière;12,90;EUR;3\r\nTasse;gratuit;EUR;\r\n",
    )
    .unwrap();
    let import = |desk: &mut Desk, leave_out_wrong| {
        let path = file.display().to_string();
        match desk.done(Command::ImportProducts {
            path,
            leave_out_wrong,
        }) {
            Reply::Imported(imported) => imported,
            other => panic!("{other:?} is no answer to an import"),
        }
    };
    let refused = import(&mut desk, false);
    assert_eq!((refused.added, refused.wrong), (0, 1));
    assert_eq!(
        (
            refused.wrong_lines[0].line,
            refused.wrong_lines[0].column.as_str()
        ),
        (3, "Prix")
    );
    assert_eq!(
        desk.state.products.catalogue, 0,
        "nothing is taken of a file that is wrong somewhere"
    );
    assert_eq!(import(&mut desk, true).added, 1);
    assert_eq!(import(&mut desk, true).changed, 1);
    assert_eq!(
        desk.state.products.catalogue, 1,
        "the event comes before the answer"
    );
    let gone = desk.ask(Command::ImportProducts {
        path: "/nowhere.csv".into(),
        leave_out_wrong: false,
    });
    assert_eq!(gone.unwrap_err().code, ErrorCode::FileMissing);

    let mut draft = ProductDraft {
        title: Text::cut("Moon pin"),
        sku: Text::default(),
        price: None,
        left: Some(140),
        link: Text::cut("https://shop.example/pin"),
        image: Text::default(),
    };
    let Reply::Product { id } = desk.done(Command::AddProduct { draft: draft.clone() }) else {
        panic!("a product was made")
    };
    desk.done(Command::ChooseProduct { product: id.clone() });
    draft.left = Some(0);
    desk.done(Command::ChangeProduct {
        product: id.clone(),
        draft: draft.clone(),
    });
    assert_eq!(desk.state.products.chosen[0].product.stock, Stock::SoldOut);
    draft.link = Text::cut("javascript:alert(1)");
    let product = id.clone();
    assert_eq!(
        desk.ask(Command::ChangeProduct { product, draft })
            .unwrap_err()
            .code,
        ErrorCode::BadValue
    );
    assert_eq!(search(&mut desk, "theiere").len(), 1);
    desk.done(Command::RemoveProduct { product: id });
    assert!(desk.state.products.chosen.is_empty());
    assert_eq!(desk.state.products.catalogue, 1);
}

fn no_file_holds(folder: &Path, secret: &str) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            no_file_holds(&path, secret);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let holds = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!holds, "{} holds the secret", path.display());
    }
}

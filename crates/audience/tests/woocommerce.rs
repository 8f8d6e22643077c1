//! The client against a shop that answers by the contract, and against all that shops do instead.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

mod shop;

use std::time::{Duration, Instant};

use audience::woocommerce::{Client, Options, ShopError};
use protocol::{ErrorCode, ShopUrl};
use secrecy::SecretString;
use shop::{FakeShop, KEY, SECRET, Trouble, product};

fn quick() -> Options {
    Options {
        connect: Duration::from_secs(5),
        answer: Duration::from_millis(700),
        tries: 4,
        first_wait: Duration::from_millis(20),
        most_wait: Duration::from_secs(5),
    }
}

fn client_with(shop: &FakeShop, keys: &str) -> Client {
    let url = ShopUrl::try_from(shop.url()).unwrap();
    Client::new(url, SecretString::from(keys.to_owned()), quick()).unwrap()
}

fn client(shop: &FakeShop) -> Client {
    client_with(shop, &format!("{KEY}:{SECRET}"))
}

async fn some_shop() -> FakeShop {
    FakeShop::open(vec![
        product(1, "Mug", "12.90", Some(4)),
        product(2, "Pin &amp; card", "8", None),
    ])
    .await
}

#[tokio::test]
async fn products_come_with_price_stock_and_plain_text() {
    let shop = some_shop().await;
    let page = client(&shop).page(1, None).await.unwrap();
    assert_eq!((page.products.len(), page.more, page.total), (2, false, Some(2)));
    let mug = &page.products[0].product;
    let price = mug.price.as_ref().unwrap();
    assert_eq!(
        (price.minor, price.currency.as_str(), price.digits),
        (1290, "EUR", 2)
    );
    assert_eq!(
        (mug.left, mug.about.as_str(), mug.categories.as_str()),
        (Some(4), "A fine thing", "Things")
    );
    assert_eq!(page.products[1].product.title.as_str(), "Pin & card");
    assert!(
        shop.manners()
            .requests
            .iter()
            .all(|asked| !asked.contains(SECRET)),
        "the header carries the keys"
    );
}

#[tokio::test]
async fn twenty_thousand_products_are_read_page_by_page() {
    let products: Vec<_> = (1..=20_000)
        .map(|id| product(id, &format!("Thing {id}"), "1.00", None))
        .collect();
    for no_totals in [false, true] {
        let shop = FakeShop::open(products.clone()).await;
        shop.manners().no_totals = no_totals;
        let client = client(&shop);
        let (mut numbers, mut page) = (Vec::new(), 1);
        loop {
            let answer = client.page(page, None).await.unwrap();
            numbers.extend(answer.products.iter().map(|listed| listed.number));
            if !answer.more {
                break;
            }
            page += 1;
        }
        assert_eq!(numbers, (1..=20_000).collect::<Vec<_>>(), "each once, in order");
        let pages = 200 + usize::from(no_totals);
        assert_eq!(shop.asked(), pages + 1, "and one question for the currency");
    }
}

#[tokio::test]
async fn a_few_products_are_asked_for_in_one_question() {
    let shop = FakeShop::open((1..=150).map(|id| product(id, "Thing", "1", Some(0))).collect()).await;
    let client = client(&shop);
    let listed = client.some(&[7, 9, 999]).await.unwrap();
    assert_eq!(
        listed.iter().map(|l| l.number).collect::<Vec<_>>(),
        [7, 9],
        "what is gone is not in the answer"
    );
    assert!(!listed[0].product.buyable);
    let asked = shop.asked();
    client.some(&(1..=100).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(shop.asked(), asked + 1);
}

#[tokio::test]
async fn wrong_keys_and_keys_without_permission_are_told_apart() {
    let shop = some_shop().await;
    let error = client_with(&shop, "ck_wrong:cs_wrong")
        .page(1, None)
        .await
        .unwrap_err();
    assert!(matches!(error, ShopError::KeyRefused { .. }), "{error}");
    assert_eq!(
        shop.asked(),
        1,
        "keys that were seen are not said again in an address"
    );
    shop.manners().write_only = true;
    let error = client(&shop).page(1, None).await.unwrap_err();
    assert!(matches!(error, ShopError::ReadDenied { .. }), "{error}");
}

#[tokio::test]
async fn a_host_that_strips_the_header_gets_the_keys_in_the_address() {
    let shop = some_shop().await;
    shop.manners().strips_header = true;
    let client = client(&shop);
    assert_eq!(client.page(1, None).await.unwrap().products.len(), 2);
    let asked = shop.asked();
    client.page(1, None).await.unwrap();
    assert_eq!(shop.asked(), asked + 1, "the manner is remembered");
    let error = client_with(&shop, "ck_wrong:cs_wrong")
        .page(1, None)
        .await
        .unwrap_err();
    assert!(matches!(error, ShopError::KeyRefused { .. }), "{error}");
}

#[tokio::test]
async fn a_shop_without_pretty_permalinks_is_asked_its_way() {
    let shop = some_shop().await;
    {
        let mut manners = shop.manners();
        (manners.plain_permalinks, manners.strips_header) = (true, true);
    }
    assert_eq!(client(&shop).page(1, None).await.unwrap().products.len(), 2);
}

#[tokio::test]
async fn a_site_without_woocommerce_is_named() {
    let shop = some_shop().await;
    shop.manners().no_woocommerce = true;
    let error = client(&shop).page(1, None).await.unwrap_err();
    assert!(matches!(error, ShopError::ApiMissing { .. }), "{error}");
    assert_eq!(error.user_error().code, ErrorCode::ShopApiMissing);
}

#[tokio::test]
async fn a_shop_that_asks_for_patience_gets_it() {
    let shop = some_shop().await;
    let client = client(&shop);
    client.page(1, None).await.unwrap();
    let answers = [
        Trouble::Limited { retry_after: "1" },
        Trouble::Status(500, "internal_server_error"),
        Trouble::Status(503, "maintenance"),
    ];
    shop.manners().troubles.extend(answers);
    let before = Instant::now();
    client.page(1, None).await.unwrap();
    assert!(
        before.elapsed() >= Duration::from_secs(1),
        "Retry-After was not kept"
    );

    shop.manners()
        .troubles
        .extend(vec![Trouble::Status(500, "broken"); 4]);
    let asked = shop.asked();
    let error = client.page(1, None).await.unwrap_err();
    assert!(matches!(error, ShopError::Busy { status: 500, .. }), "{error}");
    assert_eq!(shop.asked(), asked + 4, "and not for ever");
    shop.manners().troubles.clear();
}

#[tokio::test]
async fn slow_and_cut_answers_are_asked_for_again() {
    let shop = some_shop().await;
    let client = client(&shop);
    client.page(1, None).await.unwrap();
    let slow = Trouble::Slow(Duration::from_secs(3));
    shop.manners().troubles.extend([
        slow.clone(),
        Trouble::Cut,
        Trouble::Body("[{\"id\":1,\"name\":\"cut"),
    ]);
    assert_eq!(client.page(1, None).await.unwrap().products.len(), 2);
    shop.manners().troubles.extend(vec![slow; 4]);
    let error = client.page(1, None).await.unwrap_err();
    assert!(matches!(error, ShopError::Unreachable { .. }), "{error}");
    shop.manners().troubles.clear();
    shop.manners().troubles.extend(vec![Trouble::Cut; 4]);
    let error = client.page(1, None).await.unwrap_err();
    assert_eq!(
        error.user_error().code,
        ErrorCode::ShopAnswerUnreadable,
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_answer_is_said_and_not_asked_for_again() {
    let shop = some_shop().await;
    let client = client(&shop);
    client.page(1, None).await.unwrap();
    for body in [
        "<html>Checking your browser</html>",
        "{\"products\":[]}",
        "[1,2]",
        "null",
        "",
    ] {
        shop.manners().troubles.push_back(Trouble::Body(body));
        let asked = shop.asked();
        let error = client.page(1, None).await.unwrap_err();
        assert!(
            matches!(error, ShopError::Unreadable { passing: false, .. }),
            "{body:?}: {error}"
        );
        assert_eq!(shop.asked(), asked + 1, "{body:?}");
    }
}

#[tokio::test]
async fn keys_do_not_follow_a_shop_that_has_moved() {
    let shop = some_shop().await;
    let to = "https://elsewhere.example/wp-json/?consumer_secret=x";
    shop.manners().troubles.push_back(Trouble::Moved(to));
    let error = client(&shop).page(1, None).await.unwrap_err().user_error();
    assert_eq!(
        (error.code, error.params["to"].as_str()),
        (ErrorCode::ShopMoved, "https://elsewhere.example")
    );
}

#[tokio::test]
async fn nobody_at_the_address_is_said_so() {
    let shop = some_shop().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = ShopUrl::try_from(format!("http://{closed}")).unwrap();
    let error = Client::new(url, SecretString::from("a:b"), quick())
        .unwrap()
        .page(1, None)
        .await
        .unwrap_err();
    assert_eq!(error.user_error().code, ErrorCode::ShopUnreachable);
    // A server that speaks no TLS where TLS belongs.
    let url = ShopUrl::try_from(format!("https://{}", shop.address)).unwrap();
    let error = Client::new(url, SecretString::from("a:b"), quick())
        .unwrap()
        .page(1, None)
        .await
        .unwrap_err();
    assert_eq!(error.user_error().code, ErrorCode::ShopUnreachable, "{error:?}");
}

//! The consumer secret stands in no error and no log. A process of its own: the log of a test is that of its process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail as tests do"
)]

mod shop;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audience::woocommerce::{Client, Options};
use protocol::ShopUrl;
use secrecy::SecretString;
use shop::{FakeShop, KEY, SECRET, Trouble, product};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_secret_stands_in_no_error_and_no_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let shop = FakeShop::open(vec![product(1, "Mug", "12.90", Some(4))]).await;
    shop.manners().strips_header = true;
    let options = Options {
        answer: Duration::from_millis(700),
        first_wait: Duration::from_millis(20),
        ..Options::default()
    };
    let keys = SecretString::from(format!("{KEY}:{SECRET}"));
    let client = Client::new(ShopUrl::try_from(shop.url()).unwrap(), keys, options).unwrap();
    client.page(1, None).await.unwrap();
    let troubles = [
        vec![Trouble::Status(500, "x"); 4],
        vec![Trouble::Cut; 4],
        vec![Trouble::Slow(Duration::from_secs(2)); 4],
        vec![Trouble::Body("{")],
    ];
    let mut said = format!("{client:?}");
    for trouble in troubles {
        shop.manners().troubles.extend(trouble);
        let error = client.page(1, None).await.unwrap_err();
        said += &format!("{error} {error:?} {:?}", error.user_error());
        shop.manners().troubles.clear();
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("asked again"), "the log is listened to");
    assert!(
        shop.manners().requests.iter().any(|asked| asked.contains(SECRET)),
        "the keys were in the address"
    );
    for text in [said, log] {
        assert!(!text.contains(SECRET) && !text.contains("canary"), "{text}");
    }
}

//! The show's products in the room: from the host's hand to the viewers, and from a moderator's back to the desk.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;
#[path = "common/talker.rs"]
mod talker;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use common::{Desk, Engine};
use protocol::{Command, Offer, Price, ProductDraft, ProductId, Reply, Text};
use serde_json::{Value, json};
use talker::{Talker, rooms_of};

fn draft(title: &str, left: Option<u32>, image: &str) -> ProductDraft {
    ProductDraft {
        title: Text::cut(title),
        sku: Text::default(),
        price: Some(
            serde_json::from_value::<Price>(
                json!({ "minor": 3230, "currency": "EUR", "digits": 2, "was_minor": 3800 }),
            )
            .unwrap(),
        ),
        left,
        link: Text::cut("https://shop.example/lp?colour=red"),
        image: Text::cut(image),
    }
}

fn add(desk: &mut Desk, draft: ProductDraft) -> ProductId {
    let words = draft.title.as_str().to_owned();
    desk.done(Command::AddProduct { draft });
    let asked = Command::SearchProducts {
        words: Text::cut(&words),
        offset: 0,
        limit: 1,
    };
    let Reply::Products { products, .. } = desk.done(asked) else {
        panic!("a search is answered with products");
    };
    let id = products.first().expect("the product was added").id.clone();
    desk.done(Command::ChooseProduct { product: id.clone() });
    id
}

/// A viewer who hears one event after the other, however many come at once.
struct Viewer {
    talker: Talker,
    waiting: VecDeque<Value>,
}

impl Viewer {
    fn at(rooms: &str) -> (Self, Value) {
        let mut talker = Talker::at(rooms, "studio");
        let welcome = talker.greet(None);
        let waiting = VecDeque::new();
        (Self { talker, waiting }, welcome)
    }

    /// The next event of this kind that is right; those before it are passed over.
    fn hear(&mut self, kind: &str, right: impl Fn(&Value) -> bool) -> Value {
        loop {
            while let Some(event) = self.waiting.pop_front() {
                if event["kind"] == kind && right(&event) {
                    return event;
                }
            }
            let message = self.talker.hear("events");
            self.waiting
                .extend(message["events"].as_array().unwrap().iter().cloned());
        }
    }
}

#[test]
fn what_the_host_features_stands_beside_the_picture() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let (mut viewer, _) = Viewer::at(&rooms_of(&engine));
    let lp = add(&mut desk, draft("Nocturne LP", Some(18), ""));
    viewer.hear("listed", |event| event["products"][0]["title"] == "Nocturne LP");
    let pin = add(&mut desk, draft("Moon pin", None, ""));
    let listed = viewer.hear("listed", |event| event["products"][1]["title"] == "Moon pin");
    let first = &listed["products"][0];
    assert_eq!(first["stock"], json!({ "is": "low", "left": 18 }));
    assert_eq!(first["price"]["minor"], 3230);
    assert_eq!(first["price"]["was_minor"], 3800);
    let link = first["link"].as_str().unwrap();
    assert!(
        link.starts_with("https://shop.example/lp?colour=red&") && link.contains("utm_campaign=studio"),
        "the show stands in the link: {link}"
    );

    let mut waits = Vec::new();
    for featured in [&lp, &pin, &lp, &pin, &lp] {
        let began = Instant::now();
        desk.done(Command::FeatureProducts {
            products: vec![featured.clone()],
        });
        viewer.hear("featured", |event| event["products"] == json!([featured]));
        waits.push(began.elapsed());
    }
    println!("featured on the desk to heard by a viewer: {waits:?}");

    desk.done(Command::SetOffer {
        product: lp.clone(),
        offer: Offer {
            note: Text::cut("Double vinyl"),
            promo_code: Text::cut("LIVE15"),
            ends_at_ms: None,
        },
    });
    let changed = viewer.hear("product_changed", |_| true);
    assert_eq!(changed["product"]["promo_code"], "LIVE15");
    desk.done(Command::ChangeProduct {
        product: lp.clone(),
        draft: draft("Nocturne LP", Some(0), ""),
    });
    let sold = viewer.hear("product_changed", |_| true);
    assert_eq!(sold["product"]["stock"], json!({ "is": "sold_out" }));

    // A moderator takes it off in the room, and the desk sees that it is off.
    let mut host = Talker::at(&engine.address, "studio");
    host.greet(Some(&engine.token));
    host.say(&json!({ "type": "moderate", "id": 1, "act": { "do": "feature", "products": [pin] } }));
    assert_eq!(host.hear("done")["result"], "acted");
    desk.until("the desk follows the room", |state| {
        state.products.featured == [pin.clone()]
    });
    // What is sold out is not featured again: the show's own choice comes back.
    host.say(&json!({ "type": "moderate", "id": 2, "act": { "do": "feature", "products": [lp] } }));
    assert_eq!(host.hear("done")["result"], "acted");
    viewer.hear("featured", |event| event["products"] == json!([lp]));
    viewer.hear("featured", |event| event["products"] == json!([pin]));
    assert!(desk.state.products.featured.iter().eq([&pin]));

    // After a crash viewers still see it, and the host can take it off.
    engine.process.kill();
    let again = Engine::start(data.path());
    let mut desk = again.desk();
    let (mut viewer, welcome) = Viewer::at(&rooms_of(&again));
    assert_eq!(welcome["snapshot"]["featured"], json!([pin]));
    desk.done(Command::FeatureProducts { products: Vec::new() });
    viewer.hear("featured", |event| event["products"] == json!([]));
}

/// A server that gives one picture to whoever asks.
fn picture_server(picture: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut asked = [0; 2048];
            let _ = stream.read(&mut asked).unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                picture.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&picture).unwrap();
        }
    });
    format!("http://{address}/lp.png")
}

#[test]
fn pictures_come_to_viewers_from_the_room_and_not_from_the_shop() {
    /// One red pixel.
    const PNG: &[u8] = &[
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0,
        0, 0, 1, 8, 2, 0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 0x0c, b'I', b'D', b'A', b'T', 8, 0xd7, 0x63,
        0xf8, 0xcf, 0xc0, 0, 0, 3, 1, 1, 0, 0x18, 0xdd, 0x8d, 0xb0, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae,
        0x42, 0x60, 0x82,
    ];
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let rooms = rooms_of(&engine);
    let (mut viewer, _) = Viewer::at(&rooms);
    let address = picture_server(PNG.to_vec());
    add(&mut desk, draft("Nocturne LP", None, &address));
    let changed = viewer.hear("product_changed", |event| event["product"]["image"].is_string());
    let image = changed["product"]["image"].as_str().unwrap();
    assert!(
        !changed.to_string().contains(&address),
        "viewers do not meet the shop"
    );
    let host = rooms.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(
        stream,
        "GET /rooms/studio/images/{image} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(PNG), "the picture itself");
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    assert!(head.contains("content-type: image/png") && head.contains("immutable"));
}

//! What lies over the picture: on air, on disk, on the page for other programs, and after a restart.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command as Program;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{Desk, Engine, PATIENCE};
use protocol::{
    Colour, Command, ErrorCode, Overlay, OverlayKind, OverlayLook, Price, ProductDraft, ProductId, Reply,
    SourceSettings, Text,
};
use testkit::probe::probe;
use tokio_tungstenite::tungstenite::{Message, connect};

const GREY: Colour = Colour {
    red: 0x40,
    green: 0x40,
    blue: 0x40,
    alpha: 0xff,
};

/// Colours that no compression mistakes for each other.
fn look() -> OverlayLook {
    let colour = |red, green, blue| Colour {
        red,
        green,
        blue,
        alpha: 0xff,
    };
    OverlayLook {
        back: colour(0, 0, 0xc0),
        words: colour(0xff, 0xff, 0xff),
        accent: colour(0, 0xff, 0),
        ..OverlayLook::default()
    }
}

fn own_product(desk: &mut Desk, title: &str) -> ProductId {
    let draft = ProductDraft {
        title: Text::cut(title),
        sku: Text::default(),
        price: Some(Price {
            minor: 3230,
            currency: "EUR".to_owned(),
            digits: 2,
            was_minor: Some(3800),
        }),
        left: Some(3),
        link: Text::default(),
        image: Text::default(),
    };
    let Reply::Product { id } = desk.done(Command::AddProduct { draft }) else {
        panic!("no product");
    };
    desk.done(Command::ChooseProduct { product: id.clone() });
    id
}

fn title(title: &str) -> Overlay {
    Overlay::LowerThird {
        title: Text::cut(title),
        subtitle: Text::cut("Belleville"),
    }
}

/// The picture of a film at a time, as RGB.
fn picture(film: &Path, at_s: f64, size: (usize, usize)) -> Vec<[u8; 3]> {
    let mut ffmpeg = Program::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-ss", &format!("{at_s:.3}"), "-i"])
        .arg(film)
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);
    let bytes = testkit::run_to_end(&mut ffmpeg).unwrap();
    assert_eq!(bytes.len(), size.0 * size.1 * 3, "one picture at {at_s} s");
    bytes
        .chunks_exact(3)
        .map(|rgb| [rgb[0], rgb[1], rgb[2]])
        .collect()
}

fn blue(rgb: &[u8; 3]) -> bool {
    rgb[2] > 130 && rgb[0] < 60 && rgb[1] < 60
}

/// Share of a rectangle's pixels for which `what` holds.
fn share(
    picture: &[[u8; 3]],
    width: usize,
    [x, y, w, h]: [usize; 4],
    what: impl Fn(&[u8; 3]) -> bool,
) -> f64 {
    let rows = (y..y + h).flat_map(|row| &picture[row * width + x..row * width + x + w]);
    rows.filter(|rgb| what(rgb)).count() as f64 / (w * h) as f64
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_featured_product_is_on_the_recording_and_no_frame_is_missing() {
    let _alone = common::alone();
    let (data, videos) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Grey", SourceSettings::Colour { colour: GREY });
    let lp = own_product(&mut desk, "Nocturne LP, signed");
    desk.clear_destinations();
    desk.add_recording(videos.path());
    let look = OverlayLook {
        featured_by_itself: true,
        ..look()
    };
    desk.done(Command::SetOverlayLook { look });
    desk.go_live();
    let begun = Instant::now();
    desk.follow(Duration::from_secs(2));
    let late = desk.state.laptop.late_frames;

    let shown_s = begun.elapsed().as_secs_f64();
    desk.done(Command::FeatureProducts { products: vec![lp] });
    let card = desk.state.overlays.of(OverlayKind::ProductCard).expect("a card");
    assert!(card.shown, "every desk knows");
    desk.follow(Duration::from_secs(3));
    let hidden_s = begun.elapsed().as_secs_f64();
    desk.done(Command::FeatureProducts { products: Vec::new() });
    desk.follow(Duration::from_secs(2));
    assert_eq!(desk.state.laptop.late_frames, late, "no frame came late");
    desk.end();

    let film = only_file(videos.path());
    let seen = probe(&film).unwrap();
    let video = seen.video().unwrap();
    assert_eq!(
        video.faults_of_rate(30),
        Vec::<String>::new(),
        "no frame is missing"
    );
    let canvas = desk.state.settings.canvas;
    let size = (canvas.width() as usize, canvas.height() as usize);
    // The lower left, where the card stands; the recording begins a little before the desk knows that it is live.
    let place = [60, size.1 - 180, 300, 110];
    let at = |at_s: f64| picture(&film, at_s, size);
    let before = at(0.5);
    assert_eq!(share(&before, size.0, place, blue), 0.0, "nothing at first");
    let shown = at((shown_s + hidden_s) / 2.0 + 0.5);
    let panel = share(&shown, size.0, place, blue);
    assert!(panel > 0.5, "the card's panel fills {panel} of its place");
    let words = share(&shown, size.0, place, |rgb| rgb.iter().all(|c| *c > 190));
    assert!(words > 0.01, "the card's words fill {words} of its place");
    let few = share(&shown, size.0, [60, size.1 - 220, 640, 180], |rgb| {
        rgb[1] > 180 && rgb[0] < 90 && rgb[2] < 90
    });
    assert!(
        few > 0.005,
        "that few are left stands in the accent's colour: {few}"
    );
    let middle = [size.0 / 2, 60, size.0 / 3, size.1 / 3];
    assert_eq!(share(&shown, size.0, middle, blue), 0.0, "and nowhere else");
    let length = video.packets.last().unwrap().pts_s;
    assert_eq!(
        share(&at(length - 0.3), size.0, place, blue),
        0.0,
        "gone at the end"
    );
}

#[test]
fn what_was_on_the_picture_is_there_again_after_a_crash_and_not_the_next_day() {
    let _alone = common::alone();
    let data = tempfile::tempdir().unwrap();
    let videos = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Grey", SourceSettings::Colour { colour: GREY });
    desk.clear_destinations();
    desk.add_recording(videos.path());
    let words = Overlay::ChatMessage {
        message: 7,
        name: Text::cut("Ada"),
        text: Text::cut("<b>Bonsoir</b>"),
    };
    desk.done(Command::ShowOverlay {
        overlay: title("Maya"),
    });
    desk.done(Command::ShowOverlay { overlay: words });
    desk.done(Command::SetOverlayLook { look: look() });
    desk.go_live();
    engine.process.kill();
    drop(desk);

    let engine = Engine::start_with(data.path(), &["--resume"]);
    let mut desk = engine.desk();
    let shown = |desk: &Desk, kind| desk.state.overlays.of(kind).is_some_and(|one| one.shown);
    assert!(shown(&desk, OverlayKind::LowerThird) && shown(&desk, OverlayKind::ChatMessage));
    assert_eq!(desk.state.overlays.look, look());
    let mut page = Page::open(&desk_link(&mut desk));
    page.until("both are on the picture again", |shown| shown.len() == 2);
    desk.end();
    drop((page, desk));
    drop(engine);

    let engine = Engine::start(data.path());
    let desk = engine.desk();
    assert!(!shown(&desk, OverlayKind::LowerThird), "ready, and not shown");
    assert_eq!(
        desk.state
            .overlays
            .of(OverlayKind::LowerThird)
            .map(|one| &one.overlay),
        Some(&title("Maya"))
    );
    assert_eq!(
        desk.state.overlays.of(OverlayKind::ChatMessage),
        None,
        "nothing of yesterday's viewers is kept"
    );
}

fn desk_link(desk: &mut Desk) -> String {
    match desk.done(Command::OverlayLink) {
        Reply::Link { url } => url,
        other => panic!("{other:?} is no link"),
    }
}

/// The page of overlays, as far as it listens.
struct Page {
    socket: tokio_tungstenite::tungstenite::WebSocket<
        tokio_tungstenite::tungstenite::stream::MaybeTlsStream<std::net::TcpStream>,
    >,
}

impl Page {
    fn open(link: &str) -> Self {
        let (page, token) = link.split_once("/overlay#token=").expect("a link with its token");
        Self::with(page, token)
    }

    fn with(address: &str, token: &str) -> Self {
        let (mut socket, _) = connect(format!("{}/overlays", address.replace("http", "ws"))).unwrap();
        let hello = serde_json::json!({ "token": token }).to_string();
        socket.send(Message::text(hello)).unwrap();
        if let tokio_tungstenite::tungstenite::stream::MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Self { socket }
    }

    fn next(&mut self) -> serde_json::Value {
        loop {
            match self.socket.read().expect("within the deadline") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(_) => panic!("the engine closed"),
                _ => {}
            }
        }
    }

    fn until(&mut self, what: &str, wanted: impl Fn(&[serde_json::Value]) -> bool) -> Vec<serde_json::Value> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let said = self.next();
            assert_eq!(said["type"], "overlays");
            let shown = said["shown"].as_array().unwrap();
            if wanted(shown) {
                return shown.clone();
            }
        }
        panic!("never: {what}");
    }
}

#[test]
fn the_page_sees_the_overlays_and_nothing_else_and_every_desk_sees_them_too() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let (mut desk, mut other) = (engine.desk(), engine.desk());
    let link = desk_link(&mut desk);
    let mut page = Page::open(&link);
    page.until("nothing at first", <[_]>::is_empty);
    let ends = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64
        + 60_000;
    desk.done(Command::ShowOverlay {
        overlay: Overlay::Countdown {
            label: Text::cut("Encore"),
            ends_at_ms: ends,
        },
    });
    other.until("another desk sees it", |state| {
        state
            .overlays
            .of(OverlayKind::Countdown)
            .is_some_and(|one| one.shown)
    });
    let shown = page.until("the countdown", |shown| shown.len() == 1);
    assert_eq!(
        (&shown[0]["kind"], &shown[0]["words"]),
        (&"countdown".into(), &"Encore".into())
    );
    let first = shown[0]["picture"].as_str().expect("a picture").to_owned();
    let png = STANDARD
        .decode(first.strip_prefix("data:image/png;base64,").expect("a PNG"))
        .unwrap();
    assert_eq!(&png[1..4], b"PNG");
    // Drawn again each second, and only then.
    let next = page.until("the next second", |shown| shown[0]["picture"].is_string());
    assert_ne!(next[0]["picture"], first.as_str());
    desk.done(Command::ShowOverlay {
        overlay: title("Maya"),
    });
    let both = page.until("both", |shown| shown.len() == 2);
    let of = |kind: &str| both.iter().find(|one| one["kind"] == kind).unwrap();
    assert!(of("lower_third")["y"].as_u64() > of("countdown")["y"].as_u64());
    desk.done(Command::HideOverlay {
        overlay: OverlayKind::Countdown,
    });
    page.until("one alone", |shown| {
        shown.len() == 1 && shown[0]["kind"] == "lower_third"
    });

    let (address, token) = link.split_once("/overlay#token=").unwrap();
    assert_eq!(
        Desk::join(address, token).err().map(|error| error.code),
        Some(ErrorCode::BadToken),
        "its token opens no desk"
    );
    assert_eq!(
        Page::with(address, &engine.token).next()["type"],
        "refused",
        "nor a desk's token this page"
    );
}

#[test]
fn what_cannot_be_shown_is_said_and_changes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let text = data.path().join("notes.png");
    std::fs::write(&text, "no picture").unwrap();
    let goal = |target| Overlay::Goal {
        label: Text::default(),
        value: 1,
        target,
        unit: Text::default(),
    };
    for (overlay, code) in [
        (
            Overlay::Logo {
                path: Text::cut(text.to_str().unwrap()),
            },
            ErrorCode::MediaUnreadable,
        ),
        (
            Overlay::Logo {
                path: Text::cut("/nowhere/logo.png"),
            },
            ErrorCode::FileMissing,
        ),
        (
            Overlay::ProductCard {
                product: ProductId::try_from("nobody").unwrap(),
            },
            ErrorCode::NotFound,
        ),
        (title(""), ErrorCode::BadValue),
        (goal(0), ErrorCode::BadValue),
        (
            Overlay::Countdown {
                label: Text::default(),
                ends_at_ms: u64::MAX,
            },
            ErrorCode::BadValue,
        ),
    ] {
        let failed = desk.ask(Command::ShowOverlay {
            overlay: overlay.clone(),
        });
        assert_eq!(failed.map_err(|error| error.code), Err(code), "{overlay:?}");
    }
    assert!(desk.state.overlays.prepared.is_empty());
    desk.done(Command::PrepareOverlay { overlay: goal(2) });
    assert_eq!(
        desk.state.overlays.of(OverlayKind::Goal).map(|one| one.shown),
        Some(false)
    );
    desk.done(Command::ShowOverlay { overlay: goal(3) });
    desk.done(Command::PrepareOverlay { overlay: goal(4) });
    let now = desk.state.overlays.of(OverlayKind::Goal).unwrap();
    assert_eq!(
        (&now.overlay, now.shown),
        (&goal(4), true),
        "it changes where it is"
    );
}

//! The templates with everything that people type, in both shapes of canvas. With `STUDIO_SHOTS` naming a folder, each
//! drawing is left there to be looked at.

use std::path::Path;

use protocol::{Colour, OverlayLook, Text};

use super::super::content::{PictureBytes, ProductCard};
use super::*;

fn wide() -> Canvas {
    Canvas::new(1280, 720, 30).expect("a canvas")
}

fn upright() -> Canvas {
    Canvas::new(720, 1280, 30).expect("a canvas")
}

fn look() -> OverlayLook {
    OverlayLook {
        font: Text::cut("DejaVu Sans"),
        ..OverlayLook::default()
    }
}

fn keep(name: &str, pixmap: &Pixmap) {
    if let Some(folder) = std::env::var_os("STUDIO_SHOTS") {
        let path = Path::new(&folder).join(name).with_extension("png");
        pixmap.save_png(path).expect("written");
    }
}

/// A square of two colours as a PNG.
fn photo() -> PictureBytes {
    let image = ::image::RgbImage::from_fn(300, 200, |x, _| {
        ::image::Rgb(if x < 150 { [250, 40, 40] } else { [40, 40, 250] })
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ::image::ImageFormat::Png)
        .expect("encoded");
    PictureBytes(bytes.into_inner().into())
}

fn product_of(title: &str, note: &str) -> OverlayContent {
    OverlayContent::Product(ProductCard {
        title: title.to_owned(),
        note: note.to_owned(),
        price: "32,30 €".to_owned(),
        was: "38,00 €".to_owned(),
        code: "LIVE15".to_owned(),
        stock: "Plus que 3".to_owned(),
        ends_at_ms: Some(252_000),
        picture: Some(photo()),
    })
}

/// Each template with these words wherever words can stand.
fn everywhere(words: &str) -> Vec<OverlayContent> {
    vec![
        product_of(words, words),
        OverlayContent::Product(ProductCard {
            title: words.to_owned(),
            note: String::new(),
            price: words.to_owned(),
            was: words.to_owned(),
            code: words.to_owned(),
            stock: words.to_owned(),
            ends_at_ms: Some(90_000_000),
            picture: None,
        }),
        OverlayContent::Message {
            name: words.to_owned(),
            text: words.repeat(2),
        },
        OverlayContent::LowerThird {
            title: words.to_owned(),
            subtitle: words.to_owned(),
        },
        OverlayContent::Countdown {
            label: words.to_owned(),
            ends_at_ms: 100 * 3_600_000,
        },
        OverlayContent::Goal {
            label: words.to_owned(),
            value: "4294967295 exemplaires".to_owned(),
            target: "4294967295 exemplaires".to_owned(),
            share: 0.42,
        },
    ]
}

/// Draws, and checks that it has room on the canvas and that no letter lies on its edge.
#[track_caller]
fn drawn(content: &OverlayContent, look: &OverlayLook, canvas: Canvas, why: &str) -> Pixmap {
    let pixmap = draw(content, look, canvas, 0).expect("drawn");
    let shape = format!("{why}: {content:?} on {}×{}", canvas.width(), canvas.height());
    assert!(
        (pixmap.width() as f32) <= layout::room(canvas) + 2.0,
        "{shape} is {} wide",
        pixmap.width()
    );
    assert!(
        pixmap.height() * 10 <= canvas.height() * 6,
        "{shape} is {} high",
        pixmap.height()
    );
    assert_eq!((pixmap.width() % 2, pixmap.height() % 2), (0, 0), "{shape}");
    let edge = |x: u32, y: u32| x < 6 || y < 6 || x + 6 >= pixmap.width() || y + 6 >= pixmap.height();
    let words = look.words;
    for (n, pixel) in pixmap.pixels().iter().enumerate() {
        let (x, y) = (n as u32 % pixmap.width(), n as u32 / pixmap.width());
        let letter = [pixel.red(), pixel.green(), pixel.blue()]
            .iter()
            .zip([words.red, words.green, words.blue])
            .all(|(is, letter)| is.abs_diff(letter) < 40);
        assert!(
            !(edge(x, y) && letter && pixel.alpha() > 250),
            "{shape}: words at {x},{y}, the edge of {}×{}",
            pixmap.width(),
            pixmap.height()
        );
    }
    pixmap
}

fn count(pixmap: &Pixmap, of: impl Fn([u8; 4]) -> bool) -> usize {
    let colours = pixmap
        .pixels()
        .iter()
        .map(|p| [p.red(), p.green(), p.blue(), p.alpha()]);
    colours.filter(|colour| of(*colour)).count()
}

const SCRIPTS: [(&str, &str); 6] = [
    (
        "french",
        "Crème brûlée à l’ancienne, « façon grand-mère » — œuvre signée d’Inès Lefèvre, à côté de l’île où Noël finit ",
    ),
    (
        "arabic",
        "قميص قطني من بلفيل، طبعة محدودة بتوقيع الفنان، متوفر الآن في المتجر بسعر خاص لليلة واحدة فقط ",
    ),
    (
        "hebrew",
        "חולצת כותנה מבלוויל, מהדורה מוגבלת בחתימת האמן, זמינה עכשיו בחנות במחיר מיוחד ללילה אחד ",
    ),
    ("emoji", "🎉🔥👨‍👩‍👧‍👦🇫🇷👍🏽 tonight only 🎸🎷🥁💿 "),
    ("chinese", "今晚限定的签名黑胶唱片"),
    (
        "markup",
        "<script>alert(1)</script>&amp;<rect width='999' height='999' fill='#ff00ff'/>]]></text></svg><!-- ",
    ),
];

#[test]
fn nothing_that_people_type_leaves_its_panel() {
    for (name, words) in SCRIPTS {
        let long: String = words.chars().cycle().take(240).collect();
        for (shape, canvas) in [("wide", wide()), ("upright", upright())] {
            for (n, content) in everywhere(&long).iter().enumerate() {
                let pixmap = drawn(content, &look(), canvas, name);
                keep(&format!("{name}-{shape}-{n}"), &pixmap);
            }
        }
    }
    for canvas in [wide(), upright()] {
        for (words, why) in [
            ("Oui", "short"),
            ("", "nothing"),
            (&"W".repeat(240), "without a space"),
        ] {
            for content in everywhere(words) {
                drawn(&content, &look(), canvas, why);
            }
        }
    }
}

#[test]
fn markup_is_drawn_as_text() {
    let (_, markup) = SCRIPTS[5];
    for content in everywhere(markup) {
        let pixmap = draw(&content, &look(), wide(), 0).expect("text, not a parser's error");
        let magenta = count(&pixmap, |[r, g, b, a]| r > 200 && g < 60 && b > 200 && a > 200);
        assert_eq!(magenta, 0, "the rectangle was drawn by {content:?}");
    }
    // Markup has as many letters as it has characters.
    let third = |title: &str| {
        let content = OverlayContent::LowerThird {
            title: title.to_owned(),
            subtitle: String::new(),
        };
        draw(&content, &look(), wide(), 0).expect("drawn").width()
    };
    assert!(third("<b>abcdefgh</b>") > third("abcdefgh") + 100);
    let evil = OverlayLook {
        font: Text::cut("x' onload='\"><rect/>"),
        ..look()
    };
    drawn(
        &product_of("a", "b"),
        &evil,
        wide(),
        "a font's name is no markup either",
    );
}

#[test]
fn words_and_colours_are_there_in_both_shapes() {
    let colours = OverlayLook {
        back: Colour {
            red: 0,
            green: 60,
            blue: 0,
            alpha: 255,
        },
        words: Colour {
            red: 255,
            green: 255,
            blue: 0,
            alpha: 255,
        },
        accent: Colour {
            red: 0,
            green: 255,
            blue: 255,
            alpha: 255,
        },
        ..look()
    };
    for (shape, canvas) in [("wide", wide()), ("upright", upright())] {
        let contents = everywhere("Nocturne LP, signed");
        for (n, content) in contents.iter().enumerate() {
            let pixmap = drawn(content, &colours, canvas, "colours");
            keep(&format!("colours-{shape}-{n}"), &pixmap);
            let all = pixmap.pixels().len();
            let back = count(&pixmap, |[r, g, b, a]| {
                r < 20 && (50..70).contains(&g) && b < 20 && a == 255
            });
            assert!(back * 3 > all, "{content:?}: the panel has {back} of {all}");
            let words = count(&pixmap, |[r, g, b, _]| r > 230 && g > 230 && b < 30);
            assert!(words > 300, "{content:?}: {words} pixels of words");
            let has_accent = !matches!(content, OverlayContent::Countdown { .. });
            let accent = count(&pixmap, |[r, g, b, _]| r < 30 && g > 230 && b > 230);
            assert_eq!(accent > 300, has_accent, "{content:?}: {accent} pixels of accent");
        }
        let pixmap = draw(&contents[0], &colours, canvas, 0).expect("drawn");
        let red = count(&pixmap, |[r, g, b, _]| r > 240 && (30..50).contains(&g) && b < 60);
        let blue = count(&pixmap, |[r, g, b, _]| b > 240 && (30..50).contains(&g) && r < 60);
        assert!(
            red > 5000 && blue > 5000 && red.abs_diff(blue) * 20 < red,
            "the middle of the picture is cut out: {red} {blue}"
        );
    }
}

#[test]
fn an_offer_that_is_over_takes_code_and_price_with_it() {
    let content = product_of("Nocturne LP", "");
    let bytes = |now_ms| {
        draw(&content, &look(), wide(), now_ms)
            .expect("drawn")
            .data()
            .to_vec()
    };
    assert_eq!(bytes(0), bytes(999), "the same second");
    assert_ne!(bytes(0), bytes(1_000), "time passes");
    let over = bytes(252_000);
    assert_eq!(over, bytes(999_000));
    let plain = OverlayContent::Product(ProductCard {
        title: "Nocturne LP".to_owned(),
        note: String::new(),
        price: "38,00 €".to_owned(),
        was: String::new(),
        code: String::new(),
        stock: "Plus que 3".to_owned(),
        ends_at_ms: None,
        picture: Some(photo()),
    });
    // The photo is the same one, but for its memory.
    assert_eq!(over, draw(&plain, &look(), wide(), 0).expect("drawn").data());
}

#[test]
fn a_goal_fills_with_what_is_there() {
    let filled = |share| {
        let content = OverlayContent::Goal {
            label: String::new(),
            value: "1".to_owned(),
            target: "2".to_owned(),
            share,
        };
        let accent = look().accent;
        let pixmap = draw(&content, &look(), wide(), 0).expect("drawn");
        count(&pixmap, |[r, g, b, _]| {
            [r, g, b]
                .iter()
                .zip([accent.red, accent.green, accent.blue])
                .all(|(is, accent)| is.abs_diff(accent) < 3)
        })
    };
    let (half, whole) = (filled(0.5), filled(1.0));
    assert!(half.abs_diff(whole / 2) * 20 < whole, "{half} of {whole}");
    assert_eq!(filled(0.0), 0);
    assert_eq!(filled(7.0), whole, "more than all is all");
}

#[test]
fn a_clock_does_not_jump_when_its_figures_change() {
    let size = |left| {
        let content = OverlayContent::Countdown {
            label: String::new(),
            ends_at_ms: left,
        };
        let pixmap = draw(&content, &look(), wide(), 0).expect("drawn");
        (pixmap.width(), pixmap.height())
    };
    assert_eq!(size(11 * 60_000 + 11_000), size(48 * 60_000 + 48_000));
}

#[test]
fn a_logo_keeps_its_shape_and_what_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let svg = path("logo.svg");
    std::fs::write(
        &svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><circle cx="5" cy="5" r="5" fill="#00ff00"/></svg>"##,
    )
    .expect("written");
    for canvas in [wide(), upright()] {
        check_logo(&svg, canvas).expect("a logo");
        let pixmap = draw(&OverlayContent::Logo { path: svg.clone() }, &look(), canvas, 0).expect("drawn");
        assert_eq!(pixmap.width(), pixmap.height());
        assert!((80..=240).contains(&pixmap.height()), "{}", pixmap.height());
        assert_eq!(pixmap.pixel(0, 0).expect("a corner").alpha(), 0, "alpha is kept");
    }
    let text = path("notes.png");
    std::fs::write(&text, "no picture").expect("written");
    for (path, code) in [
        (text, ErrorCode::MediaUnreadable),
        (path("gone.png"), ErrorCode::FileMissing),
        ("logo.svg".to_owned(), ErrorCode::FileMissing),
    ] {
        let error = check_logo(&path, wide()).expect_err("refused");
        assert_eq!((error.code, &error.params["path"]), (code, &path));
    }
}

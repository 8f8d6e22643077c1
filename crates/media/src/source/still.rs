//! Sources that the studio draws itself: colour, image, text, slate. Nothing here has a pipeline.

use protocol::{Canvas, Colour, ErrorCode, Frame, TextStyle, UserError};
use resvg::tiny_skia::{Color, Pixmap};

use super::{
    error::Trouble,
    picture::{LayoutError, Picture},
    scroll::Strip,
    text::{self, Align, Look, TextError},
};

/// Letters on the slate, in pixels of a canvas of 1080 lines.
const SLATE_SIZE: f32 = 44.0;
const SLATE_BACK: [u8; 3] = [0x14, 0x16, 0x1c];
const SLATE_LETTERS: Colour = Colour {
    red: 0xe8,
    green: 0xea,
    blue: 0xf0,
    alpha: 0xff,
};

impl From<LayoutError> for Trouble {
    fn from(error: LayoutError) -> Self {
        Trouble::hopeless(UserError::new(ErrorCode::Internal).with("detail", error))
    }
}

impl From<TextError> for Trouble {
    fn from(error: TextError) -> Self {
        let user = match &error {
            TextError::NoFont => UserError::new(ErrorCode::ElementMissing)
                .with("missing", "fonts")
                .with("package", "fonts-dejavu-core"),
            TextError::TooLarge { .. } | TextError::Draw(_) => UserError::new(ErrorCode::BadValue)
                .with("field", "text")
                .with("detail", &error),
        };
        Trouble::hopeless(user)
    }
}

/// A canvas of one colour.
pub(crate) fn colour(canvas: Canvas, colour: Colour) -> Result<Picture, Trouble> {
    let pixmap = filled(canvas.width(), canvas.height(), colour)?;
    Ok(Picture::from_pixmap(&pixmap)?)
}

fn filled(width: u32, height: u32, c: Colour) -> Result<Pixmap, Trouble> {
    let mut pixmap = Pixmap::new(width, height).ok_or_else(internal)?;
    pixmap.fill(Color::from_rgba8(c.red, c.green, c.blue, c.alpha));
    Ok(pixmap)
}

fn internal() -> Trouble {
    Trouble::hopeless(UserError::new(ErrorCode::Internal).with("detail", "no memory for a picture"))
}

/// Words that stand, or words that walk.
#[derive(Debug)]
pub(crate) enum Words {
    Still(Picture),
    Scroll(Box<Strip>),
}

/// Words as they are set. Standing ones wrap at the canvas's width.
pub(crate) fn words(canvas: Canvas, style: &TextStyle) -> Result<Words, Trouble> {
    let scale = text::scale(canvas);
    let look = Look {
        font: &style.font,
        size: style.size as f32 * scale,
        bold: style.bold,
        colour: style.colour,
        outline: style.outline,
        outline_width: style.outline_width as f32 * scale,
    };
    if style.scroll == 0 {
        let pixmap = text::draw(&style.text, &look, Some(canvas.width() as f32), Align::Left)?;
        let pixmap = clipped(pixmap, canvas);
        return Ok(Words::Still(Picture::from_pixmap(&pixmap)?));
    }
    let pixmap = text::draw(&style.text, &look, None, Align::Left)?;
    let height = pixmap.height().min(canvas.height());
    let frame = Frame {
        width: canvas.width(),
        height: height & !1,
    };
    let strip = Strip::new(&pixmap, frame, f64::from(style.scroll) * f64::from(scale))?;
    Ok(Words::Scroll(Box::new(strip)))
}

/// At most the canvas; what is too long is cut at the right and below.
fn clipped(pixmap: Pixmap, canvas: Canvas) -> Pixmap {
    let (width, height) = (
        pixmap.width().min(canvas.width()),
        pixmap.height().min(canvas.height()),
    );
    let rect = resvg::tiny_skia::IntRect::from_xywh(0, 0, width, height);
    rect.and_then(|rect| pixmap.clone_rect(rect)).unwrap_or(pixmap)
}

/// What viewers see while a source is away: its sentence in the middle of a calm canvas.
pub(crate) fn slate(canvas: Canvas, sentence: &str) -> Result<Picture, Trouble> {
    let [red, green, blue] = SLATE_BACK;
    let back = Colour {
        red,
        green,
        blue,
        alpha: 255,
    };
    let mut pixmap = filled(canvas.width(), canvas.height(), back)?;
    let look = Look {
        font: "Inter",
        size: (SLATE_SIZE * text::scale(canvas)).max(8.0),
        bold: false,
        colour: SLATE_LETTERS,
        outline: SLATE_LETTERS,
        outline_width: 0.0,
    };
    let wrap = canvas.width() as f32 * 0.8;
    match text::draw(sentence, &look, Some(wrap), Align::Centre) {
        Ok(words) => pixmap.draw_pixmap(
            (canvas.width() as i32 - words.width() as i32) / 2,
            (canvas.height() as i32 - words.height() as i32) / 2,
            words.as_ref(),
            &resvg::tiny_skia::PixmapPaint::default(),
            resvg::tiny_skia::Transform::identity(),
            None,
        ),
        // A slate without words is still better than a frozen face.
        Err(error) => tracing::warn!(%error, "slate has no sentence"),
    }
    Ok(Picture::from_pixmap(&pixmap)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas() -> Canvas {
        Canvas::new(640, 360, 30).expect("a canvas")
    }

    #[test]
    fn a_colour_fills_the_canvas_and_keeps_its_alpha() {
        gst::init().expect("GStreamer is installed");
        let half = Colour {
            red: 255,
            green: 0,
            blue: 0,
            alpha: 128,
        };
        let picture = colour(canvas(), half).expect("a picture");
        assert_eq!(picture.format, gst_video::VideoFormat::A420);
        let opaque = colour(canvas(), Colour { alpha: 255, ..half }).expect("a picture");
        assert_eq!(opaque.format, gst_video::VideoFormat::I420);
        assert_eq!((opaque.frame.width, opaque.frame.height), (640, 360));
    }

    #[test]
    fn the_slate_is_opaque_canvas_sized_and_has_light_letters_in_the_middle() {
        gst::init().expect("GStreamer is installed");
        let picture = slate(canvas(), "The camera is not there. Plug it in again.").expect("a slate");
        assert_eq!(picture.format, gst_video::VideoFormat::I420);
        assert_eq!((picture.frame.width, picture.frame.height), (640, 360));
        let luma = picture.buffer.map_readable().expect("memory")[..640 * 360].to_vec();
        let light = |rows: std::ops::Range<usize>| {
            luma[rows.start * 640..rows.end * 640]
                .iter()
                .filter(|y| **y > 180)
                .count()
        };
        assert!(light(160..200) > 200, "letters in the middle");
        assert_eq!(light(0..100), 0, "nothing above");
    }
}

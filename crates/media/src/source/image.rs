//! Still pictures from disk: PNG, JPEG, SVG.

use std::{fs, io::Cursor};

use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbaImage};
use protocol::{Canvas, Frame, UserError};
use resvg::{tiny_skia::Pixmap, usvg};

use super::{
    error::{Trouble, file_error, media_unreadable},
    picture::{Picture, fitted},
    text,
};

/// Larger files are no stills but mistakes.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Longest side of a picture; above it a decoder's memory is nobody's plan.
const MAX_SIDE: u32 = 16_384;
/// Memory that decoding may take.
const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Reads a still and lays it out for the program, at most as large as the canvas.
///
/// A drawing (SVG) has no size of its own that matters: it is drawn as large as the canvas allows.
pub(crate) fn load(path: &str, canvas: Canvas) -> Result<Picture, Trouble> {
    let room = Frame {
        width: canvas.width(),
        height: canvas.height(),
    };
    let pixmap = pixmap_in(path, room)?;
    Picture::from_pixmap(&pixmap).map_err(|error| Trouble::passing(media_unreadable(path, error)))
}

/// Reads a still from disk, premultiplied RGBA, at most as large as `room`; a drawing fills it.
pub(crate) fn pixmap_of(path: &str, room: Frame) -> Result<Pixmap, UserError> {
    pixmap_in(path, room).map_err(|trouble| trouble.error)
}

/// Decodes a PNG or JPEG, premultiplied RGBA, at most as large as `room`.
pub(crate) fn pixels(bytes: Vec<u8>, room: Frame) -> image::ImageResult<Pixmap> {
    decode(bytes, room)
}

fn pixmap_in(path: &str, room: Frame) -> Result<Pixmap, Trouble> {
    let bytes = read(path)?;
    let unreadable = |detail: String| Trouble::passing(media_unreadable(path, detail));
    if looks_like_svg(&bytes) {
        draw_svg(&bytes, room).map_err(unreadable)
    } else {
        decode(bytes, room).map_err(|error| unreadable(error.to_string()))
    }
}

fn read(path: &str) -> Result<Vec<u8>, Trouble> {
    let length = fs::metadata(path)
        .map_err(|error| file_error(path, &error))?
        .len();
    if length > MAX_FILE_BYTES {
        let detail = format!(
            "{} MB are too many, at most {}",
            length >> 20,
            MAX_FILE_BYTES >> 20
        );
        return Err(Trouble::passing(media_unreadable(path, detail)));
    }
    fs::read(path).map_err(|error| file_error(path, &error))
}

fn looks_like_svg(bytes: &[u8]) -> bool {
    // 0x1f8b: SVGZ, which usvg unpacks.
    bytes.starts_with(&[0x1f, 0x8b])
        || bytes
            .iter()
            .find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf))
            .is_some_and(|b| *b == b'<')
}

fn draw_svg(bytes: &[u8], room: Frame) -> Result<Pixmap, String> {
    let mut options = usvg::Options {
        fontdb: text::fonts(),
        ..usvg::Options::default()
    };
    // A drawing is data: it opens no other file.
    options.image_href_resolver.resolve_string = Box::new(|_, _| None);
    let tree =
        text::laid_out(|| usvg::Tree::from_data(bytes, &options)).map_err(|error| error.to_string())?;
    let size = tree.size();
    // Scaled so that shapes far from square keep their fractions.
    let side = |length: f32| ((length * 64.0).round() as u32).max(1);
    let frame = fitted(side(size.width()), side(size.height()), room, true);
    let mut pixmap = Pixmap::new(frame.width, frame.height).ok_or("no room for the drawing")?;
    let scale = usvg::Transform::from_scale(
        frame.width as f32 / size.width(),
        frame.height as f32 / size.height(),
    );
    resvg::render(&tree, scale, &mut pixmap.as_mut());
    Ok(pixmap)
}

fn decode(bytes: Vec<u8>, room: Frame) -> image::ImageResult<Pixmap> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // A telephone writes its photographs lying down and says so.
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let mut rgba = image.into_rgba8();
    premultiply(&mut rgba);
    let frame = fitted(rgba.width(), rgba.height(), room, false);
    if (frame.width, frame.height) != (rgba.width() & !1, rgba.height() & !1) {
        // After premultiplying, so that transparent pixels do not bleed their colour.
        rgba = image::imageops::resize(
            &rgba,
            frame.width,
            frame.height,
            image::imageops::FilterType::Triangle,
        );
    }
    pixmap(rgba)
}

fn premultiply(rgba: &mut RgbaImage) {
    for pixel in rgba.pixels_mut() {
        let alpha = u32::from(pixel[3]);
        if alpha < 255 {
            for n in 0..3 {
                pixel[n] = ((u32::from(pixel[n]) * alpha + 127) / 255) as u8;
            }
        }
    }
}

fn pixmap(rgba: RgbaImage) -> image::ImageResult<Pixmap> {
    let (width, height) = rgba.dimensions();
    let too_small = || {
        image::ImageError::Limits(image::error::LimitError::from_kind(
            image::error::LimitErrorKind::DimensionError,
        ))
    };
    if width < 2 || height < 2 {
        // 4:2:0 has no picture of one pixel: each becomes four.
        let doubled = image::imageops::resize(
            &rgba,
            width.max(1) * 2,
            height.max(1) * 2,
            image::imageops::FilterType::Nearest,
        );
        let (width, height) = doubled.dimensions();
        let size = resvg::tiny_skia::IntSize::from_wh(width, height).ok_or_else(too_small)?;
        return Pixmap::from_vec(doubled.into_raw(), size).ok_or_else(too_small);
    }
    let size = resvg::tiny_skia::IntSize::from_wh(width, height).ok_or_else(too_small)?;
    Pixmap::from_vec(rgba.into_raw(), size).ok_or_else(too_small)
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;

    use super::*;

    fn canvas() -> Canvas {
        Canvas::new(640, 360, 30).expect("a canvas")
    }

    fn write(name: &str, bytes: &[u8]) -> (tempfile::TempDir, String) {
        gst::init().expect("GStreamer is installed");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let path = path.to_str().expect("UTF-8").to_owned();
        (folder, path)
    }

    fn encoded(image: &RgbaImage, format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        match format {
            image::ImageFormat::Jpeg => DynamicImage::from(image.clone())
                .into_rgb8()
                .write_to(&mut bytes, format)
                .expect("encoded"),
            _ => image.write_to(&mut bytes, format).expect("encoded"),
        }
        bytes.into_inner()
    }

    /// Y, U, V and A of one pixel.
    pub(super) fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 4] {
        let Frame { width, height } = picture.frame;
        let info = gst_video::VideoInfo::builder(picture.format, width, height)
            .build()
            .expect("info");
        let bytes = picture.buffer.map_readable().expect("memory");
        let at = |n: usize, x: usize, y: usize| bytes[info.offset()[n] + y * info.stride()[n] as usize + x];
        let alpha = if info.has_alpha() { at(3, x, y) } else { 255 };
        [at(0, x, y), at(1, x / 2, y / 2), at(2, x / 2, y / 2), alpha]
    }

    #[test]
    fn png_keeps_its_alpha() {
        let image = RgbaImage::from_fn(64, 32, |x, _| {
            image::Rgba(if x < 32 {
                [255, 0, 0, 255]
            } else {
                [0, 0, 255, 128]
            })
        });
        let (_folder, path) = write("a.png", &encoded(&image, image::ImageFormat::Png));
        let picture = load(&path, canvas()).expect("a picture");
        assert_eq!(
            picture.frame,
            Frame {
                width: 64,
                height: 32
            }
        );
        let [left, right] = [pixel(&picture, 4, 4), pixel(&picture, 60, 4)];
        assert!(left[3] == 255 && left[2] > 230, "opaque red, {left:?}");
        assert!(right[3] == 128 && right[1] > 230, "half blue, {right:?}");
    }

    #[test]
    fn jpeg_is_opaque_and_no_larger_than_the_canvas() {
        let image = RgbaImage::from_pixel(1600, 1200, image::Rgba([0, 255, 0, 255]));
        let (_folder, path) = write("a.jpg", &encoded(&image, image::ImageFormat::Jpeg));
        let picture = load(&path, canvas()).expect("a picture");
        assert_eq!(picture.format, gst_video::VideoFormat::I420);
        assert_eq!(
            picture.frame,
            Frame {
                width: 480,
                height: 360
            }
        );
        let [y, u, v, _] = pixel(&picture, 240, 180);
        assert!(y.abs_diff(173) < 4 && u < 50 && v < 40, "green, not {y} {u} {v}");
    }

    #[test]
    fn svg_is_drawn_at_the_size_of_the_canvas_with_its_alpha_and_opens_no_file() {
        let (_other_folder, other) = write(
            "other.png",
            &encoded(
                &RgbaImage::from_pixel(8, 8, image::Rgba([255; 4])),
                image::ImageFormat::Png,
            ),
        );
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 16 9">
            <rect width="8" height="9" fill="#ff0000"/><image x="8" width="8" height="9" xlink:href="{other}"/></svg>"##
        );
        let (_folder, path) = write("a.svg", svg.as_bytes());
        let picture = load(&path, canvas()).expect("a picture");
        assert_eq!(
            picture.frame,
            Frame {
                width: 640,
                height: 360
            }
        );
        assert_eq!(pixel(&picture, 100, 100)[3], 255);
        assert_eq!(
            pixel(&picture, 500, 100)[3],
            0,
            "the other file must not be shown"
        );
    }

    #[test]
    fn what_is_no_picture_is_refused_with_its_path() {
        let (_folder, path) = write("a.png", b"certainly no picture");
        let trouble = load(&path, canvas()).expect_err("no picture");
        assert_eq!(trouble.error.code, ErrorCode::MediaUnreadable);
        assert_eq!(trouble.error.params["path"], path);
        let trouble = load("/nowhere/a.png", canvas()).expect_err("no file");
        assert_eq!(trouble.error.code, ErrorCode::FileMissing);
        let (_folder, path) = write("b.svg", b"<svg");
        assert_eq!(
            load(&path, canvas()).expect_err("broken").error.code,
            ErrorCode::MediaUnreadable
        );
    }

    #[test]
    fn a_picture_that_claims_a_giant_size_takes_no_memory() {
        // A PNG head of 60000×60000 and nothing else.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend_from_slice(&60_000u32.to_be_bytes());
        png.extend_from_slice(&60_000u32.to_be_bytes());
        png.extend_from_slice(&[8, 6, 0, 0, 0]);
        png.extend_from_slice(&[0; 4]);
        let (_folder, path) = write("a.png", &png);
        assert!(load(&path, canvas()).is_err());
    }
}

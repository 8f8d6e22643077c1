//! What lies over the program's picture: templates, the thread that draws them, and where they stand.
//!
//! Typed content becomes SVG, resvg makes pixels of it ([`template`]), [`layout`] finds them a place, and the program
//! lays them over whatever scene is on air. Drawing happens on a thread of its own ([`renderer`]): the program only
//! ever takes pictures that are ready.

mod content;
mod layout;
mod lines;
mod product;
mod renderer;
mod sheet;
mod template;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use protocol::OverlayKind;
use resvg::tiny_skia::Pixmap;

pub use content::{OverlayContent, OverlayWanted, PictureBytes, ProductCard};
pub(crate) use renderer::Renderer;
pub use template::check_logo;

/// One overlay as it is on the canvas now, for whoever shows it elsewhere.
#[derive(Debug, Clone)]
pub struct OverlayOnCanvas {
    /// Which.
    pub kind: OverlayKind,
    /// Left edge, in pixels of the canvas.
    pub x: u32,
    /// Upper edge, in pixels of the canvas.
    pub y: u32,
    /// In pixels of the canvas.
    pub width: u32,
    /// In pixels of the canvas.
    pub height: u32,
    /// From where it comes and where it goes: so many pixels below its place, above it when negative.
    pub slide: i32,
    /// Its words, for those who cannot see it.
    pub words: String,
    picture: Arc<Drawn>,
}

impl OverlayOnCanvas {
    /// Its picture: PNG with alpha. Made when it is first asked for, which takes milliseconds.
    pub fn png(&self) -> Bytes {
        let encode = || Bytes::from(self.picture.pixmap.encode_png().unwrap_or_default());
        self.picture.png.get_or_init(encode).clone()
    }

    /// Whether both show the same pixels.
    pub fn same_picture(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.picture, &other.picture)
    }
}

/// A drawn overlay.
#[derive(Debug)]
struct Drawn {
    pixmap: Pixmap,
    png: OnceLock<Bytes>,
}

/// Hears what lies over the picture, back to front. Called on the drawing thread.
pub type OnOverlays = Arc<dyn Fn(Arc<[OverlayOnCanvas]>) + Send + Sync>;

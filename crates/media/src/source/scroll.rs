//! Words that walk: drawn once, shifted for each frame.

use protocol::Frame;
use resvg::tiny_skia::Pixmap;

use super::{
    error::Trouble,
    picture::{LayoutError, Picture},
    pool::Pool,
};

/// A long picture of words behind a window of the canvas's width.
#[derive(Debug)]
pub(crate) struct Strip {
    words: Picture,
    words_info: gst_video::VideoInfo,
    info: gst_video::VideoInfo,
    pool: Pool,
    frame: Frame,
    /// Pixels a second to the left.
    speed: f64,
}

impl Strip {
    pub(crate) fn new(pixmap: &Pixmap, frame: Frame, speed: f64) -> Result<Self, Trouble> {
        let words = Picture::from_pixmap(pixmap)?;
        let layout = |frame: Frame| {
            gst_video::VideoInfo::builder(words.format, frame.width, frame.height)
                .build()
                .map_err(|_| LayoutError::of(frame))
        };
        let words_info = layout(words.frame)?;
        let info = layout(frame)?;
        let pool = Pool::new(info.size()).ok_or_else(|| LayoutError::of(frame))?;
        Ok(Self {
            words,
            words_info,
            info,
            pool,
            frame,
            speed,
        })
    }

    pub(crate) fn frame(&self) -> Frame {
        self.frame
    }

    /// The window `seconds` after the start. The words come in at one side, leave at the other, and come again.
    pub(crate) fn at(&self, seconds: f64) -> Option<Picture> {
        let (words, window) = (i64::from(self.words.frame.width), i64::from(self.frame.width));
        let cycle = words + window;
        let walked = ((self.speed * seconds) as i64).rem_euclid(cycle);
        // Left edge of the words in the window: from its right side to beyond its left.
        let x = window - walked;
        let mut buffer = self.pool.buffer()?;
        {
            let source = self.words.buffer.map_readable().ok()?;
            let mut map = buffer.get_mut()?.map_writable().ok()?;
            for plane in 0..self.info.n_planes() as usize {
                self.shift(plane, x, source.as_slice(), map.as_mut_slice());
            }
        }
        Some(Picture {
            format: self.words.format,
            frame: self.frame,
            buffer,
        })
    }

    fn shift(&self, plane: usize, x: i64, source: &[u8], out: &mut [u8]) {
        // Planes 1 and 2 are colour at half the size; nothing there is neutral grey, transparent black elsewhere.
        let half = matches!(plane, 1 | 2);
        let side = |n: u32| (if half { n / 2 } else { n }) as usize;
        let blank = match plane {
            0 => 16,
            1 | 2 => 128,
            _ => 0,
        };
        let x = if half { x.div_euclid(2) } else { x };
        let (width, words) = (side(self.frame.width), side(self.words.frame.width));
        let rows = side(self.frame.height.min(self.words.frame.height));
        let start = x.clamp(0, width as i64) as usize;
        let end = (x + words as i64).clamp(0, width as i64) as usize;
        let from = (start as i64 - x) as usize;
        let (out_offset, out_stride) = (self.info.offset()[plane], self.info.stride()[plane] as usize);
        let (in_offset, in_stride) = (
            self.words_info.offset()[plane],
            self.words_info.stride()[plane] as usize,
        );
        for y in 0..side(self.frame.height) {
            let row = &mut out[out_offset + y * out_stride..][..width];
            if y >= rows || start >= end {
                row.fill(blank);
                continue;
            }
            row[..start].fill(blank);
            row[end..].fill(blank);
            let line = &source[in_offset + y * in_stride..][..words];
            row[start..end].copy_from_slice(&line[from..from + (end - start)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_walk_from_right_to_left_and_come_again() {
        gst::init().expect("GStreamer is installed");
        // A white block of 40×10, in a window of 100.
        let mut pixmap = Pixmap::new(40, 10).expect("a size");
        pixmap.fill(resvg::tiny_skia::Color::WHITE);
        // One clear pixel, so that the strip keeps its alpha.
        pixmap.data_mut()[..4].fill(0);
        let frame = Frame {
            width: 100,
            height: 10,
        };
        let strip = Strip::new(&pixmap, frame, 50.0).unwrap_or_else(|trouble| panic!("{trouble:?}"));
        let opaque = |seconds: f64| {
            let picture = strip.at(seconds).expect("a frame");
            let bytes = picture.buffer.map_readable().expect("memory");
            let at = strip.info.offset()[3] + 5 * strip.info.stride()[3] as usize;
            let row = &bytes[at..at + 100];
            let first = row.iter().position(|a| *a == 255);
            (first, row.iter().filter(|a| **a == 255).count())
        };
        assert_eq!(opaque(0.0), (None, 0), "not yet in the window");
        assert_eq!(opaque(0.5), (Some(75), 25), "comes in at the right");
        assert_eq!(opaque(1.2), (Some(40), 40), "in the middle");
        assert_eq!(opaque(2.4), (Some(0), 20), "leaves at the left");
        assert_eq!(opaque(2.8 + 0.5), (Some(75), 25), "and comes again");
    }
}

//! The test card: bars, a clock, a frame counter, a tone.

use gst::ClockTime;
use protocol::{Canvas, Colour, Frame};
use resvg::tiny_skia::{Color, Paint, Pixmap, Rect, Transform};

use super::{
    edge::RATE,
    error::Trouble,
    picture::{LayoutError, Picture},
    pool::Pool,
    text::{self, Align, Look},
    timecode,
};

/// −20 dBFS, as a factor of full scale.
const TONE: f64 = 0.1;
const GLYPHS: &str = "0123456789:.";

/// Draws frames and sounds of the test card.
#[derive(Debug)]
pub(crate) struct TestCard {
    base: Picture,
    info: gst_video::VideoInfo,
    pool: Pool,
    /// Luma of each of [`GLYPHS`], in cells of one size.
    glyphs: Vec<Vec<u8>>,
    cell: Frame,
    tone_hz: u32,
}

impl TestCard {
    pub(crate) fn new(canvas: Canvas, tone_hz: u32) -> Result<Self, Trouble> {
        let base = Picture::from_pixmap(&bars(canvas)?)?;
        let info = gst_video::VideoInfo::builder(base.format, base.frame.width, base.frame.height)
            .build()
            .map_err(|_| LayoutError::of(base.frame))?;
        let pool = Pool::new(info.size()).ok_or_else(|| LayoutError::of(base.frame))?;
        let (glyphs, cell) = glyphs((canvas.width().min(canvas.height() * 16 / 9) / 14).max(10))?;
        Ok(Self {
            base,
            info,
            pool,
            glyphs,
            cell,
            tone_hz,
        })
    }

    pub(crate) fn frame(&self) -> Frame {
        self.base.frame
    }

    /// Frame `number`, with `clock` (`hh:mm:ss.mmm`) in it for people, and `unix_ms` for machines.
    pub(crate) fn at(&self, number: u64, clock: &str, unix_ms: u64) -> Option<Picture> {
        let mut buffer = self.pool.buffer()?;
        {
            let mut map = buffer.get_mut()?.map_writable().ok()?;
            map.copy_from_slice(self.base.buffer.map_readable().ok()?.as_slice());
            let line = self.cell.height as usize;
            let middle = self.info.height() as usize / 2;
            self.write(clock, middle.saturating_sub(line), map.as_mut_slice());
            self.write(&number.to_string(), middle, map.as_mut_slice());
            timecode::draw(map.as_mut_slice(), &self.info, unix_ms);
        }
        Some(Picture {
            format: self.base.format,
            frame: self.base.frame,
            buffer,
        })
    }

    fn write(&self, text: &str, top: usize, out: &mut [u8]) {
        let (width, stride) = (self.info.width() as usize, self.info.stride()[0] as usize);
        let (cell_width, cell_height) = (self.cell.width as usize, self.cell.height as usize);
        let left = width.saturating_sub(text.len() * cell_width) / 2;
        for (n, c) in text.chars().enumerate() {
            let x = left + n * cell_width;
            let Some(glyph) = GLYPHS.find(c).map(|at| &self.glyphs[at]) else {
                continue;
            };
            if x + cell_width > width || top + cell_height > self.info.height() as usize {
                continue;
            }
            for (y, row) in glyph.chunks_exact(cell_width).enumerate() {
                out[(top + y) * stride + x..][..cell_width].copy_from_slice(row);
            }
        }
    }

    /// `samples` stereo samples of the tone, the first being sample `first` since the studio started.
    pub(crate) fn tone(&self, first: u64, samples: usize) -> Option<gst::Buffer> {
        let mut buffer = gst::Buffer::with_size(samples * 8).ok()?;
        {
            let mut map = buffer.get_mut()?.map_writable().ok()?;
            for (n, frame) in map.chunks_exact_mut(8).enumerate() {
                let sample = self.sample(first + n as u64).to_le_bytes();
                frame[..4].copy_from_slice(&sample);
                frame[4..].copy_from_slice(&sample);
            }
        }
        Some(buffer)
    }

    fn sample(&self, number: u64) -> f32 {
        // Whole hertz repeat every second, so that the phase stays exact for years.
        let turns = number % u64::from(RATE) * u64::from(self.tone_hz);
        let phase = (turns % u64::from(RATE)) as f64 / f64::from(RATE);
        (TONE * (std::f64::consts::TAU * phase).sin()) as f32
    }
}

/// Local time of day `ahead` from now, as the card writes it.
pub(crate) fn time_of_day(ahead: ClockTime) -> String {
    let span = gst::glib::TimeSpan(ahead.useconds() as i64);
    match gst::glib::DateTime::now_local().and_then(|now| now.add(span)) {
        Ok(time) => format!(
            "{:02}:{:02}:{:02}.{:03}",
            time.hour(),
            time.minute(),
            time.second(),
            time.microsecond() / 1000
        ),
        Err(_) => String::new(),
    }
}

/// Unix time in milliseconds `ahead` from now.
pub(crate) fn unix_ms(ahead: ClockTime) -> u64 {
    gst::glib::real_time().unsigned_abs() / 1000 + ahead.mseconds()
}

/// Seven bars of 75 % after SMPTE EG 1, a ramp below, a black field for the clock.
fn bars(canvas: Canvas) -> Result<Pixmap, Trouble> {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    let size = Frame {
        width: canvas.width(),
        height: canvas.height(),
    };
    let mut pixmap = Pixmap::new(size.width, size.height).ok_or(LayoutError::of(size))?;
    let mut rect = |x: f32, y: f32, w: f32, h: f32, [red, green, blue]: [u8; 3]| {
        let mut paint = Paint {
            anti_alias: false,
            ..Paint::default()
        };
        paint.set_color(Color::from_rgba8(red, green, blue, 255));
        if let Some(rect) = Rect::from_xywh(x, y, w, h) {
            pixmap.fill_rect(rect, &paint, Transform::identity(), None);
        }
    };
    let h = 191;
    let bars = [
        [h, h, h],
        [h, h, 0],
        [0, h, h],
        [0, h, 0],
        [h, 0, h],
        [h, 0, 0],
        [0, 0, h],
    ];
    rect(0.0, 0.0, width, height, [0, 0, 0]);
    for (n, colour) in bars.into_iter().enumerate() {
        let edge = |n: usize| (width * n as f32 / 7.0).round();
        rect(
            edge(n),
            0.0,
            edge(n + 1) - edge(n),
            (height * 0.75).round(),
            colour,
        );
    }
    for n in 0..16u8 {
        let edge = |n: u8| (width * f32::from(n) / 16.0).round();
        let top = (height * 0.75).round();
        rect(edge(n), top, edge(n + 1) - edge(n), height - top, [n * 17; 3]);
    }
    let side = width.min(height * 16.0 / 9.0);
    let (field_width, field_height) = ((side * 0.62).round(), (side * 0.17).round());
    // On even pixels, so that no bar's colour stands at the edge of the field.
    let down = |n: f32| (n / 2.0).floor() * 2.0;
    rect(
        down((width - field_width) / 2.0),
        down((height - field_height) / 2.0),
        down(field_width),
        down(field_height),
        [0, 0, 0],
    );
    Ok(pixmap)
}

fn glyphs(size: u32) -> Result<(Vec<Vec<u8>>, Frame), Trouble> {
    let white = Colour {
        red: 255,
        green: 255,
        blue: 255,
        alpha: 255,
    };
    let look = Look {
        font: "DejaVu Sans Mono",
        size: size as f32,
        bold: true,
        colour: white,
        outline: white,
        outline_width: 0.0,
    };
    let drawn = GLYPHS
        .chars()
        .map(|c| text::draw(&c.to_string(), &look, None, Align::Left))
        .collect::<Result<Vec<_>, _>>()?;
    // A proportional font does as well: every sign stands in the middle of the widest one's cell.
    let cell = Frame {
        width: drawn.iter().map(Pixmap::width).max().unwrap_or(2),
        height: drawn.iter().map(Pixmap::height).max().unwrap_or(2),
    };
    let glyphs = drawn
        .iter()
        .map(|pixmap| {
            let mut luma = vec![16u8; (cell.width * cell.height) as usize];
            let left = (cell.width - pixmap.width()) / 2;
            for y in 0..pixmap.height() {
                for x in 0..pixmap.width() {
                    let alpha = pixmap.pixel(x, y).map_or(0, |p| u32::from(p.alpha()));
                    luma[(y * cell.width + left + x) as usize] = (16 + alpha * 219 / 255) as u8;
                }
            }
            luma
        })
        .collect();
    Ok((glyphs, cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(width: u32, height: u32) -> TestCard {
        gst::init().expect("GStreamer is installed");
        let canvas = Canvas::new(width, height, 30).expect("a canvas");
        TestCard::new(canvas, 1000).unwrap_or_else(|trouble| panic!("{trouble:?}"))
    }

    #[test]
    fn the_clock_and_the_counter_run_and_the_bars_stand() {
        for (width, height) in [(1280, 720), (720, 1280), (64, 64)] {
            let card = card(width, height);
            let bytes = |n, clock| {
                let picture = card.at(n, clock, n * 33).expect("a frame");
                picture.buffer.map_readable().expect("memory").to_vec()
            };
            let (one, two) = (bytes(100, "12:00:00.000"), bytes(101, "12:00:00.033"));
            let differing = one.iter().zip(&two).filter(|(a, b)| a != b).count();
            assert!(differing < one.len() / 10, "{width}×{height}: only digits change");
            if width > 64 {
                assert!(differing > 100, "{width}×{height}: digits change");
            }
            // Below the row of cells, above the digits.
            let bars = (width * height / 8) as usize..(width * height / 4) as usize;
            assert_eq!(one[bars.clone()], two[bars], "the bars stand");
        }
    }

    #[test]
    fn the_tone_is_at_minus_twenty_and_joins_without_a_step() {
        let card = card(64, 64);
        let samples = |first, count| -> Vec<f32> {
            let buffer = card.tone(first, count).expect("sound");
            let map = buffer.map_readable().expect("memory");
            map.chunks_exact(8)
                .map(|frame| f32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]))
                .collect()
        };
        let whole = samples(47_000, 2000);
        let peak = whole.iter().copied().fold(0.0, f32::max);
        assert!((peak - 0.1).abs() < 1e-4, "peak {peak}");
        let halves = [samples(47_000, 1234), samples(48_234, 766)].concat();
        assert_eq!(whole, halves, "cut anywhere, it is the same sound");
    }
}

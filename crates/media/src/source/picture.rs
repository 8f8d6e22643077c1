//! Pictures that the studio draws itself: RGBA in, the program's formats out.

use protocol::Frame;
use resvg::tiny_skia::Pixmap;

/// One picture in a format of the program.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    /// Without a frame rate: the edge adds the canvas's.
    pub(crate) format: gst_video::VideoFormat,
    pub(crate) frame: Frame,
    pub(crate) buffer: gst::Buffer,
}

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
#[error("lay out a picture of {width}×{height}")]
pub(crate) struct LayoutError {
    width: u32,
    height: u32,
}

impl LayoutError {
    pub(crate) fn of(frame: Frame) -> Self {
        Self {
            width: frame.width,
            height: frame.height,
        }
    }
}

impl Picture {
    /// From premultiplied RGBA: I420 when every pixel is opaque, A420 otherwise; BT.709, limited range.
    ///
    /// An odd last row or column is left out, since 4:2:0 has none. The colour of four pixels is weighted with
    /// their opacity (that is what premultiplied means), so that no edge takes the colour of what is transparent.
    pub(crate) fn from_pixmap(pixmap: &Pixmap) -> Result<Self, LayoutError> {
        let opaque = pixmap.data().chunks_exact(4).all(|pixel| pixel[3] == 255);
        let frame = Frame {
            width: pixmap.width() & !1,
            height: pixmap.height() & !1,
        };
        let format = if opaque {
            gst_video::VideoFormat::I420
        } else {
            gst_video::VideoFormat::A420
        };
        let error = LayoutError::of(frame);
        let Ok(info) = gst_video::VideoInfo::builder(format, frame.width, frame.height).build() else {
            return Err(error);
        };
        let Ok(mut buffer) = gst::Buffer::with_size(info.size()) else {
            return Err(error);
        };
        {
            let buffer = buffer.make_mut();
            let Ok(mut map) = buffer.map_writable() else {
                return Err(error);
            };
            fill(&info, pixmap, map.as_mut_slice());
        }
        Ok(Self {
            format,
            frame,
            buffer,
        })
    }
}

/// BT.709 with limited range, in 1/65536.
fn luma(r: u32, g: u32, b: u32) -> u8 {
    (((11_966 * r + 40_254 * g + 4_064 * b + 32_768) >> 16) + 16) as u8
}

fn chroma(r: u32, g: u32, b: u32) -> (u8, u8) {
    let (r, g, b) = (r as i32, g as i32, b as i32);
    let u = (-6_596 * r - 22_189 * g + 28_785 * b + 32_768) >> 16;
    let v = (28_785 * r - 26_145 * g - 2_640 * b + 32_768) >> 16;
    ((u + 128) as u8, (v + 128) as u8)
}

fn fill(info: &gst_video::VideoInfo, pixmap: &Pixmap, out: &mut [u8]) {
    let source = pixmap.data();
    let row_bytes = pixmap.width() as usize * 4;
    let (width, height) = (info.width() as usize, info.height() as usize);
    let plane = |n: usize| (info.offset()[n], info.stride()[n] as usize);
    let pixel = |x: usize, y: usize| -> [u32; 4] {
        let at = y * row_bytes + x * 4;
        [source[at], source[at + 1], source[at + 2], source[at + 3]].map(u32::from)
    };
    let straight = |[r, g, b, a]: [u32; 4]| -> [u32; 3] {
        match a {
            0 => [0, 0, 0],
            255 => [r, g, b],
            a => [r, g, b].map(|c| ((c * 255 + a / 2) / a).min(255)),
        }
    };
    let (y_offset, y_stride) = plane(0);
    for y in 0..height {
        let row = &mut out[y_offset + y * y_stride..][..width];
        for (x, value) in row.iter_mut().enumerate() {
            let [r, g, b] = straight(pixel(x, y));
            *value = luma(r, g, b);
        }
    }
    let ((u_offset, u_stride), (v_offset, v_stride)) = (plane(1), plane(2));
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| pixel(x * 2 + dx, y * 2 + dy));
            let sum = |n: usize| four.iter().map(|p| p[n]).sum::<u32>();
            let alpha = sum(3);
            let (u, v) = if alpha == 0 {
                (128, 128)
            } else {
                let mean = |n: usize| ((sum(n) * 255 + alpha / 2) / alpha).min(255);
                chroma(mean(0), mean(1), mean(2))
            };
            out[u_offset + y * u_stride + x] = u;
            out[v_offset + y * v_stride + x] = v;
        }
    }
    if info.has_alpha() {
        let (a_offset, a_stride) = plane(3);
        for y in 0..height {
            let row = &mut out[a_offset + y * a_stride..][..width];
            for (x, value) in row.iter_mut().enumerate() {
                *value = pixel(x, y)[3] as u8;
            }
        }
    }
}

/// The largest even frame of the shape `width`×`height` that fits into `room`; never larger than the shape itself
/// unless `enlarge`.
pub(crate) fn fitted(width: u32, height: u32, room: Frame, enlarge: bool) -> Frame {
    let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (room_w, room_h) = (u64::from(room.width), u64::from(room.height));
    if !enlarge && w <= room_w && h <= room_h {
        return even(w, h);
    }
    if w * room_h >= h * room_w {
        even(room_w, (h * room_w + w / 2) / w)
    } else {
        even((w * room_h + h / 2) / h, room_h)
    }
}

fn even(width: u64, height: u64) -> Frame {
    let side = |n: u64| (n as u32 & !1).max(2);
    Frame {
        width: side(width),
        height: side(height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(colours: &[[u8; 4]], width: u32) -> (Picture, Vec<u8>) {
        gst::init().expect("GStreamer is installed");
        let mut pixmap = Pixmap::new(width, colours.len() as u32 / width).expect("a size");
        for (pixel, colour) in pixmap.data_mut().chunks_exact_mut(4).zip(colours) {
            pixel.copy_from_slice(colour);
        }
        let picture = Picture::from_pixmap(&pixmap).expect("a picture");
        let bytes = picture.buffer.map_readable().expect("memory").to_vec();
        (picture, bytes)
    }

    #[test]
    fn colours_follow_bt709_in_limited_range() {
        // Values of ITU-R BT.709 for full white, black and the primaries.
        for (rgb, yuv) in [
            ([255, 255, 255], [235, 128, 128]),
            ([0, 0, 0], [16, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
        ] {
            let (picture, bytes) = picture(&[[rgb[0], rgb[1], rgb[2], 255]; 4], 2);
            assert_eq!(
                picture.format,
                gst_video::VideoFormat::I420,
                "opaque has no alpha"
            );
            let info = gst_video::VideoInfo::builder(picture.format, 2, 2)
                .build()
                .expect("info");
            let read = [0, 1, 2].map(|n| bytes[info.offset()[n]]);
            for n in 0..3 {
                assert!(
                    read[n].abs_diff(yuv[n]) <= 1,
                    "{rgb:?} became {read:?}, not {yuv:?}"
                );
            }
        }
    }

    #[test]
    fn transparent_neighbours_do_not_tint_an_edge() {
        let clear = [0, 0, 0, 0];
        let (picture, bytes) = picture(&[[255, 0, 0, 255], clear, clear, clear], 2);
        assert_eq!(picture.format, gst_video::VideoFormat::A420);
        let info = gst_video::VideoInfo::builder(picture.format, 2, 2)
            .build()
            .expect("info");
        assert!(
            bytes[info.offset()[2]].abs_diff(240) <= 1,
            "the red of the edge stays full red"
        );
        let alpha = info.offset()[3];
        assert_eq!((bytes[alpha], bytes[alpha + 1]), (255, 0));
    }

    #[test]
    fn fits_without_changing_the_shape() {
        let room = Frame {
            width: 1280,
            height: 720,
        };
        let frame = |width, height| Frame { width, height };
        assert_eq!(fitted(640, 360, room, false), frame(640, 360));
        assert_eq!(fitted(641, 361, room, false), frame(640, 360));
        assert_eq!(fitted(1920, 1080, room, false), frame(1280, 720));
        assert_eq!(fitted(1080, 1920, room, false), frame(404, 720));
        assert_eq!(fitted(16, 16, room, true), frame(720, 720));
        assert_eq!(fitted(10_000, 1, room, false), frame(1280, 2), "never nothing");
    }
}

//! Small JPEGs of a stream, for desks.

use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use gst::prelude::*;
use gst_utils::StreamProducer;
use gst_video::VideoFormat;
use gst_video::prelude::*;
use tokio::sync::watch;

use crate::program::lock;

const SECOND: u128 = 1_000_000_000;
/// What a desk's own thumbnails are compressed with.
const STILL_QUALITY: u32 = 80;
/// An encoder that has not answered after this is broken.
const ENCODE_TIMEOUT: gst::ClockTime = gst::ClockTime::from_seconds(2);

/// How pictures are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureOptions {
    /// Longer side in pixels; a smaller source keeps its size.
    pub long_side: u32,
    /// At most so many a second.
    pub fps: u32,
    /// JPEG quality, `1..=100`.
    pub quality: u32,
}

impl Default for PictureOptions {
    /// The desk's program picture: 640 pixels, 15 a second, quality 75.
    fn default() -> Self {
        Self {
            long_side: 640,
            fps: 15,
            quality: 75,
        }
    }
}

/// Why there is no JPEG.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The sample holds no raw video.
    #[error("make a picture: the sample is no raw video")]
    NoVideo,
    /// GStreamer lacks something, or the format cannot be converted.
    #[error("make a picture")]
    Build(#[from] gst::glib::BoolError),
    /// The encoder does not start.
    #[error("start the JPEG encoder")]
    Start(#[from] gst::StateChangeError),
    /// The encoder gave nothing back.
    #[error("encode a JPEG")]
    Encode,
}

/// JPEGs of a [`StreamProducer`], made only while somebody watches, on a thread of their own.
#[derive(Debug)]
pub struct PictureTap {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    producer: StreamProducer,
    options: PictureOptions,
    pictures: watch::Sender<Bytes>,
    /// Taken before `latest`.
    running: Mutex<Option<(gst::Pad, gst::PadProbeId)>>,
    latest: Mutex<Latest>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Latest {
    frame: Option<(gst::Buffer, gst::Caps)>,
    stop: bool,
}

impl PictureTap {
    /// Prepares; nothing runs yet.
    pub fn new(producer: &StreamProducer, options: PictureOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                producer: producer.clone(),
                options: PictureOptions {
                    long_side: options.long_side.max(16),
                    fps: options.fps.max(1),
                    quality: options.quality.clamp(1, 100),
                },
                pictures: watch::Sender::new(Bytes::new()),
                running: Mutex::new(None),
                latest: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    /// The latest picture, whenever there is a new one; empty until there is one. Making them ends with the last
    /// receiver.
    pub fn subscribe(&self) -> watch::Receiver<Bytes> {
        let mut running = lock(&self.shared.running);
        let receiver = self.shared.pictures.subscribe();
        if running.is_none() {
            *running = self.shared.listen();
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new()
                .name("pictures".to_owned())
                .spawn(move || shared.run());
            if let Err(error) = thread {
                tracing::error!(%error, "no thread for pictures");
                if let Some((pad, id)) = running.take() {
                    pad.remove_probe(id);
                }
            }
        }
        receiver
    }
}

impl Drop for PictureTap {
    fn drop(&mut self) {
        lock(&self.shared.latest).stop = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Has the streaming thread leave a frame whenever one is due.
    fn listen(self: &Arc<Self>) -> Option<(gst::Pad, gst::PadProbeId)> {
        if let Some(sample) = self.producer.last_sample()
            && let (Some(buffer), Some(caps)) = (sample.buffer_owned(), sample.caps_owned())
        {
            // A source that stands still has a picture too.
            lock(&self.latest).frame = Some((buffer, caps));
        }
        let pad = self.producer.appsink().static_pad("sink")?;
        let shared = Arc::downgrade(self);
        let fps = u128::from(self.options.fps);
        let previous = std::sync::atomic::AtomicU64::new(u64::MAX);
        let id = pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
            let Some(shared) = shared.upgrade() else {
                return gst::PadProbeReturn::Remove;
            };
            if let Some(gst::PadProbeData::Buffer(buffer)) = &info.data
                && let Some(pts) = buffer.pts()
            {
                let number = (u128::from(pts.nseconds()) * fps / SECOND) as u64;
                if previous.swap(number, std::sync::atomic::Ordering::Relaxed) != number
                    && let Some(caps) = pad.current_caps()
                {
                    lock(&shared.latest).frame = Some((buffer.clone(), caps));
                    shared.changed.notify_all();
                }
            }
            gst::PadProbeReturn::Ok
        })?;
        Some((pad, id))
    }

    fn run(&self) {
        let mut maker: Option<Maker> = None;
        loop {
            let frame = {
                let latest = lock(&self.latest);
                let waited = self
                    .changed
                    .wait_while(latest, |latest| latest.frame.is_none() && !latest.stop);
                let mut latest = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
                if latest.stop { None } else { latest.frame.take() }
            };
            {
                let mut running = lock(&self.running);
                if frame.is_none() || self.pictures.receiver_count() == 0 {
                    if let Some((pad, id)) = running.take() {
                        pad.remove_probe(id);
                    }
                    lock(&self.latest).frame = None;
                    // Who comes later is not shown what was long ago.
                    self.pictures.send_replace(Bytes::new());
                    return;
                }
            }
            let Some((buffer, caps)) = frame else { continue };
            if maker.as_ref().is_none_or(|maker| maker.caps != caps) {
                maker = match Maker::new(&caps, self.options.long_side, self.options.quality) {
                    Ok(maker) => Some(maker),
                    Err(error) => {
                        tracing::error!(%error, %caps, "no pictures of this stream");
                        None
                    }
                };
            }
            let Some(maker) = &mut maker else { continue };
            match maker.jpeg(&buffer) {
                Ok(jpeg) => drop(self.pictures.send_replace(jpeg)),
                Err(error) => tracing::warn!(%error, "a picture was left out"),
            }
        }
    }
}

/// One JPEG of a sample of raw video, the longer side at most `long_side` pixels.
///
/// # Errors
/// [`PictureError`] when the sample is no raw video or GStreamer has no JPEG encoder.
pub fn jpeg_of(sample: &gst::Sample, long_side: u32) -> Result<Bytes, PictureError> {
    let (Some(buffer), Some(caps)) = (sample.buffer_owned(), sample.caps_owned()) else {
        return Err(PictureError::NoVideo);
    };
    Maker::new(&caps, long_side, STILL_QUALITY)?.jpeg(&buffer)
}

/// Scales, adapts the colours to JFIF and encodes.
struct Maker {
    caps: gst::Caps,
    input: gst_video::VideoInfo,
    output: gst_video::VideoInfo,
    converter: gst_video::VideoConverter,
    colours: Option<ToJfif>,
    pipeline: gst::Pipeline,
    appsrc: gst_app::AppSrc,
    appsink: gst_app::AppSink,
    count: u64,
}

impl Maker {
    fn new(caps: &gst::Caps, long_side: u32, quality: u32) -> Result<Self, PictureError> {
        let info = gst_video::VideoInfo::from_caps(caps).map_err(|_| PictureError::NoVideo)?;
        let input = gst_video::VideoInfo::builder_from_info(&info)
            .fps(gst::Fraction::new(0, 1))
            .interlace_mode(gst_video::VideoInterlaceMode::Progressive)
            .build()?;
        // JFIF knows one way to write colours: BT.601, full range.
        let jfif = gst_video::VideoColorimetry::new(
            gst_video::VideoColorRange::Range0_255,
            gst_video::VideoColorMatrix::Bt601,
            gst_video::VideoTransferFunction::Unknown,
            gst_video::VideoColorPrimaries::Unknown,
        );
        let colours = ToJfif::from(&info);
        let (width, height) = size_within(&info, long_side);
        let output = |colorimetry: &gst_video::VideoColorimetry| {
            gst_video::VideoInfo::builder(VideoFormat::I420, width, height)
                .fps(gst::Fraction::new(0, 1))
                .colorimetry(colorimetry)
                .build()
        };
        // The converter is fast as long as it only scales; one pass over the small picture does the rest.
        let scaled = output(&if colours.is_some() {
            info.colorimetry()
        } else {
            jfif
        })?;
        let mut config = gst_video::VideoConverterConfig::new();
        config.set_resampler_method(gst_video::VideoResamplerMethod::Linear);
        config.set_dither_method(gst_video::VideoDitherMethod::None);
        let converter = gst_video::VideoConverter::new(&input, &scaled, Some(config))?;

        let pipeline = gst::Pipeline::new();
        let appsrc = gst_app::AppSrc::builder()
            .caps(&output(&jfif)?.to_caps()?)
            .format(gst::Format::Time)
            .build();
        let encoder = gst::ElementFactory::make("jpegenc")
            .property("quality", quality as i32)
            .build()?;
        let appsink = gst_app::AppSink::builder().sync(false).async_(false).build();
        pipeline.add_many([
            appsrc.upcast_ref::<gst::Element>(),
            &encoder,
            appsink.upcast_ref(),
        ])?;
        gst::Element::link_many([
            appsrc.upcast_ref::<gst::Element>(),
            &encoder,
            appsink.upcast_ref(),
        ])?;
        pipeline.set_state(gst::State::Playing)?;
        Ok(Self {
            caps: caps.clone(),
            input,
            output: scaled,
            converter,
            colours,
            pipeline,
            appsrc,
            appsink,
            count: 0,
        })
    }

    fn jpeg(&mut self, from: &gst::Buffer) -> Result<Bytes, PictureError> {
        let mut buffer = gst::Buffer::with_size(self.output.size())?;
        {
            let small = buffer.get_mut().ok_or(PictureError::Encode)?;
            small.set_pts(gst::ClockTime::from_mseconds(self.count));
            self.count += 1;
            let from = gst_video::VideoFrameRef::from_buffer_ref_readable(from, &self.input)?;
            let mut to = gst_video::VideoFrameRef::from_buffer_ref_writable(small, &self.output)?;
            self.converter.frame_ref(&from, &mut to);
            if let Some(colours) = &self.colours {
                let strides: [usize; 3] = std::array::from_fn(|i| to.plane_stride()[i] as usize);
                let (width, height) = (to.width() as usize, to.height() as usize);
                let [y, u, v, _] = to.planes_data_mut();
                colours.apply(width, height, y, [u, v], strides);
            }
        }
        self.appsrc
            .push_buffer(buffer)
            .map_err(|_| PictureError::Encode)?;
        let sample = self
            .appsink
            .try_pull_sample(ENCODE_TIMEOUT)
            .ok_or(PictureError::Encode)?;
        let map = sample
            .buffer()
            .and_then(|buffer| buffer.map_readable().ok())
            .ok_or(PictureError::Encode)?;
        Ok(Bytes::copy_from_slice(&map))
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::debug!(%error, "a JPEG encoder did not stop");
        }
    }
}

/// Even size of the shown shape (wide pixels made square) within `long_side`.
fn size_within(info: &gst_video::VideoInfo, long_side: u32) -> (u32, u32) {
    let par = info.par();
    let shown = f64::from(info.width()) * f64::from(par.numer().max(1)) / f64::from(par.denom().max(1));
    let scale = (f64::from(long_side) / shown.max(f64::from(info.height()))).min(1.0);
    let even = |side: f64| ((side * scale / 2.0).round() as u32 * 2).max(2);
    (even(shown), even(f64::from(info.height())))
}

/// From another way to write YCbCr to that of JFIF, in 1/4096.
#[derive(Debug, PartialEq, Eq)]
struct ToJfif {
    black: i32,
    luma: [i32; 3],
    chroma: [[i32; 2]; 2],
}

impl ToJfif {
    /// `None` where the converter is to do it: not YCbCr, or JFIF's already.
    fn from(info: &gst_video::VideoInfo) -> Option<Self> {
        use gst_video::{VideoColorMatrix as Matrix, VideoColorRange as Range};
        let colorimetry = info.colorimetry();
        let (kr, kb) = match colorimetry.matrix() {
            Matrix::Bt709 => (0.2126, 0.0722),
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt2020 => (0.2627, 0.0593),
            _ => return None,
        };
        let full = colorimetry.range() == Range::Range0_255;
        if !info.is_yuv() || info.comp_depth(0) != 8 || (full && colorimetry.matrix() == Matrix::Bt601) {
            return None;
        }
        // Grey stays grey, so brightness has a share in brightness only.
        let turned = |cb: f64, cr: f64| {
            let red = 2.0 * (1.0 - kr) * cr;
            let blue = 2.0 * (1.0 - kb) * cb;
            let green = -(kr * red + kb * blue) / (1.0 - kr - kb);
            let y = 0.299 * red + 0.587 * green + 0.114 * blue;
            [y, (blue - y) / 1.772, (red - y) / 1.402]
        };
        let (luma_scale, chroma_scale) = if full {
            (1.0, 1.0)
        } else {
            (255.0 / 219.0, 255.0 / 224.0)
        };
        let (cb, cr) = (turned(1.0, 0.0), turned(0.0, 1.0));
        let fixed = |value: f64| (value * 4096.0).round() as i32;
        Some(Self {
            black: if full { 0 } else { 16 },
            luma: [
                fixed(luma_scale),
                fixed(cb[0] * chroma_scale),
                fixed(cr[0] * chroma_scale),
            ],
            chroma: [
                [fixed(cb[1] * chroma_scale), fixed(cr[1] * chroma_scale)],
                [fixed(cb[2] * chroma_scale), fixed(cr[2] * chroma_scale)],
            ],
        })
    }

    fn apply(&self, width: usize, height: usize, y: &mut [u8], [u, v]: [&mut [u8]; 2], strides: [usize; 3]) {
        let byte = |value: i32| ((value + 2048) >> 12).clamp(0, 255) as u8;
        for row in 0..height / 2 {
            let u = &mut u[row * strides[1]..][..width / 2];
            let v = &mut v[row * strides[2]..][..width / 2];
            let lines = &mut y[2 * row * strides[0]..];
            let (upper, lower) = lines.split_at_mut(strides[0]);
            for (column, (u, v)) in u.iter_mut().zip(v).enumerate() {
                let (cb, cr) = (i32::from(*u) - 128, i32::from(*v) - 128);
                let shift = self.luma[1] * cb + self.luma[2] * cr;
                for line in [&mut *upper, &mut *lower] {
                    for y in &mut line[2 * column..2 * column + 2] {
                        *y = byte((i32::from(*y) - self.black) * self.luma[0] + shift);
                    }
                }
                *u = byte(self.chroma[0][0] * cb + self.chroma[0][1] * cr + (128 << 12));
                *v = byte(self.chroma[1][0] * cb + self.chroma[1][1] * cr + (128 << 12));
            }
        }
    }
}

#[cfg(test)]
mod tests;

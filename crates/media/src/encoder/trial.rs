//! Encodes a few frames to see whether, and how fast, an encoder works.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::prelude::*;
use protocol::Canvas;

use super::candidates::{Candidate, VideoSettings, profile_name};

/// Frames of the moving test picture; they are encoded to and fro.
const PICTURES: usize = 4;

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// Encoded frames.
    pub frames: usize,
    /// Processor time of each frame after the first, for an encoder that works on its caller's thread.
    pub busy: Vec<Duration>,
}

/// Why an encoder does not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrialError {
    #[error("set the encoder up")]
    SetUp(#[from] gst::glib::BoolError),
    #[error("start the encoder")]
    Start(#[from] gst::StateChangeError),
    #[error("encode: {0}")]
    Broken(gst::glib::Error),
}

/// Pushes up to `frames` of `pictures`, to and fro, through the encoder, and stops early when `within` is over.
pub(super) fn run(
    candidate: &Candidate,
    settings: &VideoSettings,
    pictures: &[gst::Buffer],
    frames: usize,
    within: Duration,
) -> Result<Trial, TrialError> {
    let pipeline = gst::Pipeline::new();
    let result = run_in(&pipeline, candidate, settings, pictures, frames, within);
    let _ = pipeline.set_state(gst::State::Null);
    result
}

fn run_in(
    pipeline: &gst::Pipeline,
    candidate: &Candidate,
    settings: &VideoSettings,
    pictures: &[gst::Buffer],
    frames: usize,
    within: Duration,
) -> Result<Trial, TrialError> {
    let encoder = candidate
        .make(settings)
        .ok_or_else(|| gst::glib::bool_error!("the element is not installed"))?;
    let canvas = settings.canvas;
    let raw = gst::Caps::builder("video/x-raw")
        .field("format", "I420")
        .field("width", canvas.width() as i32)
        .field("height", canvas.height() as i32)
        .field("framerate", gst::Fraction::new(canvas.fps() as i32, 1))
        .build();
    let source = gst_app::AppSrc::builder()
        .caps(&raw)
        .format(gst::Format::Time)
        .build();
    let profile = gst::Caps::builder("video/x-h264")
        .field("profile", profile_name(settings.profile))
        .build();
    let filter = gst::ElementFactory::make("capsfilter")
        .property("caps", profile)
        .build()?;
    let sink = gst_app::AppSink::builder().sync(false).async_(false).build();
    let convert = gst::ElementFactory::make("videoconvert").build()?;
    let chain = [
        source.upcast_ref(),
        &convert,
        &encoder,
        &filter,
        sink.upcast_ref(),
    ];
    pipeline.add_many(chain)?;
    gst::Element::link_many(chain)?;
    let seen = watch(&encoder);
    let begun = Instant::now();
    pipeline.set_state(gst::State::Playing)?;
    let bus = pipeline.bus();
    let mut pushed = 0;
    for (n, picture) in to_and_fro(pictures).take(frames).enumerate() {
        let mut buffer = picture.clone();
        let inner = buffer.make_mut();
        let at = |n: usize| gst::ClockTime::from_nseconds(n as u64 * 1_000_000_000 / u64::from(canvas.fps()));
        inner.set_pts(at(n));
        inner.set_duration(at(n + 1) - at(n));
        if source.push_buffer(buffer).is_err() {
            break;
        }
        pushed = n + 1;
        // One at a time: a queue of raw 4K frames would be a gigabyte.
        while source.current_level_buffers() > 0 && begun.elapsed() < within {
            if let Some(error) = bus.as_ref().and_then(error_on) {
                return Err(TrialError::Broken(error));
            }
            // The encoder needs the processor more than whoever waits for it.
            std::thread::sleep(Duration::from_micros(200));
        }
        if begun.elapsed() >= within {
            break;
        }
    }
    tracing::trace!(encoder = candidate.element, pushed, "frames tried");
    let drained = candidate.keeps_frames();
    if drained {
        let _ = source.end_of_stream();
    }
    let left = within
        .saturating_sub(begun.elapsed())
        .max(Duration::from_millis(200));
    let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
    let limit = gst::ClockTime::from_nseconds(left.as_nanos() as u64);
    let mut frames = 0;
    let ended = begun + within.max(left);
    while let Some(sample) = sink.try_pull_sample(limit) {
        frames += usize::from(sample.buffer().is_some_and(|buffer| buffer.size() > 0));
        if Instant::now() > ended || (!drained && frames >= pushed) {
            break;
        }
    }
    if let Some(message) = bus.and_then(|bus| bus.timed_pop_filtered(gst::ClockTime::ZERO, &wanted))
        && let gst::MessageView::Error(error) = message.view()
    {
        return Err(TrialError::Broken(error.error()));
    }
    let busy = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Trial { frames, busy })
}

fn error_on(bus: &gst::Bus) -> Option<gst::glib::Error> {
    let message = bus.pop_filtered(&[gst::MessageType::Error])?;
    match message.view() {
        gst::MessageView::Error(error) => Some(error.error()),
        _ => None,
    }
}

/// Measures from a frame's arrival at the encoder to the departure of what it makes of it, on the same thread.
fn watch(encoder: &gst::Element) -> Arc<Mutex<Vec<Duration>>> {
    let busy = Arc::new(Mutex::new(Vec::new()));
    let arrived = Arc::new(Mutex::new(None::<Duration>));
    let (Some(sink), Some(src)) = (encoder.static_pad("sink"), encoder.static_pad("src")) else {
        return busy;
    };
    let set = arrived.clone();
    sink.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        *set.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread_time());
        gst::PadProbeReturn::Ok
    });
    let collect = busy.clone();
    let first = std::sync::atomic::AtomicBool::new(true);
    src.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The first frame pays for setting up, and is a keyframe.
        if let Some(arrived) = arrived
            && !first.swap(false, std::sync::atomic::Ordering::Relaxed)
        {
            collect
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(thread_time().saturating_sub(arrived));
        }
        gst::PadProbeReturn::Ok
    });
    busy
}

fn to_and_fro(pictures: &[gst::Buffer]) -> impl Iterator<Item = &gst::Buffer> {
    pictures.iter().chain(pictures.iter().rev()).cycle()
}

/// Side of the texture that pictures are tiled with.
const TILE: usize = 256;

/// A textured picture that pans, with a little grain: about as hard to encode as a film.
pub(super) fn pictures(canvas: Canvas) -> Vec<gst::Buffer> {
    let (width, height) = (canvas.width() as usize, canvas.height() as usize);
    let tile: Vec<u8> = (0..TILE * TILE).map(|n| texture(n % TILE, n / TILE)).collect();
    let mut seed = 0x2545_f491_u32;
    let mut grain = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 30) as u8
    };
    let grain: Vec<u8> = (0..4099).map(|_| grain()).collect();
    (0..PICTURES)
        .map(|n| {
            let mut bytes = vec![128; width * height * 3 / 2];
            for (y, row) in bytes[..width * height].chunks_exact_mut(width).enumerate() {
                let line = &tile[(y + 2 * n) % TILE * TILE..][..TILE];
                // A row of its own length and start in the grain, so that no two pictures have the same.
                let grain = grain.iter().cycle().skip((y * 97 + n * 1031) % 4099);
                let texture = line.iter().cycle().skip(5 * n);
                for ((pixel, texture), grain) in row.iter_mut().zip(texture).zip(grain) {
                    *pixel = texture + grain;
                }
            }
            gst::Buffer::from_mut_slice(bytes)
        })
        .collect()
}

/// Soft shapes of three sizes, `0..=235`.
fn texture(x: usize, y: usize) -> u8 {
    let lattice = |shift: usize| {
        let corner = |x: usize, y: usize| {
            // The tile repeats without a seam.
            let (x, y) = (x % (TILE >> shift), y % (TILE >> shift));
            let mixed = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca6b);
            ((mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d) >> 24) as usize
        };
        let (cx, cy) = (x >> shift, y >> shift);
        let size = 1 << shift;
        let (fx, fy) = (x & (size - 1), y & (size - 1));
        let top = corner(cx, cy) * (size - fx) + corner(cx + 1, cy) * fx;
        let bottom = corner(cx, cy + 1) * (size - fx) + corner(cx + 1, cy + 1) * fx;
        (top * (size - fy) + bottom * fy) >> (2 * shift)
    };
    ((lattice(6) * 4 + lattice(4) * 2 + lattice(3)) / 8).min(235) as u8
}

/// Processor time of this thread where the system tells it: then other programs do not matter.
fn thread_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(
            u64::try_from(time.tv_sec).unwrap_or(0),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        )
    }
    #[cfg(not(unix))]
    {
        use std::sync::LazyLock;
        static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGIN.elapsed()
    }
}

//! The thread that composes: one frame a tick, whatever the sources do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use gst::prelude::*;
use gst_utils::StreamProducer;
use protocol::{Frame, ItemId, Placement, SourceId, Transition};

use super::blend::{self, CanvasMut, OPAQUE};
use super::gpu::{self, Compositing, Draw, Gpu};
use super::lateness::LateFrames;
use super::layer::{Layer, canvas_frame};
use super::outlet::{Inlet, Outlet};
use super::overlay::{OverlaySink, Overlays, PlacedOverlay};
use super::tap::{SourceFrame, VideoTap, Wake, lock};
use super::{Layout, ProgramCounters, ProgramError, ProgramEvent, geometry};
use crate::StudioClock;

const SECOND: u64 = 1_000_000_000;
/// A new source may take so long to its first frame before it is shown without one.
const FIRST_FRAME: u64 = 100_000_000;
/// So many frame times behind, frames are repeated instead of composed until the program has caught up.
const BEHIND: u64 = 3;

type OnEvent = Arc<dyn Fn(ProgramEvent) + Send + Sync>;

/// Composes layouts to one stream of frames.
#[derive(Debug)]
pub(crate) struct Composer {
    outlet: Outlet,
    size: Frame,
    fps: u32,
    clock: StudioClock,
    shared: Arc<Shared>,
    /// Never touched by the thread.
    taps: Mutex<HashMap<SourceId, Arc<VideoTap>>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    stop: AtomicBool,
    wake: Arc<Wake>,
    change: Mutex<Option<Change>>,
    frames: AtomicU64,
    late_frames: AtomicU64,
    /// Nanoseconds, smoothed.
    compose_time: AtomicU64,
    /// Nanoseconds between frames, smoothed.
    interval: AtomicU64,
    /// A graphics card that has proved itself, until the thread takes it.
    gpu: Mutex<Option<Gpu>>,
    compositing: Mutex<Compositing>,
    /// What is to lie over the picture, until the thread takes it.
    pub(super) overlays: Mutex<Option<Vec<PlacedOverlay>>>,
}

#[derive(Debug)]
struct Change {
    items: Vec<NewItem>,
    transition: Transition,
    /// It replaces a fade that never began, and whose end somebody waits for.
    replaces_fade: bool,
}

#[derive(Debug)]
struct NewItem {
    id: ItemId,
    tap: Option<Arc<VideoTap>>,
    placement: Placement,
}

impl Composer {
    pub fn start(
        name: &'static str,
        size: Frame,
        fps: u32,
        clock: &StudioClock,
        on_event: OnEvent,
    ) -> Result<Self, ProgramError> {
        let info = canvas_info(size, fps)?;
        let canvas = Canvas::new(info)?;
        let caps = canvas.info.to_caps()?;
        let failed = on_event.clone();
        let (outlet, inlet) = Outlet::start(name, &caps, clock, move |error| {
            failed(ProgramEvent::Failed(error))
        })?;
        let shared = Arc::new(Shared::default());
        let thread = Thread {
            shared: shared.clone(),
            clock: clock.clone(),
            inlet,
            on_event,
            fps: u64::from(fps),
            canvas,
            items: Vec::new(),
            fade: None,
            last: None,
            overlays: Overlays::default(),
            covered: None,
            gpu: None,
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || thread.run())
            .map_err(ProgramError::Thread)?;
        Ok(Self {
            outlet,
            size,
            fps,
            clock: clock.clone(),
            shared,
            taps: Mutex::default(),
            thread: Some(thread),
        })
    }

    pub fn producer(&self) -> &StreamProducer {
        self.outlet.producer()
    }

    pub fn compositing(&self) -> Compositing {
        *lock(&self.shared.compositing)
    }

    /// Tries the graphics card beside the running program, and gives it the work if it is quicker.
    pub fn look_for_gpu(&self) -> Result<(), ProgramError> {
        let exists = |name: &str| gst::ElementFactory::find(name).is_some();
        let candidates = gpu::candidates(exists, gpu::has_card());
        if candidates.is_empty() {
            return Ok(());
        }
        let info = canvas_info(self.size, self.fps)?;
        let canvas = Canvas::new(info)?;
        let shared = Arc::downgrade(&self.shared);
        // Not joined: a driver that hangs must not hold up the end of the program. It ends by its time-outs.
        std::thread::Builder::new()
            .name("graphics-card".to_owned())
            .spawn(move || {
                let (compositing, found) = gpu::find(&candidates, &canvas.info, |draws| canvas.trial(draws));
                tracing::info!(?compositing, "composing");
                if let (Some(shared), Some(found)) = (shared.upgrade(), found) {
                    *lock(&shared.compositing) = compositing;
                    *lock(&shared.gpu) = Some(found);
                }
            })
            .map_err(ProgramError::Thread)?;
        Ok(())
    }

    pub fn show(&self, layout: Layout, transition: Transition) {
        let mut taps = lock(&self.taps);
        let mut used = HashMap::new();
        let mut items = Vec::with_capacity(layout.items.len());
        for item in layout.items {
            let tap = item.video.map(|producer| {
                used.entry(item.source.clone())
                    .or_insert_with(|| match taps.get(&item.source) {
                        Some(tap) if tap.listens_to(&producer) => tap.clone(),
                        _ => Arc::new(VideoTap::new(&producer, &self.clock, self.shared.wake.clone())),
                    })
                    .clone()
            });
            items.push(NewItem {
                id: item.id,
                tap,
                placement: item.placement,
            });
        }
        *taps = used;
        // Under the lock of the taps, so that two callers' layouts stay in one order.
        let mut pending = lock(&self.shared.change);
        let replaces_fade = pending.as_ref().is_some_and(|change| {
            change.replaces_fade || matches!(change.transition, Transition::Fade { .. })
        });
        *pending = Some(Change {
            items,
            transition,
            replaces_fade,
        });
    }

    /// The way to what lies over the picture.
    pub fn overlays(&self) -> OverlaySink {
        OverlaySink(Arc::downgrade(&self.shared))
    }

    pub fn counters(&self) -> ProgramCounters {
        let interval = self.shared.interval.load(Ordering::Relaxed);
        ProgramCounters {
            frames: self.shared.frames.load(Ordering::Relaxed),
            late_frames: self.shared.late_frames.load(Ordering::Relaxed),
            fps: match interval {
                0 => 0.0,
                // Catching up is no higher rate.
                _ => (SECOND as f64 / interval as f64).min(f64::from(self.fps)),
            },
            compose_time: Duration::from_nanos(self.shared.compose_time.load(Ordering::Relaxed)),
        }
    }
}

impl Drop for Composer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.wake.notify();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the composing thread had panicked");
        }
    }
}

fn canvas_info(size: Frame, fps: u32) -> Result<gst_video::VideoInfo, ProgramError> {
    Ok(
        gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, size.width, size.height)
            .fps(gst::Fraction::new(fps as i32, 1))
            .par(gst::Fraction::new(1, 1))
            .interlace_mode(gst_video::VideoInterlaceMode::Progressive)
            // One answer for every size, so that a player never has to guess from the number of lines.
            .colorimetry(&gst_video::VideoColorimetry::new(
                gst_video::VideoColorRange::Range16_235,
                gst_video::VideoColorMatrix::Bt709,
                gst_video::VideoTransferFunction::Bt709,
                gst_video::VideoColorPrimaries::Bt709,
            ))
            .chroma_site(gst_video::VideoChromaSite::MPEG2)
            .build()?,
    )
}

/// One item that is on the canvas.
struct Item {
    id: ItemId,
    tap: Option<Arc<VideoTap>>,
    placement: Placement,
    opacity: u32,
    /// This tick's.
    frame: Option<SourceFrame>,
    layer: Layer,
}

struct Fade {
    from: From,
    /// Number of the first frame that is mixed, and how many are.
    start: u64,
    frames: u64,
}

enum From {
    Items(Vec<Item>),
    /// What was seen when a fade was cut short by another.
    Still(gst::Buffer),
}

struct Canvas {
    info: gst_video::VideoInfo,
    pool: gst_video::VideoBufferPool,
}

struct Thread {
    shared: Arc<Shared>,
    clock: StudioClock,
    inlet: Inlet,
    on_event: OnEvent,
    fps: u64,
    canvas: Canvas,
    items: Vec<Item>,
    fade: Option<Fade>,
    /// The last picture, without what lies over it.
    last: Option<gst::Buffer>,
    overlays: Overlays,
    /// A picture, and the same with the overlays over it.
    covered: Option<(gst::Buffer, gst::Buffer)>,
    gpu: Option<Gpu>,
}

impl Thread {
    fn run(mut self) {
        let frame_time = SECOND / self.fps;
        let mut n = (u128::from(self.now()) * u128::from(self.fps)).div_ceil(u128::from(SECOND)) as u64;
        let mut late = LateFrames::default();
        let mut previous = None;
        // A new scene counts as one that was not composed yet.
        let mut stale = true;
        loop {
            let tick = self.time_of(n);
            if !self.wait_for_tick(tick) {
                return;
            }
            stale |= self.take_change(n);
            if let Some(overlays) = lock(&self.shared.overlays).take() {
                self.overlays.set(overlays, tick, frame_time);
            }
            self.overlays.advance(tick);
            let allowed = self.wait_for_sources(tick, frame_time / 2);
            let begun = self.now();
            let behind = begun.saturating_sub(tick + allowed) > BEHIND * frame_time;
            let buffer = match self.last.clone() {
                Some(last) if behind => Some(last),
                _ => {
                    let changed = self.update(tick, frame_time / 2);
                    match self.last.clone() {
                        Some(last) if !changed && !stale && self.fade.is_none() => Some(last),
                        _ => {
                            stale = false;
                            self.compose(n)
                        }
                    }
                }
            };
            let Some(buffer) = buffer else {
                tracing::error!("no memory for a frame");
                n += 1;
                continue;
            };
            let covered = self.covered(&buffer, behind);
            let done = self.now();
            if !self.push(buffer, &covered, n) {
                return;
            }
            let allowed = allowed.max(frame_time / 2);
            let lost = late.on_frame(tick + allowed, done, frame_time);
            self.shared.late_frames.fetch_add(lost, Ordering::Relaxed);
            self.shared.frames.fetch_add(1, Ordering::Relaxed);
            smooth(&self.shared.compose_time, done - begun);
            if let Some(previous) = previous.replace(done) {
                smooth(&self.shared.interval, done - previous);
            }
            // Only what was waited for on purpose: being late by accident is no latency.
            self.inlet.on_latency(frame_time + allowed);
            self.end_fade(n);
            n += 1;
        }
    }

    fn now(&self) -> u64 {
        self.clock.running_time().nseconds()
    }

    fn time_of(&self, n: u64) -> u64 {
        (u128::from(n) * u128::from(SECOND) / u128::from(self.fps)) as u64
    }

    /// `false` when it is over.
    fn wait_for_tick(&self, tick: u64) -> bool {
        loop {
            if self.shared.stop.load(Ordering::Relaxed) {
                return false;
            }
            match tick.checked_sub(self.now()) {
                None | Some(0) => return true,
                // The clock is the master here: this is the beat, not a wait for somebody.
                Some(left) => std::thread::sleep(Duration::from_nanos(left)),
            }
        }
    }

    /// Waits until every source that is shown has its frame, at most as long as each usually takes. How long past
    /// the tick that may be.
    fn wait_for_sources(&self, tick: u64, half: u64) -> u64 {
        loop {
            let seen = self.shared.wake.count();
            let now = self.now();
            let (mut settled, mut allowed) = (true, 0);
            for tap in self.all_items().filter_map(|item| item.tap.as_ref()) {
                let picked = tap.pick(tick, half, now);
                settled &= picked.settled;
                allowed = allowed.max(picked.allowance);
            }
            let left = (tick + allowed).saturating_sub(now);
            if settled || left == 0 || self.shared.stop.load(Ordering::Relaxed) {
                return allowed;
            }
            self.shared.wake.wait(seen, Duration::from_nanos(left));
        }
    }

    fn all_items(&self) -> impl Iterator<Item = &Item> {
        let leaving: &[Item] = match &self.fade {
            Some(Fade {
                from: From::Items(items),
                ..
            }) => items,
            _ => &[],
        };
        leaving.iter().chain(&self.items)
    }

    /// Puts a new layout on, if there is one and its sources have pictures.
    fn take_change(&mut self, n: u64) -> bool {
        let now = self.now();
        let change = {
            let mut pending = lock(&self.shared.change);
            let ready = pending.as_ref().is_some_and(|change| {
                change
                    .items
                    .iter()
                    .filter_map(|item| item.tap.as_ref())
                    .all(|tap| tap.has_picture() || now > tap.since + FIRST_FRAME)
            });
            if !ready {
                return false;
            }
            pending.take()
        };
        let Some(change) = change else { return false };
        let asks_fade = change.replaces_fade || matches!(change.transition, Transition::Fade { .. });
        if self.shows(&change.items) {
            // Nothing to change; a fade that leads here goes on.
            if asks_fade && self.fade.is_none() {
                (self.on_event)(ProgramEvent::FadeEnded);
            }
            return false;
        }
        let mut before = std::mem::take(&mut self.items);
        let fade = match change.transition {
            Transition::Cut => None,
            Transition::Fade { ms } => Some((u64::from(ms) * self.fps).div_ceil(1000).max(1)),
        };
        self.items = change
            .items
            .into_iter()
            .map(|new| {
                // On a cut, an item that stays keeps its scaled picture. A fade needs both.
                let same = |item: &Item| match (&item.tap, &new.tap) {
                    (Some(old), Some(tap)) => item.id == new.id && Arc::ptr_eq(old, tap),
                    _ => false,
                };
                let layer = match fade {
                    None => before
                        .iter_mut()
                        .find(|item| same(item))
                        .map(|item| std::mem::take(&mut item.layer)),
                    Some(_) => None,
                };
                Item {
                    id: new.id,
                    tap: new.tap,
                    placement: new.placement,
                    opacity: (new.placement.opacity.clamp(0.0, 1.0) * OPAQUE as f32).round() as u32,
                    frame: None,
                    layer: layer.unwrap_or_default(),
                }
            })
            .collect();
        let interrupted = self.fade.is_some();
        self.fade = fade.map(|frames| Fade {
            from: match self.last.clone() {
                Some(last) if interrupted => From::Still(last),
                _ => From::Items(before),
            },
            start: n,
            frames,
        });
        if (interrupted || change.replaces_fade) && self.fade.is_none() {
            (self.on_event)(ProgramEvent::FadeEnded);
        }
        true
    }

    fn shows(&self, items: &[NewItem]) -> bool {
        let same_tap = |a: &Option<Arc<VideoTap>>, b: &Option<Arc<VideoTap>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        self.items.len() == items.len()
            && self.items.iter().zip(items).all(|(old, new)| {
                old.id == new.id && old.placement == new.placement && same_tap(&old.tap, &new.tap)
            })
    }

    fn end_fade(&mut self, n: u64) {
        if self
            .fade
            .as_ref()
            .is_some_and(|fade| n + 1 >= fade.start + fade.frames)
        {
            self.fade = None;
            // The next frame is the first without the old scene, and must not repeat the mixture.
            self.last = None;
            (self.on_event)(ProgramEvent::FadeEnded);
        }
    }

    /// Takes in the frames of this tick; whether anything looks different.
    fn update(&mut self, tick: u64, half: u64) -> bool {
        let now = self.now();
        let leaving: &mut [Item] = match &mut self.fade {
            Some(Fade {
                from: From::Items(items),
                ..
            }) => items,
            _ => &mut [],
        };
        let mut changed = false;
        for item in leaving.iter_mut().chain(&mut self.items) {
            let frame = item.tap.as_ref().and_then(|tap| tap.pick(tick, half, now).frame);
            changed |= match (&item.frame, &frame) {
                (Some(before), Some(frame)) => !before.same_picture(frame),
                (before, frame) => before.is_some() != frame.is_some(),
            };
            item.frame = frame;
        }
        changed
    }

    fn compose(&mut self, n: u64) -> Option<gst::Buffer> {
        if let Some(gpu) = lock(&self.shared.gpu).take() {
            self.gpu = Some(gpu);
        }
        let to = compose(&self.canvas, &mut self.gpu, &self.shared, &mut self.items)?;
        let Some(fade) = &mut self.fade else {
            return Some(to);
        };
        let from = match &mut fade.from {
            From::Items(items) => compose(&self.canvas, &mut self.gpu, &self.shared, items)?,
            From::Still(buffer) => buffer.clone(),
        };
        // The first mixed frame has moved already, the last not quite arrived.
        let share = (n - fade.start + 1) * u64::from(OPAQUE) / (fade.frames + 1);
        self.canvas.mix(&from, &to, share as u32)
    }

    /// The picture with the overlays over it; without any, the picture itself.
    fn covered(&mut self, picture: &gst::Buffer, behind: bool) -> gst::Buffer {
        let moved = self.overlays.take_moved();
        if self.overlays.is_empty() {
            self.covered = None;
            return picture.clone();
        }
        // While the program catches up, a movement may skip a frame: the last picture is sent again as it was.
        if let Some((of, covered)) = &self.covered
            && (!moved || behind)
            && of.as_ptr() == picture.as_ptr()
        {
            return covered.clone();
        }
        match self.canvas.cover(picture, &self.overlays) {
            Some(covered) => {
                self.covered = Some((picture.clone(), covered.clone()));
                covered
            }
            None => {
                tracing::error!("no memory for overlays");
                picture.clone()
            }
        }
    }

    /// Sends the picture, covered as it is, with the tick's time.
    fn push(&mut self, picture: gst::Buffer, covered: &gst::BufferRef, n: u64) -> bool {
        let mut buffer = covered.copy();
        if let Some(buffer) = buffer.get_mut() {
            let pts = self.time_of(n);
            buffer.set_pts(gst::ClockTime::from_nseconds(pts));
            buffer.set_dts(None);
            buffer.set_duration(gst::ClockTime::from_nseconds(self.time_of(n + 1) - pts));
            buffer.set_offset(n);
            buffer.set_offset_end(n + 1);
            buffer.unset_flags(gst::BufferFlags::all());
        }
        self.last = Some(picture);
        self.inlet.push(buffer)
    }
}

/// On the card if there is one and it can, else on the processor.
fn compose(
    canvas: &Canvas,
    gpu: &mut Option<Gpu>,
    shared: &Shared,
    items: &mut [Item],
) -> Option<gst::Buffer> {
    if let Some(card) = gpu
        && !items.iter().any(|item| canvas.is_covered_by(item))
    {
        let draws: Vec<Draw> = items
            .iter()
            .filter_map(|item| {
                let frame = item.frame.as_ref()?;
                let placement = &item.placement;
                Some(Draw { frame, placement })
            })
            .collect();
        if card.can(&draws) {
            if let Some(frame) = card.compose(&draws) {
                return Some(frame);
            }
            tracing::warn!("the graphics card failed, the processor composes");
            *gpu = None;
            *lock(&shared.compositing) = Compositing::Cpu;
        }
    }
    canvas.compose(items)
}

impl Canvas {
    fn new(info: gst_video::VideoInfo) -> Result<Self, ProgramError> {
        let pool = gst_video::VideoBufferPool::new();
        let mut config = pool.config();
        config.set_params(Some(&info.to_caps()?), info.size() as u32, 4, 0);
        pool.set_config(config)?;
        pool.set_active(true)?;
        Ok(Self { info, pool })
    }

    /// Composes once without keeping anything, as a measure.
    fn trial(&self, draws: &[Draw]) -> Option<gst::Buffer> {
        let mut buffer = self.pool.acquire_buffer(None).ok()?;
        let mut layers: Vec<Layer> = draws.iter().map(|_| Layer::default()).collect();
        for (layer, draw) in layers.iter_mut().zip(draws) {
            layer.update(Some(draw.frame), draw.placement, &self.info);
        }
        self.draw(buffer.get_mut()?, |canvas| {
            for (picture, x, y) in layers.iter().filter_map(Layer::picture) {
                canvas.draw(&picture, x, y, OPAQUE);
            }
        })?;
        Some(buffer)
    }

    /// The item's frame is the whole canvas as it is: nothing has to be drawn.
    fn is_covered_by(&self, item: &Item) -> bool {
        item.opacity >= OPAQUE
            && item.frame.as_ref().is_some_and(|frame| {
                let size = canvas_frame(&self.info);
                frame.info.format() == gst_video::VideoFormat::I420
                    && canvas_frame(&frame.info) == size
                    && geometry::place(size, 1.0, &item.placement, size).is_some_and(|place| {
                        place.scaled == size
                            && (place.source.width, place.source.height) == (size.width, size.height)
                    })
            })
    }

    fn compose(&self, items: &mut [Item]) -> Option<gst::Buffer> {
        for item in items.iter_mut() {
            item.layer
                .update(item.frame.as_ref(), &item.placement, &self.info);
        }
        let items = &*items;
        let covers = |item: &Item| {
            item.opacity >= OPAQUE
                && item.layer.picture().is_some_and(|(picture, x, y)| {
                    (x, y) == (0, 0)
                        && picture.alpha.is_none()
                        && picture.width == self.info.width() as usize
                        && picture.height == self.info.height() as usize
                })
        };
        // What lies under an opaque picture of the whole canvas is not seen.
        let lowest = items.iter().rposition(covers);
        let items = &items[lowest.unwrap_or(0)..];
        if let [item] = items
            && lowest.is_some()
            && let Some(whole) = item.layer.whole_canvas(&self.info)
        {
            return Some(whole.clone());
        }
        let mut buffer = self.pool.acquire_buffer(None).ok()?;
        self.draw(buffer.get_mut()?, |canvas| {
            if lowest.is_none() {
                canvas.clear();
            }
            for item in items {
                if let Some((picture, x, y)) = item.layer.picture() {
                    canvas.draw(&picture, x, y, item.opacity);
                }
            }
        })?;
        Some(buffer)
    }

    fn draw(&self, buffer: &mut gst::BufferRef, with: impl FnOnce(&mut CanvasMut)) -> Option<()> {
        let mut frame = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, &self.info).ok()?;
        use gst_video::prelude::*;
        let strides: [usize; 3] = std::array::from_fn(|i| frame.plane_stride()[i] as usize);
        let [y, u, v, _] = frame.planes_data_mut();
        with(&mut CanvasMut {
            width: self.info.width() as usize,
            height: self.info.height() as usize,
            planes: [(y, strides[0]), (u, strides[1]), (v, strides[2])],
        });
        Some(())
    }

    /// A new frame: `picture` with the overlays over it. Only what they cover is blended.
    fn cover(&self, picture: &gst::Buffer, overlays: &Overlays) -> Option<gst::Buffer> {
        let mut buffer = self.pool.acquire_buffer(None).ok()?;
        {
            let from = picture.map_readable().ok()?;
            let mut map = buffer.get_mut()?.map_writable().ok()?;
            if from.len() != map.len() {
                return None;
            }
            map.copy_from_slice(&from);
        }
        self.draw(buffer.get_mut()?, |canvas| overlays.draw(canvas))?;
        Some(buffer)
    }

    /// A new frame, `share` of 256 on the way from one to the other.
    fn mix(&self, from: &gst::Buffer, to: &gst::Buffer, share: u32) -> Option<gst::Buffer> {
        let mut buffer = self.pool.acquire_buffer(None).ok()?;
        {
            // All three have the canvas's own layout, so the planes need not be told apart.
            let (from, to) = (from.map_readable().ok()?, to.map_readable().ok()?);
            let mut map = buffer.get_mut()?.map_writable().ok()?;
            if from.len() != map.len() || to.len() != map.len() {
                return None;
            }
            map.copy_from_slice(&from);
            blend::mix(&mut map, &to, share);
        }
        Some(buffer)
    }
}

/// Moving mean over about a second.
fn smooth(mean: &AtomicU64, value: u64) {
    let before = mean.load(Ordering::Relaxed);
    let next = if before == 0 {
        value
    } else {
        (before * 31 + value) / 32
    };
    mean.store(next, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use protocol::OverlayKind;
    use resvg::tiny_skia::{Color, Pixmap};

    use super::super::overlay::OverlayPicture;
    use super::*;

    /// A card as large as a product's, half transparent, at its place and at rest.
    fn card(canvas: &Canvas) -> Overlays {
        let (width, height) = (canvas.info.width(), canvas.info.height());
        let mut pixmap = Pixmap::new((width * 2 / 5) & !1, (height / 5) & !1).expect("a size");
        pixmap.fill(Color::from_rgba8(17, 19, 24, 224));
        let placed = PlacedOverlay {
            kind: OverlayKind::ProductCard,
            picture: Arc::new(OverlayPicture::from_pixmap(&pixmap)),
            x: 40,
            y: (height as usize * 3 / 4) & !1,
            slide: 0,
        };
        let mut overlays = Overlays::default();
        overlays.set(vec![placed], 0, 0);
        overlays.advance(SECOND);
        overlays
    }

    #[test]
    fn a_card_over_every_frame_costs_a_small_part_of_a_frames_time() {
        crate::init().expect("GStreamer is installed");
        for (width, height) in [(1280, 720), (1920, 1080)] {
            let canvas =
                Canvas::new(canvas_info(Frame { width, height }, 30).expect("a format")).expect("a pool");
            let overlays = card(&canvas);
            let mut below = canvas.pool.acquire_buffer(None).expect("memory");
            canvas
                .draw(below.get_mut().expect("our own"), |frame| frame.clear())
                .expect("drawn");
            let mut quickest = Duration::MAX;
            for _ in 0..100 {
                let begun = Instant::now();
                let covered = canvas.cover(&below, &overlays).expect("covered");
                quickest = quickest.min(begun.elapsed());
                drop(covered);
            }
            // Seen with `--nocapture`; the quickest of a hundred is what the machine's other work did not touch.
            eprintln!(
                "an overlay over a frame of {width}\u{d7}{height}: {} \u{b5}s",
                quickest.as_micros()
            );
            assert!(quickest < Duration::from_millis(5), "{quickest:?} of 33 ms");
        }
    }
}

//! The thread that draws overlays and hands them to the program when they are ready.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::{Canvas, OverlayKind, OverlayLook};

use super::content::{OverlayContent, OverlayWanted};
use super::layout::{self, Spot};
use super::{Drawn, OnOverlays, OverlayOnCanvas, template};
use crate::program::{OverlayPicture, OverlaySink, PlacedOverlay};

/// Draws what is wanted until it is dropped.
#[derive(Debug)]
pub(crate) struct Renderer {
    wanted: Option<Sender<OverlayWanted>>,
    thread: Option<JoinHandle<()>>,
}

impl Renderer {
    /// Starts the thread.
    pub(crate) fn start(canvas: Canvas, sink: OverlaySink, on_overlays: OnOverlays) -> std::io::Result<Self> {
        let (wanted, receiver) = channel();
        let thread = Thread {
            canvas,
            sink,
            on_overlays,
            ready: HashMap::new(),
            spots: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("overlays".to_owned())
            .spawn(move || thread.run(&receiver))?;
        Ok(Self {
            wanted: Some(wanted),
            thread: Some(thread),
        })
    }

    /// All that is to lie over the picture from now on. Returns at once.
    pub(crate) fn show(&self, wanted: OverlayWanted) {
        if let Some(sender) = &self.wanted
            && sender.send(wanted).is_err()
        {
            tracing::error!("the drawing thread is gone");
        }
    }
}

impl Drop for Renderer {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the drawing thread had panicked");
        }
    }
}

/// An overlay that is drawn.
struct Ready {
    content: OverlayContent,
    look: OverlayLook,
    seconds: Option<u64>,
    drawn: Arc<Drawn>,
    picture: Arc<OverlayPicture>,
}

struct Thread {
    canvas: Canvas,
    sink: OverlaySink,
    on_overlays: OnOverlays,
    ready: HashMap<OverlayKind, Ready>,
    spots: Vec<Spot>,
}

impl Thread {
    fn run(mut self, receiver: &Receiver<OverlayWanted>) {
        let mut wanted = OverlayWanted::default();
        loop {
            let now_ms = wall_ms();
            let next = match until_next_second(&wanted, now_ms) {
                Some(wait) => receiver.recv_timeout(wait),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                // Of several that came in the meantime the last counts.
                Ok(newer) => wanted = receiver.try_iter().last().unwrap_or(newer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.follow(&wanted, wall_ms());
        }
    }

    fn follow(&mut self, wanted: &OverlayWanted, now_ms: u64) {
        let kinds: Vec<OverlayKind> = wanted.contents.iter().map(OverlayContent::kind).collect();
        self.ready.retain(|kind, _| kinds.contains(kind));
        for content in &wanted.contents {
            self.draw(content, &wanted.look, now_ms);
        }
        let sizes: Vec<_> = kinds
            .iter()
            .filter_map(|kind| {
                let picture = &self.ready.get(kind)?.picture;
                let place = wanted.look.places.of(*kind);
                Some((*kind, place, picture.width() as u32, picture.height() as u32))
            })
            .collect();
        self.spots = layout::arrange(self.canvas, &self.spots, &sizes);
        let ready = |spot: &Spot| self.ready.get(&spot.kind).map(|ready| (*spot, ready));
        let placed = self
            .spots
            .iter()
            .filter_map(ready)
            .map(|(spot, ready)| PlacedOverlay {
                kind: spot.kind,
                picture: Arc::clone(&ready.picture),
                x: spot.x as usize,
                y: spot.y as usize,
                slide: spot.slide(self.canvas),
            });
        self.sink.show(placed.collect());
        let on_canvas = self
            .spots
            .iter()
            .filter_map(ready)
            .map(|(spot, ready)| OverlayOnCanvas {
                kind: spot.kind,
                x: spot.x,
                y: spot.y,
                width: spot.width,
                height: spot.height,
                slide: spot.slide(self.canvas),
                words: ready.content.words(),
                picture: Arc::clone(&ready.drawn),
            });
        (self.on_overlays)(on_canvas.collect());
    }

    /// Draws what is not drawn yet as it should be now. What cannot be drawn is not shown.
    fn draw(&mut self, content: &OverlayContent, look: &OverlayLook, now_ms: u64) {
        let kind = content.kind();
        let seconds = content.seconds(now_ms);
        let drawn = self.ready.get(&kind).is_some_and(|ready| {
            ready.content == *content && ready.seconds == seconds && same_paint(&ready.look, look)
        });
        if drawn {
            return;
        }
        match template::draw(content, look, self.canvas, now_ms) {
            Ok(pixmap) => {
                let ready = Ready {
                    content: content.clone(),
                    look: look.clone(),
                    seconds,
                    picture: Arc::new(OverlayPicture::from_pixmap(&pixmap)),
                    drawn: Arc::new(Drawn {
                        pixmap,
                        png: OnceLock::new(),
                    }),
                };
                self.ready.insert(kind, ready);
            }
            Err(error) => {
                tracing::warn!(overlay = kind.as_str(), %error, "an overlay cannot be drawn");
                self.ready.remove(&kind);
            }
        }
    }
}

/// Whether two looks draw the same pixels; places only move them.
fn same_paint(a: &OverlayLook, b: &OverlayLook) -> bool {
    (a.back, a.words, a.accent, &a.font) == (b.back, b.words, b.accent, &b.font)
}

/// How long until a time that is shown reads otherwise.
fn until_next_second(wanted: &OverlayWanted, now_ms: u64) -> Option<Duration> {
    let waits = wanted.contents.iter().filter_map(|content| {
        let left = content
            .ends_at_ms()?
            .checked_sub(now_ms)
            .filter(|left| *left > 0)?;
        // The time shown is rounded up, so it changes just as a whole second is left.
        Some(Duration::from_millis((left - 1) % 1000 + 1))
    });
    waits.min()
}

fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_wakes_when_a_time_reads_otherwise_and_never_for_nothing() {
        let wanted = |ends: &[u64]| OverlayWanted {
            contents: ends
                .iter()
                .map(|ends_at_ms| OverlayContent::Countdown {
                    label: String::new(),
                    ends_at_ms: *ends_at_ms,
                })
                .collect(),
            ..OverlayWanted::default()
        };
        let wait = |ends: &[u64]| until_next_second(&wanted(ends), 10_000).map(|wait| wait.as_millis());
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[9_000]), None, "it is over");
        assert_eq!(wait(&[10_000]), None);
        assert_eq!(wait(&[12_300]), Some(300));
        assert_eq!(wait(&[12_000]), Some(1000));
        assert_eq!(wait(&[12_300, 15_100]), Some(100));
    }
}

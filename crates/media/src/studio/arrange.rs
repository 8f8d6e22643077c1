//! Makes sources and program follow the document.

use std::collections::HashSet;
use std::sync::Arc;

use protocol::{Db, Scene, Source, SourceId, Transition};

use super::{PICTURE_SIDE, Studio};
use crate::program::{Layout, LayoutItem, Preview, ProgramOptions, SoundInput};
use crate::{PictureOptions, PictureTap};

/// Frames a second of the preview.
const PREVIEW_FPS: u32 = 24;
/// Frames a second of the desk's picture of it.
const PREVIEW_PICTURE_FPS: u32 = 15;

/// What should run and be shown.
#[derive(Debug, Clone, Copy)]
pub struct Arrangement<'a> {
    /// Every source of the document; they run whether a scene shows them or not, so that a cut finds them live.
    pub sources: &'a [Source],
    /// The scene on air.
    pub program: &'a Scene,
    /// The scene of the preview, in studio mode.
    pub preview: Option<&'a Scene>,
    /// The master fader.
    pub master_gain: Db,
    /// The master is silent.
    pub master_muted: bool,
}

/// What the program was told last, so that an unchanged arrangement costs nothing.
#[derive(Debug, Default)]
pub(super) struct Shown {
    program: Option<Scene>,
    preview: Option<Scene>,
    sources: Vec<Source>,
    master: Option<(Db, bool)>,
}

impl Studio {
    /// Starts, changes and stops sources, and shows the scenes. Returns whether the preview came or went.
    pub fn arrange(&mut self, wanted: &Arrangement<'_>, transition: Transition) -> bool {
        let rebuilt = self.follow_sources(wanted.sources);
        let faders_moved = self.shown.sources != wanted.sources;
        if rebuilt || faders_moved || self.shown.program.as_ref() != Some(wanted.program) {
            self.program.show(self.layout(wanted.program), transition);
            self.program
                .sound(self.sound(wanted.program, wanted.sources), transition);
            self.shown.program = Some(wanted.program.clone());
        }
        let master = (wanted.master_gain, wanted.master_muted);
        if self.shown.master != Some(master) {
            self.program.set_master(master.0, master.1);
            self.shown.master = Some(master);
        }
        let came_or_went = self.preview.is_some() != wanted.preview.is_some();
        match wanted.preview {
            None => self.preview = None,
            Some(scene) => {
                if self.preview.is_none() {
                    self.preview = self.start_preview();
                }
                if let Some((preview, _)) = &self.preview
                    && (came_or_went || rebuilt || self.shown.preview.as_ref() != Some(scene))
                {
                    preview.show(self.layout(scene));
                }
            }
        }
        self.shown.preview = wanted.preview.cloned();
        self.shown.sources = wanted.sources.to_vec();
        came_or_went
    }

    /// Returns whether a pipeline was made or unmade: its producers are then other ones.
    fn follow_sources(&mut self, wanted: &[Source]) -> bool {
        let ids: HashSet<&SourceId> = wanted.iter().map(|s| &s.id).collect();
        let before = self.sources.len();
        self.sources.retain(|id, _| ids.contains(id));
        let mut rebuilt = self.sources.len() != before;
        for source in wanted {
            let offset = source.audio.sync_offset_ms;
            match self.sources.get_mut(&source.id) {
                Some(running) if running.settings == source.settings => {
                    if running.sync_offset_ms != offset {
                        running.pipeline.set_sync_offset(offset);
                        running.sync_offset_ms = offset;
                    }
                }
                // The same kind keeps its producers: words change on air without a flicker.
                Some(running)
                    if running.settings.kind() == source.settings.kind()
                        && running.pipeline.change(source.settings.clone()).is_ok() =>
                {
                    running.settings = source.settings.clone();
                    running.pipeline.set_sync_offset(offset);
                    running.sync_offset_ms = offset;
                }
                _ => {
                    rebuilt = true;
                    // The old one goes first: it may hold the device that the new one wants.
                    self.sources.remove(&source.id);
                    match self.start_source(&source.id, &source.settings, offset) {
                        Ok(running) => {
                            self.sources.insert(source.id.clone(), running);
                        }
                        Err(error) => tracing::error!(source = %source.id, ?error, "source did not start"),
                    }
                }
            }
        }
        self.order = wanted.iter().map(|s| s.id.clone()).collect();
        rebuilt
    }

    fn layout(&self, scene: &Scene) -> Layout {
        let items = scene.items.iter().filter(|item| item.visible).filter_map(|item| {
            let video = self.sources.get(&item.source)?.pipeline.video()?.clone();
            Some(LayoutItem {
                id: item.id.clone(),
                source: item.source.clone(),
                video: Some(video),
                placement: item.placement,
            })
        });
        Layout {
            items: items.collect(),
        }
    }

    /// What a scene sounds like: each visible source once, however often it is placed.
    fn sound(&self, scene: &Scene, sources: &[Source]) -> Vec<SoundInput> {
        let heard: HashSet<&SourceId> = scene
            .items
            .iter()
            .filter(|i| i.visible)
            .map(|i| &i.source)
            .collect();
        let inputs = sources
            .iter()
            .filter(|s| heard.contains(&s.id))
            .filter_map(|source| {
                let audio = self.sources.get(&source.id)?.pipeline.audio()?.clone();
                Some(SoundInput {
                    source: source.id.clone(),
                    audio,
                    controls: source.audio,
                })
            });
        inputs.collect()
    }

    fn start_preview(&self) -> Option<(Preview, Arc<PictureTap>)> {
        let frame = self.options.canvas.scaled_to(PICTURE_SIDE);
        let canvas = protocol::Canvas::new(frame.width.max(64), frame.height.max(64), PREVIEW_FPS);
        let options = ProgramOptions {
            canvas: canvas.unwrap_or(self.options.canvas),
            clock: self.clock.clone(),
            on_event: Arc::new(|event| tracing::debug!(?event, "preview")),
        };
        match Preview::start(options) {
            Ok(preview) => {
                let picture = PictureOptions {
                    long_side: PICTURE_SIDE,
                    fps: PREVIEW_PICTURE_FPS,
                    ..PictureOptions::default()
                };
                let tap = Arc::new(PictureTap::new(preview.video(), picture));
                Some((preview, tap))
            }
            Err(error) => {
                tracing::error!(%error, "preview did not start");
                None
            }
        }
    }
}

//! What every desk sees: a snapshot to join with, and events that replace one part of it each.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{
    Canvas, Db, Destination, Device, EncoderChoice, EncoderInfo, HealthIssue, HighRendition,
    KilobitsPerSecond, Laptop, Output, Rendition, Scene, SceneId, Shop, Show, ShowProducts, Source,
    SourceStatus, Transition,
};

/// Which scene is where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ProgramState {
    /// On air (or would be).
    pub program: SceneId,
    /// Next; without studio mode it is the one on air.
    pub preview: SceneId,
    /// Scenes are chosen into the preview and taken from there.
    pub studio_mode: bool,
    /// How "take" changes scenes.
    pub transition: Transition,
    /// A fade is running.
    pub fading: bool,
    /// The master fader.
    pub master_gain: Db,
    /// The master is silent.
    pub master_muted: bool,
}

/// How the program is made; changes of canvas and encoder wait until off air.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Settings {
    /// Size and rate.
    pub canvas: Canvas,
    /// Rate of the video.
    pub video: KilobitsPerSecond,
    /// Rate of the sound.
    pub audio: KilobitsPerSecond,
    /// Which encoder.
    pub encoder: EncoderChoice,
    /// Whether RTMP and disk get a better rendition of their own.
    pub high_rendition: HighRendition,
    /// The first-run steps were done or skipped.
    pub welcomed: bool,
}

/// The embedded StreamCore.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct StreamCoreState {
    /// The room that the links lead to, and whose chat a desk shows; `None` while there is none.
    pub room: Option<crate::RoomId>,
    /// Links to the viewer page, the one for other machines first. Empty while it does not run.
    pub watch_urls: Vec<String>,
    /// QR code of the first link, SVG.
    pub qr_svg: String,
    /// Viewers now; `None` while it does not run.
    pub viewers: Option<u32>,
}

/// What can be taken back and done again; each is the name of a scene edit's key in the catalogues.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct History {
    /// Something can be undone.
    pub undo: bool,
    /// Something can be redone.
    pub redo: bool,
}

macro_rules! state {
    ($($(#[$doc:meta])* $field:ident / $variant:ident : $type:ty,)*) => {
        /// All that a desk shows.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
        #[ts(export)]
        pub struct State {
            $($(#[$doc])* pub $field: $type,)*
        }

        /// One part of the state, whole and new.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
        #[serde(tag = "part", content = "value", rename_all = "snake_case")]
        #[ts(export)]
        pub enum Event {
            $($(#[$doc])* $variant($type),)*
        }

        impl State {
            /// Events that lead from `before` to this state, in a fixed order.
            pub fn changes_since(&self, before: &State) -> Vec<Event> {
                let mut events = Vec::new();
                $(if self.$field != before.$field { events.push(Event::$variant(self.$field.clone())); })*
                events
            }

            /// Takes one event in.
            pub fn apply(&mut self, event: Event) {
                match event { $(Event::$variant(value) => self.$field = value,)* }
            }
        }
    };
}

state! {
    /// The present show.
    show / Show: Show,
    /// Canvas, rates, encoder.
    settings / Settings: Settings,
    /// Sources, in the order in which they were made.
    sources / Sources: Vec<Source>,
    /// How each source is doing.
    source_status / SourceStatus: Vec<SourceStatus>,
    /// Scenes, in the host's order.
    scenes / Scenes: Vec<Scene>,
    /// Which scene is where; the master.
    program / Program: ProgramState,
    /// Places, in the host's order.
    destinations / Destinations: Vec<Destination>,
    /// Their legs.
    outputs / Outputs: Vec<Output>,
    /// Encodings that run.
    renditions / Renditions: Vec<Rendition>,
    /// Encoders that work here.
    encoders / Encoders: Vec<EncoderInfo>,
    /// What the computer has.
    devices / Devices: Vec<Device>,
    /// How each device that is tried in the first-run steps is doing; ids are the devices'.
    auditions / Auditions: Vec<crate::Audition>,
    /// The embedded StreamCore.
    streamcore / Streamcore: StreamCoreState,
    /// What the show offers.
    products / Products: ShowProducts,
    /// What lies over the program's picture.
    overlays / Overlays: crate::Overlays,
    /// Where products come from.
    shops / Shops: Vec<Shop>,
    /// The laptop's numbers, once a second.
    laptop / Laptop: Laptop,
    /// Open troubles, worst first.
    health / Health: Vec<HealthIssue>,
    /// Undo and redo.
    history / History: History,
}

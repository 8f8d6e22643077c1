//! How the studio is set up, as one value.

use protocol::{Destination, Overlays, ProgramState, Scene, Settings, Source};

/// All that the host has set up: what a desk changes and a restart brings back.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Canvas, rates, encoder.
    pub settings: Settings,
    /// Sources with their strips in the mixer, in the order in which they were made.
    pub sources: Vec<Source>,
    /// Scenes with what is placed in them, in the host's order.
    pub scenes: Vec<Scene>,
    /// Which scene is where; the master. `fading` is not kept: it reads `false`.
    pub program: ProgramState,
    /// Places to go live to, in the host's order, without their secrets.
    pub destinations: Vec<Destination>,
    /// What lies over the program's picture.
    pub overlays: Overlays,
    /// What the show is called, on air or next.
    pub show_title: String,
}

impl Document {
    /// The document without what ends with the process.
    pub(crate) fn lasting(&self) -> Self {
        let mut lasting = self.clone();
        lasting.program.fading = false;
        lasting
    }
}

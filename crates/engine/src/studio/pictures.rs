//! Streams of pictures for desks.

use std::sync::Arc;

use bytes::Bytes;
use media::PictureTap;
use tokio::sync::watch;

/// Where program and preview can be seen; new whenever the program is built anew.
#[derive(Clone, Default)]
pub struct Taps {
    pub(super) program: Option<Arc<PictureTap>>,
    pub(super) preview: Option<Arc<PictureTap>>,
}

impl Taps {
    /// The program's pictures, while the receiver lives.
    pub fn program(&self, wanted: bool) -> Option<watch::Receiver<Bytes>> {
        wanted
            .then_some(self.program.as_ref())
            .flatten()
            .map(|tap| tap.subscribe())
    }

    /// The preview's pictures, while the receiver lives; `None` outside studio mode.
    pub fn preview(&self, wanted: bool) -> Option<watch::Receiver<Bytes>> {
        wanted
            .then_some(self.preview.as_ref())
            .flatten()
            .map(|tap| tap.subscribe())
    }
}

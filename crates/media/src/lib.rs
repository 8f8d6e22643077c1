//! From sources to the program, from the program to renditions and outputs. GStreamer, and nothing else.
//!
//! Every source and every output is a pipeline of its own; they meet through `gst_utils::StreamProducer`, all on
//! one clock and one base time ([`StudioClock`]), so that none can stop another.

mod bus;
mod clock;
pub mod device;
pub mod encoder;
mod meter;
pub mod output;
pub mod overlay;
mod picture;
mod program;
pub mod rendition;
pub mod source;
mod studio;

pub use bus::{PipelineMessage, supervise};
pub use clock::StudioClock;
pub use meter::Meter;
pub use picture::{PictureError, PictureOptions, PictureTap, jpeg_of};
pub use program::{
    Compositing, Layout, LayoutItem, Preview, Program, ProgramCounters, ProgramError, ProgramEvent,
    ProgramOptions, SoundInput,
};

pub use source::{Choice, Grants, SourceOptions, SourcePipeline};
pub use studio::{
    Arrangement, KeyframeRequester, OnEvent, RenditionPlan, SlateText, Studio, StudioEvent, StudioOptions,
};

/// Whether GStreamer has an element of this name. [`init`] must have been called.
pub fn element_exists(name: &str) -> bool {
    gst::ElementFactory::find(name).is_some()
}

/// Starts GStreamer and registers the elements that the studio brings along. Call once, before anything else here.
///
/// # Errors
/// When GStreamer's libraries or its registry cannot be used.
pub fn init() -> Result<(), gst::glib::Error> {
    gst::init()?;
    if let Err(error) = gstfmp4::plugin_register_static() {
        tracing::error!(%error, "fmp4 elements are missing, recordings to MP4 will fail");
    }
    Ok(())
}

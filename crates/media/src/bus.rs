//! What pipelines say of themselves.

use gst::prelude::*;

/// A message that somebody has to act on.
#[derive(Debug, Clone)]
pub enum PipelineMessage {
    /// Something broke. The first error of a pipeline tells the cause; those behind it are its echo.
    Error {
        /// Name of the element that reports.
        element: String,
        /// Domain and code.
        error: gst::glib::Error,
        /// For the log only.
        debug: Option<String>,
    },
    /// All sinks have seen the end.
    Eos,
    /// A segment of a looping seek was played to its end.
    SegmentDone,
    /// The pipeline itself reached this state.
    State(gst::State),
    /// The streams that a medium has, as far as its demuxer has found them.
    Streams(gst::StreamCollection),
    /// An element's own message.
    Element(gst::Structure),
}

/// Listens to a pipeline: answers LATENCY itself, hands everything that matters to `on_message`.
///
/// `on_message` runs on the thread that posted (often a streaming thread): hand over and return, and never
/// change the pipeline's state in it.
pub fn supervise(pipeline: &gst::Pipeline, on_message: impl Fn(PipelineMessage) + Send + Sync + 'static) {
    let Some(bus) = pipeline.bus() else { return };
    let weak = pipeline.downgrade();
    bus.set_sync_handler(move |_, message| {
        use gst::MessageView;
        match message.view() {
            // Without this a live source that joins later is late for the mixer and its sound is dropped in silence.
            // Not here: the handler may hold locks that the latency query wants.
            MessageView::Latency(_) => {
                if let Some(pipeline) = weak.upgrade() {
                    pipeline.call_async(|pipeline| {
                        if let Err(error) = pipeline.recalculate_latency() {
                            tracing::debug!(%error, "latency was not recalculated");
                        }
                    });
                }
            }
            MessageView::Error(error) => on_message(PipelineMessage::Error {
                element: error.src().map(|s| s.name().to_string()).unwrap_or_default(),
                error: error.error(),
                debug: error.debug().map(Into::into),
            }),
            MessageView::Eos(_) => on_message(PipelineMessage::Eos),
            MessageView::SegmentDone(_) => on_message(PipelineMessage::SegmentDone),
            MessageView::StateChanged(change) => {
                let own = weak
                    .upgrade()
                    .is_some_and(|pipeline| change.src() == Some(pipeline.upcast_ref()));
                if own {
                    on_message(PipelineMessage::State(change.current()));
                }
            }
            MessageView::StreamCollection(found) => {
                on_message(PipelineMessage::Streams(found.stream_collection()));
            }
            MessageView::Element(element) => {
                if let Some(structure) = element.structure() {
                    on_message(PipelineMessage::Element(structure.to_owned()));
                }
            }
            _ => {}
        }
        gst::BusSyncReply::Drop
    });
}

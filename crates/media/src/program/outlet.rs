//! Where the program leaves its threads: an appsrc, an appsink, and a `StreamProducer` on it.

use gst::prelude::*;
use gst_utils::StreamProducer;
use gst_utils::streamproducer::ProducerSettings;

use super::ProgramError;
use crate::{PipelineMessage, StudioClock, supervise};

/// What outputs are told to expect before the first measurement; covers a camera.
const LEAST_LATENCY: gst::ClockTime = gst::ClockTime::from_mseconds(50);

/// One stream's way out. Ends with the value.
#[derive(Debug)]
pub(crate) struct Outlet {
    pipeline: gst::Pipeline,
    producer: StreamProducer,
}

/// The program thread's end of an [`Outlet`].
#[derive(Debug)]
pub(crate) struct Inlet {
    appsrc: gst_app::AppSrc,
    announced: gst::ClockTime,
}

impl Outlet {
    pub fn start(
        name: &'static str,
        caps: &gst::Caps,
        clock: &StudioClock,
        on_error: impl Fn(gst::glib::Error) + Send + Sync + 'static,
    ) -> Result<(Self, Inlet), ProgramError> {
        let pipeline = gst::Pipeline::with_name(name);
        let appsrc = gst_app::AppSrc::builder()
            .caps(caps)
            .format(gst::Format::Time)
            .is_live(true)
            // Nothing behind blocks, so nothing ever waits here; a limit would only be able to lose a frame.
            .max_bytes(0)
            .max_buffers(0)
            .build();
        appsrc.set_latency(LEAST_LATENCY, gst::ClockTime::NONE);
        let appsink = gst_app::AppSink::builder()
            .caps(caps)
            .sync(false)
            .async_(false)
            .qos(false)
            .max_buffers(4)
            // One frame kept, for stills.
            .enable_last_sample(true)
            .build();
        appsink.set_property("processing-deadline", gst::ClockTime::ZERO);
        pipeline.add_many([appsrc.upcast_ref::<gst::Element>(), appsink.upcast_ref()])?;
        appsrc.link(&appsink)?;
        let producer = StreamProducer::with(&appsink, ProducerSettings { sync: false });
        producer.set_forward_events([]);
        supervise(&pipeline, move |message| {
            if let PipelineMessage::Error {
                error,
                element,
                debug: detail,
            } = message
            {
                tracing::error!(%error, element, detail, "the program's own pipeline failed");
                on_error(error);
            }
        });
        clock.govern(&pipeline);
        pipeline.set_state(gst::State::Playing)?;
        let inlet = Inlet {
            appsrc,
            announced: LEAST_LATENCY,
        };
        Ok((Self { pipeline, producer }, inlet))
    }

    pub fn producer(&self) -> &StreamProducer {
        &self.producer
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "the program's pipeline did not stop");
        }
    }
}

impl Inlet {
    /// Hands a buffer on. `false` once the outlet is gone.
    pub fn push(&mut self, buffer: gst::Buffer) -> bool {
        self.appsrc.push_buffer(buffer).is_ok()
    }

    /// Tells outputs how late frames leave, in nanoseconds after their running time, when that grows.
    pub fn on_latency(&mut self, nanoseconds: u64) {
        let latency = gst::ClockTime::from_nseconds(nanoseconds);
        if latency > self.announced {
            // In steps, because every output works its latency out anew.
            let steps = latency.nseconds().div_ceil(LEAST_LATENCY.nseconds());
            self.announced = LEAST_LATENCY * steps;
            self.appsrc.set_latency(self.announced, gst::ClockTime::NONE);
        }
    }
}

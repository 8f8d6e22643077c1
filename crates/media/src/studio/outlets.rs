//! Renditions and outputs of a studio.

use std::sync::Arc;

use protocol::{
    DestinationId, EncoderInfo, H264Profile, KilobitsPerSecond, Output as OutputStatus,
    Rendition as RenditionInfo, RenditionId, UserError,
};

use super::{Studio, StudioEvent, not_found};
use crate::output::{Leg, Output, OutputEvent, OutputOptions};
use crate::rendition::{EncodedAudio, EncodedVideo, Rendition, RenditionEvent, RenditionOptions, Tap};

/// What a rendition is to be.
#[derive(Debug, Clone)]
pub struct RenditionPlan {
    /// Who it is.
    pub id: RenditionId,
    /// Profile of its H.264.
    pub profile: H264Profile,
    /// Constant rate of its picture.
    pub video: KilobitsPerSecond,
    /// Rate of its sound.
    pub audio: KilobitsPerSecond,
    /// Which encoder, with its preset.
    pub encoder: EncoderInfo,
    /// Browsers watch it: Opus beside AAC, and small frames.
    pub for_browsers: bool,
}

pub(super) struct RunningRendition {
    rendition: Arc<Rendition>,
    plan: RenditionPlan,
}

/// Asks a rendition for a keyframe; cheap to clone, and harmless once the rendition is gone.
#[derive(Clone)]
pub struct KeyframeRequester {
    rendition: std::sync::Weak<Rendition>,
}

impl KeyframeRequester {
    /// A keyframe as soon as the rendition's limit allows.
    pub fn request(&self) {
        if let Some(rendition) = self.rendition.upgrade() {
            rendition.request_keyframe();
        }
    }
}

impl Studio {
    /// Starts an encoding of the program.
    ///
    /// # Errors
    /// As [`Rendition::start`].
    pub fn start_rendition(&mut self, plan: RenditionPlan) -> Result<(), UserError> {
        let said = Arc::clone(&self.options.on_event);
        let id = plan.id.clone();
        let rendition = Rendition::start(RenditionOptions {
            id: plan.id.clone(),
            canvas: self.options.canvas,
            profile: plan.profile,
            video: plan.video,
            encoder: plan.encoder.id.clone(),
            preset: plan.encoder.preset.clone(),
            low_delay: plan.for_browsers,
            aac: Some(plan.audio),
            opus: plan.for_browsers,
            clock: self.clock.clone(),
            picture: self.program.video(),
            sound: self.program.audio(),
            on_event: Box::new(move |event| match event {
                RenditionEvent::Started => {}
                RenditionEvent::Failed(error) => {
                    said(StudioEvent::RenditionFailed {
                        id: id.clone(),
                        error,
                    });
                }
            }),
        })?;
        self.renditions.insert(
            plan.id.clone(),
            RunningRendition {
                rendition: Arc::new(rendition),
                plan,
            },
        );
        Ok(())
    }

    /// Whether a rendition runs.
    pub fn rendition_runs(&self, id: &RenditionId) -> bool {
        self.renditions.contains_key(id)
    }

    /// Stops an encoding; nobody carries it any more.
    pub fn stop_rendition(&mut self, id: &RenditionId) {
        if let Some(running) = self.renditions.remove(id) {
            self.skipped_before = self
                .skipped_before
                .wrapping_sub(running.rendition.counters().skipped_frames);
        }
    }

    /// Encodings that run; who carries them is for the engine to say.
    pub fn renditions(&self) -> Vec<RenditionInfo> {
        let mut list: Vec<RenditionInfo> = self
            .renditions
            .values()
            .map(|running| RenditionInfo {
                id: running.plan.id.clone(),
                canvas: self.options.canvas,
                profile: running.plan.profile,
                video: running.plan.video,
                audio: running.plan.audio,
                encoder: match &running.plan.encoder.preset {
                    Some(preset) => format!("{}, {preset}", running.plan.encoder.name),
                    None => running.plan.encoder.name.clone(),
                },
                hardware: running.plan.encoder.hardware,
                cost_percent: running.plan.encoder.cost_percent,
                carried_by: Vec::new(),
            })
            .collect();
        list.sort_by(|a, b| a.id.cmp(&b.id));
        list
    }

    /// Frames that encoders had no time for, since the show began.
    pub fn skipped_frames(&self) -> u32 {
        self.skipped_total().wrapping_sub(self.skipped_before)
    }

    pub(super) fn skipped_total(&self) -> u32 {
        self.renditions
            .values()
            .map(|r| r.rendition.counters().skipped_frames)
            .fold(0, u32::wrapping_add)
    }

    /// A way to ask for keyframes of a rendition.
    ///
    /// # Errors
    /// [`protocol::ErrorCode::NotFound`].
    pub fn keyframe_requester(&self, id: &RenditionId) -> Result<KeyframeRequester, UserError> {
        Ok(KeyframeRequester {
            rendition: Arc::downgrade(self.rendition(id)?),
        })
    }

    /// Hands every encoded frame to these, beginning with the kept group of pictures. See [`Rendition::tap`].
    ///
    /// # Errors
    /// [`protocol::ErrorCode::NotFound`].
    pub fn tap(
        &self,
        id: &RenditionId,
        on_video: impl FnMut(EncodedVideo) + Send + 'static,
        on_opus: impl FnMut(EncodedAudio) + Send + 'static,
    ) -> Result<Tap, UserError> {
        Ok(self.rendition(id)?.tap(true, on_video, on_opus))
    }

    fn rendition(&self, id: &RenditionId) -> Result<&Arc<Rendition>, UserError> {
        self.renditions
            .get(id)
            .map(|running| &running.rendition)
            .ok_or_else(|| not_found("rendition", id))
    }

    /// Starts an output on a rendition. It connects by itself; follow its events.
    ///
    /// # Errors
    /// As [`Output::start`].
    pub fn start_output(
        &mut self,
        id: &DestinationId,
        leg: Leg,
        rendition: &RenditionId,
    ) -> Result<(), UserError> {
        let said = Arc::clone(&self.options.on_event);
        let own = id.clone();
        let output = Output::start(OutputOptions {
            id: id.clone(),
            leg,
            rendition: self.rendition(rendition)?,
            clock: self.clock.clone(),
            on_event: Box::new(move |event| match event {
                OutputEvent::State(state) => said(StudioEvent::Output {
                    id: own.clone(),
                    state,
                }),
                OutputEvent::FileFinished { path } => {
                    tracing::info!(output = %own, path = %path.display(), "file is finished");
                }
            }),
        })?;
        self.outputs.insert(id.clone(), output);
        Ok(())
    }

    /// Begins to stop an output; it says `Idle` when it has.
    pub fn stop_output(&self, id: &DestinationId) {
        if let Some(output) = self.outputs.get(id) {
            output.begin_stop();
        }
    }

    /// Forgets an output that has stopped or failed.
    pub fn forget_output(&mut self, id: &DestinationId) {
        self.outputs.remove(id);
    }

    /// State and counters of an output, now.
    pub fn output_status(&self, id: &DestinationId) -> Option<OutputStatus> {
        self.outputs.get(id).map(Output::status)
    }

    /// Tries a waiting output again now.
    ///
    /// # Errors
    /// [`protocol::ErrorCode::NotFound`].
    pub fn retry_output(&self, id: &DestinationId) -> Result<(), UserError> {
        self.output(id)?.retry_now();
        Ok(())
    }

    /// Pauses a recording or goes on with it.
    ///
    /// # Errors
    /// [`protocol::ErrorCode::NotFound`].
    pub fn pause_recording(&self, id: &DestinationId, paused: bool) -> Result<(), UserError> {
        let output = self.output(id)?;
        if paused {
            output.pause()
        } else {
            output.resume()
        }
        Ok(())
    }

    /// Begins a new file of a recording now.
    ///
    /// # Errors
    /// [`protocol::ErrorCode::NotFound`].
    pub fn split_recording(&self, id: &DestinationId) -> Result<(), UserError> {
        self.output(id)?.split();
        Ok(())
    }

    fn output(&self, id: &DestinationId) -> Result<&Output, UserError> {
        self.outputs.get(id).ok_or_else(|| not_found("output", id))
    }
}

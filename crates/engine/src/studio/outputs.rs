//! The legs of the show on air.

use std::collections::HashMap;
use std::time::Instant;

use protocol::{
    Destination, DestinationId, DestinationKind, ErrorCode, Output, OutputState, RecordingSettings,
    Rendition, RenditionId, Reply, ShowPhase, UserError,
};

use super::actor::{Actor, wall_ms};
use super::renditions::{Planned, browsers_watch, carried};
use super::rooms::RoomLeg;
use super::show;

/// Legs that run, and what the counters read before.
#[derive(Default)]
pub struct Outputs {
    legs: HashMap<DestinationId, Leg>,
    sent_before: HashMap<DestinationId, (Instant, u64)>,
    late_at_start: u64,
    files: HashMap<DestinationId, (store::RecordingId, String)>,
}

struct Leg {
    rendition: RenditionId,
    room: Option<RoomLeg>,
}

impl Outputs {
    /// Late frames since the show began.
    pub fn late_in_show(&self, late: u64) -> u32 {
        u32::try_from(late.saturating_sub(self.late_at_start)).unwrap_or(u32::MAX)
    }

    /// Destinations that have a leg.
    pub fn running(&self) -> Vec<DestinationId> {
        self.legs.keys().cloned().collect()
    }

    /// Legs into rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &RoomLeg> {
        self.legs.values().filter_map(|leg| leg.room.as_ref())
    }
}

impl Actor {
    /// Begins the show on every enabled destination.
    pub(super) async fn go_live(&mut self) -> Result<Reply, UserError> {
        if self.state.show.phase.on_air() {
            return Ok(Reply::Done);
        }
        let enabled: Vec<Destination> = self
            .state
            .destinations
            .iter()
            .filter(|d| d.enabled)
            .cloned()
            .collect();
        if enabled.is_empty() {
            return Err(UserError::new(ErrorCode::NoDestination));
        }
        if let Some(store) = &self.store {
            let ids: Vec<DestinationId> = enabled.iter().map(|d| d.id.clone()).collect();
            let began = store.show_began(&self.state.show.title, wall_ms(), &ids).await;
            self.show = Some(began.map_err(super::document::store_error)?);
        }
        self.begin(ShowPhase::GoingLive);
        for destination in &enabled {
            self.launch(destination).await;
        }
        self.state.show.phase = show::phase(&self.state, wall_ms());
        Ok(Reply::Done)
    }

    /// Goes on with a show that a crash cut off.
    pub(super) async fn resume(&mut self, on_air: store::ShowOnAir) {
        self.show = Some(on_air.id);
        self.begin(match on_air.live_ms {
            Some(since_ms) => ShowPhase::Recovering { since_ms },
            None => ShowPhase::GoingLive,
        });
        let destinations: Vec<Destination> = self
            .state
            .destinations
            .iter()
            .filter(|d| on_air.outputs.contains(&d.id))
            .cloned()
            .collect();
        for destination in &destinations {
            self.launch(destination).await;
        }
    }

    fn begin(&mut self, phase: ShowPhase) {
        self.outputs.late_at_start = self.media.counters().late_frames;
        self.outputs.sent_before.clear();
        self.media.begin_show();
        self.state.outputs.clear();
        self.state.show.phase = phase;
    }

    /// Starts one leg, and notes it for the case of a crash.
    pub(super) async fn start_output(&mut self, destination: &Destination) {
        self.launch(destination).await;
        self.note_output(&destination.id, true).await;
    }

    async fn note_output(&mut self, id: &DestinationId, on: bool) {
        if let (Some(store), Some(show)) = (&self.store, self.show)
            && let Err(error) = store.output_on_air(show, id, on).await
        {
            // The show goes on; only its way back after a crash is in doubt.
            tracing::error!(output = %id, %error, "the output could not be noted for a restart");
        }
    }

    async fn launch(&mut self, destination: &Destination) {
        let id = destination.id.clone();
        let state = match self.connect(destination).await {
            Ok(leg) => {
                let live = leg.room.is_some();
                self.set_output(
                    &id,
                    Some(leg.rendition.clone()),
                    if live {
                        OutputState::Live { since_ms: wall_ms() }
                    } else {
                        OutputState::Connecting
                    },
                );
                self.outputs.legs.insert(id, leg);
                self.refresh_renditions();
                return;
            }
            Err(error) => OutputState::Failed { error },
        };
        self.set_output(&id, None, state);
        self.refresh_renditions();
    }

    async fn connect(&mut self, destination: &Destination) -> Result<Leg, UserError> {
        let shared_runs = browsers_watch(&self.state) || self.media.rendition_runs(&Planned::Shared.id());
        let headroom = self.known_encoders().await.room_for_second();
        let planned = carried(destination, &self.state, shared_runs, headroom);
        let rendition = self.start_rendition(planned).await?;
        match &destination.kind {
            DestinationKind::StreamCore { room } => {
                let leg = self.publish_room(room, &rendition)?;
                Ok(Leg {
                    rendition,
                    room: Some(leg),
                })
            }
            DestinationKind::Rtmp { url, .. } => {
                let key = self.keys.get(&destination.id).await?;
                let leg = media::output::Leg::Rtmp {
                    url: url.clone(),
                    key,
                };
                self.media.start_output(&destination.id, leg, &rendition)?;
                Ok(Leg {
                    rendition,
                    room: None,
                })
            }
            DestinationKind::Recording(settings) => {
                let leg = self.recording(settings)?;
                self.media.start_output(&destination.id, leg, &rendition)?;
                Ok(Leg {
                    rendition,
                    room: None,
                })
            }
        }
    }

    fn recording(&mut self, settings: &RecordingSettings) -> Result<media::output::Leg, UserError> {
        let folder = settings
            .folder
            .as_ref()
            .map_or_else(|| self.recordings.clone(), Into::into);
        std::fs::create_dir_all(&folder)
            .map_err(|_| UserError::new(ErrorCode::FolderUnwritable).with("path", folder.display()))?;
        Ok(media::output::Leg::Recording {
            folder,
            file_stem: self.record_as.take(),
            title: self.state.show.title.clone(),
            container: settings.container,
            split_minutes: settings.split_minutes,
        })
    }

    async fn start_rendition(&mut self, planned: Planned) -> Result<RenditionId, UserError> {
        let id = planned.id();
        if !self.media.rendition_runs(&id) {
            let settings = self.state.settings.clone();
            let encoder = self.known_encoders().await.chosen(&settings.encoder)?;
            self.media.start_rendition(media::RenditionPlan {
                id: id.clone(),
                profile: planned.profile(),
                video: settings.video,
                audio: settings.audio,
                encoder,
                for_browsers: planned == Planned::Shared,
            })?;
        }
        Ok(id)
    }

    /// Ends the show: viewers and servers first, recordings last.
    pub(super) async fn end_show(&mut self) {
        if !self.state.show.phase.on_air() {
            return;
        }
        self.state.show.phase = ShowPhase::Ending;
        let recording = |actor: &Self, id: &DestinationId| {
            actor
                .state
                .destinations
                .iter()
                .any(|d| d.id == *id && matches!(d.kind, DestinationKind::Recording(_)))
        };
        let mut ids: Vec<DestinationId> = self.outputs.legs.keys().cloned().collect();
        ids.sort_by_key(|id| recording(self, id));
        for id in ids {
            self.stop_output(&id).await;
        }
        self.settle().await;
    }

    /// Stops one leg; it is gone once it says that it is idle.
    pub(super) async fn stop_output(&mut self, id: &DestinationId) {
        let Some(leg) = self.outputs.legs.get_mut(id) else {
            return;
        };
        match leg.room.take() {
            Some(room) => {
                room.end();
                self.outputs.legs.remove(id);
                self.set_output(id, None, OutputState::Idle);
                self.note_output(id, false).await;
            }
            None => {
                self.set_output(id, None, OutputState::Stopping);
                self.media.stop_output(id);
            }
        }
        self.refresh_renditions();
    }

    pub(super) async fn on_output(&mut self, id: &DestinationId, state: OutputState) {
        let over = matches!(state, OutputState::Idle | OutputState::Failed { .. });
        let whole = matches!(state, OutputState::Idle);
        // Its numbers belong to the new state; and after the last one it cannot be asked any more.
        self.read_outputs().await;
        let gone = over && self.outputs.legs.remove(id).is_some();
        let rendition = self.outputs.legs.get(id).map(|leg| leg.rendition.clone());
        self.set_output(id, rendition, state);
        if gone {
            self.media.forget_output(id);
            self.note_output(id, false).await;
            self.note_file_ended(id, whole).await;
            self.refresh_renditions();
        }
        self.settle().await;
    }

    /// Works out the lamp; closes the show's record once nothing runs.
    pub(super) async fn settle(&mut self) {
        let before = self.state.show.phase;
        self.state.show.phase = match before {
            ShowPhase::Ending if self.outputs.legs.is_empty() => ShowPhase::OffAir,
            _ => show::phase(&self.state, wall_ms()),
        };
        let newly_live = !matches!(before, ShowPhase::Live { .. } | ShowPhase::Recovering { .. });
        if let (ShowPhase::Live { since_ms }, true) = (self.state.show.phase, newly_live)
            && let (Some(store), Some(show)) = (&self.store, self.show)
            && let Err(error) = store.show_live(show, since_ms).await
        {
            tracing::error!(%error, "the start of the show could not be noted");
        }
        if before.on_air() && self.state.show.phase == ShowPhase::OffAir {
            self.refresh_renditions();
            if let (Some(store), Some(show)) = (&self.store, self.show.take())
                && let Err(error) = store
                    .show_ended(show, wall_ms(), store::ShowEnding::Stopped)
                    .await
            {
                tracing::error!(%error, "the end of the show could not be noted");
            }
        }
    }

    /// An encoder broke: another one is started, and its outputs with it.
    pub(super) async fn on_rendition_failed(&mut self, id: &RenditionId, error: &UserError) {
        tracing::error!(rendition = %id, ?error, "encoder failed, it is started anew");
        let carriers: Vec<DestinationId> = self
            .outputs
            .legs
            .iter()
            .filter(|(_, leg)| leg.rendition == *id)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &carriers {
            self.media.forget_output(id);
        }
        self.media.stop_rendition(id);
        self.relaunch(&carriers).await;
    }

    /// Starts these outputs again, on fresh pipelines.
    pub(super) async fn relaunch(&mut self, ids: &[DestinationId]) {
        for id in ids {
            self.outputs.legs.remove(id);
        }
        let destinations: Vec<Destination> = self
            .state
            .destinations
            .iter()
            .filter(|d| ids.contains(&d.id))
            .cloned()
            .collect();
        for destination in &destinations {
            self.launch(destination).await;
        }
        self.settle().await;
    }

    /// Whether a leg runs for this destination.
    pub(super) fn output_runs(&self, id: &DestinationId) -> bool {
        self.outputs.legs.contains_key(id)
    }

    fn set_output(&mut self, id: &DestinationId, rendition: Option<RenditionId>, state: OutputState) {
        match self.state.outputs.iter_mut().find(|o| o.id == *id) {
            Some(output) => {
                output.state = state;
                output.rendition = rendition;
            }
            None => self.state.outputs.push(Output {
                id: id.clone(),
                state,
                rendition,
                sent_kbps: None,
                sent_bytes: 0,
                dropped_frames: 0,
                queue_ms: 0,
                reconnects: 0,
                recording: None,
            }),
        }
    }

    /// Reads every leg's counters.
    pub(super) async fn read_outputs(&mut self) {
        let now = Instant::now();
        for output in &mut self.state.outputs {
            let Some(leg) = self.outputs.legs.get(&output.id) else {
                output.sent_kbps = None;
                output.queue_ms = 0;
                continue;
            };
            if let Some(room) = &leg.room {
                output.sent_bytes = room.bytes();
            } else if let Some(status) = self.media.output_status(&output.id) {
                // The state comes by events, so that none of its steps is missed.
                *output = Output {
                    state: output.state.clone(),
                    rendition: output.rendition.take(),
                    ..status
                };
                continue;
            }
            let before = self
                .outputs
                .sent_before
                .entry(output.id.clone())
                .or_insert((now, output.sent_bytes));
            let elapsed = now.duration_since(before.0);
            if elapsed.as_millis() >= 1000 {
                let bits = output.sent_bytes.saturating_sub(before.1) as f64 * 8.0;
                output.sent_kbps = Some((bits / elapsed.as_secs_f64() / 1000.0) as u32);
                *before = (now, output.sent_bytes);
            }
        }
        let files = self.state.outputs.iter().filter_map(|output| {
            let recording = output.recording.as_ref()?;
            let runs = self.outputs.legs.contains_key(&output.id);
            runs.then(|| (output.id.clone(), recording.path.clone(), recording.parts))
        });
        for (id, path, part) in files.collect::<Vec<_>>() {
            self.note_file(&id, &path, part).await;
        }
        self.refresh_links();
    }

    /// Keeps the record of the files that a show leaves.
    async fn note_file(&mut self, id: &DestinationId, path: &str, part: u32) {
        let (Some(store), Some(show)) = (&self.store, self.show) else {
            return;
        };
        if self.outputs.files.get(id).is_some_and(|(_, known)| known == path) {
            return;
        }
        match store
            .recording_began(show, id, std::path::Path::new(path), part, wall_ms())
            .await
        {
            Ok(file) => {
                if let Some((before, _)) = self.outputs.files.insert(id.clone(), (file, path.to_owned()))
                    && let Err(error) = store.recording_ended(before, wall_ms(), true).await
                {
                    tracing::error!(output = %id, %error, "the end of a file could not be noted");
                }
            }
            Err(error) => tracing::error!(output = %id, %error, "a file could not be noted"),
        }
    }

    async fn note_file_ended(&mut self, id: &DestinationId, whole: bool) {
        if let (Some(store), Some((file, _))) = (&self.store, self.outputs.files.remove(id))
            && let Err(error) = store.recording_ended(file, wall_ms(), whole).await
        {
            tracing::error!(output = %id, %error, "the end of a file could not be noted");
        }
    }

    /// Stops encodings that nobody carries, and lists the others.
    fn refresh_renditions(&mut self) {
        for id in [Planned::Shared.id(), Planned::High.id()] {
            if self.media.rendition_runs(&id) && !self.outputs.legs.values().any(|leg| leg.rendition == id) {
                self.media.stop_rendition(&id);
            }
        }
        let mut renditions: Vec<Rendition> = self.media.renditions();
        for rendition in &mut renditions {
            let carried = self
                .outputs
                .legs
                .iter()
                .filter(|(_, leg)| leg.rendition == rendition.id);
            rendition.carried_by = carried.map(|(id, _)| id.clone()).collect();
            rendition.carried_by.sort();
        }
        self.state.renditions = renditions;
    }

    /// Brings the parts of the state that follow the pipelines up to date.
    pub(super) async fn refresh_live_parts(&mut self) {
        self.state.source_status = self.media.source_statuses();
        self.read_outputs().await;
    }
}

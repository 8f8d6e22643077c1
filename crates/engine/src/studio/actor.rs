//! The actor: takes one input at a time, changes the state, acts on the difference, says what changed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use media::device::DeviceWatch;
use protocol::{Command, Event, HealthCode, Meters, ShowPhase, State, Transition, UserError};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::encoders::Encoders;
use super::handle::{Input, Interested, Joined, Small};
use super::health::Health;
use super::keys::Keys;
use super::laptop::LaptopReader;
use super::outputs::Outputs;
use super::overlays::{self, OverlayFrame, OverlayPicture};
use super::pictures::Taps;
use super::products::{ChosenProducts, Products};
use super::start::{self, Persistence, StartError, StudioOptions};
use super::undo::History;
use crate::sentences::{self, Language};

/// How often counters are read and files' places shown.
const TICK: Duration = Duration::from_millis(500);
/// Small pictures of sources: one in so many ticks.
const SOURCE_PICTURE_TICKS: u64 = 4;
/// Meters: what an eye follows.
const METERS: Duration = Duration::from_millis(50);
/// How long the last outputs may take to close when the engine stops.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// The ends of the channels that the rest of the engine holds.
pub struct Wiring {
    pub inputs: mpsc::Sender<Input>,
    pub received: mpsc::Receiver<Input>,
    pub taps: watch::Sender<Taps>,
    pub meters: watch::Sender<Meters>,
    pub interested: Arc<Interested>,
    pub events: broadcast::Sender<(u64, Event)>,
    pub small: broadcast::Sender<Small>,
    pub chosen: watch::Sender<ChosenProducts>,
    pub room: watch::Sender<Option<protocol::RoomId>>,
    pub overlays: watch::Sender<OverlayFrame>,
    pub product_pictures: Option<super::products::ProductPictures>,
    pub catalogue: Option<store::Catalogue>,
}

/// The studio.
pub struct Actor {
    pub(super) state: State,
    /// The state as desks know it.
    said: State,
    revision: u64,
    pub(super) wiring: Wiring,
    pub(super) media: media::Studio,
    grants: media::Grants,
    /// Kept for its calls, which end with it.
    _devices: DeviceWatch,
    pub(super) outputs: Outputs,
    pub(super) streamcore: Option<streamcore::Server>,
    pub(super) store: Option<store::Store>,
    pub(super) show: Option<store::ShowId>,
    pub(super) keys: Keys,
    pub(super) products: Products,
    pub(super) overlay_picture: OverlayPicture,
    pub(super) history: History,
    pub(super) health: Health,
    pub(super) encoders: Option<Encoders>,
    measurements: Option<std::path::PathBuf>,
    measuring: Option<tokio::task::JoinHandle<Encoders>>,
    pub(super) recordings: std::path::PathBuf,
    pub(super) record_as: Option<String>,
    laptop: LaptopReader,
    ticks: u64,
    frames_before: Option<(Instant, u64)>,
}

impl Actor {
    /// Builds the pipelines and takes the document up.
    pub async fn new(
        wiring: Wiring,
        options: StudioOptions,
        streamcore: Option<streamcore::Server>,
    ) -> Result<Self, StartError> {
        let mut state = start::begin(&options.persistence);
        let mut health = Health::default();
        let mut resume = None;
        let mut cut_short = Vec::new();
        let mut granted = Vec::new();
        let (store, keys) = match options.persistence {
            Persistence::Kept {
                store,
                vault,
                resume: wanted,
            } => {
                if let Some(document) = store.load().await {
                    super::document::take_up(&mut state, document);
                }
                cut_short = store
                    .recordings_cut_short()
                    .await
                    .map_err(super::document::store_error)?;
                granted = store.grants().await.map_err(super::document::store_error)?;
                let left = store.show_on_air().await.map_err(super::document::store_error)?;
                match left {
                    Some(show) if wanted => resume = Some(show),
                    // Nobody asked for it back: it ended when its engine did.
                    Some(show) => store
                        .show_ended(show.id, wall_ms(), store::ShowEnding::Lost)
                        .await
                        .map_err(super::document::store_error)?,
                    None => {}
                }
                if vault.kind() == store::VaultKind::File {
                    health.standing.push(HealthCode::KeyringFallback);
                }
                (Some(store), Keys::Vault(vault))
            }
            Persistence::Nowhere { keys, .. } => (None, Keys::Memory(keys.into_iter().collect())),
        };
        if resume.is_none() {
            overlays::begin_anew(&mut state);
        }
        let products = Products::take_up(wiring.catalogue.clone(), wiring.chosen.clone(), &mut state).await?;
        let grants = super::grants::keeper(granted, &wiring.inputs);
        let media = start_media(&state, &grants, &wiring)?;
        let devices = watch_devices(&wiring.inputs);
        let mut actor = Self {
            said: state.clone(),
            state,
            revision: 0,
            wiring,
            media,
            grants,
            _devices: devices,
            outputs: Outputs::default(),
            streamcore,
            store,
            show: None,
            keys,
            products,
            overlay_picture: OverlayPicture::default(),
            history: History::default(),
            health,
            encoders: None,
            measurements: options.measurements,
            measuring: None,
            recordings: options.recordings,
            record_as: options.record_as,
            laptop: LaptopReader::new(),
            ticks: 0,
            frames_before: None,
        };
        actor.follow_rooms();
        actor.refresh_links();
        actor.arrange(Transition::Cut);
        actor.arrange_overlays();
        actor.publish_taps();
        actor.find_encoders(resume.is_none());
        actor.finish_cut_short(cut_short);
        if let Some(on_air) = resume {
            actor.health.standing.push(HealthCode::EngineRecovered);
            actor.resume(on_air).await;
        }
        actor.save().await?;
        actor.said = actor.state.clone();
        Ok(actor)
    }

    /// Works until it is told to stop.
    pub async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut meters = interval(METERS);
        meters.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                input = self.wiring.received.recv() => match input {
                    Some(Input::Stop(answer)) => {
                        self.stop().await;
                        // The one who asked may have stopped waiting.
                        let _heard = answer.send(());
                        return;
                    }
                    Some(input) => self.on_input(input).await,
                    None => return self.stop().await,
                },
                _ = ticks.tick() => self.on_tick().await,
                _ = meters.tick() => {
                    if self.wiring.interested.meters.load(Ordering::Relaxed) > 0 {
                        self.wiring.meters.send_replace(self.media.meters());
                    }
                }
            }
        }
    }

    async fn on_input(&mut self, input: Input) {
        match input {
            Input::Command {
                command: Command::SearchProducts { words, offset, limit },
                answer,
            } => self.search_products(words, (offset, limit), answer),
            Input::Command {
                command:
                    Command::ImportProducts {
                        path,
                        leave_out_wrong,
                    },
                answer,
            } => self.import_products(path, leave_out_wrong, answer),
            Input::Command { command, answer } => {
                let result = self.command(command).await;
                self.say();
                // A desk that left does not hear its answer.
                let _heard = answer.send(result);
            }
            Input::Join(answer) => {
                self.say();
                let joined = Joined {
                    revision: self.revision,
                    state: self.said.clone(),
                    events: self.wiring.events.subscribe(),
                    small: self.wiring.small.subscribe(),
                };
                let _heard = answer.send(joined);
            }
            Input::Chat { room, answer } => {
                // A desk that left needs no way in.
                let _heard = answer.send(self.chat_door(&room));
            }
            Input::Media(event) => {
                self.on_media(event).await;
                self.say();
            }
            Input::Room(event) => {
                self.on_room(&event);
                self.say();
            }
            Input::Devices(devices) => {
                self.state.devices = devices;
                self.say();
            }
            Input::Encoders(measured) => {
                self.on_measured(*measured);
                self.say();
            }
            Input::OverlayPicture(product, bytes) => self.on_overlay_picture(&product, bytes),
            Input::Products(news) => {
                self.on_products(news).await;
                self.say();
            }
            Input::Grant(choice, token) => self.on_grant(&choice, token.as_ref()).await,
            Input::Recording(done) => self.on_looked_after(done).await,
            Input::Stop(_) => unreachable!("the loop takes this one itself"),
        }
    }

    async fn on_media(&mut self, event: media::StudioEvent) {
        match event {
            media::StudioEvent::Source(_) => self.read_sources(),
            media::StudioEvent::FadeEnded => self.state.program.fading = false,
            media::StudioEvent::ProgramFailed(error) => self.on_program_failed(&error).await,
            media::StudioEvent::RenditionFailed { id, error } => self.on_rendition_failed(&id, &error).await,
            media::StudioEvent::Output { id, state } => self.on_output(&id, state).await,
        }
    }

    async fn on_tick(&mut self) {
        self.ticks += 1;
        self.read_sources();
        self.read_outputs().await;
        if self.ticks.is_multiple_of(2) {
            self.read_laptop();
        }
        self.state.auditions = self.media.auditions();
        if self.wiring.interested.thumbnails.load(Ordering::Relaxed) > 0 {
            let sources = self.ticks.is_multiple_of(SOURCE_PICTURE_TICKS);
            for (kind, id, jpeg) in self.media.small_pictures(sources) {
                // Nobody may be listening any more.
                let _listeners = self.wiring.small.send(Small { kind, id, jpeg });
            }
        }
        self.look_after_shops().await;
        self.settle().await;
        let now_ms = wall_ms();
        self.state.health = self.health.read(&self.state, Instant::now(), now_ms);
        self.say();
    }

    fn read_sources(&mut self) {
        self.state.source_status = self.media.source_statuses();
    }

    fn read_laptop(&mut self) {
        let reading = self.laptop.read();
        let counters = self.media.counters();
        let now = Instant::now();
        let fps = self.frames_before.map(|(at, frames)| {
            let rate = counters.frames.saturating_sub(frames) as f64 / now.duration_since(at).as_secs_f64();
            (rate * 10.0).round() as f32 / 10.0
        });
        self.frames_before = Some((now, counters.frames));
        self.state.laptop = protocol::Laptop {
            engine_cpu_percent: reading.engine_cpu_percent,
            machine_cpu_percent: reading.machine_cpu_percent,
            memory_bytes: reading.memory_bytes,
            frames: counters.frames,
            fps,
            late_frames: self.outputs.late_in_show(counters.late_frames),
            skipped_frames: self.media.skipped_frames(),
        };
    }

    /// Makes the pipelines show what the state says.
    pub(super) fn arrange(&mut self, transition: Transition) {
        let (state, program) = (&self.state, &self.state.program);
        let scene = |id: &protocol::SceneId| state.scenes.iter().find(|s| s.id == *id);
        let Some(on_air) = scene(&program.program) else {
            return;
        };
        let preview = (program.studio_mode && program.preview != program.program)
            .then(|| scene(&program.preview))
            .flatten();
        let arrangement = media::Arrangement {
            sources: &state.sources,
            program: on_air,
            preview,
            master_gain: program.master_gain,
            master_muted: program.master_muted,
        };
        if self.media.arrange(&arrangement, transition) {
            self.publish_taps();
        }
        self.read_sources();
    }

    /// The program itself broke, which no output survives: everything is built anew, and a show goes on.
    async fn on_program_failed(&mut self, error: &UserError) {
        tracing::error!(?error, "the program failed, it is built anew");
        let running = self.outputs.running();
        if let Err(error) = self.rebuild() {
            tracing::error!(?error, "the program could not be built anew");
            return;
        }
        self.relaunch(&running).await;
    }

    /// Takes the pictures' streams up anew.
    pub(super) fn publish_taps(&self) {
        let taps = Taps {
            program: Some(self.media.program_pictures()),
            preview: self.media.preview_pictures(),
        };
        self.wiring.taps.send_replace(taps);
    }

    /// Builds every pipeline anew, for another canvas. Only off air.
    pub(super) fn rebuild(&mut self) -> Result<(), UserError> {
        self.media = start_media(&self.state, &self.grants, &self.wiring)?;
        self.frames_before = None;
        self.arrange(Transition::Cut);
        self.arrange_overlays();
        self.publish_taps();
        Ok(())
    }

    /// Takes the kept measurement of encoders, or else measures beside everything else. Never on air.
    pub(super) fn find_encoders(&mut self, may_measure: bool) {
        let canvas = self.state.settings.canvas;
        self.encoders = self
            .measurements
            .as_deref()
            .and_then(|folder| Encoders::kept(folder, canvas));
        if let Some(kept) = &self.encoders {
            self.state.encoders = kept.list(&self.state.settings.encoder);
            return;
        }
        if !may_measure {
            return;
        }
        let inputs = self.wiring.inputs.clone();
        let folder = self.measurements.clone();
        self.measuring = Some(tokio::task::spawn_blocking(move || {
            let measured = Encoders::measure(canvas);
            if let Some(folder) = folder {
                measured.keep(&folder);
            }
            if inputs
                .blocking_send(Input::Encoders(Box::new(measured.clone())))
                .is_err()
            {
                tracing::debug!("the studio stopped before its encoders were measured");
            }
            measured
        }));
    }

    /// The encoders that work here. A show that begins before they are known waits for the measurement.
    pub(super) async fn known_encoders(&mut self) -> &Encoders {
        if self.encoders.is_none() {
            let canvas = self.state.settings.canvas;
            let measured = match self.measuring.take() {
                Some(task) => task.await.ok(),
                None => None,
            };
            self.on_measured(measured.unwrap_or_else(|| Encoders::measure(canvas)));
        }
        self.encoders
            .get_or_insert_with(|| Encoders::measure(self.state.settings.canvas))
    }

    fn on_measured(&mut self, measured: Encoders) {
        self.state.encoders = measured.list(&self.state.settings.encoder);
        self.encoders = Some(measured);
    }

    /// Keeps the document, in one transaction.
    pub(super) async fn save(&mut self) -> Result<(), UserError> {
        match &self.store {
            Some(store) => store
                .save(&super::document::of(&self.state))
                .await
                .map_err(super::document::store_error),
            None => Ok(()),
        }
    }

    /// Tells every desk what changed.
    pub(super) fn say(&mut self) {
        self.state.history = self.history.shown();
        if self.state.overlays != self.said.overlays || self.state.products != self.said.products {
            self.arrange_overlays();
        }
        for event in self.state.changes_since(&self.said) {
            self.revision += 1;
            // Without a desk nobody listens.
            let _listeners = self.wiring.events.send((self.revision, event));
        }
        self.said.clone_from(&self.state);
    }

    async fn stop(&mut self) {
        self.products.stop();
        if self.state.show.phase.on_air() {
            self.end_show().await;
            let until = Instant::now() + STOP_WITHIN;
            while self.state.show.phase != ShowPhase::OffAir && Instant::now() < until {
                match tokio::time::timeout(TICK, self.wiring.received.recv()).await {
                    Ok(Some(Input::Media(event))) => self.on_media(event).await,
                    Ok(Some(_)) | Err(_) => self.read_outputs().await,
                    Ok(None) => break,
                }
                self.say();
            }
        }
        if let Some(streamcore) = self.streamcore.take() {
            streamcore.stop().await;
        }
        if let Some(store) = self.store.take() {
            store.close().await;
        }
    }
}

fn start_media(state: &State, grants: &media::Grants, wiring: &Wiring) -> Result<media::Studio, UserError> {
    let language = Language::of_system();
    let inputs = wiring.inputs.clone();
    let (overlays, canvas) = (wiring.overlays.clone(), state.settings.canvas);
    media::Studio::start(media::StudioOptions {
        canvas: state.settings.canvas,
        slate_text: Arc::new(move |error| {
            format!(
                "{}\n{}",
                sentences::title(error, language),
                sentences::hint(error, language)
            )
        }),
        grants: grants.clone(),
        on_event: Arc::new(move |event| start::forward(&inputs, event)),
        on_overlays: Arc::new(move |shown| {
            overlays.send_replace(OverlayFrame { canvas, shown });
        }),
    })
}

fn watch_devices(inputs: &mpsc::Sender<Input>) -> DeviceWatch {
    let inputs = inputs.clone();
    DeviceWatch::start(move |devices| {
        if inputs.try_send(Input::Devices(devices)).is_err() {
            tracing::warn!("the studio is behind, a change of devices was dropped");
        }
    })
}

/// Wall clock, milliseconds since 1970.
pub(super) fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as u64)
}

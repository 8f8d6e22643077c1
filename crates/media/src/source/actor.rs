//! The thread of one source: takes what happens, asks the state machine, performs the effects, paces what the studio
//! draws itself. It alone changes the source's pipeline, so a device that hangs holds up nobody but itself.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use gst::ClockTime;
use protocol::{SourceId, SourceSettings, SourceState, SourceStatus, UserError};

use super::{
    capture::{Asked, Capture, device_missing, device_of},
    card::{self, TestCard},
    chain::Flow,
    edge::{AudioEdge, RATE, VideoEdge},
    error::{Trouble, media_unreadable},
    machine::{self, Effect, Input, Phase, State, step},
    picture::Picture,
    pipeline::SourceOptions,
    player::{Player, Stamp, Surroundings},
    scroll::Strip,
    still::{self, Words},
};
use crate::device::hub::Hub;

/// A source without a picture of its own for this long gets its last one repeated, so that a scene made now shows it.
const REPEAT_AFTER: ClockTime = ClockTime::from_mseconds(150);
/// The actor looks around at least this often.
const LOOK: Duration = Duration::from_millis(100);
/// A medium's place is reported this often.
const REPORT_PLACE: Duration = Duration::from_millis(500);
/// Whether a still was changed on disk is looked at this often.
const LOOK_AT_DISK: Duration = Duration::from_secs(1);
/// The test card's tone is made this far ahead.
const TONE_AHEAD: ClockTime = ClockTime::from_mseconds(100);
/// A live source that is open and gives nothing for this long has stalled.
const STALL_AFTER: Duration = Duration::from_secs(3);

/// What the source's thread is told.
#[derive(Debug)]
pub(crate) enum Event {
    Stop,
    Change(SourceSettings),
    Pause(bool),
    Seek(ClockTime),
    Retry,
    /// The list of devices changed.
    Devices,
    /// From the pipeline of try number so-and-so.
    Inside(u64, Inside),
}

/// What a pipeline says.
#[derive(Debug)]
pub(crate) enum Inside {
    Broke(Trouble),
    /// The person chose what to share.
    #[cfg(all(unix, not(target_os = "macos")))]
    Shared(super::portal::Share),
    SegmentDone,
    Eos,
    StreamEnd(ClockTime),
}

/// What gives pictures or sound at present.
enum Content {
    Nothing,
    Still(Picture, Option<(String, Stamp)>),
    Scroll(Box<Strip>, ClockTime),
    Card(TestCard),
    Player(Player),
    Capture(Capture),
}

impl Content {
    /// What flows through a pipeline.
    fn flow(&self) -> Option<&Flow> {
        match self {
            Self::Player(player) => Some(player.flow()),
            Self::Capture(capture) => Some(capture.flow()),
            _ => None,
        }
    }
}

pub(crate) struct Actor {
    options: SourceOptions,
    video: Option<Arc<VideoEdge>>,
    audio: Option<Arc<AudioEdge>>,
    events: SyncSender<Event>,
    inbox: Receiver<Event>,
    status: Arc<Mutex<SourceStatus>>,
    state: State,
    content: Content,
    generation: u64,
    paused: bool,
    slate: Option<Picture>,
    next_sample: Option<u64>,
    /// The trouble that the desk reads while a new try is under way.
    standing: Option<UserError>,
    /// The devices of this computer, for sources that use one.
    devices: Option<(Arc<Hub>, u64)>,
    /// A medium that was cut short is not tried again before it changes.
    cut: Option<Stamp>,
    lived: bool,
    sent: u64,
    sent_at: Instant,
    reported_at: Instant,
    looked_at: Instant,
}

impl Actor {
    pub(crate) fn new(
        options: SourceOptions,
        video: Option<Arc<VideoEdge>>,
        audio: Option<Arc<AudioEdge>>,
        (events, inbox): (SyncSender<Event>, Receiver<Event>),
        status: Arc<Mutex<SourceStatus>>,
    ) -> Self {
        let now = Instant::now();
        Self {
            options,
            video,
            audio,
            events,
            inbox,
            status,
            state: State::opening(now),
            content: Content::Nothing,
            generation: 0,
            paused: false,
            slate: None,
            next_sample: None,
            standing: None,
            devices: None,
            cut: None,
            lived: false,
            sent: 0,
            sent_at: now,
            reported_at: now,
            looked_at: now,
        }
    }

    /// Runs until told to stop.
    pub(crate) fn run(mut self) {
        let span = tracing::info_span!("source", id = %self.options.id);
        let _entered = span.enter();
        self.listen();
        self.open();
        loop {
            let wait = self.wait();
            match self.inbox.recv_timeout(wait) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(event) => self.on_event(event),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.on_tick();
        }
        self.content = Content::Nothing;
        if let Some((hub, listener)) = self.devices.take() {
            hub.forget(listener);
        }
    }

    fn listen(&mut self) {
        if device_of(&self.options.settings).is_some() {
            let hub = Hub::shared();
            let events = self.events.clone();
            let listener = hub.listen(Box::new(move |_| {
                let _ = events.try_send(Event::Devices);
            }));
            self.devices = Some((hub, listener));
        }
    }

    /// Until when nothing needs to be done.
    fn wait(&self) -> Duration {
        let mut wait = LOOK;
        if let Some(deadline) = self.state.deadline() {
            wait = wait.min(deadline.saturating_duration_since(Instant::now()));
        }
        match &self.content {
            Content::Player(player) => wait = wait.min(player.interval()),
            Content::Capture(capture)
                if !capture.asking() && matches!(self.state.phase, Phase::Opening { .. }) =>
            {
                wait = wait.min(Duration::from_millis(10));
            }
            _ => {}
        }
        if self.paces()
            && let Some(video) = &self.video
        {
            let grid = video.grid();
            let now = self.options.clock.running_time();
            let due = grid.time(grid.at_or_after(now + ClockTime::from_useconds(1)));
            wait = wait.min(Duration::from(due.saturating_sub(now)));
        }
        wait
    }

    /// Whether this thread makes the pictures.
    fn paces(&self) -> bool {
        self.slate.is_some()
            || matches!(
                self.content,
                Content::Still(..) | Content::Scroll(..) | Content::Card(_)
            )
    }

    fn on_event(&mut self, event: Event) {
        let result = match event {
            Event::Stop => Ok(()),
            Event::Change(settings) => {
                self.on_change(settings);
                Ok(())
            }
            Event::Devices => self.on_devices(),
            Event::Retry => {
                self.cut = None;
                self.apply(Input::Retry);
                Ok(())
            }
            Event::Pause(paused) => {
                self.paused = paused;
                self.with_player(|player| player.pause(paused))
            }
            Event::Seek(place) => self.with_player(|player| player.seek(place)),
            Event::Inside(generation, inside) if generation == self.generation => match inside {
                Inside::Broke(trouble) => Err(trouble),
                #[cfg(all(unix, not(target_os = "macos")))]
                Inside::Shared(share) => self.on_shared(share),
                Inside::SegmentDone => self.with_player(Player::on_segment_done),
                Inside::Eos => self.with_player(Player::on_eos),
                Inside::StreamEnd(place) => self.with_player(|player| player.on_stream_end(place)),
            },
            Event::Inside(..) => Ok(()),
        };
        match result {
            Ok(()) => self.report(),
            Err(trouble) => self.on_trouble(trouble),
        }
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn on_shared(&mut self, share: super::portal::Share) -> Result<(), Trouble> {
        let around = self.surroundings();
        match &mut self.content {
            Content::Capture(capture) => capture.show(share, &around),
            _ => Ok(()),
        }
    }

    /// A device that is gone is not waited for until its driver notices; one that is back is opened at once.
    fn on_devices(&mut self) -> Result<(), Trouble> {
        let (Some((hub, _)), Some((kind, id))) = (&self.devices, device_of(&self.options.settings)) else {
            return Ok(());
        };
        if let Content::Capture(capture) = &self.content {
            return match capture.watched() {
                Some(id) if hub.find(kind, Some(id), Duration::ZERO).is_none() => {
                    Err(Trouble::passing(device_missing(kind, Some(id))))
                }
                _ => Ok(()),
            };
        }
        let missing = matches!(
            &self.state.phase,
            Phase::Backoff { error, .. } if error.code == protocol::ErrorCode::DeviceMissing
        );
        if missing && hub.find(kind, id, Duration::ZERO).is_some() {
            self.apply(Input::Retry);
        }
        Ok(())
    }

    fn with_player(&mut self, act: impl FnOnce(&mut Player) -> Result<(), Trouble>) -> Result<(), Trouble> {
        match &mut self.content {
            Content::Player(player) => act(player),
            _ => Ok(()),
        }
    }

    fn on_change(&mut self, settings: SourceSettings) {
        self.options.settings = settings;
        self.cut = None;
        self.lived = false;
        self.standing = None;
        self.close();
        let lost_since = self.state.lost_since;
        self.state = State::opening(Instant::now());
        self.state.lost_since = lost_since.or(self.state.lost_since);
        self.open();
        self.report();
    }

    fn on_trouble(&mut self, mut trouble: Trouble) {
        use protocol::ErrorCode;
        if let SourceSettings::File { path, .. } = &self.options.settings
            && trouble.error.code == ErrorCode::MediaUnreadable
        {
            // What never played is no medium; what did play may be mended.
            trouble.hopeless |= !self.lived;
            self.cut = self.lived.then(|| Stamp::of(path)).flatten();
        }
        tracing::warn!(code = trouble.error.code.as_str(), "source broke");
        self.apply(Input::Broke(trouble));
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        if let Err(trouble) = self.with_player(|player| player.poll(now)) {
            self.on_trouble(trouble);
        }
        self.watch_flow(now);
        self.watch_disk(now);
        self.apply(Input::Tick);
        self.pump();
        if now.duration_since(self.reported_at) >= REPORT_PLACE {
            self.report();
        }
    }

    /// Whether the pipeline gives something.
    fn watch_flow(&mut self, now: Instant) {
        if let Content::Capture(capture) = &self.content
            && capture.asking()
        {
            self.apply(Input::Asking);
            return;
        }
        let Some(flow) = self.content.flow() else { return };
        let sent = flow.sent.load(std::sync::atomic::Ordering::Relaxed);
        let resting = match &self.content {
            Content::Player(player) => !player.playing(),
            Content::Capture(capture) => !capture.stalls(),
            _ => true,
        };
        if sent != self.sent || resting {
            self.sent_at = now;
        }
        if sent > 0 && sent != self.sent {
            self.apply(Input::Arrived);
        }
        self.sent = sent;
        let opening_too_long = matches!(
            self.state.phase,
            Phase::Opening { since, .. } if now.duration_since(since) > machine::OPENING_MOST
        );
        let stalled =
            matches!(self.state.phase, Phase::Live { .. }) && now.duration_since(self.sent_at) > STALL_AFTER;
        if opening_too_long || stalled {
            let error = UserError::new(protocol::ErrorCode::SourceStalled).with("source", &self.options.id);
            let asks = matches!(&self.content, Content::Capture(capture) if capture.asks());
            self.on_trouble(Trouble {
                error,
                // Another try would be another dialog.
                hopeless: asks,
            });
        }
    }

    /// A still that was changed on disk is read again; while it is being written the old one stays.
    fn watch_disk(&mut self, now: Instant) {
        let Content::Still(_, Some((path, stamp))) = &self.content else {
            return;
        };
        if now.duration_since(self.looked_at) < LOOK_AT_DISK {
            return;
        }
        self.looked_at = now;
        let Some(newer) = Stamp::of(path).filter(|newer| newer != stamp) else {
            return;
        };
        let path = path.clone();
        match super::image::load(&path, self.options.canvas) {
            Ok(picture) => self.content = Content::Still(picture, Some((path, newer))),
            Err(trouble) => tracing::debug!(
                code = trouble.error.code.as_str(),
                "changed still is not readable yet"
            ),
        }
    }

    fn apply(&mut self, input: Input) {
        let was_tick = input == Input::Tick;
        let (state, effects) = step(self.state.clone(), Instant::now(), input);
        if let Phase::Backoff { error, .. } | Phase::Failed { error } = &state.phase {
            self.standing = Some(error.clone());
        }
        if matches!(state.phase, Phase::Live { .. }) {
            self.standing = None;
            self.slate = None;
            self.lived = true;
        }
        self.state = state;
        for effect in effects {
            match effect {
                Effect::Open => self.open(),
                Effect::Close => self.close(),
                Effect::Slate(error) => self.show_slate(&error),
                Effect::Report => self.report(),
            }
        }
        if !was_tick {
            self.pump();
        }
    }

    fn show_slate(&mut self, error: &UserError) {
        if self.video.is_none() {
            return;
        }
        let sentence = (self.options.slate_text)(error);
        match still::slate(self.options.canvas, &sentence) {
            Ok(picture) => self.slate = Some(picture),
            Err(trouble) => tracing::warn!(code = trouble.error.code.as_str(), "no slate"),
        }
    }

    fn close(&mut self) {
        self.generation += 1;
        self.content = Content::Nothing;
        self.next_sample = None;
    }

    fn open(&mut self) {
        self.generation += 1;
        self.sent = 0;
        self.sent_at = Instant::now();
        match self.build() {
            Ok(content) => {
                let ready = content.flow().is_none();
                self.content = content;
                if ready {
                    self.apply(Input::Arrived);
                }
            }
            Err(trouble) => self.on_trouble(trouble),
        }
    }

    fn build(&self) -> Result<Content, Trouble> {
        let canvas = self.options.canvas;
        match &self.options.settings {
            SourceSettings::Colour { colour } => Ok(Content::Still(still::colour(canvas, *colour)?, None)),
            SourceSettings::Image { path } => {
                let stamp = Stamp::of(path);
                let picture = super::image::load(path, canvas)?;
                Ok(Content::Still(picture, stamp.map(|stamp| (path.clone(), stamp))))
            }
            SourceSettings::Text(style) => Ok(match still::words(canvas, style)? {
                Words::Still(picture) => Content::Still(picture, None),
                Words::Scroll(strip) => Content::Scroll(strip, self.options.clock.running_time()),
            }),
            SourceSettings::TestCard { tone_hz } => Ok(Content::Card(TestCard::new(canvas, *tone_hz)?)),
            SourceSettings::File { path, looping } => {
                if let Some(cut) = self.cut
                    && Stamp::of(path) == Some(cut)
                {
                    return Err(Trouble::passing(media_unreadable(path, "cut short")));
                }
                let player = Player::open(path, *looping, self.paused, self.surroundings())?;
                Ok(Content::Player(player))
            }
            settings => match &self.devices {
                Some((hub, _)) => {
                    let asked = Asked {
                        source: &self.options.id,
                        grants: &self.options.grants,
                    };
                    let around = self.surroundings();
                    Ok(Content::Capture(Capture::open(settings, hub, asked, &around)?))
                }
                None => Err(Trouble::hopeless(UserError::new(protocol::ErrorCode::Internal))),
            },
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            canvas: self.options.canvas,
            clock: self.options.clock.clone(),
            video: self.video.clone(),
            audio: self.audio.clone(),
            events: self.events.clone(),
            generation: self.generation,
        }
    }

    /// Sends what this thread makes, one frame ahead; repeats the last picture where nothing new comes.
    fn pump(&mut self) {
        let now = self.options.clock.running_time();
        if let Some(video) = self.video.clone() {
            let due = video.grid().at_or_after(now) + 1;
            let first = video.last_frame().map_or(due, |last| (last + 1).max(due - 1));
            if self.paces() {
                for frame in first..=due {
                    self.draw(&video, frame, now);
                }
            } else if let Some(last) = video.last_frame()
                && video.grid().time(last) + REPEAT_AFTER < now
            {
                video.repeat(due - 1);
            }
        }
        self.sound(now);
    }

    fn draw(&self, video: &VideoEdge, frame: u64, now: ClockTime) {
        let time = video.grid().time(frame);
        if let Some(slate) = &self.slate {
            return video.show(slate, frame);
        }
        match &self.content {
            Content::Still(picture, _) => video.show(picture, frame),
            Content::Scroll(strip, since) => {
                let seconds = time.saturating_sub(*since).nseconds() as f64 / 1e9;
                if let Some(picture) = strip.at(seconds) {
                    video.show(&picture, frame);
                }
            }
            Content::Card(card) => {
                let ahead = time.saturating_sub(now);
                let clock = card::time_of_day(ahead);
                if let Some(picture) = card.at(frame, &clock, card::unix_ms(ahead)) {
                    video.show(&picture, frame);
                }
            }
            Content::Nothing | Content::Player(_) | Content::Capture(_) => {}
        }
    }

    fn sound(&mut self, now: ClockTime) {
        let (Content::Card(card), Some(audio)) = (&self.content, &self.audio) else {
            return;
        };
        let sample = |time: ClockTime| time.nseconds() as u128 * u128::from(RATE) / 1_000_000_000;
        let (now, until) = (sample(now) as u64, sample(now + TONE_AHEAD) as u64);
        // After a stop of the machine the past is not made up for.
        let first = self.next_sample.filter(|next| *next >= now).unwrap_or(now);
        if until <= first {
            return;
        }
        if let Some(buffer) = card.tone(first, (until - first) as usize) {
            let time = u128::from(first) * 1_000_000_000 / u128::from(RATE);
            audio.offer(buffer, ClockTime::from_nseconds(time as u64));
        }
        self.next_sample = Some(until);
    }

    /// Tells the desks, when something is different.
    fn report(&mut self) {
        self.reported_at = Instant::now();
        let status = self.current_status();
        let changed = {
            let mut known = self.status.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = *known != status;
            *known = status.clone();
            changed
        };
        if changed {
            (self.options.on_status)(status);
        }
    }

    fn current_status(&self) -> SourceStatus {
        let (position, duration, paused, frame) = match &self.content {
            Content::Player(player) => (
                Some(player.position()),
                player.duration(),
                player.standing(),
                player.flow().frame(),
            ),
            Content::Still(picture, _) => (None, None, false, Some(picture.frame)),
            Content::Scroll(strip, _) => (None, None, false, Some(strip.frame())),
            Content::Card(card) => (None, None, false, Some(card.frame())),
            Content::Capture(capture) => (None, None, false, capture.flow().frame()),
            Content::Nothing => (None, None, false, None),
        };
        let sounds = match &self.content {
            Content::Card(_) => true,
            _ => self.audio.as_ref().is_some_and(|audio| audio.end().is_some()),
        };
        let ms = |time: ClockTime| u32::try_from(time.mseconds()).unwrap_or(u32::MAX);
        let state = match (&self.state.phase, &self.standing) {
            (Phase::Live { .. }, _) => SourceState::Live,
            (Phase::Failed { error }, _) => SourceState::Failed { error: error.clone() },
            (Phase::Backoff { error, .. }, _) | (Phase::Opening { .. }, Some(error)) => {
                SourceState::Waiting { error: error.clone() }
            }
            (Phase::Opening { .. }, None) => SourceState::Opening,
        };
        SourceStatus {
            id: self.id(),
            state,
            frame,
            sounds,
            position_ms: position.map(ms),
            duration_ms: duration.map(ms),
            paused,
        }
    }

    fn id(&self) -> SourceId {
        self.options.id.clone()
    }
}

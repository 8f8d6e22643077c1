//! The thread of one output: performs what the state machine decides.

use std::collections::VecDeque;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gst::glib;
use gst::prelude::*;
use protocol::{DestinationId, OutputState};

use super::machine::{Effect, Failure, Input, Machine, Phase, step};
use super::{OutputEvent, Shared};
use crate::rendition::{EncodedHub, SubscribeOptions, Subscription};
use crate::{PipelineMessage, StudioClock};

/// How often counters are read and a stall is looked for.
const TICK: Duration = Duration::from_millis(250);
/// How often to look for room while frames wait for it.
const BACKLOG_TICK: Duration = Duration::from_millis(20);
/// Stretch over which the rate is measured.
const RATE_OVER: Duration = Duration::from_secs(3);

/// What arrives at an output's thread.
pub(super) enum Letter {
    /// Frames wait.
    Wake,
    /// A pipeline of the session with this number says something.
    Bus(u64, PipelineMessage),
    Input(Input),
    Split,
}

/// What an output needs from outside.
pub(super) struct Context {
    pub id: DestinationId,
    pub hub: Arc<EncodedHub>,
    pub keyframe_pad: Option<gst::Pad>,
    pub inbox: mpsc::Sender<Letter>,
    pub clock: StudioClock,
    pub on_event: Arc<dyn Fn(OutputEvent) + Send + Sync>,
}

impl Context {
    /// A share of the frames that wakes this output.
    pub fn subscribe(&self, max_queue: Duration) -> Subscription {
        let inbox = self.inbox.clone();
        self.hub.subscribe(SubscribeOptions {
            aac: true,
            opus: false,
            max_queue,
            wake: Some(Box::new(move || {
                let _ = inbox.send(Letter::Wake);
            })),
        })
    }

    /// Sends errors and the end of `pipeline` to this output's thread, under `number`.
    pub fn supervise(&self, pipeline: &gst::Pipeline, number: u64) {
        let inbox = self.inbox.clone();
        crate::supervise(pipeline, move |message| {
            if matches!(message, PipelineMessage::Error { .. } | PipelineMessage::Eos) {
                let _ = inbox.send(Letter::Bus(number, message));
            }
        });
    }

    /// Sends an input to this output's own thread.
    pub fn input(&self, input: Input) {
        let _ = self.inbox.send(Letter::Input(input));
    }

    /// Makes this output's thread look around.
    pub fn wake(&self) {
        let _ = self.inbox.send(Letter::Wake);
    }

    /// Asks the shared encoder for a keyframe; merged with everybody else's requests.
    pub fn request_keyframe(&self) {
        if let Some(pad) = &self.keyframe_pad {
            pad.push_event(
                gst_video::UpstreamForceKeyUnitEvent::builder()
                    .all_headers(true)
                    .build(),
            );
        }
    }
}

/// Opens sessions: one for each connection, or for a whole recording.
pub(super) trait Opener: Send {
    /// `number` is above every number that was handed out before.
    fn open(&mut self, context: &Arc<Context>, number: u64) -> Result<Box<dyn Session>, Failure>;
}

/// One connection, or one recording. Dropping it lets go of everything at once.
pub(super) trait Session: Send {
    /// Moves frames on as far as there is room.
    fn feed(&mut self);
    /// Frames wait for room.
    fn backlog(&self) -> bool;
    /// Looks around; called at every tick.
    fn check(&mut self, now: Instant) -> Option<Input>;
    /// One of its pipelines says something.
    fn on_message(&mut self, number: u64, message: PipelineMessage) -> Option<Input>;
    /// Begins the clean end; [`Input::Ended`] tells when it is reached.
    fn finish(&mut self) -> Option<Input>;
    fn pause(&mut self) {}
    fn resume(&mut self) {}
    fn split(&mut self) {}
    /// Bytes that left so far.
    fn sent_bytes(&self) -> u64;
    fn dropped_frames(&self) -> u32;
    fn queue_ms(&self) -> u32;
    fn recording(&self) -> Option<protocol::RecordingStatus> {
        None
    }
}

/// Media that waits in a source.
pub(super) fn waiting(source: &gst_app::AppSrc) -> gst::ClockTime {
    source.current_level_time().unwrap_or(gst::ClockTime::ZERO)
}

pub(super) struct Actor {
    context: Arc<Context>,
    opener: Box<dyn Opener>,
    shared: Arc<Shared>,
    letters: mpsc::Receiver<Letter>,
    machine: Machine,
    session: Option<Box<dyn Session>>,
    next_number: u64,
    /// Of the sessions before this one.
    earlier: Totals,
    rate: VecDeque<(Instant, u64)>,
    stop_asked: bool,
}

#[derive(Default, Clone, Copy)]
struct Totals {
    bytes: u64,
    dropped: u32,
}

impl Actor {
    pub fn new(
        context: Context,
        opener: Box<dyn Opener>,
        shared: Arc<Shared>,
        letters: mpsc::Receiver<Letter>,
    ) -> Self {
        Self {
            context: Arc::new(context),
            opener,
            shared,
            letters,
            machine: Machine::new(),
            session: None,
            next_number: 1,
            earlier: Totals::default(),
            rate: VecDeque::new(),
            stop_asked: false,
        }
    }

    /// Runs until the host has stopped it and the end is reached.
    pub fn run(mut self) {
        let span = tracing::info_span!("output", id = %self.context.id);
        let _in = span.enter();
        let mut next_tick = Instant::now() + TICK;
        while !(self.stop_asked && self.machine.at_rest()) {
            let now = Instant::now();
            let mut wait = next_tick.saturating_duration_since(now);
            if self.session.as_ref().is_some_and(|session| session.backlog()) {
                wait = wait.min(BACKLOG_TICK);
            }
            if let Some(deadline) = self.machine.deadline() {
                wait = wait.min(deadline.saturating_duration_since(now));
            }
            match self.letters.recv_timeout(wait) {
                Ok(letter) => self.on_letter(letter),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                // Never: the context holds a sender.
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            if let Some(session) = &mut self.session {
                session.feed();
            }
            let now = Instant::now();
            if self.machine.deadline().is_some_and(|deadline| now >= deadline) {
                self.input(Input::Timer);
            }
            if now >= next_tick {
                next_tick = now + TICK;
                self.tick(now);
            }
        }
        self.session = None;
    }

    fn on_letter(&mut self, letter: Letter) {
        match letter {
            Letter::Wake => {}
            Letter::Input(input) => {
                self.stop_asked |= input == Input::Stop;
                self.input(input);
            }
            Letter::Split => {
                if let Some(session) = &mut self.session {
                    session.split();
                }
            }
            Letter::Bus(number, message) => {
                let input = self
                    .session
                    .as_mut()
                    .and_then(|session| session.on_message(number, message));
                if let Some(input) = input {
                    self.input(input);
                }
            }
        }
    }

    fn tick(&mut self, now: Instant) {
        if let Some(input) = self.session.as_mut().and_then(|session| session.check(now)) {
            self.input(input);
        }
        self.count(now);
    }

    fn input(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            if let Input::Lost(failure) = &input {
                tracing::warn!(code = failure.error.code.as_str(), verdict = ?failure.verdict, "output lost");
            }
            let before = self.machine.phase.clone();
            let machine = std::mem::replace(&mut self.machine, Machine::new());
            let (machine, effects) = step(machine, Instant::now(), input, glib::random_double());
            self.machine = machine;
            for effect in effects {
                inputs.extend(self.perform(effect));
            }
            if self.machine.phase != before {
                self.report_state();
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Open => {
                let number = self.next_number;
                // A recording numbers its parts from here on.
                self.next_number += 1 << 32;
                match self.opener.open(&self.context, number) {
                    Ok(session) => self.session = Some(session),
                    Err(failure) => return Some(Input::Lost(failure)),
                }
            }
            Effect::Close => {
                if let Some(session) = self.session.take() {
                    self.earlier.bytes += session.sent_bytes();
                    self.earlier.dropped = self.earlier.dropped.saturating_add(session.dropped_frames());
                    if let Some(status) = session.recording() {
                        self.shared.lock().recording = Some(status);
                    }
                }
                self.rate.clear();
                self.count(Instant::now());
            }
            Effect::Finish => return self.session.as_mut().and_then(|session| session.finish()),
            Effect::Pause => self.each(|session| session.pause()),
            Effect::Resume => self.each(|session| session.resume()),
        }
        None
    }

    fn each(&mut self, act: impl FnOnce(&mut Box<dyn Session>)) {
        if let Some(session) = &mut self.session {
            act(session);
        }
    }

    fn count(&mut self, now: Instant) {
        let mut totals = self.earlier;
        let (mut queue_ms, mut recording) = (0, None);
        if let Some(session) = &self.session {
            totals.bytes += session.sent_bytes();
            totals.dropped = totals.dropped.saturating_add(session.dropped_frames());
            queue_ms = session.queue_ms();
            recording = session.recording();
            self.rate.push_back((now, totals.bytes));
        }
        while self
            .rate
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) > RATE_OVER)
        {
            self.rate.pop_front();
        }
        let mut status = self.shared.lock();
        status.sent_bytes = totals.bytes;
        status.dropped_frames = totals.dropped;
        status.queue_ms = queue_ms;
        status.reconnects = self.machine.reconnects;
        status.sent_kbps = kbps(&self.rate);
        if recording.is_some() {
            status.recording = recording;
        }
    }

    fn report_state(&self) {
        let state = said(&self.machine);
        {
            let mut status = self.shared.lock();
            status.reconnects = self.machine.reconnects;
            status.state = state.clone();
        }
        tracing::info!(state = state.name(), "output state");
        (self.context.on_event)(OutputEvent::State(state));
    }
}

/// Mean over the kept stretch; `None` while it is under a second.
fn kbps(rate: &VecDeque<(Instant, u64)>) -> Option<u32> {
    let ((from, first), (to, last)) = (rate.front()?, rate.back()?);
    let length = to.saturating_duration_since(*from);
    if length < Duration::from_secs(1) {
        return None;
    }
    let bits = last.saturating_sub(*first) * 8;
    u32::try_from(u128::from(bits) / length.as_millis().max(1)).ok()
}

fn wall_ms(at: Instant) -> u64 {
    let now = Instant::now();
    let wall = match at.checked_duration_since(now) {
        Some(ahead) => SystemTime::now() + ahead,
        None => SystemTime::now() - now.saturating_duration_since(at),
    };
    wall.duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The state as the desk is told.
fn said(machine: &Machine) -> OutputState {
    match &machine.phase {
        Phase::Idle => OutputState::Idle,
        Phase::Connecting { after: None } => OutputState::Connecting,
        Phase::Connecting { after: Some(error) } => OutputState::Reconnecting {
            attempt: machine.attempt,
            retry_at_ms: wall_ms(Instant::now()),
            error: error.clone(),
        },
        Phase::Live { since } => OutputState::Live {
            since_ms: wall_ms(*since),
        },
        Phase::Paused { .. } => OutputState::Paused,
        Phase::Backoff { until, error } => OutputState::Reconnecting {
            attempt: machine.attempt,
            retry_at_ms: wall_ms(*until),
            error: error.clone(),
        },
        Phase::Failed { error } => OutputState::Failed { error: error.clone() },
        Phase::Stopping { .. } => OutputState::Stopping,
    }
}

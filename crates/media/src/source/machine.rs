//! What a source does when something happens: states, transitions, no effects of its own.

use std::time::{Duration, Instant};

use protocol::UserError;

use super::error::Trouble;

/// The last frame stays this long, then comes the slate. Longer and viewers take a frozen face for the show.
pub(crate) const SLATE_AFTER: Duration = Duration::from_secs(2);
/// Between the first failure and the second try.
const BACKOFF_LEAST: Duration = Duration::from_millis(500);
/// A camera that is plugged in again is back within this even where nobody reports it.
const BACKOFF_MOST: Duration = Duration::from_secs(5);
/// A source that lived this long starts its backoff anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);
/// A source that opens and gives nothing for this long is taken for dead. Cameras take up to five seconds.
pub(crate) const OPENING_MOST: Duration = Duration::from_secs(10);

/// What a source is doing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    /// Nothing has arrived since it was opened.
    Opening { attempt: u32, since: Instant },
    /// Pictures or sound arrive.
    Live { attempt: u32, since: Instant },
    /// Closed; opened again at `until`.
    Backoff {
        attempt: u32,
        until: Instant,
        error: UserError,
    },
    /// Closed until the host does something.
    Failed { error: UserError },
}

/// A source's phase, and what viewers see of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    /// When the picture was lost; `None` while it is there.
    pub(crate) lost_since: Option<Instant>,
    /// The slate stands instead of the last frame.
    pub(crate) slate: bool,
}

/// What happens to a source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// The first picture or sound since it was opened.
    Arrived,
    /// A person is being asked, who takes as long as they like: it has not begun to open.
    Asking,
    /// It broke, could not be opened, or stalled.
    Broke(Trouble),
    /// Time passed.
    Tick,
    /// The host wants it tried now, the settings changed, or its device came back.
    Retry,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Build it and let it run.
    Open,
    /// Tear down what is there.
    Close,
    /// Show the slate with this error's sentence.
    Slate(UserError),
    /// The desks' projection changed.
    Report,
}

impl State {
    /// A source that is being opened for the first time.
    pub(crate) fn opening(now: Instant) -> Self {
        Self {
            phase: Phase::Opening {
                attempt: 0,
                since: now,
            },
            lost_since: Some(now),
            slate: false,
        }
    }

    /// When the state next changes without anything happening.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Opening { since, .. } => Some(*since + OPENING_MOST),
            Phase::Backoff { until, .. } => Some(*until),
            Phase::Live { .. } | Phase::Failed { .. } => None,
        };
        let slate = match (&self.phase, self.lost_since, self.slate) {
            (Phase::Backoff { .. } | Phase::Failed { .. }, Some(since), false) => Some(since + SLATE_AFTER),
            _ => None,
        };
        phase.into_iter().chain(slate).min()
    }
}

/// Time before try number `attempt` (the first retry is 1).
fn backoff(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(8);
    (BACKOFF_LEAST * 2u32.pow(doublings)).min(BACKOFF_MOST)
}

/// The next state and what is to be done to get there.
pub(crate) fn step(mut state: State, now: Instant, input: Input) -> (State, Vec<Effect>) {
    let mut effects = Vec::new();
    match input {
        Input::Arrived => {
            if let Phase::Opening { attempt, .. } = state.phase {
                state.phase = Phase::Live { attempt, since: now };
                state.lost_since = None;
                state.slate = false;
                effects.push(Effect::Report);
            }
        }
        Input::Asking => {
            if let Phase::Opening { since, .. } = &mut state.phase {
                *since = now;
            }
        }
        Input::Broke(trouble) => fail(&mut state, now, trouble, &mut effects),
        Input::Retry => {
            // A source that is well is left alone.
            if !matches!(state.phase, Phase::Live { .. } | Phase::Opening { .. }) {
                state.phase = Phase::Opening {
                    attempt: 0,
                    since: now,
                };
                effects.extend([Effect::Open, Effect::Report]);
            }
        }
        Input::Tick => tick(&mut state, now, &mut effects),
    }
    (state, effects)
}

fn fail(state: &mut State, now: Instant, trouble: Trouble, effects: &mut Vec<Effect>) {
    let attempt = match state.phase {
        Phase::Opening { attempt, .. } => attempt + 1,
        Phase::Live { attempt, since } if now.duration_since(since) < HEALTHY_AFTER => attempt + 1,
        Phase::Live { .. } => 1,
        // Echoes of an error that is already being dealt with.
        Phase::Backoff { .. } | Phase::Failed { .. } => return,
    };
    state.lost_since.get_or_insert(now);
    effects.push(Effect::Close);
    state.phase = if trouble.hopeless {
        Phase::Failed { error: trouble.error }
    } else {
        let wait = backoff(attempt);
        Phase::Backoff {
            attempt,
            until: now + wait,
            error: trouble.error.retried_after_ms(wait.as_millis() as u32),
        }
    };
    effects.push(Effect::Report);
}

fn tick(state: &mut State, now: Instant, effects: &mut Vec<Effect>) {
    let slate_due = !state.slate && state.lost_since.is_some_and(|since| now >= since + SLATE_AFTER);
    if slate_due && let Phase::Backoff { error, .. } | Phase::Failed { error } = &state.phase {
        effects.push(Effect::Slate(error.clone()));
        state.slate = true;
    }
    if let Phase::Backoff { attempt, until, .. } = state.phase
        && now >= until
    {
        state.phase = Phase::Opening { attempt, since: now };
        // The desk keeps reading the error meanwhile: nothing is well yet.
        effects.push(Effect::Open);
    }
}

#[cfg(test)]
mod tests {
    use protocol::ErrorCode;

    use super::*;

    fn gone() -> Trouble {
        Trouble::passing(UserError::new(ErrorCode::DeviceMissing))
    }

    fn live(now: Instant) -> State {
        step(State::opening(now), now, Input::Arrived).0
    }

    #[test]
    fn backoff_doubles_from_half_a_second_and_never_exceeds_five() {
        let waits: Vec<u64> = (1..8).map(|n| backoff(n).as_millis() as u64).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 5000, 5000, 5000]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MOST);
    }

    #[test]
    fn the_last_frame_stays_two_seconds_then_comes_the_slate_once() {
        let start = Instant::now();
        let (mut state, effects) = step(live(start), start, Input::Broke(gone()));
        assert_eq!(effects, [Effect::Close, Effect::Report]);
        let mut slates = Vec::new();
        for ms in (0..10_000).step_by(50) {
            let now = start + Duration::from_millis(ms);
            let (next, effects) = step(state, now, Input::Tick);
            state = next;
            for effect in effects {
                match effect {
                    Effect::Slate(_) => slates.push(ms),
                    Effect::Open => {
                        let (next, _) = step(state, now, Input::Broke(gone()));
                        state = next;
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(slates, [2000], "one slate, although it was tried again meanwhile");
    }

    #[test]
    fn it_comes_back_by_itself_and_the_slate_goes() {
        let start = Instant::now();
        let (state, _) = step(live(start), start, Input::Broke(gone()));
        let later = start + Duration::from_millis(2500);
        let (state, effects) = step(state, later, Input::Tick);
        assert!(state.slate && effects.contains(&Effect::Open));
        let (state, effects) = step(state, later, Input::Arrived);
        assert!(!state.slate && state.lost_since.is_none());
        assert!(matches!(state.phase, Phase::Live { .. }));
        assert_eq!(effects, [Effect::Report]);
    }

    #[test]
    fn a_person_who_is_asked_may_take_their_time() {
        let start = Instant::now();
        let later = start + OPENING_MOST * 5;
        let (state, effects) = step(State::opening(start), later, Input::Asking);
        assert_eq!(state.deadline(), Some(later + OPENING_MOST));
        assert_eq!(effects, []);
        let running = live(start);
        assert_eq!(step(running.clone(), later, Input::Asking).0, running);
    }

    #[test]
    fn echoes_of_an_error_change_nothing() {
        let start = Instant::now();
        let (state, _) = step(live(start), start, Input::Broke(gone()));
        let (again, effects) = step(state.clone(), start, Input::Broke(gone()));
        assert_eq!((again, effects), (state, vec![]));
    }

    #[test]
    fn a_flapping_source_backs_off_and_a_healthy_one_starts_anew() {
        let mut now = Instant::now();
        let mut state = live(now);
        let wait_of = |state: &State| match &state.phase {
            Phase::Backoff { error, .. } => error.retry_after_ms,
            _ => None,
        };
        let mut waits = Vec::new();
        for lived in [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(60)] {
            now += lived;
            state = step(state, now, Input::Broke(gone())).0;
            waits.push(wait_of(&state));
            now += BACKOFF_MOST;
            state = step(state, now, Input::Tick).0;
            state = step(state, now, Input::Arrived).0;
        }
        assert_eq!(waits, [Some(500), Some(1000), Some(500)]);
    }

    #[test]
    fn hopeless_waits_for_the_host_and_shows_the_slate() {
        let start = Instant::now();
        let trouble = Trouble::hopeless(UserError::new(ErrorCode::CaptureUnavailable));
        let (state, _) = step(State::opening(start), start, Input::Broke(trouble));
        assert!(matches!(state.phase, Phase::Failed { .. }));
        let (state, effects) = step(state, start + Duration::from_secs(60), Input::Tick);
        assert!(
            matches!(effects.as_slice(), [Effect::Slate(_)]),
            "no Open: {effects:?}"
        );
        let (state, effects) = step(state, start + Duration::from_secs(61), Input::Retry);
        assert!(matches!(state.phase, Phase::Opening { attempt: 0, .. }));
        assert_eq!(effects, [Effect::Open, Effect::Report]);
    }
}

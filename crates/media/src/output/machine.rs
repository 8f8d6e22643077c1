//! The states of an output and what leads from one to the next. Pure: the actor performs the effects.

use std::time::{Duration, Instant};

use protocol::UserError;

/// Shortest longest wait before a new try; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// Longest wait before a new try.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// Never sooner, so that a server that is starting is not hammered.
const LEAST_BACKOFF: Duration = Duration::from_millis(250);
/// Whoever was live for so long starts its waits from the beginning.
const STEADY_AFTER: Duration = Duration::from_secs(10);
/// Longest clean end: what is not sent by then is dropped.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(5);
/// A server that took this key a moment ago and refuses it now often still holds the lost session. So many tries.
const REFUSALS_AFTER_LIVE: u32 = 10;

/// What an output is doing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Idle,
    /// `after` is why it has to connect again; `None` at the first try.
    Connecting {
        after: Option<UserError>,
    },
    Live {
        since: Instant,
    },
    Paused {
        live_since: Instant,
    },
    Backoff {
        until: Instant,
        error: UserError,
    },
    Failed {
        error: UserError,
    },
    /// Until then at the latest. `error` is why it stops, when it is not the host who stops it.
    Stopping {
        until: Instant,
        error: Option<UserError>,
    },
}

/// An output's state with what it remembers of earlier tries.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Machine {
    pub phase: Phase,
    /// Tries since it was last steady.
    pub attempt: u32,
    /// Times that it came back.
    pub reconnects: u32,
    /// It has been live since the host started it.
    was_live: bool,
    refusals: u32,
}

/// What went wrong, and whether trying again can mend it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub error: UserError,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The network or the server: try again, for ever.
    Retry,
    /// The server said no to the key or the application: the host must act, unless it said yes a moment ago.
    Refused,
    /// Trying again is of no use.
    Final,
    /// What is there must be closed properly, then it has failed: a disk that fills up.
    Close,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    /// The host wants it.
    Start,
    /// The far end has taken frames; for a file, it is open.
    Taken,
    Lost(Failure),
    /// Time has passed.
    Timer,
    /// The host does not want to wait for the next try.
    Retry,
    Pause,
    Resume,
    /// The host does not want it any more.
    Stop,
    /// The clean end has been reached.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Connect, or open the file.
    Open,
    /// Send what is left, then end.
    Finish,
    /// Let go of everything at once.
    Close,
    Pause,
    Resume,
}

impl Machine {
    pub fn new() -> Self {
        Self {
            phase: Phase::Idle,
            attempt: 0,
            reconnects: 0,
            was_live: false,
            refusals: 0,
        }
    }

    /// When [`Input::Timer`] is due, if at all.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Backoff { until, .. } | Phase::Stopping { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Nothing is running and nothing will by itself.
    pub fn at_rest(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Failed { .. })
    }
}

/// The next state, and what has to be done. `jitter` is a random number in `0.0..1.0`.
pub(super) fn step(mut m: Machine, now: Instant, input: Input, jitter: f64) -> (Machine, Vec<Effect>) {
    let open = |m: &mut Machine, after: Option<UserError>| {
        m.phase = Phase::Connecting { after };
        vec![Effect::Open]
    };
    let effects = match (m.phase.clone(), input) {
        (Phase::Idle | Phase::Failed { .. }, Input::Start | Input::Retry) => {
            m = Machine {
                reconnects: m.reconnects,
                ..Machine::new()
            };
            open(&mut m, None)
        }
        (Phase::Connecting { .. }, Input::Taken) => {
            m.reconnects += u32::from(m.was_live);
            m.was_live = true;
            m.refusals = 0;
            m.phase = Phase::Live { since: now };
            vec![]
        }
        (Phase::Backoff { until, error }, Input::Timer) if now >= until => open(&mut m, Some(error)),
        (Phase::Backoff { error, .. }, Input::Retry) => open(&mut m, Some(error)),
        (Phase::Live { since }, Input::Pause) => {
            m.phase = Phase::Paused { live_since: since };
            vec![Effect::Pause]
        }
        (Phase::Paused { live_since }, Input::Resume) => {
            m.phase = Phase::Live { since: live_since };
            vec![Effect::Resume]
        }
        (
            phase @ (Phase::Connecting { .. } | Phase::Live { .. } | Phase::Paused { .. }),
            Input::Lost(failure),
        ) => lost(&mut m, &phase, now, failure, jitter),
        (Phase::Connecting { .. } | Phase::Backoff { .. }, Input::Stop) => {
            m.phase = Phase::Idle;
            vec![Effect::Close]
        }
        (Phase::Live { .. } | Phase::Paused { .. }, Input::Stop) => {
            m.phase = stopping(now, None);
            vec![Effect::Finish]
        }
        // The host stops what is being closed because of a failure: the failure is still worth saying.
        (Phase::Failed { .. }, Input::Stop) => {
            m.phase = Phase::Idle;
            vec![]
        }
        (Phase::Stopping { error, .. }, Input::Ended | Input::Lost(_)) => end(&mut m, error),
        (Phase::Stopping { until, error }, Input::Timer) if now >= until => end(&mut m, error),
        _ => vec![],
    };
    (m, effects)
}

fn stopping(now: Instant, error: Option<UserError>) -> Phase {
    Phase::Stopping {
        until: now + STOP_WITHIN,
        error,
    }
}

fn end(m: &mut Machine, error: Option<UserError>) -> Vec<Effect> {
    m.phase = error.map_or(Phase::Idle, |error| Phase::Failed { error });
    vec![Effect::Close]
}

fn lost(m: &mut Machine, phase: &Phase, now: Instant, failure: Failure, jitter: f64) -> Vec<Effect> {
    if let Phase::Live { since } | Phase::Paused { live_since: since } = phase
        && now.saturating_duration_since(*since) >= STEADY_AFTER
    {
        m.attempt = 0;
    }
    let refused = failure.verdict == Verdict::Refused;
    m.refusals += u32::from(refused);
    match failure.verdict {
        Verdict::Close => {
            m.phase = stopping(now, Some(failure.error));
            return vec![Effect::Finish];
        }
        Verdict::Final => m.phase = Phase::Failed { error: failure.error },
        Verdict::Refused if !m.was_live || m.refusals > REFUSALS_AFTER_LIVE => {
            m.phase = Phase::Failed { error: failure.error };
        }
        Verdict::Refused | Verdict::Retry => {
            let wait = backoff(m.attempt, jitter);
            m.attempt = m.attempt.saturating_add(1);
            let ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            m.phase = Phase::Backoff {
                until: now + wait,
                error: failure.error.retried_after_ms(ms),
            };
        }
    }
    vec![Effect::Close]
}

/// Full jitter: all studios that lost the same server do not come back in the same second.
fn backoff(attempt: u32, jitter: f64) -> Duration {
    let most = FIRST_BACKOFF
        .saturating_mul(1u32.checked_shl(attempt).unwrap_or(u32::MAX))
        .min(LONGEST_BACKOFF);
    most.mul_f64(jitter.clamp(0.0, 1.0)).max(LEAST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use protocol::{ErrorCode, Severity};

    use super::*;

    fn failure(code: ErrorCode, verdict: Verdict) -> Input {
        Input::Lost(Failure {
            error: UserError::new(code),
            verdict,
        })
    }

    fn run(
        machine: Machine,
        now: Instant,
        inputs: impl IntoIterator<Item = Input>,
    ) -> (Machine, Vec<Effect>) {
        inputs
            .into_iter()
            .fold((machine, vec![]), |(m, mut effects), input| {
                let (m, more) = step(m, now, input, 1.0);
                effects.extend(more);
                (m, effects)
            })
    }

    fn live(now: Instant) -> Machine {
        run(Machine::new(), now, [Input::Start, Input::Taken]).0
    }

    #[test]
    fn first_connects_are_retried_like_later_ones() {
        let now = Instant::now();
        let refused = failure(ErrorCode::ConnectionRefused, Verdict::Retry);
        let (m, effects) = run(Machine::new(), now, [Input::Start, refused]);
        assert_eq!(effects, [Effect::Open, Effect::Close]);
        let Phase::Backoff { until, error } = &m.phase else {
            panic!("{:?} is no wait for a new try", m.phase);
        };
        assert_eq!(*until, now + Duration::from_secs(1));
        assert_eq!(error.retry_after_ms, Some(1000));
        assert_eq!(error.severity, Severity::Warning, "the studio deals with it");
        let until = *until;
        let (early, none) = step(m.clone(), until - Duration::from_millis(1), Input::Timer, 1.0);
        assert_eq!((early.phase, none), (m.phase.clone(), vec![]));
        let (m, effects) = step(m, until, Input::Timer, 1.0);
        assert!(matches!(m.phase, Phase::Connecting { after: Some(_) }));
        assert_eq!(effects, [Effect::Open]);
    }

    #[test]
    fn a_refused_key_fails_at_once_and_the_host_may_try_again() {
        let now = Instant::now();
        let (m, _) = run(
            Machine::new(),
            now,
            [Input::Start, failure(ErrorCode::KeyRefused, Verdict::Refused)],
        );
        assert!(matches!(m.phase, Phase::Failed { .. }), "{:?}", m.phase);
        let (m, effects) = step(m, now, Input::Timer, 1.0);
        assert!(effects.is_empty(), "nothing happens by itself");
        let (m, effects) = step(m, now, Input::Retry, 1.0);
        assert_eq!(m.phase, Phase::Connecting { after: None });
        assert_eq!(effects, [Effect::Open]);
    }

    #[test]
    fn a_key_that_was_good_a_moment_ago_is_tried_again_ten_times() {
        let now = Instant::now();
        let mut m = live(now);
        for n in 0..REFUSALS_AFTER_LIVE {
            m = run(m, now, [failure(ErrorCode::KeyRefused, Verdict::Refused)]).0;
            assert!(
                matches!(m.phase, Phase::Backoff { .. }),
                "refusal {n} still waits"
            );
            m = run(m, now, [Input::Retry]).0;
        }
        m = run(m, now, [failure(ErrorCode::KeyRefused, Verdict::Refused)]).0;
        assert!(matches!(m.phase, Phase::Failed { .. }));
    }

    #[test]
    fn backoff_doubles_up_to_its_cap_and_never_hammers() {
        let waits: Vec<_> = (0..8).map(|n| backoff(n, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff(u32::MAX, 1.0), LONGEST_BACKOFF);
        assert_eq!(backoff(5, 0.0), LEAST_BACKOFF);
    }

    #[test]
    fn a_steady_connection_forgets_its_tries_and_a_short_one_does_not() {
        let now = Instant::now();
        let gone = || failure(ErrorCode::ConnectionLost, Verdict::Retry);
        let (m, _) = run(live(now), now, [gone(), Input::Retry, Input::Taken, gone()]);
        assert_eq!(m.attempt, 2);
        let (m, _) = run(m, now, [Input::Retry, Input::Taken]);
        assert_eq!(m.reconnects, 2);
        let (m, _) = run(m, now + STEADY_AFTER, [gone()]);
        assert_eq!(m.attempt, 1);
    }

    #[test]
    fn stopping_ends_by_itself_at_its_deadline() {
        let now = Instant::now();
        let (m, effects) = run(live(now), now, [Input::Stop]);
        assert_eq!(effects, [Effect::Finish]);
        assert_eq!(m.deadline(), Some(now + STOP_WITHIN));
        let (m, effects) = step(m, now + STOP_WITHIN, Input::Timer, 0.0);
        assert_eq!((m.phase, effects), (Phase::Idle, vec![Effect::Close]));
    }

    #[test]
    fn a_full_disk_closes_the_file_before_it_says_failed() {
        let now = Instant::now();
        let full = failure(ErrorCode::DiskFull, Verdict::Close);
        let (m, effects) = run(live(now), now, [full]);
        assert_eq!(effects, [Effect::Finish]);
        let (m, effects) = step(m, now, Input::Ended, 0.0);
        assert_eq!(effects, [Effect::Close]);
        assert!(matches!(m.phase, Phase::Failed { error } if error.code == ErrorCode::DiskFull));
    }

    #[test]
    fn pausing_and_resuming_keeps_the_time_of_going_live() {
        let now = Instant::now();
        let (m, effects) = run(
            live(now),
            now + Duration::from_secs(3),
            [Input::Pause, Input::Resume],
        );
        assert_eq!(effects, [Effect::Pause, Effect::Resume]);
        assert_eq!(m.phase, Phase::Live { since: now });
    }

    #[test]
    fn nothing_comes_back_after_a_stop() {
        let now = Instant::now();
        let lost = failure(ErrorCode::ConnectionLost, Verdict::Retry);
        let (m, _) = run(live(now), now, [lost.clone(), Input::Stop]);
        assert_eq!(m.phase, Phase::Idle);
        let (m, effects) = run(m, now, [Input::Timer, Input::Taken, lost, Input::Ended]);
        assert_eq!((m.phase, effects), (Phase::Idle, vec![]));
    }
}

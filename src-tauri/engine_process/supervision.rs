//! When to start the engine, and how often. Pure: time and what happened go in, what to do comes out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::{ErrorCode, UserError};

use super::announcement::Engine;

/// Most restarts within [`A_WHILE`]. An engine that dies at each start would otherwise keep the machine busy
/// with starting it, which takes more from a show than a pause does.
const MOST_RESTARTS: usize = 5;

/// The time over which restarts are counted.
const A_WHILE: Duration = Duration::from_secs(60);

/// Pauses before the first, second, … restart within [`A_WHILE`]. The first is at once: a show is waiting.
const PAUSES: [Duration; MOST_RESTARTS] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// What the desk is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// An engine is being looked for or started: wait.
    Starting,
    /// It can be reached.
    Running(Engine),
    /// There is none. With `retry_after_ms` it is tried again by itself.
    Failed(UserError),
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The search for a running engine is over.
    Looked(Option<Engine>),
    /// The engine that was started is ready.
    Announced(Engine),
    /// The engine is gone, or could not be started.
    Gone(UserError),
    /// The time of [`Effect::Wake`] has come.
    Woken,
    /// The host wants another try.
    Retry,
}

/// What to do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Look for a running engine in the data folder.
    Look,
    /// Start one. `like` asks for the same address and token, so that desks find it again; `resume` brings the
    /// show back that was on air.
    Start {
        /// The engine before.
        like: Option<Engine>,
        /// Go on with its show.
        resume: bool,
    },
    /// Say [`Input::Woken`] then.
    Wake(Instant),
}

#[derive(Debug, PartialEq)]
enum State {
    Looking,
    Starting,
    Running,
    /// Until the wake.
    Pausing,
    /// Until the host asks.
    Failed,
}

/// Watches over one engine at a time.
#[derive(Debug)]
pub struct Supervision {
    state: State,
    status: Status,
    /// The engine that ran last: its address and token are kept.
    last: Option<Engine>,
    /// An engine has run under this shell, so that a show may have to be brought back.
    ran: bool,
    /// When engines were started again, oldest first, at most [`MOST_RESTARTS`].
    restarts: VecDeque<Instant>,
    /// Another engine has the folder: look for it before starting one.
    look_first: bool,
}

impl Supervision {
    /// Nothing is known yet: look.
    pub fn new() -> (Self, Effect) {
        let supervision = Self {
            state: State::Looking,
            status: Status::Starting,
            last: None,
            ran: false,
            restarts: VecDeque::new(),
            look_first: false,
        };
        (supervision, Effect::Look)
    }

    /// What the desk is told now.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Takes in what happened.
    pub fn step(&mut self, now: Instant, input: Input) -> Option<Effect> {
        match (input, &self.state) {
            (Input::Looked(Some(engine)), State::Looking) | (Input::Announced(engine), State::Starting) => {
                self.state = State::Running;
                self.status = Status::Running(engine.clone());
                self.last = Some(engine);
                self.ran = true;
                None
            }
            (Input::Looked(None), State::Looking) => Some(self.start()),
            (Input::Gone(error), State::Starting | State::Running) => self.gone(now, error),
            (Input::Woken, State::Pausing) => Some(self.go()),
            (Input::Retry, State::Pausing | State::Failed) => {
                self.restarts.clear();
                Some(self.go())
            }
            // Late words of an engine that is no longer the one.
            _ => None,
        }
    }

    fn gone(&mut self, now: Instant, error: UserError) -> Option<Effect> {
        let starting = self.state == State::Starting;
        if error.code == ErrorCode::PortTaken && starting {
            // Somebody took the port meanwhile. A desk asks for the address when it has lost its engine.
            if let Some(last) = &mut self.last {
                last.address.clear();
            }
        }
        self.look_first = error.code == ErrorCode::DataFolderTaken;
        if starting && !self.ran && !self.look_first {
            // It never worked, so it will not by itself: no encoder, no rights, no program.
            self.state = State::Failed;
            self.status = Status::Failed(error);
            return None;
        }
        while self
            .restarts
            .front()
            .is_some_and(|at| now.duration_since(*at) >= A_WHILE)
        {
            self.restarts.pop_front();
        }
        let pause = match PAUSES.get(self.restarts.len()) {
            Some(pause) => *pause,
            None => self
                .restarts
                .pop_front()
                .map_or(A_WHILE, |oldest| oldest + A_WHILE - now),
        };
        let at = now + pause;
        self.restarts.push_back(at);
        if pause.is_zero() {
            return Some(self.go());
        }
        self.state = State::Pausing;
        // A short pause is not worth a sentence; the desk waits for its address meanwhile.
        self.status = if pause <= PAUSES[MOST_RESTARTS - 1] {
            Status::Starting
        } else {
            Status::Failed(error.retried_after_ms(u32::try_from(pause.as_millis()).unwrap_or(u32::MAX)))
        };
        Some(Effect::Wake(at))
    }

    fn go(&mut self) -> Effect {
        self.status = Status::Starting;
        if self.look_first {
            self.state = State::Looking;
            Effect::Look
        } else {
            self.start()
        }
    }

    fn start(&mut self) -> Effect {
        self.state = State::Starting;
        self.look_first = false;
        Effect::Start {
            like: self.last.clone(),
            resume: self.ran,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine {
            address: "http://127.0.0.1:4000".into(),
            token: "token".into(),
        }
    }

    fn died() -> Input {
        Input::Gone(UserError::new(ErrorCode::Internal).with("detail", "signal 9"))
    }

    fn running(now: Instant) -> Supervision {
        let (mut supervision, first) = Supervision::new();
        assert_eq!(first, Effect::Look);
        let start = supervision.step(now, Input::Looked(None));
        assert_eq!(
            start,
            Some(Effect::Start {
                like: None,
                resume: false
            }),
            "a first start brings no show back"
        );
        assert_eq!(supervision.step(now, Input::Announced(engine())), None);
        assert_eq!(supervision.status(), &Status::Running(engine()));
        supervision
    }

    #[test]
    fn an_engine_that_runs_already_is_taken_and_none_started() {
        let (mut supervision, _) = Supervision::new();
        assert_eq!(
            supervision.step(Instant::now(), Input::Looked(Some(engine()))),
            None
        );
        assert_eq!(supervision.status(), &Status::Running(engine()));
    }

    #[test]
    fn a_dead_engine_is_replaced_at_once_by_its_like_with_its_show() {
        let now = Instant::now();
        let mut supervision = running(now);
        let start = supervision.step(now, died());
        assert_eq!(
            start,
            Some(Effect::Start {
                like: Some(engine()),
                resume: true
            })
        );
        assert_eq!(supervision.status(), &Status::Starting, "the desk waits");
    }

    #[test]
    fn an_engine_that_was_found_is_replaced_like_one_that_was_started() {
        let now = Instant::now();
        let (mut supervision, _) = Supervision::new();
        supervision.step(now, Input::Looked(Some(engine())));
        let start = supervision.step(now, died());
        assert_eq!(
            start,
            Some(Effect::Start {
                like: Some(engine()),
                resume: true
            })
        );
    }

    #[test]
    fn an_engine_that_keeps_dying_is_never_started_more_than_five_times_a_minute() {
        let mut now = Instant::now();
        let mut supervision = running(now);
        let mut starts = Vec::new();
        let mut told = false;
        for _ in 0..40 {
            let mut effect = supervision.step(now, died());
            if let Some(Effect::Wake(at)) = effect {
                assert!(at > now, "a pause takes time");
                if let Status::Failed(error) = supervision.status() {
                    told |= error.retry_after_ms.is_some();
                }
                now = at;
                effect = supervision.step(now, Input::Woken);
            }
            assert_eq!(
                effect,
                Some(Effect::Start {
                    like: Some(engine()),
                    resume: true
                })
            );
            starts.push(now);
            now += Duration::from_millis(10);
        }
        assert_eq!(
            starts[0],
            starts[1] - Duration::from_millis(260),
            "at once, then after a pause"
        );
        for window in starts.windows(MOST_RESTARTS + 1) {
            let span = window[MOST_RESTARTS] - window[0];
            assert!(span >= A_WHILE, "six starts within {span:?}");
        }
        assert!(told, "a long pause is said in the window");
    }

    #[test]
    fn one_death_a_day_is_always_answered_at_once() {
        let mut now = Instant::now();
        let mut supervision = running(now);
        for _ in 0..20 {
            assert!(matches!(
                supervision.step(now, died()),
                Some(Effect::Start { .. })
            ));
            supervision.step(now, Input::Announced(engine()));
            now += Duration::from_secs(24 * 3600);
        }
    }

    #[test]
    fn an_engine_that_cannot_start_is_said_and_waits_for_the_host() {
        let now = Instant::now();
        let (mut supervision, _) = Supervision::new();
        supervision.step(now, Input::Looked(None));
        let error = UserError::new(ErrorCode::NoEncoder);
        assert_eq!(supervision.step(now, Input::Gone(error.clone())), None);
        assert_eq!(supervision.status(), &Status::Failed(error));
        assert_eq!(
            supervision.step(now, Input::Woken),
            None,
            "nothing happens by itself"
        );
        let start = supervision.step(now, Input::Retry);
        assert_eq!(
            start,
            Some(Effect::Start {
                like: None,
                resume: false
            })
        );
    }

    #[test]
    fn a_taken_folder_means_that_another_engine_is_looked_for_again() {
        let now = Instant::now();
        let (mut supervision, _) = Supervision::new();
        supervision.step(now, Input::Looked(None));
        let taken = || Input::Gone(UserError::new(ErrorCode::DataFolderTaken));
        assert_eq!(supervision.step(now, taken()), Some(Effect::Look));
        supervision.step(now, Input::Looked(None));
        let Some(Effect::Wake(at)) = supervision.step(now, taken()) else {
            panic!("it pauses")
        };
        assert_eq!(supervision.step(at, Input::Woken), Some(Effect::Look));
        supervision.step(at, Input::Looked(Some(engine())));
        assert_eq!(supervision.status(), &Status::Running(engine()));
    }

    #[test]
    fn a_port_that_was_taken_meanwhile_is_given_up_and_the_token_kept() {
        let now = Instant::now();
        let mut supervision = running(now);
        supervision.step(now, died());
        let taken = Input::Gone(UserError::new(ErrorCode::PortTaken));
        let Some(Effect::Wake(at)) = supervision.step(now, taken) else {
            panic!("it pauses")
        };
        let Some(Effect::Start {
            like: Some(like),
            resume: true,
        }) = supervision.step(at, Input::Woken)
        else {
            panic!("it starts again")
        };
        assert_eq!((like.address.as_str(), like.token.as_str()), ("", "token"));
    }

    #[test]
    fn late_words_of_a_dead_engine_change_nothing() {
        let now = Instant::now();
        let mut supervision = running(now);
        assert_eq!(supervision.step(now, Input::Woken), None);
        assert_eq!(supervision.step(now, Input::Looked(None)), None);
        assert_eq!(supervision.step(now, Input::Retry), None, "one runs");
        assert_eq!(supervision.status(), &Status::Running(engine()));
    }
}

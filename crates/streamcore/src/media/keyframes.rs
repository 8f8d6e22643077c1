//! When to ask a publisher for a keyframe: merged, limited, and not for ever of one that does not answer.

use std::time::{Duration, Instant};

/// Requests without an answer before we say so and ask rarely.
const PATIENCE: u32 = 3;
/// Between requests to a publisher that does not answer.
const RARE: Duration = Duration::from_secs(10);

/// The state of one publisher's keyframe requests.
#[derive(Debug)]
pub(crate) struct KeyframeGate {
    interval: Duration,
    /// Somebody wants one since then.
    wanted: bool,
    last_asked: Option<Instant>,
    unanswered: u32,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    No,
    Yes,
    /// Ask, and say that the publisher has not answered the ones before.
    YesUnanswered,
}

impl KeyframeGate {
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            wanted: false,
            last_asked: None,
            unanswered: 0,
        }
    }

    /// Somebody needs a keyframe.
    pub fn want(&mut self) {
        self.wanted = true;
    }

    /// A keyframe came: whoever wanted one has it.
    pub fn on_keyframe(&mut self) {
        self.wanted = false;
        self.unanswered = 0;
    }

    fn wait(&self) -> Duration {
        if self.unanswered >= PATIENCE {
            RARE
        } else {
            self.interval
        }
    }

    pub fn poll(&mut self, now: Instant) -> Ask {
        if !self.wanted || self.last_asked.is_some_and(|at| now < at + self.wait()) {
            return Ask::No;
        }
        self.last_asked = Some(now);
        // Stays wanted until a keyframe comes: a lost request is asked again.
        self.unanswered += 1;
        if self.unanswered == PATIENCE + 1 {
            Ask::YesUnanswered
        } else {
            Ask::Yes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn many_wishes_make_one_request_a_second() {
        let (mut gate, start) = (KeyframeGate::new(SECOND), Instant::now());
        let mut asked = 0;
        for ms in 0..5000 {
            gate.want();
            let now = start + Duration::from_millis(ms);
            if gate.poll(now) != Ask::No {
                asked += 1;
                gate.on_keyframe();
            }
        }
        assert_eq!(asked, 5);
    }

    #[test]
    fn a_keyframe_that_comes_by_itself_fulfils_the_wish() {
        let (mut gate, start) = (KeyframeGate::new(SECOND), Instant::now());
        gate.want();
        assert_eq!(gate.poll(start), Ask::Yes);
        gate.on_keyframe();
        gate.want();
        gate.on_keyframe();
        assert_eq!(gate.poll(start + 2 * SECOND), Ask::No);
    }

    #[test]
    fn a_publisher_that_does_not_answer_is_reported_once_and_asked_rarely() {
        let (mut gate, start) = (KeyframeGate::new(SECOND), Instant::now());
        gate.want();
        let answers: Vec<Ask> = (0..40).map(|s| gate.poll(start + s * SECOND)).collect();
        assert_eq!(answers.iter().filter(|a| **a == Ask::YesUnanswered).count(), 1);
        assert!(
            answers.iter().filter(|a| **a != Ask::No).count() <= 7,
            "{answers:?}"
        );
        gate.on_keyframe();
        gate.want();
        assert_eq!(
            gate.poll(start + 60 * SECOND),
            Ask::Yes,
            "an answer makes it trusted again"
        );
    }
}

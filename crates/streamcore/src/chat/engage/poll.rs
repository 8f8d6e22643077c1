//! A poll: one vote a member, and the last one counts.

use std::collections::HashMap;

use super::wire::{Poll, PollVotes};
use crate::chat::wire::{MemberId, Refused, Seq};

/// Members whose vote is known; more than that many are no audience of one server.
const MOST_BALLOTS: usize = 200_000;

/// A poll that is open, or was and is still shown.
#[derive(Debug)]
pub struct RunningPoll {
    poll: Poll,
    ballots: HashMap<MemberId, u32>,
}

impl RunningPoll {
    /// As it begins.
    pub fn open(id: Seq, question: String, options: Vec<String>, ends_at_ms: Option<u64>) -> Self {
        let poll = Poll {
            id,
            votes: vec![0; options.len()],
            question,
            options,
            ends_at_ms,
            open: true,
        };
        Self {
            poll,
            ballots: HashMap::new(),
        }
    }

    /// As it was kept: who has voted for what is counted anew while it is open.
    pub fn kept(mut poll: Poll, ballots: HashMap<MemberId, u32>) -> Self {
        if poll.open {
            poll.votes = vec![0; poll.options.len()];
            for option in ballots.values() {
                if let Some(votes) = poll.votes.get_mut(*option as usize) {
                    *votes += 1;
                }
            }
        }
        Self { poll, ballots }
    }

    /// As everybody sees it.
    pub fn poll(&self) -> &Poll {
        &self.poll
    }

    /// What a member has chosen.
    pub fn choice(&self, member: &str) -> Option<u32> {
        self.ballots.get(member).copied()
    }

    /// Whether its time is over, and nobody has closed it yet.
    pub fn is_due(&self, wall_ms: u64) -> bool {
        self.poll.open && self.poll.ends_at_ms.is_some_and(|ends| ends <= wall_ms)
    }

    /// Counts a vote in the place of the member's one before. Whether that changes anything.
    ///
    /// # Errors
    /// `over` when votes count no more, `out_of_range` for an answer that there is not.
    pub fn vote(&mut self, member: &str, option: u32, wall_ms: u64) -> Result<bool, Refused> {
        if !self.poll.open || self.is_due(wall_ms) {
            return Err(Refused::Over);
        }
        let at = option as usize;
        if at >= self.poll.votes.len() {
            return Err(Refused::OutOfRange {
                field: "option".to_owned(),
            });
        }
        let before = self.choice(member);
        if before == Some(option) {
            return Ok(false);
        }
        match before {
            Some(before) => self.poll.votes[before as usize] -= 1,
            None if self.ballots.len() >= MOST_BALLOTS => return Err(Refused::Unavailable),
            None => {}
        }
        self.poll.votes[at] += 1;
        self.ballots.insert(member.to_owned(), option);
        Ok(true)
    }

    /// Votes count no more.
    pub fn close(&mut self) {
        self.poll.open = false;
    }

    /// The votes so far.
    pub fn votes(&self) -> PollVotes {
        PollVotes {
            id: self.poll.id,
            votes: self.poll.votes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(ends_at_ms: Option<u64>) -> RunningPoll {
        RunningPoll::open(7, "?".into(), vec!["a".into(), "b".into()], ends_at_ms)
    }

    #[test]
    fn the_last_vote_of_a_member_counts() {
        let mut poll = poll(None);
        assert_eq!(poll.vote("ada", 0, 0), Ok(true));
        assert_eq!(poll.vote("bob", 0, 0), Ok(true));
        assert_eq!(poll.vote("ada", 1, 0), Ok(true), "another one");
        assert_eq!(poll.vote("ada", 1, 0), Ok(false), "the same one again");
        assert_eq!(poll.poll().votes, [1, 1]);
        assert_eq!((poll.choice("ada"), poll.choice("eve")), (Some(1), None));
    }

    #[test]
    fn nothing_counts_that_is_no_answer_or_comes_too_late() {
        let mut timed = poll(Some(1000));
        assert!(timed.vote("ada", 2, 0).is_err());
        assert_eq!(timed.vote("ada", 0, 999), Ok(true));
        assert_eq!(
            timed.vote("ada", 1, 1000),
            Err(Refused::Over),
            "nobody closed it yet"
        );
        assert!(timed.is_due(1000) && !timed.is_due(999));
        let mut shut = poll(None);
        shut.close();
        assert_eq!(shut.vote("ada", 0, 0), Err(Refused::Over));
        assert_eq!(shut.poll().votes, [0, 0]);
    }

    #[test]
    fn it_is_kept_with_who_voted_for_what() {
        let mut before = poll(None);
        before.vote("ada", 1, 0).expect("it is open");
        let kept = Poll {
            votes: vec![9, 9],
            ..before.poll().clone()
        };
        let ballots = HashMap::from([("ada".to_owned(), 1)]);
        let mut after = RunningPoll::kept(kept, ballots);
        assert_eq!(after.poll().votes, [0, 1], "counted anew");
        assert_eq!(after.vote("ada", 0, 0), Ok(true));
        assert_eq!(after.poll().votes, [1, 0]);
    }
}

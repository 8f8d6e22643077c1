//! Viewers' questions to the host, and who wants them answered.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::wire::{Question, QuestionState, QuestionVotes};
use crate::chat::wire::{MemberId, Refused, Seq};

/// Questions that are at hand; when there are more, the oldest that was answered goes.
const MOST: usize = 100;
/// Questions of one member that are not answered yet.
const MOST_OF_ONE: usize = 3;
/// Least time between two questions of one member.
const BETWEEN: Duration = Duration::from_secs(10);
/// When somebody with too many questions may look again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// Members who are known to have asked lately.
const MOST_PACES: usize = 20_000;
/// A question and who wants it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub question: Question,
    pub supporters: HashSet<MemberId>,
}

impl Asked {
    /// A new one; whoever asks wants an answer.
    pub fn new(question: Question) -> Self {
        let supporters = HashSet::from([question.by.id.clone()]);
        Self { question, supporters }
    }
}

/// All questions of a room, in the order in which they came.
#[derive(Debug, Default)]
pub struct Questions {
    pub open: bool,
    list: Vec<Asked>,
    asked_at: HashMap<MemberId, Instant>,
    fresh: HashSet<Seq>,
}

impl Questions {
    /// As they were kept.
    pub fn new(open: bool, list: Vec<Asked>) -> Self {
        Self {
            open,
            list,
            ..Self::default()
        }
    }

    /// All that are at hand.
    pub fn list(&self) -> impl Iterator<Item = &Question> {
        self.list.iter().map(|asked| &asked.question)
    }

    /// One of them.
    pub fn find(&self, id: Seq) -> Option<&Question> {
        self.list().find(|question| question.id == id)
    }

    /// What a member wants answered.
    pub fn supported_by(&self, member: &str) -> Vec<Seq> {
        let wanted = self.list.iter().filter(|asked| asked.supporters.contains(member));
        wanted.map(|asked| asked.question.id).collect()
    }

    /// Whether a member may ask now; its time counts from here.
    ///
    /// # Errors
    /// `over` while no questions are taken, `too_fast` with when to try again.
    pub fn may_ask(&mut self, member: &str, now: Instant) -> Result<(), Refused> {
        if !self.open {
            return Err(Refused::Over);
        }
        let waiting = self
            .list()
            .filter(|one| one.by.id == member && one.state != QuestionState::Answered)
            .count();
        if waiting >= MOST_OF_ONE || (self.list.len() >= MOST && self.oldest_answered().is_none()) {
            return Err(too_fast(LOOK_AGAIN));
        }
        let since = self
            .asked_at
            .get(member)
            .map(|at| now.saturating_duration_since(*at));
        if let Some(wait) = since
            .and_then(|since| BETWEEN.checked_sub(since))
            .filter(|wait| !wait.is_zero())
        {
            return Err(too_fast(wait));
        }
        if self.asked_at.len() >= MOST_PACES {
            self.asked_at
                .retain(|_, at| now.saturating_duration_since(*at) < BETWEEN);
        }
        self.asked_at.insert(member.to_owned(), now);
        Ok(())
    }

    /// A question more. Gives back the one that had to go for it.
    pub fn add(&mut self, asked: Asked) -> Option<Asked> {
        let gone = if self.list.len() >= MOST {
            self.oldest_answered()
        } else {
            None
        };
        let gone = gone.and_then(|id| self.remove(id));
        let at = self
            .list
            .partition_point(|other| other.question.id < asked.question.id);
        self.list.insert(at, asked);
        gone
    }

    /// A question goes.
    pub fn remove(&mut self, id: Seq) -> Option<Asked> {
        let at = self.list.iter().position(|asked| asked.question.id == id)?;
        self.fresh.remove(&id);
        Some(self.list.remove(at))
    }

    /// It stands elsewhere now. Gives back what changed: the question, and the one that was being answered before.
    ///
    /// # Errors
    /// `unknown` for a question that is not there.
    pub fn stand(&mut self, id: Seq, state: QuestionState) -> Result<Vec<Question>, Refused> {
        if self.find(id).is_none() {
            return Err(Refused::Unknown);
        }
        let mut changed = Vec::new();
        for asked in &mut self.list {
            let question = &mut asked.question;
            if question.id == id {
                question.state = state;
                // Why it waited is nobody's business once it is shown.
                question.held_for = question.held_for.filter(|_| state == QuestionState::Waiting);
            } else if state == QuestionState::Answering && question.state == QuestionState::Answering {
                question.state = QuestionState::Answered;
            } else {
                continue;
            }
            changed.push(question.clone());
        }
        Ok(changed)
    }

    /// A member wants it answered. Whether that is news.
    ///
    /// # Errors
    /// `unknown` for what there is not (or waits), `over` for what was answered.
    pub fn support(&mut self, id: Seq, member: &str) -> Result<bool, Refused> {
        let asked = self.list.iter_mut().find(|asked| asked.question.id == id);
        let asked = asked.ok_or(Refused::Unknown)?;
        match asked.question.state {
            QuestionState::Waiting => return Err(Refused::Unknown),
            QuestionState::Answered => return Err(Refused::Over),
            QuestionState::Open | QuestionState::Answering => {}
        }
        if !asked.supporters.insert(member.to_owned()) {
            return Ok(false);
        }
        asked.question.votes += 1;
        self.fresh.insert(id);
        Ok(true)
    }

    /// Those whose votes nobody has been told of.
    pub fn fresh(&self) -> Vec<QuestionVotes> {
        let fresh = self.list().filter(|question| self.fresh.contains(&question.id));
        fresh
            .map(|question| QuestionVotes {
                id: question.id,
                votes: question.votes,
            })
            .collect()
    }

    /// They have been told.
    pub fn told(&mut self) {
        self.fresh.clear();
    }

    fn oldest_answered(&self) -> Option<Seq> {
        self.list()
            .find(|question| question.state == QuestionState::Answered)
            .map(|question| question.id)
    }
}

fn too_fast(wait: Duration) -> Refused {
    Refused::TooFast {
        retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::identity::Role;
    use crate::chat::wire::Author;

    fn question(id: Seq, by: &str) -> Asked {
        Asked::new(Question {
            id,
            at_ms: 0,
            by: Author {
                id: by.into(),
                name: by.to_uppercase(),
                role: Role::Viewer,
            },
            text: format!("question {id}"),
            votes: 1,
            state: QuestionState::Open,
            held_for: None,
        })
    }

    fn questions(list: &[(Seq, &str)]) -> Questions {
        Questions::new(true, list.iter().map(|(id, by)| question(*id, by)).collect())
    }

    #[test]
    fn a_member_asks_every_ten_seconds_and_three_at_once() {
        let start = Instant::now();
        let mut all = questions(&[]);
        assert_eq!(all.may_ask("ada", start), Ok(()));
        assert!(matches!(
            all.may_ask("ada", start + Duration::from_secs(9)),
            Err(Refused::TooFast { retry_after_ms: 1000 })
        ));
        assert_eq!(all.may_ask("bob", start), Ok(()), "somebody else");
        assert_eq!(all.may_ask("ada", start + BETWEEN), Ok(()));
        for id in 1..=3 {
            all.add(question(id, "ada"));
        }
        let later = start + 3 * BETWEEN;
        assert!(all.may_ask("ada", later).is_err(), "three wait");
        all.stand(2, QuestionState::Answered).expect("it is there");
        assert_eq!(all.may_ask("ada", later), Ok(()));
        all.open = false;
        assert_eq!(all.may_ask("bob", later + BETWEEN), Err(Refused::Over));
    }

    #[test]
    fn a_full_list_forgets_what_was_answered_and_nothing_else() {
        let mut all = questions(&[]);
        for id in 1..=MOST as u64 {
            assert!(all.add(question(id, &format!("m{id}"))).is_none());
        }
        assert!(
            all.may_ask("ada", Instant::now()).is_err(),
            "all wait for an answer"
        );
        all.stand(5, QuestionState::Answered).expect("it is there");
        assert_eq!(all.may_ask("ada", Instant::now()), Ok(()));
        let gone = all.add(question(500, "ada")).expect("one had to go");
        assert_eq!(gone.question.id, 5);
    }

    #[test]
    fn one_question_is_being_answered() {
        let mut all = questions(&[(1, "a"), (2, "b")]);
        all.stand(1, QuestionState::Answering).expect("it is there");
        let changed = all.stand(2, QuestionState::Answering).expect("it is there");
        let states: Vec<_> = changed.iter().map(|one| (one.id, one.state)).collect();
        assert_eq!(
            states,
            [(1, QuestionState::Answered), (2, QuestionState::Answering)]
        );
        assert_eq!(all.stand(9, QuestionState::Open), Err(Refused::Unknown));
    }

    #[test]
    fn a_member_supports_a_question_once() {
        let mut all = questions(&[(1, "ada"), (2, "bob")]);
        assert_eq!(all.support(1, "ada"), Ok(false), "whoever asks wants it anyway");
        assert_eq!(all.support(1, "bob"), Ok(true));
        assert_eq!(all.support(1, "bob"), Ok(false));
        assert_eq!(all.find(1).map(|one| one.votes), Some(2));
        assert_eq!(all.supported_by("bob"), [1, 2]);
        assert_eq!(all.fresh(), [QuestionVotes { id: 1, votes: 2 }]);
        all.told();
        assert!(all.fresh().is_empty());
        all.stand(1, QuestionState::Waiting).expect("it is there");
        assert_eq!(
            all.support(1, "eve"),
            Err(Refused::Unknown),
            "viewers don't see it"
        );
        all.stand(1, QuestionState::Answered).expect("it is there");
        assert_eq!(all.support(1, "eve"), Err(Refused::Over));
    }
}

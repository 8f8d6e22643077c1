//! What viewers do.

use super::{EngageChange, Follow, Now, Room, Speaker, keep};
use crate::chat::engage::wire::{Part, Question, QuestionState, Reaction};
use crate::chat::engage::{Asked, Entry};
use crate::chat::identity::Role;
use crate::chat::text::{Text, TextError};
use crate::chat::wire::{Done, Refused, Seq};

/// Most characters of a question.
const MOST_OF_A_QUESTION: usize = 280;

impl Room {
    /// A viewer takes part.
    ///
    /// # Errors
    /// Why it may not; nothing has changed then but its pace. Host and moderators have their own ways: `not_allowed`.
    pub fn take_part(&mut self, by: &Speaker, part: &Part, now: Now) -> Result<(Done, Follow), Refused> {
        if by.author.role != Role::Viewer {
            return Err(Refused::NotAllowed);
        }
        match self.restriction(by, now).map(|restriction| restriction.until_ms) {
            Some(None) => return Err(Refused::Banned),
            Some(Some(until)) => {
                return Err(Refused::TimedOut {
                    retry_after_ms: until.saturating_sub(now.wall_ms),
                });
            }
            None => {}
        }
        let mut follow = Follow::default();
        let member = by.author.id.as_str();
        let done = match part {
            Part::Vote { poll, option } => self.vote(&mut follow, member, *poll, *option, now)?,
            Part::Ask { text } => self.ask(&mut follow, by, text, now)?,
            Part::Support { question } => self.support(&mut follow, member, *question)?,
            Part::React { reaction } => self.react(member, *reaction, now)?,
            Part::Enter { giveaway } => self.enter(&mut follow, by, *giveaway)?,
        };
        Ok((done, follow))
    }

    fn vote(
        &mut self,
        follow: &mut Follow,
        member: &str,
        id: Seq,
        option: u32,
        now: Now,
    ) -> Result<Done, Refused> {
        let poll = self.activity.poll.as_mut();
        let poll = poll.filter(|poll| poll.poll().id == id).ok_or(Refused::Over)?;
        if poll.vote(member, option, now.wall_ms)? {
            let change = EngageChange::Voted {
                poll: id,
                member: member.to_owned(),
                option,
            };
            keep(follow, change);
            self.activity.voted = true;
            self.activity.beat.quicken();
        }
        Ok(Done::Counted)
    }

    fn ask(&mut self, follow: &mut Follow, by: &Speaker, text: &Text, now: Now) -> Result<Done, Refused> {
        let too_long = Refused::TooLong {
            most: MOST_OF_A_QUESTION as u32,
        };
        let text = text.clean().map_err(|error| match error {
            TextError::Empty => Refused::Empty,
            TextError::TooLong => too_long.clone(),
        })?;
        if text.chars().count() > MOST_OF_A_QUESTION {
            return Err(too_long);
        }
        self.activity.questions.may_ask(&by.author.id, now.at)?;
        let held_for = self.held_for(&text)?;
        let question = Question {
            id: self.next_seq(),
            at_ms: now.wall_ms,
            by: by.author.clone(),
            text,
            votes: 1,
            state: match held_for {
                Some(_) => QuestionState::Waiting,
                None => QuestionState::Open,
            },
            held_for,
        };
        self.put_question(follow, Asked::new(question));
        Ok(match held_for {
            Some(_) => Done::Held,
            None => Done::Acted,
        })
    }

    fn support(&mut self, follow: &mut Follow, member: &str, question: Seq) -> Result<Done, Refused> {
        if self.activity.questions.support(question, member)? {
            let change = EngageChange::Supported {
                question,
                member: member.to_owned(),
            };
            keep(follow, change);
            self.activity.beat.quicken();
        }
        Ok(Done::Counted)
    }

    /// Kept with the next pulse: what a second of it is worth, a crash may take.
    fn react(&mut self, member: &str, reaction: Reaction, now: Now) -> Result<Done, Refused> {
        self.activity.reactions.count(member, reaction, now.wall_ms)?;
        self.activity.beat.quicken();
        Ok(Done::Counted)
    }

    fn enter(&mut self, follow: &mut Follow, by: &Speaker, id: Seq) -> Result<Done, Refused> {
        let giveaway = self.activity.giveaway.as_mut();
        let giveaway = giveaway
            .filter(|one| one.giveaway().id == id)
            .ok_or(Refused::Over)?;
        let entry = Entry::new(by.author.id.clone(), by.author.name.clone(), by.address);
        if let Some(place) = giveaway.enter(entry.clone())? {
            let change = EngageChange::Entered {
                giveaway: id,
                place,
                entry,
            };
            keep(follow, change);
            self.activity.entered = true;
            self.activity.beat.quicken();
        }
        let entry = self
            .activity
            .giveaway
            .as_ref()
            .and_then(|one| one.entry_of(&by.author.id));
        Ok(Done::Entered {
            entry: entry.unwrap_or_default().to_owned(),
        })
    }
}

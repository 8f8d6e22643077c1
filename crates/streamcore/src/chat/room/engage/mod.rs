//! What a room does together: what host and moderators begin and end, and what viewers do about it.

#[cfg(test)]
mod tests;
mod viewers;

use std::time::{Duration, Instant};

use super::moderation::Acted;
use super::{Audience, Change, EngageChange, Follow, Now, Room, Speaker, Undo};
use crate::chat::engage::wire::{
    EngageAct, Engaged, Engagement, Giveaway, Mine, Poll, Pulse, Question, QuestionState, Raid,
};
use crate::chat::engage::{
    Asked, Beat, KeptEngagement, Questions, Reactions, RunningGiveaway, RunningPoll, Seed, poll_of, prize_of,
    raid_of,
};
use crate::chat::identity::Role;
use crate::chat::text::line;
use crate::chat::wire::{Happening, Refused, Seq};

/// How long viewers may decide to stay.
const RAID_IN: Duration = Duration::from_secs(10);
/// Least time between two raids that were not called off.
const BETWEEN_RAIDS: Duration = Duration::from_secs(60);
/// Characters of a question or a prize in the log.
const MOST_IN_THE_LOG: usize = 80;

/// All that goes on in a room beside the chat.
#[derive(Debug)]
pub struct Activity {
    poll: Option<RunningPoll>,
    questions: Questions,
    giveaway: Option<RunningGiveaway>,
    reactions: Reactions,
    raid: Option<Raid>,
    raided_at: Option<Instant>,
    beat: Beat,
    /// What the next pulse tells of, beside questions and reactions.
    voted: bool,
    entered: bool,
}

impl Activity {
    pub fn new(mut kept: KeptEngagement) -> Self {
        let giveaway = kept.take_giveaway();
        Self {
            poll: kept.poll.map(|(poll, ballots)| RunningPoll::kept(poll, ballots)),
            questions: Questions::new(kept.questions_open, kept.questions),
            giveaway,
            reactions: Reactions::new(kept.reactions),
            raid: None,
            raided_at: None,
            beat: Beat::default(),
            voted: false,
            entered: false,
        }
    }

    /// Who has asked something.
    pub fn askers(&self) -> impl Iterator<Item = &crate::chat::wire::Author> {
        self.questions.list().map(|question| &question.by)
    }
}

impl Room {
    /// What goes on, as this member may see it.
    pub fn engagement(&self, role: Role, member: &str, now: Now) -> Engagement {
        let it = &self.activity;
        let seen = |question: &&Question| role >= Role::Moderator || question.state != QuestionState::Waiting;
        Engagement {
            poll: it.poll.as_ref().map(|poll| poll.poll().clone()),
            questions_open: it.questions.open,
            questions: it.questions.list().filter(seen).cloned().collect(),
            giveaway: it.giveaway.as_ref().map(|giveaway| giveaway.giveaway().clone()),
            raid: it.raid.clone().filter(|raid| raid.goes_at_ms > now.wall_ms),
            reactions: it.reactions.totals(),
            mine: Mine {
                vote: it.poll.as_ref().and_then(|poll| poll.choice(member)),
                supported: it.questions.supported_by(member),
                entry: it
                    .giveaway
                    .as_ref()
                    .and_then(|giveaway| giveaway.entry_of(member))
                    .map(str::to_owned),
            },
        }
    }

    /// When time brings something by itself: the end of a poll or of a raid's countdown, or the next pulse.
    pub fn engage_at(&self, now: Now) -> Option<Instant> {
        let it = &self.activity;
        let at = |wall_ms: u64| now.at + Duration::from_millis(wall_ms.saturating_sub(now.wall_ms));
        let poll = it.poll.as_ref().map(RunningPoll::poll);
        let ends = poll.filter(|poll| poll.open).and_then(|poll| poll.ends_at_ms);
        let goes = it.raid.as_ref().map(|raid| raid.goes_at_ms);
        let all = [it.beat.at(now.at), ends.map(at), goes.map(at)];
        all.into_iter().flatten().min()
    }

    /// What time has brought by now.
    pub fn engage_on_time(&mut self, now: Now) -> Follow {
        let mut follow = Follow::default();
        if let Some(poll) = self
            .activity
            .poll
            .as_mut()
            .filter(|poll| poll.is_due(now.wall_ms))
        {
            poll.close();
            self.tell_poll(&mut follow);
        }
        if self
            .activity
            .raid
            .as_ref()
            .is_some_and(|raid| raid.goes_at_ms <= now.wall_ms)
        {
            self.activity.raid = None;
        }
        if self.activity.beat.is_due(now.at) {
            let fresh = self.activity.reactions.fresh();
            if !fresh.is_empty() {
                keep(&mut follow, EngageChange::Reacted(fresh));
            }
        }
        follow
    }

    /// What viewers did since it was asked last, if it is time to tell it.
    pub fn pulse(&mut self, now: Instant) -> Option<Pulse> {
        let it = &mut self.activity;
        if !it.beat.is_due(now) {
            return None;
        }
        it.beat.told(now);
        let pulse = Pulse {
            poll: it.poll.as_ref().filter(|_| it.voted).map(RunningPoll::votes),
            questions: it.questions.fresh(),
            giveaway: it
                .giveaway
                .as_ref()
                .filter(|_| it.entered)
                .map(RunningGiveaway::count),
            reactions: it.reactions.fresh(),
        };
        it.questions.told();
        it.reactions.told();
        it.voted = false;
        it.entered = false;
        Some(pulse)
    }

    /// What host and moderators begin, change and end.
    pub(super) fn engage(
        &mut self,
        follow: &mut Follow,
        act: &EngageAct,
        by: &Speaker,
        now: Now,
    ) -> Result<Acted, Refused> {
        match act {
            EngageAct::OpenPoll {
                question,
                options,
                seconds,
            } => self.open_poll(follow, question, options, *seconds, now),
            EngageAct::ClosePoll => self.close_poll(follow),
            EngageAct::DismissPoll => self.dismiss_poll(follow),
            EngageAct::TakeQuestions { on } => Ok(self.take_questions(follow, *on)),
            EngageAct::ShowQuestion { question } => {
                self.stand_question(follow, *question, QuestionState::Open)
            }
            EngageAct::AnswerQuestion { question } => {
                self.stand_question(follow, *question, QuestionState::Answering)
            }
            EngageAct::QuestionAnswered { question } => {
                self.stand_question(follow, *question, QuestionState::Answered)
            }
            EngageAct::HideQuestion { question } => self.hide_question(follow, *question),
            // What is given away, and where the audience goes, is the host's alone.
            _ if by.author.role < Role::Host => Err(Refused::NotAllowed),
            EngageAct::OpenGiveaway { prize, winners } => self.open_giveaway(follow, prize, *winners),
            EngageAct::CloseGiveaway => self.change_giveaway(follow, RunningGiveaway::close),
            EngageAct::Draw => self.change_giveaway(follow, RunningGiveaway::draw),
            EngageAct::DismissGiveaway => self.dismiss_giveaway(follow),
            EngageAct::Raid { to } => self.raid(follow, to, now),
            EngageAct::CallOffRaid => self.call_off_raid(follow),
        }
    }

    fn open_poll(
        &mut self,
        follow: &mut Follow,
        question: &str,
        options: &[String],
        seconds: Option<u32>,
        now: Now,
    ) -> Result<Acted, Refused> {
        let (question, options, lasts_ms) = poll_of(question, options, seconds)?;
        if let Some(before) = self.activity.poll.as_ref().map(RunningPoll::poll) {
            if before.open {
                return Err(Refused::Busy);
            }
            put_away_poll(follow, before);
        }
        let whom = named(&question);
        let ends_at_ms = lasts_ms.map(|ms| now.wall_ms + ms);
        self.activity.poll = Some(RunningPoll::open(self.next_seq(), question, options, ends_at_ms));
        self.tell_poll(follow);
        Ok(Acted::on(whom, None))
    }

    fn close_poll(&mut self, follow: &mut Follow) -> Result<Acted, Refused> {
        let poll = self.activity.poll.as_mut().filter(|poll| poll.poll().open);
        let poll = poll.ok_or(Refused::Unknown)?;
        poll.close();
        let whom = named(&poll.poll().question);
        self.tell_poll(follow);
        Ok(Acted::on(whom, None))
    }

    fn dismiss_poll(&mut self, follow: &mut Follow) -> Result<Acted, Refused> {
        let poll = self.activity.poll.as_ref().map(RunningPoll::poll);
        let poll = poll.ok_or(Refused::Unknown)?;
        if poll.open {
            return Err(Refused::Busy);
        }
        put_away_poll(follow, poll);
        let whom = named(&poll.question);
        self.activity.poll = None;
        self.engaged(follow, Audience::All, Engaged::Poll { poll: None });
        Ok(Acted::on(whom, None))
    }

    /// Keeps the poll as it is, and tells everybody.
    fn tell_poll(&mut self, follow: &mut Follow) {
        let Some(poll) = self.activity.poll.as_ref().map(|poll| poll.poll().clone()) else {
            return;
        };
        let change = EngageChange::Poll {
            poll: poll.clone(),
            shown: true,
        };
        keep(follow, change);
        self.engaged(follow, Audience::All, Engaged::Poll { poll: Some(poll) });
    }

    fn take_questions(&mut self, follow: &mut Follow, on: bool) -> Acted {
        self.activity.questions.open = on;
        keep(follow, EngageChange::QuestionsOpen(on));
        self.engaged(follow, Audience::All, Engaged::Questions { open: on });
        Acted::on(None, None)
    }

    fn stand_question(
        &mut self,
        follow: &mut Follow,
        id: Seq,
        state: QuestionState,
    ) -> Result<Acted, Refused> {
        let changed = self.activity.questions.stand(id, state)?;
        let whom = changed
            .iter()
            .find(|one| one.id == id)
            .and_then(|one| named(&one.text));
        for question in changed {
            self.tell_question(follow, question);
        }
        Ok(Acted::on(whom, None))
    }

    fn hide_question(&mut self, follow: &mut Follow, id: Seq) -> Result<Acted, Refused> {
        let asked = self.activity.questions.remove(id).ok_or(Refused::Unknown)?;
        let whom = named(&asked.question.text);
        self.tell_question_gone(follow, &asked);
        Ok(Acted::on(whom, Some(Undo::Question(Box::new(asked)))))
    }

    /// All that a member has asked goes. Gives it back.
    pub(super) fn hide_questions_of(&mut self, follow: &mut Follow, member: &str) -> Vec<Asked> {
        let of_member = self.activity.questions.list().filter(|one| one.by.id == member);
        let ids: Vec<Seq> = of_member.map(|one| one.id).collect();
        let gone: Vec<Asked> = ids
            .into_iter()
            .filter_map(|id| self.activity.questions.remove(id))
            .collect();
        for asked in &gone {
            self.tell_question_gone(follow, asked);
        }
        gone
    }

    /// A hidden question is back where it was.
    pub(super) fn question_again(&mut self, follow: &mut Follow, asked: Asked) -> Option<String> {
        let whom = named(&asked.question.text);
        self.put_question(follow, asked);
        whom
    }

    fn put_question(&mut self, follow: &mut Follow, asked: Asked) {
        let question = asked.question.clone();
        let supporters: Vec<_> = asked.supporters.iter().cloned().collect();
        if let Some(gone) = self.activity.questions.add(asked) {
            self.tell_question_gone(follow, &gone);
        }
        let id = question.id;
        self.tell_question(follow, question);
        for member in supporters {
            keep(follow, EngageChange::Supported { question: id, member });
        }
    }

    fn tell_question(&mut self, follow: &mut Follow, question: Question) {
        keep(follow, EngageChange::Question(question.clone()));
        self.engaged(follow, audience_of(&question), Engaged::Question { question });
    }

    fn tell_question_gone(&mut self, follow: &mut Follow, asked: &Asked) {
        let question = asked.question.id;
        keep(follow, EngageChange::QuestionGone(question));
        self.engaged(
            follow,
            audience_of(&asked.question),
            Engaged::QuestionGone { question },
        );
    }

    fn open_giveaway(&mut self, follow: &mut Follow, prize: &str, winners: u32) -> Result<Acted, Refused> {
        let prize = prize_of(prize, winners)?;
        if let Some(before) = &self.activity.giveaway {
            if !before.is_drawn() {
                return Err(Refused::Busy);
            }
            put_away_giveaway(follow, before);
        }
        let whom = named(&prize);
        let giveaway = RunningGiveaway::open(self.next_seq(), prize, winners, Seed::random());
        self.activity.giveaway = Some(giveaway);
        self.tell_giveaway(follow);
        Ok(Acted::on(whom, None))
    }

    fn change_giveaway(
        &mut self,
        follow: &mut Follow,
        change: impl FnOnce(&mut RunningGiveaway) -> Result<(), Refused>,
    ) -> Result<Acted, Refused> {
        let giveaway = self.activity.giveaway.as_mut().ok_or(Refused::Unknown)?;
        change(giveaway)?;
        let whom = named(&giveaway.giveaway().prize);
        self.tell_giveaway(follow);
        Ok(Acted::on(whom, None))
    }

    fn dismiss_giveaway(&mut self, follow: &mut Follow) -> Result<Acted, Refused> {
        let giveaway = self.activity.giveaway.as_ref().ok_or(Refused::Unknown)?;
        // Whoever has entered was promised a draw.
        if !giveaway.is_drawn() && giveaway.giveaway().entries > 0 {
            return Err(Refused::Busy);
        }
        put_away_giveaway(follow, giveaway);
        let whom = named(&giveaway.giveaway().prize);
        self.activity.giveaway = None;
        self.engaged(follow, Audience::All, Engaged::Giveaway { giveaway: None });
        Ok(Acted::on(whom, None))
    }

    fn tell_giveaway(&mut self, follow: &mut Follow) {
        let Some(running) = &self.activity.giveaway else {
            return;
        };
        let giveaway: Giveaway = running.giveaway().clone();
        let change = EngageChange::Giveaway {
            giveaway: giveaway.clone(),
            seed: running.seed(),
            shown: true,
        };
        keep(follow, change);
        let what = Engaged::Giveaway {
            giveaway: Some(giveaway),
        };
        self.engaged(follow, Audience::All, what);
    }

    fn raid(&mut self, follow: &mut Follow, to: &str, now: Now) -> Result<Acted, Refused> {
        let to = raid_of(to, &self.id)?;
        if self.activity.raid.is_some() {
            return Err(Refused::Busy);
        }
        let since = self
            .activity
            .raided_at
            .map(|at| now.at.saturating_duration_since(at));
        if let Some(wait) = since
            .and_then(|since| BETWEEN_RAIDS.checked_sub(since))
            .filter(|wait| !wait.is_zero())
        {
            return Err(Refused::TooFast {
                retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX),
            });
        }
        self.activity.raided_at = Some(now.at);
        let raid = Raid {
            to: to.clone(),
            goes_at_ms: now.wall_ms + RAID_IN.as_millis() as u64,
        };
        self.activity.raid = Some(raid.clone());
        self.engaged(follow, Audience::All, Engaged::Raid { raid: Some(raid) });
        Ok(Acted::on(Some(to), None))
    }

    fn call_off_raid(&mut self, follow: &mut Follow) -> Result<Acted, Refused> {
        let raid = self.activity.raid.take().ok_or(Refused::Unknown)?;
        self.activity.raided_at = None;
        self.engaged(follow, Audience::All, Engaged::Raid { raid: None });
        Ok(Acted::on(Some(raid.to), None))
    }

    fn engaged(&mut self, follow: &mut Follow, audience: Audience, what: Engaged) {
        self.happen(follow, audience, Happening::Engaged { what });
    }
}

/// A question that waits is nobody's but the crew's.
fn audience_of(question: &Question) -> Audience {
    match question.state {
        QuestionState::Waiting => Audience::Moderators,
        QuestionState::Open | QuestionState::Answering | QuestionState::Answered => Audience::All,
    }
}

fn put_away_poll(follow: &mut Follow, poll: &Poll) {
    let change = EngageChange::Poll {
        poll: poll.clone(),
        shown: false,
    };
    keep(follow, change);
}

fn put_away_giveaway(follow: &mut Follow, running: &RunningGiveaway) {
    let change = EngageChange::Giveaway {
        giveaway: running.giveaway().clone(),
        seed: running.seed(),
        shown: false,
    };
    keep(follow, change);
}

fn named(text: &str) -> Option<String> {
    Some(line(text, MOST_IN_THE_LOG))
}

fn keep(follow: &mut Follow, change: EngageChange) {
    follow.keep.push(Change::Engage(change));
}

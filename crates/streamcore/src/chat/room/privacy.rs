//! What the room has at hand of people: forgotten when the host says so, and when it is too old.

use super::moderation::Acted;
use super::{Audience, Change, Follow, Now, Room, Undo};
use crate::chat::identity::Role;
use crate::chat::personal::oldest_kept;
use crate::chat::wire::{Happening, MemberId, Refused, Seq};

impl Room {
    /// A member's words and name go for good. What keeps them from speaking stays, under no name: forgetting lifts no ban.
    pub(super) fn forget(
        &mut self,
        follow: &mut Follow,
        member: &MemberId,
        role: Role,
    ) -> Result<Acted, Refused> {
        if role < Role::Host {
            return Err(Refused::NotAllowed);
        }
        let theirs = |author: &str| author == member;
        if self
            .pinned
            .as_ref()
            .is_some_and(|pinned| theirs(&pinned.message.author.id))
        {
            self.put_on_top(follow, None);
        }
        let gone: Vec<Seq> = self
            .messages
            .iter()
            .filter(|message| theirs(&message.author.id))
            .map(|message| message.seq)
            .collect();
        self.messages.retain(|message| !theirs(&message.author.id));
        for message in &mut self.messages {
            message.reply.take_if(|quote| gone.contains(&quote.message));
        }
        let held: Vec<Seq> = self
            .held
            .iter()
            .filter(|held| theirs(&held.message.author.id))
            .map(|held| held.message.seq)
            .collect();
        self.held.retain(|held| !theirs(&held.message.author.id));
        if let Some((restriction, _)) = self.restrictions.get_mut(member) {
            restriction.name.clear();
        }
        self.undo.retain(|(_, undo)| match undo {
            Undo::Restore(messages, _) => !messages.iter().any(|message| theirs(&message.author.id)),
            Undo::Pin(Some(pinned)) => !theirs(&pinned.message.author.id),
            Undo::Lift(one) => !theirs(one),
            Undo::Restrict(restriction, _) => !theirs(&restriction.member),
            _ => true,
        });
        self.hide_questions_of(follow, member);
        self.paces.remove(member);
        // What is told to those who come back has their words in it: they are shown the room as it is.
        self.events.clear();
        follow.keep.push(Change::Forget {
            member: member.clone(),
        });
        for message in held {
            self.happen(follow, Audience::Moderators, Happening::Decided { message });
        }
        self.happen(
            follow,
            Audience::All,
            Happening::AllDeleted {
                member: member.clone(),
            },
        );
        Ok(Acted::on(None, None))
    }

    /// What is older than the host keeps is at hand no more.
    pub fn expire(&mut self, now: Now) -> Follow {
        let mut follow = Follow::default();
        let oldest = oldest_kept(&self.rules, now.wall_ms);
        let old = |at_ms: u64| at_ms < oldest;
        if !self.messages.front().is_some_and(|message| old(message.at_ms)) {
            return follow;
        }
        if self
            .pinned
            .as_ref()
            .is_some_and(|pinned| old(pinned.message.at_ms))
        {
            self.put_on_top(&mut follow, None);
        }
        while self.messages.front().is_some_and(|message| old(message.at_ms)) {
            self.messages.pop_front();
        }
        self.held.retain(|held| !old(held.message.at_ms));
        let said = self
            .events
            .iter()
            .rposition(|told| matches!(&told.event.what, Happening::Said { message } if old(message.at_ms)));
        if let Some(last) = said {
            self.events.drain(..=last);
        }
        self.undo.retain(|(_, undo)| match undo {
            Undo::Restore(messages, _) => !messages.iter().any(|message| old(message.at_ms)),
            _ => true,
        });
        follow
    }
}

#[cfg(test)]
mod tests {
    use crate::chat::identity::Role;
    use crate::chat::room::tests::{Stage, host, viewer};
    use crate::chat::wire::{Act, Happening, Refused};

    #[test]
    fn a_member_who_is_forgotten_is_nowhere_and_stays_banned() {
        let mut stage = Stage::new();
        let (ann, ben) = (viewer("ann"), viewer("ben"));
        let message = stage.said(&ann, "my words");
        stage.replied(&ben, "yours", message);
        stage.acted(&host(), Act::Pin { message });
        stage.acted(&host(), Act::Ban { member: "ann".into() });
        let forget = Act::Forget { member: "ann".into() };
        assert_eq!(stage.act(&ben, forget.clone()).err(), Some(Refused::NotAllowed));
        let told = stage.act(&host(), forget).expect("the host may").tell;
        let what = |wanted: &Happening| told.iter().any(|told| told.event.what == *wanted);
        assert!(what(&Happening::AllDeleted { member: "ann".into() }));
        assert!(what(&Happening::Unpinned));
        let snapshot = stage.room.snapshot(Role::Host, stage.now());
        let all = format!("{snapshot:?}");
        assert!(!all.contains("my words") && !all.contains("ANN"), "{all}");
        assert_eq!(snapshot.messages.len(), 1);
        assert!(
            stage.room.since(0, Role::Host, "host").is_none(),
            "what was said is not told again"
        );
        assert_eq!(stage.say(&ann, "again").err(), Some(Refused::Banned));
    }

    #[test]
    fn what_is_too_old_is_told_to_nobody() {
        let mut stage = Stage::new();
        let ann = viewer("ann");
        stage.said(&ann, "old words");
        stage.wait(31 * 24 * 3600 * 1000);
        stage.said(&ann, "new words");
        stage.room.expire(stage.now());
        let all = format!("{:?}", stage.room.snapshot(Role::Viewer, stage.now()));
        assert!(all.contains("new words") && !all.contains("old words"), "{all}");
        let since = |seq| stage.room.since(seq, Role::Viewer, "ann");
        assert!(since(0).is_none());
        assert_eq!(since(1).map(|events| events.len()), Some(1));
    }
}

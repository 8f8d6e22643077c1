//! What moderators do.

use super::{Audience, Change, Follow, Now, Room, Speaker, Undo};
use crate::chat::blocked::Blocked;
use crate::chat::identity::{Role, is_account, new_member};
use crate::chat::text::{clean_name, line};
use crate::chat::wire::{
    Act, Author, Done, Entry, Happening, Message, Moderator, Pinned, Refused, Restriction, Rules, Seq,
};

/// Longest time out: 14 days.
const MOST_TIME_OUT_S: u32 = 14 * 24 * 3600;
const MOST_SLOW_S: u32 = 3600;
const MOST_WORDS: usize = 500;
const MOST_OF_A_WORD: usize = 50;
const MOST_OF_A_REASON: usize = 200;
const MOST_INVITATIONS: usize = 100;
const MOST_DAYS: u32 = 365;

/// What an act came to, before it stands in the log.
pub(super) struct Acted {
    whom: Option<String>,
    undo: Option<Undo>,
    done: Done,
}

impl Acted {
    pub(super) fn on(whom: Option<String>, undo: Option<Undo>) -> Self {
        Self {
            whom,
            undo,
            done: Done::Acted,
        }
    }
}

impl Room {
    /// Somebody keeps order. `address_of` gives the address of a member who is there, for a ban. An invitation is
    /// answered without its token: whoever can sign puts it in.
    ///
    /// # Errors
    /// Why they may not, or what there is not; nothing has changed then.
    pub fn moderate(
        &mut self,
        by: &Speaker,
        act: &Act,
        reason: Option<&str>,
        address_of: impl Fn(&str) -> Option<super::AddressHash>,
        now: Now,
    ) -> Result<(Done, Follow), Refused> {
        let allowed = match by.author.role {
            Role::Viewer => false,
            // The host's own site says who moderates, or the host does.
            Role::Moderator => is_account(&by.author.id) || self.invitations.contains_key(&by.author.id),
            Role::Host => true,
        };
        if !allowed {
            return Err(Refused::NotAllowed);
        }
        let entry = self.entries + 1;
        let mut follow = Follow::default();
        let acted = match act {
            Act::Pin { message } => self.pin(&mut follow, *message, &by.author.name)?,
            Act::Unpin => self.unpin(&mut follow)?,
            Act::Delete { message } => self.delete(&mut follow, entry, *message, by.author.role)?,
            Act::DeleteAllOf { member } => self.delete_all_of(&mut follow, entry, member, by.author.role)?,
            Act::TimeOut { member, seconds } => {
                if !(1..=MOST_TIME_OUT_S).contains(seconds) {
                    return Err(out_of_range("seconds"));
                }
                let until = now.wall_ms + u64::from(*seconds) * 1000;
                self.restrict(&mut follow, member, Some(until), None, by.author.role)?
            }
            Act::Ban { member } => {
                let address = address_of(member);
                self.restrict(&mut follow, member, None, address, by.author.role)?
            }
            Act::Lift { member } => self.lift(&mut follow, member)?,
            Act::Release { message } => self.decide(&mut follow, *message, true)?,
            Act::Refuse { message } => self.decide(&mut follow, *message, false)?,
            Act::Clear => self.clear(&mut follow, entry),
            Act::Change { rules } => self.change(&mut follow, rules)?,
            Act::Undo { entry } => self.undo(&mut follow, *entry, &by.author.name)?,
            Act::Invite { name } => self.invite(&mut follow, name, by.author.role)?,
            Act::Uninvite { member } => self.uninvite(&mut follow, member, by.author.role)?,
            Act::Forget { member } => self.forget(&mut follow, member, by.author.role)?,
            Act::Products { list } => self.list(&mut follow, list, by.author.role)?,
            Act::Product { product } => self.change_product(&mut follow, product, by.author.role)?,
            Act::Feature { products } => self.feature(&mut follow, products, &by.author.name)?,
            Act::Money { what } => self.money(&mut follow, what, by.author.role, now)?,
            Act::Engage { what } => self.engage(&mut follow, what, by, now)?,
        };
        self.entries = entry;
        let logged = Entry {
            number: entry,
            at_ms: now.wall_ms,
            by: by.author.clone(),
            act: act.for_the_log(),
            whom: acted.whom,
            reason: reason
                .map(|reason| line(reason, MOST_OF_A_REASON))
                .filter(|reason| !reason.is_empty()),
            undoable: acted.undo.is_some(),
        };
        if let Some(undo) = acted.undo {
            self.push_undo(entry, undo);
        }
        follow.keep.push(Change::Entry(logged.clone()));
        self.happen(
            &mut follow,
            Audience::Moderators,
            Happening::Logged { entry: logged },
        );
        Ok((acted.done, follow))
    }

    fn pin(&mut self, follow: &mut Follow, message: Seq, by: &str) -> Result<Acted, Refused> {
        let message = self.at_hand(message).cloned().ok_or(Refused::Unknown)?;
        let before = self.pinned.clone();
        let whom = message.author.name.clone();
        let pinned = Pinned {
            message,
            by: by.to_owned(),
        };
        self.put_on_top(follow, Some(pinned));
        Ok(Acted::on(Some(whom), Some(Undo::Pin(before))))
    }

    fn unpin(&mut self, follow: &mut Follow) -> Result<Acted, Refused> {
        let before = self.pinned.clone().ok_or(Refused::Unknown)?;
        let whom = before.message.author.name.clone();
        self.put_on_top(follow, None);
        Ok(Acted::on(Some(whom), Some(Undo::Pin(Some(before)))))
    }

    pub(super) fn put_on_top(&mut self, follow: &mut Follow, pinned: Option<Pinned>) {
        self.pinned.clone_from(&pinned);
        follow.keep.push(Change::Pinned(pinned.clone()));
        let what = match pinned {
            Some(Pinned { message, by }) => Happening::Pinned { message, by },
            None => Happening::Unpinned,
        };
        self.happen(follow, Audience::All, what);
    }

    /// What is deleted does not stay on top.
    fn unpin_if(&mut self, follow: &mut Follow, gone: impl Fn(&Message) -> bool) {
        if self.pinned.as_ref().is_some_and(|pinned| gone(&pinned.message)) {
            self.put_on_top(follow, None);
        }
    }

    fn delete(&mut self, follow: &mut Follow, entry: u64, seq: Seq, role: Role) -> Result<Acted, Refused> {
        if seq == 0 || seq > self.seq {
            return Err(Refused::Unknown);
        }
        let message = self.at_hand(seq).cloned();
        if let Some(message) = &message {
            self.may_touch(&message.author, role)?;
        }
        self.messages.retain(|message| message.seq != seq);
        let messages = vec![seq];
        follow.keep.push(Change::Delete {
            messages: messages.clone(),
            entry,
        });
        self.happen(follow, Audience::All, Happening::Deleted { messages });
        self.unpin_if(follow, |message| message.seq == seq);
        let whom = message.as_ref().map(|message| message.author.name.clone());
        Ok(Acted::on(
            whom,
            message.map(|message| Undo::Restore(vec![message], Vec::new())),
        ))
    }

    fn delete_all_of(
        &mut self,
        follow: &mut Follow,
        entry: u64,
        member: &str,
        role: Role,
    ) -> Result<Acted, Refused> {
        let author = self.known(member).ok_or(Refused::Unknown)?;
        self.may_touch(&author, role)?;
        let (gone, rest): (Vec<_>, Vec<_>) = self
            .messages
            .drain(..)
            .partition(|message| message.author.id == member);
        self.messages = rest.into();
        follow.keep.push(Change::DeleteAllOf {
            member: member.to_owned(),
            entry,
        });
        let what = Happening::AllDeleted {
            member: member.to_owned(),
        };
        self.happen(follow, Audience::All, what);
        self.unpin_if(follow, |message| message.author.id == member);
        let asked = self.hide_questions_of(follow, member);
        Ok(Acted::on(Some(author.name), Some(Undo::Restore(gone, asked))))
    }

    fn clear(&mut self, follow: &mut Follow, entry: u64) -> Acted {
        let gone: Vec<Message> = self.messages.drain(..).collect();
        follow.keep.push(Change::DeleteAll { entry });
        self.happen(follow, Audience::All, Happening::Cleared);
        self.unpin_if(follow, |_| true);
        Acted::on(None, Some(Undo::Restore(gone, Vec::new())))
    }

    fn restrict(
        &mut self,
        follow: &mut Follow,
        member: &str,
        until_ms: Option<u64>,
        address: Option<super::AddressHash>,
        role: Role,
    ) -> Result<Acted, Refused> {
        let author = self.known(member).ok_or(Refused::Unknown)?;
        self.may_touch(&author, role)?;
        let before = self.restrictions.get(member).cloned();
        let restriction = Restriction {
            member: member.to_owned(),
            name: author.name.clone(),
            until_ms,
        };
        self.put_restriction(follow, restriction, address);
        let undo = match before {
            Some((restriction, address)) => Undo::Restrict(restriction, address),
            None => Undo::Lift(member.to_owned()),
        };
        Ok(Acted::on(Some(author.name), Some(undo)))
    }

    fn put_restriction(
        &mut self,
        follow: &mut Follow,
        restriction: Restriction,
        address: Option<super::AddressHash>,
    ) {
        let member = restriction.member.clone();
        self.restrictions
            .insert(member.clone(), (restriction.clone(), address));
        follow.keep.push(Change::Restricted {
            restriction: restriction.clone(),
            address,
        });
        let what = Happening::Restricted { restriction };
        self.happen(follow, Audience::ModeratorsAnd(member), what);
    }

    fn lift(&mut self, follow: &mut Follow, member: &str) -> Result<Acted, Refused> {
        let (restriction, address) = self.restrictions.remove(member).ok_or(Refused::Unknown)?;
        self.tell_lifted(follow, member);
        let whom = restriction.name.clone();
        Ok(Acted::on(Some(whom), Some(Undo::Restrict(restriction, address))))
    }

    fn tell_lifted(&mut self, follow: &mut Follow, member: &str) {
        follow.keep.push(Change::Lifted(member.to_owned()));
        let what = Happening::Lifted {
            member: member.to_owned(),
        };
        self.happen(follow, Audience::ModeratorsAnd(member.to_owned()), what);
    }

    /// A held message is shown now, under its own number's successor, or never.
    fn decide(&mut self, follow: &mut Follow, seq: Seq, shown: bool) -> Result<Acted, Refused> {
        let at = self.held.iter().position(|held| held.message.seq == seq);
        let held = self.held.remove(at.ok_or(Refused::Unknown)?);
        follow.keep.push(Change::Decided(seq));
        self.happen(follow, Audience::Moderators, Happening::Decided { message: seq });
        let whom = held.message.author.name.clone();
        if shown {
            let mut message = held.message;
            message.seq = self.next_seq();
            self.put_message(message.clone());
            follow.keep.push(Change::Message(message.clone()));
            self.happen(follow, Audience::All, Happening::Said { message });
        }
        Ok(Acted::on(Some(whom), None))
    }

    fn change(&mut self, follow: &mut Follow, rules: &Rules) -> Result<Acted, Refused> {
        if rules.slow_mode_s > MOST_SLOW_S {
            return Err(out_of_range("slow_mode_s"));
        }
        if !(1..=MOST_DAYS).contains(&rules.keep_days) {
            return Err(out_of_range("keep_days"));
        }
        let sound = |word: &String| (1..=MOST_OF_A_WORD).contains(&word.chars().count());
        if rules.blocked_words.len() > MOST_WORDS || !rules.blocked_words.iter().all(sound) {
            return Err(out_of_range("blocked_words"));
        }
        let before = std::mem::replace(&mut self.rules, rules.clone());
        self.rule(follow);
        Ok(Acted::on(None, Some(Undo::Rules(before))))
    }

    fn rule(&mut self, follow: &mut Follow) {
        let rules = self.rules.clone();
        self.blocked = Blocked::new(&rules.blocked_words);
        follow.keep.push(Change::Rules(rules.clone()));
        self.happen(follow, Audience::All, Happening::Ruled { rules });
    }

    fn undo(&mut self, follow: &mut Follow, entry: u64, by: &str) -> Result<Acted, Refused> {
        let at = self.undo.iter().position(|(number, _)| *number == entry);
        let (_, undo) = at
            .and_then(|at| self.undo.remove(at))
            .ok_or(Refused::NotUndoable)?;
        let whom = match undo {
            Undo::Restore(messages, asked) => {
                for message in &messages {
                    self.put_message(message.clone());
                }
                follow.keep.push(Change::Restore { entry });
                let whom = messages.first().map(|message| message.author.name.clone());
                self.happen(follow, Audience::All, Happening::Restored { messages });
                for asked in asked {
                    self.question_again(follow, asked);
                }
                whom
            }
            Undo::Lift(member) => {
                let whom = self.restrictions.remove(&member).map(|(was, _)| was.name);
                self.tell_lifted(follow, &member);
                whom
            }
            Undo::Restrict(restriction, address) => {
                let whom = restriction.name.clone();
                self.put_restriction(follow, restriction, address);
                Some(whom)
            }
            Undo::Pin(before) => {
                self.put_on_top(follow, before);
                None
            }
            Undo::Rules(before) => {
                self.rules = before;
                self.rule(follow);
                None
            }
            Undo::Feature(before) => self.feature_again(follow, before, by),
            Undo::Question(asked) => self.question_again(follow, *asked),
        };
        Ok(Acted::on(whom, None))
    }

    fn invite(&mut self, follow: &mut Follow, name: &str, role: Role) -> Result<Acted, Refused> {
        if role < Role::Host {
            return Err(Refused::NotAllowed);
        }
        let name = clean_name(name).ok_or_else(|| out_of_range("name"))?;
        if self.invitations.len() >= MOST_INVITATIONS {
            return Err(out_of_range("invitations"));
        }
        let member = new_member();
        self.invitations.insert(member.clone(), name.clone());
        follow.keep.push(Change::Invitation {
            member: member.clone(),
            name: name.clone(),
            holds: true,
        });
        let moderator = Moderator {
            member: member.clone(),
            name: name.clone(),
        };
        self.happen(follow, Audience::Moderators, Happening::Invited { moderator });
        Ok(Acted {
            whom: Some(name),
            undo: None,
            done: Done::Invited {
                member,
                token: String::new(),
            },
        })
    }

    fn uninvite(&mut self, follow: &mut Follow, member: &str, role: Role) -> Result<Acted, Refused> {
        if role < Role::Host {
            return Err(Refused::NotAllowed);
        }
        let name = self.invitations.remove(member).ok_or(Refused::Unknown)?;
        follow.keep.push(Change::Invitation {
            member: member.to_owned(),
            name: name.clone(),
            holds: false,
        });
        let what = Happening::Uninvited {
            member: member.to_owned(),
        };
        self.happen(follow, Audience::Moderators, what);
        Ok(Acted::on(Some(name), None))
    }

    /// Somebody who has spoken or asked, also if nothing of it is left, or who may not speak.
    fn known(&self, member: &str) -> Option<Author> {
        let said = self.messages.iter().rev().map(|message| &message.author);
        let waits = self.held.iter().map(|held| &held.message.author);
        let tried = self.paces.get(member).map(|pace| &pace.author);
        let mut all = tried
            .into_iter()
            .chain(said)
            .chain(waits)
            .chain(self.activity.askers());
        let known = all.find(|author| author.id == member).cloned();
        known.or_else(|| {
            self.restrictions.get(member).map(|(restriction, _)| Author {
                id: restriction.member.clone(),
                name: restriction.name.clone(),
                role: Role::Viewer,
            })
        })
    }

    /// Moderators keep order among viewers; what host and moderators do is for the host alone.
    fn may_touch(&self, author: &Author, role: Role) -> Result<(), Refused> {
        if role > author.role || (role == Role::Host && author.role == Role::Host) {
            Ok(())
        } else {
            Err(Refused::NotAllowed)
        }
    }
}

pub(super) fn out_of_range(field: &str) -> Refused {
    Refused::OutOfRange {
        field: field.to_owned(),
    }
}

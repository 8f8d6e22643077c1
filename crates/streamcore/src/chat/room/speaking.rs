//! What somebody may say.

use std::time::{Duration, Instant};

use super::{Audience, Change, Follow, MOST_HELD, MOST_PACES, Now, Pace, Room, Speaker};
use crate::bucket::Bucket;
use crate::chat::identity::Role;
use crate::chat::text::{MOST_CHARACTERS, Text, TextError, emoji_only, has_link};
use crate::chat::wire::{Done, Happening, Held, HeldFor, Message, Refused, Seq};

/// Messages a second of one viewer.
const PER_SECOND: f64 = 3.0;
/// Messages at once of one viewer.
const BURST: u32 = 5;
/// Most members that one message mentions.
const MOST_MENTIONS: usize = 10;

impl Room {
    /// Somebody speaks.
    ///
    /// # Errors
    /// Why they may not; nothing has changed then but their pace.
    pub fn say(
        &mut self,
        speaker: &Speaker,
        text: &Text,
        reply_to: Option<Seq>,
        now: Now,
    ) -> Result<(Done, Follow), Refused> {
        let text = text.clean().map_err(|error| match error {
            TextError::Empty => Refused::Empty,
            TextError::TooLong => Refused::TooLong {
                most: MOST_CHARACTERS as u32,
            },
        })?;
        let mut held = None;
        if speaker.author.role == Role::Viewer {
            self.may_speak(speaker, now)?;
            self.keep_pace(speaker, now)?;
            held = self.look_at(&text)?;
            self.pace(speaker, now.at).spoke_at = Some(now.at);
        }
        let message = Message {
            seq: self.next_seq(),
            at_ms: now.wall_ms,
            author: speaker.author.clone(),
            mentions: self.mentions(&text),
            text,
            reply: reply_to.and_then(|seq| self.quote(seq)),
        };
        let mut follow = Follow::default();
        let Some(why) = held else {
            let seq = message.seq;
            self.put_message(message.clone());
            follow.keep.push(Change::Message(message.clone()));
            self.happen(&mut follow, Audience::All, Happening::Said { message });
            return Ok((Done::Said { seq }, follow));
        };
        self.hold(&mut follow, Held { message, why });
        Ok((Done::Held, follow))
    }

    /// A held message takes a number, as if it had been said: what it becomes is found by it.
    fn hold(&mut self, follow: &mut Follow, held: Held) {
        self.held.push(held.clone());
        follow.keep.push(Change::Held(held.clone()));
        self.happen(follow, Audience::Moderators, Happening::Held { held });
        if self.held.len() > MOST_HELD {
            let message = self.held.remove(0).message.seq;
            follow.keep.push(Change::Decided(message));
            self.happen(follow, Audience::Moderators, Happening::Decided { message });
        }
    }

    fn may_speak(&self, speaker: &Speaker, now: Now) -> Result<(), Refused> {
        match self
            .restriction(speaker, now)
            .map(|restriction| restriction.until_ms)
        {
            Some(None) => Err(Refused::Banned),
            Some(Some(until)) => Err(Refused::TimedOut {
                retry_after_ms: until.saturating_sub(now.wall_ms),
            }),
            None if self.rules.locked => Err(Refused::Locked),
            None => Ok(()),
        }
    }

    fn keep_pace(&mut self, speaker: &Speaker, now: Now) -> Result<(), Refused> {
        let slow = Duration::from_secs(u64::from(self.rules.slow_mode_s));
        let pace = self.pace(speaker, now.at);
        let since = pace.spoke_at.map(|at| now.at.saturating_duration_since(at));
        let wait = since
            .and_then(|since| slow.checked_sub(since))
            .filter(|wait| !wait.is_zero());
        let wait = match wait {
            Some(wait) => Err(wait),
            None => pace.bucket.take(now.at),
        };
        wait.map_err(|wait| Refused::TooFast {
            retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1),
        })
    }

    fn pace(&mut self, speaker: &Speaker, now: Instant) -> &mut Pace {
        if self.paces.len() >= MOST_PACES && !self.paces.contains_key(&speaker.author.id) {
            let oldest = self.paces.iter().min_by_key(|(_, pace)| pace.seen_at);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                self.paces.remove(&id);
            }
        }
        let pace = self
            .paces
            .entry(speaker.author.id.clone())
            .or_insert_with(|| Pace {
                author: speaker.author.clone(),
                bucket: Bucket::new(PER_SECOND, BURST, now),
                spoke_at: None,
                seen_at: now,
            });
        pace.seen_at = now;
        pace.author.clone_from(&speaker.author);
        pace
    }

    /// Whether the words may be said, or wait.
    fn look_at(&self, text: &str) -> Result<Option<HeldFor>, Refused> {
        if self.rules.emoji_only && !emoji_only(text) {
            return Err(Refused::EmojiOnly);
        }
        self.held_for(text)
    }

    /// Why the words wait, if they do.
    pub(super) fn held_for(&self, text: &str) -> Result<Option<HeldFor>, Refused> {
        if self.blocked.is_in(text) {
            if !self.rules.hold_blocked {
                return Err(Refused::Blocked);
            }
            return Ok(Some(HeldFor::Word));
        }
        Ok((self.rules.hold_links && has_link(text)).then_some(HeldFor::Link))
    }

    /// Members who have spoken lately and whose name stands in the text after an @.
    fn mentions(&self, text: &str) -> Vec<String> {
        if !text.contains('@') {
            return Vec::new();
        }
        let lower = text.to_lowercase();
        let mut found: Vec<String> = Vec::new();
        for message in self.messages.iter().rev() {
            let author = &message.author;
            if found.len() < MOST_MENTIONS
                && !found.contains(&author.id)
                && mentioned(&lower, &author.name.to_lowercase())
            {
                found.push(author.id.clone());
            }
        }
        found
    }
}

/// Whether `@name` stands in the text, and ends there.
fn mentioned(text: &str, name: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        text.get(at + 1..)
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

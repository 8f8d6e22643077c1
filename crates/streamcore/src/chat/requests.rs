//! What a client asks for, and its answer.

use super::actor::{Ask, Chat, RoomHandle};
use super::client::{Client, Wire};
use super::identity::Role;
use super::keep::KeepError;
use super::room::Speaker;
use super::text::{Text, clean_name};
use super::wire::{Act, Done, Entry, FromClient, Refused, RequestId, Seq, ToClient};
use crate::money::wire::{MoneyAct, MoneyAnswer, MoneyQuestion};
use crate::room::{RoomId, wall_ms};

impl<W: Wire> Client<W> {
    pub(super) async fn on_request(
        &mut self,
        request: FromClient,
        member: &mut Speaker,
        handle: &RoomHandle,
    ) -> ToClient {
        match request {
            FromClient::Hello { .. } => ToClient::Refused {
                id: None,
                why: unreadable("hello has been said"),
            },
            FromClient::Say { id, text, reply_to } => answer(id, say(handle, member, text, reply_to).await),
            FromClient::Rename { id, name } => answer(id, self.rename(member, &name)),
            FromClient::Moderate { id, act, reason } => answer(
                id,
                moderate(&self.chat, &self.room, handle, member, Deed { act, reason }).await,
            ),
            FromClient::History { id, before, search } => {
                let search = search.as_deref();
                match self.chat.keeper.history(&self.room, before, search).await {
                    Ok(page) => ToClient::History {
                        id,
                        messages: page.messages,
                        more: page.more,
                    },
                    Err(error) => self.unavailable(id, &error),
                }
            }
            FromClient::Log { id, .. } if member.author.role < Role::Moderator => {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Log { id, before } => match self.chat.keeper.log(&self.room, before).await {
                Ok(entries) => match told_truly(handle, entries).await {
                    Ok(entries) => ToClient::Log { id, entries },
                    Err(why) => answer(id, Err(why)),
                },
                Err(error) => self.unavailable(id, &error),
            },
            FromClient::Visited { id, product, what } => {
                let by = member.clone();
                let visit = |reply| Ask::Visit {
                    by,
                    product,
                    what,
                    reply,
                };
                let result = handle.ask(visit).await.and_then(std::convert::identity);
                answer(id, result)
            }
            FromClient::Engage { id, what: part } => {
                let by = member.clone();
                let result = handle.ask(|reply| Ask::TakePart { by, part, reply }).await;
                answer(id, result.and_then(std::convert::identity))
            }
            FromClient::Figures { id, .. } if member.author.role < Role::Moderator => {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Shows { id } | FromClient::Curve { id, .. }
                if member.author.role < Role::Moderator =>
            {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Shows { id } => match self.chat.viewers.shows_of(&self.room).await {
                Ok(shows) => ToClient::Shows { id, shows },
                Err(error) => self.unavailable(id, &error),
            },
            FromClient::Curve { id, show } => match self.chat.viewers.curve(&self.room, show).await {
                Ok(minutes) => ToClient::Curve { id, minutes },
                Err(error) => self.unavailable(id, &error),
            },
            FromClient::Export { id, .. } if member.author.role < Role::Host => {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Export { id, member } => match self.chat.keeper.export(&self.room, &member).await {
                Ok(export) => ToClient::Exported {
                    id,
                    export: Box::new(export),
                },
                Err(error) => self.unavailable(id, &error),
            },
            FromClient::Figures { id, from_ms } => {
                match self.chat.keeper.figures(&self.room, from_ms).await {
                    Ok((figures, more)) => ToClient::Figures { id, figures, more },
                    Err(error) => self.unavailable(id, &error),
                }
            }
            FromClient::Money { id, .. } if member.author.role < Role::Host => {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Money { id, question } => {
                match look_into_books(&self.chat, &self.room, question).await {
                    Ok(answer) => ToClient::Money { id, answer },
                    Err(error) => self.unavailable(id, &error),
                }
            }
        }
    }

    fn unavailable(&self, id: RequestId, error: &KeepError) -> ToClient {
        log_failure(&self.room, error);
        answer(id, Err(Refused::Unavailable))
    }

    fn rename(&self, member: &mut Speaker, name: &str) -> Result<Done, Refused> {
        // A moderator's name is what the host called them, an account's what the site did.
        if member.author.role == Role::Moderator || self.signed_in.is_some() {
            return Err(Refused::NotAllowed);
        }
        let name = clean_name(name).ok_or_else(|| Refused::OutOfRange { field: "name".into() })?;
        member.author.name.clone_from(&name);
        let token = self.token_of(&member.author).ok_or(Refused::Unavailable)?;
        Ok(Done::Renamed { name, token })
    }
}

/// What a moderator does, and why.
pub(super) struct Deed {
    pub act: Act,
    /// For the log.
    pub reason: Option<String>,
}

/// An act of moderation, with the invitation that it makes.
pub(super) async fn moderate(
    chat: &Chat,
    room: &RoomId,
    handle: &RoomHandle,
    by: &Speaker,
    Deed { act, reason }: Deed,
) -> Result<Done, Refused> {
    let invited = match &act {
        Act::Invite { name } => clean_name(name),
        _ => None,
    };
    has_images(chat, room, by, &act).await?;
    has_payment(chat, room, by, &act).await?;
    let by = by.clone();
    let done = handle
        .ask(|reply| Ask::Moderate {
            by,
            act: Box::new(act),
            reason,
            reply,
        })
        .await??;
    let Done::Invited { member, .. } = done else {
        return Ok(done);
    };
    let name = invited.unwrap_or_default();
    let token = chat.tokens.sign(room, &member, &name, Role::Moderator, wall_ms());
    token
        .map(|token| Done::Invited { member, token })
        .ok_or(Refused::Unavailable)
}

pub(super) async fn say(
    handle: &RoomHandle,
    member: &Speaker,
    text: Text,
    reply_to: Option<Seq>,
) -> Result<Done, Refused> {
    let speaker = member.clone();
    handle
        .ask(|reply| Ask::Say {
            speaker,
            text,
            reply_to,
            reply,
        })
        .await?
}

/// Entries as they stand in the log, each with whether it can be taken back now: what that takes is the room's, and is in
/// no database.
pub(super) async fn told_truly(handle: &RoomHandle, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Refused> {
    let undoable = handle.ask(|reply| Ask::Undoable { reply }).await?;
    for entry in &mut entries {
        entry.undoable = undoable.contains(&entry.number);
    }
    Ok(entries)
}

fn answer(id: RequestId, result: Result<Done, Refused>) -> ToClient {
    match result {
        Ok(what) => ToClient::Done { id, what },
        Err(why) => ToClient::Refused { id: Some(id), why },
    }
}

pub(super) fn unreadable(detail: impl std::fmt::Display) -> Refused {
    Refused::Unreadable {
        detail: detail.to_string().chars().take(200).collect(),
    }
}

/// Looks whether every picture that an act names is in the room.
async fn has_images(chat: &Chat, room: &RoomId, by: &Speaker, act: &Act) -> Result<(), Refused> {
    let (list, one) = match act {
        Act::Products { list } => (list.as_slice(), false),
        Act::Product { product } => (std::slice::from_ref(product), true),
        _ => return Ok(()),
    };
    // The room says no to everybody else, and needs no database for it.
    if by.author.role < Role::Host {
        return Ok(());
    }
    let missing = chat.keeper.without_image(room, list).await;
    let missing = missing.map_err(|error| {
        log_failure(room, &error);
        Refused::Unavailable
    })?;
    let Some(at) = missing else { return Ok(()) };
    let place = if one {
        "product".to_owned()
    } else {
        format!("products[{at}]")
    };
    Err(Refused::OutOfRange {
        field: format!("{place}.image"),
    })
}

async fn look_into_books(
    chat: &Chat,
    room: &RoomId,
    question: MoneyQuestion,
) -> Result<MoneyAnswer, KeepError> {
    let (keeper, gate) = (&chat.keeper, &chat.gate);
    Ok(match question {
        MoneyQuestion::Revenue => MoneyAnswer::Revenue {
            shows: keeper.revenue(room, gate.show(room)).await?,
            fee_basis_points: gate.till().map_or(0, |till| till.offer.fee_basis_points),
        },
        MoneyQuestion::Sales { show, before_ms } => {
            let (sales, more) = keeper.sales(room, show, before_ms).await?;
            MoneyAnswer::Sales { sales, more }
        }
    })
}

/// Looks whether what is to be given back is there, and can be.
async fn has_payment(chat: &Chat, room: &RoomId, by: &Speaker, act: &Act) -> Result<(), Refused> {
    let Act::Money { what } = act else { return Ok(()) };
    let one = match what {
        MoneyAct::Refund { payment } => Some(payment),
        MoneyAct::Cancel => None,
        _ => return Ok(()),
    };
    if by.author.role < Role::Host {
        return Ok(());
    }
    if chat.gate.till().is_none() {
        return Err(Refused::NoPayments);
    }
    let Some(id) = one else { return Ok(()) };
    let payment = chat.keeper.payment(id).await.map_err(|error| {
        log_failure(room, &error);
        Refused::Unavailable
    })?;
    match payment.filter(|payment| payment.room == *room) {
        Some(payment) if payment.refundable() => Ok(()),
        Some(_) => Err(Refused::NotUndoable),
        None => Err(Refused::Unknown),
    }
}

pub(super) fn log_failure(room: &RoomId, error: &KeepError) {
    tracing::error!(%room, error = error as &(dyn std::error::Error + 'static), "the room database failed");
}

//! Who somebody is by what they show, whatever way they come.

use super::actor::{Ask, Chat, RoomHandle};
use super::identity::Role;
use super::wire::{Author, Refused};
use crate::room::{RoomId, wall_ms};

/// The token of the host's own site, and when it ends, in seconds since 1970 UTC.
pub(super) struct SignedIn {
    pub token: String,
    pub exp: u64,
}

/// Somebody with a token that holds.
pub(super) struct Known {
    pub author: Author,
    /// What an account has shown.
    pub signed_in: Option<SignedIn>,
}

/// Who a token is of: ours, or the host's own site's.
///
/// # Errors
/// `Token` if it is neither's for this room.
pub(super) async fn who(chat: &Chat, room: &RoomId, token: &str) -> Result<Known, Refused> {
    let now_ms = wall_ms();
    if let Some(claims) = chat.tokens.read(room, token, now_ms) {
        return Ok(Known {
            author: Author {
                id: claims.sub,
                name: claims.name,
                role: claims.role,
            },
            signed_in: None,
        });
    }
    let site = chat.site.as_ref().ok_or(Refused::Token)?;
    let account = site.read(room, token, now_ms).await.ok_or(Refused::Token)?;
    Ok(Known {
        author: account.author,
        signed_in: Some(SignedIn {
            token: token.to_owned(),
            exp: account.exp,
        }),
    })
}

/// A moderator whom the host has invited is one for as long as the host wants, and is called as the host says.
///
/// # Errors
/// `Token` if the invitation does not hold any more.
pub(super) async fn confirm(handle: &RoomHandle, author: &mut Author) -> Result<(), Refused> {
    if author.role == Role::Moderator {
        let member = author.id.clone();
        let invited = handle.ask(|reply| Ask::Invited { member, reply }).await?;
        author.name = invited.ok_or(Refused::Token)?;
    }
    Ok(())
}

/// Who a token is of, where nobody joins: `None` for whoever would not be let in.
pub(crate) async fn author_of(chat: &Chat, room: &RoomId, token: &str) -> Option<Author> {
    let Known {
        mut author,
        signed_in,
    } = who(chat, room, token).await.ok()?;
    if author.role == Role::Moderator && signed_in.is_none() {
        confirm(&chat.room(room).ok()?, &mut author).await.ok()?;
    }
    Some(author)
}

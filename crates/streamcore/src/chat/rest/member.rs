//! A member who asks by HTTP.

use std::net::IpAddr;

use crate::chat::actor::{Ask, Chat, Looked, RoomHandle};
use crate::chat::entry::{confirm, who};
use crate::chat::identity::{Role, is_account};
use crate::chat::room::Speaker;
use crate::chat::wire::Refused;
use crate::room::RoomId;

/// Somebody with a token that holds, and the room that it holds for.
pub(crate) struct Member {
    pub(super) handle: RoomHandle,
    pub(super) speaker: Speaker,
}

impl Member {
    /// Whoever shows this token.
    ///
    /// # Errors
    /// `Token` if it does not hold for the room, `Ticket` for a viewer where watching costs something, `Unavailable` if the room cannot be woken.
    pub async fn known(chat: &Chat, room: &RoomId, token: &str, address: IpAddr) -> Result<Self, Refused> {
        let known = who(chat, room, token).await?;
        // A ticket is for a device, and sockets are where its devices are counted.
        if known.author.role == Role::Viewer && chat.gate.price(room).is_some() {
            return Err(Refused::Ticket);
        }
        let handle = chat.room(room)?;
        let mut author = known.author;
        if known.signed_in.is_none() {
            confirm(&handle, &mut author).await?;
        }
        let address = chat.keeper.address_hash(room, address);
        Ok(Self {
            handle,
            speaker: Speaker { author, address },
        })
    }

    pub fn role(&self) -> Role {
        self.speaker.author.role
    }

    pub fn id(&self) -> &str {
        &self.speaker.author.id
    }

    /// Whether there is no way to become another one at will.
    pub fn counts_as_itself(&self) -> bool {
        self.role() >= Role::Moderator || is_account(self.id())
    }

    /// The room as they may see it.
    pub(super) async fn look(&self) -> Result<Looked, Refused> {
        let speaker = self.speaker.clone();
        self.handle.ask(|reply| Ask::Look { speaker, reply }).await
    }
}

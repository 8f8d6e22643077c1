//! What a room's chat and its clients say to each other, over one WebSocket, as JSON text.
//!
//! A client says `hello` first, within ten seconds. The answer is `welcome` with a snapshot, or with what it missed
//! since the sequence number that it names. From then on `events` follow in order; each number is said once. What a
//! client asks for carries a number of its own choice and is answered with `done`, `refused`, or the page it wanted.

mod act;
mod answer;
mod event;
mod request;
mod state;

pub use act::Act;
pub use answer::{Done, Refused, ToClient};
pub use event::{Entry, Event, Happening};
pub use request::FromClient;
pub use state::{
    Author, Held, HeldFor, Message, Moderator, Pinned, Quote, Restriction, Rules, Snapshot, You,
};

/// Version of this protocol. A client of another version is told so and turned away.
pub const VERSION: u32 = 1;

/// Number of an event in its room: 1 is the first; a message is known by the number of the event that brought it.
/// Stays below 2^53.
pub type Seq = u64;
/// Who speaks, for as long as the room keeps anything of them.
pub type MemberId = String;
/// Number that a client gives to a request.
pub type RequestId = u32;

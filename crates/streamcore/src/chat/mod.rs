//! A room's chat: who may speak, what is said, what moderators do about it, and what is kept.
//!
//! `wire` has the protocol, `identity` the tokens, `site` those of the host's own site, `text` and `blocked` what may be said, `products` what the host sells, `engage` what all do together,
//! `room` the rules as a pure function of state, input and time, `keep` the database, `doors` how many may come from one address, `actor` one task per room, `client` one client with its `requests`, `socket` its way over a WebSocket.

mod actor;
mod blocked;
mod client;
mod doors;
mod engage;
mod identity;
mod keep;
mod products;
mod requests;
mod room;
mod site;
mod socket;
mod text;
mod wire;

pub(crate) use actor::Chat;
pub(crate) use identity::Tokens;
pub(crate) use keep::{KeepError, Keeper};
pub(crate) use products::{Hash, ImageKind, MOST_IMAGE_BYTES, MOST_IMAGES};
pub(crate) use site::Site;
pub use site::SiteKeyError;
pub(crate) use socket::{host_token, is_host, open};

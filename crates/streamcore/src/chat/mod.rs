//! A room's chat: who may speak, what is said, what moderators do about it, and what is kept.
//!
//! `wire` has the protocol, `identity` the tokens, `site` those of the host's own site, `text` and `blocked` what may be said, `products` what the host sells, `engage` what all do together,
//! `room` the rules as a pure function of state, input and time, `keep` the database, `doors` how many may come from one address, `entry` who somebody is, `actor` one task per room, `client` one client with its `requests`, `socket` its way over a WebSocket, `socketio` over Socket.IO, `rest` what is asked by HTTP.

mod actor;
mod blocked;
mod client;
mod doors;
mod engage;
mod entry;
mod identity;
mod keep;
mod personal;
mod products;
mod requests;
mod rest;
mod room;
mod site;
mod socket;
mod socketio;
mod text;
mod wire;

pub(crate) use actor::{Ask, Chat, RoomHandle};
pub(crate) use doors::network;
pub(crate) use entry::author_of;
pub(crate) use identity::{Role, Tokens};
pub(crate) use keep::{KeepError, Keeper, number};
pub(crate) use personal::expire;
pub(crate) use products::{Hash, ImageKind, MOST_IMAGE_BYTES, MOST_IMAGES};
pub(crate) use rest::{Member, routes as rest_routes};
pub(crate) use room::{Change, Speaker};
pub(crate) use site::Site;
pub use site::SiteKeyError;
pub(crate) use socket::{host_token, is_host, open};
pub(crate) use socketio::route as socketio_route;
pub(crate) use text::{Text, line as clean_title};
pub(crate) use wire::Refused;

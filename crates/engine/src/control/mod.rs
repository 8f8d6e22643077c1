//! The control server: one WebSocket for desks, and the desk's own files.
//!
//! Listens on loopback. Every request is checked for Host (a foreign name that resolves here would be DNS
//! rebinding) and, where a browser sends one, Origin; a desk says the token in its first message. The page of overlays has a token of its own, which opens nothing else.

mod assets;
mod chat;
mod connection;
mod origin;
mod overlay;
mod server;

pub use server::{ControlError, ControlServer, Tokens};

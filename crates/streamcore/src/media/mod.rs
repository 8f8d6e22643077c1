//! The media thread and what it works with.
//!
//! One thread owns the socket, every session and every room. Others reach it through [`command`].

pub(crate) mod command;
mod demux;
mod egress;
mod gop;
pub(crate) mod h264;
mod keyframes;
mod lifecycle;
mod orders;
pub(crate) mod packet;
mod room;
mod session;
pub(crate) mod socket;
mod state;
mod timeline;
pub(crate) mod worker;

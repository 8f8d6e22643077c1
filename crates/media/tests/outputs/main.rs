//! Renditions and outputs against real servers, files and players.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod carry;
mod encode;
mod file;
mod secret;
mod stage;
mod tls;
mod trouble;

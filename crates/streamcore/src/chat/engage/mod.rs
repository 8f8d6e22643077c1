//! What a room does together: polls, questions, reactions, giveaways, and going on to another room.
//!
//! `wire` has the types, `check` makes what a client says into what may be shown, `poll`, `questions`, `giveaway` and
//! `reactions` are each a state with its rules, `draw` the lottery that anybody can do again, `pulse` what is told once
//! a second, `keep` the database's part. What acts and viewers do with it stands with the other acts, in [`super::room`].

mod check;
mod draw;
mod giveaway;
mod keep;
mod poll;
mod pulse;
mod questions;
mod reactions;
pub mod wire;

pub use check::{poll_of, prize_of, raid_of};
pub use draw::Seed;
pub use giveaway::{Entry, RunningGiveaway};
pub use keep::{KeptEngagement, keep_engagement, load};
pub use poll::RunningPoll;
pub use pulse::Beat;
pub use questions::{Asked, Questions};
pub use reactions::Reactions;

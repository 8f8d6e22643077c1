//! Sources: anything that gives pictures or sound, each alone, each with its own failures.

mod actor;
mod capture;
mod card;
mod chain;
mod downmix;
mod edge;
mod error;
#[cfg(all(unix, not(target_os = "macos")))]
mod grab;
mod grants;
mod grid;
pub(crate) mod image;
mod laps;
mod machine;
mod picture;
mod pipeline;
pub(crate) mod plan;
mod player;
mod pool;
#[cfg(all(unix, not(target_os = "macos")))]
mod portal;
mod scroll;
mod settings;
mod still;
pub(crate) mod text;
mod timecode;

pub use error::SourceError;
pub use grants::{Choice, Grants, OnGrant};
pub use pipeline::{SourceOptions, SourcePipeline};
pub use settings::check;

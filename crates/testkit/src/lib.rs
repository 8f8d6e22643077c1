//! Peers and measuring tools for tests and benchmarks: a dev-dependency only.
//!
//! Everything here talks to the real thing (nginx, ffmpeg, Xvfb, PulseAudio, PipeWire) and fails loudly where
//! it is missing: a test that needs a peer is never passed over. No GStreamer, none of the other crates.

#[cfg(target_os = "linux")]
mod desktop;
mod error;
pub mod flash;
mod hook;
mod media;
mod nginx;
mod port;
#[cfg(target_os = "linux")]
mod portal;
pub mod probe;
mod process;
mod pulse;
pub mod relay;
pub mod ssim;
pub mod stamp;
mod stat;
mod wait;
mod xvfb;

#[cfg(target_os = "linux")]
pub use desktop::{Desktop, Drawing};
pub use error::PeerError;
pub use hook::{HookCall, PublishHook};
pub use media::test_clip;
pub use nginx::{NginxOptions, NginxRtmp};
pub use port::{free_tcp_port, free_udp_port};
#[cfg(target_os = "linux")]
pub use portal::{Answer, Question, ScreenCastPortal};
pub use process::{Process, run_to_end};
pub use pulse::PulseAudio;
pub use stat::{Stat, StatStream};
pub use wait::{wait_for, wait_until, wait_until_async};
pub use xvfb::Xvfb;

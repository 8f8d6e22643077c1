//! What the computer has to see, hear and show, and how it is remembered.

pub(crate) mod hub;
mod identity;
pub(crate) mod list;
mod watch;
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) mod x11;

pub use watch::DeviceWatch;

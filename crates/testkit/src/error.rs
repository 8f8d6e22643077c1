//! What can go wrong with a peer.

use std::io;

/// A peer or a measuring tool did not do its part.
///
/// The messages are fragments that read after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The program could not be started: most often it is not installed.
    #[error("start {tool} (is it installed? `cargo xtask setup` installs it)")]
    Start {
        /// The program's name as it was called.
        tool: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The program ended with a failure.
    #[error("run {tool}: it ended with {status}\n{output}")]
    Failed {
        /// The program's name as it was called.
        tool: String,
        /// Its exit status in words.
        status: String,
        /// The last lines that it wrote.
        output: String,
    },
    /// A condition did not become true in time.
    #[error("see within {within_ms} ms: {what}")]
    Deadline {
        /// The condition that was awaited.
        what: String,
        /// How long it was awaited, in milliseconds.
        within_ms: u128,
    },
    /// A file, pipe or socket could not be used.
    #[error("use {what}")]
    Io {
        /// The thing that was used.
        what: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A tool's answer was not understood.
    #[error("understand {what}: {why}")]
    Unreadable {
        /// What was read.
        what: String,
        /// What was wrong with it.
        why: String,
    },
}

impl PeerError {
    /// Names the thing that an I/O error is about; for use with `map_err`.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// An answer that was not understood.
    pub(crate) fn unreadable(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Unreadable {
            what: what.into(),
            why: why.to_string(),
        }
    }
}

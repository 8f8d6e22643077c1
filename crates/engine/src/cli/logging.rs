//! The log: on standard error, what a support person needs. `STUDIO_LOG` sets the level by `tracing`'s rules.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging for this process.
pub fn start() {
    let filter = EnvFilter::try_from_env("STUDIO_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,engine=info,media=info"));
    // These would write every message whole, and messages of desks carry keys.
    let filter = ["tungstenite=info", "tokio_tungstenite=info"]
        .into_iter()
        .filter_map(|rule| rule.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

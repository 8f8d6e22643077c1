//! Outputs for people who read lines: the command line and the log.

use protocol::ShowPhase;

/// Whether the lamp is red.
pub fn shows_as_live(phase: ShowPhase) -> bool {
    matches!(phase, ShowPhase::Live { .. })
}

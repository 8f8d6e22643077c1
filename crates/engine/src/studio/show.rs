//! Where a show stands, from what its outputs do. Pure.

use protocol::{DestinationKind, OutputState, ShowPhase, State};

/// The lamp, from the outputs as they are now. `now_ms` is wall clock, milliseconds since 1970.
///
/// Outputs that viewers see decide; recordings decide only for a show that has nothing else.
pub fn phase(state: &State, now_ms: u64) -> ShowPhase {
    let phase = state.show.phase;
    if matches!(phase, ShowPhase::OffAir | ShowPhase::Ending) {
        return phase;
    }
    let enabled = |recording: bool| {
        state
            .destinations
            .iter()
            .filter(move |d| d.enabled && matches!(d.kind, DestinationKind::Recording(_)) == recording)
    };
    let to_viewers = enabled(false).next().is_some();
    let states: Vec<&OutputState> = enabled(!to_viewers)
        .filter_map(|d| state.outputs.iter().find(|o| o.id == d.id))
        .map(|output| &output.state)
        .collect();
    if states
        .iter()
        .any(|s| matches!(s, OutputState::Live { .. } | OutputState::Paused))
    {
        return match phase {
            ShowPhase::Live { since_ms } | ShowPhase::Recovering { since_ms } => ShowPhase::Live { since_ms },
            _ => ShowPhase::Live { since_ms: now_ms },
        };
    }
    let anything_runs = state.outputs.iter().any(|o| running(&o.state));
    match phase {
        _ if !anything_runs => ShowPhase::OffAir,
        ShowPhase::Live { since_ms } | ShowPhase::Recovering { since_ms } => {
            ShowPhase::Recovering { since_ms }
        }
        _ => ShowPhase::GoingLive,
    }
}

/// Whether an output does something or will by itself.
pub fn running(state: &OutputState) -> bool {
    !matches!(state, OutputState::Idle | OutputState::Failed { .. })
}

#[cfg(test)]
mod tests {
    use protocol::{DestinationId, ErrorCode, Output, UserError};

    use super::super::first_state;
    use super::*;

    fn output(id: &DestinationId, state: OutputState) -> Output {
        Output {
            id: id.clone(),
            state,
            rendition: None,
            sent_kbps: None,
            sent_bytes: 0,
            dropped_frames: 0,
            queue_ms: 0,
            reconnects: 0,
            recording: None,
        }
    }

    fn with(phase_now: ShowPhase, streamcore: OutputState, recording: OutputState) -> State {
        let mut state = first_state();
        state.show.phase = phase_now;
        state.outputs = vec![
            output(&state.destinations[0].id, streamcore),
            output(&state.destinations[1].id, recording),
        ];
        state
    }

    fn failed() -> OutputState {
        OutputState::Failed {
            error: UserError::new(ErrorCode::KeyRefused),
        }
    }

    fn retrying() -> OutputState {
        OutputState::Reconnecting {
            attempt: 1,
            retry_at_ms: 0,
            error: UserError::new(ErrorCode::ConnectionLost),
        }
    }

    const LIVE: OutputState = OutputState::Live { since_ms: 5 };

    #[test]
    fn a_recording_alone_does_not_light_the_lamp_of_a_show_for_viewers() {
        let state = with(ShowPhase::GoingLive, OutputState::Connecting, LIVE);
        assert_eq!(phase(&state, 9), ShowPhase::GoingLive);
        let mut only_recording = with(ShowPhase::GoingLive, OutputState::Idle, LIVE);
        only_recording.destinations[0].enabled = false;
        assert_eq!(phase(&only_recording, 9), ShowPhase::Live { since_ms: 9 });
    }

    #[test]
    fn the_clock_of_a_show_survives_a_reconnect() {
        let state = with(ShowPhase::Live { since_ms: 3 }, retrying(), LIVE);
        assert_eq!(phase(&state, 9), ShowPhase::Recovering { since_ms: 3 });
        let state = with(ShowPhase::Recovering { since_ms: 3 }, LIVE, LIVE);
        assert_eq!(phase(&state, 9), ShowPhase::Live { since_ms: 3 });
    }

    #[test]
    fn a_show_is_off_air_only_when_nothing_runs_any_more() {
        let state = with(ShowPhase::Live { since_ms: 3 }, failed(), LIVE);
        assert_eq!(
            phase(&state, 9),
            ShowPhase::Recovering { since_ms: 3 },
            "the recording goes on"
        );
        let state = with(ShowPhase::GoingLive, failed(), OutputState::Idle);
        assert_eq!(phase(&state, 9), ShowPhase::OffAir);
    }
}

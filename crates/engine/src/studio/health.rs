//! Troubles that fail no command: raised once, cleared once. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use protocol::{DestinationKind, HealthCode, HealthIssue, OutputState, Params, Severity, SourceState, State};

/// How far back the counters of lost frames look.
const WINDOW: Duration = Duration::from_secs(10);
/// Lost frames in the window, as a share of all, from which it is worth a line.
const WORTH_SAYING: f64 = 0.01;
/// The same, for the second colour.
const BAD: f64 = 0.05;
/// Free disk, under which a recording is in danger.
const DISK_LOW: u64 = 5_000_000_000;
/// The same, for the second colour.
const DISK_CRITICAL: u64 = 1_000_000_000;

/// One reading of the counters.
#[derive(Debug, Clone)]
struct Reading {
    at: Instant,
    late: u32,
    skipped: u32,
    dropped: Vec<(protocol::DestinationId, u32)>,
}

/// Keeps what the sentences need to know of the last seconds.
#[derive(Debug, Default)]
pub struct Health {
    readings: VecDeque<Reading>,
    /// Troubles that last: they come from the engine's own life, not from a counter.
    pub standing: Vec<HealthCode>,
}

impl Health {
    /// Open troubles, worst first, from the state as it is at `now`; those that were open before keep their time.
    pub fn read(&mut self, state: &State, now: Instant, now_ms: u64) -> Vec<HealthIssue> {
        let reading = Reading {
            at: now,
            late: state.laptop.late_frames,
            skipped: state.laptop.skipped_frames,
            dropped: state
                .outputs
                .iter()
                .map(|o| (o.id.clone(), o.dropped_frames))
                .collect(),
        };
        while self
            .readings
            .front()
            .is_some_and(|r| now.duration_since(r.at) > WINDOW)
        {
            self.readings.pop_front();
        }
        let first = self.readings.front().cloned().unwrap_or_else(|| reading.clone());
        let frames =
            now.duration_since(first.at).as_secs_f64().max(1.0) * f64::from(state.settings.canvas.fps());
        let mut open = Vec::new();
        let lost = |code, count: u32, name: &str| {
            let share = f64::from(count) / frames;
            (share > WORTH_SAYING).then(|| Draft {
                code,
                severity: if share > BAD {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                params: Params::from([(name.to_owned(), count.to_string())]),
                ..Draft::of(code)
            })
        };
        if state.show.phase.on_air() {
            open.extend(lost(
                HealthCode::LateFrames,
                reading.late.saturating_sub(first.late),
                "late",
            ));
            open.extend(lost(
                HealthCode::SkippedFrames,
                reading.skipped.saturating_sub(first.skipped),
                "skipped",
            ));
        }
        self.readings.push_back(reading.clone());
        for output in &state.outputs {
            let Some(destination) = state.destinations.iter().find(|d| d.id == output.id) else {
                continue;
            };
            let named = |mut draft: Draft| {
                draft.destination = Some(output.id.clone());
                draft
                    .params
                    .insert("destination".to_owned(), destination.name.clone());
                draft
            };
            match &output.state {
                OutputState::Reconnecting { .. } => {
                    open.push(named(Draft::of(HealthCode::OutputReconnecting)))
                }
                OutputState::Failed { error } => {
                    let mut draft = Draft::of(HealthCode::OutputFailed);
                    draft.severity = Severity::Error;
                    draft
                        .params
                        .insert("code".to_owned(), error.code.as_str().to_owned());
                    open.push(named(draft));
                }
                _ => {}
            }
            let before = first
                .dropped
                .iter()
                .find(|(id, _)| *id == output.id)
                .map_or(0, |(_, n)| *n);
            let dropped = output.dropped_frames.saturating_sub(before);
            open.extend(lost(HealthCode::DroppedFrames, dropped, "dropped").map(named));
            if let (DestinationKind::Recording(_), Some(recording)) = (&destination.kind, &output.recording)
                && recording.free_bytes < DISK_LOW
            {
                let mut draft = Draft::of(HealthCode::DiskLow);
                if recording.free_bytes < DISK_CRITICAL {
                    draft.severity = Severity::Error;
                }
                draft.params.insert(
                    "free_mb".to_owned(),
                    (recording.free_bytes / 1_000_000).to_string(),
                );
                open.push(named(draft));
            }
        }
        for status in &state.source_status {
            if let SourceState::Waiting { error } | SourceState::Failed { error } = &status.state
                && let Some(source) = state.sources.iter().find(|s| s.id == status.id)
            {
                let mut draft = Draft::of(HealthCode::SourceLost);
                draft.source = Some(source.id.clone());
                draft.params.insert("source".to_owned(), source.name.clone());
                draft
                    .params
                    .insert("code".to_owned(), error.code.as_str().to_owned());
                open.push(draft);
            }
        }
        open.extend(self.standing.iter().map(|code| Draft {
            severity: Severity::Info,
            ..Draft::of(*code)
        }));
        let mut issues: Vec<HealthIssue> = open
            .into_iter()
            .map(|draft| draft.since(&state.health, now_ms))
            .collect();
        issues.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.since_ms.cmp(&b.since_ms)));
        issues
    }
}

struct Draft {
    code: HealthCode,
    severity: Severity,
    source: Option<protocol::SourceId>,
    destination: Option<protocol::DestinationId>,
    params: Params,
}

impl Draft {
    fn of(code: HealthCode) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            source: None,
            destination: None,
            params: Params::new(),
        }
    }

    fn since(self, open: &[HealthIssue], now_ms: u64) -> HealthIssue {
        let Self {
            code,
            severity,
            source,
            destination,
            params,
        } = self;
        let same = |issue: &&HealthIssue| {
            issue.code == code && issue.source == source && issue.destination == destination
        };
        let since_ms = open.iter().find(same).map_or(now_ms, |issue| issue.since_ms);
        HealthIssue {
            code,
            severity,
            since_ms,
            source,
            destination,
            params,
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{ErrorCode, Output, ShowPhase, UserError};

    use super::super::first_state;
    use super::*;

    fn with_output(state: OutputState) -> State {
        let mut all = first_state();
        all.show.phase = ShowPhase::Live { since_ms: 1 };
        let id = all.destinations[0].id.clone();
        all.outputs = vec![Output {
            id,
            state,
            rendition: None,
            sent_kbps: None,
            sent_bytes: 0,
            dropped_frames: 0,
            queue_ms: 0,
            reconnects: 0,
            recording: None,
        }];
        all
    }

    #[test]
    fn a_trouble_keeps_its_time_while_it_lasts_and_goes_when_it_is_over() {
        let mut health = Health::default();
        let error = UserError::new(ErrorCode::ConnectionLost);
        let mut state = with_output(OutputState::Reconnecting {
            attempt: 1,
            retry_at_ms: 2,
            error,
        });
        let start = Instant::now();
        state.health = health.read(&state, start, 100);
        assert_eq!(state.health[0].code, HealthCode::OutputReconnecting);
        state.health = health.read(&state, start + Duration::from_secs(1), 1100);
        assert_eq!(state.health[0].since_ms, 100);
        state.outputs[0].state = OutputState::Live { since_ms: 1 };
        state.health = health.read(&state, start + Duration::from_secs(2), 2100);
        assert_eq!(state.health, []);
    }

    #[test]
    fn lost_frames_are_counted_by_cause_and_over_ten_seconds() {
        let mut health = Health::default();
        let mut state = with_output(OutputState::Live { since_ms: 1 });
        let start = Instant::now();
        health.read(&state, start, 0);
        state.outputs[0].dropped_frames = 30;
        let issues = health.read(&state, start + Duration::from_secs(9), 9000);
        assert_eq!(
            issues.len(),
            1,
            "neither laptop nor encoder is blamed: {issues:?}"
        );
        assert_eq!(
            (issues[0].code, issues[0].severity),
            (HealthCode::DroppedFrames, Severity::Error)
        );
        assert_eq!(
            health.read(&state, start + Duration::from_secs(20), 20_000),
            [],
            "old losses are forgotten"
        );
    }
}

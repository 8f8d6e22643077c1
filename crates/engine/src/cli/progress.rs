//! What a running show prints.

use std::io::IsTerminal;

use protocol::{ShowPhase, State, UserError};
use serde_json::json;

use crate::sentences::{self, Language};
use crate::studio::shows_as_live;

/// Prints once a second: JSON on standard output, or one line on a terminal.
pub struct Progress {
    json: bool,
    terminal: bool,
    started: std::time::Instant,
}

impl Progress {
    /// Begins now.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            terminal: std::io::stderr().is_terminal(),
            started: std::time::Instant::now(),
        }
    }

    /// One second's line.
    pub fn second(&mut self, state: &State) {
        if self.json {
            println!("{}", object(state, self.started.elapsed().as_secs_f64(), false));
        } else if self.terminal {
            let lamp = match state.show.phase {
                ShowPhase::OffAir => "OFF AIR",
                ShowPhase::GoingLive => "GOING LIVE",
                ShowPhase::Live { .. } => "LIVE",
                ShowPhase::Recovering { .. } => "RECOVERING",
                ShowPhase::Ending => "ENDING",
            };
            let outputs: Vec<String> = state
                .outputs
                .iter()
                .map(|o| {
                    let name = state
                        .destinations
                        .iter()
                        .find(|d| d.id == o.id)
                        .map_or("?", |d| d.name.as_str());
                    let rate = o
                        .sent_kbps
                        .map_or_else(String::new, |kbps| format!(" {kbps} kb/s"));
                    format!("{name} {}{rate}", o.state.name())
                })
                .collect();
            let seconds = self.started.elapsed().as_secs();
            eprint!(
                "\r\x1b[K{lamp} {:02}:{:02}  {}",
                seconds / 60,
                seconds % 60,
                outputs.join("  ")
            );
        }
    }

    /// The last line.
    pub fn totals(&mut self, state: &State) {
        if self.json {
            println!("{}", object(state, self.started.elapsed().as_secs_f64(), true));
        } else if self.terminal {
            eprintln!();
        }
        for output in &state.outputs {
            if let Some(recording) = &output.recording {
                eprintln!("Recorded: {}", recording.path);
            }
        }
    }
}

/// Says a trouble on standard error while the show goes on.
pub fn trouble(error: &UserError) {
    let language = Language::of_system();
    eprintln!(
        "{} {}",
        sentences::title(error, language),
        sentences::hint(error, language)
    );
}

fn object(state: &State, seconds: f64, totals: bool) -> serde_json::Value {
    let outputs: Vec<serde_json::Value> = state
        .outputs
        .iter()
        .map(|o| {
            let destination = state.destinations.iter().find(|d| d.id == o.id);
            json!({
                "destination": destination.map(|d| d.name.as_str()),
                "state": o.state.name(),
                "rendition": o.rendition,
                "kbps": o.sent_kbps,
                "bytes": o.sent_bytes,
                "dropped_frames": o.dropped_frames,
                "queue_ms": o.queue_ms,
                "reconnects": o.reconnects,
                "file": o.recording.as_ref().map(|r| r.path.as_str()),
            })
        })
        .collect();
    json!({
        "totals": totals,
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "live": shows_as_live(state.show.phase),
        "frames": state.laptop.frames,
        "fps": state.laptop.fps,
        "late_frames": state.laptop.late_frames,
        "skipped_frames": state.laptop.skipped_frames,
        "engine_cpu_percent": state.laptop.engine_cpu_percent,
        "memory_bytes": state.laptop.memory_bytes,
        "viewers": state.streamcore.viewers,
        "watch": state.streamcore.watch_urls.first(),
        "outputs": outputs,
    })
}

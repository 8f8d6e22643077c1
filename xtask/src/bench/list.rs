//! The desk's list of messages while a room shouts.

use super::Bench;
use super::studio::Script;
use super::table::Row;

/// As many as three busy hours bring.
const KEPT: u32 = 100_000;
const PER_SECOND: u32 = 500;
/// The floor's frames a second, divided by the list's: 5 % may be missing.
const LIMIT: f64 = 1.05;

/// Frames a second of a desk into whose list of many messages many more come, against the same desk at rest.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let engine = bench.project.built("release", "studio-engine");
    let seconds = bench.length.as_secs().to_string();
    let counts = [KEPT, PER_SECOND].map(|count| count.to_string());
    let engine = engine.display().to_string();
    let seen = Script::start(bench, "list", &[&engine, &counts[0], &counts[1], &seconds])?.next()?;
    let number = |pointer: &str| {
        seen.pointer(pointer)
            .and_then(serde_json::Value::as_f64)
            .unwrap_or(f64::NAN)
    };
    let (idle, busy) = (number("/idle/per_second"), number("/busy/per_second"));
    Ok(vec![
        Row {
            what: format!("the desk's chat, {KEPT} messages and {PER_SECOND} new ones a second: frames"),
            studio: format!(
                "{busy:.1} a second, longest step {:.0} ms",
                number("/busy/longest_ms")
            ),
            peer: format!("{idle:.1} a second at rest"),
            limit: Some((idle / busy, LIMIT)),
        },
        Row::report(
            "the desk's chat: rows on the page",
            format!("{:.0}", number("/rows")),
        ),
    ])
}

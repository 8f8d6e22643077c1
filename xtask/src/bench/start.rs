//! From `studio-engine serve` to a desk that can be used.

use super::Bench;
use super::figures::median;
use super::studio::{Script, numbers};
use super::table::Row;

const LIMIT_MS: f64 = 1000.0;

/// Engines that start one after the other on the same data folder, as day after day.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let engine = bench
        .project
        .built("release", "studio-engine")
        .display()
        .to_string();
    let repeats = bench.repeats.min(10).to_string();
    let answer = Script::start(bench, "start", &[&engine, &repeats])?.next()?;
    let socket = numbers(&answer, "welcome_and_picture_ms")?;
    let page = numbers(&answer, "page_ms")?;
    Ok(vec![
        Row::report(
            "engine started to state and first picture on the desk's socket, median",
            format!("{:.0} ms", median(&socket)),
        ),
        Row::at_most(
            "engine started to a usable desk in the browser, median",
            median(&page),
            LIMIT_MS,
            "ms",
        ),
    ])
}

//! What viewers wait for: the delay of the picture, the first picture after joining, the first of a show.

use std::time::Duration;

use testkit::Process;

use super::Bench;
use super::figures::{median, percentile};
use super::studio::{Live, Script, numbers};
use super::table::Row;

const READY_WITHIN: Duration = Duration::from_secs(30);

/// Everything through StreamCore on loopback, seen by the viewer page in headless Chromium.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = steady_show(bench)?;
    rows.extend(beginning_show(bench)?);
    Ok(rows)
}

fn steady_show(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let arguments = ["--source", "test", "--to", "streamcore"].map(str::to_owned);
    let live = Live::start(bench, &arguments)?;
    let seconds = bench.length.as_secs().to_string();
    let mut viewer = Script::start(bench, "viewer", &[live.watch()?, &seconds])?;
    viewer.next()?;
    let seen = viewer.next()?;
    drop(viewer);
    let ages = numbers(&seen, "ages_ms")?;
    let frames = seen["frames"].as_f64().unwrap_or(0.0);
    // The test card's clock must be readable in nearly all of them, or the delay is made up.
    anyhow::ensure!(
        ages.len() as f64 > frames * 0.9,
        "the clock was read in {} of {frames} frames",
        ages.len()
    );
    let joins = Script::start(bench, "joins", &[live.watch()?, &bench.repeats.to_string()])?.next()?;
    let waits = numbers(&joins, "first_picture_ms")?;
    live.end()?;
    Ok(vec![
        Row::report(
            "glass to glass through StreamCore, median",
            format!("{:.0} ms", median(&ages)),
        ),
        Row::at_most(
            "glass to glass through StreamCore, p95",
            percentile(&ages, 0.95),
            100.0,
            "ms",
        ),
        Row::report(
            "longest time between two pictures",
            format!("{:.0} ms", seen["longest_gap_ms"].as_f64().unwrap_or(f64::NAN)),
        ),
        Row::report(
            "page opened to first picture, median",
            format!("{:.0} ms", median(&waits)),
        ),
        Row::at_most(
            "page opened to first picture, p95",
            percentile(&waits, 0.95),
            500.0,
            "ms",
        ),
    ])
}

fn beginning_show(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let engine = bench.project.built("release", "studio-engine");
    let mut process = Process::start(
        bench
            .project
            .command(engine)
            .args(["serve", "--announce", "json", "--data-dir"])
            .arg(folder.path()),
    )?;
    let line = process.wait_for_line(READY_WITHIN, |line| line.starts_with('{'))?;
    let said: serde_json::Value = serde_json::from_str(&line)?;
    let [address, token] = ["address", "token"].map(|key| said[key].as_str().unwrap_or_default().to_owned());
    let repeats = bench.repeats.min(10).to_string();
    let answer = Script::start(bench, "golive", &[&address, &token, &repeats])?.next()?;
    let waits = numbers(&answer, "first_picture_ms")?;
    process.terminate()?;
    process.wait_exit(READY_WITHIN)?;
    Ok(vec![Row::at_most(
        "Go Live to the viewer's first picture, median",
        median(&waits),
        1000.0,
        "ms",
    )])
}

//! Memory of a long show: reported, and flat.

use std::time::{Duration, Instant};

use testkit::{NginxOptions, NginxRtmp, test_clip};

use super::Bench;
use super::cpu;
use super::figures::median;
use super::studio::Live;
use super::table::Row;

/// Growth of the last half over the first that counts as flat: queues and caches fill within the first minute.
const LIMIT: f64 = 1.05;

/// A show with everything on it; resident memory ten times along its way.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let server = NginxRtmp::start_with(NginxOptions::default())?;
    let folder = tempfile::tempdir()?;
    let file = format!("file:{}", test_clip()?.display());
    let record = folder.path().join("show.mp4").display().to_string();
    let (url, to) = (server.url("show"), "--to".to_owned());
    let arguments = [
        "--source",
        &file,
        "--source",
        "test",
        "--to",
        &url,
        &to,
        "streamcore",
        "--record",
        &record,
    ];
    let live = Live::start(bench, &arguments.map(str::to_owned))?;
    let start = Instant::now();
    let mut samples = Vec::new();
    for sample in 1..=10_u32 {
        let at = bench.memory * sample / 10;
        std::thread::sleep(at.saturating_sub(start.elapsed()));
        samples.push(cpu::memory_mib(live.pid())?);
        eprintln!(
            "  {:.0} s: {:.1} MiB",
            start.elapsed().as_secs_f64(),
            samples[samples.len() - 1]
        );
    }
    live.end()?;
    let (first, last) = (median(&samples[..5]), median(&samples[5..]));
    let minutes = Duration::as_secs_f64(&bench.memory) / 60.0;
    Ok(vec![Row {
        what: format!("engine memory after {minutes:.1} minutes"),
        studio: format!("{:.0} MiB", samples[9]),
        peer: format!("{first:.0} MiB (its first half)"),
        limit: Some((last / first, LIMIT)),
    }])
}

//! What a second and a third RTMP output add.

use std::time::Duration;

use testkit::{NginxOptions, NginxRtmp, test_clip};

use super::Bench;
use super::cpu;
use super::figures::median;
use super::studio::Live;
use super::table::Row;

/// CPU-seconds per second: 2 % of a core.
const LIMIT: f64 = 0.02;
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The same show to one, two and three servers' streams, taking turns.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let server = NginxRtmp::start_with(NginxOptions::default())?;
    let mut shares = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..bench.rounds {
        for (index, shares) in shares.iter_mut().enumerate() {
            let outputs = index + 1;
            shares.push(show(bench, &server, round, outputs)?);
            eprintln!("  round {round}, {outputs} outputs: {:.3}", shares[round]);
        }
    }
    let [one, two, three] = shares.map(|shares| median(&shares));
    let row = |what: &str, more: f64, fewer: f64| Row {
        what: format!("CPU-seconds per second that a {what} RTMP output adds"),
        studio: format!("{:+.3}", more - fewer),
        peer: format!("{fewer:.3} (without it)"),
        limit: Some((more - fewer, LIMIT)),
    };
    Ok(vec![row("second", two, one), row("third", three, two)])
}

fn show(bench: &Bench, server: &NginxRtmp, round: usize, outputs: usize) -> anyhow::Result<f64> {
    let keys: Vec<String> = (0..outputs)
        .map(|output| format!("r{round}n{outputs}o{output}"))
        .collect();
    let mut arguments = vec!["--source".to_owned(), format!("file:{}", test_clip()?.display())];
    for key in &keys {
        arguments.extend(["--to".to_owned(), server.url(key)]);
    }
    let live = Live::start(bench, &arguments)?;
    for key in &keys {
        server.wait_publishing(key, 100_000, READY_WITHIN)?;
    }
    let share = cpu::share(live.pid(), bench.length)?;
    live.end()?;
    Ok(share)
}

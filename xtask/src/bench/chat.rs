//! A room's chat with a thousand viewers.

use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use testkit::Process;

use super::Bench;
use super::cpu;
use super::figures::{median, percentile};
use super::studio::{Script, numbers};
use super::table::Row;

const VIEWERS: u32 = 1000;
/// Messages a second: a room this size in its loudest moments.
const PER_SECOND: u32 = 50;
const READY_WITHIN: Duration = Duration::from_secs(30);
const KEY: &str = "bench";

/// `streamcore serve` with a database, and everybody in one room.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let mut process = Process::start(
        Command::new(bench.project.built("release", "streamcore"))
            .args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
            // All viewers come from this machine.
            .args(["--chat-connections-per-address", "10000"])
            .args(["--chat-joins-per-second", "10000"])
            .args(["--publish-key-env", "BENCH_KEY", "--database"])
            .arg(folder.path().join("rooms.db"))
            .env("BENCH_KEY", KEY),
    )?;
    let line = process.wait_for_line(READY_WITHIN, |line| line.starts_with("http "))?;
    let address = line.trim_start_matches("http").trim().to_owned();
    let token = host_token(&address)?;
    let before = cpu::memory_mib(process.pid())?;
    let seconds = bench.length.as_secs().to_string();
    let counts = [VIEWERS, PER_SECOND].map(|count| count.to_string());
    let mut room = Script::start(
        bench,
        "chat",
        &[&address, &token, "show", &counts[0], &counts[1], &seconds],
    )?;
    room.next()?;
    let memory = cpu::memory_mib(process.pid())? - before;
    room.go()?;
    let share = cpu::share(process.pid(), bench.length)?;
    let seen = room.next()?;
    process.terminate()?;
    process.wait_exit(READY_WITHIN)?;
    let delays = numbers(&seen, "delays_ms")?;
    let (said, heard) = (seen["said"].as_u64(), seen["heard"].as_u64());
    anyhow::ensure!(
        heard.is_some() && heard == said.map(|said| said * u64::from(VIEWERS)),
        "each of {VIEWERS} was to hear all of {said:?}: {heard:?}"
    );
    let what = format!("chat: {PER_SECOND} messages a second to {VIEWERS} viewers");
    Ok(vec![
        Row::report(
            &format!("{what}, delay median"),
            format!("{:.0} ms", median(&delays)),
        ),
        Row::report(
            &format!("{what}, delay p99"),
            format!("{:.0} ms", percentile(&delays, 0.99)),
        ),
        Row::report(&format!("{what}, CPU-seconds per second"), format!("{share:.3}")),
        Row::report(
            "chat: memory of one viewer",
            format!("{:.1} KiB", memory * 1024.0 / f64::from(VIEWERS)),
        ),
    ])
}

fn host_token(address: &str) -> anyhow::Result<String> {
    let output = Command::new("curl")
        .args(["-sf", "-H", &format!("Authorization: Bearer {KEY}")])
        .args(["-H", "Content-Type: application/json", "-d", r#"{"name":"Host"}"#])
        .arg(format!("{address}/api/rooms/show/host"))
        .output()
        .context("run curl")?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).context("understand the token")?;
    let token = answer["token"].as_str().context("no token in the answer")?;
    Ok(token.to_owned())
}

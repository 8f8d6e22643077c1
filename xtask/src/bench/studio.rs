//! The engine under measurement, its viewers and its desks.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use testkit::Process;

use super::Bench;

/// A cold encoder and a cold browser on two busy cores.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// `studio-engine live`, on air.
pub struct Live {
    process: Process,
    /// `http://127.0.0.1:PORT` and token of its control server.
    pub desk: (String, String),
    /// Address of the viewer page, if StreamCore is among its destinations.
    pub watch: Option<String>,
}

impl Live {
    /// Starts it with `arguments` (sources, destinations) and waits until it is on air.
    pub fn start(bench: &Bench, arguments: &[String]) -> anyhow::Result<Self> {
        let engine = bench.project.built("release", "studio-engine");
        let shape = [
            "--size",
            "1280x720",
            "--fps",
            "30",
            "--video-bitrate",
            "3000",
            "--encoder",
            "x264enc",
        ];
        let mut process = Process::start(
            // One encode serves all, as with the peer.
            bench
                .project
                .command(engine)
                .arg("live")
                .args(shape)
                .args(["--high", "off", "--desk", "--stats", "json"])
                .args(arguments),
        )?;
        let desk = process.wait_for_line(READY_WITHIN, |line| line.starts_with("Desk: "))?;
        let (address, token) = desk
            .trim_start_matches("Desk: ")
            .split_once("/#token=")
            .with_context(|| format!("no token in {desk}"))?;
        let desk = (address.to_owned(), token.to_owned());
        let on_air = |line: &str| line.contains("\"live\":true");
        process.wait_for_line(READY_WITHIN, on_air)?;
        let lines = process.output();
        let watch = lines
            .lines()
            .find_map(|line| line.strip_prefix("Watch: "))
            .map(str::to_owned);
        Ok(Self { process, desk, watch })
    }

    /// The engine's process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The viewer page.
    pub fn watch(&self) -> anyhow::Result<&str> {
        self.watch
            .as_deref()
            .context("the engine gave no link for viewers")
    }

    /// Ends the show as Ctrl-C does; fails when the engine says that the show failed.
    pub fn end(mut self) -> anyhow::Result<()> {
        self.process.interrupt()?;
        let status = self.process.wait_exit(READY_WITHIN)?;
        if !status.success() {
            bail!("the engine ended with {status}:\n{}", self.process.output());
        }
        Ok(())
    }
}

/// A script of tests/bench: a viewer, a desk, or a whole measurement.
pub struct Script {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    name: String,
}

impl Script {
    /// Starts `name`.mjs with `arguments`.
    pub fn start(bench: &Bench, name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new("node")
            .arg(
                bench
                    .project
                    .tests()
                    .join("bench")
                    .join(name)
                    .with_extension("mjs"),
            )
            .args(arguments)
            .current_dir(bench.project.tests())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start node")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("node's output")?;
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
            name: name.to_owned(),
        })
    }

    /// The next object that it says.
    pub fn next(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!(
                "{}.mjs ended with {} and no answer",
                self.name,
                self.child.wait()?
            );
        }
        serde_json::from_str(&line).with_context(|| format!("understand {}.mjs: {line}", self.name))
    }

    /// Tells it to begin.
    pub fn go(&mut self) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("node's input")?;
        writeln!(stdin, "go").context("tell node to begin")
    }

    /// Asks it to end, and returns what it says then.
    pub fn finish(mut self) -> anyhow::Result<Value> {
        drop(self.stdin.take());
        self.next()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // Its input closes first, so that a browser is closed by its script, not orphaned by a kill.
        drop(self.stdin.take());
        let ended = testkit::wait_until("the script's end", Duration::from_secs(5), || {
            matches!(self.child.try_wait(), Ok(Some(_)))
        });
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The numbers in the list that `object` has under `key`.
pub fn numbers(object: &Value, key: &str) -> anyhow::Result<Vec<f64>> {
    let list = object
        .get(key)
        .and_then(Value::as_array)
        .with_context(|| format!("no {key} in {object}"))?;
    Ok(list.iter().filter_map(Value::as_f64).collect())
}

//! Runs a test runner: its output is shown as it comes, and read.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context, bail};

use super::counts::{Counts, Runner};
use crate::project::shown;

/// Runs `command` to its end and adds up the closing lines of `runner`.
///
/// Fails when the command fails although no test did, and when it closed without a closing line.
pub fn count(command: &mut Command, runner: Runner) -> anyhow::Result<Counts> {
    count_showing(command, runner, std::io::stdout, std::io::stderr)
}

fn count_showing<Out: Write + Send + 'static, Err: Write + Send + 'static>(
    command: &mut Command,
    runner: Runner,
    out: fn() -> Out,
    err: fn() -> Err,
) -> anyhow::Result<Counts> {
    let words = shown(command);
    let mut child = command
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start `{words}`: is it installed?"))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, out(), sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, err(), sender);
    }
    // Ends when both pipes are closed.
    let closing: Vec<Counts> = lines
        .iter()
        .filter_map(|line: String| runner.read(&line))
        .collect();
    let status = child.wait().with_context(|| format!("wait for `{words}`"))?;
    let counts: Counts = closing.iter().copied().sum();
    if closing.is_empty() {
        bail!("`{words}` ended with {status} and no closing line");
    }
    if !status.success() && counts.failed == 0 {
        bail!("`{words}` ended with {status} after {counts}");
    }
    Ok(counts)
}

fn forward(
    pipe: impl Read + Send + 'static,
    mut shown: impl Write + Send + 'static,
    lines: mpsc::Sender<String>,
) {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while matches!(pipe.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
            // Nobody reads our output any more: the counting goes on.
            let _ = shown.write_all(&bytes);
            let _ = lines.send(String::from_utf8_lossy(&bytes).into_owned());
            bytes.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> anyhow::Result<Counts> {
        // Not shown: whoever reads the output of these tests must not count these lines.
        count_showing(
            Command::new("sh").args(["-c", script]),
            Runner::Node,
            std::io::sink,
            std::io::sink,
        )
    }

    #[test]
    fn closing_lines_of_both_streams_are_added() {
        let counts = shell("echo '# pass 2'; echo '# fail 1' >&2; exit 1").unwrap();
        assert_eq!(
            counts,
            Counts {
                passed: 2,
                failed: 1,
                skipped: 0
            }
        );
    }

    #[test]
    fn a_runner_that_breaks_is_a_fault() {
        assert!(shell("exit 0").is_err(), "no closing line");
        assert!(
            shell("echo '# pass 2'; exit 7").is_err(),
            "a failure that no test tells"
        );
        assert!(count(&mut Command::new("no-such-runner"), Runner::Node).is_err());
    }
}

//! A child process that never outlives its test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};

use crate::{PeerError, wait_for};

/// How many lines an error quotes.
const QUOTED_LINES: usize = 40;

/// A running program whose output is read line by line; killed, and waited for, when dropped.
///
/// Only this one child is ever signalled, by its own process id.
#[derive(Debug)]
pub struct Process {
    tool: String,
    child: Child,
    lines: Arc<Mutex<Vec<Line>>>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Clone)]
struct Line {
    stdout: bool,
    text: String,
}

impl Process {
    /// Starts `command` with nothing on its standard input and reads what it writes.
    ///
    /// # Errors
    /// [`PeerError::Start`] when the program is not there or may not run.
    pub fn start(command: &mut Command) -> Result<Self, PeerError> {
        let tool = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| PeerError::Start {
                tool: tool.clone(),
                source,
            })?;
        let lines = Arc::default();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(read_lines(stdout, true, Arc::clone(&lines)));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(read_lines(stderr, false, Arc::clone(&lines)));
        }
        Ok(Self {
            tool,
            child,
            lines,
            readers,
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended yet.
    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a power cut would (SIGKILL), and waits until it is gone.
    pub fn kill(&mut self) {
        // An error here means that it has already ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM).
    ///
    /// # Errors
    /// [`PeerError::Io`] when it cannot be signalled.
    #[cfg(unix)]
    pub fn terminate(&mut self) -> Result<(), PeerError> {
        self.signal(Signal::TERM)
    }

    /// Ctrl-C (SIGINT).
    ///
    /// # Errors
    /// [`PeerError::Io`] when it cannot be signalled.
    #[cfg(unix)]
    pub fn interrupt(&mut self) -> Result<(), PeerError> {
        self.signal(Signal::INT)
    }

    /// Stops it where it stands (SIGSTOP): it keeps its sockets and answers nothing.
    ///
    /// # Errors
    /// [`PeerError::Io`] when it cannot be signalled.
    #[cfg(unix)]
    pub fn freeze(&mut self) -> Result<(), PeerError> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on after [`Process::freeze`] (SIGCONT).
    ///
    /// # Errors
    /// [`PeerError::Io`] when it cannot be signalled.
    #[cfg(unix)]
    pub fn thaw(&mut self) -> Result<(), PeerError> {
        self.signal(Signal::CONT)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// [`PeerError::Deadline`] with what it wrote when it still runs after `within`.
    pub fn wait_exit(&mut self, within: Duration) -> Result<ExitStatus, PeerError> {
        let what = format!("{} end", self.tool);
        let status = wait_for(&what, within, || self.child.try_wait().ok().flatten());
        match status {
            Ok(status) => {
                // The pipes close with the process: now every line has been read.
                for reader in self.readers.drain(..) {
                    let _ = reader.join();
                }
                Ok(status)
            }
            Err(_) => Err(self.too_late(&what, within)),
        }
    }

    /// Waits for the first line, of either stream, that `matches`; lines already read count too.
    ///
    /// # Errors
    /// [`PeerError::Failed`] when it ended without such a line, [`PeerError::Deadline`] after `within`.
    pub fn wait_for_line(
        &mut self,
        within: Duration,
        mut matches: impl FnMut(&str) -> bool,
    ) -> Result<String, PeerError> {
        let mut next = 0;
        let mut ended = None;
        let found = wait_for("the line", within, || {
            // Looked at before the lines, so that the last lines of an ended process are not missed.
            let status = self.child.try_wait().ok().flatten();
            if status.is_some() {
                for reader in self.readers.drain(..) {
                    let _ = reader.join();
                }
            }
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let line = lines[next..]
                .iter()
                .find(|line| matches(&line.text))
                .map(|line| line.text.clone());
            next = lines.len();
            if line.is_none() {
                ended = status;
            }
            if line.is_some() || ended.is_some() {
                Some(line)
            } else {
                None
            }
        });
        match (found, ended) {
            (Ok(Some(line)), _) => Ok(line),
            (_, Some(status)) => Err(self.failed(status)),
            _ => Err(self.too_late(&format!("the expected line of {}", self.tool), within)),
        }
    }

    /// The lines of standard output so far.
    pub fn stdout_lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .filter(|line| line.stdout)
            .map(|line| line.text.clone())
            .collect()
    }

    /// Everything that it wrote so far, both streams in the order of reading.
    pub fn output(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(|line| line.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn failed(&self, status: ExitStatus) -> PeerError {
        PeerError::Failed {
            tool: self.tool.clone(),
            status: status.to_string(),
            output: self.tail(),
        }
    }

    fn too_late(&self, what: &str, within: Duration) -> PeerError {
        let what = format!("{what}; it said:\n{}", self.tail());
        PeerError::Deadline {
            what,
            within_ms: within.as_millis(),
        }
    }

    fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(QUOTED_LINES)..].join("\n")
    }

    #[cfg(unix)]
    fn signal(&mut self, signal: Signal) -> Result<(), PeerError> {
        // A child that was waited for has given its id back: signalling it could hit a stranger.
        if !self.running() {
            return Ok(());
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| PeerError::unreadable("a process id", "it is out of range"))?;
        kill_process(pid, signal).map_err(|error| PeerError::io(&self.tool)(error.into()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `command` to its end and returns its standard output, which must be UTF-8 or is made so.
///
/// # Errors
/// [`PeerError::Start`] when it is not there, [`PeerError::Failed`] when it ended with a failure.
pub fn run_to_end(command: &mut Command) -> Result<Vec<u8>, PeerError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|source| PeerError::Start {
            tool: tool.clone(),
            source,
        })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(PeerError::Failed {
        tool,
        status: output.status.to_string(),
        output: stderr.trim_end().to_owned(),
    })
}

fn read_lines(pipe: impl Read + Send + 'static, stdout: bool, into: Arc<Mutex<Vec<Line>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        // Not `lines()`: a tool that writes one bad byte must not silence the rest.
        while matches!(pipe.read_until(b'\n', &mut bytes), Ok(count) if count > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            into.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Line { stdout, text });
            bytes.clear();
        }
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let process = shell("exec sleep 1000");
        let proc_entry = format!("/proc/{}", process.pid());
        assert!(std::path::Path::new(&proc_entry).exists(), "it must run first");
        drop(process);
        assert!(
            !std::path::Path::new(&proc_entry).exists(),
            "dropping must kill and reap it"
        );
    }

    #[test]
    fn a_line_is_seen_and_the_status_comes_back() {
        let mut process = shell("echo one; echo two >&2; exit 3");
        let line = process
            .wait_for_line(Duration::from_secs(5), |line| line.starts_with('t'))
            .unwrap();
        assert_eq!(line, "two");
        assert_eq!(process.wait_exit(Duration::from_secs(5)).unwrap().code(), Some(3));
        assert_eq!(process.stdout_lines(), ["one"], "standard error is kept apart");
    }

    #[test]
    fn an_early_end_is_told_with_what_was_said() {
        let mut process = shell("echo no such codec >&2; exit 1");
        let error = process
            .wait_for_line(Duration::from_secs(5), |line| line == "ready")
            .unwrap_err();
        assert!(
            matches!(error, PeerError::Failed { .. }),
            "not a deadline: {error}"
        );
        assert!(error.to_string().contains("no such codec"), "{error}");
    }

    #[test]
    fn signals_reach_the_child() {
        let mut process = shell("trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.02; done");
        process
            .wait_for_line(Duration::from_secs(5), |line| line == "ready")
            .unwrap();
        process.freeze().unwrap();
        process.terminate().unwrap();
        assert!(process.running(), "a frozen process cannot act on a signal");
        process.thaw().unwrap();
        assert!(process.wait_exit(Duration::from_secs(5)).unwrap().success());
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Process::start(&mut Command::new("no-such-tool-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-tool-here"), "{error}");
    }
}

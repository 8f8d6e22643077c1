//! An engine that this shell starts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use protocol::{ErrorCode, UserError};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};

use super::ProcessOptions;
use super::announcement::{Engine, FirstLine};

/// The engine's log begins anew, with the old one kept beside it, from this size on.
const MOST_LOG_BYTES: u64 = 5 * 1024 * 1024;

/// How much of the log's end goes into an error, in bytes.
const TAIL_BYTES: u64 = 300;

/// The engine's program: `STUDIO_ENGINE`, else the one beside this program.
///
/// # Errors
/// When this program cannot find itself.
pub fn program() -> io::Result<PathBuf> {
    if let Some(path) = std::env::var_os("STUDIO_ENGINE").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let name = format!("studio-engine{}", std::env::consts::EXE_SUFFIX);
    Ok(std::env::current_exe()?.with_file_name(name))
}

/// A started engine. Dropping it does not end it.
pub struct Child {
    process: tokio::process::Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
    log_began: u64,
}

/// Starts an engine, and gives its standard input: when that closes, an engine that is off air stops.
///
/// With `like`, on that engine's address and with its token.
///
/// # Errors
/// [`ErrorCode::FileMissing`] without the program, [`ErrorCode::FolderUnwritable`] without a place for its log.
pub fn start(
    options: &ProcessOptions,
    like: Option<&Engine>,
    token: &str,
    resume: bool,
) -> Result<(Child, ChildStdin), UserError> {
    let unwritable = |_: io::Error| {
        UserError::new(ErrorCode::FolderUnwritable).with("path", options.data_folder.display())
    };
    let log = options.data_folder.join("logs").join("engine.log");
    let log_file = open_log(&log).map_err(unwritable)?;
    let log_began = log_file.metadata().map_err(unwritable)?.len();
    let listen = like
        .map(Engine::authority)
        .filter(|authority| !authority.is_empty());

    let mut command = Command::new(&options.program);
    command
        .args(["serve", "--announce", "json", "--stop-with-parent", "--listen"])
        .arg(listen.unwrap_or("127.0.0.1:0"))
        .arg("--data-dir")
        .arg(&options.data_folder)
        .env("STUDIO_TOKEN", token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A file, not a pipe: the engine goes on writing when this program is gone.
        .stderr(log_file);
    if resume {
        command.arg("--resume");
    }
    // Ctrl-C in the terminal that opened the window must not reach an engine that is on air.
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    {
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
    }
    let mut process = command.spawn().map_err(|error| {
        UserError::new(ErrorCode::FileMissing)
            .with("path", options.program.display())
            .with("detail", error)
    })?;
    tracing::info!(pid = process.id(), resume, "engine started");
    let stdin = process.stdin.take().expect("it was asked for");
    let stdout = BufReader::new(process.stdout.take().expect("it was asked for"));
    Ok((
        Child {
            process,
            stdout,
            log,
            log_began,
        },
        stdin,
    ))
}

impl Child {
    /// What it says first; `None` when it ends without a word.
    pub async fn first_line(&mut self) -> Option<FirstLine> {
        loop {
            let mut line = String::new();
            match self.stdout.read_line(&mut line).await {
                Ok(0) | Err(_) => return None,
                // Libraries that the engine loads may print lines of their own.
                Ok(_) => match serde_json::from_str(&line) {
                    Ok(said) => return Some(said),
                    Err(_) => continue,
                },
            }
        }
    }

    /// Waits for its end, and says how it came.
    pub async fn ended(&mut self) -> UserError {
        let how = match self.process.wait().await {
            Ok(status) => describe(status),
            Err(error) => error.to_string(),
        };
        tracing::warn!(how, "engine ended");
        let said = tail(&self.log, self.log_began).unwrap_or_default();
        UserError::new(ErrorCode::Internal).with("detail", format!("studio-engine, {how}. {said}"))
    }
}

fn describe(status: ExitStatus) -> String {
    // "exit status: 10", "signal: 9 (SIGKILL)"
    status.to_string()
}

/// Opens the log for more, and moves a long one aside first.
fn open_log(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    if std::fs::metadata(path).is_ok_and(|log| log.len() > MOST_LOG_BYTES) {
        std::fs::rename(path, path.with_extension("1.log"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// The last words that the engine wrote into its log, on one line.
fn tail(path: &Path, began: u64) -> io::Result<String> {
    let mut log = File::open(path)?;
    let end = log.metadata()?.len();
    log.seek(SeekFrom::Start(began.max(end.saturating_sub(TAIL_BYTES))))?;
    let mut bytes = Vec::new();
    log.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_moved_aside_and_the_last_words_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs").join("engine.log");
        std::io::Write::write_all(&mut open_log(&path).unwrap(), b"an earlier run\n").unwrap();
        let began = std::fs::metadata(&path).unwrap().len();
        std::io::Write::write_all(&mut open_log(&path).unwrap(), b"No such\nfile\n").unwrap();
        assert_eq!(tail(&path, began).unwrap(), "No such file");

        open_log(&path).unwrap().set_len(MOST_LOG_BYTES + 1).unwrap();
        assert_eq!(open_log(&path).unwrap().metadata().unwrap().len(), 0);
        assert!(path.with_extension("1.log").is_file(), "the old one is kept");
    }
}

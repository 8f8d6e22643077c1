//! The engine as a process: found if one runs, started if none does, started again when it dies.
//!
//! [`supervision`] decides, purely; [`actor`] does it. A show must outlive this program, so the engine is tied
//! to it by one thing only: its standard input, whose end tells an engine that is off air to stop.

mod actor;
mod announcement;
mod child;
mod link;
mod supervision;

use std::path::PathBuf;

use protocol::{ErrorCode, UserError};
use tokio::sync::{mpsc, oneshot, watch};

pub use announcement::Engine;
pub use child::program;
use supervision::Status;

/// What to run, and where.
#[derive(Debug, Clone)]
pub struct ProcessOptions {
    /// The engine's program.
    pub program: PathBuf,
    /// The studio's data folder.
    pub data_folder: PathBuf,
}

/// What the rest of the shell asks the actor for.
enum Request {
    Retry {
        done: oneshot::Sender<()>,
    },
    Stop {
        end_show: bool,
        done: oneshot::Sender<()>,
    },
}

/// The engine's process, seen from the shell. Dropping it leaves the engine alone.
#[derive(Debug)]
pub struct EngineProcess {
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<Status>,
    on_air: watch::Receiver<bool>,
}

impl EngineProcess {
    /// Looks for a running engine in the data folder, and starts one if there is none.
    pub fn start(options: ProcessOptions) -> Self {
        let (requests, inbox) = mpsc::channel(8);
        let (status_out, status) = watch::channel(Status::Starting);
        let (on_air_out, on_air) = watch::channel(false);
        tauri::async_runtime::spawn(actor::run(options, inbox, status_out, on_air_out));
        Self {
            requests,
            status,
            on_air,
        }
    }

    /// The engine, once it can be reached.
    ///
    /// # Errors
    /// Why there is none; with `retry_after_ms` when it is tried again by itself.
    pub async fn ready(&self) -> Result<Engine, UserError> {
        let mut status = self.status.clone();
        let settled = status
            .wait_for(|status| !matches!(status, Status::Starting))
            .await;
        match settled.as_deref() {
            Ok(Status::Running(engine)) => Ok(engine.clone()),
            Ok(Status::Failed(error)) => Err(error.clone()),
            Ok(Status::Starting) | Err(_) => {
                Err(UserError::new(ErrorCode::Internal).with("detail", "the studio is quitting"))
            }
        }
    }

    /// Whether a show is on air, as the engine said last. It stays so while an engine is being brought back.
    pub fn on_air(&self) -> watch::Receiver<bool> {
        self.on_air.clone()
    }

    /// Tries an engine again that could not be started; [`EngineProcess::ready`] then waits for it.
    pub async fn retry(&self) {
        let (done, begun) = oneshot::channel();
        if self.requests.send(Request::Retry { done }).await.is_ok() {
            // An error means that the studio is quitting.
            let _ = begun.await;
        }
    }

    /// Ends the show if that is wanted, then the engine, and returns when it has gone. Without `end_show` a
    /// show that is on air goes on, and so does its engine.
    pub async fn stop(&self, end_show: bool) {
        let (done, stopped) = oneshot::channel();
        if self.requests.send(Request::Stop { end_show, done }).await.is_ok() {
            // An error means that the actor is gone, and with it what there was to stop.
            let _ = stopped.await;
        }
    }
}

//! The command line.
//!
//! Exit codes: 0 done; 1 something inside failed, or (`doctor`) the main job cannot run here; otherwise the code of
//! the error that ended it, as [`protocol::ErrorCode::exit_code`] documents it (2 usage, 3 files, 4 devices,
//! 5 encoders, 6 connection, 7 keys, 8 disk, 9 port, 10 data folder).
#![expect(clippy::print_stdout, reason = "a command line answers on standard output")]

mod devices;
mod doctor;
mod live;
mod logging;
mod parse;
mod progress;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use protocol::{ErrorCode, UserError};

use crate::sentences::{self, Language};
use crate::studio::StartError;

/// StreamCore Studio's engine: all that goes on air.
#[derive(Debug, Parser)]
#[command(name = "studio-engine", version, about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Put a show on air from the command line.
    Live(Box<live::LiveArguments>),
    /// Run the engine for the desk; prints address and token.
    Serve(Box<serve::ServeArguments>),
    /// List cameras, microphones, screens and encoders.
    Devices(devices::DevicesArguments),
    /// Say what works here and what to install; exits with 1 if the main job cannot run.
    Doctor(doctor::DoctorArguments),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start();
    let announces_json = matches!(&arguments.task, Task::Serve(serve) if serve.announces_json());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&internal(error), announces_json),
    };
    if let Err(error) = media::init() {
        let error = UserError::new(ErrorCode::ElementMissing)
            .with("missing", "GStreamer")
            .with("package", error);
        return fail(&error, announces_json);
    }
    let result = runtime.block_on(async {
        match arguments.task {
            Task::Live(arguments) => live::run(*arguments).await,
            Task::Serve(arguments) => serve::run(*arguments).await,
            Task::Devices(arguments) => devices::run(&arguments).await,
            Task::Doctor(arguments) => doctor::run(&arguments).await,
        }
    });
    match result {
        Ok(code) => code,
        Err(error) => fail(&error, announces_json),
    }
}

/// Says an error on standard error: what happened, and what to do. With `announces_json` also as one line on
/// standard output, where the shell that started this engine waits for one, good or bad.
fn fail(error: &UserError, announces_json: bool) -> ExitCode {
    if announces_json {
        println!("{}", serde_json::json!({ "error": error }));
    }
    let language = Language::of_system();
    tracing::debug!(?error, "ends with an error");
    eprintln!(
        "{}\n{}",
        sentences::title(error, language),
        sentences::hint(error, language)
    );
    ExitCode::from(error.code.exit_code())
}

fn internal(error: impl std::fmt::Display) -> UserError {
    UserError::new(ErrorCode::Internal).with("detail", error)
}

impl From<StartError> for UserError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::User(error) => error,
            StartError::Thread(error) => internal(error),
        }
    }
}

/// Waits until the system or the person wants this process to end.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            },
            Err(_) => {
                let _interrupted = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _interrupted = tokio::signal::ctrl_c().await;
    }
}

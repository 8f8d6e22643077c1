//! The desktop window of StreamCore Studio: shows the desk, and keeps an engine running for it.
//!
//! Nothing is decided here that concerns a show: the desk speaks with the engine over its own WebSocket. The
//! shell starts the engine, starts it again when it dies, and stays out of the way of a show on air.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

mod commands;
mod data_folder;
mod desk_window;
mod engine_process;
mod page;
mod tray;
mod words;

use std::process::ExitCode;

use tauri::Manager;
use tracing_subscriber::EnvFilter;

use engine_process::{EngineProcess, ProcessOptions};
use words::Words;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let app = tauri::Builder::default()
        // First, so that a second start ends before it has touched anything.
        .plugin(tauri_plugin_single_instance::init(|app, _, _| {
            desk_window::show(app)
        }))
        .plugin(tauri_plugin_dialog::init())
        .invoke_handler(tauri::generate_handler![commands::engine, commands::retry_engine])
        .setup(|app| {
            app.manage(Words::of_system());
            let data_folder = data_folder::find().ok_or("there is no home folder for the studio's data")?;
            app.manage(EngineProcess::start(ProcessOptions {
                program: engine_process::program()?,
                data_folder,
            }));
            tray::install(app.handle());
            page::keep_alive(app.handle());
            Ok(())
        })
        .on_window_event(desk_window::on_event)
        .build(tauri::generate_context!());
    match app {
        Ok(app) => {
            app.run(desk_window::on_run_event);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(%error, "window cannot be opened");
            ExitCode::FAILURE
        }
    }
}

//! What the desk's page may ask the shell.

use protocol::UserError;
use serde::Serialize;
use tauri::State;

use crate::engine_process::EngineProcess;

/// How the page reaches the engine.
#[derive(Serialize)]
pub struct EngineAddress {
    /// `http://127.0.0.1:PORT`.
    address: String,
    /// What the desk says first.
    token: String,
}

/// Address and token of the engine, as soon as it is ready; ask again after each lost connection.
///
/// # Errors
/// Why there is no engine; with `retry_after_ms` while the shell tries again by itself.
#[tauri::command]
pub async fn engine(process: State<'_, EngineProcess>) -> Result<EngineAddress, UserError> {
    let engine = process.ready().await?;
    Ok(EngineAddress {
        address: engine.address,
        token: engine.token,
    })
}

/// Try an engine again that could not be started; nothing happens while one runs.
///
/// # Errors
/// None; commands that wait must be able to fail.
#[tauri::command]
pub async fn retry_engine(process: State<'_, EngineProcess>) -> Result<(), ()> {
    process.retry().await;
    Ok(())
}

//! The icon in the system's tray: shows the window again, quits, and says whether the show is on air.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager};

use crate::desk_window;
use crate::engine_process::EngineProcess;
use crate::words::Words;

const SHOW: &str = "show";
const QUIT: &str = "quit";

/// Puts the icon there. A system without a tray loses the icon, nothing else.
pub fn install(app: &AppHandle) {
    // On Linux a missing libayatana-appindicator is a panic inside its bindings, not an error.
    match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "no tray icon"),
        Err(_) => tracing::warn!("no tray icon: the system's library for it is missing"),
    }
}

fn build(app: &AppHandle) -> tauri::Result<()> {
    let words = app.state::<Words>();
    let show = MenuItem::with_id(app, SHOW, words.say("tray_show"), true, None::<&str>)?;
    let quit = MenuItem::with_id(app, QUIT, words.say("tray_quit"), true, None::<&str>)?;
    let mut tray = TrayIconBuilder::new()
        .menu(&Menu::with_items(app, &[&show, &quit])?)
        .tooltip(words.say("tray_off_air"))
        .on_menu_event(|app, event| match event.id().as_ref() {
            SHOW => desk_window::show(app),
            QUIT => desk_window::close(app),
            _ => {}
        });
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    let tray = tray.build(app)?;

    let mut on_air = app.state::<EngineProcess>().on_air();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        while on_air.changed().await.is_ok() {
            let words = app.state::<Words>();
            let message = if *on_air.borrow_and_update() {
                "tray_on_air"
            } else {
                "tray_off_air"
            };
            // Linux trays have no tooltip and say so with an error.
            if let Err(error) = tray.set_tooltip(Some(words.say(message))) {
                tracing::debug!(%error, "tray tooltip not set");
            }
        }
    });
    Ok(())
}

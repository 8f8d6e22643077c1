//! The one window: shown again from the tray or by a second start, and closed without ending a show unasked.

use std::sync::atomic::{AtomicBool, Ordering};

use tauri::{AppHandle, Manager, RunEvent, WebviewWindow, Window, WindowEvent};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};

use crate::engine_process::EngineProcess;
use crate::words::Words;

/// The window's label in tauri.conf.json.
const DESK: &str = "desk";

/// The question is on the screen: a second click on the cross asks no second one.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Brings the window to the front.
pub fn show(app: &AppHandle) {
    let Some(window) = desk(app) else { return };
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::warn!(%error, "window not brought to the front");
        }
    }
}

/// Quits; on air it asks first. The show goes on unless the host says to end it.
pub fn close(app: &AppHandle) {
    if !*app.state::<EngineProcess>().on_air().borrow() {
        quit(app, false);
        return;
    }
    if ASKING.swap(true, Ordering::SeqCst) {
        return;
    }
    show(app);
    let words = app.state::<Words>();
    let (keep, end) = (
        words.say("quit_keep").to_owned(),
        words.say("quit_end").to_owned(),
    );
    let buttons = MessageDialogButtons::YesNoCancelCustom(
        keep.clone(),
        end.clone(),
        words.say("quit_cancel").to_owned(),
    );
    let mut question = app
        .dialog()
        .message(words.say("quit_question"))
        .title(words.say("quit_title"))
        .kind(MessageDialogKind::Warning)
        .buttons(buttons);
    if let Some(window) = desk(app) {
        question = question.parent(&window);
    }
    let app = app.clone();
    question.show_with_result(move |answer| {
        ASKING.store(false, Ordering::SeqCst);
        // Which form an answer takes depends on the system's dialog.
        let said = |label: &str, plain: MessageDialogResult| {
            answer == plain || answer == MessageDialogResult::Custom(label.to_owned())
        };
        if said(&keep, MessageDialogResult::Yes) {
            hide(&app);
        } else if said(&end, MessageDialogResult::No) {
            quit(&app, true);
        }
    });
}

/// The window's cross.
pub fn on_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event {
        api.prevent_close();
        close(window.app_handle());
    }
}

/// The program goes on without a visible window; only [`close`] ends it, with an exit code.
pub fn on_run_event(_: &AppHandle, event: RunEvent) {
    if let RunEvent::ExitRequested { code: None, api, .. } = event {
        api.prevent_exit();
    }
}

fn hide(app: &AppHandle) {
    if let Some(Err(error)) = desk(app).map(|window| window.hide()) {
        tracing::warn!(%error, "window not hidden");
    }
}

/// Ends the engine in order, then the program.
fn quit(app: &AppHandle, end_show: bool) {
    hide(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        app.state::<EngineProcess>().stop(end_show).await;
        app.exit(0);
    });
}

/// The window, unless it is being closed.
pub fn desk(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(DESK)
}

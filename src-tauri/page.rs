//! The desk's page, which may die while the window lives.

use tauri::AppHandle;

/// Loads the page again when the process that draws it dies: out of memory, a fault in a driver. The engine is
/// another process, so a show does not notice. WebView2 and WKWebView do this by themselves.
#[cfg(target_os = "linux")]
pub fn keep_alive(app: &AppHandle) {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use webkit2gtk::WebViewExt;

    /// A page that dies sooner than this after it was loaded again dies of itself, and would for ever.
    const AT_MOST_EVERY: Duration = Duration::from_secs(5);

    let Some(window) = crate::desk_window::desk(app) else {
        return;
    };
    let watched = window.with_webview(|webview| {
        let last: Cell<Option<Instant>> = Cell::new(None);
        webview
            .inner()
            .connect_web_process_terminated(move |page, reason| {
                let again = last.get().is_none_or(|at| at.elapsed() >= AT_MOST_EVERY);
                tracing::error!(?reason, again, "the desk's page died");
                if again {
                    last.set(Some(Instant::now()));
                    page.reload();
                }
            });
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "a page that dies stays away until the studio is started again");
    }
}

/// See above: nothing to do on this system.
#[cfg(not(target_os = "linux"))]
pub fn keep_alive(_: &AppHandle) {}

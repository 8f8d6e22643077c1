//! The overlays alone, for a page on nothing: what lies over the program's picture, as pictures with their places.
//!
//! Whoever has the overlays' token may look at this and at nothing else; it takes no commands.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use media::overlay::OverlayOnCanvas;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;

use super::connection::{HELLO_WITHIN, same};
use crate::studio::{OverlayFrame, StudioHandle};

/// The page says nothing but its token.
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// What the page says first.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    token: String,
}

/// What the page is told, whenever it changes.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said<'a> {
    /// The token is wrong; there is no use in coming again.
    Refused,
    /// Everything that lies over the picture.
    Overlays {
        /// Pixels of the canvas; all places are given in these.
        width: u32,
        height: u32,
        /// Back to front.
        shown: Vec<Shown<'a>>,
    },
}

#[derive(Serialize)]
struct Shown<'a> {
    kind: &'a str,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    /// It comes from so many pixels below, and goes there; from above when negative.
    slide: i32,
    /// Its words.
    words: &'a str,
    /// `data:image/png;base64,…`; left out when it is the picture that was sent last for this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
}

/// Serves one page until it leaves or the engine stops.
pub async fn run(
    mut page: WebSocket,
    studio: StudioHandle,
    token: Arc<SecretString>,
    mut stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = serve(&mut page, studio, &token) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    // A page that left does not hear it.
    let _ = page.send(Message::Close(None)).await;
}

async fn serve(page: &mut WebSocket, studio: StudioHandle, token: &SecretString) {
    let Ok(Some(said)) = timeout(HELLO_WITHIN, first_words(page)).await else {
        return;
    };
    if !same(&said, token.expose_secret()) {
        send(page, &Said::Refused).await;
        return;
    }
    let mut overlays = studio.overlays();
    overlays.mark_changed();
    let mut sent: Vec<OverlayOnCanvas> = Vec::new();
    loop {
        tokio::select! {
            changed = overlays.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = overlays.borrow_and_update().clone();
                let said = told(&now, &sent).await;
                if !send(page, &said).await {
                    return;
                }
                sent = now.shown.to_vec();
            }
            message = page.recv() => match message {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                // It has nothing more to say.
                _ => return,
            },
        }
    }
}

async fn first_words(page: &mut WebSocket) -> Option<String> {
    loop {
        match page.recv().await?.ok()? {
            Message::Text(text) => return serde_json::from_str::<Hello>(&text).ok().map(|hello| hello.token),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return None,
        }
    }
}

async fn told<'a>(now: &'a OverlayFrame, sent: &[OverlayOnCanvas]) -> Said<'a> {
    let mut shown = Vec::with_capacity(now.shown.len());
    for overlay in now.shown.iter() {
        let known = sent
            .iter()
            .any(|before| before.kind == overlay.kind && before.same_picture(overlay));
        shown.push(Shown {
            kind: overlay.kind.as_str(),
            x: overlay.x,
            y: overlay.y,
            width: overlay.width,
            height: overlay.height,
            slide: overlay.slide,
            words: &overlay.words,
            picture: if known { None } else { picture(overlay).await },
        });
    }
    Said::Overlays {
        width: now.canvas.width(),
        height: now.canvas.height(),
        shown,
    }
}

/// As an address with the picture in it. Packing takes milliseconds, beside everything else.
async fn picture(overlay: &OverlayOnCanvas) -> Option<String> {
    let overlay = overlay.clone();
    let packed = tokio::task::spawn_blocking(move || {
        format!("data:image/png;base64,{}", STANDARD.encode(overlay.png()))
    });
    packed.await.ok()
}

async fn send(page: &mut WebSocket, said: &Said<'_>) -> bool {
    match serde_json::to_string(said) {
        Ok(text) => page.send(Message::Text(text.into())).await.is_ok(),
        Err(error) => {
            tracing::error!(%error, "the overlays could not be written");
            false
        }
    }
}

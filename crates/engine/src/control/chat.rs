//! A desk's way into the chat of one of the studio's rooms: the room's own protocol, passed on with the host's rights.
//!
//! The desk says `hello` with the control server's token, and the room hears the host's instead, which the engine makes
//! for each connection. So the host's token stays in the engine, and a desk is told no secret that it does not have.

use std::sync::Arc;

use audience::room::{Line, RoomError};
use axum::extract::ws::{Message as DeskMessage, WebSocket};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::connection::{HELLO_WITHIN, same};
use crate::studio::{ChatDoor, StudioHandle};

/// What a desk may say in one message: more than the room takes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Passes messages on both ways until the desk or the room leaves, or the engine stops.
pub async fn run(
    desk: WebSocket,
    room: String,
    studio: StudioHandle,
    token: Arc<SecretString>,
    mut stop: watch::Receiver<bool>,
) {
    // Whatever it waits for: an engine that stops waits for no desk and no room.
    tokio::select! {
        () = serve(desk, room, studio, token) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn serve(mut desk: WebSocket, room: String, studio: StudioHandle, token: Arc<SecretString>) {
    let Ok(Some(hello)) = timeout(HELLO_WITHIN, first_words(&mut desk)).await else {
        return;
    };
    let said = hello.get("token").and_then(Value::as_str).unwrap_or_default();
    if !same(said, token.expose_secret()) {
        return refuse(&mut desk, "token").await;
    }
    let Some(door) = studio.chat_door(room).await else {
        return refuse(&mut desk, "unavailable").await;
    };
    match enter(&door, hello).await {
        Ok((room, welcome)) => {
            let welcome = with_token(welcome, token.expose_secret());
            if desk.send(DeskMessage::Text(welcome.into())).await.is_err() {
                return;
            }
            pass_on(desk, room).await;
        }
        Err(error) => {
            tracing::warn!(%error, "a desk cannot be let into the chat");
            refuse(&mut desk, "unavailable").await;
        }
    }
}

/// The first message, if it is an object.
async fn first_words(desk: &mut WebSocket) -> Option<Map<String, Value>> {
    loop {
        match desk.recv().await?.ok()? {
            DeskMessage::Text(text) => return serde_json::from_str(&text).ok(),
            DeskMessage::Ping(_) | DeskMessage::Pong(_) => {}
            DeskMessage::Binary(_) | DeskMessage::Close(_) => return None,
        }
    }
}

async fn refuse(desk: &mut WebSocket, code: &str) {
    let refusal = json!({ "type": "refused", "code": code }).to_string();
    // A desk that left does not hear it.
    let _ = desk.send(DeskMessage::Text(refusal.into())).await;
    let _ = desk.send(DeskMessage::Close(None)).await;
}

/// Says the desk's `hello` with the host's token, and waits for the room's first answer.
async fn enter(door: &ChatDoor, mut hello: Map<String, Value>) -> Result<(Line, String), RoomError> {
    hello.insert("token".into(), door.token.expose_secret().into());
    Line::open(&door.url, Value::Object(hello).to_string()).await
}

/// The room's welcome with the token that this desk comes back with: its own.
fn with_token(welcome: String, token: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&welcome) else {
        return welcome;
    };
    match value.pointer_mut("/you/token") {
        Some(said) => {
            *said = token.into();
            value.to_string()
        }
        // A refusal: it holds none.
        None => welcome,
    }
}

async fn pass_on(desk: WebSocket, room: Line) {
    let (mut to_desk, from_desk) = desk.split();
    let (mut to_room, from_room) = room.split();
    let of_desk = from_desk.filter_map(async |message| match message {
        Ok(DeskMessage::Text(text)) => Some(text.as_str().to_owned()),
        _ => None,
    });
    let of_room = from_room.map(|text| DeskMessage::Text(text.into()));
    tokio::select! {
        () = pump(of_desk, &mut to_room) => {}
        () = pump(of_room, &mut to_desk) => {}
    }
    // Whoever is still there is told; whoever is not does not hear it.
    let _ = to_desk.close().await;
    let _ = to_room.close().await;
}

/// Hands on until either end is gone. Each way has its own wait: a slow desk holds up nothing that it says itself.
async fn pump<T>(from: impl Stream<Item = T>, to: &mut (impl Sink<T> + Unpin)) {
    let mut from = std::pin::pin!(from);
    while let Some(message) = from.next().await {
        if to.send(message).await.is_err() {
            return;
        }
    }
}

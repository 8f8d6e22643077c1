//! The way of a chat client over a WebSocket: `/chat/{room}`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::actor::Chat;
use super::client::{Client, Entrance, Heard, Over, Wire};
use super::identity::Role;
use super::text::clean_name;
use crate::http::App;
use crate::http::answer::Refusal;
use crate::http::bearer;
use crate::room::{RoomId, wall_ms};

/// Largest message of a client: 500 characters with room for JSON and tokens, and a list of 500 words.
const MOST_BYTES: usize = 64 * 1024;
/// Largest message of a client that shows the host's token when it connects: 200 products with all that they may have.
const MOST_BYTES_OF_A_HOST: usize = 1024 * 1024;
/// When a connection that found no place before the door is worth another try, in seconds.
const KNOCK_AGAIN_AFTER_S: u32 = 10;
/// The host, as a member.
const HOST: &str = "host";

/// `GET /chat/{room}`.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let room: RoomId = room.parse().map_err(|_| Refusal::no_such_room())?;
    let place = Arc::new(app.listener_place()?);
    let (chat, stop) = (app.chat(), app.stopping());
    let address = app.viewer_address(from, &headers);
    let hosts = is_host(&chat, &room, &headers);
    let before = chat.doors.knock(address);
    if before.is_none() && !hosts {
        return Err(too_many_at_the_door());
    }
    // Strangers could fill the memory with the beginnings of large messages.
    let most = if hosts { MOST_BYTES_OF_A_HOST } else { MOST_BYTES };
    let upgrade = upgrade.max_message_size(most).max_frame_size(most);
    Ok(upgrade.on_upgrade(move |socket| {
        let entrance = Entrance {
            chat,
            room,
            address,
            stop,
            place,
            before,
        };
        Client::new(entrance, socket).run()
    }))
}

/// What somebody is told whose address has no place before the door.
pub(super) fn too_many_at_the_door() -> Refusal {
    let text = "Too many connections from this address have not said who they are.";
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, text).retry_after(KNOCK_AGAIN_AFTER_S)
}

impl Wire for WebSocket {
    async fn hear(&mut self) -> Heard {
        match self.recv().await {
            Some(Ok(Frame::Text(text))) => Heard::Text(text),
            Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => Heard::Life,
            _ => Heard::End,
        }
    }

    async fn say(&mut self, text: Utf8Bytes) -> Result<(), Over> {
        self.send(Frame::Text(text)).await.map_err(|_| Over)
    }

    async fn ping(&mut self) -> Result<(), Over> {
        self.send(Frame::Ping(Vec::new().into())).await.map_err(|_| Over)
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        // Gone already is as good.
        let _ = self.send(Frame::Close(Some(frame))).await;
    }
}

/// Whether a request shows the token of this room's host.
pub(crate) fn is_host(chat: &Chat, room: &RoomId, headers: &HeaderMap) -> bool {
    let token = headers.get(header::AUTHORIZATION).and_then(bearer);
    let claims = token.and_then(|token| chat.tokens.read(room, token, wall_ms()));
    claims.is_some_and(|claims| claims.role == Role::Host)
}

/// A token of the host: one member, whatever name it speaks under.
pub(crate) fn host_token(chat: &Chat, room: &RoomId, name: &str) -> Option<String> {
    let name = clean_name(name)?;
    chat.tokens.sign(room, HOST, &name, Role::Host, wall_ms())
}

//! The way of a chat client over Socket.IO 4: `/socket.io/`, by polling and by WebSocket, for apps and pages that speak it
//! already.
//!
//! One connection is one client of one room, in the namespace `/`. What it emits has the name of a request of
//! [`wire`](super::wire) (`hello`, `say`, `moderate`, …) and the request's fields in one object; `type` is not needed, nor
//! is `id`: the acknowledgement is the answer, as the WebSocket gives it (`welcome`, `done`, `refused`, …). Whoever asks for
//! no acknowledgement is told no answer. `hello` comes first, within ten seconds, and names the `room` too. What happens is
//! emitted by its type (`events`, `interest`, …).
//!
//! Before the server ends a connection it emits `closing` with `again`: whether to come back and ask for what was missed.
//! Clients do that by themselves when the server stops, and have to call `connect()` when it has disconnected them.

mod door;
mod request;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use socketioxide::extract::{AckSender, Event, HttpExtension, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::{ParserConfig, SocketIo};

use super::client::{Client, Entrance};
use super::requests::unreadable;
use super::wire::Refused;
use crate::http::App;
use crate::room::RoomId;
use door::Pass;
use request::{Body, Request};
use wire::{Inbox, SocketIoWire};

/// Largest message of a client, and what one answer to its polling holds at least; as much as over the WebSocket.
const MOST_BYTES: usize = 64 * 1024;
/// How long a connection may take to enter the namespace, and then to say hello.
const ENTER_WITHIN: Duration = Duration::from_secs(10);
/// How often a connection is asked for a sign of life, and how long that may take.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(25);
/// Packets that wait for a client. While it is full, what happens is put together into larger ones.
const WAITING: usize = 128;

/// The route, and the handle that closes every connection of it.
pub(crate) fn route(app: &Arc<App>) -> (Router<Arc<App>>, SocketIo) {
    let (service, io) = SocketIo::builder()
        .connect_timeout(ENTER_WITHIN)
        .ping_interval(PING_EVERY)
        .ping_timeout(PONG_WITHIN)
        .max_payload(MOST_BYTES as u64)
        .ws_max_message_size(MOST_BYTES)
        .ws_max_frame_size(MOST_BYTES)
        .max_buffer_size(WAITING)
        // What has attachments is none of ours.
        .with_parser(ParserConfig::common().max_incoming_binaries(0))
        .build_svc();
    let entering = Arc::clone(app);
    let enter = async move |socket: SocketRef, HttpExtension(pass): HttpExtension<Arc<Pass>>| {
        serve(&entering, socket, pass).await;
    };
    io.ns("/", enter.with(listen));
    let route = Router::new()
        .route_service("/socket.io/", service)
        .layer(from_fn_with_state(Arc::clone(app), door::keep));
    (route, io)
}

/// Hears a client from before it is told that it is connected: its first packet may be on the way already.
async fn listen(socket: SocketRef) -> Result<(), std::convert::Infallible> {
    let inbox = Inbox::default();
    let taken = Arc::clone(&inbox.shared);
    // Not a task: a packet that is taken here cannot be overtaken by the next.
    socket.on_fallback(
        move |Event(event): Event, TryData(body): TryData<Body>, ack: AckSender| {
            let request = match body {
                Ok(body) => request::read(&event, body),
                Err(error) => Err(unreadable(error)),
            };
            taken.put(request, ack);
            std::future::ready(())
        },
    );
    let ended = Arc::clone(&inbox.shared);
    socket.on_disconnect(async move || ended.end());
    socket.extensions.insert(inbox);
    Ok(())
}

/// One client, from its hello to its end.
async fn serve(app: &Arc<App>, socket: SocketRef, pass: Arc<Pass>) {
    let Some(inbox) = socket.extensions.remove::<Inbox>() else {
        return;
    };
    let mut wire = SocketIoWire::new(socket.clone(), inbox.shared);
    let mut stop = app.stopping();
    let room = tokio::select! {
        room = hello(&mut wire) => room,
        _ = stop.wait_for(|stop| *stop) => None,
    };
    if let Some(room) = room {
        let chat = app.chat();
        let entrance = Entrance {
            room,
            address: pass.address,
            stop: app.stopping(),
            place: Arc::clone(&pass.place),
            before: pass.take_before(&chat.doors),
            chat: Arc::clone(&chat),
        };
        Client::new(entrance, wire).run().await;
        // It is a stranger again, for as long as the connection below stands.
        pass.wait_before(&chat.doors);
    }
    // Nothing closes that connection but the client: it is told to. When the server stops it is closed for all, which
    // clients take as a reason to come back.
    if !*stop.borrow() {
        wire::disconnect(&socket).await;
    }
}

/// The room that a client wants to enter; its hello is the next that the wire hears.
async fn hello(wire: &mut SocketIoWire) -> Option<RoomId> {
    let first = tokio::time::timeout(ENTER_WITHIN, wire.next()).await.ok()??;
    let refused = match first {
        Request {
            what: Ok(ref what), ..
        } if what.room.is_some() => {
            let room = what.room.as_deref().and_then(|room| room.parse().ok());
            if room.is_some() {
                wire.put_back(first);
                return room;
            }
            Refused::OutOfRange { field: "room".into() }
        }
        Request {
            what: Err(ref why), ..
        } => why.clone(),
        Request { what: Ok(_), .. } => unreadable("say hello first, with the name of the room as `room`"),
    };
    wire.turn_away(first, refused).await;
    None
}

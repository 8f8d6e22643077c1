//! Messages of a client as packets of Socket.IO.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::{Utf8Bytes, close_code};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::{SendError, SocketError};
use tokio::sync::Notify;

use super::request::{Request, What};
use crate::chat::client::{Heard, Over, SILENT_FOR, Wire};
use crate::chat::wire::{Refused, ToClient};

/// Requests that wait for their turn, and their bytes: over the WebSocket they wait in the network, but here every
/// packet is read as it comes. Who brings more is sent away.
const MOST_REQUESTS: usize = 64;
const MOST_BYTES: usize = 128 * 1024;
/// How often a client whose packets wait is looked after. The library says that there is no room and not when there is.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(25);

/// What a client has emitted and nobody has read yet.
#[derive(Clone, Default)]
pub(super) struct Inbox {
    pub shared: Arc<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    bytes: usize,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client is gone.
    Gone,
    /// It brought more than can wait.
    Flooded,
}

impl Shared {
    /// Takes what came, as long as there is room for it.
    pub fn put(&self, what: Result<What, Refused>, ack: AckSender) {
        let mut state = self.state();
        if state.end.is_some() {
            return;
        }
        state.bytes += size(&what);
        if state.requests.len() >= MOST_REQUESTS || state.bytes > MOST_BYTES {
            state.end = Some(End::Flooded);
            state.requests.clear();
        } else {
            state.requests.push_back(Request { what, ack });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Nothing comes any more.
    pub fn end(&self) {
        self.state().end = Some(End::Gone);
        self.changed.notify_one();
    }

    fn take(&self) -> Option<Result<Request, End>> {
        let mut state = self.state();
        if let Some(request) = state.requests.pop_front() {
            state.bytes -= size(&request.what);
            return Some(Ok(request));
        }
        state.end.map(Err)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(what: &Result<What, Refused>) -> usize {
    what.as_ref().map_or(0, |what| what.text.len())
}

/// A client's connection.
pub(super) struct SocketIoWire {
    socket: SocketRef,
    inbox: Arc<Shared>,
    /// A request that was looked at before its turn.
    first: Option<Request>,
    /// Whose answer is the next.
    asked: Option<AckSender>,
    /// A sign of life that is owed: the library asks for it, and ends whoever gives none.
    alive: bool,
}

/// What is said when the server ends a connection.
#[derive(Serialize)]
struct Closing {
    /// Whether to come back.
    again: bool,
    /// For logs.
    reason: &'static str,
}

/// What decides where a message goes.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(default)]
    id: Option<u64>,
}

impl SocketIoWire {
    pub fn new(socket: SocketRef, inbox: Arc<Shared>) -> Self {
        Self {
            socket,
            inbox,
            first: None,
            asked: None,
            alive: false,
        }
    }

    /// The next request; `None` when there is none any more. Dropped unfinished it loses nothing.
    pub async fn next(&mut self) -> Option<Request> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            match self.inbox.take() {
                Some(Ok(request)) => return Some(request),
                Some(Err(End::Gone)) => return None,
                Some(Err(End::Flooded)) => {
                    self.close(close_code::POLICY, "too many requests at once").await;
                    return None;
                }
                None => self.inbox.changed.notified().await,
            }
        }
    }

    pub fn put_back(&mut self, request: Request) {
        self.first = Some(request);
    }

    /// Answers a request that nobody else will.
    pub async fn turn_away(&mut self, request: Request, why: Refused) {
        self.asked = Some(request.ack);
        if let Ok(text) = serde_json::to_string(&ToClient::Refused { id: None, why }) {
            // Gone already is as good.
            let _ = self.say(text.into()).await;
        }
        self.close(close_code::POLICY, "refused").await;
    }

    /// Emits, or waits until that can be done.
    async fn emit(&self, event: &str, data: &(impl Serialize + ?Sized)) -> Result<(), Over> {
        loop {
            match self.socket.emit(event, data) {
                Ok(()) => return Ok(()),
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {
                    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                }
                Err(_) => return Err(Over),
            }
        }
    }
}

impl Wire for SocketIoWire {
    async fn hear(&mut self) -> Heard {
        if std::mem::take(&mut self.alive) {
            return Heard::Life;
        }
        let Some(Request { what, ack }) = self.next().await else {
            return Heard::End;
        };
        self.asked = Some(ack);
        Heard::Text(match what {
            Ok(what) => what.text.into(),
            // It counts like any other, and whoever reads it says that it is none.
            Err(Refused::Unreadable { detail }) => serde_json::Value::from(detail).to_string().into(),
            Err(_) => Utf8Bytes::from_static("null"),
        })
    }

    async fn say(&mut self, text: Utf8Bytes) -> Result<(), Over> {
        let head: Head = serde_json::from_str(&text).map_err(|_| Over)?;
        let raw: &RawValue = serde_json::from_str(&text).map_err(|_| Over)?;
        let answers = head.id.is_some() || matches!(head.kind, "welcome" | "refused");
        match self.asked.take() {
            // Without room for an answer the client is so far behind that it has to come back.
            Some(ack) if answers => ack.send(raw).map_err(|_| Over),
            asked => {
                self.asked = asked;
                self.emit(head.kind, raw).await
            }
        }
    }

    async fn ping(&mut self) -> Result<(), Over> {
        self.alive = true;
        Ok(())
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let again = matches!(code, close_code::AWAY | close_code::AGAIN);
        // Gone already is as good.
        let _ = self.emit("closing", &Closing { again, reason }).await;
    }
}

/// Sends a client out of the namespace, if it is in it still.
pub(super) async fn disconnect(socket: &SocketRef) {
    let sent = async {
        while socket.connected() && socket.clone().disconnect().is_err() {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    };
    // Who takes nothing for so long has given no sign of life either.
    let _ = tokio::time::timeout(SILENT_FOR, sent).await;
}

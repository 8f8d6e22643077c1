//! One desk's connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt, future};
use protocol::{
    ClientMessage, Command, ErrorCode, Event, Meters, PROTOCOL_VERSION, PictureHeader, PictureKind, Reply,
    ServerMessage, UserError, Watch,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

use crate::studio::{Interest, Small, StudioHandle};

/// How long a connection may stay without saying the token.
pub(super) const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// Commands of one desk that may wait for their answer; more are refused.
const MAX_PENDING: usize = 64;

/// What the control server alone knows.
pub struct Secrets {
    /// What a desk says first.
    pub token: Arc<SecretString>,
    /// Link to the page of overlays, for a desk that asks.
    pub overlay_link: Arc<SecretString>,
}

/// Serves one desk until it leaves or the engine stops.
pub async fn run(
    mut socket: WebSocket,
    studio: StudioHandle,
    secrets: Secrets,
    mut stop: watch::Receiver<bool>,
) {
    let joined = match timeout(HELLO_WITHIN, greet(&mut socket, &secrets.token)).await {
        Ok(Ok(())) => studio.join().await,
        Ok(Err(Some(error))) => {
            send(&mut socket, &ServerMessage::Refused { error }).await;
            close(&mut socket, close_code::POLICY, "refused").await;
            return;
        }
        Ok(Err(None)) | Err(_) => return,
    };
    let Some(joined) = joined else { return };
    let (revision, state) = (joined.revision, joined.state);
    let welcome = ServerMessage::Welcome {
        revision,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        state,
    };
    if !send(&mut socket, &welcome).await {
        return;
    }
    let desk = Desk {
        studio,
        overlay_link: secrets.overlay_link,
        events: joined.events,
        small: joined.small,
        watch: Watch::default(),
        thumbnails: None,
        meters: None,
        program: None,
        preview: None,
        waiting: HashMap::new(),
    };
    tokio::select! {
        () = desk.serve(&mut socket) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    close(&mut socket, close_code::AWAY, "the engine stops").await;
}

/// Waits for the first message and checks it.
async fn greet(socket: &mut WebSocket, token: &SecretString) -> Result<(), Option<UserError>> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                return match parse(&text) {
                    Ok(ClientMessage::Hello { version, .. }) if version != PROTOCOL_VERSION => {
                        Err(Some(UserError::new(ErrorCode::VersionMismatch)))
                    }
                    Ok(ClientMessage::Hello { token: said, .. }) if same(&said, token.expose_secret()) => {
                        Ok(())
                    }
                    Ok(_) => Err(Some(UserError::new(ErrorCode::BadToken))),
                    Err(error) => Err(Some(error)),
                };
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return Err(None),
        }
    }
}

/// Compares in a time that tells nothing of where the texts differ.
pub(super) fn same(said: &str, token: &str) -> bool {
    let difference = said
        .bytes()
        .zip(token.bytes())
        .fold(0u8, |sum, (a, b)| sum | (a ^ b));
    said.len() == token.len() && std::hint::black_box(difference) == 0
}

fn parse(text: &str) -> Result<ClientMessage, UserError> {
    // The parser's own words name field and place, and hold none of the values of a command.
    serde_json::from_str(text)
        .map_err(|error| UserError::new(ErrorCode::BadRequest).with("detail", redacted(&error.to_string())))
}

/// serde quotes the offending value in backticks or quotes; a stream key may be one.
fn redacted(detail: &str) -> String {
    match detail.find("invalid type: string") {
        Some(_) => "a text where something else belongs".to_owned(),
        None => detail.to_owned(),
    }
}

struct Desk {
    studio: StudioHandle,
    overlay_link: Arc<SecretString>,
    events: broadcast::Receiver<(u64, Event)>,
    small: broadcast::Receiver<Small>,
    watch: Watch,
    thumbnails: Option<Interest>,
    meters: Option<(Interest, watch::Receiver<Meters>)>,
    program: Option<watch::Receiver<Bytes>>,
    preview: Option<watch::Receiver<Bytes>>,
    /// Newest small picture of each source or device that has not been sent yet.
    waiting: HashMap<(PictureKind, String), Bytes>,
}

impl Desk {
    async fn serve(mut self, socket: &mut WebSocket) {
        let mut pending = FuturesUnordered::new();
        let mut taps = self.studio.taps();
        loop {
            tokio::select! {
                biased;
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => match parse(&text) {
                        Ok(ClientMessage::Command { id, command: Command::OverlayLink }) => {
                            let url = self.overlay_link.expose_secret().to_owned();
                            if !send(socket, &answer(id, Ok(Reply::Link { url }))).await { return; }
                        }
                        Ok(ClientMessage::Command { id, command }) if pending.len() < MAX_PENDING => {
                            let studio = self.studio.clone();
                            pending.push(async move { (id, studio.command(command).await) });
                        }
                        Ok(ClientMessage::Command { id, .. }) => {
                            let error = UserError::new(ErrorCode::LimitReached)
                                .with("what", "commands").with("most", MAX_PENDING);
                            if !send(socket, &ServerMessage::Failed { id, error }).await { return; }
                        }
                        Ok(ClientMessage::Watch(watch)) => {
                            self.watch = watch;
                            self.thumbnails = watch.thumbnails.then(|| self.studio.want_thumbnails());
                            self.meters = watch.meters.then(|| (self.studio.want_meters(), self.studio.meters()));
                            self.tap();
                        }
                        Ok(ClientMessage::Hello { .. }) => {}
                        Err(error) => {
                            if !send(socket, &ServerMessage::Refused { error }).await { return; }
                            return;
                        }
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return,
                },
                event = self.events.recv() => match event {
                    Ok((revision, event)) => {
                        if !send(socket, &ServerMessage::Event { revision, event }).await { return; }
                    }
                    // Too slow to follow: it joins again and gets a snapshot.
                    Err(_) => return,
                },
                Some((id, result)) = pending.next(), if !pending.is_empty() => {
                    // What changed was said before the answer came back, so it is in the queue by now.
                    if !self.forward_events(socket).await { return; }
                    if !send(socket, &answer(id, result)).await { return; }
                }
                changed = taps.changed() => {
                    if changed.is_err() { return; }
                    self.tap();
                }
                now = metered(&mut self.meters) => {
                    if !send(socket, &ServerMessage::Meters(now)).await { return; }
                }
                jpeg = next(&mut self.program) => {
                    if !picture(socket, PictureKind::Program, "", &jpeg).await { return; }
                }
                jpeg = next(&mut self.preview) => {
                    if !picture(socket, PictureKind::Preview, "", &jpeg).await { return; }
                }
                small = self.small.recv(), if self.watch.thumbnails => match small {
                    Ok(small) => { self.waiting.insert((small.kind, small.id), small.jpeg); }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                () = future::ready(()), if !self.waiting.is_empty() => {
                    let Some(key) = self.waiting.keys().next().cloned() else { continue };
                    let Some(jpeg) = self.waiting.remove(&key) else { continue };
                    if !picture(socket, key.0, &key.1, &jpeg).await { return; }
                }
            }
        }
    }

    /// Takes up or drops the streams of pictures. No receiver, no work in the pipeline.
    fn tap(&mut self) {
        let taps = self.studio.taps();
        let taps = taps.borrow();
        self.program = taps.program(self.watch.program);
        self.preview = taps.preview(self.watch.preview);
    }

    async fn forward_events(&mut self, socket: &mut WebSocket) -> bool {
        loop {
            match self.events.try_recv() {
                Ok((revision, event)) => {
                    if !send(socket, &ServerMessage::Event { revision, event }).await {
                        return false;
                    }
                }
                Err(broadcast::error::TryRecvError::Empty) => return true,
                Err(_) => return false,
            }
        }
    }
}

fn answer(id: u32, result: Result<Reply, UserError>) -> ServerMessage {
    match result {
        Ok(reply) => ServerMessage::Done { id, reply },
        Err(error) => ServerMessage::Failed { id, error },
    }
}

/// The next picture of a stream; never, without one.
async fn next(stream: &mut Option<watch::Receiver<Bytes>>) -> Bytes {
    if let Some(receiver) = stream {
        if receiver.changed().await.is_ok() {
            let jpeg = receiver.borrow_and_update().clone();
            return jpeg;
        }
        *stream = None;
    }
    future::pending().await
}

/// The meters' next reading; never, when they are not wanted.
async fn metered(meters: &mut Option<(Interest, watch::Receiver<Meters>)>) -> Meters {
    if let Some((_, receiver)) = meters {
        if receiver.changed().await.is_ok() {
            let now = receiver.borrow_and_update().clone();
            return now;
        }
        *meters = None;
    }
    future::pending().await
}

async fn picture(socket: &mut WebSocket, kind: PictureKind, id: &str, jpeg: &[u8]) -> bool {
    let message = PictureHeader {
        kind,
        id: id.to_owned(),
    }
    .message(jpeg);
    socket.send(Message::Binary(message.into())).await.is_ok()
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> bool {
    match serde_json::to_string(message) {
        Ok(text) => socket.send(Message::Text(text.into())).await.is_ok(),
        Err(error) => {
            tracing::error!(%error, "a message could not be written");
            false
        }
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    // The other side may be gone already; there is nothing left to do for it.
    if socket.send(Message::Close(Some(frame))).await.is_ok() {
        let _closed = socket.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same("abc", "abc"));
        for wrong in ["", "ab", "abd", "abcd", "ABC"] {
            assert!(!same(wrong, "abc"), "{wrong:?} must not pass");
        }
    }

    #[test]
    fn an_unreadable_message_is_not_quoted_back() {
        for text in [
            r#"{"type":"command","id":1,"command":{"do":"audition","on":"s3cret"}}"#,
            r#"{"type":"command","id":"s3cret","command":{"do":"go_live"}}"#,
            r#"{"type":"command","id":1,"command":{"do":"set_master","gain":"s3cret","muted":true}}"#,
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}

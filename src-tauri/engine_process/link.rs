//! The shell's own connection with the engine: is it there, is a show on air, and "end the show".
//!
//! The shell is a desk like any other here. It watches no pictures and no meters.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use protocol::{ClientMessage, Command, ErrorCode, Event, PROTOCOL_VERSION, ServerMessage, UserError};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::announcement::Engine;

/// How long an engine may take to let a desk in. It answers at once; one that does not is hung or gone.
const WELCOME_WITHIN: Duration = Duration::from_secs(2);

/// Time between tries to get a lost connection back.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Tries after which an engine that somebody else started counts as gone.
const MOST_TRIES: u32 = 5;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("reach the engine")]
    Unreachable(#[from] Box<tungstenite::Error>),
    #[error("get an answer from the engine")]
    Silent,
    #[error("be let in by the engine: {0:?}")]
    Refused(ErrorCode),
}

/// A connection that has been let in.
pub struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Whether a show was on air at the welcome.
    on_air: bool,
}

impl Link {
    /// Connects and says the token.
    ///
    /// # Errors
    /// [`LinkError`] when nobody answers within two seconds, or the engine does not let this shell in.
    pub async fn open(engine: &Engine) -> Result<Self, LinkError> {
        timeout(WELCOME_WITHIN, Self::shake_hands(engine))
            .await
            .map_err(|_| LinkError::Silent)?
    }

    async fn shake_hands(engine: &Engine) -> Result<Self, LinkError> {
        let unreachable = |error| LinkError::Unreachable(Box::new(error));
        let address = format!("ws://{}/control", engine.authority());
        let (mut socket, _) = connect_async(address).await.map_err(unreachable)?;
        let hello = ClientMessage::Hello {
            version: PROTOCOL_VERSION,
            token: engine.token.clone(),
        };
        socket.send(text(&hello)).await.map_err(unreachable)?;
        while let Some(message) = socket.next().await {
            match parse(&message.map_err(unreachable)?) {
                Some(ServerMessage::Welcome { state, .. }) => {
                    return Ok(Self {
                        socket,
                        on_air: state.show.phase.on_air(),
                    });
                }
                Some(ServerMessage::Refused { error }) => return Err(LinkError::Refused(error.code)),
                _ => {}
            }
        }
        Err(LinkError::Silent)
    }

    /// Tells `on_air` as it changes and passes `end_show` on, until the connection ends.
    async fn follow(mut self, on_air: &mpsc::Sender<bool>, end_show: &mut mpsc::Receiver<()>) {
        if on_air.send(self.on_air).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    let Some(Ok(message)) = message else { return };
                    if let Some(ServerMessage::Event { event: Event::Show(show), .. }) = parse(&message)
                        && on_air.send(show.phase.on_air()).await.is_err()
                    {
                        return;
                    }
                }
                Some(()) = end_show.recv() => {
                    let command = ClientMessage::Command { id: 1, command: Command::EndShow };
                    if self.socket.send(text(&command)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Keeps a connection with the engine, tells whether it is on air and passes `end_show` on.
///
/// Returns when the engine has been out of reach for a second, with the reason.
pub async fn keep(
    engine: &Engine,
    first: Option<Link>,
    on_air: &mpsc::Sender<bool>,
    end_show: &mut mpsc::Receiver<()>,
) -> UserError {
    let mut next = first;
    let mut tries = 0;
    loop {
        let link = match next.take() {
            Some(link) => Ok(link),
            None => Link::open(engine).await,
        };
        match link {
            Ok(link) => {
                tries = 0;
                link.follow(on_air, end_show).await;
            }
            Err(error) => {
                tries += 1;
                if tries >= MOST_TRIES {
                    tracing::warn!(%error, "engine out of reach");
                    return UserError::new(ErrorCode::ConnectionLost).with("host", engine.authority());
                }
            }
        }
        sleep(AGAIN_AFTER).await;
    }
}

fn text(message: &ClientMessage) -> Message {
    Message::text(serde_json::to_string(message).expect("plain data serializes"))
}

fn parse(message: &Message) -> Option<ServerMessage> {
    serde_json::from_str(message.to_text().ok()?).ok()
}

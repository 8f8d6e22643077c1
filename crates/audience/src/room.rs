//! A room of StreamCore, as its host: a client of the room's WebSocket (`/chat/ROOM`) and of its pictures.
//!
//! It says what is asked of it and hears what others feature. It neither reconnects nor remembers: who uses it decides
//! what to say after a connection was lost.

mod wire;

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::ready;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header::AUTHORIZATION};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use wire::Heard;

/// Version of the room's protocol that is spoken here.
const VERSION: u32 = 1;
/// How long the room may take to answer.
const WITHIN: Duration = Duration::from_secs(10);
/// Largest message that is taken: 200 products with all that they may have, and a page of messages.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Largest picture that a room keeps.
pub const MOST_PICTURE_BYTES: usize = 1024 * 1024;

/// Where a room is, and what makes its bearer the host.
#[derive(Debug, Clone)]
pub struct Door {
    /// `ws://…/chat/ROOM`
    pub chat: String,
    /// `http://…/api/rooms/ROOM/images`
    pub images: String,
    /// The host's token.
    pub token: SecretString,
}

/// Why the room did not do it. Reads after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// The connection could not be made, or is lost.
    #[error("reach the room")]
    Lost(#[source] Box<tungstenite::Error>),
    /// The room says nothing.
    #[error("hear from the room in time")]
    Silent,
    /// The room left.
    #[error("stay in the room: it closed the connection")]
    Closed,
    /// The room says no.
    #[error("be heard by the room: it says {code} {field}")]
    Refused {
        /// Why, as the room calls it.
        code: String,
        /// Which part of what was said, where it is one.
        field: String,
    },
    /// A picture was not taken.
    #[error("put a picture into the room")]
    Picture(#[source] reqwest::Error),
}

impl From<tungstenite::Error> for RoomError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Lost(Box::new(error))
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection to a room.
#[derive(Debug)]
pub struct Room {
    socket: Socket,
    next_id: u32,
    featured: Vec<String>,
    /// What others featured while an answer was waited for.
    missed: VecDeque<Vec<String>>,
}

impl Room {
    /// Joins as the host.
    ///
    /// # Errors
    /// [`RoomError::Lost`], [`RoomError::Silent`], and [`RoomError::Refused`] for a token or a version that is none.
    pub async fn join(door: &Door) -> Result<Self, RoomError> {
        let mut request = door.chat.as_str().into_client_request()?;
        // Said when connecting, it lets the room take long messages.
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", door.token.expose_secret()))
            .map_err(|error| tungstenite::Error::HttpFormat(error.into()))?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let connecting = connect_async_with_config(request, Some(limits()), false);
        let (socket, _) = timeout(WITHIN, connecting)
            .await
            .map_err(|_| RoomError::Silent)??;
        let mut room = Self {
            socket,
            next_id: 1,
            featured: Vec::new(),
            missed: VecDeque::new(),
        };
        let hello = json!({ "type": "hello", "version": VERSION, "token": door.token.expose_secret() });
        room.say(&hello).await?;
        match timeout(WITHIN, room.hear())
            .await
            .map_err(|_| RoomError::Silent)??
        {
            Heard::Welcome { featured } => room.featured = featured,
            Heard::Refused { code, field, .. } => return Err(RoomError::Refused { code, field }),
            _ => return Err(RoomError::Silent),
        }
        Ok(room)
    }

    /// What was featured when it was joined.
    pub fn featured(&self) -> &[String] {
        &self.featured
    }

    /// Does an act of the host (`{"do": …}`) and waits until it is kept.
    ///
    /// # Errors
    /// [`RoomError::Refused`] leaves the connection as it is; after any other the connection is of no more use.
    pub async fn act(&mut self, act: Value) -> Result<(), RoomError> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.say(&json!({ "type": "moderate", "id": id, "act": act }))
            .await?;
        timeout(WITHIN, self.answer(id))
            .await
            .map_err(|_| RoomError::Silent)?
    }

    async fn answer(&mut self, asked: u32) -> Result<(), RoomError> {
        loop {
            match self.hear().await? {
                Heard::Done { id } if id == asked => return Ok(()),
                Heard::Refused { id, code, field } if id == Some(asked) => {
                    return Err(RoomError::Refused { code, field });
                }
                Heard::Featured(lists) => self.missed.extend(lists),
                _ => {}
            }
        }
    }

    /// Waits until products are featured, by whomever (also by an act of ours), and says which. May be dropped at any time; nothing is lost.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn next_featured(&mut self) -> Result<Vec<String>, RoomError> {
        loop {
            if let Some(products) = self.missed.pop_front() {
                return Ok(products);
            }
            if let Heard::Featured(lists) = self.hear().await? {
                self.missed.extend(lists);
            }
        }
    }

    async fn say(&mut self, message: &Value) -> Result<(), RoomError> {
        let sending = self.socket.send(Message::text(message.to_string()));
        timeout(WITHIN, sending).await.map_err(|_| RoomError::Silent)??;
        Ok(())
    }

    async fn hear(&mut self) -> Result<Heard, RoomError> {
        loop {
            if let Some(heard) = Heard::read(&next_text(&mut self.socket).await?) {
                return Ok(heard);
            }
        }
    }
}

/// Puts pictures into rooms. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Tray {
    http: Client,
}

impl Tray {
    /// Puts a picture into a room and gives the name by which products refer to it.
    ///
    /// # Errors
    /// [`RoomError::Picture`], also for one that the room does not want; [`RoomError::Silent`] for an answer that is
    /// none.
    pub async fn put(&self, door: &Door, bytes: Vec<u8>) -> Result<String, RoomError> {
        let failed = |error: reqwest::Error| RoomError::Picture(error.without_url());
        let answer = self
            .http
            .put(&door.images)
            .bearer_auth(door.token.expose_secret())
            .timeout(WITHIN)
            .body(bytes)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed)?;
        let said: Value = answer.json().await.map_err(failed)?;
        said["image"].as_str().map(str::to_owned).ok_or(RoomError::Silent)
    }
}

/// A connection to a room on which somebody else speaks: texts go through as they are.
#[derive(Debug)]
pub struct Line(Socket);

impl Line {
    /// Connects, says `hello` and waits for the first answer, which comes with it.
    ///
    /// # Errors
    /// [`RoomError::Lost`], [`RoomError::Silent`], [`RoomError::Closed`].
    pub async fn open(chat: &str, hello: String) -> Result<(Self, String), RoomError> {
        let (mut socket, _) = timeout(WITHIN, connect_async_with_config(chat, Some(limits()), false))
            .await
            .map_err(|_| RoomError::Silent)??;
        socket.send(Message::text(hello)).await?;
        let first = timeout(WITHIN, next_text(&mut socket))
            .await
            .map_err(|_| RoomError::Silent)??;
        Ok((Self(socket), first))
    }

    /// What goes to the room, and what comes from it until either leaves.
    pub fn split(
        self,
    ) -> (
        impl Sink<String, Error = tungstenite::Error> + Unpin,
        impl Stream<Item = String>,
    ) {
        let (to, from) = self.0.split();
        let to = to.with(|text: String| ready(Ok(Message::text(text))));
        let from = from.filter_map(|message| {
            ready(match message {
                Ok(Message::Text(text)) => Some(text.as_str().to_owned()),
                _ => None,
            })
        });
        (to, from)
    }
}

fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MOST_BYTES))
        .max_frame_size(Some(MOST_BYTES))
}

async fn next_text(socket: &mut Socket) -> Result<String, RoomError> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
            Some(Ok(Message::Close(_))) | None => return Err(RoomError::Closed),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

//! The embedded StreamCore: its links, its viewers, and the leg that publishes into a room.

use std::sync::Arc;

use protocol::{DestinationKind, ErrorCode, Reply, RoomId, StreamCoreState, UserError};
use secrecy::{ExposeSecret, SecretString};

use super::actor::Actor;
use super::handle::Input;
use crate::sentences::Language;

/// Where a room's chat is, and what makes its bearer the host.
#[derive(Debug)]
pub struct ChatDoor {
    /// Address of its WebSocket.
    pub url: String,
    /// Address for pictures of products.
    pub images: String,
    /// The host's token. Its own `Debug` says `[REDACTED]`.
    pub token: SecretString,
}

/// What viewers call the host.
fn host_name() -> &'static str {
    match Language::of_system() {
        Language::English => "Host",
        Language::French => "Hôte",
    }
}

impl Actor {
    /// Passes what rooms say on to the actor's queue.
    pub(super) fn follow_rooms(&self) {
        let Some(server) = &self.streamcore else { return };
        let mut events = server.events();
        let inputs = self.wiring.inputs.clone();
        tokio::spawn(async move {
            use tokio::sync::broadcast::error::RecvError;
            loop {
                match events.recv().await {
                    Ok(event) => {
                        if inputs.send(Input::Room(event)).await.is_err() {
                            return;
                        }
                    }
                    // The count is read whole each time, so a missed step is made up by the next.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    pub(super) fn on_room(&mut self, event: &streamcore::RoomEvent) {
        tracing::debug!(?event, "room");
        self.refresh_links();
    }

    /// The room that the links lead to: that of the first StreamCore destination.
    fn room(&self) -> Option<&RoomId> {
        self.state.destinations.iter().find_map(|d| match &d.kind {
            DestinationKind::StreamCore { room } => Some(room),
            _ => None,
        })
    }

    /// Links, QR code and viewers, as they are now.
    pub(super) fn refresh_links(&mut self) {
        let room = self
            .room()
            .and_then(|room| room.as_str().parse::<streamcore::RoomId>().ok());
        self.state.streamcore = match (&self.streamcore, room) {
            (Some(server), Some(room)) => {
                let watch_urls = server.watch_urls(&room);
                let same = watch_urls == self.state.streamcore.watch_urls;
                let qr_svg = match watch_urls.first() {
                    _ if same => std::mem::take(&mut self.state.streamcore.qr_svg),
                    Some(link) => qr_code(link),
                    None => String::new(),
                };
                StreamCoreState {
                    room: self.room().cloned(),
                    watch_urls,
                    qr_svg,
                    viewers: Some(server.room(&room).viewers),
                }
            }
            _ => StreamCoreState::default(),
        };
        let room = &self.state.streamcore.room;
        self.wiring.room.send_if_modified(|known| {
            let other = known != room;
            known.clone_from(room);
            other
        });
    }

    /// The way into a room's chat as its host. Only a room that a destination of this studio names has one.
    pub(super) fn chat_door(&self, room: &str) -> Option<ChatDoor> {
        let ours =
            self.state.destinations.iter().any(
                |d| matches!(&d.kind, DestinationKind::StreamCore { room: one } if one.as_str() == room),
            );
        let server = self.streamcore.as_ref().filter(|_| ours)?;
        let room = room.parse::<streamcore::RoomId>().ok()?;
        Some(ChatDoor {
            token: server.host_token(&room, host_name())?,
            url: server.chat_url(&room),
            images: server.images_url(&room),
        })
    }

    /// The page on which the host runs the chat, with what makes its reader the host.
    pub(super) fn chat_link(&self) -> Result<Reply, UserError> {
        let missing = || {
            UserError::new(ErrorCode::BadValue)
                .with("field", "room")
                .with("detail", "no room")
        };
        let server = self.streamcore.as_ref().ok_or_else(missing)?;
        let room = self.room().ok_or_else(missing)?;
        let room = room
            .as_str()
            .parse::<streamcore::RoomId>()
            .map_err(|_| missing())?;
        let token = server.host_token(&room, host_name()).ok_or_else(missing)?;
        let page = server
            .moderate_urls(&room)
            .into_iter()
            .next()
            .ok_or_else(missing)?;
        Ok(Reply::Link {
            url: format!("{page}#token={}", token.expose_secret()),
        })
    }

    /// Puts the show into a room: frames go from the encoder to the viewers' sockets in this process.
    pub(super) fn publish_room(
        &mut self,
        room: &RoomId,
        rendition: &protocol::RenditionId,
    ) -> Result<RoomLeg, UserError> {
        let unavailable = || UserError::new(ErrorCode::Internal).with("detail", "StreamCore does not run");
        let server = self.streamcore.as_ref().ok_or_else(unavailable)?;
        let room = room.as_str().parse::<streamcore::RoomId>().map_err(|error| {
            UserError::new(ErrorCode::BadValue)
                .with("field", "room")
                .with("detail", error)
        })?;
        let info = streamcore::RoomInfo {
            title: self.state.show.title.clone(),
        };
        let publisher = server.publish(room, info).map_err(|error| {
            UserError::new(ErrorCode::LimitReached)
                .with("what", "room")
                .with("most", error)
        })?;
        let publisher = Arc::new(publisher);
        let keyframes = self.media.keyframe_requester(rendition)?;
        publisher.on_keyframe_request(move || keyframes.request());
        let (video, audio) = (Arc::clone(&publisher), Arc::clone(&publisher));
        let counters = Arc::new(RoomCounters::default());
        let (video_bytes, audio_bytes) = (Arc::clone(&counters), Arc::clone(&counters));
        let tap = self.media.tap(
            rendition,
            move |frame: media::rendition::EncodedVideo| {
                video_bytes.add(frame.data.len());
                let unit = streamcore::AccessUnit {
                    data: frame.data,
                    pts: frame.pts,
                    keyframe: frame.keyframe,
                };
                // The publisher counts what it could not take; the show goes on.
                let _counted = video.video(unit);
            },
            move |packet: media::rendition::EncodedAudio| {
                audio_bytes.add(packet.data.len());
                let packet = streamcore::OpusPacket {
                    data: packet.data,
                    pts: packet.pts,
                    duration: packet.duration,
                };
                let _counted = audio.audio(packet);
            },
        )?;
        Ok(RoomLeg {
            publisher,
            _tap: tap,
            counters,
        })
    }

    /// Tells viewers the new title.
    pub(super) fn retitle(&mut self) {
        let info = streamcore::RoomInfo {
            title: self.state.show.title.clone(),
        };
        if let Some(server) = &self.streamcore {
            for leg in self.outputs.rooms() {
                server.rename(leg.publisher.room(), &info);
            }
        }
    }
}

/// A leg into a room. Dropped, viewers wait for its return; ended, they are told that the show is over.
pub struct RoomLeg {
    publisher: Arc<streamcore::LocalPublisher>,
    _tap: media::rendition::Tap,
    counters: Arc<RoomCounters>,
}

#[derive(Debug, Default)]
struct RoomCounters {
    bytes: std::sync::atomic::AtomicU64,
}

impl RoomCounters {
    fn add(&self, bytes: usize) {
        self.bytes
            .fetch_add(bytes as u64, std::sync::atomic::Ordering::Relaxed);
    }
}

impl RoomLeg {
    /// Bytes of media given to the room since the leg began.
    pub fn bytes(&self) -> u64 {
        self.counters.bytes.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// The show is over.
    pub fn end(self) {
        self.publisher.end();
    }
}

/// A link as a QR code, SVG, black on white.
fn qr_code(link: &str) -> String {
    match qrcode::QrCode::with_error_correction_level(link, qrcode::EcLevel::M) {
        Ok(code) => code
            .render::<qrcode::render::svg::Color>()
            .min_dimensions(200, 200)
            .build(),
        Err(error) => {
            tracing::warn!(%error, "the link does not fit into a QR code");
            String::new()
        }
    }
}

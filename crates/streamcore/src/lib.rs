//! StreamCore: WebRTC rooms. Publishers come in by WHIP (RFC 9725) or from this process, viewers go out by
//! WHEP, and a page at `/watch/{room}` shows it in any browser.
//!
//! A [`Server`] is a tokio task for HTTP and one thread for all media: one UDP socket, the ICE, DTLS and SRTP
//! of every session (str0m in RTP mode), and every room's numbers and clock. The two speak through a queue and
//! a waker. Payloads are shared by all viewers; what leaves is put together viewer by viewer into segmented
//! sends (GSO).
//!
//! ```no_run
//! # async fn show() -> Result<(), Box<dyn std::error::Error>> {
//! use streamcore::{AccessUnit, RoomInfo, Server, Settings};
//!
//! let server = Server::start(Settings::default()).await?;
//! let room = "show".parse()?;
//! println!("{:?}", server.watch_urls(&room));
//! let publisher = server.publish(room, RoomInfo { title: "Tonight".into() })?;
//! # let (encoded, pts) = (bytes::Bytes::new(), std::time::Duration::ZERO);
//! publisher.video(AccessUnit { data: encoded, pts, keyframe: true })?;
//! publisher.end();
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

mod bucket;
mod chat;
mod http;
mod interfaces;
mod media;
mod money;
mod publisher;
mod room;
mod rtc;
mod server;
mod settings;
mod viewers;

pub use chat::SiteKeyError;
pub use money::{MoneyError, MoneySettings};
pub use publisher::{AccessUnit, FeedError, LocalPublisher, OpusPacket};
pub use room::{
    LeaveReason, PublisherKind, RoomEvent, RoomId, RoomIdError, RoomInfo, RoomState, RoomView, ViewerId,
    ViewerMark,
};
pub use rtc::CertificateError;
pub use server::{PublishError, RoomDatabaseError, Server, StartError};
pub use settings::{Limits, Settings, SiteKey};

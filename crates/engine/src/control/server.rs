//! The HTTP server of the control side.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State, WebSocketUpgrade};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use protocol::{MAX_MESSAGE_BYTES, ProductId};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{assets, chat, connection, origin, overlay};
use crate::studio::StudioHandle;

/// Why the control server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another program has the port, or the address is not this machine's.
    #[error("listen at {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// The running server.
#[derive(Debug)]
pub struct ControlServer {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

/// Who may come in.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// A desk, which may do everything.
    pub desk: SecretString,
    /// A page that shows the overlays, and may do nothing.
    pub overlays: SecretString,
}

#[derive(Clone)]
struct Shared {
    studio: StudioHandle,
    token: Arc<SecretString>,
    overlay_token: Arc<SecretString>,
    overlay_link: Arc<SecretString>,
    port: u16,
    stop: watch::Receiver<bool>,
}

impl ControlServer {
    /// Listens at `address` (port 0 takes any) and lets in who has one of the `tokens`.
    ///
    /// # Errors
    /// [`ControlError::Listen`] when the address cannot be had.
    pub async fn start(
        address: SocketAddr,
        tokens: Tokens,
        studio: StudioHandle,
    ) -> Result<Self, ControlError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ControlError::Listen { address, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| ControlError::Listen { address, source })?;
        let (stop, stopped) = watch::channel(false);
        let shared = Shared {
            studio,
            overlay_link: Arc::new(overlay_link(address, &tokens.overlays)),
            token: Arc::new(tokens.desk),
            overlay_token: Arc::new(tokens.overlays),
            port: address.port(),
            stop: stopped.clone(),
        };
        let router = Router::new()
            .route("/control", get(upgrade))
            .route("/chat/{room}", get(upgrade_chat))
            .route("/overlays", get(upgrade_overlays))
            .route("/overlay", get(|| assets::file("overlay.html")))
            .route("/product-pictures/{product}", get(product_picture))
            .fallback(assets::serve)
            .layer(middleware::from_fn_with_state(shared.clone(), guard))
            .with_state(shared);
        let mut until = stopped;
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(async move {
                    // An error means that the server's owner is gone, which is a stop as well.
                    let _gone = until.wait_for(|stop| *stop).await;
                })
                .await
        });
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every desk's connection and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        match self.task.await {
            Ok(Err(error)) => tracing::warn!(%error, "control server ended badly"),
            Err(error) => tracing::warn!(%error, "control server ended badly"),
            Ok(Ok(())) => {}
        }
    }
}

async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if origin::trusted(request.headers(), shared.port) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

/// A picture that a shop gave: shown as an image and as nothing else.
async fn product_picture(State(shared): State<Shared>, Path(product): Path<String>) -> Response {
    let found = match (ProductId::try_from(product), shared.studio.product_pictures()) {
        (Ok(product), Some(pictures)) => pictures.picture(&product).await,
        _ => None,
    };
    match found {
        Some(picture) => {
            let headers = [
                (header::CONTENT_TYPE, picture.mime),
                (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
                (
                    header::CONTENT_SECURITY_POLICY,
                    "default-src 'none'; sandbox".to_owned(),
                ),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
            ];
            (headers, picture.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn upgrade(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| {
            let Shared {
                studio,
                token,
                stop,
                overlay_link,
                ..
            } = shared;
            connection::run(socket, studio, connection::Secrets { token, overlay_link }, stop)
        })
}

async fn upgrade_overlays(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(overlay::MAX_MESSAGE_BYTES)
        .max_frame_size(overlay::MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| overlay::run(socket, shared.studio, shared.overlay_token, shared.stop))
}

/// The token stands behind the `#`, which no browser sends to anybody.
fn overlay_link(address: SocketAddr, token: &SecretString) -> SecretString {
    format!("http://{address}/overlay#token={}", token.expose_secret()).into()
}

async fn upgrade_chat(
    State(shared): State<Shared>,
    Path(room): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(chat::MAX_MESSAGE_BYTES)
        .max_frame_size(chat::MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| chat::run(socket, room, shared.studio, shared.token, shared.stop))
}

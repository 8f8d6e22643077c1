//! Who may open a connection: as many of one address as over the WebSocket, from any page.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use crate::chat::doors::{Doors, Held};
use crate::chat::socket::too_many_at_the_door;
use crate::http::App;
use crate::http::answer::Refusal;

/// What a connection holds for as long as it stands, whoever is in it: kept with the request that opened it.
pub(super) struct Pass {
    pub address: IpAddr,
    pub place: Arc<OwnedSemaphorePermit>,
    /// The place before the door, while it has not said who it is.
    before: Mutex<Option<Held>>,
}

impl Pass {
    /// The place before the door, handed over to whoever says hello.
    pub fn take_before(&self, doors: &Arc<Doors>) -> Option<Held> {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        before.take().or_else(|| doors.knock(self.address))
    }

    /// Takes a place before the door again, if there is one.
    pub fn wait_before(&self, doors: &Arc<Doors>) {
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        *before = doors.knock(self.address);
    }
}

/// Stands before the service: whoever opens a connection needs a place, whoever has one is known by its `sid`.
pub(super) async fn keep(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::OPTIONS {
        return allow_origins(StatusCode::NO_CONTENT.into_response());
    }
    // As the service looks for it: what has one opens no connection.
    let query = request.uri().query().unwrap_or_default();
    if !query.split('&').any(|part| part.starts_with("sid=")) {
        let address = app.viewer_address(from, request.headers());
        match open(&app, address) {
            Ok(pass) => request.extensions_mut().insert(Arc::new(pass)),
            Err(refusal) => return allow_origins(refusal.into_response()),
        };
    }
    allow_origins(next.run(request).await)
}

fn open(app: &App, address: IpAddr) -> Result<Pass, Refusal> {
    let place = Arc::new(app.listener_place()?);
    let before = app.chat().doors.knock(address);
    Ok(Pass {
        address,
        place,
        before: Mutex::new(Some(before.ok_or_else(too_many_at_the_door)?)),
    })
}

/// Any page may speak to a room, as over the WebSocket: what protects it are tokens, which no browser sends by itself.
fn allow_origins(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

//! Pictures of a room's products: the host puts them there, everybody sees them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::App;
use super::answer::Refusal;
use super::session::read_body;
use crate::chat::{Hash, ImageKind, KeepError, MOST_IMAGE_BYTES, MOST_IMAGES, is_host};
use crate::room::RoomId;

/// `PUT /api/rooms/{room}/images` with the token of the room's host: a PNG, JPEG, WebP or AVIF of at most 1 MiB. The
/// answer names it: `{"image": HASH}`. What is in no list goes with the next list, ten minutes at the earliest.
pub(crate) async fn keep(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Refusal> {
    let room: RoomId = room.parse().map_err(|_| Refusal::no_such_room())?;
    // Before a byte of it is read.
    if !is_host(&app.chat, &room, &headers) {
        return Err(Refusal::unauthorized(
            "Pictures are the host's: Authorization: Bearer TOKEN.",
        ));
    }
    let bytes = read_body(body, MOST_IMAGE_BYTES).await?;
    if ImageKind::of(&bytes).is_none() {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "A picture is PNG, JPEG, WebP or AVIF.",
        ));
    }
    match app.chat.keeper.put_image(&room, &bytes).await {
        Ok(Some(hash)) => Ok(Json(json!({ "image": hash.to_string() }))),
        Ok(None) => Err(Refusal::new(
            StatusCode::CONFLICT,
            format!(
                "The room has {MOST_IMAGES} pictures already. Set the list of products: pictures outside it go."
            ),
        )),
        Err(error) => Err(failed(&room, &error)),
    }
}

/// `GET /rooms/{room}/images/{hash}`: the name is the content's hash, so it may be kept for ever.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((room, hash)): Path<(String, String)>,
) -> Result<impl IntoResponse, Refusal> {
    let room: RoomId = room.parse().map_err(|_| Refusal::no_such_room())?;
    let none = || Refusal::new(StatusCode::NOT_FOUND, "No such picture.");
    let hash: Hash = hash.parse().map_err(|_| none())?;
    let found = app.chat.keeper.image(&room, hash).await;
    let bytes = found.map_err(|error| failed(&room, &error))?.ok_or_else(none)?;
    let kind = ImageKind::of(&bytes).ok_or_else(none)?;
    let headers = [
        (header::CONTENT_TYPE, kind.media_type()),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Looked at by itself it is a picture, and can be nothing else.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, bytes))
}

fn failed(room: &RoomId, error: &KeepError) -> Refusal {
    tracing::error!(%room, error = error as &(dyn std::error::Error + 'static), "the room database failed");
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The server cannot keep that now.",
    )
    .retry_after(5)
}

//! Draws, with all that it takes to do them again.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::App;
use super::answer::Refusal;
use crate::room::RoomId;

/// `GET /api/rooms/{room}/giveaways/{id}`: the giveaway with its seed, its winners and the list of entries; 404 until
/// it is drawn. How to do the draw again is described in [`crate::chat::engage`].
pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    Path((room, id)): Path<(String, u64)>,
) -> Result<impl IntoResponse, Refusal> {
    let room: RoomId = room.parse().map_err(|_| Refusal::no_such_room())?;
    let found = app.chat.keeper.proof(&room, id).await.map_err(|error| {
        tracing::error!(%room, error = &error as &(dyn std::error::Error + 'static), "the room database failed");
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server cannot read that now.",
        )
        .retry_after(5)
    })?;
    let none = || {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "No giveaway of this number has been drawn.",
        )
    };
    let proof = found.ok_or_else(none)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(proof)))
}

//! What hosts' own backends, bots and apps ask of rooms by HTTP, and its description: OpenAPI at `/openapi.json`, made out
//! of the handlers' signatures and the types that they read and write.
//!
//! What one asks with `Authorization: Bearer TOKEN` is asked as the member of the room that the token is of, with the role
//! that it has in the chat. A no is a [`Problem`]. Sockets, streams of events and media (WHIP, WHEP) have descriptions of
//! their own and stand in none here.

mod document;
mod input;
mod output;
mod pace;
mod problem;

use std::sync::{Arc, LazyLock};

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with, put_with};
use aide::openapi::OpenApi;
use axum::extract::State;
use axum::http::header;
use axum::middleware::map_response;
use axum::routing::get;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Serialize;

use super::{App, allow_origins, images, rooms};
use crate::chat;
use document::refuses;
pub(crate) use document::{link, refuses as refusals};
pub(crate) use input::{Body, Caller, Crew, Number, Numbered, Query, Room, hash_in_the_path};
pub(crate) use output::{Done, Picture, Said};
pub(crate) use pace::Paces;
pub(crate) use problem::{Code, Problem, failed};

/// All of it, with its description.
pub(super) fn routes() -> Router<Arc<App>> {
    let anybody = ApiRouter::new()
        .api_route(
            "/api/rooms/{room}",
            get_with(rooms::view, |op| {
                refuses(
                    op.id("room")
                        .summary("What viewers may know of a room")
                        .tag("rooms"),
                    &[404],
                )
            }),
        )
        .layer(map_response(allow_origins));
    let mut document = OpenApi::default();
    let router = ApiRouter::new()
        .merge(anybody)
        .api_route(
            "/api/health",
            get_with(health, |op| {
                refuses(
                    op.id("health")
                        .summary("Whether the server can serve")
                        .tag("server"),
                    &[503],
                )
            }),
        )
        .api_route(
            "/api/rooms/{room}/host",
            post_with(rooms::host, |op| {
                let op = op
                    .id("host")
                    .summary("The token of a room's host, for the publish key")
                    .tag("rooms");
                refuses(
                    op.security_requirement(document::KEY),
                    &[400, 401, 403, 404, 408, 413, 415, 422],
                )
            }),
        )
        .api_route(
            "/api/rooms/{room}/images",
            put_with(images::keep, |op| {
                let op = op
                    .id("keepImage")
                    .summary("Keeps a picture of a product")
                    .tag("products");
                refuses(
                    document::takes_pictures(op.security_requirement(document::TOKEN)),
                    &[401, 404, 408, 409, 413, 415, 503],
                )
            }),
        )
        .api_route(
            "/rooms/{room}/images/{hash}",
            get_with(images::show, |op| {
                refuses(
                    op.id("image").summary("A picture of a product").tag("products"),
                    &[404, 503],
                )
            }),
        )
        .merge(chat::rest_routes())
        .finish_api_with(&mut document, document::describe);
    // Written when it is first asked for: no start waits for it.
    let document = Arc::new(LazyLock::new(move || document::written(&document)));
    router.route(
        "/openapi.json",
        get(async move || ([(header::CONTENT_TYPE, "application/json")], document.to_string())),
    )
}

/// That the server serves.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// The version of the server.
    version: &'static str,
}

/// `GET /api/health`, for whoever watches over servers or hands requests to several: the database answers.
async fn health(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    let answer = app.chat.keeper.look().await;
    answer.map_err(|error| failed("health", &error))?;
    Ok(Json(Health {
        version: env!("CARGO_PKG_VERSION"),
    }))
}

//! Pictures of a room's products: the host puts them there, everybody sees them.

use std::sync::Arc;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use schemars::JsonSchema;
use serde::Serialize;

use super::App;
use super::api::{Code, Done, Picture, Problem, Room, failed, hash_in_the_path};
use super::session::read_body;
use crate::chat::{Hash, ImageKind, MOST_IMAGE_BYTES, MOST_IMAGES, Refused, is_host};
use crate::room::RoomId;

/// Whoever shows the token of the room's host.
pub(crate) struct HostOf(RoomId);

impl FromRequestParts<Arc<App>> for HostOf {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Room(room) = Room::from_request_parts(parts, app).await?;
        if is_host(&app.chat, &room, &parts.headers) {
            Ok(Self(room))
        } else {
            Err(Refused::Token.into())
        }
    }
}

impl OperationInput for HostOf {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Room::operation_input(ctx, operation);
    }
}

/// What a picture is called.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Kept {
    /// SHA-256 of its bytes, in 64 small hexadecimal digits.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    image: String,
}

/// `PUT /api/rooms/{room}/images` with the token of the room's host: a PNG, JPEG, WebP or AVIF of at most 1 MiB. The
/// answer names it: `{"image": HASH}`. What is in no list goes with the next list, ten minutes at the earliest.
pub(crate) async fn keep(
    State(app): State<Arc<App>>,
    // Before a byte of it is read.
    HostOf(room): HostOf,
    body: Body,
) -> Result<Done<Kept>, Problem> {
    let bytes = read_body(body, MOST_IMAGE_BYTES).await?;
    if ImageKind::of(&bytes).is_none() {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::MediaType,
            "A picture is PNG, JPEG, WebP or AVIF.",
        ));
    }
    match app.chat.keeper.put_image(&room, &bytes).await {
        Ok(Some(hash)) => Ok(Done(Kept {
            image: hash.to_string(),
        })),
        Ok(None) => Err(Problem::new(
            StatusCode::CONFLICT,
            Code::Full,
            format!(
                "The room has {MOST_IMAGES} pictures already. Set the list of products: pictures outside it go."
            ),
        )),
        Err(error) => Err(failed(room.as_str(), &error)),
    }
}

/// Which picture.
pub(crate) struct Named(Option<Hash>);

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, &()).await;
        Ok(Self(path.ok().and_then(|Path((_, hash))| hash.parse().ok())))
    }
}

impl OperationInput for Named {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        hash_in_the_path(ctx, operation);
    }
}

/// `GET /rooms/{room}/images/{hash}`: the name is the content's hash, so it may be kept for ever.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Room(room): Room,
    Named(hash): Named,
) -> Result<Picture, Problem> {
    let none = || Problem::unknown("No such picture.");
    let hash = hash.ok_or_else(none)?;
    let found = app.chat.keeper.image(&room, hash).await;
    let bytes = found
        .map_err(|error| failed(room.as_str(), &error))?
        .ok_or_else(none)?;
    let kind = ImageKind::of(&bytes).ok_or_else(none)?;
    Ok(Picture {
        media_type: kind.media_type(),
        bytes,
    })
}

//! What is answered when it is done.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Described, SchemaObject};
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

/// A JSON object that nobody on the way keeps.
pub(crate) struct Done<T>(pub T);

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], Json(self.0)).into_response()
    }
}

impl<T: JsonSchema> OperationOutput for Done<T> {
    type Inner = T;

    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        Json::<T>::operation_response(ctx, operation)
    }

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        Json::<T>::inferred_responses(ctx, operation)
    }
}

/// What became of a message: it is there for all (201), or waits for a moderator (202).
pub(crate) enum Said<T> {
    There { at: String, message: T },
    Waits(T),
}

impl<T: Serialize> IntoResponse for Said<T> {
    fn into_response(self) -> Response {
        match self {
            Self::There { at, message } => {
                (StatusCode::CREATED, [(header::LOCATION, at)], Done(message)).into_response()
            }
            Self::Waits(message) => (StatusCode::ACCEPTED, Done(message)).into_response(),
        }
    }
}

impl<T: JsonSchema> OperationOutput for Said<T> {
    type Inner = T;

    fn inferred_responses(ctx: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let described = Json::<T>::operation_response(ctx, operation).unwrap_or_default();
        let say = |description: &str| Described {
            description: description.to_owned(),
            ..described.clone()
        };
        vec![
            (
                Some(201),
                say("The message is there for all; `Location` says where."),
            ),
            (Some(202), say("The message waits for a moderator.")),
        ]
    }
}

/// A picture that may be kept for ever: its name is its content's hash.
pub(crate) struct Picture {
    pub media_type: &'static str,
    pub bytes: bytes::Bytes,
}

/// What pictures may be.
pub(super) const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/avif"];

impl IntoResponse for Picture {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.media_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Looked at by itself it is a picture, and can be nothing else.
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        ];
        (headers, self.bytes).into_response()
    }
}

impl OperationOutput for Picture {
    type Inner = Self;

    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        let content = PICTURES.map(|kind| (kind.to_owned(), binary()));
        let described = Described {
            description: "The picture.".to_owned(),
            content: content.into_iter().collect(),
            ..Described::default()
        };
        vec![(Some(200), described)]
    }
}

/// Bytes of a type that is none of OpenAPI's.
pub(super) fn binary() -> MediaType {
    MediaType {
        schema: Some(SchemaObject {
            json_schema: schemars::json_schema!({}),
            example: None,
            external_docs: None,
        }),
        ..MediaType::default()
    }
}

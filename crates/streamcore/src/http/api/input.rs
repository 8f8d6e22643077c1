//! What is read of a request, each thing parsed into what may be used, and described as it is read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Parameter, ReferenceOr};
use aide::operation::{ParamLocation, add_parameters, parameters_from_schema};
use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::TOKEN;
use super::pace::Asker;
use super::problem::{Code, Problem};
use crate::chat::{Member, Role, is_host, network};
use crate::http::answer::Refusal;
use crate::http::session::read_body;
use crate::http::{App, bearer};
use crate::room::RoomId;

/// Largest body: a message with room for JSON, a list of 500 words.
const MOST_BYTES: usize = 64 * 1024;
/// Largest body of a room's host: 200 products with all that they may have.
const MOST_BYTES_OF_A_HOST: usize = 1024 * 1024;
/// Numbers stay below 2^53.
pub(super) const MOST_NUMBER: u64 = (1 << 53) - 1;

/// A number of a message, an entry or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct Number(pub u64);

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0, "maximum": MOST_NUMBER})
    }
}

impl TryFrom<u64> for Number {
    type Error = &'static str;

    fn try_from(value: u64) -> Result<Self, Self::Error> {
        (value <= MOST_NUMBER)
            .then_some(Self(value))
            .ok_or("a number stays below 2^53")
    }
}

/// The room of the path.
pub(crate) struct Room(pub RoomId);

/// The number of a message in the path.
pub(crate) struct Numbered(pub u64);

/// A member of the room of the path who shows a token that holds.
pub(crate) struct Caller {
    pub room: RoomId,
    pub member: Member,
}

/// A caller who is host or moderator.
pub(crate) struct Crew(pub Caller);

/// The query, with what was not asked for left out.
pub(crate) struct Query<T>(pub T);

/// The body, JSON.
pub(crate) struct Body<T>(pub T);

impl FromRequestParts<Arc<App>> for Room {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        named(parts, "room")
            .await
            .map(Self)
            .ok_or_else(|| Refusal::no_such_room().into())
    }
}

impl OperationInput for Room {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = json_schema!({
            "type": "object",
            "required": ["room"],
            "properties": {"room": {
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]{1,64}$",
                "description": "Which room, as it stands in the addresses of its pages."
            }}
        });
        describe(ctx, operation, schema, ParamLocation::Path);
    }
}

impl FromRequestParts<Arc<App>> for Numbered {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let number = named(parts, "seq").await.filter(|number| *number <= MOST_NUMBER);
        number
            .map(Self)
            .ok_or_else(|| Problem::unknown("A message's number is a whole number below 2^53."))
    }
}

impl OperationInput for Numbered {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = json_schema!({
            "type": "object",
            "required": ["seq"],
            "properties": {"seq": {
                "type": "integer",
                "minimum": 0,
                "maximum": MOST_NUMBER,
                "description": "The message's number in its room."
            }}
        });
        describe(ctx, operation, schema, ParamLocation::Path);
    }
}

/// Describes the part of a path that names a picture.
pub(crate) fn hash_in_the_path(ctx: &mut GenContext, operation: &mut Operation) {
    let schema = json_schema!({
        "type": "object",
        "required": ["hash"],
        "properties": {"hash": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "What the picture is called."
        }}
    });
    describe(ctx, operation, schema, ParamLocation::Path);
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Room(room) = Room::from_request_parts(parts, app).await?;
        let from = ConnectInfo::<SocketAddr>::from_request_parts(parts, app).await;
        let ConnectInfo(from) = from.map_err(Problem::unreadable)?;
        let address = app.viewer_address(from, &parts.headers);
        let token = parts.headers.get(header::AUTHORIZATION).and_then(bearer);
        let member = match token {
            Some(token) => Member::known(&app.chat, &room, token, address).await,
            None => Err(crate::chat::Refused::Token),
        };
        let asker = match &member {
            Ok(member) if member.counts_as_itself() => Asker::Member(room.clone(), member.id().to_owned()),
            _ => Asker::Address(network(address)),
        };
        app.paces.take(asker, Instant::now()).map_err(|wait| {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, Code::TooFast, "Too many requests.")
                .retry_after_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1))
        })?;
        Ok(Self {
            room,
            member: member?,
        })
    }
}

impl OperationInput for Caller {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Room::operation_input(ctx, operation);
        operation
            .security
            .push([(TOKEN.to_owned(), Vec::new())].into_iter().collect());
    }
}

impl FromRequestParts<Arc<App>> for Crew {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.member.role() < Role::Moderator {
            return Err(crate::chat::Refused::NotAllowed.into());
        }
        Ok(Self(caller))
    }
}

impl OperationInput for Crew {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Caller::operation_input(ctx, operation);
    }
}

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, app).await;
        query.map(|query| Self(query.0)).map_err(Problem::unreadable)
    }
}

impl<T: JsonSchema> OperationInput for Query<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<T>();
        describe(ctx, operation, schema, ParamLocation::Query);
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::MediaType,
                "The Content-Type must be application/json.",
            ));
        }
        // Strangers could fill the memory with the beginnings of large bodies.
        let room: Option<RoomId> = named(&mut parts, "room").await;
        let hosts = room.is_some_and(|room| is_host(&app.chat, &room, &parts.headers));
        let most = if hosts { MOST_BYTES_OF_A_HOST } else { MOST_BYTES };
        let bytes = read_body(body, most).await?;
        let mut value: Value = serde_json::from_slice(&bytes).map_err(Problem::unreadable)?;
        whole_numbers(&mut value);
        serde_json::from_value(value)
            .map(Self)
            .map_err(Problem::unreadable)
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

/// Makes 3.0 a 3: for JSON Schema (2020-12, 4.2.3), and for languages that have one kind of number, it is a whole one.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|_| number.is_f64());
            if let Some(whole) = whole.filter(|f| f.fract() == 0.0 && (0.0..=MOST_NUMBER as f64).contains(f))
            {
                *value = (whole as u64).into();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

/// A part of the path, if it can be read.
async fn named<T: FromStr>(parts: &mut Parts, name: &str) -> Option<T> {
    let path = Path::<HashMap<String, String>>::from_request_parts(parts, &()).await;
    path.ok()?.get(name)?.parse().ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let found = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = found.unwrap_or("").split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn describe(ctx: &mut GenContext, operation: &mut Operation, schema: Schema, place: ParamLocation) {
    let parameters: Vec<Parameter> = parameters_from_schema(ctx, schema, place);
    add_parameters(ctx, operation, parameters);
    debug_assert!(
        operation
            .parameters
            .iter()
            .all(|one| matches!(one, ReferenceOr::Item(_))),
        "described in place"
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        let mut value = json!({"a": [3.0, -0.5, 3.5, 1e300, "3.0", -2.0], "b": {"c": 0.0}});
        whole_numbers(&mut value);
        assert_eq!(
            value,
            json!({"a": [3, -0.5, 3.5, 1e300, "3.0", -2.0], "b": {"c": 0}})
        );
    }

    #[test]
    fn a_body_of_json_says_so() {
        let is = |text: &'static str| {
            is_json(
                &[(header::CONTENT_TYPE, text.parse().expect("a value"))]
                    .into_iter()
                    .collect(),
            )
        };
        assert!(is("application/json") && is("Application/JSON; charset=utf-8"));
        assert!(!is("text/plain") && !is("application/jsonp") && !is(""));
    }
}

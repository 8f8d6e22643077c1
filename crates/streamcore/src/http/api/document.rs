//! The description as a whole: what it says of itself, what operations share, and how it is written.

use aide::generate::GenContext;
use aide::openapi::{
    Link, LinkOperation, MediaType, OpenApi, ReferenceOr, RequestBody, Response, SchemaObject,
    SecurityScheme, StatusCode,
};
use aide::transform::{TransformOpenApi, TransformOperation};
use serde_json::Value;

use super::input::MOST_NUMBER;
use super::output::{PICTURES, binary};
use super::problem::Problem;

/// How a room's tokens are called in the description, and the publish key.
pub(super) const TOKEN: &str = "token";
pub(super) const KEY: &str = "publish_key";

const ABOUT: &str = "\
What a host's own backend, a bot or an app asks of rooms. A token is a member of one room: of the host it comes from \
`POST /api/rooms/{room}/host`, of a moderator from the act `invite`, of viewers from the room's sockets (`/chat/{room}`, a \
WebSocket, or `/socket.io/`), of people of the host's own site from that site. Who is refused is told why by a `code`; what \
is refused has changed nothing. Every caller has ten requests a second, twenty at once, unless the server was told otherwise. \
Times are milliseconds since 1970 UTC.";

/// What it says of itself.
pub(super) fn describe(api: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    let bearer = |description: &str| SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: None,
        description: Some(description.to_owned()),
        extensions: Default::default(),
    };
    api.title("StreamCore rooms")
        .version(env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .security_scheme(
            TOKEN,
            bearer("The token of a member of the room, in the role that it has."),
        )
        .security_scheme(
            KEY,
            bearer("The key with which shows are published to this server."),
        )
}

/// That an operation may be refused with these statuses.
pub(crate) fn refuses<'t>(mut operation: TransformOperation<'t>, statuses: &[u16]) -> TransformOperation<'t> {
    let schema = aide::generate::in_context(|ctx: &mut GenContext| ctx.schema.subschema_for::<Problem>());
    let responses = operation.inner_mut().responses.get_or_insert_default();
    for &status in statuses {
        let media = MediaType {
            schema: Some(SchemaObject {
                json_schema: schema.clone(),
                example: None,
                external_docs: None,
            }),
            ..MediaType::default()
        };
        let response = Response {
            description: meaning(status).to_owned(),
            content: [("application/problem+json".to_owned(), media)]
                .into_iter()
                .collect(),
            ..Response::default()
        };
        responses
            .responses
            .insert(StatusCode::Code(status), ReferenceOr::Item(response));
    }
    operation
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "It cannot be read.",
        401 => "No token or key, or none that holds here.",
        403 => "Not in this role, or not now.",
        404 => "There is no such thing.",
        408 => "The body did not come in time.",
        409 => "It cannot be done as things are.",
        413 => "The body has too many bytes.",
        415 => "The body is of another type.",
        422 => "It can be read, and is out of range or against the room's rules.",
        429 => "Too fast; `retry_after_ms` says when to come again.",
        _ => "The server cannot do it now.",
    }
}

/// That what an answer says (`value`, a runtime expression of OpenAPI) is what another operation takes as `parameter`.
pub(crate) fn link<'t>(
    mut operation: TransformOperation<'t>,
    status: u16,
    to: &str,
    (parameter, value): (&str, &str),
) -> TransformOperation<'t> {
    let responses = operation.inner_mut().responses.get_or_insert_default();
    if let Some(ReferenceOr::Item(response)) = responses.responses.get_mut(&StatusCode::Code(status)) {
        let parameters = [("room", "$request.path.room"), (parameter, value)];
        let link = Link {
            description: None,
            operation: LinkOperation::OperationId(to.to_owned()),
            request_body: None,
            parameters: parameters
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect(),
            server: None,
            extensions: Default::default(),
        };
        response.links.insert(to.to_owned(), ReferenceOr::Item(link));
    }
    operation
}

/// That an operation's body is a picture.
pub(super) fn takes_pictures(mut operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation.inner_mut().request_body = Some(ReferenceOr::Item(RequestBody {
        description: Some("A picture of at most 1 MiB; its first bytes say what it is.".to_owned()),
        content: PICTURES
            .iter()
            .map(|kind| ((*kind).to_owned(), binary()))
            .collect(),
        required: true,
        extensions: Default::default(),
    }));
    operation
}

/// As text. Whole numbers are given the bounds that their types have, which the description's formats do not say by
/// themselves to those who do not know them; what is said of a type loses the links into its source.
pub(super) fn written(api: &OpenApi) -> String {
    let mut document = serde_json::to_value(api).unwrap_or_default();
    bound(&mut document);
    document.to_string()
}

fn bound(value: &mut Value) {
    match value {
        Value::Object(map) => {
            let most = match map.get("format").and_then(Value::as_str) {
                Some("uint32") => Some(u64::from(u32::MAX)),
                Some("uint64") => Some(MOST_NUMBER),
                _ => None,
            };
            if let Some(most) = most {
                map.entry("maximum").or_insert(most.into());
            }
            if let Some(Value::String(said)) = map.get_mut("description") {
                *said = without_links(said);
            }
            map.values_mut().for_each(bound);
        }
        Value::Array(list) => list.iter_mut().for_each(bound),
        _ => {}
    }
}

/// The words of Markdown links, without where they lead, and on as few lines as there are paragraphs.
fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(middle) = rest.find("](") {
        let Some(open) = rest[..middle].rfind('[') else {
            break;
        };
        let Some(close) = rest[middle..].find(')') else {
            break;
        };
        out.push_str(&rest[..open]);
        out.push_str(&rest[open + 1..middle]);
        rest = &rest[middle + close + 1..];
    }
    out.push_str(rest);
    let paragraphs = out
        .split("\n\n")
        .map(|one| one.split_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_of_a_type_leads_nowhere() {
        let said = "Answered with [`Done`](super::Done), [or](not) so.\n It goes [on.\n\nAnd (on).";
        assert_eq!(
            without_links(said),
            "Answered with `Done`, or so. It goes [on.\n\nAnd (on)."
        );
    }

    #[test]
    fn numbers_have_the_bounds_of_their_types() {
        let mut value = json!({"a": {"format": "uint64"}, "b": [{"format": "uint32", "maximum": 7}, {"format": "uint8"}]});
        bound(&mut value);
        assert_eq!(value["a"]["maximum"], MOST_NUMBER);
        assert_eq!(
            value["b"],
            json!([{"format": "uint32", "maximum": 7}, {"format": "uint8"}])
        );
    }
}

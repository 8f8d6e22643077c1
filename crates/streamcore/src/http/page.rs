//! The viewer page, the moderators' page and their files, built from `ui/` and embedded in the binary.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::answer::Refusal;
use crate::room::RoomId;

/// What Vite made of `ui/watch.html`, `ui/moderate.html` and their sources. The desk is the engine's.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[include = "watch.html"]
#[include = "moderate.html"]
#[include = "assets/watch*"]
#[include = "assets/moderate*"]
#[include = "assets/shared*"]
#[allow_missing = true]
struct Files;

/// Nothing from elsewhere, nothing inline: what a room's title says can never become markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'";

/// `GET /watch/{room}`: the same page for every room, also for one that has not begun.
pub(crate) async fn watch(Path(room): Path<String>) -> Result<Response, Refusal> {
    page(&room, "watch.html")
}

/// `GET /moderate/{room}`: the same page for everybody. Who may moderate is said by the token in the address's
/// fragment, which browsers do not send; it goes to the chat alone.
pub(crate) async fn moderate(Path(room): Path<String>) -> Result<Response, Refusal> {
    page(&room, "moderate.html")
}

fn page(room: &str, name: &str) -> Result<Response, Refusal> {
    room.parse::<RoomId>().map_err(|_| Refusal::no_such_room())?;
    let file = Files::get(name).ok_or_else(|| {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This build has no pages: run `npm run build` in ui/ before building streamcore.",
        )
    })?;
    let mut response = serve(name, file.data.into_owned(), "no-cache");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// `GET /assets/{path}`: names carry a hash of the content, so they may be kept for ever.
pub(crate) async fn asset(Path(path): Path<String>) -> Result<Response, Refusal> {
    let file = Files::get(&format!("assets/{path}"))
        .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "No such file."))?;
    Ok(serve(
        &path,
        file.data.into_owned(),
        "public, max-age=31536000, immutable",
    ))
}

fn serve(path: &str, data: Vec<u8>, cache: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, media_type(path)),
            (header::CACHE_CONTROL, cache),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        data,
    )
        .into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_embedded_with_everything_they_name() {
        for name in ["watch.html", "moderate.html"] {
            everything_is_there(name);
        }
    }

    fn everything_is_there(name: &str) {
        let page = Files::get(name).expect("`npm run build` in ui/ comes before the tests");
        let page = String::from_utf8_lossy(&page.data).into_owned();
        let named: Vec<&str> = page
            .split('"')
            .filter_map(|text| text.strip_prefix('/'))
            .filter(|text| text.starts_with("assets/"))
            .collect();
        assert!(named.len() >= 2, "a script and a style sheet: {named:?}");
        for file in named {
            assert!(
                Files::get(file).is_some(),
                "{file} is named by the page and not embedded"
            );
        }
        assert!(
            !page.contains("<style") && !page.contains(" style="),
            "the policy forbids inline styles"
        );
    }

    #[test]
    fn the_desk_is_not_embedded() {
        assert!(Files::iter().all(|file| !file.contains("desk") && file != "index.html"));
    }
}

//! The desk's files, built into the engine.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

#[derive(rust_embed::RustEmbed)]
#[folder = "../../ui/dist"]
struct Files;

/// Scripts and styles come from here alone; pictures arrive as blobs over the WebSocket.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; \
    img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves a file of the desk; `/` is the desk itself.
pub async fn serve(uri: Uri) -> Response {
    match uri.path().trim_start_matches('/') {
        "" => file("index.html").await,
        path => file(path).await,
    }
}

/// Serves the file of this name.
pub async fn file(path: &str) -> Response {
    match Files::get(path) {
        Some(file) => {
            // Vite puts a hash of the content into every name under assets/.
            let cache = if path.starts_with("assets/") {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            };
            let headers = [
                (header::CONTENT_TYPE, file.metadata.mimetype().to_owned()),
                (header::CACHE_CONTROL, cache.to_owned()),
                (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
                (header::REFERRER_POLICY, "no-referrer".to_owned()),
            ];
            (headers, file.data).into_response()
        }
        None if path == "index.html" => (
            StatusCode::SERVICE_UNAVAILABLE,
            "This engine was built without its desk. Build both with: cargo xtask run\n",
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

//! Which pages may speak to the engine.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Origins of the desktop window, by system (Tauri's own scheme and its form on Windows).
const WINDOW_ORIGINS: [&str; 3] = [
    "tauri://localhost",
    "http://tauri.localhost",
    "https://tauri.localhost",
];

/// Whether a request was addressed to this machine by name or number, and comes from a page of ours or from no
/// page at all.
pub fn trusted(headers: &HeaderMap, port: u16) -> bool {
    let Some(host) = headers.get(HOST).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    if !loopback(host, port) {
        return false;
    }
    match headers.get(ORIGIN).map(|value| value.to_str()) {
        None => true,
        Some(Err(_)) => false,
        Some(Ok(origin)) => {
            WINDOW_ORIGINS.contains(&origin)
                || origin
                    .strip_prefix("http://")
                    .is_some_and(|authority| loopback(authority, port))
        }
    }
}

fn loopback(authority: &str, port: u16) -> bool {
    let (host, named_port) = match authority.rsplit_once(':') {
        Some((host, digits)) if !digits.ends_with(']') => (host, digits.parse().ok()),
        _ => (authority, Some(80)),
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]") && named_port == Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_pages_come_through() {
        for (host, origin) in [
            ("127.0.0.1:4000", None),
            ("localhost:4000", Some("http://localhost:4000")),
            ("127.0.0.1:4000", Some("tauri://localhost")),
            ("[::1]:4000", Some("http://[::1]:4000")),
        ] {
            assert!(trusted(&headers(host, origin), 4000), "{host} {origin:?} is ours");
        }
        for (host, origin) in [
            ("evil.example:4000", None),
            ("127.0.0.1.evil.example:4000", None),
            ("127.0.0.1:4001", None),
            ("127.0.0.1:4000", Some("https://evil.example")),
            ("127.0.0.1:4000", Some("http://localhost:3000")),
            ("127.0.0.1:4000", Some("null")),
            ("127.0.0.1:4000", Some("http://127.0.0.1:4000@evil.example")),
        ] {
            assert!(
                !trusted(&headers(host, origin), 4000),
                "{host} {origin:?} is foreign"
            );
        }
    }
}

//! Pictures of products, from wherever a shop has them.

use std::time::Duration;

use reqwest::{Client, Url};

/// Most bytes of one picture.
const MOST: usize = 4 * 1024 * 1024;
const WITHIN: Duration = Duration::from_secs(15);
/// Steps to another address; shops keep their pictures with others.
const STEPS: usize = 4;

/// A picture as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// By its first bytes, whatever the server says.
    pub mime: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Why there is no picture. Reads after "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Not `https://` (or `http://` on this machine).
    #[error("fetch a picture: the address is not one of the web")]
    Address,
    /// The server did not give it.
    #[error("fetch a picture")]
    Fetch(#[source] reqwest::Error),
    /// It answered with something else than a picture.
    #[error("fetch a picture: what came is none")]
    NoPicture,
    /// It is too large.
    #[error("fetch a picture: it is larger than 4 MB")]
    TooLarge,
}

/// Fetches pictures. It sends no keys, no cookies and no address of ours.
#[derive(Debug, Clone)]
pub struct Pictures {
    http: Client,
}

impl Pictures {
    /// Takes the system's certificates.
    ///
    /// # Errors
    /// [`PictureError::Fetch`] when TLS cannot be had.
    pub fn new() -> Result<Self, PictureError> {
        let steps = reqwest::redirect::Policy::custom(|attempt| {
            if attempt.previous().len() > STEPS || !allowed(attempt.url()) {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let http = Client::builder()
            .timeout(WITHIN)
            .redirect(steps)
            .referer(false)
            .build()
            .map_err(PictureError::Fetch)?;
        Ok(Self { http })
    }

    /// One picture.
    ///
    /// # Errors
    /// [`PictureError`].
    pub async fn fetch(&self, address: &str) -> Result<Fetched, PictureError> {
        let address = Url::parse(address)
            .ok()
            .filter(allowed)
            .ok_or(PictureError::Address)?;
        let failed = |error: reqwest::Error| PictureError::Fetch(error.without_url());
        let answer = self.http.get(address).send().await.map_err(failed)?;
        let mut answer = answer.error_for_status().map_err(failed)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > MOST {
                return Err(PictureError::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        let mime = mime(&bytes).ok_or(PictureError::NoPicture)?;
        Ok(Fetched { mime, bytes })
    }
}

fn allowed(url: &Url) -> bool {
    let loopback = || matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && loopback())
}

/// What a file is, by its first bytes. No SVG: that is a program.
fn mime(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'a',
            b'v',
            b'i',
            b'f' | b's',
            ..,
        ] => Some("image/avif"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_no_picture() {
        assert_eq!(mime(b"<svg onload=alert(1)>"), None);
        assert_eq!(mime(b"<html>"), None);
        assert_eq!(mime(b""), None);
        assert_eq!(mime(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(mime(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
    }

    #[test]
    fn pictures_come_over_tls() {
        let ok = |text: &str| allowed(&Url::parse(text).unwrap());
        assert!(ok("https://cdn.example/a.png") && ok("http://127.0.0.1:80/a.png"));
        assert!(!ok("http://cdn.example/a.png") && !ok("file:///etc/passwd"));
    }
}

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

/// The longest side of a picture as viewers get it, in pixels: twice what the page shows.
const SIDE: u32 = 640;
/// A file up to this size is handed on as it is.
const SMALL: usize = 150 * 1024;
/// Memory that the unpacked picture may take: what 4 MB can unpack to has no bound of its own.
const MOST_UNPACKED: u64 = 128 * 1024 * 1024;

/// A picture small enough for phones: as it is, or smaller and packed anew. `None` when it cannot be read; WebP and AVIF
/// are handed on as they are, up to what a room takes.
pub fn for_viewers(bytes: Vec<u8>) -> Option<Vec<u8>> {
    if bytes.len() <= SMALL {
        return Some(bytes);
    }
    if matches!(mime(&bytes)?, "image/webp" | "image/avif") {
        return (bytes.len() <= crate::room::MOST_PICTURE_BYTES).then_some(bytes);
    }
    let mut reader = image::ImageReader::new(std::io::Cursor::new(&bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MOST_UNPACKED);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let small = if picture.width().max(picture.height()) > SIDE {
        picture.resize(SIDE, SIDE, image::imageops::FilterType::Triangle)
    } else {
        picture
    };
    let mut packed = std::io::Cursor::new(Vec::new());
    if small.color().has_alpha() {
        small.write_to(&mut packed, image::ImageFormat::Png).ok()?;
    } else {
        let rgb = image::DynamicImage::ImageRgb8(small.into_rgb8());
        rgb.write_to(&mut packed, image::ImageFormat::Jpeg).ok()?;
    }
    Some(packed.into_inner())
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
    fn a_large_picture_gets_small_and_a_small_one_stays() {
        let noise = |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) as u8;
        let photo = image::RgbImage::from_fn(1600, 900, |x, y| image::Rgb([noise(x, y), noise(y, x), 90]));
        let mut file = std::io::Cursor::new(Vec::new());
        photo.write_to(&mut file, image::ImageFormat::Png).unwrap();
        let small = for_viewers(file.into_inner()).unwrap();
        assert_eq!(mime(&small), Some("image/jpeg"));
        assert!(small.len() <= crate::room::MOST_PICTURE_BYTES, "{}", small.len());
        let seen = image::load_from_memory(&small).unwrap();
        assert_eq!((seen.width(), seen.height()), (640, 360));
        assert_eq!(for_viewers(vec![1, 2, 3]), Some(vec![1, 2, 3]));
        let mut broken = b"\x89PNG\r\n\x1a\n".to_vec();
        broken.resize(SMALL + 1, 7);
        assert_eq!(for_viewers(broken), None);
    }

    #[test]
    fn pictures_come_over_tls() {
        let ok = |text: &str| allowed(&Url::parse(text).unwrap());
        assert!(ok("https://cdn.example/a.png") && ok("http://127.0.0.1:80/a.png"));
        assert!(!ok("http://cdn.example/a.png") && !ok("file:///etc/passwd"));
    }
}

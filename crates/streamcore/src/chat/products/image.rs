//! Pictures of products: told by their first bytes, known by their hash.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use bytes::Bytes;

use crate::room::RoomId;

/// What browsers show as a picture and never as a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    Png,
    Jpeg,
    WebP,
    Avif,
}

impl ImageKind {
    /// What the bytes are; `None` for anything else, whatever its sender calls it.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
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
            ] => Some(Self::Avif),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
        }
    }
}

/// SHA-256 of a picture, written in 64 small hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(hash)
    }
}

/// The text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoHash;

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NoHash);
        }
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(hash))
    }
}

/// Capital letters would be a second name for the same picture.
fn digit(letter: u8) -> Result<u8, NoHash> {
    match letter {
        b'0'..=b'9' => Ok(letter - b'0'),
        b'a'..=b'f' => Ok(letter - b'a' + 10),
        _ => Err(NoHash),
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Bytes of pictures that are at hand.
const MOST_AT_HAND: usize = 16 * 1024 * 1024;

/// Pictures that were asked for lately. What is featured is asked for by every viewer in the same second, and the
/// database has one connection, which the chat needs.
#[derive(Debug, Default)]
pub struct AtHand {
    /// The latest last.
    pictures: VecDeque<(RoomId, Hash, Bytes)>,
    bytes: usize,
}

impl AtHand {
    pub fn find(&mut self, room: &RoomId, hash: Hash) -> Option<Bytes> {
        let at = self
            .pictures
            .iter()
            .position(|(of, name, _)| of == room && *name == hash)?;
        let found = self.pictures.remove(at)?;
        let bytes = found.2.clone();
        self.pictures.push_back(found);
        Some(bytes)
    }

    pub fn put(&mut self, room: &RoomId, hash: Hash, bytes: Bytes) {
        self.bytes += bytes.len();
        self.pictures.push_back((room.clone(), hash, bytes));
        while self.bytes > MOST_AT_HAND
            && let Some((_, _, oldest)) = self.pictures.pop_front()
        {
            self.bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_first_bytes_alone() {
        assert_eq!(ImageKind::of(b"\x89PNG\r\n\x1a\n...."), Some(ImageKind::Png));
        assert_eq!(ImageKind::of(b"\xff\xd8\xff\xe0"), Some(ImageKind::Jpeg));
        assert_eq!(ImageKind::of(b"RIFF\x10\0\0\0WEBPVP8 "), Some(ImageKind::WebP));
        assert_eq!(ImageKind::of(b"\0\0\0\x1cftypavif\0\0"), Some(ImageKind::Avif));
        for none in [
            &b"<svg onload=alert(1)>"[..],
            b"GIF89a",
            b"",
            b"\x89PNG",
            b"RIFF....WAVE",
        ] {
            assert_eq!(ImageKind::of(none), None, "{none:?}");
        }
    }

    #[test]
    fn the_pictures_that_were_asked_for_last_are_at_hand() {
        let room: RoomId = "a".parse().expect("a room's name");
        let other: RoomId = "b".parse().expect("a room's name");
        let picture = |n: u8| Bytes::from(vec![n; 1024 * 1024]);
        let mut at_hand = AtHand::default();
        for n in 0..16 {
            at_hand.put(&room, Hash::of(&[n]), picture(n));
        }
        assert!(at_hand.find(&room, Hash::of(&[0])).is_some());
        at_hand.put(&room, Hash::of(&[16]), picture(16));
        assert!(at_hand.find(&room, Hash::of(&[0])).is_some(), "asked for lately");
        assert!(at_hand.find(&room, Hash::of(&[1])).is_none(), "the oldest goes");
        assert!(at_hand.find(&other, Hash::of(&[0])).is_none(), "another room's");
    }

    #[test]
    fn a_hash_has_one_name() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Hash::of(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(Hash::of(b"")));
        assert_eq!(empty.to_uppercase().parse::<Hash>(), Err(NoHash));
        assert_eq!("é".repeat(32).parse::<Hash>(), Err(NoHash));
        assert_eq!("".parse::<Hash>(), Err(NoHash));
    }
}

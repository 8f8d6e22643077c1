//! Pictures on the control WebSocket: binary messages, a short header and a JPEG.
//!
//! `[kind: u8][length of id: u8][id: UTF-8][JPEG]`. Only the latest of each kind and id is ever queued.

use ts_rs::TS;

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, TS)]
#[ts(export, repr(enum))]
#[repr(u8)]
pub enum PictureKind {
    /// What is on air.
    Program = 1,
    /// What comes next (studio mode).
    Preview = 2,
    /// A source's small picture; the id is the source's.
    Source = 3,
    /// A device that is being tried in the first-run steps; the id is the device's.
    Device = 4,
}

/// Head of a binary message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureHeader {
    /// Which picture.
    pub kind: PictureKind,
    /// Whose; empty for program and preview.
    pub id: String,
}

impl PictureHeader {
    /// Header and JPEG as one message; an id over 255 bytes is cut, and so finds nobody.
    pub fn message(&self, jpeg: &[u8]) -> Vec<u8> {
        let id = &self.id.as_bytes()[..self.id.len().min(255)];
        let mut message = Vec::with_capacity(2 + id.len() + jpeg.len());
        message.push(self.kind as u8);
        message.push(id.len() as u8);
        message.extend_from_slice(id);
        message.extend_from_slice(jpeg);
        message
    }

    /// Takes a message apart; `None` when it is none.
    pub fn parse(message: &[u8]) -> Option<(Self, &[u8])> {
        let (&kind, rest) = message.split_first()?;
        let (&length, rest) = rest.split_first()?;
        let kind = match kind {
            1 => PictureKind::Program,
            2 => PictureKind::Preview,
            3 => PictureKind::Source,
            4 => PictureKind::Device,
            _ => return None,
        };
        let (id, jpeg) = rest.split_at_checked(usize::from(length))?;
        Some((
            Self {
                kind,
                id: std::str::from_utf8(id).ok()?.to_owned(),
            },
            jpeg,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_apart_as_they_were_put_together() {
        let header = PictureHeader {
            kind: PictureKind::Source,
            id: "cam".into(),
        };
        let message = header.message(b"jpeg");
        assert_eq!(PictureHeader::parse(&message), Some((header, &b"jpeg"[..])));
        for cut in 0..5 {
            assert_eq!(PictureHeader::parse(&message[..cut]), None, "cut at {cut}");
        }
        assert_eq!(PictureHeader::parse(&[9, 0, 1]), None, "unknown kind");
    }
}

//! Reading and writing of ISO base media file format boxes (ISO/IEC 14496-12), as far as a recording needs them.

/// Four characters that name a box.
pub(super) type Kind = [u8; 4];

/// Big-endian numbers from a box's bytes. `None` once they are used up.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// Version and flags of a full box.
    pub fn version(&mut self) -> Option<(u8, u32)> {
        let word = self.u32()?;
        Some(((word >> 24) as u8, word & 0x00ff_ffff))
    }

    /// 64 bits in version 1 of a box, 32 in version 0.
    pub fn sized(&mut self, version: u8) -> Option<u64> {
        if version == 1 {
            self.u64()
        } else {
            self.u32().map(u64::from)
        }
    }
}

/// The boxes that `bytes` consists of, each without its header. Ends at the first that is cut short.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = (Kind, &[u8])> {
    let mut rest = Cursor(bytes);
    std::iter::from_fn(move || {
        let mut look = rest;
        let size = look.u32()? as usize;
        let kind: Kind = look.take(4)?.try_into().ok()?;
        let body = look.take(size.checked_sub(8)?)?;
        rest = look;
        Some((kind, body))
    })
}

/// The first child of that kind.
pub(super) fn child<'a>(bytes: &'a [u8], kind: &Kind) -> Option<&'a [u8]> {
    children(bytes).find(|(k, _)| k == kind).map(|(_, body)| body)
}

/// Appends a box; `write` appends its content.
pub(super) fn write_box(out: &mut Vec<u8>, kind: &Kind, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    out.extend(kind);
    write(out);
    // A box of 4 GB would be an index of 200 days.
    let size = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
}

/// Appends a full box.
pub(super) fn write_full_box(
    out: &mut Vec<u8>,
    kind: &Kind,
    version: u8,
    flags: u32,
    write: impl FnOnce(&mut Vec<u8>),
) {
    write_box(out, kind, |out| {
        out.extend(((u32::from(version) << 24) | flags).to_be_bytes());
        write(out);
    });
}

pub(super) fn put32(out: &mut Vec<u8>, value: usize) {
    out.extend(u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes());
}

//! Makes a fragmented recording a plain, seekable MP4, in place and without touching its media.
//!
//! While it runs, the file is `ftyp`, 16 free bytes, a `moov` that announces fragments, then `moof` and `mdat` in
//! turns. To finish it, a `moov` with the index of all samples is appended, and last of all the 16 free bytes become
//! the header of one big `mdat` that spans everything between. Whatever happens before that last write leaves the
//! fragmented file as it was; so a kill loses nothing, and no second copy needs room on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::boxes::{Kind, child, children, put32, write_box, write_full_box};
use super::track::{MOVIE_TIMESCALE, Track, tracks};

/// Largest `moov` or `moof` that is read: those of a recording are a few kilobytes.
const LARGEST_HEADER: u64 = 16 * 1024 * 1024;
/// What the reserve becomes: size 1, `mdat`, and the real size in 64 bits.
const RESERVE_BYTES: u64 = 16;

/// Why a recording could not be made plain. It stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The file system says no.
    #[error("read or write the recording")]
    Io(#[from] io::Error),
    /// Not a recording of the studio, or damaged.
    #[error("find fragments in the recording")]
    Foreign,
    /// It has fragments, but no room for the header of its media.
    #[error("find the reserve in the recording")]
    NoReserve,
}

/// Makes the recording at `path` plain. One that is plain already stays as it is. What a kill cut short at its end is
/// cut off.
///
/// # Errors
/// [`FinishError`]; the file then still is what it was: fragmented, and readable.
pub fn finish_file(path: &Path) -> Result<(), FinishError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let Some(found) = scan(&mut file)? else {
        return Ok(());
    };
    let mut index = Vec::new();
    write_moov(&mut index, &found.tracks);
    file.set_len(found.end)?;
    file.seek(SeekFrom::Start(found.end))?;
    if let Err(error) = file.write_all(&index) {
        // No room for the index: half of one would only confuse players.
        file.set_len(found.end)?;
        return Err(error.into());
    }
    // The index must be on the disk before the header that hides the fragments.
    file.sync_data()?;
    let size = found.end - found.reserve;
    let mut header = Vec::with_capacity(16);
    put32(&mut header, 1);
    header.extend(b"mdat");
    header.extend(size.to_be_bytes());
    file.seek(SeekFrom::Start(found.reserve))?;
    file.write_all(&header)?;
    file.sync_data()?;
    Ok(())
}

struct Found {
    tracks: Vec<Track>,
    /// Offset of the reserve.
    reserve: u64,
    /// End of the last whole fragment.
    end: u64,
}

struct Header {
    kind: Kind,
    body: u64,
    size: u64,
}

/// Header of the box at `at`; `None` at the end, or when the box is cut short.
fn header(file: &mut File, at: u64, length: u64) -> io::Result<Option<Header>> {
    if at + 8 > length {
        return Ok(None);
    }
    let mut bytes = [0; 16];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes[..8])?;
    let kind = [bytes[4], bytes[5], bytes[6], bytes[7]];
    let short = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let (size, header) = match short {
        0 => (length - at, 8),
        1 if at + 16 <= length => {
            file.read_exact(&mut bytes[8..])?;
            let mut large = [0; 8];
            large.copy_from_slice(&bytes[8..]);
            (u64::from_be_bytes(large), 16)
        }
        size => (u64::from(size), 8),
    };
    let whole = size >= header && size <= length - at;
    Ok(whole.then_some(Header {
        kind,
        body: at + header,
        size,
    }))
}

fn body(file: &mut File, at: u64, header: &Header) -> Result<Vec<u8>, FinishError> {
    let length = header.size - (header.body - at);
    if length > LARGEST_HEADER {
        return Err(FinishError::Foreign);
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| FinishError::Foreign)?];
    file.seek(SeekFrom::Start(header.body))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads all headers. `Ok(None)` for a file that is plain already.
fn scan(file: &mut File) -> Result<Option<Found>, FinishError> {
    let length = file.metadata()?.len();
    let mut at = 0;
    let mut reserve = None;
    let mut found: Option<Found> = None;
    let mut moof: Option<(u64, Vec<u8>)> = None;
    while let Some(head) = header(file, at, length)? {
        match &head.kind {
            b"free" if head.size == RESERVE_BYTES && found.is_none() => reserve = Some(at),
            b"mdat" if found.is_none() => return Ok(None),
            b"moov" if found.is_none() => {
                let moov = body(file, at, &head)?;
                found = Some(Found {
                    tracks: tracks(&moov).ok_or(FinishError::Foreign)?,
                    reserve: reserve.ok_or(FinishError::NoReserve)?,
                    end: at + head.size,
                });
            }
            b"moof" => moof = Some((at, body(file, at, &head)?)),
            b"mdat" => {
                if let (Some((moof_at, moof)), Some(found)) = (moof.take(), found.as_mut()) {
                    add(&mut found.tracks, &moof, moof_at).ok_or(FinishError::Foreign)?;
                    found.end = at + head.size;
                }
            }
            _ => {}
        }
        at += head.size;
    }
    found.ok_or(FinishError::Foreign).map(Some)
}

fn add(tracks: &mut [Track], moof: &[u8], at: u64) -> Option<()> {
    for (_, traf) in children(moof).filter(|(kind, _)| kind == b"traf") {
        let id = child(traf, b"tfhd")?.get(4..8)?;
        let track = tracks.iter_mut().find(|track| track.id().to_be_bytes() == id)?;
        track.add(traf, at)?;
    }
    Some(())
}

fn write_moov(out: &mut Vec<u8>, tracks: &[Track]) {
    let length = tracks.iter().map(Track::end).max().unwrap_or(0);
    let next_id = tracks.iter().map(Track::id).max().unwrap_or(0).saturating_add(1);
    write_box(out, b"moov", |out| {
        write_full_box(out, b"mvhd", 1, 0, |out| {
            out.extend([0; 16]);
            out.extend(MOVIE_TIMESCALE.to_be_bytes());
            out.extend(length.to_be_bytes());
            // Rate 1.0, volume 1.0, and the unity matrix.
            out.extend([0, 1, 0, 0, 1, 0]);
            out.extend([0; 10]);
            for value in [0x1_0000u32, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] {
                out.extend(value.to_be_bytes());
            }
            out.extend([0; 24]);
            out.extend(next_id.to_be_bytes());
        });
        for track in tracks.iter().filter(|track| !track.is_empty()) {
            track.write(out);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ftyp`, reserve, a `moov` with one track, and `fragments` of two samples each.
    fn recording(fragments: u32) -> Vec<u8> {
        let mut out = Vec::new();
        write_box(&mut out, b"ftyp", |out| out.extend(b"iso6\0\0\0\0"));
        write_box(&mut out, b"free", |out| out.extend([0; 8]));
        write_box(&mut out, b"moov", |out| {
            write_box(out, b"trak", |out| {
                write_full_box(out, b"tkhd", 0, 3, |out| {
                    for word in [0u32, 0, 1, 0, 0] {
                        out.extend(word.to_be_bytes());
                    }
                    out.extend([0; 60]);
                });
                write_box(out, b"mdia", |out| {
                    write_full_box(out, b"mdhd", 0, 0, |out| {
                        for word in [0u32, 0, 30, 0, 0] {
                            out.extend(word.to_be_bytes());
                        }
                    });
                    write_full_box(out, b"hdlr", 0, 0, |out| out.extend([0; 21]));
                    write_box(out, b"minf", |out| {
                        write_full_box(out, b"vmhd", 0, 1, |out| out.extend([0; 8]));
                        write_box(out, b"dinf", |_| {});
                        write_box(out, b"stbl", |out| {
                            write_full_box(out, b"stsd", 0, 0, |out| put32(out, 0))
                        });
                    });
                });
            });
            write_box(out, b"mvex", |out| {
                write_full_box(out, b"trex", 0, 0, |out| {
                    // Track 1, description 1, one tick and three bytes for each sample, no keyframe.
                    for word in [1u32, 1, 1, 3, 0x1_0000] {
                        out.extend(word.to_be_bytes());
                    }
                });
            });
        });
        for n in 0..fragments {
            write_box(&mut out, b"moof", |out| {
                write_box(out, b"traf", |out| {
                    write_full_box(out, b"tfhd", 0, 0x2_0000, |out| put32(out, 1));
                    write_full_box(out, b"tfdt", 0, 0, |out| put32(out, n as usize * 2));
                    write_full_box(out, b"trun", 0, 0x5, |out| {
                        // Two samples, right behind this `moof` of 72 bytes and the header; the first is a keyframe.
                        for word in [2u32, 80, 0] {
                            out.extend(word.to_be_bytes());
                        }
                    });
                });
            });
            write_box(&mut out, b"mdat", |out| out.extend(*b"abcdef"));
        }
        out
    }

    fn finished(bytes: &[u8]) -> (Result<(), FinishError>, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.mp4");
        std::fs::write(&path, bytes).expect("it can be written");
        let result = finish_file(&path);
        (result, std::fs::read(&path).expect("it is there"))
    }

    fn kinds(bytes: &[u8]) -> Vec<Kind> {
        let mut kinds = Vec::new();
        let mut rest = bytes;
        while let Some(head) = rest.first_chunk::<16>() {
            let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
                1 => u64::from_be_bytes(head[8..].try_into().expect("eight bytes")) as usize,
                size => size as usize,
            };
            kinds.push([head[4], head[5], head[6], head[7]]);
            rest = &rest[size..];
        }
        kinds
    }

    #[test]
    fn fragments_become_one_stretch_of_media_with_an_index() {
        let (result, bytes) = finished(&recording(3));
        result.expect("it is a recording");
        assert_eq!(kinds(&bytes), [*b"ftyp", *b"mdat", *b"moov"]);
        let moov = bytes
            .windows(4)
            .rposition(|kind| kind == b"moov")
            .expect("an index")
            + 4;
        let stbl = ["trak", "mdia", "minf", "stbl"]
            .iter()
            .fold(&bytes[moov..], |inside, kind| {
                child(inside, kind.as_bytes().try_into().expect("four letters")).expect("it is there")
            });
        assert_eq!(child(stbl, b"stsz").map(|b| &b[8..12]), Some(&[0, 0, 0, 6][..]));
        assert_eq!(child(stbl, b"stss").map(|b| &b[4..8]), Some(&[0, 0, 0, 3][..]));
        let offsets = child(stbl, b"co64").expect("offsets");
        for at in offsets[8..].chunks_exact(8) {
            let at = u64::from_be_bytes(at.try_into().expect("eight bytes")) as usize;
            assert_eq!(&bytes[at..at + 6], b"abcdef", "the index points at the samples");
        }
    }

    #[test]
    fn finishing_twice_is_finishing_once() {
        let (_, once) = finished(&recording(2));
        let (again, twice) = finished(&once);
        again.expect("it is plain already");
        assert_eq!(once, twice);
    }

    /// A kill can cut the file anywhere.
    #[test]
    fn whatever_a_kill_leaves_is_finished_or_left_alone() {
        let whole = recording(2);
        let first_fragment = recording(1).len();
        for end in 0..whole.len() {
            let (result, bytes) = finished(&whole[..end]);
            match result {
                Ok(()) => assert_eq!(kinds(&bytes), [*b"ftyp", *b"mdat", *b"moov"], "{end} bytes"),
                Err(_) => assert_eq!(bytes, whole[..end], "{end} bytes must stay as they were"),
            }
            if end >= first_fragment {
                assert_eq!(kinds(&bytes).len(), 3, "{end} bytes have a whole fragment");
            }
        }
    }

    /// Nothing here may panic or allocate wildly, whatever a disk gives back.
    #[test]
    fn damaged_files_are_errors() {
        let whole = recording(2);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let _ = finished(&bytes);
        }
    }
}

//! One track of a recording: what its fragments say, and the plain index that says the same.

use super::boxes::{Cursor, Kind, child, children, put32, write_box, write_full_box};

/// Timescale of the whole movie: even for every frame rate of the studio, and for 48 kHz.
pub(super) const MOVIE_TIMESCALE: u32 = 48_000;

/// `sample_is_non_sync_sample` (ISO/IEC 14496-12, 8.8.3.1).
const NON_SYNC: u32 = 0x0001_0000;

/// More samples than any fragment of a recording has; a damaged count must not fill the memory.
const MOST_IN_RUN: u32 = 100_000;

#[derive(Clone, Copy, Default)]
struct Defaults {
    duration: u32,
    size: u32,
    flags: u32,
}

struct Sample {
    size: u32,
    duration: u32,
    composition: i32,
    sync: bool,
}

pub(super) struct Track {
    id: u32,
    timescale: u32,
    defaults: Defaults,
    /// Bodies of boxes that stay as they are.
    tkhd_rest: Vec<u8>,
    mdhd_rest: Vec<u8>,
    kept: Vec<(Kind, Vec<u8>)>,
    dinf: Vec<u8>,
    hdlr: Vec<u8>,
    stsd: Vec<u8>,
    samples: Vec<Sample>,
    /// Where each run of samples lies in the file, and how many it has.
    chunks: Vec<(u64, u32)>,
    /// Decoding time of the first sample, in the track's timescale.
    start: Option<u64>,
    /// Sum of all durations.
    length: u64,
}

/// The tracks that a `moov` announces. `None` when it is cut short or not one of a fragmented file.
pub(super) fn tracks(moov: &[u8]) -> Option<Vec<Track>> {
    let mvex = child(moov, b"mvex")?;
    children(moov)
        .filter(|(kind, _)| kind == b"trak")
        .map(|(_, trak)| Track::parse(trak, mvex))
        .collect()
}

impl Track {
    fn parse(trak: &[u8], mvex: &[u8]) -> Option<Self> {
        let mut tkhd = Cursor(child(trak, b"tkhd")?);
        let (version, _) = tkhd.version()?;
        tkhd.sized(version)?;
        tkhd.sized(version)?;
        let id = tkhd.u32()?;
        tkhd.u32()?;
        tkhd.sized(version)?;
        let mdia = child(trak, b"mdia")?;
        let mut mdhd = Cursor(child(mdia, b"mdhd")?);
        let (version, _) = mdhd.version()?;
        mdhd.sized(version)?;
        mdhd.sized(version)?;
        let timescale = mdhd.u32().filter(|&t| t > 0)?;
        mdhd.sized(version)?;
        let minf = child(mdia, b"minf")?;
        let stbl = child(minf, b"stbl")?;
        let kept = children(minf)
            .filter(|(kind, _)| matches!(kind, b"vmhd" | b"smhd" | b"nmhd"))
            .map(|(kind, body)| (kind, body.to_vec()))
            .collect();
        Some(Self {
            id,
            timescale,
            defaults: trex(mvex, id).unwrap_or_default(),
            tkhd_rest: tkhd.0.to_vec(),
            mdhd_rest: mdhd.0.to_vec(),
            kept,
            dinf: child(minf, b"dinf")?.to_vec(),
            hdlr: child(mdia, b"hdlr")?.to_vec(),
            stsd: child(stbl, b"stsd")?.to_vec(),
            samples: Vec::new(),
            chunks: Vec::new(),
            start: None,
            length: 0,
        })
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Takes the samples of a `traf` in; `moof_at` is the file's offset of its `moof`. `None` when it is cut short.
    pub fn add(&mut self, traf: &[u8], moof_at: u64) -> Option<()> {
        let mut tfhd = Cursor(child(traf, b"tfhd")?);
        let (_, flags) = tfhd.version()?;
        tfhd.u32()?;
        let base = if flags & 0x1 != 0 { tfhd.u64()? } else { moof_at };
        if flags & 0x2 != 0 {
            tfhd.u32()?;
        }
        let mut defaults = self.defaults;
        for (flag, value) in [
            (0x8, &mut defaults.duration),
            (0x10, &mut defaults.size),
            (0x20, &mut defaults.flags),
        ] {
            if flags & flag != 0 {
                *value = tfhd.u32()?;
            }
        }
        if let Some(mut tfdt) = child(traf, b"tfdt").map(Cursor) {
            let (version, _) = tfdt.version()?;
            self.continue_at(tfdt.sized(version)?);
        }
        let mut at = base;
        for (_, trun) in children(traf).filter(|(kind, _)| kind == b"trun") {
            at = self.add_run(Cursor(trun), base, at, defaults)?;
        }
        Some(())
    }

    /// Fragments say when they begin; a hole before this one belongs to the last sample.
    fn continue_at(&mut self, time: u64) {
        let start = *self.start.get_or_insert(time);
        let Some(last) = self.samples.last_mut() else {
            return;
        };
        let hole = time.saturating_sub(start + self.length);
        // Fragments count in rounded-down units: less than half a frame is no hole.
        if hole > u64::from(last.duration) / 2 {
            last.duration = last
                .duration
                .saturating_add(u32::try_from(hole).unwrap_or(u32::MAX));
            self.length += hole;
        }
    }

    fn add_run(&mut self, mut trun: Cursor<'_>, base: u64, at: u64, defaults: Defaults) -> Option<u64> {
        let (_, flags) = trun.version()?;
        let count = trun.u32().filter(|&count| count <= MOST_IN_RUN)?;
        let at = if flags & 0x1 != 0 {
            base.checked_add_signed(trun.i32()?.into())?
        } else {
            at
        };
        let first_flags = if flags & 0x4 != 0 { Some(trun.u32()?) } else { None };
        let mut end = at;
        for index in 0..count {
            let duration = if flags & 0x100 != 0 {
                trun.u32()?
            } else {
                defaults.duration
            };
            let size = if flags & 0x200 != 0 {
                trun.u32()?
            } else {
                defaults.size
            };
            let own_flags = if flags & 0x400 != 0 {
                trun.u32()?
            } else {
                defaults.flags
            };
            let composition = if flags & 0x800 != 0 { trun.i32()? } else { 0 };
            let sample_flags = first_flags.filter(|_| index == 0).unwrap_or(own_flags);
            self.samples.push(Sample {
                size,
                duration,
                composition,
                sync: sample_flags & NON_SYNC == 0,
            });
            self.length += u64::from(duration);
            end = end.checked_add(size.into())?;
        }
        if count > 0 {
            self.chunks.push((at, count));
        }
        Some(end)
    }

    fn in_movie_time(&self, time: u64) -> u64 {
        let scaled = u128::from(time) * u128::from(MOVIE_TIMESCALE) / u128::from(self.timescale);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }

    /// When the track ends, in the movie's timescale.
    pub fn end(&self) -> u64 {
        self.in_movie_time(self.start.unwrap_or(0) + self.length)
    }

    /// Appends the plain `trak`.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_box(out, b"trak", |out| {
            // Enabled, and part of the movie.
            write_full_box(out, b"tkhd", 1, 0x3, |out| {
                out.extend([0; 16]);
                out.extend(self.id.to_be_bytes());
                out.extend([0; 4]);
                out.extend(self.end().to_be_bytes());
                out.extend(&self.tkhd_rest);
            });
            self.write_edits(out);
            write_box(out, b"mdia", |out| {
                write_full_box(out, b"mdhd", 1, 0, |out| {
                    out.extend([0; 16]);
                    out.extend(self.timescale.to_be_bytes());
                    out.extend(self.length.to_be_bytes());
                    out.extend(&self.mdhd_rest);
                });
                write_box(out, b"hdlr", |out| out.extend(&self.hdlr));
                write_box(out, b"minf", |out| {
                    for (kind, body) in &self.kept {
                        write_box(out, kind, |out| out.extend(body));
                    }
                    write_box(out, b"dinf", |out| out.extend(&self.dinf));
                    write_box(out, b"stbl", |out| self.write_samples(out));
                });
            });
        });
    }

    /// A track that begins after the other one begins with an empty edit.
    fn write_edits(&self, out: &mut Vec<u8>) {
        let start = self.start.unwrap_or(0);
        let composition = self.samples.first().map_or(0, |sample| sample.composition.max(0));
        if start == 0 && composition == 0 {
            return;
        }
        let empty = self.in_movie_time(start);
        write_box(out, b"edts", |out| {
            write_full_box(out, b"elst", 1, 0, |out| {
                put32(out, 1 + usize::from(empty > 0));
                let mut edit = |length: u64, from: i64| {
                    out.extend(length.to_be_bytes());
                    out.extend(from.to_be_bytes());
                    out.extend([0, 1, 0, 0]);
                };
                if empty > 0 {
                    edit(empty, -1);
                }
                edit(self.in_movie_time(self.length), composition.into());
            });
        });
    }

    fn write_samples(&self, out: &mut Vec<u8>) {
        write_box(out, b"stsd", |out| out.extend(&self.stsd));
        let durations = runs(self.samples.iter().map(|sample| sample.duration));
        write_full_box(out, b"stts", 0, 0, |out| {
            put32(out, durations.len());
            for (count, duration) in durations {
                put32(out, count);
                out.extend(duration.to_be_bytes());
            }
        });
        if self.samples.iter().any(|sample| sample.composition != 0) {
            let offsets = runs(self.samples.iter().map(|sample| sample.composition));
            write_full_box(out, b"ctts", 1, 0, |out| {
                put32(out, offsets.len());
                for (count, offset) in offsets {
                    put32(out, count);
                    out.extend(offset.to_be_bytes());
                }
            });
        }
        if self.samples.iter().any(|sample| !sample.sync) {
            let sync = || (1usize..).zip(&self.samples).filter(|(_, sample)| sample.sync);
            write_full_box(out, b"stss", 0, 0, |out| {
                put32(out, sync().count());
                sync().for_each(|(number, _)| put32(out, number));
            });
        }
        self.write_chunks(out);
    }

    fn write_chunks(&self, out: &mut Vec<u8>) {
        let counts = runs(self.chunks.iter().map(|(_, count)| *count));
        write_full_box(out, b"stsc", 0, 0, |out| {
            put32(out, counts.len());
            let mut first = 1;
            for (chunks, samples) in counts {
                put32(out, first);
                out.extend(samples.to_be_bytes());
                // The only sample description.
                put32(out, 1);
                first += chunks;
            }
        });
        write_full_box(out, b"stsz", 0, 0, |out| {
            put32(out, 0);
            put32(out, self.samples.len());
            for sample in &self.samples {
                out.extend(sample.size.to_be_bytes());
            }
        });
        write_full_box(out, b"co64", 0, 0, |out| {
            put32(out, self.chunks.len());
            for (at, _) in &self.chunks {
                out.extend(at.to_be_bytes());
            }
        });
    }
}

fn trex(mvex: &[u8], id: u32) -> Option<Defaults> {
    children(mvex)
        .filter(|(kind, _)| kind == b"trex")
        .find_map(|(_, body)| {
            let mut trex = Cursor(body);
            trex.version()?;
            let own = trex.u32()? == id;
            trex.u32()?;
            let defaults = Defaults {
                duration: trex.u32()?,
                size: trex.u32()?,
                flags: trex.u32()?,
            };
            own.then_some(defaults)
        })
}

/// How often each value follows itself.
fn runs<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<(usize, T)> {
    let mut runs: Vec<(usize, T)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((count, same)) if *same == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_an_entry() {
        assert_eq!(runs([5, 5, 5, 6, 5].into_iter()), [(3, 5), (1, 6), (1, 5)]);
        assert_eq!(runs(std::iter::empty::<u8>()), []);
    }
}

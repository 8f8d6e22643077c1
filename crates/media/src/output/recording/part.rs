//! One file of a recording while it is written.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use protocol::Container;

use super::super::actor::{Context, waiting};
use super::finish::finish_file;
use crate::rendition::{EncodedFrame, EncodedStream};

/// Stretch of media that reaches the disk in one piece. A kill loses the one that is being collected.
const CHUNK: gst::ClockTime = gst::ClockTime::from_mseconds(200);
/// Bytes kept free behind `ftyp`, where the finished file's `mdat` header goes.
const RESERVE: [u8; 16] = *b"\0\0\0\x10free\0\0\0\0\0\0\0\0";

/// Bytes in the file, and why no more could be written.
#[derive(Default)]
struct Ledger {
    bytes: AtomicU64,
    error: Mutex<Option<io::Error>>,
}

/// A file that is being written. Dropping it closes it as it is: readable up to the last chunk.
pub(super) struct Part {
    pub path: PathBuf,
    /// Under which its pipeline reports.
    pub number: u64,
    container: Container,
    pipeline: gst::Pipeline,
    video: gst_app::AppSrc,
    audio: gst_app::AppSrc,
    ledger: Arc<Ledger>,
}

impl Part {
    /// Sets up the pipeline that writes into `file`, which was made at `path`.
    pub fn open(
        context: &Context,
        number: u64,
        path: &Path,
        file: File,
        container: Container,
    ) -> Result<Self, gst::glib::BoolError> {
        let pipeline = gst::Pipeline::with_name(&format!("recording-{}", context.id));
        let source = |name: &str| {
            gst_app::AppSrc::builder()
                .name(name)
                .format(gst::Format::Time)
                .max_bytes(0)
                .max_buffers(0)
                .max_time(gst::ClockTime::NONE)
                .build()
        };
        let (video, audio) = (source("video"), source("audio"));
        let ledger = Arc::new(Ledger::default());
        let (mux, sink, pads) = match container {
            Container::Mp4 => (
                gst::ElementFactory::make("isofmp4mux")
                    .property("fragment-duration", gst::ClockTime::from_seconds(2))
                    .property("chunk-duration", CHUNK)
                    .property("send-force-keyunit", false)
                    .build()?,
                mp4_sink(file, ledger.clone()),
                ("sink_0", "sink_1"),
            ),
            Container::Mkv => (
                gst::ElementFactory::make("matroskamux")
                    .property("offset-to-zero", false)
                    // A cluster reaches the disk when it is full: a kill loses no more than that.
                    .property("max-cluster-duration", 400_000_000i64)
                    .property("min-cluster-duration", 200_000_000i64)
                    .build()?,
                mkv_sink(path, &ledger)?,
                ("video_%u", "audio_%u"),
            ),
        };
        pipeline.add_many([video.upcast_ref(), audio.upcast_ref(), &mux, &sink])?;
        video.link_pads(Some("src"), &mux, Some(pads.0))?;
        audio.link_pads(Some("src"), &mux, Some(pads.1))?;
        mux.link(&sink)?;
        context.supervise(&pipeline, number);
        context.clock.govern(&pipeline);
        let part = Self {
            path: path.to_owned(),
            number,
            container,
            pipeline,
            video,
            audio,
            ledger,
        };
        if let Err(error) = part.pipeline.set_state(gst::State::Playing) {
            tracing::debug!(%error, "recording pipeline did not start at once");
        }
        Ok(part)
    }

    /// Writes a frame at `pts` and `dts` of the file's own time.
    pub fn push(&self, frame: &EncodedFrame, pts: gst::ClockTime, dts: gst::ClockTime) {
        let source = match frame.stream {
            EncodedStream::Video => &self.video,
            EncodedStream::Aac => &self.audio,
            EncodedStream::Opus => return,
        };
        if source.caps().as_ref() != Some(&frame.caps) {
            source.set_caps(Some(&frame.caps));
        }
        // It fails only when the pipeline has failed, which its bus tells.
        let _ = source.push_buffer(frame.retimed(pts, dts));
    }

    /// Media that waits for the disk.
    pub fn waiting(&self) -> gst::ClockTime {
        waiting(&self.video).min(waiting(&self.audio))
    }

    /// Begins the clean end; the pipeline's EOS tells when it is reached.
    pub fn end(&self) {
        let _ = self.video.end_of_stream();
        let _ = self.audio.end_of_stream();
    }

    pub fn bytes(&self) -> u64 {
        self.ledger.bytes.load(Ordering::Relaxed)
    }

    /// Why it could not write, if the file system said so.
    pub fn write_error(&self) -> Option<io::Error> {
        self.ledger
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Closes the file and makes it plain. Takes as long as the disk needs: not on a thread that feeds others.
    pub fn close(self) {
        let (path, container) = (self.path.clone(), self.container);
        drop(self);
        if container == Container::Mp4 {
            match finish_file(&path) {
                Ok(()) => tracing::info!(path = %path.display(), "recording finished"),
                // It stays what it was: fragmented, and whole.
                Err(error) => tracing::warn!(path = %path.display(), %error, "recording stays fragmented"),
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "recording pipeline did not stop cleanly");
        }
    }
}

/// Writes the fragments itself: one `write` for each chunk, so that a kill never leaves half of one in a buffer.
fn mp4_sink(file: File, ledger: Arc<Ledger>) -> gst::Element {
    let mut writer = ChunkWriter { file, good: 0 };
    let sink = gst_app::AppSink::builder()
        .name("file")
        .sync(false)
        .async_(false)
        .enable_last_sample(false)
        .buffer_list(true)
        .build();
    let callbacks = gst_app::AppSinkCallbacks::builder()
        .new_sample(move |sink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            match writer.write(&sample) {
                Ok(()) => {
                    ledger.bytes.store(writer.good, Ordering::Relaxed);
                    Ok(gst::FlowSuccess::Ok)
                }
                Err(error) => {
                    *ledger.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Err(gst::FlowError::Error)
                }
            }
        })
        .build();
    sink.set_callbacks(callbacks);
    sink.upcast()
}

fn mkv_sink(path: &Path, ledger: &Arc<Ledger>) -> Result<gst::Element, gst::glib::BoolError> {
    let sink = gst::ElementFactory::make("filesink")
        .name("file")
        .property("location", path)
        .property("sync", false)
        .property("async", false)
        .property("enable-last-sample", false)
        .build()?;
    sink.set_property_from_str("buffer-mode", "unbuffered");
    if let Some(pad) = sink.static_pad("sink") {
        let ledger = ledger.clone();
        pad.add_probe(
            gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
            move |_, info| {
                let bytes = match &info.data {
                    Some(gst::PadProbeData::Buffer(buffer)) => buffer.size(),
                    Some(gst::PadProbeData::BufferList(list)) => list.calculate_size(),
                    _ => 0,
                };
                ledger.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                gst::PadProbeReturn::Ok
            },
        );
    }
    Ok(sink)
}

struct ChunkWriter {
    file: File,
    /// Length of the file up to which it is whole.
    good: u64,
}

impl ChunkWriter {
    fn write(&mut self, sample: &gst::Sample) -> io::Result<()> {
        let mut bytes = Vec::new();
        if let Some(list) = sample.buffer_list() {
            bytes.reserve(list.calculate_size());
            for buffer in list.iter() {
                append(&mut bytes, buffer)?;
            }
        } else if let Some(buffer) = sample.buffer() {
            append(&mut bytes, buffer)?;
        }
        if self.good == 0 {
            reserve(&mut bytes);
        }
        let written = self.file.write_all(&bytes);
        if written.is_err() {
            // Half a chunk is of no use, and the index will need the room.
            self.file.set_len(self.good)?;
            self.file.seek(SeekFrom::Start(self.good))?;
        }
        written?;
        self.good += bytes.len() as u64;
        Ok(())
    }
}

fn append(bytes: &mut Vec<u8>, buffer: &gst::BufferRef) -> io::Result<()> {
    let map = buffer.map_readable().map_err(io::Error::other)?;
    bytes.extend_from_slice(&map);
    Ok(())
}

/// Puts the reserve behind `ftyp`, the first box.
fn reserve(bytes: &mut Vec<u8>) {
    let length = bytes
        .first_chunk::<4>()
        .map(|size| u32::from_be_bytes(*size) as usize);
    if let Some(length) = length.filter(|&l| bytes.get(4..8) == Some(b"ftyp") && l <= bytes.len()) {
        bytes.splice(length..length, RESERVE);
    }
}

//! Recording into files, with pause, split and an eye on the disk.

mod boxes;
mod finish;
mod interleave;
mod name;
mod part;
mod track;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use protocol::{Container, ErrorCode, RecordingStatus, UserError};

use super::OutputEvent;
use super::actor::{Context, Opener, Session};
use super::machine::{Failure, Input, Verdict};
use crate::PipelineMessage;
use crate::rendition::{EncodedFrame, EncodedStream, Subscription};
use interleave::Interleaver;
use part::Part;

pub use finish::{FinishError, finish_file};

/// Media that may wait for a slow disk before frames are lost.
const MAX_QUEUE: Duration = Duration::from_secs(30);
/// Media that is handed to the file's pipeline ahead of the disk.
const AHEAD: gst::ClockTime = gst::ClockTime::SECOND;
/// Kept free on the disk, so that the file can be closed and its index written.
const RESERVE_BYTES: u64 = 3 * 1024 * 1024;
/// Bytes of index for one second of media: 30 to 60 pictures and 47 pieces of sound, four bytes each, and some.
const INDEX_BYTES_PER_SECOND: u64 = 1024;
/// How often the disk is looked at.
const DISK_EVERY: Duration = Duration::from_secs(1);
/// A file that breaks is followed by a new one, but not more often than this.
const NEW_FILE_AFTER_ERROR: Duration = Duration::from_secs(10);

/// Where and how to record.
pub(super) struct RecordingLeg {
    folder: PathBuf,
    file_stem: Option<String>,
    title: String,
    container: Container,
    split: Option<gst::ClockTime>,
}

impl RecordingLeg {
    pub fn new(
        folder: PathBuf,
        file_stem: Option<String>,
        title: String,
        container: Container,
        split_minutes: Option<u32>,
    ) -> Self {
        Self {
            folder,
            file_stem,
            title,
            container,
            split: split_minutes.map(|m| gst::ClockTime::from_seconds(u64::from(m) * 60)),
        }
    }
}

impl Opener for RecordingLeg {
    fn open(&mut self, context: &Arc<Context>, number: u64) -> Result<Box<dyn Session>, Failure> {
        let plan = Plan {
            folder: self.folder.clone(),
            // A name is for one file: what comes after a failure gets its own.
            file_stem: self.file_stem.take(),
            title: self.title.clone(),
            container: self.container,
            split: self.split,
        };
        std::fs::create_dir_all(&plan.folder).map_err(|error| plan.failure(&plan.folder, &error))?;
        let free = free_bytes(&plan.folder);
        if free.is_some_and(|free| free < RESERVE_BYTES) {
            return Err(plan.full(&plan.folder));
        }
        let part = plan.open_part(context, number, 1)?;
        Ok(Box::new(RecordingSession {
            context: context.clone(),
            subscription: context.subscribe(MAX_QUEUE),
            interleaver: Interleaver::default(),
            last_path: part.path.clone(),
            part: Some(part),
            zero: None,
            ending: Vec::new(),
            closing: Vec::new(),
            next_number: number + 1,
            parts: 1,
            earlier_bytes: 0,
            flow: Flow::Running,
            split_wanted: false,
            last_end: gst::ClockTime::ZERO,
            live: false,
            finishing: false,
            last_error: None,
            disk_looked: None,
            free,
            rate: Rate::default(),
            plan,
        }))
    }
}

struct Plan {
    folder: PathBuf,
    file_stem: Option<String>,
    title: String,
    container: Container,
    split: Option<gst::ClockTime>,
}

impl Plan {
    fn open_part(&self, context: &Context, number: u64, part: u32) -> Result<Part, Failure> {
        let stem = match &self.file_stem {
            Some(stem) if part == 1 => stem.clone(),
            _ => name::stem(&name::local_time(), &self.title, part),
        };
        let (path, file): (PathBuf, File) = name::create(&self.folder, &stem, self.container)
            .map_err(|error| self.failure(&self.folder, &error))?;
        Part::open(context, number, &path, file, self.container).map_err(|error| Failure {
            error: UserError::new(ErrorCode::RecordingFailed)
                .with("path", path.display())
                .with("detail", error),
            verdict: Verdict::Final,
        })
    }

    fn failure(&self, path: &Path, error: &io::Error) -> Failure {
        use io::ErrorKind as K;
        let code = match error.kind() {
            K::StorageFull | K::QuotaExceeded => return self.full(path),
            K::PermissionDenied
            | K::NotFound
            | K::ReadOnlyFilesystem
            | K::NotADirectory
            | K::AlreadyExists => ErrorCode::FolderUnwritable,
            _ => ErrorCode::RecordingFailed,
        };
        Failure {
            error: UserError::new(code)
                .with("path", path.display())
                .with("detail", error),
            verdict: Verdict::Final,
        }
    }

    fn full(&self, path: &Path) -> Failure {
        let free_mb = free_bytes(&self.folder).map_or(0, |free| free / 1_000_000);
        Failure {
            error: UserError::new(ErrorCode::DiskFull)
                .with("path", path.display())
                .with("free_mb", free_mb),
            verdict: Verdict::Close,
        }
    }
}

/// Whether frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Running,
    /// Since this running time.
    Paused(gst::ClockTime),
    /// Paused since then; goes on with the next keyframe.
    Resuming(gst::ClockTime),
}

/// Bytes a second, smoothed over about ten seconds.
#[derive(Default)]
struct Rate {
    last: Option<(Instant, u64)>,
    bytes_per_second: Option<f64>,
}

impl Rate {
    fn see(&mut self, now: Instant, bytes: u64) {
        let Some((at, before)) = self.last.replace((now, bytes)) else {
            return;
        };
        let seconds = now.saturating_duration_since(at).as_secs_f64();
        if seconds > 0.0 {
            let newest = bytes.saturating_sub(before) as f64 / seconds;
            let old = self.bytes_per_second.unwrap_or(newest);
            self.bytes_per_second = Some(old + (newest - old) * (seconds / 10.0).min(1.0));
        }
    }
}

struct RecordingSession {
    context: Arc<Context>,
    plan: Plan,
    subscription: Subscription,
    interleaver: Interleaver,
    /// The file that is being written. `None` after one broke, until the next keyframe.
    part: Option<Part>,
    last_path: PathBuf,
    /// Running time that is zero in the present file.
    zero: Option<gst::ClockTime>,
    /// Files that wait for their pipeline's EOS.
    ending: Vec<Part>,
    /// Files that are being closed.
    closing: Vec<JoinHandle<()>>,
    next_number: u64,
    parts: u32,
    /// Of the files before the present one.
    earlier_bytes: u64,
    flow: Flow,
    split_wanted: bool,
    /// End of the last picture that was written, running time.
    last_end: gst::ClockTime,
    live: bool,
    finishing: bool,
    last_error: Option<Instant>,
    disk_looked: Option<Instant>,
    free: Option<u64>,
    rate: Rate,
}

impl RecordingSession {
    fn take(&mut self, frame: &EncodedFrame) {
        let key = frame.stream == EncodedStream::Video && frame.keyframe;
        match self.flow {
            Flow::Running => {}
            Flow::Resuming(since) if key => {
                // Closes the time up: the file goes on where it stopped.
                self.zero = self.zero.map(|zero| zero + frame.dts.saturating_sub(since));
                self.flow = Flow::Running;
            }
            Flow::Paused(_) | Flow::Resuming(_) => return,
        }
        if key && self.wants_new_file(frame) {
            self.begin_part(frame);
        }
        if key && self.zero.is_none() {
            self.zero = Some(frame.dts);
        }
        let (Some(zero), Some(part)) = (self.zero, &self.part) else {
            return;
        };
        let Some(dts) = frame.dts.checked_sub(zero) else {
            return;
        };
        part.push(frame, frame.pts.saturating_sub(zero), dts);
        if frame.stream == EncodedStream::Video {
            self.last_end = frame.end();
        }
    }

    fn wants_new_file(&self, key: &EncodedFrame) -> bool {
        let Some(zero) = self.zero else {
            return self.part.is_none();
        };
        let due = self
            .plan
            .split
            .is_some_and(|length| key.dts.saturating_sub(zero) >= length);
        self.part.is_none() || self.split_wanted || due
    }

    fn begin_part(&mut self, key: &EncodedFrame) {
        self.split_wanted = false;
        let number = self.next_number;
        self.next_number += 1;
        match self.plan.open_part(&self.context, number, self.parts + 1) {
            Ok(part) => {
                self.last_path = part.path.clone();
                self.parts += 1;
                if let Some(old) = self.part.replace(part) {
                    self.earlier_bytes += old.bytes();
                    old.end();
                    self.ending.push(old);
                }
                self.zero = Some(key.dts);
            }
            // The present file goes on; without one, the whole recording has failed.
            Err(failure) => {
                tracing::warn!(code = failure.error.code.as_str(), "no new file");
                if self.part.is_none() {
                    self.context.input(Input::Lost(failure));
                }
            }
        }
    }

    /// Closes a file away from this thread, and says so when it is done.
    fn close(&mut self, part: Part) {
        let path = part.path.clone();
        let context = self.context.clone();
        let work = move || {
            part.close();
            (context.on_event)(OutputEvent::FileFinished { path });
            context.wake();
        };
        match std::thread::Builder::new()
            .name("rec-close".to_owned())
            .spawn(work)
        {
            Ok(thread) => self.closing.push(thread),
            Err(error) => tracing::error!(%error, "no thread to close a recording, it stays fragmented"),
        }
    }

    fn reap(&mut self) {
        self.closing.retain(|thread| !thread.is_finished());
    }

    fn ended(&self) -> bool {
        self.finishing && self.part.is_none() && self.ending.is_empty() && self.closing.is_empty()
    }

    fn broken(&mut self, error: &gst::glib::Error, detail: Option<String>) -> Option<Input> {
        let part = self.part.take()?;
        let path = part.path.clone();
        let written = part.write_error();
        tracing::error!(path = %path.display(), %error, detail, "recording broke");
        self.earlier_bytes += part.bytes();
        self.close(part);
        let full = error.matches(gst::ResourceError::NoSpaceLeft);
        let failure = match &written {
            Some(error) => self.plan.failure(&path, error),
            None if full => self.plan.full(&path),
            None => Failure {
                error: UserError::new(ErrorCode::RecordingFailed)
                    .with("path", path.display())
                    .with("detail", error.message()),
                verdict: Verdict::Close,
            },
        };
        let now = Instant::now();
        let again = self
            .last_error
            .replace(now)
            .is_none_or(|at| now.saturating_duration_since(at) > NEW_FILE_AFTER_ERROR);
        let full = failure.error.code == ErrorCode::DiskFull;
        if again && !full && !self.finishing {
            // A new file begins with the next keyframe.
            self.context.request_keyframe();
            return None;
        }
        Some(Input::Lost(Failure {
            verdict: Verdict::Close,
            ..failure
        }))
    }

    fn look_at_disk(&mut self, now: Instant) -> Option<Input> {
        let due = self
            .disk_looked
            .is_none_or(|at| now.saturating_duration_since(at) >= DISK_EVERY);
        if !due || self.finishing {
            return None;
        }
        self.disk_looked = Some(now);
        self.rate.see(now, self.sent_bytes());
        self.free = free_bytes(&self.plan.folder);
        let free = self.free?;
        let two_seconds = self.rate.bytes_per_second.unwrap_or(0.0) as u64 * 2;
        (free < self.reserve() + two_seconds).then(|| Input::Lost(self.plan.full(&self.last_path)))
    }

    /// What closing the present file needs.
    fn reserve(&self) -> u64 {
        let length = self
            .zero
            .map_or(0, |zero| self.last_end.saturating_sub(zero).seconds());
        RESERVE_BYTES + length * INDEX_BYTES_PER_SECOND
    }
}

impl Session for RecordingSession {
    fn feed(&mut self) {
        while self.part.as_ref().is_none_or(|part| part.waiting() < AHEAD) && !self.finishing {
            let Some(frame) = self.subscription.try_next() else {
                break;
            };
            self.interleaver.push(frame);
            while let Some(frame) = self.interleaver.pop() {
                self.take(&frame);
            }
        }
        self.reap();
        if self.ended() {
            self.context.input(Input::Ended);
        }
    }

    fn backlog(&self) -> bool {
        !self.finishing && self.part.as_ref().is_some_and(|part| part.waiting() >= AHEAD)
    }

    fn check(&mut self, now: Instant) -> Option<Input> {
        if !self.live && self.part.as_ref().is_some_and(|part| part.bytes() > 0) {
            self.live = true;
            return Some(Input::Taken);
        }
        self.look_at_disk(now)
    }

    fn on_message(&mut self, number: u64, message: PipelineMessage) -> Option<Input> {
        if let Some(index) = self.ending.iter().position(|part| part.number == number) {
            // At its end, or broken on the way there: it is closed as it is.
            let part = self.ending.swap_remove(index);
            self.close(part);
            return None;
        }
        match message {
            PipelineMessage::Error { error, debug, .. }
                if self.part.as_ref().is_some_and(|part| part.number == number) =>
            {
                self.broken(&error, debug)
            }
            _ => None,
        }
    }

    fn finish(&mut self) -> Option<Input> {
        while let Some(frame) = self.subscription.try_next() {
            self.interleaver.push(frame);
        }
        while let Some(frame) = self.interleaver.pop_last() {
            self.take(&frame);
        }
        self.finishing = true;
        if let Some(part) = self.part.take() {
            self.earlier_bytes += part.bytes();
            part.end();
            self.ending.push(part);
        }
        self.ended().then_some(Input::Ended)
    }

    fn pause(&mut self) {
        if self.flow == Flow::Running {
            self.flow = Flow::Paused(self.last_end);
        }
    }

    fn resume(&mut self) {
        if let Flow::Paused(since) = self.flow {
            self.flow = Flow::Resuming(since);
            self.context.request_keyframe();
        }
    }

    fn split(&mut self) {
        self.split_wanted = true;
        self.context.request_keyframe();
    }

    fn sent_bytes(&self) -> u64 {
        self.earlier_bytes + self.part.as_ref().map_or(0, Part::bytes)
    }

    fn dropped_frames(&self) -> u32 {
        self.subscription.dropped_frames()
    }

    fn queue_ms(&self) -> u32 {
        let inside = self.part.as_ref().map_or(0, |part| part.waiting().mseconds());
        self.subscription
            .queue_ms()
            .saturating_add(u32::try_from(inside).unwrap_or(0))
    }

    fn recording(&self) -> Option<RecordingStatus> {
        let path = self.part.as_ref().map_or(&self.last_path, |part| &part.path);
        let bytes = self.part.as_ref().map(Part::bytes);
        let free = self.free?;
        let usable = free.saturating_sub(self.reserve()) as f64;
        Some(RecordingStatus {
            path: path.display().to_string(),
            bytes: bytes
                .or_else(|| std::fs::metadata(path).ok().map(|m| m.len()))
                .unwrap_or(0),
            parts: self.parts,
            free_bytes: free,
            seconds_left: self
                .rate
                .bytes_per_second
                .filter(|rate| *rate > 1.0)
                .map(|rate| (usable / rate) as u64),
        })
    }
}

impl Drop for RecordingSession {
    fn drop(&mut self) {
        // Whatever was not closed in time is closed now: a recording is the last thing to give up.
        for part in self
            .part
            .take()
            .into_iter()
            .chain(std::mem::take(&mut self.ending))
        {
            part.close();
        }
        for thread in self.closing.drain(..) {
            let _ = thread.join();
        }
    }
}

fn free_bytes(folder: &Path) -> Option<u64> {
    fs4::available_space(folder).ok()
}

//! A room on the media thread: who publishes, the cached pictures, and the numbers that go on for ever.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command::{PublicationId, Shared, Unit};
use super::demux::SessionKey;
use super::egress::StartPolicy;
use super::gop::GopCache;
use super::h264::Contents;
use super::keyframes::KeyframeGate;
use super::packet::{Packet, Track};
use super::timeline::{PtsClock, TrackMap, WallMap};
use crate::rtc::PeerEvent;
use crate::settings::Limits;

/// A publisher without a picture for so long sends sound only.
const SOUND_ONLY_AFTER: Duration = Duration::from_millis(1500);

/// Between the last frame of a publisher and the first of the next.
const STEP: Duration = Duration::from_millis(20);

/// Where a room's media comes from.
pub(crate) enum Publication {
    Local {
        id: PublicationId,
        shared: Arc<Shared>,
        clock: PtsClock,
    },
    Whip {
        session: SessionKey,
        video: Option<TrackMap>,
        audio: Option<TrackMap>,
        wall: WallMap,
    },
}

pub(crate) struct Room {
    start: Instant,
    pub publication: Option<Publication>,
    pub gop: GopCache,
    pub keyframes: KeyframeGate,
    pub viewers: Vec<SessionKey>,
    pub live: bool,
    /// The current publisher's first keyframe has come.
    started: bool,
    published_at: Instant,
    last_video: Option<Instant>,
    next_video: u64,
    next_audio: u64,
    /// The latest room time of any packet. A publisher that began with cached frames runs ahead of our clock;
    /// its successor must not fall behind it.
    last_time: Duration,
    limits: Limits,
}

impl Room {
    pub fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            start: now,
            publication: None,
            gop: GopCache::new(limits.cache_bytes, limits.cache_duration),
            keyframes: KeyframeGate::new(limits.keyframe_interval),
            viewers: Vec::new(),
            live: false,
            started: false,
            published_at: now,
            last_video: None,
            next_video: 0,
            next_audio: 0,
            last_time: Duration::ZERO,
            limits: limits.clone(),
        }
    }

    fn begin(&mut self, publication: Publication, now: Instant) {
        self.publication = Some(publication);
        self.gop.clear();
        self.keyframes = KeyframeGate::new(self.limits.keyframe_interval);
        self.started = false;
        self.published_at = now;
        self.last_video = None;
    }

    pub fn begin_local(&mut self, id: PublicationId, shared: Arc<Shared>, now: Instant) {
        let clock = PtsClock::new(self.start, self.last_time + STEP);
        self.begin(Publication::Local { id, shared, clock }, now);
    }

    pub fn begin_whip(&mut self, session: SessionKey, now: Instant) {
        self.begin(
            Publication::Whip {
                session,
                video: None,
                audio: None,
                wall: WallMap::default(),
            },
            now,
        );
    }

    /// Takes the publisher away. What is cached belonged to it.
    pub fn end_publication(&mut self) {
        self.publication = None;
        self.gop.clear();
        self.live = false;
        self.started = false;
    }

    pub fn whip_session(&self) -> Option<SessionKey> {
        match self.publication {
            Some(Publication::Whip { session, .. }) => Some(session),
            _ => None,
        }
    }

    pub fn policy(&self) -> StartPolicy {
        StartPolicy {
            asks_encoder: matches!(self.publication, Some(Publication::Local { .. })),
            keyframe_interval: self.limits.keyframe_interval,
        }
    }

    pub fn has_video(&self, now: Instant) -> bool {
        match self.last_video {
            Some(at) => now.saturating_duration_since(at) < SOUND_ONLY_AFTER,
            None => now.saturating_duration_since(self.published_at) < SOUND_ONLY_AFTER,
        }
    }

    /// A unit of the in-process publisher, as packets of the room.
    pub fn take_unit(&mut self, unit: Unit, now: Instant) -> Vec<Packet> {
        let Some(Publication::Local { clock, .. }) = &mut self.publication else {
            return Vec::new();
        };
        let Some(room_time) = clock.room_time(unit.pts, now) else {
            return Vec::new();
        };
        let wallclock = clock.wallclock(room_time, now);
        let ticks = unit.track.ticks(room_time);
        let last = unit.payloads.len().saturating_sub(1);
        let mut packets = Vec::with_capacity(unit.payloads.len());
        for (index, payload) in unit.payloads.into_iter().enumerate() {
            let next = match unit.track {
                Track::Video => &mut self.next_video,
                Track::Audio => &mut self.next_audio,
            };
            let seq = *next;
            *next += 1;
            packets.push(Packet {
                track: unit.track,
                seq,
                ticks,
                wallclock,
                // RFC 7587 section 4.2: no marker without talk spurts.
                marker: unit.track == Track::Video && index == last,
                keyframe: unit.track == Track::Video && index == 0 && unit.keyframe,
                payload,
            });
        }
        self.note(packets, now)
    }

    /// An RTP packet or a sender report of the WHIP publisher.
    pub fn take_rtp(&mut self, event: PeerEvent, now: Instant) -> Vec<Packet> {
        let room_time = now
            .saturating_duration_since(self.start)
            .max(self.last_time + STEP);
        let Some(Publication::Whip {
            video, audio, wall, ..
        }) = &mut self.publication
        else {
            return Vec::new();
        };
        match event {
            PeerEvent::Report { track, at, ticks } => {
                let map = match track {
                    Track::Video => video,
                    Track::Audio => audio,
                };
                if let Some(map) = map {
                    map.on_report(at, ticks);
                }
                Vec::new()
            }
            PeerEvent::Rtp {
                track,
                seq,
                ticks,
                marker,
                payload,
            } => {
                let (map, next) = match track {
                    Track::Video => (video, &mut self.next_video),
                    Track::Audio => (audio, &mut self.next_audio),
                };
                let map = map.get_or_insert_with(|| TrackMap::new(track, seq, ticks, *next, room_time));
                let (Some(room_seq), Some(room_ticks)) = (map.seq(seq), map.ticks(ticks)) else {
                    return Vec::new();
                };
                let wallclock = wall.wallclock(map.publisher_wall(ticks), now);
                *next = (*next).max(room_seq + 1);
                let keyframe = false;
                let packet = Packet {
                    track,
                    seq: room_seq,
                    ticks: room_ticks,
                    wallclock,
                    marker,
                    keyframe,
                    payload,
                };
                self.note(vec![packet], now)
            }
            _ => Vec::new(),
        }
    }

    /// Caches pictures, and holds back what comes before the first keyframe.
    fn note(&mut self, mut packets: Vec<Packet>, now: Instant) -> Vec<Packet> {
        for packet in &packets {
            self.last_time = self.last_time.max(packet.track.time(packet.ticks));
        }
        for packet in packets.iter_mut().filter(|p| p.track == Track::Video) {
            self.last_video = Some(now);
            let contents = Contents::of(&packet.payload);
            packet.keyframe |= contents.idr || contents.sps;
            if packet.keyframe {
                self.started = true;
                if contents.idr || !contents.sps {
                    self.keyframes.on_keyframe();
                }
            }
            if self.started {
                self.gop.push(packet, contents.sps && !contents.idr, now);
            }
        }
        let started = self.started;
        packets.retain(|p| p.track == Track::Audio || started);
        packets
    }

    /// Whether viewers would see or hear something: decides "live".
    pub fn flows(&self, now: Instant) -> bool {
        self.started || (!self.has_video(now) && self.next_audio > 0)
    }
}

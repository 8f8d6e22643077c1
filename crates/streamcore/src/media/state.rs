//! All that the media thread keeps, and what it does with datagrams, time and events.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::command::{PublicationId, SessionName, Shared};
use super::demux::{self, Demux, Kind, SessionKey};
use super::keyframes::Ask;
use super::packet::{Packet, Track};
use super::room::{Publication, Room};
use super::session::{LEAVING_AFTER, Session};
use super::socket::{Datagram, MediaSocket};
use crate::room::{Directory, LeaveReason, RoomEvent, RoomId, ViewerId};
use crate::rtc::{Broken, PeerEvent, Role};
use crate::settings::Limits;

/// How often silence is judged.
const ROUND_EVERY: Duration = Duration::from_millis(500);

/// Sessions, rooms, and the maps between them.
pub(super) struct State {
    pub(super) directory: Arc<Directory>,
    pub(super) limits: Limits,
    pub(super) sessions: HashMap<SessionKey, Session>,
    pub(super) names: HashMap<SessionName, SessionKey>,
    pub(super) rooms: HashMap<RoomId, Room>,
    pub(super) publications: HashMap<PublicationId, RoomId>,
    pub(super) demux: Demux,
    pub(super) timers: BinaryHeap<Reverse<(Instant, SessionKey)>>,
    pub(super) next_key: SessionKey,
    pub(super) next_round: Instant,
    /// What peers said and nobody has looked at yet.
    pub(super) events: Vec<(SessionKey, PeerEvent)>,
    pub(super) stopping: bool,
}

impl State {
    pub fn new(directory: Arc<Directory>, limits: Limits, now: Instant) -> Self {
        Self {
            directory,
            limits,
            sessions: HashMap::new(),
            names: HashMap::new(),
            rooms: HashMap::new(),
            publications: HashMap::new(),
            demux: Demux::default(),
            timers: BinaryHeap::new(),
            next_key: 1,
            next_round: now + ROUND_EVERY,
            events: Vec::new(),
            stopping: false,
        }
    }

    pub(super) fn wait(&self, now: Instant) -> Duration {
        let timer = self.timers.peek().map_or(self.next_round, |Reverse((at, _))| *at);
        timer.min(self.next_round).saturating_duration_since(now)
    }

    pub(super) fn on_datagram(&mut self, datagram: Datagram<'_>, socket: &mut MediaSocket, now: Instant) {
        let Datagram {
            source,
            destination,
            data,
        } = datagram;
        let key = match demux::kind(data) {
            Kind::Unknown => return,
            Kind::Other => self.demux.by_address(source),
            Kind::BindingRequest => self.owner_of_request(datagram, now),
        };
        let Some(key) = key else { return };
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        session.last_heard = now;
        let outcome = session
            .peer
            .handle_datagram(now, source, destination, data)
            .and_then(|()| session.drain(key, socket, &mut self.events));
        self.after(key, outcome, socket, now);
        self.on_events(socket, now);
    }

    pub(super) fn owner_of_request(&mut self, datagram: Datagram<'_>, now: Instant) -> Option<SessionKey> {
        let Datagram {
            source,
            destination,
            data,
        } = datagram;
        let key = self.demux.by_ufrag(demux::local_ufrag(data)?)?;
        if self.demux.by_address(source) == Some(key) {
            // str0m checks the integrity again; once is enough for a known address.
            return Some(key);
        }
        // Only who knows the password may bind an address: a forged request must not steal a session.
        self.sessions
            .get(&key)?
            .peer
            .accepts(now, source, destination, data)
            .then(|| {
                self.demux.bind(source, key);
                key
            })
    }

    /// Flushes a session's sends and sets its next deadline, or ends it if it broke.
    pub(super) fn after(
        &mut self,
        key: SessionKey,
        outcome: Result<(), Broken>,
        socket: &mut MediaSocket,
        now: Instant,
    ) {
        socket.flush();
        match outcome {
            Ok(()) => self.schedule(key),
            Err(error) => {
                tracing::warn!(session = key, %error, "session broke");
                self.remove(key, LeaveReason::Broken, socket, now);
            }
        }
    }

    pub(super) fn schedule(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        let at = session.next_deadline();
        if session.deadline != Some(at) {
            session.deadline = Some(at);
            self.timers.push(Reverse((at, key)));
        }
    }

    pub(super) fn turn(&mut self, socket: &mut MediaSocket, now: Instant) {
        // Each session once a turn, however near its next deadline is.
        let mut due = Vec::new();
        while let Some(&Reverse((at, key))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            if let Some(session) = self.sessions.get_mut(&key).filter(|s| s.deadline == Some(at)) {
                session.deadline = None;
                due.push(key);
            }
        }
        for key in due {
            let Some(session) = self.sessions.get_mut(&key) else {
                continue;
            };
            let outcome = session
                .tick(key, now, socket, &mut self.events)
                .and_then(|()| session.send_portion(key, now, socket, &mut self.events));
            self.after(key, outcome, socket, now);
        }
        self.on_events(socket, now);
        if now >= self.next_round {
            self.next_round = now + ROUND_EVERY;
            self.round(socket, now);
        }
        self.ask_for_keyframes(socket, now);
    }

    /// Judges silence, twice a second.
    pub(super) fn round(&mut self, socket: &mut MediaSocket, now: Instant) {
        let dropped = socket.take_dropped();
        if dropped > 0 {
            tracing::warn!(packets = dropped, "packets dropped on the way out");
        }
        let overdue: Vec<SessionKey> = self
            .sessions
            .iter()
            .filter(|(_, s)| s.overdue(now))
            .map(|(key, _)| *key)
            .collect();
        for key in overdue {
            self.remove(key, LeaveReason::Silent, socket, now);
        }
        let mut changed: Vec<RoomId> = Vec::new();
        for session in self
            .sessions
            .values_mut()
            .filter(|s| s.connected && s.role == Role::Viewer)
        {
            let leaving = now.saturating_duration_since(session.last_heard) >= LEAVING_AFTER;
            if session.leaving != leaving {
                session.leaving = leaving;
                changed.push(session.room.clone());
            }
        }
        for room in changed {
            self.count(&room);
        }
        let rooms: Vec<RoomId> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.update_live(&room, now);
        }
        self.rooms
            .retain(|_, room| room.publication.is_some() || !room.viewers.is_empty());
    }

    pub(super) fn ask_for_keyframes(&mut self, socket: &mut MediaSocket, now: Instant) {
        let mut broken = Vec::new();
        for (id, room) in &mut self.rooms {
            let ask = room.keyframes.poll(now);
            if ask == Ask::No {
                continue;
            }
            if ask == Ask::YesUnanswered {
                tracing::warn!(room = %id, "publisher does not answer keyframe requests");
                self.directory
                    .emit(RoomEvent::KeyframesUnanswered { room: id.clone() });
            }
            match &room.publication {
                Some(Publication::Local { shared, .. }) => call_for_keyframe(shared),
                Some(Publication::Whip { session: key, .. }) => {
                    let Some(session) = self.sessions.get_mut(key) else {
                        continue;
                    };
                    let outcome = session
                        .peer
                        .request_keyframe()
                        .and_then(|()| session.drain(*key, socket, &mut self.events))
                        .and_then(|()| session.tick(*key, now, socket, &mut self.events));
                    broken.push((*key, outcome));
                }
                None => {}
            }
        }
        for (key, outcome) in broken {
            self.after(key, outcome, socket, now);
        }
    }

    pub(super) fn on_events(&mut self, socket: &mut MediaSocket, now: Instant) {
        // Handling an event can bring new ones (a viewer's request while a frame is sent): until none is left.
        while !self.events.is_empty() {
            for (key, event) in std::mem::take(&mut self.events) {
                self.on_event(key, event, socket, now);
            }
        }
    }

    pub(super) fn on_event(
        &mut self,
        key: SessionKey,
        event: PeerEvent,
        socket: &mut MediaSocket,
        now: Instant,
    ) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        let room_id = session.room.clone();
        match event {
            PeerEvent::Connected => {
                if std::mem::replace(&mut session.connected, true) {
                    return;
                }
                if let Some(egress) = &mut session.egress {
                    egress.wait(now);
                    self.directory.emit(RoomEvent::ViewerJoined {
                        room: room_id.clone(),
                        viewer: ViewerId(key),
                        mark: session.mark,
                    });
                    self.count(&room_id);
                    self.start_viewers(&room_id, socket, now);
                } else if let Some(room) = self.rooms.get_mut(&room_id) {
                    room.keyframes.want();
                }
            }
            PeerEvent::Closed => self.remove(key, LeaveReason::Closed, socket, now),
            PeerEvent::KeyframeWanted => {
                if let Some(room) = self.rooms.get_mut(&room_id) {
                    room.keyframes.want();
                }
            }
            PeerEvent::Rtp { .. } | PeerEvent::Report { .. } => {
                let Some(room) = self.rooms.get_mut(&room_id) else {
                    return;
                };
                if room.whip_session() == Some(key) {
                    let packets = room.take_rtp(event, now);
                    self.distribute(&room_id, &packets, socket, now);
                }
            }
        }
    }

    /// Gives packets to every viewer of a room, viewer by viewer, so that each one's leave in one call.
    pub(super) fn distribute(
        &mut self,
        room_id: &RoomId,
        packets: &[Packet],
        socket: &mut MediaSocket,
        now: Instant,
    ) {
        if packets.is_empty() {
            return;
        }
        let Some(room) = self.rooms.get_mut(room_id) else {
            return;
        };
        if !room.live && room.flows(now) {
            self.update_live(room_id, now);
        }
        let Some(room) = self.rooms.get_mut(room_id) else {
            return;
        };
        let (policy, has_video) = (room.policy(), room.has_video(now));
        let mut done = Vec::with_capacity(room.viewers.len());
        for key in &room.viewers {
            let Some(session) = self.sessions.get_mut(key).filter(|s| s.connected) else {
                continue;
            };
            let Some(egress) = &mut session.egress else {
                continue;
            };
            if egress.waiting() {
                // The cache holds these packets already.
                if egress.try_start(&room.gop, policy, now) {
                    room.keyframes.want();
                }
                for packet in packets.iter().filter(|p| p.track == Track::Audio) {
                    egress.push(packet, has_video);
                }
            } else {
                for packet in packets {
                    egress.push(packet, has_video);
                }
            }
            let outcome = session.send_portion(*key, now, socket, &mut self.events);
            socket.flush();
            done.push((*key, outcome));
        }
        for (key, outcome) in done {
            self.after(key, outcome, socket, now);
        }
    }

    /// Begins whoever waits, without new packets: at a join.
    pub(super) fn start_viewers(&mut self, room_id: &RoomId, socket: &mut MediaSocket, now: Instant) {
        let Some(room) = self.rooms.get_mut(room_id) else {
            return;
        };
        let policy = room.policy();
        let mut done = Vec::new();
        for key in &room.viewers {
            let Some(session) = self.sessions.get_mut(key).filter(|s| s.connected) else {
                continue;
            };
            let Some(egress) = session.egress.as_mut().filter(|e| e.waiting()) else {
                continue;
            };
            if egress.try_start(&room.gop, policy, now) {
                room.keyframes.want();
            }
            let outcome = session.send_portion(*key, now, socket, &mut self.events);
            socket.flush();
            done.push((*key, outcome));
        }
        for (key, outcome) in done {
            self.after(key, outcome, socket, now);
        }
        self.ask_for_keyframes(socket, now);
    }
}

/// Calls the publisher's callback; a panic in it is the publisher's bug, not the viewers' loss.
fn call_for_keyframe(shared: &Shared) {
    let callback = shared
        .on_keyframe
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    if let Some(callback) = callback
        && catch_unwind(AssertUnwindSafe(|| callback())).is_err()
    {
        tracing::error!("the publisher's keyframe callback panicked");
    }
}

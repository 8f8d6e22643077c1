//! One session in the media thread: its peer, its deadline, and whether it was heard of lately.

use std::time::{Duration, Instant};

use super::command::SessionName;
use super::demux::SessionKey;
use super::egress::{Addressed, Egress};
use super::socket::MediaSocket;
use crate::room::{RoomId, ViewerMark};
use crate::rtc::{Broken, Peer, PeerEvent, Polled, Role};

/// A viewer that was not heard of for so long is no longer counted: browsers send RTCP every second and
/// connectivity checks every 2.5 s.
pub(crate) const LEAVING_AFTER: Duration = Duration::from_secs(5);
/// And after so long it is gone. ICE alone notices after 24 s.
pub(crate) const GONE_AFTER: Duration = Duration::from_secs(15);
/// A session that never connects holds its place for so long.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(15);

pub(crate) struct Session {
    pub peer: Peer,
    pub role: Role,
    pub room: RoomId,
    pub name: SessionName,
    pub mark: ViewerMark,
    pub created: Instant,
    pub last_heard: Instant,
    pub connected: bool,
    /// Connected, but silent for 5 s.
    pub leaving: bool,
    /// Present for viewers.
    pub egress: Option<Egress>,
    /// When to look at it next; older entries of the timer heap do not count.
    pub deadline: Option<Instant>,
    peer_deadline: Instant,
}

impl Session {
    pub fn new(peer: Peer, name: SessionName, role: Role, mark: ViewerMark, now: Instant) -> Self {
        let egress = (role == Role::Viewer).then(|| Egress::new(peer.has_video(), now));
        Self {
            peer,
            role,
            room: name.room.clone(),
            name,
            mark,
            created: now,
            last_heard: now,
            connected: false,
            leaving: false,
            egress,
            deadline: Some(now),
            peer_deadline: now,
        }
    }

    /// Whether it is one of the room's viewers, as people count them.
    pub fn counts(&self) -> bool {
        self.role == Role::Viewer && self.connected && !self.leaving
    }

    /// Why it should be ended now, judged by silence.
    pub fn overdue(&self, now: Instant) -> bool {
        let silent = now.saturating_duration_since(self.last_heard);
        if self.connected {
            silent >= GONE_AFTER
        } else {
            now.saturating_duration_since(self.created) >= CONNECT_WITHIN
        }
    }

    /// Takes everything that the peer has to say: packets to the socket, events to the caller.
    pub fn drain(
        &mut self,
        key: SessionKey,
        socket: &mut MediaSocket,
        events: &mut Vec<(SessionKey, PeerEvent)>,
    ) -> Result<(), Broken> {
        loop {
            match self.peer.poll()? {
                Polled::Transmit {
                    source,
                    destination,
                    contents,
                } => {
                    socket.send(source, destination, &contents);
                }
                Polled::Event(event) => events.push((key, event)),
                Polled::Timeout(at) => {
                    self.peer_deadline = at;
                    return Ok(());
                }
            }
        }
    }

    /// Drives the clock, then drains.
    pub fn tick(
        &mut self,
        key: SessionKey,
        now: Instant,
        socket: &mut MediaSocket,
        events: &mut Vec<(SessionKey, PeerEvent)>,
    ) -> Result<(), Broken> {
        self.peer.handle_timeout(now)?;
        self.drain(key, socket, events)
    }

    /// Sends what the viewer may get now.
    pub fn send_portion(
        &mut self,
        key: SessionKey,
        now: Instant,
        socket: &mut MediaSocket,
        events: &mut Vec<(SessionKey, PeerEvent)>,
    ) -> Result<(), Broken> {
        let Some(egress) = &mut self.egress else {
            return Ok(());
        };
        for Addressed {
            packet,
            seq,
            rtp_time,
        } in egress.take_portion(now)
        {
            self.peer.write(&packet, seq, rtp_time)?;
            // str0m's contract: drain after a change; and a written packet only leaves after a timeout.
            self.drain(key, socket, events)?;
            self.tick(key, now, socket, events)?;
        }
        Ok(())
    }

    /// When to look at this session next.
    pub fn next_deadline(&self) -> Instant {
        match self.egress.as_ref().and_then(Egress::deadline) {
            Some(portion) => portion.min(self.peer_deadline),
            None => self.peer_deadline,
        }
    }
}

//! What the media thread does for others: see [`Command`].

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::command::{Command, Patched, PublicationId, Refused, SessionName, Shared, Unit};
use super::room::Publication;
use super::session::Session;
use super::socket::MediaSocket;
use super::state::State;
use crate::room::{LeaveReason, PublisherKind, RoomId, RoomInfo, ViewerMark};
use crate::rtc::sdp::IceFragment;
use crate::rtc::{Peer, Role};

/// A WHIP publisher that was silent for so long gives way to one that comes back under the same name.
const TAKEOVER_AFTER: Duration = Duration::from_secs(2);

impl State {
    pub(super) fn on_command(&mut self, command: Command, socket: &mut MediaSocket, now: Instant) {
        match command {
            Command::Add {
                name,
                role,
                mark,
                peer,
                reply,
            } => {
                // A requester that went away leaves an unconnected session, which times out.
                let _ = reply.send(self.add(name, role, mark, *peer, socket, now));
            }
            Command::Patch {
                name,
                tag,
                fragment,
                reply,
            } => {
                let _ = reply.send(self.patch(&name, tag.as_deref(), &fragment, socket, now));
            }
            Command::Look { name, reply } => {
                let _ = reply.send(self.names.contains_key(&name));
            }
            Command::Delete { name, reply } => {
                let key = self.names.get(&name).copied();
                if let Some(key) = key {
                    self.remove(key, LeaveReason::Deleted, socket, now);
                }
                let _ = reply.send(key.is_some());
            }
            Command::ShowOut { room, except } => {
                let viewers = self
                    .rooms
                    .get(&room)
                    .map(|room| room.viewers.clone())
                    .unwrap_or_default();
                for key in viewers {
                    let stays = |session: &Session| except.contains(&session.name.secret);
                    if !self.sessions.get(&key).is_some_and(stays) {
                        self.remove(key, LeaveReason::Deleted, socket, now);
                    }
                }
            }
            Command::Publish {
                id,
                room,
                info,
                shared,
                reply,
            } => {
                let _ = reply.send(self.publish(id, room, &info, shared, now));
            }
            Command::Unit { id, unit } => self.on_unit(id, unit, socket, now),
            Command::Unpublish { id, ended } => {
                if let Some(room) = self.publications.remove(&id) {
                    self.publisher_went(&room, ended, socket, now);
                }
            }
            Command::Stop => self.stopping = true,
        }
    }

    pub(super) fn add(
        &mut self,
        name: SessionName,
        role: Role,
        mark: ViewerMark,
        mut peer: Peer,
        socket: &mut MediaSocket,
        now: Instant,
    ) -> Result<(), Refused> {
        let room_id = name.room.clone();
        match role {
            Role::Viewer => {
                if self.sessions.values().filter(|s| s.role == Role::Viewer).count() >= self.limits.viewers {
                    return Err(Refused::Full);
                }
                if !self.rooms.get(&room_id).is_some_and(|room| room.live) {
                    return Err(Refused::NotLive);
                }
            }
            Role::Publisher => self.make_way(&room_id, socket, now)?,
        }
        let key = self.next_key;
        self.next_key += 1;
        self.demux.insert(key, peer.ufrag());
        self.names.insert(name.clone(), key);
        self.sessions
            .insert(key, Session::new(peer, name, role, mark, now));
        match role {
            Role::Viewer => self.room(&room_id, now).viewers.push(key),
            Role::Publisher => {
                self.room(&room_id, now).begin_whip(key, now);
                self.publisher_came(&room_id, PublisherKind::Whip, None);
            }
        }
        // Its first deadline is due at once: ICE begins.
        self.timers.push(Reverse((now, key)));
        Ok(())
    }

    /// A publisher that has fallen silent gives way to the one who comes back.
    pub(super) fn make_way(
        &mut self,
        room_id: &RoomId,
        socket: &mut MediaSocket,
        now: Instant,
    ) -> Result<(), Refused> {
        match self.rooms.get(room_id).and_then(|room| room.publication.as_ref()) {
            None => Ok(()),
            Some(Publication::Local { .. }) => Err(Refused::Busy),
            Some(Publication::Whip { session: key, .. }) => {
                let key = *key;
                let silent = self
                    .sessions
                    .get(&key)
                    .is_none_or(|s| now.saturating_duration_since(s.last_heard) >= TAKEOVER_AFTER);
                if !silent {
                    return Err(Refused::Busy);
                }
                self.remove(key, LeaveReason::Silent, socket, now);
                Ok(())
            }
        }
    }

    pub(super) fn patch(
        &mut self,
        name: &SessionName,
        tag: Option<&str>,
        fragment: &IceFragment,
        socket: &mut MediaSocket,
        now: Instant,
    ) -> Patched {
        let Some(&key) = self.names.get(name) else {
            return Patched::Gone;
        };
        let Some(session) = self.sessions.get_mut(&key) else {
            return Patched::Gone;
        };
        let current = session.peer.ufrag();
        // `*` stands for whatever session there is (RFC 9725 section 4.3.3).
        if tag.is_some_and(|tag| tag != current) {
            return Patched::WrongTag;
        }
        let restarts = fragment.ufrag.is_some() && fragment.ufrag != session.peer.remote_ufrag();
        let (outcome, answer) = if restarts {
            let (Some(ufrag), Some(pwd), true) =
                (&fragment.ufrag, &fragment.pwd, fragment.credentials_are_valid())
            else {
                return Patched::Unusable;
            };
            match session.peer.restart_ice(ufrag, pwd, &fragment.candidates) {
                Ok(text) => {
                    let tag = session.peer.ufrag();
                    self.demux.insert(key, tag.clone());
                    (Ok(()), Patched::Restarted { fragment: text, tag })
                }
                Err(error) => (Err(error), Patched::Unusable),
            }
        } else {
            (
                session.peer.add_remote_candidates(&fragment.candidates),
                Patched::Trickled,
            )
        };
        let outcome = outcome.and_then(|()| session.tick(key, now, socket, &mut self.events));
        self.after(key, outcome, socket, now);
        answer
    }

    pub(super) fn publish(
        &mut self,
        id: PublicationId,
        room_id: RoomId,
        info: &RoomInfo,
        shared: Arc<Shared>,
        now: Instant,
    ) -> Result<(), Refused> {
        let room = self.room(&room_id, now);
        if room.publication.is_some() {
            return Err(Refused::Busy);
        }
        room.begin_local(id, shared, now);
        self.publications.insert(id, room_id.clone());
        self.publisher_came(&room_id, PublisherKind::Local, Some(info.clean_title()));
        Ok(())
    }

    pub(super) fn on_unit(&mut self, id: PublicationId, unit: Unit, socket: &mut MediaSocket, now: Instant) {
        let Some(room_id) = self.publications.get(&id).cloned() else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&room_id) else {
            return;
        };
        let Some(Publication::Local {
            id: current, shared, ..
        }) = &room.publication
        else {
            return;
        };
        if *current != id {
            return;
        }
        shared.queued.fetch_sub(unit.bytes, Ordering::AcqRel);
        let packets = room.take_unit(unit, now);
        self.distribute(&room_id, &packets, socket, now);
    }
}

//! How publishers and viewers come and go, and what is said about it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::demux::SessionKey;
use super::room::{Publication, Room};
use super::session::Session;
use super::socket::MediaSocket;
use super::state::State;
use crate::room::{LeaveReason, PublisherKind, RoomEvent, RoomId, RoomState, ViewerId, wall_ms};
use crate::rtc::Role;

impl State {
    pub(super) fn count(&self, room_id: &RoomId) {
        let viewers = self.rooms.get(room_id).map_or(0, |room| {
            room.viewers
                .iter()
                .filter(|key| self.sessions.get(key).is_some_and(Session::counts))
                .count()
        });
        self.directory.update(room_id, |view| {
            view.viewers = u32::try_from(viewers).unwrap_or(u32::MAX)
        });
    }

    pub(super) fn update_live(&mut self, room_id: &RoomId, now: Instant) {
        let Some(room) = self.rooms.get_mut(room_id) else {
            return;
        };
        if !room.live && room.publication.is_some() && room.flows(now) {
            room.live = true;
            tracing::info!(room = %room_id, "live");
            self.directory.update(room_id, |view| {
                if view.state == RoomState::Ended {
                    view.since_ms = None;
                }
                view.state = RoomState::Live;
                view.since_ms.get_or_insert_with(wall_ms);
            });
        }
    }

    pub(super) fn room(&mut self, room_id: &RoomId, now: Instant) -> &mut Room {
        let limits = &self.limits;
        self.rooms
            .entry(room_id.clone())
            .or_insert_with(|| Room::new(limits, now))
    }

    pub(super) fn publisher_came(&self, room: &RoomId, publisher: PublisherKind, title: Option<String>) {
        tracing::info!(%room, ?publisher, "publisher came");
        self.directory.update(room, |view| {
            // A show that ended and begins again is a new show.
            if view.state == RoomState::Ended {
                view.state = RoomState::StartingSoon;
                view.since_ms = None;
            }
            if let Some(title) = title {
                view.title = title;
            }
        });
        self.directory.emit(RoomEvent::PublisherCame {
            room: room.clone(),
            publisher,
        });
    }

    /// The publisher is gone; with `ended` so is the show, and everybody goes home.
    pub(super) fn publisher_went(
        &mut self,
        room_id: &RoomId,
        ended: bool,
        socket: &mut MediaSocket,
        now: Instant,
    ) {
        let Some(room) = self.rooms.get_mut(room_id) else {
            return;
        };
        if room.publication.is_none() {
            return;
        }
        room.end_publication();
        tracing::info!(room = %room_id, ended, "publisher went");
        let viewers = room.viewers.clone();
        self.directory.update(room_id, |view| {
            view.state = if ended {
                RoomState::Ended
            } else {
                RoomState::StartingSoon
            };
        });
        self.directory.emit(RoomEvent::PublisherWent {
            room: room_id.clone(),
            ended,
        });
        if ended {
            for key in viewers {
                self.remove(key, LeaveReason::Ended, socket, now);
            }
        }
    }

    /// Ends a session, with a goodbye if it can still be said.
    pub(super) fn remove(
        &mut self,
        key: SessionKey,
        reason: LeaveReason,
        socket: &mut MediaSocket,
        now: Instant,
    ) {
        let Some(mut session) = self.sessions.remove(&key) else {
            return;
        };
        self.demux.remove(key);
        self.names.remove(&session.name);
        if reason != LeaveReason::Broken && session.peer.alive() {
            let mut rest = Vec::new();
            let goodbye = session
                .peer
                .close()
                .and_then(|()| session.drain(key, socket, &mut rest))
                .and_then(|()| session.tick(key, now, socket, &mut rest));
            if let Err(error) = goodbye {
                tracing::debug!(session = key, %error, "left without a goodbye");
            }
            socket.flush();
        }
        let room_id = session.room;
        match session.role {
            Role::Viewer => {
                if let Some(room) = self.rooms.get_mut(&room_id) {
                    room.viewers.retain(|viewer| *viewer != key);
                }
                if session.connected {
                    tracing::debug!(room = %room_id, viewer = key, ?reason, "viewer left");
                    self.directory.emit(RoomEvent::ViewerLeft {
                        room: room_id.clone(),
                        viewer: ViewerId(key),
                        reason,
                    });
                    self.count(&room_id);
                }
            }
            Role::Publisher => {
                if self.rooms.get(&room_id).and_then(Room::whip_session) == Some(key) {
                    self.publisher_went(&room_id, reason == LeaveReason::Deleted, socket, now);
                }
            }
        }
    }

    pub(super) fn close_all(&mut self, socket: &mut MediaSocket, now: Instant) {
        let keys: Vec<SessionKey> = self.sessions.keys().copied().collect();
        for key in keys {
            self.remove(key, LeaveReason::Ended, socket, now);
        }
        for room in self.rooms.values() {
            if let Some(Publication::Local { shared, .. }) = &room.publication {
                shared.closed.store(true, Ordering::Release);
            }
        }
    }
}

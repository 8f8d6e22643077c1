//! Rooms: their names, what is known of each, and who is told when it changes.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};

/// Name of a room, as it stands in its addresses: `/watch/{room}`, `/whip/{room}`, `/whep/{room}`.
///
/// 1 to 64 characters out of `a-z`, `A-Z`, `0-9`, `-` and `_`, so that it needs no escaping anywhere.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RoomId(String);

/// Why a text is not the name of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomIdError {
    /// Nothing, or more than 64 bytes.
    #[error("accept the room name: it must have 1 to 64 characters")]
    Length,
    /// A character that is not a letter, a digit, `-` or `_`.
    #[error("accept the room name: only a-z, A-Z, 0-9, - and _ may stand in it")]
    Character,
}

impl RoomId {
    const MAX_LEN: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomId {
    type Err = RoomIdError;

    fn from_str(text: &str) -> Result<Self, RoomIdError> {
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return Err(RoomIdError::Length);
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(RoomIdError::Character);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RoomId {
    type Error = RoomIdError;

    fn try_from(text: String) -> Result<Self, RoomIdError> {
        text.parse()
    }
}

impl From<RoomId> for String {
    fn from(room: RoomId) -> Self {
        room.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomId({})", self.0)
    }
}

/// What a publisher says about its show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomInfo {
    /// Shown over the picture and as the page's title. Cut at 200 characters, control characters removed.
    pub title: String,
}

impl RoomInfo {
    const MAX_TITLE: usize = 200;

    /// The title as it may be shown: text of bounded length on one line.
    pub(crate) fn clean_title(&self) -> String {
        self.title
            .chars()
            .filter(|c| !c.is_control())
            .take(Self::MAX_TITLE)
            .collect()
    }
}

/// Where a room is in its show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoomState {
    /// Nothing to see yet, or the publisher was lost and is expected back.
    StartingSoon,
    /// Media flows.
    Live,
    /// The publisher said that the show is over.
    Ended,
}

/// What viewers may know of a room. This is the JSON of `GET /api/rooms/{room}` and of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoomView {
    /// The room.
    pub room: RoomId,
    /// Where it is in its show.
    pub state: RoomState,
    /// Title of the show; empty while unknown.
    pub title: String,
    /// Viewers that are connected and were heard of in the last 5 s.
    pub viewers: u32,
    /// When it went live, in milliseconds since 1970 UTC; absent before the first picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
}

impl RoomView {
    fn empty(room: RoomId) -> Self {
        Self {
            room,
            state: RoomState::StartingSoon,
            title: String::new(),
            viewers: 0,
            since_ms: None,
        }
    }
}

/// Number of a viewer's session, unique for the life of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ViewerId(pub(crate) u64);

impl fmt::Display for ViewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What tells a room's viewers apart without saying who they are: the same for the same address and browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ViewerMark(pub(crate) [u8; 16]);

impl fmt::Debug for ViewerMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerMark")
    }
}

/// How media came into a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PublisherKind {
    /// [`Server::publish`](crate::Server::publish) in this process.
    Local,
    /// `POST /whip/{room}`.
    Whip,
}

/// Why a viewer is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaveReason {
    /// `DELETE` on its session.
    Deleted,
    /// It closed DTLS (close_notify) or its ICE failed.
    Closed,
    /// Nothing was heard of it for 15 s.
    Silent,
    /// The show ended or the server stopped.
    Ended,
    /// Its session broke inside the server; nobody else was touched.
    Broken,
}

/// Something that happened in a room. Sent to every receiver of [`Server::events`](crate::Server::events).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// Media is about to come from a publisher.
    PublisherCame {
        /// Where.
        room: RoomId,
        /// By which way.
        publisher: PublisherKind,
    },
    /// The publisher is gone. The room is `ended` if it said so, else it waits for its return.
    PublisherWent {
        /// Where.
        room: RoomId,
        /// Whether the show is over (`LocalPublisher::end`, WHIP DELETE).
        ended: bool,
    },
    /// The publisher did not answer three requests for a keyframe. It is asked only every 10 s from now on;
    /// viewers start from the cached pictures (OBS's WHIP output is known for this).
    KeyframesUnanswered {
        /// Where.
        room: RoomId,
    },
    /// A viewer's connection stands.
    ViewerJoined {
        /// Where.
        room: RoomId,
        /// Who.
        viewer: ViewerId,
        /// What tells them apart from others.
        mark: ViewerMark,
    },
    /// A viewer is gone.
    ViewerLeft {
        /// Where.
        room: RoomId,
        /// Who.
        viewer: ViewerId,
        /// Why.
        reason: LeaveReason,
    },
    /// State, title or number of viewers changed: the new view.
    Changed(RoomView),
}

/// All rooms that anybody publishes to or looks at. Shared by the media thread, which writes, and HTTP.
#[derive(Debug)]
pub(crate) struct Directory {
    rooms: Mutex<HashMap<RoomId, watch::Sender<RoomView>>>,
    events: broadcast::Sender<RoomEvent>,
    max_rooms: usize,
}

/// There is no place for another room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyRooms;

impl Directory {
    pub fn new(max_rooms: usize) -> Self {
        let (events, _) = broadcast::channel(1024);
        Self {
            rooms: Mutex::default(),
            events,
            max_rooms,
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, watch::Sender<RoomView>>> {
        // Every write is one whole assignment, so a poisoned map is still a sound one.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn events(&self) -> broadcast::Receiver<RoomEvent> {
        self.events.subscribe()
    }

    pub fn emit(&self, event: RoomEvent) {
        // An error only says that nobody listens.
        let _ = self.events.send(event);
    }

    /// What is known of the room; a room nobody has spoken of yet starts soon.
    pub fn view(&self, room: &RoomId) -> RoomView {
        match self.rooms().get(room) {
            Some(sender) => sender.borrow().clone(),
            None => RoomView::empty(room.clone()),
        }
    }

    /// Follows a room, also before it exists.
    pub fn watch(&self, room: &RoomId) -> Result<watch::Receiver<RoomView>, TooManyRooms> {
        let mut rooms = self.rooms();
        if let Some(sender) = rooms.get(room) {
            return Ok(sender.subscribe());
        }
        Self::make_place(&mut rooms, self.max_rooms)?;
        let (sender, receiver) = watch::channel(RoomView::empty(room.clone()));
        rooms.insert(room.clone(), sender);
        Ok(receiver)
    }

    /// Makes sure that the room exists, for a publisher.
    pub fn reserve(&self, room: &RoomId) -> Result<(), TooManyRooms> {
        self.watch(room).map(drop)
    }

    fn make_place(
        rooms: &mut HashMap<RoomId, watch::Sender<RoomView>>,
        max: usize,
    ) -> Result<(), TooManyRooms> {
        if rooms.len() < max {
            return Ok(());
        }
        rooms.retain(|_, sender| {
            let idle = sender.receiver_count() == 0
                && sender.borrow().viewers == 0
                && sender.borrow().state != RoomState::Live;
            !idle
        });
        if rooms.len() < max {
            Ok(())
        } else {
            Err(TooManyRooms)
        }
    }

    /// Changes what is known of a room and tells everybody, if it is a change.
    pub fn update(&self, room: &RoomId, change: impl FnOnce(&mut RoomView)) {
        let mut rooms = self.rooms();
        let sender = rooms
            .entry(room.clone())
            .or_insert_with(|| watch::channel(RoomView::empty(room.clone())).0);
        let changed = sender.send_if_modified(|view| {
            let before = view.clone();
            change(view);
            *view != before
        });
        if changed {
            let view = sender.borrow().clone();
            drop(rooms);
            self.emit(RoomEvent::Changed(view));
        }
    }
}

/// Of a minute.
pub(crate) const MINUTE_MS: u64 = 60_000;

/// Milliseconds since 1970 UTC.
pub(crate) fn wall_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        name.parse().expect("the test's room name is valid")
    }

    #[test]
    fn room_names_need_no_escaping() {
        assert_eq!(
            "Main_stage-2".parse::<RoomId>().map(|r| r.to_string()),
            Ok("Main_stage-2".into())
        );
        assert_eq!("".parse::<RoomId>(), Err(RoomIdError::Length));
        assert_eq!("x".repeat(65).parse::<RoomId>(), Err(RoomIdError::Length));
        for bad in ["a/b", "..", "é", "a b", "a%20", "a\n"] {
            assert_eq!(
                bad.parse::<RoomId>(),
                Err(RoomIdError::Character),
                "{bad:?} must be refused"
            );
        }
    }

    #[test]
    fn a_title_is_one_line_of_bounded_length() {
        let info = RoomInfo {
            title: format!("a\nb\u{7}{}", "x".repeat(500)),
        };
        assert_eq!(info.clean_title().chars().count(), 200);
        assert!(info.clean_title().starts_with("abx"));
    }

    #[test]
    fn watching_an_unknown_room_says_starting_soon_and_then_follows() {
        let directory = Directory::new(8);
        let receiver = directory.watch(&room("later")).expect("there is place");
        assert_eq!(receiver.borrow().state, RoomState::StartingSoon);
        directory.update(&room("later"), |view| view.state = RoomState::Live);
        assert_eq!(receiver.borrow().state, RoomState::Live);
    }

    #[test]
    fn idle_rooms_give_way_and_watched_or_live_ones_do_not() {
        let directory = Directory::new(2);
        directory.update(&room("live"), |view| view.state = RoomState::Live);
        drop(directory.watch(&room("idle")).expect("there is place"));
        let _kept = directory
            .watch(&room("watched"))
            .expect("the idle room gives way");
        assert_eq!(directory.watch(&room("more")).map(drop), Err(TooManyRooms));
        assert_eq!(directory.view(&room("live")).state, RoomState::Live);
    }

    #[test]
    fn an_update_that_changes_nothing_tells_nobody() {
        let directory = Directory::new(2);
        let mut events = directory.events();
        directory.update(&room("a"), |view| view.viewers = 0);
        assert!(events.try_recv().is_err(), "nothing changed");
        directory.update(&room("a"), |view| view.viewers = 1);
        assert!(matches!(events.try_recv(), Ok(RoomEvent::Changed(v)) if v.viewers == 1));
    }
}

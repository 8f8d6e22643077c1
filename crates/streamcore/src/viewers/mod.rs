//! Who watches: for host and moderators in numbers, show by show and minute by minute.
//!
//! A show begins when media comes into a room and ends when its publisher says so, or has been away for ten minutes.
//! `attendance` counts as a pure function of what happens and when, `keep` writes it into the rooms' database, `wire` has
//! what is told. No address is kept: visitors are told apart by a hash whose salt is made for the show and goes with it,
//! and the hashes go too.

mod attendance;
mod keep;
mod wire;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use crate::chat::{KeepError, Keeper};
use crate::room::{RoomEvent, RoomId, ViewerMark, wall_ms};
use attendance::{Attendance, Kept, Minute, Visitor};
use keep::{Progress, ShowId};
pub(crate) use wire::{CurvePoint, ShowFigures, Watching};

/// How long a publisher that was lost is waited for until its show counts as over.
const BACK_WITHIN_MS: u64 = 10 * 60 * 1000;
/// How often host and moderators are told.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How often it is written, in times of telling.
const WRITE_EVERY: u32 = 10;

/// The viewers of all rooms.
pub(crate) struct Viewers {
    keeper: Keeper,
    shows: Mutex<Shows>,
    told: Mutex<HashMap<RoomId, watch::Sender<Watching>>>,
}

#[derive(Default)]
struct Shows {
    on: HashMap<RoomId, Show>,
    /// Those that are over and not written.
    over: Vec<(RoomId, Show)>,
}

impl Shows {
    /// A room's show is over, since this moment.
    fn end(&mut self, room: &RoomId, at_ms: u64) {
        if let Some(mut show) = self.on.remove(room) {
            let minutes = show.attendance.end(at_ms);
            show.minutes.extend(minutes);
            self.over.push((room.clone(), show));
        }
    }
}

struct Show {
    /// Once it is written.
    id: Option<ShowId>,
    began_ms: u64,
    salt: [u8; 16],
    attendance: Attendance,
    /// Minutes that are over and not written.
    minutes: Vec<Minute>,
    /// Since when its publisher is away.
    away_ms: Option<u64>,
}

impl std::fmt::Debug for Viewers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Viewers")
    }
}

impl Show {
    fn new(now_ms: u64) -> Self {
        Self {
            id: None,
            began_ms: now_ms,
            salt: rand::random(),
            attendance: Attendance::new(Kept::default(), now_ms),
            minutes: Vec::new(),
            away_ms: None,
        }
    }

    fn visitor(&self, mark: ViewerMark) -> Visitor {
        short_hmac(&self.salt, &mark.0)
    }

    /// What is to be written now.
    fn progress(&mut self, id: ShowId, at_ms: u64, over: bool) -> Progress {
        let mut minutes = std::mem::take(&mut self.minutes);
        minutes.push(self.attendance.running());
        Progress {
            id,
            at_ms,
            totals: self.attendance.totals(at_ms),
            minutes,
            watched: self.attendance.changed(at_ms),
            over,
        }
    }
}

/// What stands for a viewer before the show's salt is known: an address and a browser, and no way back to them without
/// the server's key.
pub(crate) fn mark(keeper: &Keeper, room: &RoomId, address: IpAddr, browser: &str) -> ViewerMark {
    ViewerMark(short_hmac(
        &keeper.address_hash(room, address),
        browser.as_bytes(),
    ))
}

fn short_hmac(key: &[u8; 16], what: &[u8]) -> [u8; 16] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), what);
    let mut short = [0; 16];
    short.copy_from_slice(&tag.as_ref()[..16]);
    short
}

impl Viewers {
    /// With the shows that were going on when the database was written last, unless that is too long ago.
    pub async fn open(keeper: Keeper) -> Result<Arc<Self>, KeepError> {
        let now_ms = wall_ms();
        let mut shows = Shows::default();
        for open in keep::open_shows(&keeper).await? {
            let show = Show {
                id: Some(open.id),
                began_ms: open.began_ms,
                salt: open.salt.try_into().unwrap_or_else(|_| rand::random()),
                attendance: Attendance::new(open.kept, open.seen_ms),
                minutes: Vec::new(),
                away_ms: Some(open.seen_ms),
            };
            if now_ms.saturating_sub(open.seen_ms) > BACK_WITHIN_MS {
                shows.over.push((open.room, show));
            } else if let Some(earlier) = shows.on.insert(open.room.clone(), show) {
                shows.over.push((open.room, earlier));
            }
        }
        Ok(Arc::new(Self {
            keeper,
            shows: Mutex::new(shows),
            told: Mutex::default(),
        }))
    }

    fn shows(&self) -> MutexGuard<'_, Shows> {
        self.shows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts who comes and goes, until the server is gone. Waits for nothing else, so that no event is missed.
    pub async fn follow(self: Arc<Self>, mut events: broadcast::Receiver<RoomEvent>) {
        loop {
            match events.recv().await {
                Ok(event) => self.on_event(&event, wall_ms()),
                Err(RecvError::Lagged(missed)) => {
                    tracing::error!(missed, "viewers came and went faster than they are counted");
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn on_event(&self, event: &RoomEvent, now_ms: u64) {
        let mut shows = self.shows();
        match event {
            RoomEvent::PublisherCame { room, .. } => {
                let show = shows.on.entry(room.clone()).or_insert_with(|| Show::new(now_ms));
                show.away_ms = None;
            }
            RoomEvent::PublisherWent { room, ended } => {
                if let Some(show) = shows.on.get_mut(room) {
                    show.away_ms = Some(now_ms);
                }
                if *ended {
                    shows.end(room, now_ms);
                }
            }
            RoomEvent::ViewerJoined { room, viewer, mark } => {
                if let Some(show) = shows.on.get_mut(room) {
                    let visitor = show.visitor(*mark);
                    let over = show.attendance.join(*viewer, visitor, now_ms);
                    show.minutes.extend(over);
                }
            }
            RoomEvent::ViewerLeft { room, viewer, .. } => {
                if let Some(show) = shows.on.get_mut(room) {
                    let over = show.attendance.leave(*viewer, now_ms);
                    show.minutes.extend(over);
                }
            }
            RoomEvent::KeyframesUnanswered { .. } | RoomEvent::Changed(_) => {}
        }
    }

    /// Tells and writes from time to time, until the server stops; then once more.
    pub async fn keep_up(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut every = tokio::time::interval(TELL_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut turn = 0;
        loop {
            let stopping = tokio::select! {
                _ = every.tick() => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            let now_ms = wall_ms();
            self.tell(now_ms);
            turn = (turn + 1) % WRITE_EVERY;
            let all = stopping || turn == 0;
            if let Err(error) = self.write(now_ms, all).await {
                tracing::error!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "viewers' figures are not kept"
                );
            }
            if stopping {
                return;
            }
        }
    }

    fn tell(&self, now_ms: u64) {
        let mut shows = self.shows();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, sender| sender.receiver_count() > 0);
        let mut lost = Vec::new();
        for (room, show) in &mut shows.on {
            let over = show.attendance.pass(now_ms);
            show.minutes.extend(over);
            if let Some(sender) = told.get(room) {
                let totals = show.attendance.totals(now_ms);
                sender.send_if_modified(|before| std::mem::replace(before, totals) != totals);
            }
            if let Some(away_ms) = show.away_ms
                && now_ms.saturating_sub(away_ms) > BACK_WITHIN_MS
            {
                lost.push((room.clone(), away_ms));
            }
        }
        for (room, away_ms) in lost {
            shows.end(&room, away_ms);
        }
    }

    /// Writes shows that have begun or are over, or all.
    async fn write(&self, now_ms: u64, all: bool) -> Result<(), KeepError> {
        loop {
            let ended = self.shows().over.pop();
            let Some((room, mut show)) = ended else { break };
            let at_ms = show.away_ms.unwrap_or(now_ms);
            let id = self.id_of(&room, &show).await?;
            keep::write(&self.keeper, &show.progress(id, at_ms, true)).await?;
        }
        let due: Vec<(RoomId, Option<ShowId>, [u8; 16], u64)> = {
            let shows = self.shows();
            let due = shows.on.iter().filter(|(_, show)| all || show.id.is_none());
            due.map(|(room, show)| (room.clone(), show.id, show.salt, show.began_ms))
                .collect()
        };
        for (room, id, salt, began_ms) in due {
            let id = match id {
                Some(id) => id,
                None => keep::begin(&self.keeper, &room, &salt, began_ms).await?,
            };
            let progress = {
                let mut shows = self.shows();
                let Shows { on, over } = &mut *shows;
                // It may have ended meanwhile, and another one begun.
                let ended = over.iter_mut().map(|(_, show)| show);
                let Some(show) = ended.chain(on.values_mut()).find(|show| show.salt == salt) else {
                    continue;
                };
                show.id = Some(id);
                show.progress(id, now_ms, false)
            };
            keep::write(&self.keeper, &progress).await?;
        }
        Ok(())
    }

    async fn id_of(&self, room: &RoomId, show: &Show) -> Result<ShowId, KeepError> {
        match show.id {
            Some(id) => Ok(id),
            None => keep::begin(&self.keeper, room, &show.salt, show.began_ms).await,
        }
    }

    /// The numbers of a room's show as they change.
    pub fn watch(&self, room: &RoomId) -> watch::Receiver<Watching> {
        let now = self
            .shows()
            .on
            .get(room)
            .map(|show| show.attendance.totals(wall_ms()))
            .unwrap_or_default();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = told
            .entry(room.clone())
            .or_insert_with(|| watch::channel(Watching::default()).0);
        sender.send_replace(now);
        let mut receiver = sender.subscribe();
        // Whoever comes is told at once.
        receiver.mark_changed();
        receiver
    }

    /// A room's shows, the last one first; of the one that goes on the numbers of this moment.
    pub async fn shows_of(&self, room: &RoomId) -> Result<Vec<ShowFigures>, KeepError> {
        let mut list = keep::shows(&self.keeper, room).await?;
        let shows = self.shows();
        if let Some(show) = shows.on.get(room) {
            let written = list
                .iter_mut()
                .find(|one| show.id == Some(one.show.cast_signed()));
            if let Some(one) = written {
                one.watching = show.attendance.totals(wall_ms());
            }
        }
        Ok(list)
    }

    /// A show minute by minute, oldest first.
    pub async fn curve(&self, room: &RoomId, show: u64) -> Result<Vec<CurvePoint>, KeepError> {
        keep::curve(&self.keeper, room, show).await
    }
}

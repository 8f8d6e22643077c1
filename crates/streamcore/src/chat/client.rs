//! One client of a room's chat, whatever way its messages take: who it is, what it is told, how fast it may ask.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{Utf8Bytes, close_code};
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::actor::{Ask, Batch, Chat, Joined, RoomHandle, wait_until};
use super::doors::Held;
use super::entry::{SignedIn, confirm, who};
use super::identity::{Role, guest_name, new_member};
use super::requests::unreadable;
use super::room::Speaker;
use super::text::clean_name;
use super::wire::{Author, FromClient, Happening, Refused, Seq, ToClient, VERSION, You};
use crate::bucket::Bucket;
use crate::money::wire::MoneyHappening;
use crate::money::{NoEntry, Place};
use crate::room::{RoomId, wall_ms};
use crate::viewers::Watching;

/// How long a client may take to say who it is.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often a silent connection is asked for a sign of life; proxies close silent ones after 30 s or more.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long nothing may be heard of a client, and how long one frame may take to it.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(50);
/// Requests a second of one connection; faster ones wait in its socket.
const REQUESTS_PER_SECOND: f64 = 10.0;
const REQUESTS_AT_ONCE: u32 = 20;
/// Batches that go out in one frame at most.
const MERGED: usize = 64;

/// What a client's messages travel over: one text each way is one message.
pub(super) trait Wire: Send + 'static {
    /// The next that comes. Dropped unfinished it loses nothing.
    fn hear(&mut self) -> impl Future<Output = Heard> + Send;
    /// Takes a message, or waits until it can.
    fn say(&mut self, text: Utf8Bytes) -> impl Future<Output = Result<(), Over>> + Send;
    /// Asks for a sign of life.
    fn ping(&mut self) -> impl Future<Output = Result<(), Over>> + Send;
    /// Ends it, with a WebSocket's close code and a word for logs.
    fn close(&mut self, code: u16, reason: &'static str) -> impl Future<Output = ()> + Send;
}

/// What came.
pub(super) enum Heard {
    Text(Utf8Bytes),
    /// A sign of life, and nothing else.
    Life,
    /// Nothing comes any more.
    End,
}

/// The connection is over, in whatever way.
pub(super) struct Over;

/// Whoever stands before the door.
pub(super) struct Entrance {
    pub chat: Arc<Chat>,
    pub room: RoomId,
    pub address: IpAddr,
    pub stop: watch::Receiver<bool>,
    pub place: Arc<OwnedSemaphorePermit>,
    /// The place before the door; a host needs none.
    pub before: Option<Held>,
}

pub(super) struct Client<W> {
    pub(super) chat: Arc<Chat>,
    pub(super) room: RoomId,
    wire: W,
    address: IpAddr,
    stop: watch::Receiver<bool>,
    _place: Arc<OwnedSemaphorePermit>,
    /// Before the door, then in the room; none of a host's or a moderator's.
    held: Option<Held>,
    /// With a ticket: its device's place.
    place: Option<Place>,
    /// What an account has shown.
    pub(super) signed_in: Option<SignedIn>,
}

impl<W: Wire> Client<W> {
    pub(super) fn new(entrance: Entrance, wire: W) -> Self {
        Self {
            chat: entrance.chat,
            room: entrance.room,
            wire,
            address: entrance.address,
            stop: entrance.stop,
            _place: entrance.place,
            held: entrance.before,
            place: None,
            signed_in: None,
        }
    }

    pub(super) async fn run(mut self) {
        let Ok(Ok(hello)) = tokio::time::timeout(HELLO_WITHIN, self.hello()).await else {
            return;
        };
        let Ok((member, handle, batches)) = self.join(hello).await else {
            return;
        };
        let id = member.author.id.clone();
        // An error is the end, however it came.
        let _ = self.talk(member, &handle, batches).await;
        handle.leave(id).await;
    }

    async fn hello(&mut self) -> Result<FromClient, Over> {
        loop {
            match self.wire.hear().await {
                Heard::Text(text) => match serde_json::from_str(&text) {
                    Ok(hello @ FromClient::Hello { .. }) => return Ok(hello),
                    Ok(_) => return self.turn_away(unreadable("say hello first")).await,
                    Err(error) => return self.turn_away(unreadable(error)).await,
                },
                Heard::Life => {}
                Heard::End => return Err(Over),
            }
        }
    }

    /// Says why, and closes.
    async fn turn_away<T>(&mut self, why: Refused) -> Result<T, Over> {
        self.send(&ToClient::Refused { id: None, why }).await?;
        self.close(close_code::POLICY, "refused").await;
        Err(Over)
    }

    async fn join(
        &mut self,
        hello: FromClient,
    ) -> Result<(Speaker, RoomHandle, broadcast::Receiver<Batch>), Over> {
        let FromClient::Hello {
            version,
            token,
            name,
            last_seq,
            pass,
        } = hello
        else {
            return Err(Over);
        };
        if version != VERSION {
            return self.turn_away(Refused::Version { wanted: VERSION }).await;
        }
        let entered = self
            .enter(token.as_deref(), name.as_deref(), last_seq, pass.as_deref())
            .await;
        let (speaker, handle, joined) = match entered {
            Ok(joined) => joined,
            Err(refused) => return self.turn_away(refused).await,
        };
        let welcome = match self.token_of(&speaker.author) {
            Some(token) => ToClient::Welcome {
                version: VERSION,
                you: You {
                    id: speaker.author.id.clone(),
                    name: speaker.author.name.clone(),
                    role: speaker.author.role,
                    token,
                    restriction: joined.restriction,
                },
                seq: joined.seq,
                now_ms: wall_ms(),
                interest: joined.interest,
                snapshot: joined.snapshot,
                events: joined.missed,
                engage: joined.engage,
            },
            None => ToClient::Refused {
                id: None,
                why: Refused::Unavailable,
            },
        };
        if self.send(&welcome).await.is_err() {
            handle.leave(speaker.author.id).await;
            return Err(Over);
        }
        Ok((speaker, handle, joined.batches))
    }

    /// Finds out who it is, and joins.
    async fn enter(
        &mut self,
        token: Option<&str>,
        name: Option<&str>,
        last_seq: Option<Seq>,
        pass: Option<&str>,
    ) -> Result<(Speaker, RoomHandle, Joined), Refused> {
        let mut author = self.author(token, name).await?;
        // Before the room is woken: a crowd at the door must cost it nothing.
        self.held = match author.role {
            Role::Viewer => Some(self.place()?),
            Role::Moderator | Role::Host => None,
        };
        if author.role == Role::Viewer {
            self.place = self.chat.gate.enter(&self.room, pass).await.map_err(no_entry)?;
        }
        let handle = self.chat.room(&self.room)?;
        if self.signed_in.is_none() {
            confirm(&handle, &mut author).await?;
        }
        let speaker = Speaker {
            author,
            address: self.chat.keeper.address_hash(&self.room, self.address),
        };
        let joining = speaker.clone();
        let joined = handle
            .ask(|reply| Ask::Join {
                speaker: joining,
                last_seq,
                reply,
            })
            .await??;
        Ok((speaker, handle, joined))
    }

    /// Who it is by its token, or somebody new.
    async fn author(&mut self, token: Option<&str>, name: Option<&str>) -> Result<Author, Refused> {
        let Some(token) = token else {
            let id = new_member();
            let name = name.and_then(clean_name).unwrap_or_else(|| guest_name(&id));
            return Ok(Author {
                id,
                name,
                role: Role::Viewer,
            });
        };
        let known = who(&self.chat, &self.room, token).await?;
        self.signed_in = known.signed_in;
        Ok(known.author)
    }

    /// A viewer's place in the room.
    fn place(&self) -> Result<Held, Refused> {
        let place = self.chat.doors.enter(&self.room, self.address, Instant::now());
        place.map_err(|wait| Refused::Crowded {
            retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1),
        })
    }

    /// What to show next time: an account keeps the site's own, so that nothing of ours outlives it.
    pub(super) fn token_of(&self, author: &Author) -> Option<String> {
        if let Some(signed_in) = &self.signed_in {
            return Some(signed_in.token.clone());
        }
        self.chat
            .tokens
            .sign(&self.room, &author.id, &author.name, author.role, wall_ms())
    }

    async fn talk(
        &mut self,
        mut member: Speaker,
        handle: &RoomHandle,
        mut batches: broadcast::Receiver<Batch>,
    ) -> Result<(), Over> {
        let mut pace = Bucket::new(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE, Instant::now());
        let mut ping = tokio::time::interval(PING_EVERY);
        let mut heard = Instant::now();
        let mut deaf_until = None;
        let ends = self.signed_in.as_ref().and_then(|signed_in| {
            let left = signed_in.exp.saturating_sub(wall_ms() / 1000);
            heard.checked_add(Duration::from_secs(left))
        });
        let mut stop = self.stop.clone();
        let mut watching =
            (member.author.role >= Role::Moderator).then(|| self.chat.viewers.watch(&self.room));
        loop {
            tokio::select! {
                () = stopped(&mut stop) => {
                    self.close(close_code::AWAY, "the server stops").await;
                    return Err(Over);
                }
                batch = batches.recv() => self.pass_on(batch, &mut batches, &member).await?,
                watching = next(&mut watching) => self.send(&ToClient::Watching { watching }).await?,
                _ = ping.tick() => {
                    if heard.elapsed() > SILENT_FOR {
                        return Err(Over);
                    }
                    in_time(self.wire.ping()).await?;
                }
                // Whoever the site knows no more is nobody here; the page comes back with a new token, or as a guest.
                () = wait_until(ends), if ends.is_some() => return self.turn_away(Refused::Token).await,
                () = wait_until(deaf_until), if deaf_until.is_some() => {
                    deaf_until = None;
                    // The one that was served on trust is paid for now: otherwise every second one is free.
                    let _as_waited_for = pace.take(Instant::now());
                }
                heard_now = self.wire.hear(), if deaf_until.is_none() => {
                    heard = Instant::now();
                    match heard_now {
                        Heard::Text(text) => {
                            if let Err(wait) = pace.take(heard) {
                                // This one is still served; the next is read when there is a permit for it.
                                deaf_until = Some(heard + wait);
                            }
                            self.on_text(&text, &mut member, handle).await?;
                        }
                        Heard::Life => {}
                        Heard::End => return Err(Over),
                    }
                }
            }
        }
    }

    /// Everything that waits, in one frame.
    async fn pass_on(
        &mut self,
        first: Result<Batch, broadcast::error::RecvError>,
        batches: &mut broadcast::Receiver<Batch>,
        member: &Speaker,
    ) -> Result<(), Over> {
        let Ok(first) = first else {
            // Too far behind, or the room begins anew: whoever comes back is told what it missed.
            self.close(close_code::AGAIN, "come back").await;
            return Err(Over);
        };
        let mut frame = String::from(r#"{"type":"events","events":["#);
        let empty = frame.len();
        let mut next = Some(first);
        let mut merged = 0;
        // The last one says it all.
        let mut interest = None;
        let mut pulses = Vec::new();
        while let Some(batch) = next.take() {
            let events = match batch {
                Batch::Events(events) => events,
                Batch::Interest(json) => {
                    interest = Some(json);
                    Arc::default()
                }
                Batch::TicketsEnd(ended) => {
                    let ends = |place: &Place| ended.iter().any(|ticket| ticket == place.ticket());
                    if self.place.as_ref().is_some_and(ends) {
                        return self.turn_away(Refused::Ticket).await;
                    }
                    Arc::default()
                }
                Batch::Pulse(json) => {
                    pulses.push(json);
                    Arc::default()
                }
            };
            for shipped in events.iter() {
                if shipped.turns_away(&member.author.id) {
                    return self.turn_away(Refused::Token).await;
                }
                if member.author.role == Role::Viewer && self.shown_out_by(&shipped.told.event.what) {
                    return self.turn_away(Refused::Ticket).await;
                }
                if let Some(json) = shipped.json_for(member.author.role, &member.author.id) {
                    if frame.len() > empty {
                        frame.push(',');
                    }
                    frame.push_str(json);
                }
            }
            merged += 1;
            if merged < MERGED {
                next = batches.try_recv().ok();
            }
        }
        if frame.len() > empty {
            frame.push_str("]}");
            self.put(frame.into()).await?;
        }
        // After the events that they are about.
        for json in pulses {
            self.put((*json).into()).await?;
        }
        match interest {
            Some(json) if member.author.role >= Role::Moderator => self.put((*json).into()).await,
            _ => Ok(()),
        }
    }

    /// Whether a viewer must show a ticket from now on, or another one.
    fn shown_out_by(&self, what: &Happening) -> bool {
        match what {
            Happening::Money {
                what: MoneyHappening::Priced { ticket: Some(_) },
            } => self.place.is_none(),
            Happening::Money {
                what: MoneyHappening::Show { .. },
            } => self.place.is_some(),
            _ => false,
        }
    }

    async fn send(&mut self, message: &ToClient) -> Result<(), Over> {
        let text = serde_json::to_string(message).map_err(|_| Over)?;
        self.put(text.into()).await
    }

    async fn put(&mut self, text: Utf8Bytes) -> Result<(), Over> {
        in_time(self.wire.say(text)).await
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        // Whoever does not take the end in time is gone all the same.
        let _ = tokio::time::timeout(SILENT_FOR, self.wire.close(code, reason)).await;
    }

    async fn on_text(
        &mut self,
        text: &Utf8Bytes,
        member: &mut Speaker,
        handle: &RoomHandle,
    ) -> Result<(), Over> {
        let answer = match serde_json::from_str::<FromClient>(text) {
            Err(error) => ToClient::Refused {
                id: None,
                why: unreadable(error),
            },
            Ok(request) => self.on_request(request, member, handle).await,
        };
        self.send(&answer).await
    }
}

fn no_entry(why: NoEntry) -> Refused {
    match why {
        NoEntry::Needed(_) | NoEntry::Refunded => Refused::Ticket,
        NoEntry::Devices(most) => Refused::Devices {
            most: u32::try_from(most).unwrap_or(u32::MAX),
        },
        NoEntry::Unavailable => Refused::Unavailable,
    }
}

async fn in_time(taken: impl Future<Output = Result<(), Over>>) -> Result<(), Over> {
    tokio::time::timeout(SILENT_FOR, taken).await.map_err(|_| Over)?
}

/// The next numbers; never, of whoever is not told.
async fn next(watching: &mut Option<watch::Receiver<Watching>>) -> Watching {
    if let Some(receiver) = watching
        && receiver.changed().await.is_ok()
    {
        return *receiver.borrow_and_update();
    }
    std::future::pending().await
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the server was dropped: it has stopped as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

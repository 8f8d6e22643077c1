//! One client: a WebSocket at `/chat/{room}`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message as Frame, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::actor::{Ask, Batch, Chat, Joined, RoomHandle, wait_until};
use super::doors::Held;
use super::identity::{Role, guest_name, new_member};
use super::keep::KeepError;
use super::room::Speaker;
use super::text::{Text, clean_name};
use super::wire::{Act, Author, Done, Entry, FromClient, Refused, RequestId, Seq, ToClient, VERSION, You};
use crate::bucket::Bucket;
use crate::http::App;
use crate::http::answer::Refusal;
use crate::http::bearer;
use crate::room::{RoomId, wall_ms};

/// Largest message of a client: 500 characters with room for JSON and tokens, and a list of 500 words.
const MOST_BYTES: usize = 64 * 1024;
/// Largest message of a client that shows the host's token when it connects: 200 products with all that they may have.
const MOST_BYTES_OF_A_HOST: usize = 1024 * 1024;
/// How long a client may take to say who it is.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often a silent connection is asked for a sign of life; proxies close silent ones after 30 s or more.
const PING_EVERY: Duration = Duration::from_secs(20);
/// How long nothing may be heard of a client, and how long one frame may take to it.
const SILENT_FOR: Duration = Duration::from_secs(50);
/// Requests a second of one connection; faster ones wait in its socket.
const REQUESTS_PER_SECOND: f64 = 10.0;
const REQUESTS_AT_ONCE: u32 = 20;
/// When a connection that found no place before the door is worth another try, in seconds.
const KNOCK_AGAIN_AFTER_S: u32 = 10;
/// The host, as a member.
const HOST: &str = "host";
/// Batches that go out in one frame at most.
const MERGED: usize = 64;

/// `GET /chat/{room}`.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Path(room): Path<String>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    let room: RoomId = room.parse().map_err(|_| Refusal::no_such_room())?;
    let place = app.listener_place()?;
    let (chat, stop) = (app.chat(), app.stopping());
    let address = app.viewer_address(from, &headers);
    let hosts = is_host(&chat, &room, &headers);
    let before = chat.doors.knock(address);
    if before.is_none() && !hosts {
        let text = "Too many connections from this address have not said who they are.";
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, text).retry_after(KNOCK_AGAIN_AFTER_S));
    }
    // Strangers could fill the memory with the beginnings of large messages.
    let most = if hosts { MOST_BYTES_OF_A_HOST } else { MOST_BYTES };
    let upgrade = upgrade.max_message_size(most).max_frame_size(most);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let client = Client {
            chat,
            room,
            socket,
            address,
            stop,
            _place: place,
            held: before,
            signed_in: None,
        };
        client.run().await;
    }))
}

struct Client {
    chat: Arc<Chat>,
    room: RoomId,
    socket: WebSocket,
    address: IpAddr,
    stop: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
    /// Before the door, then in the room; none of a host's or a moderator's.
    held: Option<Held>,
    /// What an account has shown.
    signed_in: Option<SignedIn>,
}

/// The token of the host's own site, and when it ends, in seconds since 1970 UTC.
struct SignedIn {
    token: String,
    exp: u64,
}

/// The connection is over, in whatever way.
struct Over;

impl Client {
    async fn run(mut self) {
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
            match self.socket.recv().await {
                Some(Ok(Frame::Text(text))) => match serde_json::from_str(&text) {
                    Ok(hello @ FromClient::Hello { .. }) => return Ok(hello),
                    Ok(_) => return self.turn_away(unreadable("say hello first")).await,
                    Err(error) => return self.turn_away(unreadable(error)).await,
                },
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                _ => return Err(Over),
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
        } = hello
        else {
            return Err(Over);
        };
        if version != VERSION {
            return self.turn_away(Refused::Version { wanted: VERSION }).await;
        }
        let entered = self.enter(token.as_deref(), name.as_deref(), last_seq).await;
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
    ) -> Result<(Speaker, RoomHandle, Joined), Refused> {
        let mut author = self.author(token, name).await?;
        // Before the room is woken: a crowd at the door must cost it nothing.
        self.held = match author.role {
            Role::Viewer => Some(self.place()?),
            Role::Moderator | Role::Host => None,
        };
        let handle = self.chat.room(&self.room)?;
        if author.role == Role::Moderator && self.signed_in.is_none() {
            // A moderator is one for as long as the host wants.
            let member = author.id.clone();
            let invited = handle.ask(|reply| Ask::Invited { member, reply }).await?;
            author.name = invited.ok_or(Refused::Token)?;
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
        let now_ms = wall_ms();
        let Some(claims) = self.chat.tokens.read(&self.room, token, now_ms) else {
            let site = self.chat.site.as_ref().ok_or(Refused::Token)?;
            let account = site.read(&self.room, token, now_ms).await;
            let account = account.ok_or(Refused::Token)?;
            self.signed_in = Some(SignedIn {
                token: token.to_owned(),
                exp: account.exp,
            });
            return Ok(account.author);
        };
        Ok(Author {
            id: claims.sub,
            name: claims.name,
            role: claims.role,
        })
    }

    /// A viewer's place in the room.
    fn place(&self) -> Result<Held, Refused> {
        let place = self.chat.doors.enter(&self.room, self.address, Instant::now());
        place.map_err(|wait| Refused::Crowded {
            retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1),
        })
    }

    /// What to show next time: an account keeps the site's own, so that nothing of ours outlives it.
    fn token_of(&self, author: &Author) -> Option<String> {
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
        loop {
            tokio::select! {
                () = stopped(&mut stop) => {
                    self.close(close_code::AWAY, "the server stops").await;
                    return Err(Over);
                }
                batch = batches.recv() => self.pass_on(batch, &mut batches, &member).await?,
                _ = ping.tick() => {
                    if heard.elapsed() > SILENT_FOR {
                        return Err(Over);
                    }
                    self.put(Frame::Ping(Vec::new().into())).await?;
                }
                // Whoever the site knows no more is nobody here; the page comes back with a new token, or as a guest.
                () = wait_until(ends), if ends.is_some() => return self.turn_away(Refused::Token).await,
                () = wait_until(deaf_until), if deaf_until.is_some() => {
                    deaf_until = None;
                    // The one that was served on trust is paid for now: otherwise every second one is free.
                    let _as_waited_for = pace.take(Instant::now());
                }
                frame = self.socket.recv(), if deaf_until.is_none() => {
                    heard = Instant::now();
                    match frame {
                        Some(Ok(Frame::Text(text))) => {
                            if let Err(wait) = pace.take(heard) {
                                // This one is still served; the next is read when there is a permit for it.
                                deaf_until = Some(heard + wait);
                            }
                            self.on_text(&text, &mut member, handle).await?;
                        }
                        Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                        _ => return Err(Over),
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
        while let Some(batch) = next.take() {
            let events = match batch {
                Batch::Events(events) => events,
                Batch::Interest(json) => {
                    interest = Some(json);
                    Arc::default()
                }
            };
            for shipped in events.iter() {
                if shipped.turns_away(&member.author.id) {
                    return self.turn_away(Refused::Token).await;
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
            self.put(Frame::Text(frame.into())).await?;
        }
        match interest {
            Some(json) if member.author.role >= Role::Moderator => {
                self.put(Frame::Text((*json).into())).await
            }
            _ => Ok(()),
        }
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

    async fn on_request(
        &mut self,
        request: FromClient,
        member: &mut Speaker,
        handle: &RoomHandle,
    ) -> ToClient {
        match request {
            FromClient::Hello { .. } => ToClient::Refused {
                id: None,
                why: unreadable("hello has been said"),
            },
            FromClient::Say { id, text, reply_to } => answer(id, say(handle, member, text, reply_to).await),
            FromClient::Rename { id, name } => answer(id, self.rename(member, &name)),
            FromClient::Moderate { id, act, reason } => {
                answer(id, self.moderate(handle, member, act, reason).await)
            }
            FromClient::History { id, before, search } => {
                let search = search.as_deref();
                match self.chat.keeper.history(&self.room, before, search).await {
                    Ok(page) => ToClient::History {
                        id,
                        messages: page.messages,
                        more: page.more,
                    },
                    Err(error) => self.unavailable(id, &error),
                }
            }
            FromClient::Log { id, .. } if member.author.role < Role::Moderator => {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Log { id, before } => match self.chat.keeper.log(&self.room, before).await {
                Ok(entries) => match told_truly(handle, entries).await {
                    Ok(entries) => ToClient::Log { id, entries },
                    Err(why) => answer(id, Err(why)),
                },
                Err(error) => self.unavailable(id, &error),
            },
            FromClient::Visited { id, product, what } => {
                let by = member.clone();
                let visit = |reply| Ask::Visit {
                    by,
                    product,
                    what,
                    reply,
                };
                let result = handle.ask(visit).await.and_then(std::convert::identity);
                answer(id, result)
            }
            FromClient::Figures { id, .. } if member.author.role < Role::Moderator => {
                answer(id, Err(Refused::NotAllowed))
            }
            FromClient::Figures { id, from_ms } => {
                match self.chat.keeper.figures(&self.room, from_ms).await {
                    Ok((figures, more)) => ToClient::Figures { id, figures, more },
                    Err(error) => self.unavailable(id, &error),
                }
            }
        }
    }

    fn unavailable(&self, id: RequestId, error: &KeepError) -> ToClient {
        log_failure(&self.room, error);
        answer(id, Err(Refused::Unavailable))
    }

    fn rename(&self, member: &mut Speaker, name: &str) -> Result<Done, Refused> {
        // A moderator's name is what the host called them, an account's what the site did.
        if member.author.role == Role::Moderator || self.signed_in.is_some() {
            return Err(Refused::NotAllowed);
        }
        let name = clean_name(name).ok_or_else(|| Refused::OutOfRange { field: "name".into() })?;
        member.author.name.clone_from(&name);
        let token = self.token_of(&member.author).ok_or(Refused::Unavailable)?;
        Ok(Done::Renamed { name, token })
    }

    async fn moderate(
        &mut self,
        handle: &RoomHandle,
        by: &Speaker,
        act: Act,
        reason: Option<String>,
    ) -> Result<Done, Refused> {
        let invited = match &act {
            Act::Invite { name } => clean_name(name),
            _ => None,
        };
        has_images(&self.chat, &self.room, by, &act).await?;
        let by = by.clone();
        let done = handle
            .ask(|reply| Ask::Moderate {
                by,
                act: Box::new(act),
                reason,
                reply,
            })
            .await??;
        let Done::Invited { member, .. } = done else {
            return Ok(done);
        };
        let name = invited.unwrap_or_default();
        let token = self
            .chat
            .tokens
            .sign(&self.room, &member, &name, Role::Moderator, wall_ms());
        token
            .map(|token| Done::Invited { member, token })
            .ok_or(Refused::Unavailable)
    }

    async fn send(&mut self, message: &ToClient) -> Result<(), Over> {
        let text = serde_json::to_string(message).map_err(|_| Over)?;
        self.put(Frame::Text(text.into())).await
    }

    async fn put(&mut self, frame: Frame) -> Result<(), Over> {
        match tokio::time::timeout(SILENT_FOR, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }

    async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        // Gone already is as good.
        let _ = self.put(Frame::Close(Some(frame))).await;
    }
}

async fn say(
    handle: &RoomHandle,
    member: &Speaker,
    text: Text,
    reply_to: Option<Seq>,
) -> Result<Done, Refused> {
    let speaker = member.clone();
    handle
        .ask(|reply| Ask::Say {
            speaker,
            text,
            reply_to,
            reply,
        })
        .await?
}

/// Entries as they stand in the log, each with whether it can be taken back now: what that takes is the room's, and is in
/// no database.
async fn told_truly(handle: &RoomHandle, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Refused> {
    let undoable = handle.ask(|reply| Ask::Undoable { reply }).await?;
    for entry in &mut entries {
        entry.undoable = undoable.contains(&entry.number);
    }
    Ok(entries)
}

fn answer(id: RequestId, result: Result<Done, Refused>) -> ToClient {
    match result {
        Ok(what) => ToClient::Done { id, what },
        Err(why) => ToClient::Refused { id: Some(id), why },
    }
}

fn unreadable(detail: impl std::fmt::Display) -> Refused {
    Refused::Unreadable {
        detail: detail.to_string().chars().take(200).collect(),
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the server was dropped: it has stopped as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Looks whether every picture that an act names is in the room.
async fn has_images(chat: &Chat, room: &RoomId, by: &Speaker, act: &Act) -> Result<(), Refused> {
    let (list, one) = match act {
        Act::Products { list } => (list.as_slice(), false),
        Act::Product { product } => (std::slice::from_ref(product), true),
        _ => return Ok(()),
    };
    // The room says no to everybody else, and needs no database for it.
    if by.author.role < Role::Host {
        return Ok(());
    }
    let missing = chat.keeper.without_image(room, list).await;
    let missing = missing.map_err(|error| {
        log_failure(room, &error);
        Refused::Unavailable
    })?;
    let Some(at) = missing else { return Ok(()) };
    let place = if one {
        "product".to_owned()
    } else {
        format!("products[{at}]")
    };
    Err(Refused::OutOfRange {
        field: format!("{place}.image"),
    })
}

fn log_failure(room: &RoomId, error: &KeepError) {
    tracing::error!(%room, error = error as &(dyn std::error::Error + 'static), "the room database failed");
}

/// Whether a request shows the token of this room's host.
pub(crate) fn is_host(chat: &Chat, room: &RoomId, headers: &HeaderMap) -> bool {
    let token = headers.get(header::AUTHORIZATION).and_then(bearer);
    let claims = token.and_then(|token| chat.tokens.read(room, token, wall_ms()));
    claims.is_some_and(|claims| claims.role == Role::Host)
}

/// A token of the host: one member, whatever name it speaks under.
pub(crate) fn host_token(chat: &Chat, room: &RoomId, name: &str) -> Option<String> {
    let name = clean_name(name)?;
    chat.tokens.sign(room, HOST, &name, Role::Host, wall_ms())
}

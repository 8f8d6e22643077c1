//! Who may come in where watching costs something: tickets, and the devices on which they play.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::amount::Sum;
use super::payment::{MoneyChange, Payment, State};
use super::ticket::{Pass, TicketKey};
use super::till::Till;
use super::wire::{Kind, PaymentId};
use crate::chat::{Change, KeepError, Keeper};
use crate::media::command::{Command, CommandSender, SessionName};
use crate::room::RoomId;

/// A session that is younger than this may not be known to the media thread yet.
const YOUNG: Duration = Duration::from_secs(5);
const FIRST_SHOW: u32 = 1;

/// What a room charges now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    show: u32,
    price: Option<Sum>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            show: FIRST_SHOW,
            price: None,
        }
    }
}

/// Somebody whom the gate lets in.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Watching is free.
    Free,
    /// With a ticket.
    Ticket(Entry),
}

/// A ticket that holds, on one device.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub pass: Pass,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoEntry {
    /// Watching costs so much, and no ticket that holds was shown.
    Needed(Sum),
    /// The ticket was given back.
    Refunded,
    /// It plays on as many devices as it may.
    Devices(usize),
    /// The books cannot be read.
    Unavailable,
}

/// What a device does with a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Use {
    /// Watches.
    Session(SessionName, Instant),
    /// Is in the chat; a number of our own.
    Chat(u64),
}

/// By ticket: device and what it does.
type Uses = HashMap<PaymentId, Vec<(String, Use)>>;

/// A device's place in the chat, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pass: Pass,
    number: u64,
    uses: Arc<Mutex<Uses>>,
}

impl Place {
    /// The ticket.
    pub fn ticket(&self) -> &str {
        &self.pass.ticket
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut uses = lock(&self.uses);
        if let Some(list) = uses.get_mut(&self.pass.ticket) {
            list.retain(|(_, one)| *one != Use::Chat(self.number));
            if list.is_empty() {
                uses.remove(&self.pass.ticket);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All rooms' gates. There without payments too: a room that was on sale stays shut.
pub(crate) struct Gate {
    pub(super) key: TicketKey,
    keeper: Keeper,
    commands: CommandSender,
    devices: usize,
    terms: Mutex<HashMap<RoomId, Terms>>,
    uses: Arc<Mutex<Uses>>,
    till: Option<Till>,
    /// Rung when a payment is to be given back.
    pub(super) refunds: Notify,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// With what the books say of every room.
    pub async fn open(
        keeper: Keeper,
        key: TicketKey,
        commands: CommandSender,
        devices: usize,
        till: Option<Till>,
    ) -> Result<Arc<Self>, KeepError> {
        let kept = keeper.terms().await?;
        let terms = kept
            .into_iter()
            .map(|(room, show, price)| (room, Terms { show, price }));
        Ok(Arc::new(Self {
            terms: Mutex::new(terms.collect()),
            key,
            keeper,
            commands,
            devices,
            uses: Arc::default(),
            till,
            refunds: Notify::new(),
        }))
    }

    /// Where viewers pay; none without payments.
    pub fn till(&self) -> Option<&Till> {
        self.till.as_ref()
    }

    /// The books.
    pub(super) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    fn terms(&self, room: &RoomId) -> Terms {
        lock(&self.terms).get(room).cloned().unwrap_or_default()
    }

    /// What watching costs now; nothing: it is free.
    pub fn price(&self, room: &RoomId) -> Option<Sum> {
        self.terms(room).price
    }

    /// The show that is on sale now.
    pub fn show(&self, room: &RoomId) -> u32 {
        self.terms(room).show
    }

    /// Whether a paid ticket is good in its room now.
    pub(super) fn holds(&self, ticket: &Payment) -> bool {
        ticket.kind == Kind::Ticket
            && ticket.state == State::Paid
            && !ticket.given_back()
            && ticket.show == self.show(&ticket.room)
    }

    /// Looks at the code that a device shows, without taking a place.
    async fn look(&self, room: &RoomId, code: Option<&str>) -> Result<Admission, NoEntry> {
        let Some(price) = self.price(room) else {
            return Ok(Admission::Free);
        };
        let needed = || NoEntry::Needed(price.clone());
        let pass = code
            .and_then(|code| self.key.pass(room, code))
            .ok_or_else(needed)?;
        let ticket = self.keeper.payment(&pass.ticket).await.map_err(|error| {
            tracing::error!(%room, error = &error as &(dyn std::error::Error + 'static), "a ticket cannot be looked up");
            NoEntry::Unavailable
        })?;
        let ticket = ticket.filter(|ticket| ticket.room == *room).ok_or_else(needed)?;
        if ticket.given_back() {
            return Err(NoEntry::Refunded);
        }
        if !self.holds(&ticket) {
            return Err(needed());
        }
        Ok(Admission::Ticket(Entry { pass }))
    }

    /// Lets a device watch, as this session.
    ///
    /// # Errors
    /// See [`NoEntry`].
    pub async fn watch(
        &self,
        room: &RoomId,
        code: Option<&str>,
        session: &SessionName,
    ) -> Result<(), NoEntry> {
        let Admission::Ticket(entry) = self.look(room, code).await? else {
            return Ok(());
        };
        self.forget_gone(&entry.pass.ticket).await;
        self.take(&entry.pass, Use::Session(session.clone(), Instant::now()))
    }

    /// Lets a device into the chat; its place is its own until it is dropped. None where watching is free.
    ///
    /// # Errors
    /// See [`NoEntry`].
    pub async fn enter(&self, room: &RoomId, code: Option<&str>) -> Result<Option<Place>, NoEntry> {
        let Admission::Ticket(entry) = self.look(room, code).await? else {
            return Ok(None);
        };
        self.forget_gone(&entry.pass.ticket).await;
        let number = rand::random();
        self.take(&entry.pass, Use::Chat(number))?;
        Ok(Some(Place {
            pass: entry.pass,
            number,
            uses: Arc::clone(&self.uses),
        }))
    }

    fn take(&self, pass: &Pass, what: Use) -> Result<(), NoEntry> {
        let mut uses = lock(&self.uses);
        let list = uses.entry(pass.ticket.clone()).or_default();
        let mut devices: HashSet<&str> = list.iter().map(|(device, _)| device.as_str()).collect();
        devices.insert(&pass.device);
        if devices.len() > self.devices {
            return Err(NoEntry::Devices(self.devices));
        }
        list.push((pass.device.clone(), what));
        Ok(())
    }

    /// Sessions end in the media thread, in many ways; it is asked which are left.
    async fn forget_gone(&self, ticket: &str) {
        let sessions: Vec<SessionName> = {
            let uses = lock(&self.uses);
            let of_ticket = uses.get(ticket).map(Vec::as_slice).unwrap_or_default();
            let old = of_ticket.iter().filter_map(|(_, one)| match one {
                Use::Session(name, since) if since.elapsed() >= YOUNG => Some(name.clone()),
                _ => None,
            });
            old.collect()
        };
        let mut gone = Vec::new();
        for name in sessions {
            let (reply, answer) = oneshot::channel();
            let asked = self.commands.send(Command::Look {
                name: name.clone(),
                reply,
            });
            // A media thread that is gone has no sessions.
            if asked.is_err() || !answer.await.unwrap_or(false) {
                gone.push(name);
            }
        }
        if gone.is_empty() {
            return;
        }
        let mut uses = lock(&self.uses);
        if let Some(list) = uses.get_mut(ticket) {
            list.retain(|(_, one)| !matches!(one, Use::Session(name, _) if gone.contains(name)));
        }
    }

    /// A session that did not come about holds no place.
    pub fn give_up(&self, session: &SessionName) {
        let mut uses = lock(&self.uses);
        for list in uses.values_mut() {
            list.retain(|(_, one)| !matches!(one, Use::Session(name, _) if name == session));
        }
        uses.retain(|_, list| !list.is_empty());
    }

    /// Follows what a room has kept. Gives back the tickets that hold no more.
    pub fn follow(&self, room: &RoomId, changes: &[Change]) -> Vec<PaymentId> {
        let mut ended = Vec::new();
        for change in changes {
            let Change::Money(change) = change else { continue };
            match change {
                MoneyChange::Price(price) => {
                    lock(&self.terms)
                        .entry(room.clone())
                        .or_default()
                        .price
                        .clone_from(price);
                    self.show_out(room, true);
                }
                MoneyChange::Show { number, .. } => {
                    lock(&self.terms).entry(room.clone()).or_default().show = *number;
                    self.show_out(room, false);
                }
                MoneyChange::Payment(payment) if payment.kind == Kind::Ticket && payment.given_back() => {
                    self.end(&payment.id);
                    ended.push(payment.id.clone());
                }
                MoneyChange::WantRefund { .. } | MoneyChange::WantRefunds { .. } => self.refunds.notify_one(),
                _ => {}
            }
        }
        ended
    }

    /// Ends what viewers watch, if watching costs something now; with `but_holders` those with a ticket stay.
    fn show_out(&self, room: &RoomId, but_holders: bool) {
        if self.price(room).is_none() {
            return;
        }
        let stay = |name: &SessionName| but_holders && name.room == *room;
        let except: HashSet<String> = lock(&self.uses)
            .values()
            .flatten()
            .filter_map(|(_, one)| match one {
                Use::Session(name, _) if stay(name) => Some(name.secret.clone()),
                _ => None,
            })
            .collect();
        // A media thread that is gone has no sessions.
        let _ = self.commands.send(Command::ShowOut {
            room: room.clone(),
            except,
        });
    }

    /// Ends what is watched with a ticket.
    fn end(&self, ticket: &str) {
        let list = lock(&self.uses).remove(ticket).unwrap_or_default();
        for (_, one) in list {
            if let Use::Session(name, _) = one {
                let (reply, _nobody_waits) = oneshot::channel();
                let _gone_is_as_good = self.commands.send(Command::Delete { name, reply });
            }
        }
    }
}

//! Where viewers pay: it checks what they ask for, sends them to Stripe, and books what Stripe says.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::pace::Pace;
use super::payment::{Fact, Payment, State};
use super::settings::{MoneyError, MoneySettings, Offer, stripe_url};
use super::stripe::{Checkout, Heard as Event, Page, Signature, SignatureError, Stripe, StripeError};
use super::ticket::{Pass, new_device, new_number};
use super::wire::Kind;
use crate::chat::{Ask, Chat, Refused, RoomHandle, Speaker, Text, clean_title, network};
use crate::room::{RoomId, wall_ms};
use secrecy::ExposeSecret;

/// Pages to pay on that one viewer may open in a minute.
const PER_VIEWER: usize = 10;
/// And all of one address (of IPv6 one network): a household, or somebody with many names.
const PER_ADDRESS: usize = 30;
/// The most characters of a tip's message.
pub(crate) const MOST_OF_A_TIP: usize = 200;
/// Stripe's most for what stands on the page and in the receipt.
const MOST_OF_A_PRODUCT: usize = 250;
const MOST_OF_A_DESCRIPTION: usize = 1000;

/// What is asked by a viewer's page.
pub(crate) struct Wish<'a> {
    pub room: &'a RoomId,
    /// The show's title, for the page to pay on.
    pub title: &'a str,
    /// Where this server is for the viewer, without a slash at its end.
    pub base: &'a str,
    pub address: IpAddr,
}

/// A page to pay on.
#[derive(Debug)]
pub(crate) struct Bought {
    /// Where somebody pays.
    pub url: String,
    /// The code of the ticket that it makes.
    pub code: Option<String>,
}

/// What a ticket is worth now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It opens the show; with the code of this device.
    Open { pass: String },
    /// Stripe has not said yet that it is paid.
    Waiting,
    /// The money comes later: it opens by itself.
    Processing,
    /// It was not paid, or was given back.
    Closed { refunded: bool },
    /// It was for another show.
    Over,
    /// There is none.
    Unknown,
}

/// What became of what Stripe said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It is in the books, or was, or is nothing of ours.
    Taken,
    /// It is not Stripe's word.
    Forged(SignatureError),
    /// It is, and cannot be read.
    Unreadable,
    /// It cannot be kept now: Stripe says it again.
    Later,
}

/// What a room is told of a payment, by its task.
#[derive(Debug)]
pub(crate) struct Word {
    pub payment: String,
    pub fact: Fact,
    pub event: Option<String>,
}

/// Payments of one server.
pub(crate) struct Till {
    pub offer: Arc<Offer>,
    pub(super) stripe: Stripe,
    signature: Signature,
    viewers: Mutex<Pace<String>>,
    addresses: Mutex<Pace<IpAddr>>,
}

impl Till {
    /// # Errors
    /// See [`MoneyError`].
    pub fn new(settings: &MoneySettings) -> Result<Self, MoneyError> {
        let offer = Arc::new(Offer::new(settings)?);
        if !settings.webhook_secret.expose_secret().starts_with("whsec_") {
            return Err(MoneyError::NoWebhookSecret);
        }
        Ok(Self {
            offer,
            stripe: Stripe::new(stripe_url(settings)?, &settings.secret)?,
            signature: Signature::new(&settings.webhook_secret),
            viewers: Mutex::new(Pace::new(PER_VIEWER)),
            addresses: Mutex::new(Pace::new(PER_ADDRESS)),
        })
    }

    fn keep_pace(&self, member: Option<&str>, address: IpAddr) -> Result<(), Refused> {
        let now = Instant::now();
        let too_fast = |wait: Duration| Refused::TooFast {
            retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1),
        };
        if let Some(member) = member {
            let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
            viewers.take(&member.to_owned(), now).map_err(too_fast)?;
        }
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.take(&network(address), now).map_err(too_fast)
    }

    /// A page on which `speaker` pays a tip.
    ///
    /// # Errors
    /// Why not: the words, the sum, the pace, or Stripe.
    pub async fn tip(
        &self,
        chat: &Arc<Chat>,
        wish: &Wish<'_>,
        speaker: Speaker,
        minor: u64,
        message: Option<Text>,
    ) -> Result<Bought, Refused> {
        let rules = &self.offer.rules;
        if !(rules.least..=rules.most).contains(&minor) {
            return Err(Refused::OutOfRange {
                field: "minor".into(),
            });
        }
        self.keep_pace(Some(&speaker.author.id), wish.address)?;
        let name = speaker.author.name.clone();
        let handle = chat.room(wish.room)?;
        let message = handle
            .ask(|reply| Ask::MayTip {
                speaker,
                message,
                reply,
            })
            .await??;
        let mut payment = self.payment(chat, wish.room, Kind::Tip, minor);
        payment.name = Some(name);
        payment.message = message;
        let back = format!("{}/watch/{}#tip", wish.base, wish.room);
        let what = format!("Tip · {}", product(wish));
        let checkout = Checkout {
            payment: &payment.id,
            sum: &payment.sum,
            product: &cut(&what, MOST_OF_A_PRODUCT),
            description: &cut(&what, MOST_OF_A_DESCRIPTION),
            success_url: &format!("{back}=paid"),
            cancel_url: &format!("{back}=left"),
            now_s: payment.made_ms / 1000,
        };
        let page = self.page(chat, &handle, &payment, &checkout).await?;
        Ok(Bought {
            url: page.url,
            code: None,
        })
    }

    /// A page on which somebody pays a ticket. The link that opens it stands in the address to which Stripe leads back, and
    /// in the payment's description, which Stripe prints on the receipt.
    ///
    /// # Errors
    /// Why not: watching is free, the pace, or Stripe.
    pub async fn sell(&self, chat: &Arc<Chat>, wish: &Wish<'_>) -> Result<Bought, Refused> {
        let price = chat.gate.price(wish.room).ok_or(Refused::Unknown)?;
        self.keep_pace(None, wish.address)?;
        let handle = chat.room(wish.room)?;
        let mut payment = self.payment(chat, wish.room, Kind::Ticket, price.minor);
        payment.sum = price;
        payment.fee = super::amount::fee(payment.sum.minor, self.offer.fee_basis_points);
        let code = chat.gate.key.code(wish.room, &payment.id);
        let page_of_room = format!("{}/watch/{}", wish.base, wish.room);
        let link = format!("{page_of_room}#ticket={code}");
        let what = format!("Ticket · {}", product(wish));
        let checkout = Checkout {
            payment: &payment.id,
            sum: &payment.sum,
            product: &cut(&what, MOST_OF_A_PRODUCT),
            description: &format!(
                "{} · {link}",
                cut(&what, MOST_OF_A_DESCRIPTION.saturating_sub(link.len() + 3))
            ),
            success_url: &link,
            cancel_url: &page_of_room,
            now_s: payment.made_ms / 1000,
        };
        let page = self.page(chat, &handle, &payment, &checkout).await?;
        Ok(Bought {
            url: page.url,
            code: Some(code),
        })
    }

    fn payment(&self, chat: &Chat, room: &RoomId, kind: Kind, minor: u64) -> Payment {
        let sum = self.offer.currency.sum(minor);
        let show = chat.gate.show(room);
        Payment::new(
            new_number(),
            room.clone(),
            show,
            kind,
            sum,
            self.offer.fee_basis_points,
            wall_ms(),
        )
    }

    async fn page(
        &self,
        chat: &Arc<Chat>,
        handle: &RoomHandle,
        payment: &Payment,
        checkout: &Checkout<'_>,
    ) -> Result<Page, Refused> {
        // Kept first: what Stripe says may be here before its answer.
        chat.gate.keeper().begin_payment(payment).await.map_err(|error| {
            tracing::error!(room = %payment.room, error = &error as &(dyn std::error::Error + 'static), "a payment cannot be kept");
            Refused::Unavailable
        })?;
        let page = self.stripe.checkout(checkout).await.map_err(|error| {
            tracing::warn!(room = %payment.room, payment = payment.id,
                error = &error as &(dyn std::error::Error + 'static), "Stripe opened no page");
            match error {
                StripeError::Key => Refused::NoPayments,
                _ => Refused::PaymentsFail,
            }
        })?;
        let word = Word {
            payment: payment.id.clone(),
            fact: Fact::Checkout {
                state: State::Open,
                checkout: page.checkout.clone(),
                intent: None,
                sum: None,
            },
            event: None,
        };
        handle
            .ask(|reply| Ask::Money {
                word: Box::new(word),
                reply,
            })
            .await??;
        Ok(page)
    }

    /// What a ticket's code is worth, for a device that has none of its own yet, or `known`.
    pub async fn show_ticket(
        &self,
        chat: &Chat,
        room: &RoomId,
        code: &str,
        known: Option<&str>,
    ) -> Result<Shown, Refused> {
        let gate = &chat.gate;
        let Some(number) = gate.key.ticket(room, code) else {
            return Ok(Shown::Unknown);
        };
        let ticket = gate.keeper().payment(&number).await.map_err(|error| {
            tracing::error!(%room, error = &error as &(dyn std::error::Error + 'static), "a ticket cannot be looked up");
            Refused::Unavailable
        })?;
        let Some(ticket) = ticket.filter(|ticket| ticket.kind == Kind::Ticket) else {
            return Ok(Shown::Unknown);
        };
        Ok(match ticket.state {
            State::Made | State::Open => Shown::Waiting,
            State::Processing => Shown::Processing,
            State::Expired | State::Failed => Shown::Closed { refunded: false },
            State::Paid if ticket.given_back() => Shown::Closed { refunded: true },
            State::Paid if !gate.holds(&ticket) => Shown::Over,
            State::Paid => {
                let known = known.and_then(|code| gate.key.pass(room, code));
                let pass = known
                    .filter(|pass| pass.ticket == number)
                    .unwrap_or_else(|| Pass {
                        ticket: number,
                        device: new_device(),
                    });
                Shown::Open {
                    pass: gate.key.pass_code(room, &pass),
                }
            }
        })
    }

    /// Takes in what Stripe says by itself.
    pub async fn hear(&self, chat: &Arc<Chat>, header: Option<&str>, body: &[u8]) -> Heard {
        if let Err(error) = self.signature.verify(header, body, wall_ms() / 1000) {
            tracing::warn!(%error, "somebody who is not Stripe spoke to the webhook, or its secret is not the right one");
            return Heard::Forged(error);
        }
        let Ok(event) = Event::read(body) else {
            tracing::warn!("Stripe said something that cannot be read");
            return Heard::Unreadable;
        };
        if event.id.is_empty() {
            return Heard::Unreadable;
        }
        if event.live == self.offer.test {
            tracing::warn!(
                event = event.id,
                live = event.live,
                "an event of the other mode is left alone"
            );
            return Heard::Taken;
        }
        self.take(chat, &event).await.unwrap_or(Heard::Later)
    }

    async fn take(&self, chat: &Arc<Chat>, event: &Event) -> Result<Heard, Refused> {
        let keeper = chat.gate.keeper();
        let lost = |error: crate::chat::KeepError| {
            tracing::error!(
                event = event.id,
                error = &error as &(dyn std::error::Error + 'static),
                "what Stripe says cannot be kept"
            );
            Refused::Unavailable
        };
        if keeper.heard(&event.id).await.map_err(lost)? {
            return Ok(Heard::Taken);
        }
        let payment = match &event.said {
            Some(said) => keeper.payment_of(said).await.map_err(lost)?,
            None => None,
        };
        let (Some(said), Some(payment)) = (&event.said, payment) else {
            let fact = event.said.as_ref().map(|said| &said.fact);
            keeper
                .keep_stray(fact, &event.id, wall_ms())
                .await
                .map_err(lost)?;
            return Ok(Heard::Taken);
        };
        self.book(
            chat,
            &payment.room,
            &payment.id,
            said.fact.clone(),
            Some(event.id.clone()),
        )
        .await?;
        Ok(Heard::Taken)
    }

    /// Tells a payment's room what is new of it; done when it is kept.
    pub(super) async fn book(
        &self,
        chat: &Arc<Chat>,
        room: &RoomId,
        payment: &str,
        fact: Fact,
        event: Option<String>,
    ) -> Result<(), Refused> {
        let word = Word {
            payment: payment.to_owned(),
            fact,
            event,
        };
        let handle = chat.room(room)?;
        handle
            .ask(|reply| Ask::Money {
                word: Box::new(word),
                reply,
            })
            .await?
            .map(drop)
    }
}

fn product(wish: &Wish<'_>) -> String {
    let title = clean_title(wish.title, 120);
    if title.is_empty() {
        wish.room.to_string()
    } else {
        title
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

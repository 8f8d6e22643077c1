//! One payment as a pure state machine: what Stripe says of it in any order, and what follows.

use serde::{Deserialize, Serialize};

use super::amount::{Sum, fee};
use super::wire::{Goal, Kind, PaymentId, Refund, RefundTrouble, Sale, Tip};
use crate::room::RoomId;

/// Last tips that newcomers are shown.
pub const TIPS_SHOWN: usize = 50;

/// How far a payment has come. What Stripe says comes in any order, so that a later state is never left for an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked of Stripe.
    Made,
    /// Its page is open.
    Open,
    /// The page is done with, and the money comes later: card-less methods take days.
    Processing,
    /// Nobody paid in time.
    Expired,
    /// The money did not come.
    Failed,
    /// It is here.
    Paid,
}

/// Whether and how a payment is to be given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivingBack {
    pub state: Refund,
    /// Which asking it is: Stripe is asked once for each.
    pub round: u32,
    /// When the host asked, in milliseconds since 1970 UTC.
    pub since_ms: u64,
}

/// One payment. What is asked for at the beginning never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: PaymentId,
    pub room: RoomId,
    pub show: u32,
    pub kind: Kind,
    pub sum: Sum,
    /// The platform's part.
    pub fee: u64,
    /// Who tips.
    pub name: Option<String>,
    pub message: Option<String>,
    pub state: State,
    pub made_ms: u64,
    pub paid_ms: Option<u64>,
    /// Number of the event that told the room of a tip.
    pub seq: Option<u64>,
    pub checkout: Option<String>,
    pub intent: Option<String>,
    /// What Stripe has given back, as far as it has said.
    pub refunded: u64,
    pub refund: Option<GivingBack>,
    pub disputed: bool,
}

/// What is new of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The page's fate.
    Checkout {
        state: State,
        checkout: String,
        intent: Option<String>,
        /// What Stripe says was asked for; must be what we asked for.
        sum: Option<(u64, String)>,
    },
    /// Stripe has looked at all refunds that it has told of: so much is given back, or on its way.
    Refunded {
        /// Number and state of the refund that is new; absent for totals.
        refund: Option<(String, u64, RefundState)>,
        intent: String,
        /// The total, where Stripe said one.
        total: Option<u64>,
    },
    /// The payer contests it.
    Disputed,
    /// The host wants it given back.
    RefundWanted,
    /// Stripe did not do it.
    RefundRefused { why: RefundTrouble, round: u32 },
}

/// Stripe's word for a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    Pending,
    Done,
    Failed,
}

/// What follows, for others than the payment itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is paid.
    Paid,
    /// So much more was given back; less, if it did not arrive.
    GivenBack { before: u64 },
    /// The books look different.
    Booked,
}

/// Why what Stripe says cannot be of this payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Stripe speaks of another sum than was asked for")]
pub struct AnotherSum;

impl Payment {
    /// A new one, before Stripe knows of it.
    pub fn new(
        id: PaymentId,
        room: RoomId,
        show: u32,
        kind: Kind,
        sum: Sum,
        basis_points: u16,
        now_ms: u64,
    ) -> Self {
        Self {
            fee: fee(sum.minor, basis_points),
            id,
            room,
            show,
            kind,
            sum,
            name: None,
            message: None,
            state: State::Made,
            made_ms: now_ms,
            paid_ms: None,
            seq: None,
            checkout: None,
            intent: None,
            refunded: 0,
            refund: None,
            disputed: false,
        }
    }

    /// Takes in what is new. `given_back` is what the refunds known of its intent come to, the new one among them.
    ///
    /// # Errors
    /// The sum is not ours; nothing has changed then.
    pub fn take(&mut self, fact: &Fact, given_back: u64, now_ms: u64) -> Result<Vec<Outcome>, AnotherSum> {
        let before = self.clone();
        match fact {
            Fact::Checkout {
                state,
                checkout,
                intent,
                sum,
            } => {
                if let Some((minor, currency)) = sum
                    && (*minor != self.sum.minor || !currency.eq_ignore_ascii_case(self.sum.currency.code()))
                {
                    return Err(AnotherSum);
                }
                self.checkout.get_or_insert_with(|| checkout.clone());
                if self.intent.is_none() {
                    self.intent.clone_from(intent);
                }
                self.state = self.state.max(*state);
                if self.state == State::Paid {
                    self.paid_ms.get_or_insert(now_ms);
                }
                self.refunded = given_back.min(self.sum.minor);
            }
            Fact::Refunded { refund, intent, .. } => {
                self.intent.get_or_insert_with(|| intent.clone());
                self.refunded = given_back.min(self.sum.minor);
                // A part that Stripe's own pages gave back leaves the rest to be given back here.
                if let Some((_, _, state)) = refund
                    && (self.given_back() || (*state == RefundState::Failed && self.refund.is_some()))
                {
                    self.settle(*state, now_ms);
                }
            }
            Fact::Disputed => self.disputed = true,
            Fact::RefundWanted => self.want_refund(now_ms),
            Fact::RefundRefused { why, round } => {
                if let Some(back) = &mut self.refund
                    && back.round == *round
                    && back.state == Refund::Wanted
                {
                    back.state = Refund::Failed { why: *why };
                }
            }
        }
        // Whoever has all of it back has it back, whoever gave it: the host, or Stripe's own pages.
        if self.given_back()
            && !matches!(
                self.refund.as_ref().map(|back| &back.state),
                Some(Refund::Pending | Refund::Done)
            )
        {
            self.settle(RefundState::Done, now_ms);
        }
        Ok(self.since(&before))
    }

    fn since(&self, before: &Self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        if self.state == State::Paid && before.state != State::Paid {
            outcomes.push(Outcome::Paid);
        }
        if self.refunded != before.refunded && self.state == State::Paid {
            let before = if before.state == State::Paid {
                before.refunded
            } else {
                0
            };
            outcomes.push(Outcome::GivenBack { before });
        }
        let shown = |one: &Self| (one.refund.clone(), one.disputed);
        if self.state == State::Paid && (!outcomes.is_empty() || shown(self) != shown(before)) {
            outcomes.push(Outcome::Booked);
        }
        outcomes
    }

    fn settle(&mut self, state: RefundState, now_ms: u64) {
        let back = self.refund.get_or_insert(GivingBack {
            state: Refund::Wanted,
            round: 0,
            since_ms: now_ms,
        });
        back.state = match state {
            // A word that comes late changes no final one.
            RefundState::Pending if matches!(back.state, Refund::Done | Refund::Failed { .. }) => return,
            RefundState::Pending => Refund::Pending,
            RefundState::Done => Refund::Done,
            RefundState::Failed => Refund::Failed {
                why: RefundTrouble::Bank,
            },
        };
    }

    fn want_refund(&mut self, now_ms: u64) {
        let round = match &self.refund {
            None => 1,
            Some(GivingBack {
                state: Refund::Failed { .. },
                round,
                ..
            }) => round + 1,
            Some(_) => return,
        };
        if self.refundable() {
            self.refund = Some(GivingBack {
                state: Refund::Wanted,
                round,
                since_ms: now_ms,
            });
        }
    }

    /// Whether the host may ask for it to be given back.
    pub fn refundable(&self) -> bool {
        let asked = matches!(
            self.refund.as_ref().map(|back| &back.state),
            Some(Refund::Wanted | Refund::Pending | Refund::Done)
        );
        self.state == State::Paid && self.intent.is_some() && self.refunded < self.sum.minor && !asked
    }

    /// Whether all of it went back.
    pub fn given_back(&self) -> bool {
        self.refunded >= self.sum.minor
    }

    /// The tip for the room.
    pub fn tip(&self) -> Option<Tip> {
        Some(Tip {
            seq: self.seq?,
            at_ms: self.paid_ms?,
            name: self.name.clone()?,
            sum: self.sum.clone(),
            message: self.message.clone(),
        })
    }

    /// As the host sees it, once it is paid.
    pub fn sale(&self) -> Option<Sale> {
        Some(Sale {
            id: self.id.clone(),
            kind: self.kind,
            show: self.show,
            at_ms: self.paid_ms?,
            name: self.name.clone(),
            sum: self.sum.clone(),
            message: self.message.clone(),
            refunded: self.refunded,
            refund: self.refund.as_ref().map(|back| back.state.clone()),
            disputed: self.disputed,
        })
    }
}

/// What is collected for, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptGoal {
    pub goal: Goal,
    /// Tips paid from this moment on count, in milliseconds since 1970 UTC.
    pub since_ms: u64,
}

/// What is kept of a room's money.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// Absent without payments.
    pub offer: Option<std::sync::Arc<super::Offer>>,
    /// The show on sale now; 0: none was kept yet, and it is the first.
    pub show: u32,
    pub price: Option<Sum>,
    pub goal: Option<KeptGoal>,
    /// Oldest first.
    pub tips: Vec<Tip>,
}

/// What the database must know of money.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MoneyChange {
    Price(Option<Sum>),
    Goal(Option<KeptGoal>),
    Show {
        number: u32,
        title: String,
        began_ms: u64,
    },
    Payment(Box<Payment>),
    /// Stripe's number of what it said.
    Event {
        id: String,
        at_ms: u64,
    },
    Refund {
        refund: String,
        intent: String,
        minor: u64,
        holds: bool,
    },
    /// The host wants these given back.
    WantRefund {
        payment: PaymentId,
        now_ms: u64,
    },
    /// And all tickets of a show.
    WantRefunds {
        show: u32,
        now_ms: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::amount::Currency;

    fn eur(minor: u64) -> Sum {
        Currency::try_from("EUR".to_owned())
            .expect("a currency")
            .sum(minor)
    }

    fn ticket() -> Payment {
        let room = "show".parse().expect("a room's name");
        Payment::new("00".repeat(16), room, 1, Kind::Ticket, eur(1500), 500, 1)
    }

    fn checkout(state: State) -> Fact {
        Fact::Checkout {
            state,
            checkout: "cs_1".into(),
            intent: Some("pi_1".into()),
            sum: Some((1500, "eur".into())),
        }
    }

    fn refund(state: RefundState) -> Fact {
        Fact::Refunded {
            refund: Some(("re_1".into(), 1500, state)),
            intent: "pi_1".into(),
            total: None,
        }
    }

    #[test]
    fn whatever_the_order_a_paid_payment_stays_paid_and_is_told_once() {
        let states = [State::Processing, State::Paid, State::Expired, State::Failed];
        for first in states {
            for second in states {
                for third in states {
                    let mut payment = ticket();
                    let mut told = 0;
                    for state in [first, second, third] {
                        let outcomes = payment.take(&checkout(state), 0, 7).expect("our sum");
                        told += outcomes.iter().filter(|one| **one == Outcome::Paid).count();
                    }
                    let paid = [first, second, third].contains(&State::Paid);
                    assert_eq!((payment.state == State::Paid, told), (paid, usize::from(paid)));
                    assert_eq!(payment.paid_ms.is_some(), paid);
                }
            }
        }
    }

    #[test]
    fn a_sum_that_is_not_ours_changes_nothing() {
        for sum in [(1, "eur"), (1500, "usd")] {
            let mut payment = ticket();
            let fact = Fact::Checkout {
                state: State::Paid,
                checkout: "cs_1".into(),
                intent: None,
                sum: Some((sum.0, sum.1.into())),
            };
            assert_eq!(payment.take(&fact, 0, 7), Err(AnotherSum));
            assert_eq!(payment, ticket());
        }
    }

    #[test]
    fn a_refund_that_is_heard_of_before_the_payment_counts_all_the_same() {
        let mut payment = ticket();
        assert!(
            payment
                .take(&refund(RefundState::Done), 1500, 5)
                .expect("fine")
                .is_empty()
        );
        let outcomes = payment.take(&checkout(State::Paid), 1500, 7).expect("our sum");
        assert!(outcomes.contains(&Outcome::Paid) && payment.given_back());
        assert_eq!(payment.sale().and_then(|sale| sale.refund), Some(Refund::Done));
    }

    #[test]
    fn a_refund_is_asked_for_once_and_again_only_when_it_failed() {
        let mut payment = ticket();
        payment.take(&Fact::RefundWanted, 0, 5).expect("fine");
        assert_eq!(payment.refund, None, "nothing was paid yet");
        payment.take(&checkout(State::Paid), 0, 7).expect("our sum");
        payment.take(&Fact::RefundWanted, 0, 8).expect("fine");
        payment.take(&Fact::RefundWanted, 0, 9).expect("fine");
        let round = |payment: &Payment| payment.refund.as_ref().map(|back| back.round);
        assert_eq!(round(&payment), Some(1));
        let refused = Fact::RefundRefused {
            why: RefundTrouble::Balance,
            round: 1,
        };
        payment.take(&refused, 0, 10).expect("fine");
        payment.take(&Fact::RefundWanted, 0, 11).expect("fine");
        assert_eq!(round(&payment), Some(2));
        payment.take(&refused, 0, 12).expect("fine");
        assert_eq!(
            payment.refund.as_ref().map(|back| &back.state),
            Some(&Refund::Wanted),
            "a word of the first asking says nothing of the second"
        );
        payment
            .take(&refund(RefundState::Pending), 1500, 13)
            .expect("fine");
        payment.take(&refund(RefundState::Done), 1500, 14).expect("fine");
        payment
            .take(&refund(RefundState::Pending), 1500, 15)
            .expect("fine");
        assert_eq!(
            payment.refund.as_ref().map(|back| &back.state),
            Some(&Refund::Done)
        );
        assert!(!payment.refundable());
    }

    #[test]
    fn a_part_that_went_back_elsewhere_leaves_the_rest_to_the_host() {
        let mut payment = ticket();
        payment.take(&checkout(State::Paid), 0, 7).expect("our sum");
        let part = Fact::Refunded {
            refund: Some(("re_1".into(), 500, RefundState::Done)),
            intent: "pi_1".into(),
            total: None,
        };
        payment.take(&part, 500, 8).expect("fine");
        assert_eq!(
            (payment.refunded, payment.given_back(), payment.refundable()),
            (500, false, true)
        );
        payment.take(&Fact::RefundWanted, 500, 9).expect("fine");
        let rest = Fact::Refunded {
            refund: Some(("re_2".into(), 1000, RefundState::Done)),
            intent: "pi_1".into(),
            total: None,
        };
        payment.take(&rest, 1500, 10).expect("fine");
        assert!(payment.given_back());
    }

    #[test]
    fn a_refund_that_did_not_arrive_is_taken_back_from_the_books() {
        let mut payment = ticket();
        payment.take(&checkout(State::Paid), 0, 7).expect("our sum");
        payment
            .take(&refund(RefundState::Pending), 1500, 8)
            .expect("fine");
        let outcomes = payment.take(&refund(RefundState::Failed), 0, 9).expect("fine");
        assert!(outcomes.contains(&Outcome::GivenBack { before: 1500 }));
        assert!(payment.refundable(), "the host may try again");
    }
}

//! Tips and tickets, paid by Stripe: what may be bought, what was, and what becomes of it.
//!
//! `amount` has sums and currencies, `wire` what pages and desks are told, `settings` what a server is told, `payment`
//! one payment as a pure state machine, `ledger` the database, `stripe` the way to Stripe and back, `ticket` the codes of
//! tickets, `gate` who may come in, `pace` how fast one may buy, `till` joins them, `refunds` gives money back.
//!
//! Nothing counts as paid but what a webhook with Stripe's signature says.

mod amount;
mod gate;
mod ledger;
mod pace;
mod payment;
mod refunds;
mod settings;
mod stripe;
mod ticket;
mod till;
pub(crate) mod wire;

pub(crate) use amount::MOST_MINOR;
pub(crate) use gate::{Gate, NoEntry, Place};
pub(crate) use ledger::{Booked, Booking, keep_money_change, load_money};
#[cfg(test)]
pub(crate) use payment::{Fact, Payment, State};
pub(crate) use payment::{Kept as KeptMoney, KeptGoal, MoneyChange, Outcome, TIPS_SHOWN};
pub(crate) use refunds::run as give_back;
pub(crate) use settings::Offer;
pub use settings::{MoneyError, MoneySettings};
pub(crate) use stripe::{MOST_EVENT_BYTES, SIGNATURE_HEADER};
pub(crate) use ticket::TicketKey;
pub(crate) use till::{Heard, MOST_OF_A_TIP, Shown, Till, Wish, Word};

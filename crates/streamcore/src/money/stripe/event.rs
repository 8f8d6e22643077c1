//! What Stripe says by itself: snapshot events, as far as they are about payments of ours.

use serde::Deserialize;
use serde_json::Value;

use crate::money::payment::{Fact, RefundState, State};

/// Longest number of Stripe's that is kept; they have about 30 to 70 characters.
const MOST_OF_A_NUMBER: usize = 255;
/// Under what name our number of a payment stands in Stripe's metadata.
pub const OUR_NUMBER: &str = "streamcore_payment";

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// `evt_…`.
    pub id: String,
    /// Whether it is about real money.
    pub live: bool,
    /// What it says; `None` when it is about nothing of ours.
    pub said: Option<Said>,
}

/// What Stripe says, and of which payment: by any of three numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Ours, where Stripe has kept it.
    pub payment: Option<String>,
    pub checkout: Option<String>,
    pub intent: Option<String>,
    pub fact: Fact,
}

/// Not an event.
#[derive(Debug, thiserror::Error)]
#[error("understand the event")]
pub struct Unreadable(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Event {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    livemode: bool,
    /// Absent in thin events.
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    #[serde(default)]
    payment_status: Option<String>,
    #[serde(default)]
    payment_intent: Option<Expandable>,
    #[serde(default)]
    amount_total: Option<u64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Charge {
    #[serde(default)]
    payment_intent: Option<Expandable>,
    #[serde(default)]
    amount_refunded: Option<u64>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    #[serde(default)]
    payment_intent: Option<Expandable>,
    amount: u64,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    streamcore_payment: Option<String>,
}

/// A number, or the whole thing where somebody asked for that.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expandable {
    Number(String),
    Whole { id: String },
}

impl Expandable {
    fn number(self) -> Option<String> {
        let (Self::Number(number) | Self::Whole { id: number }) = self;
        sound(number)
    }
}

fn sound(number: String) -> Option<String> {
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && !number.is_empty() && number.len() <= MOST_OF_A_NUMBER).then_some(number)
}

fn ours(metadata: Option<Metadata>) -> Option<String> {
    metadata
        .and_then(|metadata| metadata.streamcore_payment)
        .and_then(sound)
}

/// Stripe's word for a refund.
pub fn refund_state(status: Option<&str>) -> RefundState {
    match status {
        Some("succeeded") => RefundState::Done,
        Some("failed" | "canceled") => RefundState::Failed,
        // pending, requires_action, and none at all.
        _ => RefundState::Pending,
    }
}

impl Heard {
    /// Reads an event. Kinds that are not ours, and thin ones, say nothing.
    ///
    /// # Errors
    /// It is no event, or one of ours without what it must have.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let event: Event = serde_json::from_slice(body)?;
        let said = match event.data {
            Some(data) => said(&event.kind, data.object)?,
            None => None,
        };
        Ok(Self {
            id: sound(event.id).unwrap_or_default(),
            live: event.livemode,
            said,
        })
    }
}

fn said(kind: &str, object: Value) -> Result<Option<Said>, serde_json::Error> {
    Ok(match kind {
        "checkout.session.completed" => session(object, None)?,
        "checkout.session.async_payment_succeeded" => session(object, Some(State::Paid))?,
        "checkout.session.async_payment_failed" => session(object, Some(State::Failed))?,
        "checkout.session.expired" => session(object, Some(State::Expired))?,
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let refund: Refund = serde_json::from_value(object)?;
            let failed = kind == "refund.failed";
            let state = refund_state(if failed {
                Some("failed")
            } else {
                refund.status.as_deref()
            });
            let intent = refund.payment_intent.and_then(Expandable::number);
            let payment = ours(refund.metadata);
            intent.zip(sound(refund.id)).map(|(intent, id)| Said {
                payment,
                checkout: None,
                intent: Some(intent.clone()),
                fact: Fact::Refunded {
                    refund: Some((id, refund.amount, state)),
                    intent,
                    total: None,
                },
            })
        }
        "charge.refunded" => {
            let charge: Charge = serde_json::from_value(object)?;
            let payment = ours(charge.metadata);
            let intent = charge.payment_intent.and_then(Expandable::number);
            intent.zip(charge.amount_refunded).map(|(intent, total)| Said {
                payment,
                checkout: None,
                intent: Some(intent.clone()),
                fact: Fact::Refunded {
                    refund: None,
                    intent,
                    total: Some(total),
                },
            })
        }
        "charge.dispute.created" => {
            let dispute: Charge = serde_json::from_value(object)?;
            let intent = dispute.payment_intent.and_then(Expandable::number);
            intent.map(|intent| Said {
                payment: None,
                checkout: None,
                intent: Some(intent),
                fact: Fact::Disputed,
            })
        }
        _ => None,
    })
}

/// What a session says; without `state`, by whether it is paid.
fn session(object: Value, state: Option<State>) -> Result<Option<Said>, serde_json::Error> {
    let session: Session = serde_json::from_value(object)?;
    let state = state.unwrap_or(match session.payment_status.as_deref() {
        Some("paid" | "no_payment_required") => State::Paid,
        _ => State::Processing,
    });
    let payment = ours(session.metadata);
    let intent = session.payment_intent.and_then(Expandable::number);
    let sum = session.amount_total.zip(session.currency);
    // What is paid must say how much.
    if state == State::Paid && sum.is_none() {
        return Ok(None);
    }
    Ok(sound(session.id).map(|checkout| Said {
        payment,
        checkout: Some(checkout.clone()),
        intent: intent.clone(),
        fact: Fact::Checkout {
            state,
            checkout,
            intent,
            sum,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn heard(kind: &str, object: Value) -> Option<Said> {
        let event = json!({"id": "evt_1", "object": "event", "type": kind, "data": {"object": object}});
        Heard::read(event.to_string().as_bytes()).expect("an event").said
    }

    #[test]
    fn a_completed_session_is_paid_only_when_it_says_so() {
        let session = |status: &str| {
            json!({"id": "cs_1", "payment_status": status, "payment_intent": "pi_1", "amount_total": 500,
                "currency": "eur", "metadata": {OUR_NUMBER: "ab"}})
        };
        let state = |said: Option<Said>| match said.map(|said| said.fact) {
            Some(Fact::Checkout { state, .. }) => Some(state),
            _ => None,
        };
        let completed = "checkout.session.completed";
        assert_eq!(state(heard(completed, session("paid"))), Some(State::Paid));
        assert_eq!(
            state(heard(completed, session("unpaid"))),
            Some(State::Processing)
        );
        let later = "checkout.session.async_payment_succeeded";
        assert_eq!(state(heard(later, session("unpaid"))), Some(State::Paid));
        let without_sum = json!({"id": "cs_1", "payment_status": "paid", "payment_intent": null});
        assert_eq!(heard(completed, without_sum), None);
        assert_eq!(
            heard(completed, session("paid")).and_then(|said| said.payment),
            Some("ab".into())
        );
    }

    #[test]
    fn what_is_not_ours_says_nothing_and_garbage_is_refused() {
        assert_eq!(heard("customer.created", json!({"id": "cus_1"})), None);
        assert_eq!(
            heard(
                "refund.created",
                json!({"id": "re_1", "amount": 1, "payment_intent": null})
            ),
            None
        );
        let thin = br#"{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","related_object":null}"#;
        assert_eq!(Heard::read(thin).expect("an event").said, None);
        for garbage in [
            "",
            "[]",
            "null",
            r#"{"id":7}"#,
            r#"{"id":"evt_1","type":"refund.created","data":{"object":{}}}"#,
        ] {
            assert!(Heard::read(garbage.as_bytes()).is_err(), "{garbage}");
        }
        let odd = json!({"id": "re_1; DROP TABLE", "amount": 1, "payment_intent": "pi_1"});
        assert_eq!(heard("refund.created", odd), None);
    }

    #[test]
    fn an_expanded_intent_is_read_by_its_number() {
        let refund =
            json!({"id": "re_1", "amount": 5, "payment_intent": {"id": "pi_1"}, "status": "canceled"});
        let said = heard("refund.updated", refund).expect("of a payment");
        assert_eq!(said.intent.as_deref(), Some("pi_1"));
        let Fact::Refunded {
            refund: Some((_, 5, RefundState::Failed)),
            ..
        } = said.fact
        else {
            panic!("{said:?}");
        };
    }
}

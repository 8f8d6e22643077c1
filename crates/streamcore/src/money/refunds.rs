//! Money that goes back: what the host wants given back stands in the books until Stripe has answered, so that a server
//! that was stopped in the middle goes on where it was. Stripe does each asking once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::payment::{Fact, Payment};
use super::stripe::StripeError;
use super::wire::{PaymentId, RefundTrouble};
use crate::chat::Chat;
use crate::room::wall_ms;

/// Between two looks into the books when nothing rings.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// First wait before a refund is asked for again, doubled each time up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// How long Stripe may be unreachable. It keeps a key for a day at least; later it might do the same twice.
const GIVE_UP_AFTER_MS: u64 = 20 * 3600 * 1000;

/// When a refund is asked for again.
#[derive(Debug, Clone, Copy)]
struct Again {
    at: Instant,
    wait: Duration,
}

/// Gives money back until the server stops.
pub(crate) async fn run(chat: Arc<Chat>, mut stop: watch::Receiver<bool>) {
    let mut again: HashMap<PaymentId, Again> = HashMap::new();
    let given = async {
        loop {
            let next = round(&chat, &mut again).await;
            let at = next.unwrap_or_else(|| Instant::now() + LOOK_EVERY);
            tokio::select! {
                () = chat.gate.refunds.notified() => {}
                () = tokio::time::sleep_until(at.into()) => {}
            }
        }
    };
    tokio::select! {
        // An error says that the server was dropped: stop as well. What is under way stands in the books.
        _ = stop.wait_for(|stop| *stop) => {}
        () = given => {}
    }
}

/// Asks for all that is due; gives back when the next one is.
async fn round(chat: &Arc<Chat>, again: &mut HashMap<PaymentId, Again>) -> Option<Instant> {
    let wanted = match chat.gate.keeper().to_refund().await {
        Ok(wanted) => wanted,
        Err(error) => {
            tracing::error!(
                error = &error as &(dyn std::error::Error + 'static),
                "refunds cannot be read from the books"
            );
            return None;
        }
    };
    again.retain(|id, _| wanted.iter().any(|payment| payment.id == *id));
    let full = wanted.len();
    let mut done = 0;
    for payment in &wanted {
        if again
            .get(&payment.id)
            .is_some_and(|again| again.at > Instant::now())
        {
            continue;
        }
        if give_back(chat, payment).await {
            again.remove(&payment.id);
            done += 1;
        } else {
            let wait = again
                .get(&payment.id)
                .map_or(FIRST_WAIT, |before| (before.wait * 2).min(LONGEST_WAIT));
            again.insert(
                payment.id.clone(),
                Again {
                    at: Instant::now() + wait,
                    wait,
                },
            );
        }
    }
    // The books hand out so many at once: there may be more.
    if done > 0 && full > 1 {
        return Some(Instant::now());
    }
    again.values().map(|again| again.at).min()
}

/// Asks Stripe once; `false`: to be asked again.
async fn give_back(chat: &Arc<Chat>, payment: &Payment) -> bool {
    let (Some(till), Some(intent), Some(back)) = (chat.gate.till(), &payment.intent, &payment.refund) else {
        return false;
    };
    let fact = match till.stripe.refund(&payment.id, intent, back.round).await {
        Ok((refund, minor, state)) => Fact::Refunded {
            refund: Some((refund, minor, state)),
            intent: intent.clone(),
            total: None,
        },
        Err(error) => {
            let why = trouble(&error, wall_ms().saturating_sub(back.since_ms));
            tracing::warn!(
                payment = payment.id,
                round = back.round,
                gives_up = why.is_some(),
                error = &error as &(dyn std::error::Error + 'static),
                "a payment could not be given back"
            );
            let Some(why) = why else { return false };
            Fact::RefundRefused {
                why,
                round: back.round,
            }
        }
    };
    till.book(chat, &payment.room, &payment.id, fact, None)
        .await
        .is_ok()
}

/// Why it cannot be done; `None`: it may be asked again.
fn trouble(error: &StripeError, since_ms: u64) -> Option<RefundTrouble> {
    match error {
        StripeError::Key => Some(RefundTrouble::Key),
        error if error.passes() => (since_ms > GIVE_UP_AFTER_MS).then_some(RefundTrouble::Unreachable),
        StripeError::Refused { code, .. } | StripeError::Declined { code } => Some(match code.as_str() {
            "insufficient_funds" | "balance_insufficient" => RefundTrouble::Balance,
            "charge_disputed" => RefundTrouble::Disputed,
            _ => RefundTrouble::Refused,
        }),
        _ => Some(RefundTrouble::Refused),
    }
}

//! The books: SQLite, in the rooms' own database, so that a tip and the event that tells it are kept together or not at all.
//!
//! All that changes a payment goes through its room's task: one after the other.

use sqlx::sqlite::SqlitePool;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use super::amount::{Currency, Sum};
use super::payment::{Fact, Kept, KeptGoal, MoneyChange, Outcome, Payment, RefundState, State, TIPS_SHOWN};
use super::stripe::Said;
use super::wire::{Kind, Refund, Revenue, Sale, ShowRevenue, Tip};
#[cfg(test)]
use crate::chat::Change;
use crate::chat::{KeepError, Keeper, number};
use crate::room::RoomId;

/// Sales of one page.
const PAGE: i64 = 100;
/// Shows whose revenue is told.
const SHOWS: i64 = 20;
/// Refunds that are taken up at once.
const REFUNDS: i64 = 50;

/// What one word about a payment comes to, before it is kept.
#[derive(Debug)]
pub(crate) struct Booking {
    pub payment: Payment,
    pub outcomes: Vec<Outcome>,
    /// To be kept beside the payment.
    pub beside: Vec<MoneyChange>,
}

/// What became of a word about money.
#[derive(Debug)]
pub(crate) enum Booked {
    /// To be kept and told.
    New(Box<Booking>),
    /// It has been said before.
    Known,
    /// There is no such payment in this room.
    Unknown,
    /// It cannot be of this payment.
    Wrong,
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Tip => "tip",
        Kind::Ticket => "ticket",
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Made => "made",
        State::Open => "open",
        State::Processing => "processing",
        State::Expired => "expired",
        State::Failed => "failed",
        State::Paid => "paid",
    }
}

fn refund_name(refund: &Refund) -> &'static str {
    match refund {
        Refund::Wanted => "wanted",
        Refund::Pending => "pending",
        Refund::Done => "done",
        Refund::Failed { .. } => "failed",
    }
}

impl Keeper {
    /// A new payment, before Stripe hears of it: whatever Stripe says of it finds it here.
    pub async fn begin_payment(&self, payment: &Payment) -> Result<(), KeepError> {
        let mut connection = self.pool.acquire().await?;
        put(&mut connection, payment).await
    }

    /// A payment by its number.
    pub async fn payment(&self, id: &str) -> Result<Option<Payment>, KeepError> {
        let mut connection = self.pool.acquire().await?;
        by(&mut connection, "id", id).await
    }

    /// The payment that Stripe speaks of.
    pub async fn payment_of(&self, said: &Said) -> Result<Option<Payment>, KeepError> {
        let mut connection = self.pool.acquire().await?;
        for (column, value) in [
            ("id", &said.payment),
            ("checkout", &said.checkout),
            ("intent", &said.intent),
        ] {
            if let Some(value) = value
                && let Some(payment) = by(&mut connection, column, value).await?
            {
                return Ok(Some(payment));
            }
        }
        Ok(None)
    }

    /// Whether Stripe has said this before.
    pub async fn heard(&self, event: &str) -> Result<bool, KeepError> {
        let row = sqlx::query("SELECT 1 FROM stripe_events WHERE id = ?1")
            .bind(event)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// What `fact` makes of a payment of this room; nothing is kept yet. To be called by the room's task alone.
    pub async fn book(
        &self,
        room: &RoomId,
        id: &str,
        fact: &Fact,
        event: Option<&str>,
        now_ms: u64,
    ) -> Result<Booked, KeepError> {
        if let Some(event) = event
            && self.heard(event).await?
        {
            return Ok(Booked::Known);
        }
        let Some(mut payment) = self.payment(id).await?.filter(|payment| payment.room == *room) else {
            return Ok(Booked::Unknown);
        };
        let intent = match fact {
            Fact::Checkout { intent, .. } => payment.intent.clone().or_else(|| intent.clone()),
            Fact::Refunded { intent, .. } => Some(intent.clone()),
            _ => payment.intent.clone(),
        };
        let given_back = match &intent {
            Some(intent) => self.given_back(intent, fact).await?,
            None => 0,
        };
        let Ok(outcomes) = payment.take(fact, given_back, now_ms) else {
            return Ok(Booked::Wrong);
        };
        let beside = beside(fact, event, now_ms);
        Ok(Booked::New(Box::new(Booking {
            payment,
            outcomes,
            beside,
        })))
    }

    /// What the refunds of an intent come to, with what is new.
    async fn given_back(&self, intent: &str, fact: &Fact) -> Result<u64, KeepError> {
        let rows = sqlx::query("SELECT refund, minor, holds FROM stripe_refunds WHERE intent = ?1")
            .bind(intent)
            .fetch_all(&self.pool)
            .await?;
        let (new, mut total) = match fact {
            Fact::Refunded { refund, total, .. } => (refund.as_ref(), total.unwrap_or(0)),
            _ => (None, 0),
        };
        let mut sum = new.map_or(
            0,
            |(_, minor, state)| if *state == RefundState::Failed { 0 } else { *minor },
        );
        let mut failed = matches!(new, Some((_, _, RefundState::Failed)));
        for row in rows {
            let refund: String = row.try_get("refund")?;
            let minor = row.try_get::<i64, _>("minor")?.cast_unsigned();
            if refund.starts_with(TOTAL) {
                total = total.max(minor);
            } else if row.try_get::<i64, _>("holds")? == 0 {
                failed = true;
                // It was said to have failed before it was said to have begun.
                if let Some((id, minor, state)) = new
                    && *id == refund
                    && *state != RefundState::Failed
                {
                    sum -= *minor;
                }
            } else if new.is_none_or(|(id, ..)| *id != refund) {
                sum += minor;
            }
        }
        // A refund that failed after all is known by its own word; a total says nothing of it.
        Ok(if failed { sum } else { sum.max(total) })
    }

    /// Keeps what Stripe says of a payment that is not known, or not yet.
    pub async fn keep_stray(&self, fact: Option<&Fact>, event: &str, now_ms: u64) -> Result<(), KeepError> {
        let mut transaction = self.pool.begin().await?;
        let changes = match fact {
            Some(fact) => beside(fact, Some(event), now_ms),
            None => vec![MoneyChange::Event {
                id: event.to_owned(),
                at_ms: now_ms,
            }],
        };
        for change in &changes {
            keep_money_change(&mut transaction, "", change).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Payments that wait to be given back, longest first.
    pub async fn to_refund(&self) -> Result<Vec<Payment>, KeepError> {
        let rows = sqlx::query("SELECT body FROM payments WHERE refund = 'wanted' ORDER BY made_ms LIMIT ?1")
            .bind(REFUNDS)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(read).collect()
    }

    /// What every room charges: room, show, price.
    pub async fn terms(&self) -> Result<Vec<(RoomId, u32, Option<Sum>)>, KeepError> {
        let rows = sqlx::query("SELECT room, show, price FROM money_rooms")
            .fetch_all(&self.pool)
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let Ok(room) = row.try_get::<String, _>("room")?.parse() else {
                continue;
            };
            let price: Option<String> = row.try_get("price")?;
            let price = price.map(|text| serde_json::from_str(&text)).transpose()?;
            all.push((room, small(row.try_get("show")?), price));
        }
        Ok(all)
    }

    /// What was paid in a show, newest first, and whether there is more.
    pub async fn sales(
        &self,
        room: &RoomId,
        show: u32,
        before_ms: Option<u64>,
    ) -> Result<(Vec<Sale>, bool), KeepError> {
        let rows = sqlx::query(
            "SELECT body FROM payments WHERE room = ?1 AND show = ?2 AND paid_ms < ?3 ORDER BY paid_ms DESC, id LIMIT ?4",
        )
        .bind(room.as_str())
        .bind(i64::from(show))
        .bind(before_ms.map_or(i64::MAX, number))
        .bind(PAGE + 1)
        .fetch_all(&self.pool)
        .await?;
        let more = rows.len() > PAGE as usize;
        let payments = rows
            .iter()
            .take(PAGE as usize)
            .map(read)
            .collect::<Result<Vec<_>, _>>()?;
        Ok((payments.iter().filter_map(Payment::sale).collect(), more))
    }

    /// What the last shows of a room brought, newest first; the first is the one on sale now.
    pub async fn revenue(&self, room: &RoomId, now_on_sale: u32) -> Result<Vec<ShowRevenue>, KeepError> {
        let rows = sqlx::query(
            // The fee of what was given back goes back with it.
            "SELECT show, currency,
                sum(CASE kind WHEN 'tip' THEN minor ELSE 0 END) AS tips, sum(kind = 'tip') AS tip_count,
                sum(CASE kind WHEN 'ticket' THEN minor ELSE 0 END) AS tickets, sum(kind = 'ticket') AS ticket_count,
                sum(refunded) AS refunds, sum(fee - fee * refunded / minor) AS fee
             FROM payments WHERE room = ?1 AND state = 'paid' AND show > ?2
             GROUP BY show, currency ORDER BY show DESC, currency",
        )
        .bind(room.as_str())
        .bind(i64::from(now_on_sale) - SHOWS)
        .fetch_all(&self.pool)
        .await?;
        let mut shows: Vec<ShowRevenue> = Vec::new();
        let first = now_on_sale
            .saturating_sub(u32::try_from(SHOWS).unwrap_or(u32::MAX) - 1)
            .max(1);
        for number in (first..=now_on_sale).rev() {
            let title = sqlx::query("SELECT title FROM money_shows WHERE room = ?1 AND number = ?2")
                .bind(room.as_str())
                .bind(i64::from(number))
                .fetch_optional(&self.pool)
                .await?;
            shows.push(ShowRevenue {
                number,
                title: title.map_or_else(|| Ok(String::new()), |row| row.try_get("title"))?,
                revenue: Vec::new(),
            });
        }
        for row in &rows {
            let amount = |column: &str| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
            let number = small(row.try_get("show")?);
            let Ok(currency) = Currency::try_from(row.try_get::<String, _>("currency")?) else {
                continue;
            };
            let [tips, tickets, refunds, fee] = [
                amount("tips")?,
                amount("tickets")?,
                amount("refunds")?,
                amount("fee")?,
            ];
            let revenue = Revenue {
                digits: currency.digits(),
                currency,
                tips,
                tip_count: small(row.try_get("tip_count")?),
                tickets,
                ticket_count: small(row.try_get("ticket_count")?),
                refunds,
                fee,
                net: (tips + tickets).saturating_sub(refunds + fee),
            };
            if let Some(show) = shows.iter_mut().find(|show| show.number == number) {
                show.revenue.push(revenue);
            }
        }
        Ok(shows)
    }
}

/// What a total of Stripe's stands under, beside its refunds.
const TOTAL: &str = "total:";

fn beside(fact: &Fact, event: Option<&str>, now_ms: u64) -> Vec<MoneyChange> {
    let mut changes = Vec::new();
    if let Some(event) = event {
        changes.push(MoneyChange::Event {
            id: event.to_owned(),
            at_ms: now_ms,
        });
    }
    if let Fact::Refunded {
        refund,
        intent,
        total,
    } = fact
    {
        if let Some((refund, minor, state)) = refund {
            changes.push(MoneyChange::Refund {
                refund: refund.clone(),
                intent: intent.clone(),
                minor: *minor,
                holds: *state != RefundState::Failed,
            });
        }
        if let Some(total) = total {
            changes.push(MoneyChange::Refund {
                refund: format!("{TOTAL}{intent}"),
                intent: intent.clone(),
                minor: *total,
                holds: true,
            });
        }
    }
    changes
}

fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Payment, KeepError> {
    Ok(serde_json::from_str(row.try_get("body")?)?)
}

/// By one of Stripe's numbers, or ours.
async fn by(
    connection: &mut SqliteConnection,
    column: &str,
    value: &str,
) -> Result<Option<Payment>, KeepError> {
    let query = match column {
        "checkout" => "SELECT body FROM payments WHERE checkout = ?1",
        "intent" => "SELECT body FROM payments WHERE intent = ?1",
        _ => "SELECT body FROM payments WHERE id = ?1",
    };
    let row = sqlx::query(query).bind(value).fetch_optional(connection).await?;
    row.as_ref().map(read).transpose()
}

async fn put(connection: &mut SqliteConnection, payment: &Payment) -> Result<(), KeepError> {
    sqlx::query(
        "INSERT INTO payments (id, room, show, kind, currency, minor, fee, state, made_ms, paid_ms, seq, refunded, refund,
            checkout, intent, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (id) DO UPDATE SET state = ?8, paid_ms = ?10, seq = ?11, refunded = ?12, refund = ?13, checkout = ?14,
            intent = ?15, body = ?16",
    )
    .bind(payment.id.clone())
    .bind(payment.room.to_string())
    .bind(i64::from(payment.show))
    .bind(kind_name(payment.kind))
    .bind(payment.sum.currency.code().to_owned())
    .bind(number(payment.sum.minor))
    .bind(number(payment.fee))
    .bind(state_name(payment.state))
    .bind(number(payment.made_ms))
    .bind(payment.paid_ms.map(number))
    .bind(payment.seq.map(number))
    .bind(number(payment.refunded))
    .bind(payment.refund.as_ref().map(|back| refund_name(&back.state)))
    .bind(payment.checkout.clone())
    .bind(payment.intent.clone())
    .bind(serde_json::to_string(payment)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps one change, as a part of what a turn of the room has changed.
pub(crate) async fn keep_money_change(
    to: &mut Transaction<'_, Sqlite>,
    room: &str,
    change: &MoneyChange,
) -> Result<(), KeepError> {
    let query = match change {
        MoneyChange::Price(price) => sqlx::query(
            "INSERT INTO money_rooms (room, price) VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET price = ?2",
        )
        .bind(room)
        .bind(price.as_ref().map(serde_json::to_string).transpose()?),
        MoneyChange::Goal(goal) => sqlx::query(
            "INSERT INTO money_rooms (room, goal) VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET goal = ?2",
        )
        .bind(room)
        .bind(goal.as_ref().map(serde_json::to_string).transpose()?),
        MoneyChange::Show { number: show, title, began_ms } => {
            sqlx::query("INSERT INTO money_rooms (room, show) VALUES (?1, ?2) ON CONFLICT (room) DO UPDATE SET show = ?2")
                .bind(room)
                .bind(i64::from(*show))
                .execute(&mut **to)
                .await?;
            sqlx::query("INSERT INTO money_shows (room, number, title, began_ms) VALUES (?1, ?2, ?3, ?4)")
                .bind(room)
                .bind(i64::from(*show))
                .bind(title.clone())
                .bind(number(*began_ms))
        }
        MoneyChange::Payment(payment) => return put(to, payment).await,
        MoneyChange::Event { id, at_ms } => {
            sqlx::query("INSERT OR IGNORE INTO stripe_events (id, at_ms) VALUES (?1, ?2)")
                .bind(id.clone())
                .bind(number(*at_ms))
        }
        MoneyChange::Refund { refund, intent, minor, holds } => sqlx::query(
            // One that failed stays so, whatever is heard late.
            "INSERT INTO stripe_refunds (refund, intent, minor, holds) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (refund) DO UPDATE SET minor = max(minor, ?3), holds = min(holds, ?4)",
        )
        .bind(refund.clone())
        .bind(intent.clone())
        .bind(number(*minor))
        .bind(i64::from(*holds)),
        MoneyChange::WantRefund { payment, now_ms } => {
            let found = by(to, "id", payment).await?.filter(|payment| payment.room.as_str() == room);
            return want(to, found.into_iter(), *now_ms).await;
        }
        MoneyChange::WantRefunds { show, now_ms } => {
            let rows = sqlx::query(
                "SELECT body FROM payments WHERE room = ?1 AND show = ?2 AND kind = 'ticket' AND paid_ms IS NOT NULL",
            )
            .bind(room)
            .bind(i64::from(*show))
            .fetch_all(&mut **to)
            .await?;
            let all = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            return want(to, all.into_iter(), *now_ms).await;
        }
    };
    query.execute(&mut **to).await?;
    Ok(())
}

async fn want(
    to: &mut Transaction<'_, Sqlite>,
    payments: impl Iterator<Item = Payment>,
    now_ms: u64,
) -> Result<(), KeepError> {
    for mut payment in payments.filter(Payment::refundable) {
        let refunded = payment.refunded;
        if payment.take(&Fact::RefundWanted, refunded, now_ms).is_ok() {
            put(to, &payment).await?;
        }
    }
    Ok(())
}

/// What is kept of a room's money.
pub(crate) async fn load_money(pool: &SqlitePool, room: &str) -> Result<Kept, KeepError> {
    let row = sqlx::query("SELECT show, price, goal FROM money_rooms WHERE room = ?1")
        .bind(room)
        .fetch_optional(pool)
        .await?;
    let mut kept = Kept::default();
    if let Some(row) = row {
        let json = |column: &str| row.try_get::<Option<String>, _>(column);
        kept.show = small(row.try_get("show")?);
        kept.price = json("price")?
            .map(|text| serde_json::from_str(&text))
            .transpose()?;
        let goal: Option<KeptGoal> = json("goal")?
            .map(|text| serde_json::from_str(&text))
            .transpose()?;
        kept.goal = goal;
    }
    let rows = sqlx::query(
        "SELECT body FROM payments WHERE room = ?1 AND kind = 'tip' AND seq IS NOT NULL ORDER BY seq DESC LIMIT ?2",
    )
    .bind(room)
    .bind(TIPS_SHOWN as i64)
    .fetch_all(pool)
    .await?;
    let tips: Result<Vec<Option<Tip>>, KeepError> =
        rows.iter().rev().map(|row| Ok(read(row)?.tip())).collect();
    kept.tips = tips?.into_iter().flatten().collect();
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::wire::Refund;

    const NOW: u64 = 1_795_000_000_000;

    struct Books {
        keeper: Keeper,
        room: RoomId,
        payment: Payment,
    }

    impl Books {
        /// With one ticket of 15.00 that was paid.
        async fn new() -> Self {
            let keeper = Keeper::open(None, &"a key of the tests".into())
                .await
                .expect("memory");
            let room: RoomId = "show".parse().expect("a room's name");
            let sum = Currency::try_from("EUR".to_owned())
                .expect("a currency")
                .sum(1500);
            let payment = Payment::new("0".repeat(32), room.clone(), 1, Kind::Ticket, sum, 500, NOW);
            keeper.begin_payment(&payment).await.expect("kept");
            let books = Self {
                keeper,
                room,
                payment,
            };
            let paid = Fact::Checkout {
                state: State::Paid,
                checkout: "cs_1".into(),
                intent: Some("pi_1".into()),
                sum: Some((1500, "eur".into())),
            };
            books.take(&paid, "evt_paid").await;
            books
        }

        /// As the room's task does it.
        async fn take(&self, fact: &Fact, event: &str) -> Option<Payment> {
            let id = &self.payment.id;
            let booked = self
                .keeper
                .book(&self.room, id, fact, Some(event), NOW)
                .await
                .expect("read");
            let Booked::New(booking) = booked else { return None };
            let mut changes: Vec<Change> = booking.beside.into_iter().map(Change::Money).collect();
            changes.push(Change::Money(MoneyChange::Payment(Box::new(
                booking.payment.clone(),
            ))));
            self.keeper.keep(&self.room, None, &changes).await.expect("kept");
            Some(booking.payment)
        }
    }

    fn refund(id: &str, minor: u64, state: RefundState) -> Fact {
        Fact::Refunded {
            refund: Some((id.into(), minor, state)),
            intent: "pi_1".into(),
            total: None,
        }
    }

    fn total(minor: u64) -> Fact {
        Fact::Refunded {
            refund: None,
            intent: "pi_1".into(),
            total: Some(minor),
        }
    }

    #[tokio::test]
    async fn the_same_word_counts_once_and_a_total_is_no_refund_more() {
        let books = Books::new().await;
        let part = refund("re_1", 500, RefundState::Done);
        assert_eq!(
            books.take(&part, "evt_1").await.map(|one| one.refunded),
            Some(500)
        );
        assert!(books.take(&part, "evt_1").await.is_none(), "the same event");
        assert_eq!(
            books.take(&part, "evt_2").await.map(|one| one.refunded),
            Some(500),
            "another of the same refund"
        );
        assert_eq!(
            books.take(&total(500), "evt_3").await.map(|one| one.refunded),
            Some(500)
        );
        let rest = refund("re_2", 1000, RefundState::Pending);
        let after = books.take(&rest, "evt_4").await.expect("new");
        assert_eq!(
            (after.refunded, after.refund.map(|back| back.state)),
            (1500, Some(Refund::Pending))
        );
    }

    #[tokio::test]
    async fn a_failed_refund_stays_failed_whatever_comes_late() {
        let books = Books::new().await;
        books
            .take(&refund("re_1", 1500, RefundState::Pending), "evt_1")
            .await;
        books.take(&total(1500), "evt_2").await;
        let failed = books
            .take(&refund("re_1", 1500, RefundState::Failed), "evt_3")
            .await
            .expect("new");
        assert_eq!((failed.refunded, failed.refundable()), (0, true));
        for (late, event) in [
            (refund("re_1", 1500, RefundState::Pending), "evt_4"),
            (total(1500), "evt_5"),
        ] {
            assert_eq!(
                books.take(&late, event).await.map(|one| one.refunded),
                Some(0),
                "{event}"
            );
        }
        let revenue = books.keeper.revenue(&books.room, 1).await.expect("read");
        let [show] = revenue.as_slice() else {
            panic!("{revenue:?}")
        };
        assert_eq!(
            (
                show.revenue[0].tickets,
                show.revenue[0].refunds,
                show.revenue[0].net
            ),
            (1500, 0, 1425)
        );
    }

    #[tokio::test]
    async fn only_what_can_be_given_back_is_wanted_and_of_this_room_alone() {
        let books = Books::new().await;
        let want = |room: &'static str| {
            let change = MoneyChange::WantRefund {
                payment: books.payment.id.clone(),
                now_ms: NOW,
            };
            let (keeper, room) = (&books.keeper, room.parse::<RoomId>().expect("a room's name"));
            async move {
                keeper
                    .keep(&room, None, &[Change::Money(change)])
                    .await
                    .expect("kept")
            }
        };
        want("other").await;
        assert!(books.keeper.to_refund().await.expect("read").is_empty());
        want("show").await;
        want("show").await;
        let wanted = books.keeper.to_refund().await.expect("read");
        let rounds: Vec<u32> = wanted
            .iter()
            .filter_map(|one| one.refund.as_ref())
            .map(|back| back.round)
            .collect();
        assert_eq!(rounds, [1]);
    }
}

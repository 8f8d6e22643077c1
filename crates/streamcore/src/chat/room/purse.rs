//! Money in the room: the goal, what a ticket costs, tips that were paid. What a payment is and may become is decided in
//! `money`; here it gets its event.

use super::moderation::{Acted, out_of_range};
use super::{Audience, Change, Follow, Now, Room, Speaker};
use crate::chat::identity::Role;
use crate::chat::text::{Text, has_link, whole_line};
use crate::chat::wire::{Happening, Refused};
use crate::money::wire::{Currency, Goal, Kind, Money, MoneyAct, MoneyHappening, Sum, Tip};
use crate::money::{
    Booking, KeptGoal, KeptMoney, MOST_MINOR, MOST_OF_A_TIP, MoneyChange, Outcome, TIPS_SHOWN,
};

const MOST_OF_A_LABEL: usize = 80;
/// Of a currency's code.
const LETTERS: usize = 3;
const MOST_OF_A_TITLE: usize = 120;
/// A goal may be a house.
const MOST_OF_A_GOAL: u64 = 1_000_000_000_000;
/// Less than this no card payment is; Stripe has a least of its own for each currency.
const LEAST_PRICE: u64 = 50;

/// What the room knows of money.
#[derive(Debug)]
pub struct Purse {
    kept: KeptMoney,
}

impl Purse {
    pub fn new(mut kept: KeptMoney) -> Self {
        kept.show = kept.show.max(1);
        Self { kept }
    }

    /// As everybody may see it.
    pub fn seen(&self) -> Money {
        let offer = self.kept.offer.as_ref();
        Money {
            test: offer.is_some_and(|offer| offer.test),
            rules: offer.map(|offer| offer.rules.clone()),
            ticket: self.kept.price.clone(),
            goal: self.goal(),
            tips: self.kept.tips.clone(),
        }
    }

    fn goal(&self) -> Option<Goal> {
        self.kept.goal.as_ref().map(|kept| kept.goal.clone())
    }

    /// A sum in the server's own currency, the only one in which it is paid.
    fn sum(&self, minor: u64, currency: &str) -> Result<Sum, Refused> {
        let ours = &self.kept.offer.as_ref().ok_or(Refused::NoPayments)?.currency;
        let named = Currency::try_from(currency.to_owned()).map_err(|_| out_of_range("currency"))?;
        if named == *ours {
            Ok(ours.sum(minor))
        } else {
            Err(out_of_range("currency"))
        }
    }
}

impl Room {
    /// The host does something about money.
    pub(super) fn money(
        &mut self,
        follow: &mut Follow,
        act: &MoneyAct,
        role: Role,
        now: Now,
    ) -> Result<Acted, Refused> {
        if role < Role::Host {
            return Err(Refused::NotAllowed);
        }
        let whom = match act {
            MoneyAct::Goal {
                label,
                minor,
                currency,
            } => self.set_goal(follow, label.as_deref(), *minor, currency, now)?,
            MoneyAct::Price { minor, currency } => self.set_price(follow, *minor, currency)?,
            MoneyAct::Show { title } => Some(self.begin_show(follow, title, now)?),
            // Whether there is such a payment was looked up before; what becomes of it the books say.
            MoneyAct::Refund { payment } => {
                keep(
                    follow,
                    MoneyChange::WantRefund {
                        payment: payment.clone(),
                        now_ms: now.wall_ms,
                    },
                );
                None
            }
            MoneyAct::Cancel => {
                keep(
                    follow,
                    MoneyChange::WantRefunds {
                        show: self.purse.kept.show,
                        now_ms: now.wall_ms,
                    },
                );
                None
            }
        };
        Ok(Acted::on(whom, None))
    }

    fn set_goal(
        &mut self,
        follow: &mut Follow,
        label: Option<&str>,
        minor: u64,
        currency: &str,
        now: Now,
    ) -> Result<Option<String>, Refused> {
        let goal = match label {
            // It stands in the log all the same.
            None if minor > MOST_OF_A_GOAL => return Err(out_of_range("minor")),
            None if currency.len() > LETTERS => return Err(out_of_range("currency")),
            None => None,
            Some(label) => {
                let label = whole_line(label, MOST_OF_A_LABEL).filter(|label| !label.is_empty());
                let label = label.ok_or_else(|| out_of_range("label"))?;
                if !(1..=MOST_OF_A_GOAL).contains(&minor) {
                    return Err(out_of_range("minor"));
                }
                let target = self.purse.sum(minor, currency)?;
                Some(Goal {
                    label,
                    target,
                    raised: 0,
                })
            }
        };
        let whom = goal
            .as_ref()
            .or(self.purse.goal().as_ref())
            .map(|goal| goal.label.clone());
        self.put_goal(
            follow,
            goal.map(|goal| KeptGoal {
                goal,
                since_ms: now.wall_ms,
            }),
        );
        Ok(whom)
    }

    fn put_goal(&mut self, follow: &mut Follow, goal: Option<KeptGoal>) {
        self.purse.kept.goal.clone_from(&goal);
        keep(follow, MoneyChange::Goal(goal));
        let goal = self.purse.goal();
        self.happen(
            follow,
            Audience::All,
            Happening::Money {
                what: MoneyHappening::Goal { goal },
            },
        );
    }

    fn set_price(
        &mut self,
        follow: &mut Follow,
        minor: u64,
        currency: &str,
    ) -> Result<Option<String>, Refused> {
        let price = match minor {
            0 if currency.len() > LETTERS => return Err(out_of_range("currency")),
            0 => None,
            LEAST_PRICE..=MOST_MINOR => Some(self.purse.sum(minor, currency)?),
            _ => return Err(out_of_range("minor")),
        };
        self.purse.kept.price.clone_from(&price);
        keep(follow, MoneyChange::Price(price.clone()));
        self.happen(
            follow,
            Audience::All,
            Happening::Money {
                what: MoneyHappening::Priced { ticket: price },
            },
        );
        Ok(None)
    }

    fn begin_show(&mut self, follow: &mut Follow, title: &str, now: Now) -> Result<String, Refused> {
        let title = whole_line(title, MOST_OF_A_TITLE).filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| out_of_range("title"))?;
        let number = self.purse.kept.show + 1;
        self.purse.kept.show = number;
        keep(
            follow,
            MoneyChange::Show {
                number,
                title: title.clone(),
                began_ms: now.wall_ms,
            },
        );
        let what = MoneyHappening::Show {
            number,
            title: title.clone(),
        };
        self.happen(follow, Audience::All, Happening::Money { what });
        Ok(title)
    }

    /// The words of a tip, as they will be shown. They are looked at before anything is paid: money for words that nobody
    /// sees would have to go back.
    ///
    /// # Errors
    /// Why they may not be said.
    pub fn may_tip(
        &self,
        speaker: &Speaker,
        message: Option<&Text>,
        now: Now,
    ) -> Result<Option<String>, Refused> {
        if let Some(restriction) = self.restriction(speaker, now) {
            return Err(match restriction.until_ms {
                None => Refused::Banned,
                Some(until) => Refused::TimedOut {
                    retry_after_ms: until.saturating_sub(now.wall_ms),
                },
            });
        }
        let Some(Text(message)) = message else {
            return Ok(None);
        };
        let too_long = || Refused::TooLong {
            most: MOST_OF_A_TIP as u32,
        };
        let message = whole_line(message, MOST_OF_A_TIP).ok_or_else(too_long)?;
        let refused = speaker.author.role == Role::Viewer
            && (self.blocked.is_in(&message) || self.rules.hold_links && has_link(&message));
        if refused {
            return Err(Refused::Blocked);
        }
        Ok((!message.is_empty()).then_some(message))
    }

    /// What is new of a payment: kept, and told to whom it concerns.
    pub fn book(&mut self, booking: Booking) -> Follow {
        let Booking {
            mut payment,
            outcomes,
            beside,
        } = booking;
        let mut follow = Follow::default();
        follow.keep.extend(beside.into_iter().map(Change::Money));
        let mut counts = 0_i128;
        for outcome in &outcomes {
            match outcome {
                Outcome::Paid => counts += i128::from(payment.sum.minor - payment.refunded),
                Outcome::GivenBack { before } if !outcomes.contains(&Outcome::Paid) => {
                    counts += i128::from(*before) - i128::from(payment.refunded);
                }
                Outcome::GivenBack { .. } | Outcome::Booked => {}
            }
        }
        if payment.kind == Kind::Tip && outcomes.contains(&Outcome::Paid) {
            payment.seq = Some(self.next_seq());
            if let Some(tip) = payment.tip() {
                self.put_tip(tip.clone());
                self.happen(
                    &mut follow,
                    Audience::All,
                    Happening::Money {
                        what: MoneyHappening::Tipped { tip },
                    },
                );
            }
        }
        if payment.kind == Kind::Tip && counts != 0 {
            self.count_towards_goal(&mut follow, &payment.sum, payment.paid_ms.unwrap_or(0), counts);
        }
        if outcomes.contains(&Outcome::Booked)
            && let Some(sale) = payment.sale()
        {
            let what = MoneyHappening::Booked { sale };
            self.happen(&mut follow, Audience::Host, Happening::Money { what });
        }
        keep(&mut follow, MoneyChange::Payment(Box::new(payment)));
        follow
    }

    fn put_tip(&mut self, tip: Tip) {
        let tips = &mut self.purse.kept.tips;
        tips.push(tip);
        if tips.len() > TIPS_SHOWN {
            tips.remove(0);
        }
    }

    fn count_towards_goal(&mut self, follow: &mut Follow, sum: &Sum, paid_ms: u64, more: i128) {
        let Some(mut kept) = self.purse.kept.goal.clone() else {
            return;
        };
        if kept.goal.target.currency != sum.currency || paid_ms < kept.since_ms {
            return;
        }
        let raised = (i128::from(kept.goal.raised) + more).max(0);
        kept.goal.raised = u64::try_from(raised)
            .unwrap_or(u64::MAX)
            .min(MOST_OF_A_GOAL * 1000);
        self.put_goal(follow, Some(kept));
    }
}

fn keep(follow: &mut Follow, change: MoneyChange) {
    follow.keep.push(Change::Money(change));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Stage, host, speaker, viewer};
    use super::*;
    use crate::chat::room::Kept;
    use crate::chat::wire::{Act, Rules};
    use crate::money::{Fact, MoneySettings, Offer, Payment, State};

    fn stage() -> Stage {
        let settings = MoneySettings::new("sk_test_abc".into(), "whsec_abc".into());
        let mut kept = Kept::default();
        kept.money.offer = Some(Offer::new(&settings).expect("sound").into());
        let mut stage = Stage::new();
        stage.room = Room::new("show".parse().expect("a room's name"), kept);
        stage
    }

    fn act(what: MoneyAct) -> Act {
        Act::Money { what }
    }

    fn goal(minor: u64) -> Act {
        act(MoneyAct::Goal {
            label: Some("New mixer".into()),
            minor,
            currency: "eur".into(),
        })
    }

    fn booking(stage: &Stage, minor: u64, kind: Kind) -> Booking {
        let sum = Currency::try_from("EUR".to_owned())
            .expect("a currency")
            .sum(minor);
        let room = "show".parse().expect("a room's name");
        let now = stage.now().wall_ms;
        let mut payment = Payment::new("0".repeat(32), room, 1, kind, sum, 500, now);
        payment.name = (kind == Kind::Tip).then(|| "Ada".into());
        let fact = Fact::Checkout {
            state: State::Paid,
            checkout: "cs".into(),
            intent: Some("pi".into()),
            sum: None,
        };
        let outcomes = payment.take(&fact, 0, now).expect("our sum");
        Booking {
            payment,
            outcomes,
            beside: Vec::new(),
        }
    }

    #[test]
    fn a_tip_is_told_to_all_and_brings_the_goal_nearer() {
        let mut stage = stage();
        stage.acted(&host(), goal(10_000));
        let booking = booking(&stage, 2000, Kind::Tip);
        let follow = stage.room.book(booking);
        let told: Vec<_> = follow
            .tell
            .iter()
            .map(|told| (&told.audience, &told.event.what))
            .collect();
        let [
            (
                Audience::All,
                Happening::Money {
                    what: MoneyHappening::Tipped { tip },
                },
            ),
            (Audience::All, _),
            (Audience::Host, _),
        ] = told.as_slice()
        else {
            panic!("{told:?}");
        };
        assert_eq!((tip.name.as_str(), tip.sum.minor), ("Ada", 2000));
        let seen = stage.room.snapshot(Role::Viewer, stage.now()).money;
        assert_eq!(seen.goal.map(|goal| goal.raised), Some(2000));
        assert_eq!(seen.tips.len(), 1);
    }

    #[test]
    fn a_ticket_is_told_to_the_host_alone_and_counts_towards_no_goal() {
        let mut stage = stage();
        stage.acted(&host(), goal(10_000));
        let booking = booking(&stage, 2000, Kind::Ticket);
        let follow = stage.room.book(booking);
        assert!(follow.tell.iter().all(|told| told.audience == Audience::Host));
        assert_eq!(
            stage
                .room
                .snapshot(Role::Viewer, stage.now())
                .money
                .goal
                .map(|goal| goal.raised),
            Some(0)
        );
        let missed = stage
            .room
            .since(0, Role::Moderator, "ines")
            .expect("not long ago");
        assert!(
            !format!("{missed:?}").contains("Booked"),
            "no moderator sees the books"
        );
    }

    #[test]
    fn money_is_the_hosts_in_the_servers_currency_and_within_limits() {
        let mut stage = stage();
        let ines = speaker("ines", Role::Moderator, 9);
        let _the_host_invites = stage.room.invitations.insert("ines".into(), "Inès".into());
        assert_eq!(stage.act(&ines, goal(5)).err(), Some(Refused::NotAllowed));
        let price = |minor, currency: &str| {
            act(MoneyAct::Price {
                minor,
                currency: currency.into(),
            })
        };
        for wrong in [
            price(49, "EUR"),
            price(MOST_MINOR + 1, "EUR"),
            price(500, "USD"),
            price(500, ""),
        ] {
            assert!(matches!(
                stage.act(&host(), wrong).err(),
                Some(Refused::OutOfRange { .. })
            ));
        }
        stage.acted(&host(), price(500, "EUR"));
        stage.acted(&host(), price(0, ""));
        let mut poor = Stage::new();
        assert_eq!(
            poor.act(&host(), price(500, "EUR")).err(),
            Some(Refused::NoPayments)
        );
    }

    #[test]
    fn the_words_of_a_tip_are_looked_at_before_it_is_paid() {
        let mut stage = stage();
        let rules = Rules {
            blocked_words: vec!["rubbish".into()],
            ..Rules::default()
        };
        stage.acted(&host(), Act::Change { rules });
        let say = |text: &str| {
            stage
                .room
                .may_tip(&viewer("ada"), Some(&Text(text.into())), stage.now())
        };
        assert_eq!(say(" <b>well\n played "), Ok(Some("<b>well played".into())));
        assert_eq!(say(" "), Ok(None));
        for blocked in ["RubbÍsh", "go to cheap.example"] {
            assert_eq!(say(blocked), Err(Refused::Blocked), "{blocked}");
        }
        assert_eq!(say(&"x".repeat(201)), Err(Refused::TooLong { most: 200 }));
        stage
            .room
            .say(&viewer("ada"), &Text("hi".into()), None, stage.now())
            .expect("said");
        stage.acted(&host(), Act::Ban { member: "ada".into() });
        assert_eq!(
            stage.room.may_tip(&viewer("ada"), None, stage.now()),
            Err(Refused::Banned)
        );
    }
}

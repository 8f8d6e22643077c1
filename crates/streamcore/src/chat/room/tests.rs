use std::time::{Duration, Instant};

use super::{Change, Follow, Kept, Now, Room, Speaker};
use crate::chat::identity::Role;
use crate::chat::text::Text;
use crate::chat::wire::{Act, Author, Done, Happening, HeldFor, Refused, Rules, Seq};

pub(super) struct Stage {
    pub(super) room: Room,
    start: Instant,
    ms: u64,
    pub(super) kept: Vec<Change>,
}

pub(super) fn speaker(id: &str, role: Role, address: u8) -> Speaker {
    Speaker {
        author: Author {
            id: id.to_owned(),
            name: id.to_uppercase(),
            role,
        },
        address: [address; 16],
    }
}

pub(super) fn viewer(id: &str) -> Speaker {
    speaker(id, Role::Viewer, id.as_bytes()[0])
}

pub(super) fn host() -> Speaker {
    speaker("host", Role::Host, 0)
}

impl Stage {
    pub(super) fn new() -> Self {
        Self {
            room: Room::new("show".parse().expect("a room's name"), Kept::default()),
            start: Instant::now(),
            ms: 0,
            kept: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Now {
        Now {
            wall_ms: 1_795_000_000_000 + self.ms,
            at: self.start + Duration::from_millis(self.ms),
        }
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.ms += ms;
    }

    pub(super) fn say(&mut self, who: &Speaker, text: &str) -> Result<Done, Refused> {
        self.speak(who, text, None)
    }

    fn speak(&mut self, who: &Speaker, text: &str, reply_to: Option<Seq>) -> Result<Done, Refused> {
        let now = self.now();
        let (done, follow) = self.room.say(who, &Text(text.to_owned()), reply_to, now)?;
        self.kept.extend(follow.keep);
        Ok(done)
    }

    pub(super) fn said(&mut self, who: &Speaker, text: &str) -> Seq {
        self.wait(1000);
        match self.say(who, text) {
            Ok(Done::Said { seq }) => seq,
            other => panic!("{text} was to be said: {other:?}"),
        }
    }

    pub(super) fn replied(&mut self, who: &Speaker, text: &str, to: Seq) {
        self.wait(1000);
        self.speak(who, text, Some(to))
            .expect("the answer was to be said");
    }

    pub(super) fn act(&mut self, who: &Speaker, act: Act) -> Result<Follow, Refused> {
        let now = self.now();
        let address = |member: &str| Some([member.as_bytes()[0]; 16]);
        let (_, follow) = self.room.moderate(who, &act, None, address, now)?;
        self.kept.extend(follow.keep.clone());
        Ok(follow)
    }

    pub(super) fn acted(&mut self, who: &Speaker, act: Act) -> u64 {
        match self.act(who, act.clone()) {
            Ok(_) => self.room.entries,
            Err(refused) => panic!("{act:?} was to be done: {refused:?}"),
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Rules)) {
        let mut rules = Rules::default();
        change(&mut rules);
        self.acted(&host(), Act::Change { rules });
    }

    fn texts(&self) -> Vec<String> {
        let snapshot = self.room.snapshot(Role::Viewer, self.now());
        snapshot
            .messages
            .into_iter()
            .map(|message| message.text)
            .collect()
    }
}

#[test]
fn five_at_once_then_three_a_second() {
    let mut stage = Stage::new();
    let ada = viewer("ada");
    let at_once = (0..20)
        .filter(|n| stage.say(&ada, &format!("{n}")).is_ok())
        .count();
    assert_eq!(at_once, 5);
    let Err(Refused::TooFast { retry_after_ms }) = stage.say(&ada, "again") else {
        panic!("the sixth was to be refused");
    };
    assert!((1..=334).contains(&retry_after_ms), "{retry_after_ms}");
    let mut said = 0;
    for _ in 0..100 {
        stage.wait(100);
        said += usize::from(stage.say(&ada, "on").is_ok());
    }
    assert!(
        (29..=31).contains(&said),
        "three a second for ten seconds: {said}"
    );
    assert!(
        stage.say(&viewer("bob"), "hi").is_ok(),
        "each has a pace of their own"
    );
    for n in 0..20 {
        assert!(stage.say(&host(), &format!("{n}")).is_ok(), "the host has none");
    }
}

#[test]
fn slow_mode_lock_and_emoji_bind_viewers_alone() {
    let mut stage = Stage::new();
    let ada = viewer("ada");
    stage.change(|rules| rules.slow_mode_s = 30);
    stage.said(&ada, "first");
    stage.wait(10_000);
    assert_eq!(
        stage.say(&ada, "second"),
        Err(Refused::TooFast {
            retry_after_ms: 20_000
        })
    );
    stage.wait(20_000);
    assert!(stage.say(&ada, "second").is_ok());
    stage.change(|rules| rules.locked = true);
    assert_eq!(stage.say(&ada, "x"), Err(Refused::Locked));
    assert!(stage.say(&host(), "x").is_ok());
    stage.change(|rules| rules.emoji_only = true);
    stage.wait(1000);
    assert_eq!(stage.say(&ada, "x"), Err(Refused::EmojiOnly));
    assert!(stage.say(&ada, "🔥").is_ok());
}

#[test]
fn links_and_blocked_words_wait_for_a_moderator() {
    let mut stage = Stage::new();
    let ada = viewer("ada");
    stage.change(|rules| rules.blocked_words = vec!["scam".into()]);
    stage.wait(1000);
    assert_eq!(stage.say(&ada, "see shop.example/x"), Ok(Done::Held));
    assert_eq!(stage.say(&ada, "it is a ѕсаm"), Ok(Done::Held));
    assert_eq!(stage.texts(), Vec::<String>::new(), "nobody sees them");
    let held = stage.room.snapshot(Role::Moderator, stage.now()).held;
    assert_eq!(
        held.iter().map(|h| h.why).collect::<Vec<_>>(),
        [HeldFor::Link, HeldFor::Word]
    );
    assert!(stage.room.snapshot(Role::Viewer, stage.now()).held.is_empty());
    let numbers: Vec<Seq> = held.iter().map(|held| held.message.seq).collect();
    stage.acted(&host(), Act::Release { message: numbers[0] });
    stage.acted(&host(), Act::Refuse { message: numbers[1] });
    assert_eq!(stage.texts(), ["see shop.example/x"]);
    assert_eq!(
        stage.act(&host(), Act::Release { message: numbers[1] }).map(drop),
        Err(Refused::Unknown)
    );
    stage.change(|rules| {
        rules.blocked_words = vec!["scam".into()];
        rules.hold_blocked = false;
    });
    assert_eq!(stage.say(&ada, "scam"), Err(Refused::Blocked));
}

#[test]
fn a_ban_holds_for_the_member_and_for_their_address() {
    let mut stage = Stage::new();
    let troll = viewer("troll");
    stage.said(&troll, "boo");
    let entry = stage.acted(
        &host(),
        Act::Ban {
            member: "troll".into(),
        },
    );
    stage.wait(1000);
    assert_eq!(stage.say(&troll, "boo"), Err(Refused::Banned));
    let returned = speaker("other", Role::Viewer, troll.address[0]);
    assert_eq!(
        stage.say(&returned, "boo"),
        Err(Refused::Banned),
        "another name, the same address"
    );
    assert!(stage.say(&viewer("ada"), "peace").is_ok());
    stage.acted(&host(), Act::Undo { entry });
    assert!(stage.say(&troll, "sorry").is_ok());
    assert_eq!(
        stage.act(&host(), Act::Undo { entry }).map(drop),
        Err(Refused::NotUndoable),
        "once is enough"
    );
}

#[test]
fn a_time_out_ends_by_itself_and_can_be_lifted() {
    let mut stage = Stage::new();
    let ada = viewer("ada");
    stage.said(&ada, "x");
    let out = || Act::TimeOut {
        member: "ada".into(),
        seconds: 60,
    };
    stage.acted(&host(), out());
    stage.wait(20_000);
    assert_eq!(
        stage.say(&ada, "x"),
        Err(Refused::TimedOut {
            retry_after_ms: 40_000
        })
    );
    stage.wait(40_000);
    assert!(stage.say(&ada, "x").is_ok());
    stage.acted(&host(), out());
    stage.acted(&host(), Act::Lift { member: "ada".into() });
    stage.wait(1000);
    assert!(stage.say(&ada, "x").is_ok());
    let too_long = Act::TimeOut {
        member: "ada".into(),
        seconds: 15 * 24 * 3600,
    };
    assert!(matches!(
        stage.act(&host(), too_long),
        Err(Refused::OutOfRange { .. })
    ));
}

#[test]
fn what_is_deleted_is_gone_from_the_top_too_and_comes_back() {
    let mut stage = Stage::new();
    let (ada, bob) = (viewer("ada"), viewer("bob"));
    let first = stage.said(&ada, "one");
    stage.said(&bob, "two");
    stage.said(&ada, "three");
    stage.acted(&host(), Act::Pin { message: first });
    let entry = stage.acted(&host(), Act::Delete { message: first });
    assert_eq!(stage.texts(), ["two", "three"]);
    assert!(stage.room.snapshot(Role::Viewer, stage.now()).pinned.is_none());
    stage.acted(&host(), Act::Undo { entry });
    assert_eq!(stage.texts(), ["one", "two", "three"], "in its old place");
    let entry = stage.acted(&host(), Act::DeleteAllOf { member: "ada".into() });
    assert_eq!(stage.texts(), ["two"]);
    stage.acted(&host(), Act::Undo { entry });
    let entry = stage.acted(&host(), Act::Clear);
    assert_eq!(stage.texts(), Vec::<String>::new());
    stage.acted(&host(), Act::Undo { entry });
    assert_eq!(stage.texts(), ["one", "two", "three"]);
}

#[test]
fn somebody_whose_words_are_gone_can_still_be_sent_away() {
    let mut stage = Stage::new();
    let troll = viewer("troll");
    let seq = stage.said(&troll, "boo");
    stage.acted(&host(), Act::Delete { message: seq });
    stage.acted(
        &host(),
        Act::Ban {
            member: "troll".into(),
        },
    );
    stage.wait(1000);
    assert_eq!(stage.say(&troll, "boo"), Err(Refused::Banned));
    let stranger = Act::Ban {
        member: "nobody".into(),
    };
    assert_eq!(stage.act(&host(), stranger).map(drop), Err(Refused::Unknown));
}

#[test]
fn rights_end_where_the_role_ends() {
    let mut stage = Stage::new();
    let (ada, stranger) = (viewer("ada"), speaker("mod", Role::Moderator, 9));
    let seq = stage.said(&ada, "x");
    assert_eq!(stage.act(&ada, Act::Clear).map(drop), Err(Refused::NotAllowed));
    assert_eq!(
        stage.act(&stranger, Act::Clear).map(drop),
        Err(Refused::NotAllowed),
        "a moderator whom nobody invited"
    );
    stage.acted(&host(), Act::Invite { name: "Inès".into() });
    let member = stage
        .room
        .invitations
        .keys()
        .next()
        .expect("one is invited")
        .clone();
    let names = |stage: &Stage, role| {
        let snapshot = stage.room.snapshot(role, stage.now());
        snapshot
            .moderators
            .into_iter()
            .map(|one| one.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&stage, Role::Host), ["Inès"]);
    assert!(
        names(&stage, Role::Viewer).is_empty(),
        "viewers are not told who keeps order"
    );
    let ines = speaker(&member, Role::Moderator, 9);
    stage.acted(&ines, Act::Delete { message: seq });
    for only_the_hosts in [
        Act::Invite { name: "X".into() },
        Act::Uninvite {
            member: member.clone(),
        },
    ] {
        assert_eq!(
            stage.act(&ines, only_the_hosts).map(drop),
            Err(Refused::NotAllowed)
        );
    }
    let of_host = stage.said(&host(), "mine");
    for against_the_host in [
        Act::Delete { message: of_host },
        Act::Ban {
            member: "host".into(),
        },
        Act::DeleteAllOf {
            member: "host".into(),
        },
    ] {
        assert_eq!(
            stage.act(&ines, against_the_host).map(drop),
            Err(Refused::NotAllowed)
        );
    }
    stage.acted(
        &host(),
        Act::Uninvite {
            member: member.clone(),
        },
    );
    assert_eq!(stage.act(&ines, Act::Clear).map(drop), Err(Refused::NotAllowed));
    assert!(names(&stage, Role::Host).is_empty());
}

#[test]
fn who_comes_back_is_told_what_was_for_them_and_no_more() {
    let mut stage = Stage::new();
    let (ada, bob) = (viewer("ada"), viewer("bob"));
    let seen = stage.said(&ada, "one");
    stage.said(&bob, "two");
    stage.acted(&host(), Act::Ban { member: "bob".into() });
    let kinds = |stage: &Stage, role, member: &str| {
        let missed = stage.room.since(seen, role, member).expect("it is not long ago");
        assert!(missed.is_sorted_by_key(|event| event.seq));
        missed
            .into_iter()
            .map(|event| match event.what {
                Happening::Said { .. } => "said",
                Happening::Restricted { .. } => "restricted",
                Happening::Logged { .. } => "logged",
                _ => "other",
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&stage, Role::Viewer, "ada"), ["said"]);
    assert_eq!(kinds(&stage, Role::Viewer, "bob"), ["said", "restricted"]);
    assert_eq!(
        kinds(&stage, Role::Host, "host"),
        ["said", "restricted", "logged"]
    );
    let now = stage.room.seq();
    assert_eq!(stage.room.since(now, Role::Viewer, "ada"), Some(Vec::new()));
    assert_eq!(
        stage.room.since(now + 1, Role::Viewer, "ada"),
        None,
        "another room's number"
    );
    for n in 0..2100 {
        stage.said(&host(), &format!("{n}"));
    }
    assert_eq!(stage.room.since(seen, Role::Viewer, "ada"), None, "too long ago");
}

#[test]
fn viewers_are_not_told_which_words_are_blocked() {
    let mut stage = Stage::new();
    stage.change(|rules| rules.blocked_words = vec!["scam".into()]);
    assert!(
        stage
            .room
            .snapshot(Role::Viewer, stage.now())
            .rules
            .blocked_words
            .is_empty()
    );
    let events = stage
        .room
        .since(0, Role::Viewer, "ada")
        .expect("since the beginning");
    assert!(!format!("{events:?}").contains("scam"));
    let events = stage
        .room
        .since(0, Role::Moderator, "m")
        .expect("since the beginning");
    assert!(format!("{events:?}").contains("scam"));
}

#[test]
fn replies_quote_and_names_are_mentioned() {
    let mut stage = Stage::new();
    let first = stage.said(&viewer("ada"), "Where do you ship?");
    let now = stage.now();
    let text = Text("@Ada, everywhere. @adamant is nobody".into());
    stage.room.say(&host(), &text, Some(first), now).expect("said");
    let message = stage.room.messages.back().expect("it is there").clone();
    assert_eq!(
        message.reply.map(|quote| quote.text),
        Some("Where do you ship?".into())
    );
    assert_eq!(message.mentions, ["ada"]);
}

#[test]
fn what_is_held_has_a_limit() {
    let mut stage = Stage::new();
    for n in 0..250 {
        stage.wait(1000);
        let _held = stage.say(&viewer(&format!("v{n}")), "see a.example/x");
    }
    let held = stage.room.snapshot(Role::Host, stage.now()).held;
    assert_eq!(held.len(), super::MOST_HELD);
    assert_eq!(
        held.last().map(|held| held.message.author.id.as_str()),
        Some("v249")
    );
}

#[test]
fn every_act_stands_in_the_log_with_who_and_on_whom() {
    let mut stage = Stage::new();
    stage.said(&viewer("ada"), "x");
    let now = stage.now();
    let act = Act::Ban { member: "ada".into() };
    let (_, follow) = stage
        .room
        .moderate(&host(), &act, Some("  spam\u{202e} "), |_| None, now)
        .expect("done");
    let entry = follow.keep.iter().find_map(|change| match change {
        Change::Entry(entry) => Some(entry.clone()),
        _ => None,
    });
    let entry = entry.expect("it is logged");
    assert_eq!((entry.number, entry.whom.as_deref()), (1, Some("ADA")));
    assert_eq!((entry.reason.as_deref(), entry.undoable), (Some("spam"), true));
}

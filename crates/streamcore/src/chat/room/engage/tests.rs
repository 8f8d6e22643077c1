use super::super::tests::{Stage, host, speaker, viewer};
use super::*;
use crate::chat::engage::wire::{GiveawayState, Part, Reaction};
use crate::chat::text::Text;
use crate::chat::wire::{Act, Done, Event};

fn engage(what: EngageAct) -> Act {
    Act::Engage { what }
}

fn poll(seconds: Option<u32>) -> Act {
    engage(EngageAct::OpenPoll {
        question: "Next song?".into(),
        options: vec!["Moth".into(), "Nocturne".into()],
        seconds,
    })
}

fn part(stage: &mut Stage, who: &Speaker, part: Part) -> Result<(Done, Follow), Refused> {
    let now = stage.now();
    stage.room.take_part(who, &part, now)
}

fn view(stage: &Stage, who: &Speaker) -> Engagement {
    stage
        .room
        .engagement(who.author.role, &who.author.id, stage.now())
}

fn poll_id(stage: &Stage) -> Seq {
    view(stage, &host()).poll.expect("there is a poll").id
}

fn vote(stage: &mut Stage, who: &Speaker, option: u32) -> Result<Done, Refused> {
    let poll = poll_id(stage);
    part(stage, who, Part::Vote { poll, option }).map(|(done, _)| done)
}

fn ask(stage: &mut Stage, who: &Speaker, text: &str) -> Result<Done, Refused> {
    stage.wait(10_000);
    let text = Text(text.to_owned());
    part(stage, who, Part::Ask { text }).map(|(done, _)| done)
}

fn told(event: &Event) -> Option<&Engaged> {
    match &event.what {
        Happening::Engaged { what } => Some(what),
        _ => None,
    }
}

fn moderator(stage: &mut Stage) -> Speaker {
    stage.room.invitations.insert("ines".into(), "Inès".into());
    speaker("ines", Role::Moderator, 9)
}

#[test]
fn votes_take_no_number_and_are_told_once_a_second() {
    let mut stage = Stage::new();
    stage.acted(&host(), poll(None));
    let seq = stage.room.seq();
    for (who, option) in [("ada", 0), ("bob", 1), ("cy", 1), ("ada", 1)] {
        assert_eq!(vote(&mut stage, &viewer(who), option), Ok(Done::Counted));
    }
    assert_eq!(stage.room.seq(), seq);
    let now = stage.now();
    let pulse = stage.room.pulse(now.at).expect("the first is told at once");
    assert_eq!(pulse.poll.expect("votes").votes, [0, 3]);
    assert!(pulse.questions.is_empty() && pulse.reactions.is_empty() && pulse.giveaway.is_none());
    vote(&mut stage, &viewer("dan"), 0).expect("it is open");
    assert_eq!(stage.room.pulse(stage.now().at), None, "within the second");
    stage.wait(1000);
    assert_eq!(stage.room.engage_at(stage.now()), Some(stage.now().at));
    let pulse = stage.room.pulse(stage.now().at).expect("a second later");
    assert_eq!(pulse.poll.expect("votes").votes, [1, 3]);
    assert_eq!(stage.room.engage_at(stage.now()), None, "nothing new");
    assert_eq!(view(&stage, &viewer("ada")).mine.vote, Some(1));
    assert_eq!(view(&stage, &viewer("eve")).mine.vote, None);
}

#[test]
fn a_poll_ends_by_hand_or_by_its_time_and_stays_until_it_is_taken_off() {
    let mut stage = Stage::new();
    stage.acted(&host(), poll(Some(10)));
    assert_eq!(stage.act(&host(), poll(None)).err(), Some(Refused::Busy));
    let dismiss = || engage(EngageAct::DismissPoll);
    assert_eq!(stage.act(&host(), dismiss()).err(), Some(Refused::Busy));
    vote(&mut stage, &viewer("ada"), 0).expect("it is open");
    stage.room.pulse(stage.now().at).expect("a vote");
    stage.wait(9_999);
    assert!(stage.room.engage_on_time(stage.now()).tell.is_empty());
    stage.wait(1);
    assert_eq!(stage.room.engage_at(stage.now()), Some(stage.now().at));
    assert_eq!(
        vote(&mut stage, &viewer("bob"), 0),
        Err(Refused::Over),
        "nobody has looked yet"
    );
    let follow = stage.room.engage_on_time(stage.now());
    let ended = follow.tell.iter().find_map(|one| match told(&one.event) {
        Some(Engaged::Poll { poll }) => poll.clone(),
        _ => None,
    });
    let ended = ended.expect("everybody is told");
    assert_eq!((ended.open, ended.votes.as_slice()), (false, [1, 0].as_slice()));
    assert!(matches!(
        follow.keep[..],
        [Change::Engage(EngageChange::Poll { shown: true, .. })]
    ));
    assert_eq!(stage.room.engage_at(stage.now()), None);
    stage.acted(&host(), dismiss());
    assert_eq!(view(&stage, &viewer("ada")).poll, None);
    assert!(view(&stage, &viewer("ada")).is_nothing());
    stage.acted(&host(), poll(None));
    stage.acted(&host(), engage(EngageAct::ClosePoll));
    assert_eq!(
        stage.act(&host(), engage(EngageAct::ClosePoll)).err(),
        Some(Refused::Unknown),
        "once"
    );
    stage.acted(&host(), poll(None));
    assert!(poll_id(&stage) > ended.id, "another one in its place");
}

#[test]
fn only_those_who_may_take_part() {
    let mut stage = Stage::new();
    let ines = moderator(&mut stage);
    stage.acted(&ines, poll(None));
    assert_eq!(
        stage.act(&viewer("ada"), engage(EngageAct::ClosePoll)).err(),
        Some(Refused::NotAllowed)
    );
    assert_eq!(
        vote(&mut stage, &ines, 0),
        Err(Refused::NotAllowed),
        "the crew does not count"
    );
    vote(&mut stage, &viewer("eve"), 0).expect("she may");
    stage.room.restrictions.insert(
        "eve".into(),
        (
            crate::chat::wire::Restriction {
                member: "eve".into(),
                name: "EVE".into(),
                until_ms: None,
            },
            Some(viewer("eve").address),
        ),
    );
    assert_eq!(vote(&mut stage, &viewer("eve"), 1), Err(Refused::Banned));
    let gone = Part::Vote {
        poll: 9999,
        option: 0,
    };
    assert_eq!(part(&mut stage, &viewer("ada"), gone).err(), Some(Refused::Over));
    for act in [
        EngageAct::OpenGiveaway {
            prize: "x".into(),
            winners: 1,
        },
        EngageAct::CloseGiveaway,
        EngageAct::Draw,
        EngageAct::DismissGiveaway,
        EngageAct::Raid { to: "other".into() },
        EngageAct::CallOffRaid,
    ] {
        assert_eq!(stage.act(&ines, engage(act)).err(), Some(Refused::NotAllowed));
    }
}

#[test]
fn a_question_with_a_blocked_word_waits_and_nobody_is_told() {
    let mut stage = Stage::new();
    let rules = crate::chat::wire::Rules {
        blocked_words: vec!["rude".into()],
        ..Default::default()
    };
    stage.acted(&host(), Act::Change { rules });
    assert_eq!(
        ask(&mut stage, &viewer("ada"), "When?"),
        Err(Refused::Over),
        "not taken yet"
    );
    stage.acted(&host(), engage(EngageAct::TakeQuestions { on: true }));
    let before = stage.room.seq();
    assert_eq!(ask(&mut stage, &viewer("ada"), "Why so rude?"), Ok(Done::Held));
    assert_eq!(ask(&mut stage, &viewer("bob"), "Which label?"), Ok(Done::Acted));
    let texts = |who: &Speaker, stage: &Stage| -> Vec<String> {
        view(stage, who)
            .questions
            .into_iter()
            .map(|one| one.text)
            .collect()
    };
    assert_eq!(texts(&viewer("eve"), &stage), ["Which label?"]);
    assert_eq!(texts(&host(), &stage), ["Why so rude?", "Which label?"]);
    let missed = stage
        .room
        .since(before, Role::Viewer, "eve")
        .expect("not long ago");
    assert_eq!(missed.len(), 1);
    let rude = view(&stage, &host()).questions[0].id;
    let support = |question| Part::Support { question };
    assert_eq!(
        part(&mut stage, &viewer("eve"), support(rude)).err(),
        Some(Refused::Unknown)
    );
    stage.acted(&host(), engage(EngageAct::ShowQuestion { question: rude }));
    part(&mut stage, &viewer("eve"), support(rude)).expect("it is shown");
    let shown = &view(&stage, &viewer("eve"));
    assert_eq!((shown.questions[0].votes, shown.questions[0].held_for), (2, None));
    assert_eq!(shown.mine.supported, [rude]);
}

#[test]
fn a_hidden_question_comes_back_with_its_votes() {
    let mut stage = Stage::new();
    stage.acted(&host(), engage(EngageAct::TakeQuestions { on: true }));
    ask(&mut stage, &viewer("ada"), "Which label?").expect("questions are taken");
    let question = view(&stage, &host()).questions[0].id;
    part(&mut stage, &viewer("bob"), Part::Support { question }).expect("it is open");
    let entry = stage.acted(&host(), engage(EngageAct::HideQuestion { question }));
    assert!(view(&stage, &host()).questions.is_empty());
    stage.acted(&host(), Act::Undo { entry });
    let back = view(&stage, &viewer("bob"));
    assert_eq!(
        (back.questions[0].votes, back.mine.supported),
        (2, vec![question])
    );
    let hide = |question| engage(EngageAct::HideQuestion { question });
    assert_eq!(stage.act(&host(), hide(9999)).err(), Some(Refused::Unknown));
}

#[test]
fn questions_go_with_all_else_of_a_member_and_come_back_with_it() {
    let mut stage = Stage::new();
    stage.acted(&host(), engage(EngageAct::TakeQuestions { on: true }));
    ask(&mut stage, &viewer("troll"), "Why?").expect("questions are taken");
    ask(&mut stage, &viewer("ada"), "When?").expect("questions are taken");
    let texts = |stage: &Stage| -> Vec<String> {
        let all = view(stage, &viewer("eve")).questions;
        all.into_iter().map(|one| one.text).collect()
    };
    let entry = stage.acted(
        &host(),
        Act::DeleteAllOf {
            member: "troll".into(),
        },
    );
    assert_eq!(texts(&stage), ["When?"]);
    stage.acted(&host(), Act::Undo { entry });
    assert_eq!(texts(&stage), ["Why?", "When?"]);
}

#[test]
fn whoever_only_asks_can_be_banned_too() {
    let mut stage = Stage::new();
    stage.acted(&host(), engage(EngageAct::TakeQuestions { on: true }));
    ask(&mut stage, &viewer("troll"), "Why?").expect("questions are taken");
    stage.acted(
        &host(),
        Act::Ban {
            member: "troll".into(),
        },
    );
    assert_eq!(
        ask(&mut stage, &viewer("troll"), "Why not?"),
        Err(Refused::Banned)
    );
}

#[test]
fn a_giveaway_goes_from_its_commitment_to_its_winners() {
    let mut stage = Stage::new();
    let open = || {
        engage(EngageAct::OpenGiveaway {
            prize: "A signed vinyl".into(),
            winners: 2,
        })
    };
    stage.acted(&host(), open());
    let giveaway = view(&stage, &host()).giveaway.expect("it is open");
    assert_eq!(giveaway.commitment.len(), 64);
    let draw = || engage(EngageAct::Draw);
    assert!(stage.act(&host(), draw()).is_err(), "nobody has entered");
    let enter = Part::Enter {
        giveaway: giveaway.id,
    };
    for who in ["ada", "bob", "cy"] {
        part(&mut stage, &viewer(who), enter.clone()).expect("it is open");
    }
    let neighbour = speaker("neighbour", Role::Viewer, b'a');
    assert_eq!(
        part(&mut stage, &neighbour, enter.clone()).err(),
        Some(Refused::OneEach),
        "at ada's address"
    );
    let dismiss = || engage(EngageAct::DismissGiveaway);
    assert_eq!(
        stage.act(&host(), dismiss()).err(),
        Some(Refused::Busy),
        "a draw was promised"
    );
    assert_eq!(stage.act(&host(), open()).err(), Some(Refused::Busy));
    stage.acted(&host(), engage(EngageAct::CloseGiveaway));
    assert_eq!(
        part(&mut stage, &viewer("dan"), enter).err(),
        Some(Refused::Over),
        "too late"
    );
    stage.acted(&host(), draw());
    let drawn = view(&stage, &viewer("ada")).giveaway.expect("it is shown");
    let GiveawayState::Drawn { winners, .. } = drawn.state else {
        panic!("it is drawn");
    };
    assert_eq!(winners.len(), 2);
    assert_eq!(drawn.commitment, giveaway.commitment);
    stage.acted(&host(), dismiss());
    assert_eq!(view(&stage, &host()).giveaway, None);
    stage.acted(&host(), open());
}

#[test]
fn reactions_are_counted_and_kept_with_the_pulse() {
    let mut stage = Stage::new();
    let react = |reaction| Part::React { reaction };
    for who in ["ada", "bob"] {
        let (_, follow) = part(&mut stage, &viewer(who), react(Reaction::Heart)).expect("the first");
        assert!(follow.keep.is_empty() && follow.tell.is_empty());
    }
    let follow = stage.room.engage_on_time(stage.now());
    assert!(matches!(
        &follow.keep[..],
        [Change::Engage(EngageChange::Reacted(all))] if all[0].total == 2
    ));
    let pulse = stage.room.pulse(stage.now().at).expect("news");
    assert_eq!(pulse.reactions[0].total, 2);
    assert!(stage.room.engage_on_time(stage.now()).keep.is_empty());
}

#[test]
fn a_raid_can_be_called_off_and_is_not_done_twice_a_minute() {
    let mut stage = Stage::new();
    let raid = |to: &str| engage(EngageAct::Raid { to: to.into() });
    assert!(
        stage.act(&host(), raid("show")).is_err(),
        "where everybody is already"
    );
    stage.acted(&host(), raid("night"));
    assert_eq!(stage.act(&host(), raid("other")).err(), Some(Refused::Busy));
    stage.acted(&host(), engage(EngageAct::CallOffRaid));
    assert_eq!(view(&stage, &viewer("ada")).raid, None);
    stage.acted(&host(), raid("night"));
    let goes = view(&stage, &viewer("ada")).raid.expect("in a moment");
    assert_eq!(
        (goes.to.as_str(), goes.goes_at_ms),
        ("/watch/night", stage.now().wall_ms + 10_000)
    );
    stage.wait(10_000);
    assert_eq!(view(&stage, &viewer("ada")).raid, None, "they are gone");
    stage.room.engage_on_time(stage.now());
    assert!(matches!(
        stage.act(&host(), raid("night")),
        Err(Refused::TooFast {
            retry_after_ms: 50_000
        })
    ));
    stage.wait(50_000);
    stage.acted(&host(), raid("night"));
}

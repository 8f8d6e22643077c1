//! Engagement in the protocol of [`crate::chat::wire`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chat::text::Text;
use crate::chat::wire::{Author, HeldFor, Seq};

/// A question to all viewers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Poll {
    /// The number of the event that brought it.
    pub id: Seq,
    /// What is asked: 1 to 140 characters of text.
    pub question: String,
    /// Two to six answers of 1 to 60 characters of text, no two alike.
    pub options: Vec<String>,
    /// How many chose each of them.
    pub votes: Vec<u64>,
    /// When it ends by itself, in milliseconds since 1970 UTC by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_ms: Option<u64>,
    /// Whether votes count still.
    pub open: bool,
}

/// Where a viewer's question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum QuestionState {
    /// Host and moderators: nobody else sees it yet.
    Waiting,
    /// Everybody sees it, and may support it.
    Open,
    /// It is being answered: at most one is.
    Answering,
    /// It was answered.
    Answered,
}

/// A viewer's question to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Question {
    /// The number of the event that brought it.
    pub id: Seq,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// By whom.
    pub by: Author,
    /// The words: 1 to 280 characters of text, never markup.
    pub text: String,
    /// How many want it answered; whoever asks is the first.
    pub votes: u64,
    /// Where it stands.
    pub state: QuestionState,
    /// Why it waits, or waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<HeldFor>,
}

/// What viewers show without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Reaction {
    /// ❤️
    Heart,
    /// 👍
    Thumb,
    /// 👏
    Clap,
    /// 😂
    Laugh,
    /// 😮
    Wow,
    /// 🔥
    Fire,
}

impl Reaction {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Heart,
        Self::Thumb,
        Self::Clap,
        Self::Laugh,
        Self::Wow,
        Self::Fire,
    ];
}

/// How often something was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Reacted {
    /// What.
    pub reaction: Reaction,
    /// How often since the room began.
    pub total: u64,
}

/// Something is given away by lot.
///
/// `commitment` is said before anybody enters: it is the SHA-256 of a seed that is said after the draw. Whoever has the
/// seed and the list of entries can do the draw again; see [`crate::chat::engage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Giveaway {
    /// The number of the event that brought it.
    pub id: Seq,
    /// What is given: 1 to 120 characters of text.
    pub prize: String,
    /// How many win, 1 to 20.
    pub winners: u32,
    /// SHA-256 of the seed's 32 bytes, in 64 small hexadecimal digits.
    pub commitment: String,
    /// How many have entered.
    pub entries: u64,
    /// Where it stands.
    pub state: GiveawayState,
}

/// Where a giveaway stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum GiveawayState {
    /// Viewers may enter.
    Open,
    /// Nobody enters any more, and nothing is drawn yet.
    Closed,
    /// It is over.
    Drawn {
        /// What the commitment was made of: 32 bytes in 64 small hexadecimal digits.
        seed: String,
        /// In the order in which they were drawn.
        winners: Vec<Winner>,
    },
}

/// Somebody who has won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Winner {
    /// By which entry.
    pub entry: String,
    /// Their name when they entered: text.
    pub name: String,
}

/// A draw with all that it takes to do it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The giveaway, drawn.
    #[serde(flatten)]
    pub giveaway: Giveaway,
    /// Every entry, in the order in which they came.
    pub list: Vec<String>,
}

/// Everybody goes on to another room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct Raid {
    /// Where to: `/watch/ROOM` of this server, or such an address of another one.
    pub to: String,
    /// When, in milliseconds since 1970 UTC by the server's clock.
    pub goes_at_ms: u64,
}

/// What host and moderators do to engage viewers. What is marked with "host" is the host's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum EngageAct {
    /// A poll; refused as `busy` while another one is open.
    OpenPoll {
        /// What is asked.
        question: String,
        /// Two to six answers.
        options: Vec<String>,
        /// How long it runs, 10 s to a day; absent: until it is closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u32>,
    },
    /// Votes count no more.
    ClosePoll,
    /// A closed poll is not shown any more.
    DismissPoll,
    /// Whether viewers may ask questions.
    TakeQuestions {
        /// Whether.
        on: bool,
    },
    /// A question that waits, or was answered, is open to all.
    ShowQuestion {
        /// Which.
        question: Seq,
    },
    /// A question is being answered: it stands on top. The one that stood there was answered.
    AnswerQuestion {
        /// Which.
        question: Seq,
    },
    /// A question was answered.
    QuestionAnswered {
        /// Which.
        question: Seq,
    },
    /// A question goes. Can be undone.
    HideQuestion {
        /// Which.
        question: Seq,
    },
    /// Host: something is given away; refused as `busy` until the one before is drawn.
    OpenGiveaway {
        /// What.
        prize: String,
        /// How many win, 1 to 20.
        winners: u32,
    },
    /// Host: nobody enters any more.
    CloseGiveaway,
    /// Host: the winners are drawn, and the seed is said.
    Draw,
    /// Host: a drawn giveaway, or one that nobody has entered, is not shown any more.
    DismissGiveaway,
    /// Host: viewers go on to another room in ten seconds, unless they stay.
    Raid {
        /// A room of this server, or the `https` address of another StreamCore's `/watch/ROOM`.
        to: String,
    },
    /// Host: they don't.
    CallOffRaid,
}

/// What viewers do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(Serialize, ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Part {
    /// Chooses an answer; the last choice counts.
    Vote {
        /// Of which poll.
        poll: Seq,
        /// Which answer, from 0.
        option: u32,
    },
    /// Asks the host something.
    Ask {
        /// What.
        text: Text,
    },
    /// Wants a question to be answered. Counts once.
    Support {
        /// Which.
        question: Seq,
    },
    /// Shows something without a word.
    React {
        /// What.
        reaction: Reaction,
    },
    /// Takes part in a giveaway, once. Answered with [`Done::Entered`](crate::chat::wire::Done::Entered).
    Enter {
        /// In which.
        giveaway: Seq,
    },
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub enum Engaged {
    /// The poll is this one now.
    Poll {
        /// As it is; absent: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        poll: Option<Poll>,
    },
    /// Whether viewers may ask questions.
    Questions {
        /// Whether.
        open: bool,
    },
    /// There is this question, or it is so now. Those that wait are told to host and moderators.
    Question {
        /// As it is.
        question: Question,
    },
    /// A question is gone.
    QuestionGone {
        /// Which.
        question: Seq,
    },
    /// The giveaway is this one now.
    Giveaway {
        /// As it is; absent: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        giveaway: Option<Giveaway>,
    },
    /// Everybody goes on to another room, or doesn't.
    Raid {
        /// Where and when; absent: it is called off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raid: Option<Raid>,
    },
}

/// What a room does together, as somebody who comes in is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Engagement {
    /// The poll that is open, or was and is still shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// Whether viewers may ask questions.
    pub questions_open: bool,
    /// In the order in which they came. Those that wait are for host and moderators.
    pub questions: Vec<Question>,
    /// The giveaway, until the host takes it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub giveaway: Option<Giveaway>,
    /// Where everybody goes in a moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raid: Option<Raid>,
    /// What was shown without a word.
    pub reactions: Vec<Reacted>,
    /// What this client has done.
    pub mine: Mine,
}

impl Engagement {
    /// Whether nothing goes on: nothing is said of it then.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What one viewer has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Mine {
    /// The answer that it chose in the poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote: Option<u32>,
    /// Questions that it wants to be answered.
    pub supported: Vec<Seq>,
    /// Its entry in the giveaway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
}

/// What a thousand viewers did, at most once a second. It has no number, and whoever comes back is told anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/", optional_fields))]
pub struct Pulse {
    /// The poll's votes, if there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<PollVotes>,
    /// Questions that have got more votes.
    pub questions: Vec<QuestionVotes>,
    /// The giveaway's entries, if there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub giveaway: Option<GiveawayEntries>,
    /// Reactions that were shown.
    pub reactions: Vec<Reacted>,
}

/// A poll's votes so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct PollVotes {
    /// Of which poll.
    pub id: Seq,
    /// How many chose each answer.
    pub votes: Vec<u64>,
}

/// A question's votes so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct QuestionVotes {
    /// Of which question.
    pub id: Seq,
    /// How many.
    pub votes: u64,
}

/// A giveaway's entries so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub struct GiveawayEntries {
    /// Of which giveaway.
    pub id: Seq,
    /// How many.
    pub entries: u64,
}

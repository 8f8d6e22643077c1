//! What host and moderators say of polls, prizes and other rooms, as it may be kept and shown. A refusal names the field.

use url::{Host, Url};

use crate::chat::text::whole_line;
use crate::chat::wire::Refused;
use crate::room::RoomId;

const MOST_OF_A_QUESTION: usize = 140;
const MOST_OF_AN_OPTION: usize = 60;
const LEAST_OPTIONS: usize = 2;
const MOST_OPTIONS: usize = 6;
const LEAST_SECONDS: u32 = 10;
const MOST_SECONDS: u32 = 24 * 3600;
const MOST_OF_A_PRIZE: usize = 120;
const MOST_WINNERS: u32 = 20;
const MOST_OF_AN_ADDRESS: usize = 300;

/// A poll's question and its answers, and how long it runs, in milliseconds.
pub fn poll_of(
    question: &str,
    options: &[String],
    seconds: Option<u32>,
) -> Result<(String, Vec<String>, Option<u64>), Refused> {
    let question = words(question, MOST_OF_A_QUESTION).ok_or_else(|| out_of_range("question"))?;
    if !(LEAST_OPTIONS..=MOST_OPTIONS).contains(&options.len()) {
        return Err(out_of_range("options"));
    }
    let mut clean: Vec<String> = Vec::with_capacity(options.len());
    for (at, option) in options.iter().enumerate() {
        let option = words(option, MOST_OF_AN_OPTION).filter(|option| !clean.contains(option));
        clean.push(option.ok_or_else(|| out_of_range(&format!("options[{at}]")))?);
    }
    if seconds.is_some_and(|seconds| !(LEAST_SECONDS..=MOST_SECONDS).contains(&seconds)) {
        return Err(out_of_range("seconds"));
    }
    Ok((question, clean, seconds.map(|seconds| u64::from(seconds) * 1000)))
}

/// What is given away.
pub fn prize_of(prize: &str, winners: u32) -> Result<String, Refused> {
    if !(1..=MOST_WINNERS).contains(&winners) {
        return Err(out_of_range("winners"));
    }
    words(prize, MOST_OF_A_PRIZE).ok_or_else(|| out_of_range("prize"))
}

/// Where viewers of `here` may be sent: a room of this server by its name, or the address of another StreamCore's
/// viewer page. Over `https`, or `http` on this machine; without a name in it, a query or anything else that could
/// make it another page.
pub fn raid_of(to: &str, here: &RoomId) -> Result<String, Refused> {
    let refused = || out_of_range("to");
    let to = to.trim();
    if let Ok(room) = to.parse::<RoomId>() {
        return if room == *here {
            Err(refused())
        } else {
            Ok(format!("/watch/{room}"))
        };
    }
    if to.len() > MOST_OF_AN_ADDRESS {
        return Err(refused());
    }
    let url = Url::parse(to).map_err(|_| refused())?;
    let web = match url.scheme() {
        "https" => true,
        "http" => match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        },
        _ => false,
    };
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let room = url.path().strip_prefix("/watch/");
    let watch = room.is_some_and(|room| room.parse::<RoomId>().is_ok());
    if web && url.has_host() && plain && watch {
        Ok(url.into())
    } else {
        Err(refused())
    }
}

fn words(text: &str, most: usize) -> Option<String> {
    whole_line(text, most).filter(|text| !text.is_empty())
}

fn out_of_range(field: &str) -> Refused {
    Refused::OutOfRange {
        field: field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field<T: std::fmt::Debug>(result: Result<T, Refused>) -> String {
        match result {
            Err(Refused::OutOfRange { field }) => field,
            other => panic!("it was to be refused: {other:?}"),
        }
    }

    fn options(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_poll_has_a_question_and_answers_that_can_be_told_apart() {
        let yes_no = options(&[" Yes ", "No\u{202e}"]);
        let (question, clean, ms) = poll_of(" Next\nsong? ", &yes_no, Some(30)).expect("a poll");
        assert_eq!((question.as_str(), ms), ("Next song?", Some(30_000)));
        assert_eq!(clean, ["Yes", "No"]);
        assert_eq!(field(poll_of("\u{200b}", &yes_no, None)), "question");
        assert_eq!(field(poll_of(&"x".repeat(141), &yes_no, None)), "question");
        assert_eq!(field(poll_of("?", &options(&["a"]), None)), "options");
        assert_eq!(
            field(poll_of("?", &options(&["a", "b", "c", "d", "e", "f", "g"]), None)),
            "options"
        );
        assert_eq!(
            field(poll_of("?", &options(&["a", " a "]), None)),
            "options[1]",
            "twice the same"
        );
        assert_eq!(field(poll_of("?", &options(&["a", ""]), None)), "options[1]");
        for seconds in [0, 9, 86_401] {
            assert_eq!(field(poll_of("?", &yes_no, Some(seconds))), "seconds");
        }
    }

    #[test]
    fn a_raid_leads_to_a_viewer_page_and_nowhere_else() {
        let here: RoomId = "show".parse().expect("a room");
        let to = |to: &str| raid_of(to, &here).ok();
        assert_eq!(to("night-2").as_deref(), Some("/watch/night-2"));
        for good in [
            "https://live.example/watch/night",
            "https://live.example:8443/watch/night_2",
            "http://127.0.0.1:8080/watch/a",
            "http://localhost/watch/a",
        ] {
            assert_eq!(to(good).as_deref(), Some(good));
        }
        for bad in [
            "show",
            "",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://live.example/watch/night",
            "https://live.example/",
            "https://live.example/watch/",
            "https://live.example/watch/a/b",
            "https://live.example/watch/../x",
            "https://live.example/watch/a%2Fb",
            "https://live.example/watch/a?next=x",
            "https://live.example/watch/a#x",
            "https://me:pw@live.example/watch/a",
            "https://me@live.example/watch/a",
            "//live.example/watch/a",
            "/watch/a",
        ] {
            assert_eq!(to(bad), None, "{bad}");
        }
        assert_eq!(to(&format!("https://{}.example/watch/a", "x".repeat(300))), None);
    }

    #[test]
    fn a_prize_has_a_name_and_winners() {
        assert_eq!(prize_of(" A <b>vinyl</b> ", 1).as_deref(), Ok("A <b>vinyl</b>"));
        assert_eq!(field(prize_of("", 1)), "prize");
        assert_eq!(field(prize_of(&"x".repeat(121), 1)), "prize");
        for winners in [0, 21] {
            assert_eq!(field(prize_of("x", winners)), "winners");
        }
    }
}

//! Offers and answers (RFC 8829) and trickle fragments (RFC 8840) as text: what has to be looked at or
//! changed around str0m.

use std::fmt::Write as _;

use super::Role;

/// Longest line that is taken; longer ones are an attack or a mistake.
const MAX_LINE: usize = 4096;

/// Why an offer's shape does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShapeError {
    #[error("the offer has no media section")]
    NoMedia,
    #[error("a line of the offer is too long")]
    LongLine,
    #[error("the offer has more than one audio or more than one video section")]
    TooManyMedia,
    #[error("the offer has a section that is neither audio nor video")]
    UnknownMedia,
    #[error("a section of the offer has the wrong direction")]
    Direction,
}

/// Checks that an offer has at most one audio and one video section in the role's direction (RFC 9725
/// section 4.3.1, draft-ietf-wish-whep-03 section 4.1).
pub(crate) fn check_offer(offer: &str, role: Role) -> Result<(), ShapeError> {
    let (mut audio, mut video) = (0, 0);
    let forbidden = match role {
        Role::Publisher => "a=recvonly",
        Role::Viewer => "a=sendonly",
    };
    let mut in_media = false;
    for line in offer.lines() {
        if line.len() > MAX_LINE {
            return Err(ShapeError::LongLine);
        }
        if let Some(media) = line.strip_prefix("m=") {
            in_media = true;
            match media.split(' ').next() {
                Some("audio") => audio += 1,
                Some("video") => video += 1,
                _ => return Err(ShapeError::UnknownMedia),
            }
        } else if in_media && (line == forbidden || line == "a=inactive") {
            return Err(ShapeError::Direction);
        }
    }
    match (audio, video) {
        (0, 0) => Err(ShapeError::NoMedia),
        (0 | 1, 0 | 1) => Ok(()),
        _ => Err(ShapeError::TooManyMedia),
    }
}

/// The offer as it is given to str0m: one direction, one layer.
///
/// `sendrecv` is allowed to a publisher, but the answer must not send; simulcast is not answered, so that the
/// publisher sends a single encoding (RFC 8853 section 5.3.2).
pub(crate) fn normalize_offer(offer: &str, role: Role) -> String {
    let direction = match role {
        Role::Publisher => "a=sendonly",
        Role::Viewer => "a=recvonly",
    };
    let mut out = String::with_capacity(offer.len() + 64);
    for line in offer.lines() {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with("a=simulcast:") || line.starts_with("a=rid:") {
            continue;
        }
        out.push_str(if line == "a=sendrecv" { direction } else { line });
        out.push_str("\r\n");
    }
    out
}

/// The answer with sound and picture in one stream.
///
/// str0m gives each its own, and a browser keeps only tracks of one stream in step.
pub(crate) fn unify_streams(answer: &str, stream: &str) -> String {
    let mut out = String::with_capacity(answer.len());
    for line in answer.lines() {
        let unified = unify_msid(line, stream);
        out.push_str(unified.as_deref().unwrap_or(line));
        out.push_str("\r\n");
    }
    out
}

fn unify_msid(line: &str, stream: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix("a=msid:") {
        let track = rest.split_once(' ').map_or("", |(_, track)| track);
        return Some(format!("a=msid:{stream} {track}").trim_end().to_owned());
    }
    if line.starts_with("a=msid-semantic:") {
        return Some(format!("a=msid-semantic: WMS {stream}"));
    }
    let (head, rest) = line.strip_prefix("a=ssrc:")?.split_once(" msid:")?;
    let track = rest.split_once(' ').map_or("", |(_, track)| track);
    Some(
        format!("a=ssrc:{head} msid:{stream} {track}")
            .trim_end()
            .to_owned(),
    )
}

/// Whether a section was refused (port 0 that is not merely bundled).
pub(crate) fn refuses_a_section(answer: &str) -> bool {
    answer.lines().any(|line| {
        line.strip_prefix("m=")
            .is_some_and(|m| m.split(' ').nth(1) == Some("0"))
    })
}

/// ICE credentials and candidates out of a trickle fragment (RFC 8840) or of an offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IceFragment {
    pub ufrag: Option<String>,
    pub pwd: Option<String>,
    /// `candidate:…`, without the `a=`.
    pub candidates: Vec<String>,
}

impl IceFragment {
    /// Candidates beyond this number are not looked at.
    const MAX_CANDIDATES: usize = 64;

    /// Reads a fragment; unknown lines are skipped as RFC 8840 wants. `None` when it is not one at all.
    pub fn parse(text: &str) -> Option<Self> {
        let mut found = Self::default();
        let mut any = false;
        for line in text.lines().map(str::trim_end) {
            if line.is_empty() {
                continue;
            }
            // Every SDP line is a letter, "=" and a value.
            if line.len() > MAX_LINE || line.as_bytes().get(1) != Some(&b'=') {
                return None;
            }
            any = true;
            if let Some(value) = line.strip_prefix("a=ice-ufrag:") {
                found.ufrag.get_or_insert_with(|| value.to_owned());
            } else if let Some(value) = line.strip_prefix("a=ice-pwd:") {
                found.pwd.get_or_insert_with(|| value.to_owned());
            } else if let Some(value) = line.strip_prefix("a=")
                && value.starts_with("candidate:")
                && found.candidates.len() < Self::MAX_CANDIDATES
            {
                found.candidates.push(value.to_owned());
            }
        }
        any.then_some(found)
    }

    /// RFC 8839 section 5.4: a ufrag has 4 to 256 ice-chars, a password 22 to 256.
    pub fn credentials_are_valid(&self) -> bool {
        let valid = |text: &Option<String>, least: usize| {
            text.as_deref().is_some_and(|t| {
                (least..=256).contains(&t.len())
                    && t.bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
            })
        };
        valid(&self.ufrag, 4) && valid(&self.pwd, 22)
    }
}

/// The offer with other ICE credentials and without candidates: what an ICE restart by PATCH amounts to.
pub(crate) fn with_credentials(offer: &str, ufrag: &str, pwd: &str) -> String {
    let mut out = String::with_capacity(offer.len());
    for line in offer.lines() {
        if line.starts_with("a=candidate:") || line == "a=end-of-candidates" {
            continue;
        }
        if line.starts_with("a=ice-ufrag:") {
            let _ = write!(out, "a=ice-ufrag:{ufrag}");
        } else if line.starts_with("a=ice-pwd:") {
            let _ = write!(out, "a=ice-pwd:{pwd}");
        } else {
            out.push_str(line);
        }
        out.push_str("\r\n");
    }
    out
}

/// Our half of an ICE restart as a fragment: credentials and candidates of the answer's first section.
pub(crate) fn restart_fragment(answer: &str) -> Option<String> {
    let ice = IceFragment::parse(answer)?;
    let mid = answer.lines().find(|line| line.starts_with("a=mid:"))?;
    let media = answer.lines().find(|line| line.starts_with("m="))?;
    let mut out = format!(
        "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n{media}\r\n{mid}\r\n",
        ice.ufrag?, ice.pwd?
    );
    let mut seen = Vec::new();
    for candidate in &ice.candidates {
        if !seen.contains(&candidate) {
            let _ = write!(out, "a={candidate}\r\n");
            seen.push(candidate);
        }
    }
    out.push_str("a=end-of-candidates\r\n");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendrecv\r\na=ice-ufrag:abcd\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\na=ice-ufrag:abcd\r\n\
        a=rid:h send\r\na=simulcast:send h\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\n";

    #[test]
    fn an_offer_of_one_audio_and_one_video_fits() {
        assert_eq!(check_offer(OFFER, Role::Publisher), Ok(()));
        assert_eq!(
            check_offer(OFFER, Role::Viewer),
            Err(ShapeError::Direction),
            "sendonly is for publishers"
        );
    }

    #[test]
    fn other_shapes_are_refused() {
        assert_eq!(check_offer("v=0\r\n", Role::Viewer), Err(ShapeError::NoMedia));
        let twice = format!("{OFFER}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n");
        assert_eq!(
            check_offer(&twice, Role::Publisher),
            Err(ShapeError::TooManyMedia)
        );
        let data = format!("{OFFER}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
        assert_eq!(check_offer(&data, Role::Publisher), Err(ShapeError::UnknownMedia));
        let long = format!("{OFFER}a={}\r\n", "x".repeat(MAX_LINE));
        assert_eq!(check_offer(&long, Role::Publisher), Err(ShapeError::LongLine));
    }

    #[test]
    fn a_publisher_gets_one_direction_and_one_layer() {
        let offer = normalize_offer(OFFER, Role::Publisher);
        assert!(!offer.contains("sendrecv") && !offer.contains("simulcast") && !offer.contains("a=rid:"));
        assert_eq!(offer.matches("a=sendonly").count(), 2);
    }

    #[test]
    fn both_tracks_are_put_into_one_stream() {
        let answer = "a=msid-semantic: WMS a b\r\na=msid:a t1\r\na=ssrc:5 cname:x\r\na=ssrc:5 msid:a t1\r\na=msid:b t2\r\n";
        assert_eq!(
            unify_streams(answer, "show"),
            "a=msid-semantic: WMS show\r\na=msid:show t1\r\na=ssrc:5 cname:x\r\na=ssrc:5 msid:show t1\r\na=msid:show t2\r\n"
        );
    }

    #[test]
    fn fragments_are_read_and_rubbish_is_not() {
        let text = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
            a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n";
        let fragment = IceFragment::parse(text).expect("RFC 8840's example");
        assert!(fragment.credentials_are_valid());
        assert_eq!(fragment.candidates.len(), 1);
        assert_eq!(IceFragment::parse("hello"), None);
        assert_eq!(IceFragment::parse(""), None);
        let short = IceFragment {
            ufrag: Some("abc".into()),
            pwd: Some("x".repeat(22)),
            candidates: vec![],
        };
        assert!(!short.credentials_are_valid());
    }

    #[test]
    fn a_restart_changes_credentials_and_drops_candidates() {
        let changed = with_credentials(OFFER, "wxyz", "p");
        assert_eq!(changed.matches("a=ice-ufrag:wxyz").count(), 2);
        assert!(!changed.contains("candidate"));
    }
}

//! Who somebody is: roles, and the signed tokens (JWT, RFC 7519) that say so.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::room::RoomId;

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS), ts(export, export_to = "chat/"))]
pub enum Role {
    /// Watches and speaks.
    Viewer,
    /// Keeps order too.
    Moderator,
    /// Runs the show.
    Host,
}

/// How long a token holds: somebody who comes back to next month's show keeps name and restrictions.
const HOLDS: Duration = Duration::from_secs(30 * 24 * 3600);
/// Longer ones are none of ours.
const MOST_BYTES: usize = 4096;
const ISSUER: &str = "streamcore";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    /// The room.
    aud: String,
    /// The member.
    pub sub: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    exp: u64,
}

/// Signs and reads the tokens of one server.
pub struct Tokens {
    key: SecretString,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens([redacted])")
    }
}

impl Tokens {
    /// With a key of at least 32 bytes, as many as the hash has (RFC 7518 section 3.2).
    pub fn new(key: SecretString) -> Self {
        Self { key }
    }

    /// A token for a member of a room; `None` only if the signing library fails.
    pub fn sign(&self, room: &RoomId, sub: &str, name: &str, role: Role, now_ms: u64) -> Option<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: room.to_string(),
            sub: sub.to_owned(),
            name: name.to_owned(),
            role,
            exp: now_ms / 1000 + HOLDS.as_secs(),
        };
        let key = EncodingKey::from_secret(self.key.expose_secret().as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).ok()
    }

    /// What a token says, if it is ours, for this room, and holds still.
    pub fn read(&self, room: &RoomId, token: &str, now_ms: u64) -> Option<Claims> {
        if token.len() > MOST_BYTES {
            return None;
        }
        // The algorithm is ours to name, never the token's.
        let mut wanted = Validation::new(Algorithm::HS256);
        wanted.set_issuer(&[ISSUER]);
        wanted.set_audience(&[room.as_str()]);
        // Time is looked at below: it is a parameter here.
        wanted.validate_exp = false;
        let key = DecodingKey::from_secret(self.key.expose_secret().as_bytes());
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &wanted).ok()?.claims;
        (claims.exp > now_ms / 1000).then_some(claims)
    }
}

/// What the members of accounts begin with: people whom the host's own site has signed in. No member of ours does.
pub const ACCOUNT: char = '@';

/// Whether a member is an account of the host's own site.
pub fn is_account(member: &str) -> bool {
    member.starts_with(ACCOUNT)
}

/// A new member's number: 80 random bits, so that nobody meets somebody else's.
pub fn new_member() -> String {
    format!("{:020x}", rand::random::<u128>() >> 48)
}

/// The name of somebody who gave none: short, and not the same for all.
pub fn guest_name(member: &str) -> String {
    let tail: String = member.chars().rev().take(4).collect();
    format!("Guest {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    fn tokens(number: u8) -> Tokens {
        Tokens::new(SecretString::from(format!("{number:032}")))
    }

    fn room(name: &str) -> RoomId {
        name.parse().expect("a room's name")
    }

    #[test]
    fn a_token_says_what_was_signed_and_holds_for_its_room_and_time() {
        let ours = tokens(1);
        let token = ours
            .sign(&room("a"), "m1", "Ada", Role::Moderator, NOW)
            .expect("signed");
        let claims = ours.read(&room("a"), &token, NOW).expect("ours");
        assert_eq!((claims.sub.as_str(), claims.role), ("m1", Role::Moderator));
        assert_eq!(ours.read(&room("b"), &token, NOW), None, "another room");
        assert_eq!(tokens(2).read(&room("a"), &token, NOW), None, "another server");
        let later = NOW + 31 * 24 * 3600 * 1000;
        assert_eq!(ours.read(&room("a"), &token, later), None, "expired");
    }

    #[test]
    fn forgeries_are_nothing() {
        let ours = tokens(1);
        let token = ours
            .sign(&room("a"), "m1", "Ada", Role::Viewer, NOW)
            .expect("signed");
        let parts: Vec<&str> = token.split('.').collect();
        // {"alg":"none"} with the same body and no signature.
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
        let cut = &token[..token.len() - 1];
        let long = "x".repeat(5000);
        for forged in ["", "a.b.c", unsigned.as_str(), cut, long.as_str()] {
            assert_eq!(ours.read(&room("a"), forged, NOW), None, "{forged}");
        }
    }

    #[test]
    fn members_differ() {
        assert_ne!(new_member(), new_member());
        assert_eq!(new_member().len(), 20);
        assert!(guest_name("abcdef").starts_with("Guest "));
    }
}

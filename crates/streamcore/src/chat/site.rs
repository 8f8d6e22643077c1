//! Sign-in by the host's own site: tokens (JWT, RFC 7519) that it signs and hands to whom it knows. They are read with
//! the key, and by the algorithm, that the server was told; what a token says of its own algorithm decides nothing.

mod keys;

use aws_lc_rs::hmac;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::identity::{ACCOUNT, Role, guest_name};
use super::text::clean_name;
use super::wire::Author;
use crate::room::RoomId;
use crate::settings::SiteKey;
use keys::KeySet;

/// As many as the hash has (RFC 7518 section 3.2).
const LEAST_SECRET: usize = 32;
/// Longer tokens are none.
const MOST_BYTES: usize = 4096;
const MOST_OF_A_SUBJECT: usize = 255;
/// How far ahead the site's clock may be, in seconds.
const AHEAD_S: u64 = 60;

/// Why the key of the host's own site is none.
#[derive(Debug, thiserror::Error)]
pub enum SiteKeyError {
    /// It can be guessed.
    #[error("take the secret: it has fewer than 32 characters")]
    ShortSecret,
    /// Whoever can sign for the site could sign for the host.
    #[error("take the secret: it signs the server's own tokens too")]
    SameSecret,
    /// Not PEM, or not RSA's.
    #[error("read the public key: it is no RSA public key as PEM")]
    NoKey,
    /// Anybody on the way could put in keys of their own.
    #[error("take the keys' address: it is no https address, nor one of this machine")]
    NoAddress,
    /// The system gave no TLS.
    #[error("prepare to fetch keys")]
    Fetching(#[source] reqwest::Error),
}

/// Somebody whom the site knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// As others see them.
    pub author: Author,
    /// When the token ends, in seconds since 1970 UTC.
    pub exp: u64,
}

/// Reads the site's tokens.
pub struct Site {
    keys: Keys,
    accounts: hmac::Key,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Site([redacted])")
    }
}

enum Keys {
    Fixed(Algorithm, DecodingKey),
    /// RS256 alone.
    At(KeySet),
}

/// What a site's token says. What else stands in it is the site's own affair.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    role: SiteRole,
    #[serde(default)]
    room: Option<String>,
    #[serde(default)]
    aud: Option<Audiences>,
    exp: u64,
    #[serde(default)]
    nbf: Option<u64>,
}

/// The host has a key of their own: a token that says more than this is none.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum SiteRole {
    #[default]
    Viewer,
    Moderator,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    fn is_for(&self, room: &RoomId) -> bool {
        match (&self.room, &self.aud) {
            (Some(named), _) => named == room.as_str(),
            (None, Some(Audiences::One(named))) => named == room.as_str(),
            (None, Some(Audiences::Many(all))) => all.iter().any(|named| named == room.as_str()),
            (None, None) => false,
        }
    }
}

impl Site {
    /// `token_key` makes members of accounts: nobody finds an account's number or address by its member.
    ///
    /// # Errors
    /// See [`SiteKeyError`].
    pub fn new(key: &SiteKey, token_key: &SecretString) -> Result<Self, SiteKeyError> {
        let keys = match key {
            SiteKey::Secret(secret) if secret.expose_secret().len() < LEAST_SECRET => {
                return Err(SiteKeyError::ShortSecret);
            }
            SiteKey::Secret(secret) if secret.expose_secret() == token_key.expose_secret() => {
                return Err(SiteKeyError::SameSecret);
            }
            SiteKey::Secret(secret) => Keys::Fixed(
                Algorithm::HS256,
                DecodingKey::from_secret(secret.expose_secret().as_bytes()),
            ),
            SiteKey::PublicKey(pem) => {
                let key = DecodingKey::from_rsa_pem(pem.as_bytes());
                Keys::Fixed(Algorithm::RS256, key.map_err(|_| SiteKeyError::NoKey)?)
            }
            SiteKey::KeysAt(url) => Keys::At(KeySet::new(url)?),
        };
        let accounts = hmac::Key::new(hmac::HMAC_SHA256, token_key.expose_secret().as_bytes());
        Ok(Self { keys, accounts })
    }

    /// Who a token is of, if the site signed it for this room and it holds.
    pub async fn read(&self, room: &RoomId, token: &str, now_ms: u64) -> Option<Account> {
        if token.len() > MOST_BYTES {
            return None;
        }
        let claims = match &self.keys {
            Keys::Fixed(algorithm, key) => signed(token, *algorithm, key)?,
            Keys::At(keys) => {
                let header = jsonwebtoken::decode_header(token).ok()?;
                // Nothing is fetched for a token that could not be read anyway.
                if header.alg != Algorithm::RS256 {
                    return None;
                }
                let key = keys.key(header.kid.as_deref()).await?;
                signed(token, Algorithm::RS256, &key)?
            }
        };
        let now = now_ms / 1000;
        let holds = claims.exp > now && claims.nbf.is_none_or(|from| from <= now + AHEAD_S);
        let named = !claims.sub.is_empty() && claims.sub.len() <= MOST_OF_A_SUBJECT;
        if !holds || !named || !claims.is_for(room) {
            return None;
        }
        let id = self.member(&claims.sub);
        let name = claims.name.as_deref().and_then(clean_name);
        Some(Account {
            author: Author {
                name: name.unwrap_or_else(|| guest_name(&id)),
                role: match claims.role {
                    SiteRole::Viewer => Role::Viewer,
                    SiteRole::Moderator => Role::Moderator,
                },
                id,
            },
            exp: claims.exp,
        })
    }

    /// The same for the same account, on whatever device. All viewers see it, so that it says nothing.
    fn member(&self, sub: &str) -> String {
        let mut context = hmac::Context::with_key(&self.accounts);
        context.update(b"account\0");
        context.update(sub.as_bytes());
        let hash: String = context.sign().as_ref()[..10]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{ACCOUNT}{hash}")
    }
}

fn signed(token: &str, algorithm: Algorithm, key: &DecodingKey) -> Option<Claims> {
    let mut wanted = Validation::new(algorithm);
    // Time and room are looked at by the caller: time is a parameter, and a room stands in either of two claims.
    wanted.validate_exp = false;
    wanted.validate_aud = false;
    let read = jsonwebtoken::decode::<Claims>(token, key, &wanted).ok()?;
    // What must be understood is not (RFC 7515 section 4.1.11).
    read.header.crit.is_none().then_some(read.claims)
}

#[cfg(test)]
mod tests;

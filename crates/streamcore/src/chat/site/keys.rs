//! The site's public keys at an address, as a set of JWKs (RFC 7517): fetched when they are needed, kept for a while.

use std::time::{Duration, Instant};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::SiteKeyError;

/// How long a set is taken for the newest.
const FRESH_FOR: Duration = Duration::from_secs(600);
/// How long a set goes on to hold when the site does not answer: its outage locks nobody out at once.
const HOLDS_FOR: Duration = Duration::from_secs(24 * 3600);
/// Least time between two requests: tokens with made-up key numbers cost the site nothing more.
const LEAST_BETWEEN: Duration = Duration::from_secs(30);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 256 * 1024;
const MOST_KEYS: usize = 20;

/// Keys by their numbers.
pub(super) struct KeySet {
    url: Url,
    http: reqwest::Client,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: Vec<(Option<String>, DecodingKey)>,
    asked_at: Option<Instant>,
    read_at: Option<Instant>,
}

/// Why a set could not be read.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("fetch the site's keys")]
    Http(#[from] reqwest::Error),
    #[error("fetch the site's keys: the answer is {0}")]
    Status(u16),
    #[error("fetch the site's keys: the answer is too long")]
    TooLong,
    #[error("understand the site's keys")]
    Content(#[from] serde_json::Error),
}

impl KeySet {
    pub fn new(url: &str) -> Result<Self, SiteKeyError> {
        let url = Url::parse(url).map_err(|_| SiteKeyError::NoAddress)?;
        let ours = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && ours) {
            return Err(SiteKeyError::NoAddress);
        }
        let http = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            // Elsewhere may be anywhere, without TLS too.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(SiteKeyError::Fetching)?;
        Ok(Self {
            url,
            http,
            known: Mutex::default(),
        })
    }

    /// The key of this number; of a set of one, also without a number.
    pub async fn key(&self, kid: Option<&str>) -> Option<DecodingKey> {
        // One fetches, the others wait for it.
        let mut known = self.known.lock().await;
        let within = |at: Option<Instant>, time: Duration| at.is_some_and(|at| at.elapsed() < time);
        let found = known.find(kid);
        if found.is_some() && within(known.read_at, FRESH_FOR) {
            return found;
        }
        if !within(known.asked_at, LEAST_BETWEEN) {
            known.asked_at = Some(Instant::now());
            match self.fetch().await {
                Ok(keys) => {
                    known.keys = keys;
                    known.read_at = Some(Instant::now());
                }
                Err(error) => {
                    tracing::warn!(url = %self.url, error = &error as &(dyn std::error::Error + 'static), "the site's keys could not be fetched");
                }
            }
        }
        if !within(known.read_at, HOLDS_FOR) {
            return None;
        }
        known.find(kid)
    }

    async fn fetch(&self) -> Result<Vec<(Option<String>, DecodingKey)>, FetchError> {
        let mut response = self.http.get(self.url.clone()).send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(keys_in(&body)?)
    }
}

impl Known {
    fn find(&self, kid: Option<&str>) -> Option<DecodingKey> {
        let found = match (kid, self.keys.as_slice()) {
            (Some(kid), keys) => keys.iter().find(|(number, _)| number.as_deref() == Some(kid)),
            (None, [one]) => Some(one),
            (None, _) => None,
        };
        found.map(|(_, key)| key.clone())
    }
}

/// RSA keys for signatures. Keys of other kinds, a shared secret above all, are left out: they are not for RS256.
fn keys_in(body: &[u8]) -> Result<Vec<(Option<String>, DecodingKey)>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(body)?;
    let usable = set.keys.into_iter().take(MOST_KEYS).filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let signs = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let rs256 = matches!(jwk.common.key_algorithm, None | Some(KeyAlgorithm::RS256));
        let AlgorithmParameters::RSA(parameters) = &jwk.algorithm else {
            return None;
        };
        let key = DecodingKey::from_rsa_components(&parameters.n, &parameters.e).ok()?;
        (signs && rs256).then_some((jwk.common.key_id, key))
    });
    Ok(usable.collect())
}

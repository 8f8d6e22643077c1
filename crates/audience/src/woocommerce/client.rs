//! Questions to one shop.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use protocol::ShopUrl;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client as Http, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};

use super::error::ShopError;
use super::wire;
use crate::Found;
use crate::money::Unit;

/// Most products of a page; WooCommerce's own limit.
const PER_PAGE: usize = 100;
/// Most bytes of an answer: a page of a hundred products with the fields that we ask for has some 200 KB.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How patient a client is.
#[derive(Debug, Clone)]
pub struct Options {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub answer: Duration,
    /// Questions that are asked at most when an answer fails for a reason that may pass.
    pub tries: u32,
    /// Before the second; doubled before each further one.
    pub first_wait: Duration,
    /// Most that it waits, whatever the shop asks for.
    pub most_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            // Small shops on shared hosts take half a minute for a hundred products.
            answer: Duration::from_secs(60),
            tries: 4,
            first_wait: Duration::from_secs(1),
            most_wait: Duration::from_secs(60),
        }
    }
}

/// A product with the shop's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The shop's id of it.
    pub number: u64,
    /// The product.
    pub product: Found,
}

/// One page of a shop's products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most a hundred.
    pub products: Vec<Listed>,
    /// Whether another page follows.
    pub more: bool,
    /// All that the question matches, where the shop says so.
    pub total: Option<u32>,
}

/// Asks one shop. Its `Debug` shows no key.
#[derive(Debug)]
pub struct Client {
    http: Http,
    url: ShopUrl,
    keys: SecretString,
    options: Options,
    /// How the shop wants to be asked; known after the first answer.
    manner: Mutex<Manner>,
    unit: Mutex<Option<Unit>>,
}

/// How a shop wants to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Manner {
    /// Its host strips the Authorization header.
    keys_in_query: bool,
    /// It has no pretty permalinks.
    route_in_query: bool,
    /// It has answered in this manner.
    proven: bool,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// For the shop at `url` with `keys` as `ck_…:cs_…`.
    ///
    /// # Errors
    /// [`ShopError::Unreachable`] when TLS cannot be had on this machine.
    pub fn new(url: ShopUrl, keys: SecretString, options: Options) -> Result<Self, ShopError> {
        let http = Http::builder()
            .connect_timeout(options.connect)
            .timeout(options.answer)
            // Keys go to the address that the host typed, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("StreamCoreStudio/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ShopError::network(url.host(), error))?;
        Ok(Self {
            http,
            url,
            keys,
            options,
            manner: Mutex::default(),
            unit: Mutex::default(),
        })
    }

    /// One page of the published products in the order of their numbers, from 1; `changed_since` (wall
    /// clock, milliseconds since 1970) leaves out those that have not changed.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn page(&self, page: u32, changed_since: Option<u64>) -> Result<Page, ShopError> {
        let unit = self.unit().await?;
        let mut query = vec![
            ("status", "publish".to_owned()),
            ("orderby", "id".to_owned()),
            ("order", "asc".to_owned()),
            ("page", page.to_string()),
            ("per_page", PER_PAGE.to_string()),
            ("_fields", wire::FIELDS.to_owned()),
        ];
        if let Some(since) = changed_since {
            query.push(("modified_after", local_time(since)));
        }
        let read = |answer: &Answer| {
            let products = wire::products(&answer.body, unit)?;
            Ok((products, answer.headers.clone()))
        };
        let (products, headers) = self.ask("products", &query, read).await?;
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let more = match number("x-wp-totalpages") {
            Some(pages) => page < pages && !products.is_empty(),
            // A host that strips these headers is asked until a page is not full.
            None => products.len() == PER_PAGE,
        };
        Ok(Page {
            products,
            more,
            total: number("x-wp-total"),
        })
    }

    /// A few products, at most a hundred, in one question. Those that the shop no longer has are not in the answer.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn some(&self, numbers: &[u64]) -> Result<Vec<Listed>, ShopError> {
        let unit = self.unit().await?;
        let include: Vec<String> = numbers.iter().take(PER_PAGE).map(u64::to_string).collect();
        let query = [
            ("status", "publish".to_owned()),
            ("include", include.join(",")),
            ("per_page", PER_PAGE.to_string()),
            ("_fields", wire::FIELDS.to_owned()),
        ];
        self.ask("products", &query, |answer| wire::products(&answer.body, unit))
            .await
    }

    /// The shop's currency. Keys of some shops may read products and no settings; the list of currencies is open to them.
    async fn unit(&self) -> Result<Unit, ShopError> {
        if let Some(unit) = *self.unit.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(unit);
        }
        let read = |answer: &Answer| wire::currency(&answer.body);
        let asked = self.ask("settings/general/woocommerce_currency", &[], read).await;
        let unit = match asked {
            Err(ShopError::ReadDenied { .. }) => self.ask("data/currencies/current", &[], read).await?,
            unit => unit?,
        };
        *self.unit.lock().unwrap_or_else(PoisonError::into_inner) = Some(unit);
        Ok(unit)
    }

    /// Asks until an answer is read, or there is no hope of one.
    async fn ask<T>(
        &self,
        path: &str,
        query: &[(&str, String)],
        read: impl Fn(&Answer) -> Result<T, String>,
    ) -> Result<T, ShopError> {
        let mut wait = self.options.first_wait;
        for left in (0..self.options.tries.max(1)).rev() {
            let answer = self.ask_once(path, query).await;
            let error = match answer.and_then(|answer| self.understand(read(&answer))) {
                Ok(read) => return Ok(read),
                Err(error) if left == 0 || !error.passing() => return Err(error),
                Err(error) => error,
            };
            let asked = match &error {
                ShopError::Busy { retry_after, .. } => *retry_after,
                _ => None,
            };
            let pause = asked.unwrap_or(wait).min(self.options.most_wait);
            tracing::debug!(host = self.url.host(), %error, pause_ms = pause.as_millis(), "the shop is asked again");
            tokio::time::sleep(pause).await;
            wait *= 2;
        }
        unreachable!("the last try returns what it got")
    }

    /// Asks, and finds out how the shop wants to be asked while that is not known.
    async fn ask_once(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, ShopError> {
        let mut manner = *self.manner.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let answer = self.send(path, query, manner).await?;
            let json = matches!(answer.body.trim_ascii_start().first(), Some(b'{' | b'['));
            let status = answer.status;
            if status.is_success() && json {
                manner.proven = true;
                *self.manner.lock().unwrap_or_else(PoisonError::into_inner) = manner;
                return Ok(answer);
            }
            let (code, message) = wire::code(&answer.body);
            // These words are of one who has seen the keys; any other refusal may be of one who has not.
            let seen = code == "woocommerce_rest_authentication_error";
            let no_route = status == StatusCode::NOT_FOUND || (status.is_success() && !json);
            if no_route && !manner.route_in_query && !manner.proven {
                manner.route_in_query = true;
            } else if status == StatusCode::UNAUTHORIZED && !seen && !manner.keys_in_query && !manner.proven {
                manner.keys_in_query = true;
            } else {
                return Err(self.refusal(&answer, seen, &message, json));
            }
        }
    }

    fn refusal(&self, answer: &Answer, seen: bool, message: &str, json: bool) -> ShopError {
        let host = self.url.host().to_owned();
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let status = answer.status;
        match status.as_u16() {
            401 if seen && message.contains("permission") => ShopError::ReadDenied { host },
            401 if seen => ShopError::KeyRefused { host },
            // Keys that were seen and refused have another code: these may look at nothing.
            401 | 403 => ShopError::ReadDenied { host },
            404 => ShopError::ApiMissing { host },
            429 | 500..=599 => ShopError::Busy {
                host,
                status: status.as_u16(),
                retry_after: header(RETRY_AFTER)
                    .and_then(|seconds| seconds.trim().parse().ok())
                    .map(Duration::from_secs),
            },
            300..=399 => ShopError::Moved {
                host,
                to: header(LOCATION).map_or_else(|| "?".to_owned(), origin_of),
            },
            200..=299 if !json => unreadable(host, "it is no JSON".to_owned(), false),
            status => unreadable(host, format!("it says HTTP {status}"), false),
        }
    }

    async fn send(&self, path: &str, query: &[(&str, String)], manner: Manner) -> Result<Answer, ShopError> {
        let host = self.url.host();
        let request = self.http.get(self.address(path, query, manner)?);
        let request = if manner.keys_in_query {
            request
        } else {
            let (key, secret) = self.both_keys();
            request.basic_auth(key, Some(secret))
        };
        let mut response = request
            .send()
            .await
            .map_err(|error| ShopError::network(host, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= MOST_BYTES => body.extend_from_slice(&chunk),
                Ok(Some(_)) => {
                    return Err(unreadable(
                        host.to_owned(),
                        "the answer is too long".to_owned(),
                        false,
                    ));
                }
                Ok(None) => {
                    return Ok(Answer {
                        status,
                        headers,
                        body,
                    });
                }
                Err(error) if error.is_timeout() => return Err(ShopError::network(host, error)),
                Err(_) => {
                    return Err(unreadable(
                        host.to_owned(),
                        "the answer broke off".to_owned(),
                        true,
                    ));
                }
            }
        }
    }

    fn address(&self, path: &str, query: &[(&str, String)], manner: Manner) -> Result<Url, ShopError> {
        let base = self.url.as_str();
        let address = if manner.route_in_query {
            Url::parse_with_params(&format!("{base}/"), [("rest_route", format!("/wc/v3/{path}"))])
        } else {
            Url::parse(&format!("{base}/wp-json/wc/v3/{path}"))
        };
        let mut address = address.map_err(|error| {
            unreadable(
                self.url.host().to_owned(),
                format!("its address is none: {error}"),
                false,
            )
        })?;
        let mut pairs = address.query_pairs_mut();
        for (name, value) in query {
            pairs.append_pair(name, value);
        }
        if manner.keys_in_query {
            let (key, secret) = self.both_keys();
            pairs.append_pair("consumer_key", key);
            pairs.append_pair("consumer_secret", secret);
        }
        drop(pairs);
        Ok(address)
    }

    fn both_keys(&self) -> (&str, &str) {
        let keys = self.keys.expose_secret();
        keys.split_once(':').unwrap_or((keys, ""))
    }

    fn understand<T>(&self, read: Result<T, String>) -> Result<T, ShopError> {
        read.map_err(|detail| {
            // A document that ends early was cut on its way.
            let passing = detail.contains("EOF");
            unreadable(self.url.host().to_owned(), detail, passing)
        })
    }
}

fn unreadable(host: String, detail: String, passing: bool) -> ShopError {
    ShopError::Unreadable {
        host,
        detail,
        passing,
    }
}

/// Scheme and host of where a shop sends; its path and query may hold what was asked with.
fn origin_of(location: &str) -> String {
    match Url::parse(location) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "?".to_owned(),
    }
}

/// A moment as WooCommerce wants it. It reads it in the shop's own time zone, which nobody knows here: a day earlier is
/// early enough everywhere, and what was read already is only read again.
fn local_time(wall_ms: u64) -> String {
    let seconds = (wall_ms / 1000).saturating_sub(24 * 60 * 60);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_a_day_early() {
        assert_eq!(local_time(1_795_279_429_000), "2026-11-20T16:43:49");
        assert_eq!(
            local_time(1_709_251_200_000),
            "2024-02-29T00:00:00",
            "leap days are there"
        );
        assert_eq!(local_time(0), "1970-01-01T00:00:00");
    }
}

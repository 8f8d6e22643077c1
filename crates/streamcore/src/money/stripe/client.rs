//! Requests to Stripe's API (v1): two calls. Every one has a key by which Stripe does it once, however often it is asked.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::event::{OUR_NUMBER, refund_state};
use super::form::Form;
use crate::money::payment::RefundState;
use crate::money::settings::MoneyError;
use crate::money::wire::Sum;

/// Stripe answers within a second or two; a viewer waits for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// Tries of one call, the first included.
const TRIES: u32 = 3;
/// Wait before the second try; twice that before the third.
const FIRST_WAIT: Duration = Duration::from_millis(400);
const MOST_BYTES: usize = 1024 * 1024;
/// How long a page to pay on stays open: Stripe's least is 30 minutes, counted on its clock.
const OPEN_FOR_S: u64 = 35 * 60;

/// What is asked for a page to pay on.
#[derive(Debug, Clone)]
pub struct Checkout<'a> {
    /// Our number.
    pub payment: &'a str,
    pub sum: &'a Sum,
    /// What stands on the page.
    pub product: &'a str,
    /// What stands in the receipt; at most 1000 characters.
    pub description: &'a str,
    pub success_url: &'a str,
    pub cancel_url: &'a str,
    /// Seconds since 1970 UTC.
    pub now_s: u64,
}

/// A page to pay on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `cs_…`.
    pub checkout: String,
    pub url: String,
}

/// Why Stripe did not do something. No text of Stripe's stands in what is shown to viewers.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// No answer: nobody knows whether it was done, so that it must be asked again with the same key.
    #[error("reach Stripe")]
    Unreachable(#[source] reqwest::Error),
    /// 401, 403.
    #[error(
        "be let in by Stripe: it does not take the key, or the key may not do this; look at the keys' page at Stripe"
    )]
    Key,
    /// 402.
    #[error("have it done by Stripe: declined ({code})")]
    Declined { code: String },
    /// 409, 429, 5xx: may be asked again.
    #[error("have it done by Stripe: it answers {status} for now")]
    ForNow { status: u16 },
    /// Any other 4xx.
    #[error("have it done by Stripe: it does not take the request ({code}: {message})")]
    Refused {
        code: String,
        /// Stripe's own words, for the log.
        message: String,
    },
    /// Not what Stripe's documentation says.
    #[error("understand Stripe's answer")]
    Unreadable,
}

impl StripeError {
    /// Whether the same may be asked again later, with the same key.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::ForNow { .. } | Self::Unreadable
        )
    }
}

/// Stripe, with one key.
pub struct Stripe {
    http: Client,
    base: Url,
    authorization: HeaderValue,
}

impl std::fmt::Debug for Stripe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stripe")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Session {
    id: String,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
struct Refund {
    id: String,
    amount: u64,
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: Trouble,
}

#[derive(Deserialize, Default)]
struct Trouble {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Stripe {
    /// # Errors
    /// There is no TLS, or the key cannot stand in a header.
    pub fn new(base: Url, secret: &SecretString) -> Result<Self, MoneyError> {
        let http = Client::builder()
            .timeout(ANSWER_WITHIN)
            // Elsewhere may be anywhere, and the key would go there.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(MoneyError::Client)?;
        let bearer = format!("Bearer {}", secret.expose_secret());
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|_| MoneyError::NoKey)?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            base,
            authorization,
        })
    }

    /// A page on which somebody pays.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn checkout(&self, wanted: &Checkout<'_>) -> Result<Page, StripeError> {
        let form = Form::default()
            .with("mode", "payment")
            .with("line_items[0][quantity]", "1")
            .with(
                "line_items[0][price_data][currency]",
                wanted.sum.currency.code().to_ascii_lowercase(),
            )
            .with(
                "line_items[0][price_data][unit_amount]",
                wanted.sum.minor.to_string(),
            )
            .with("line_items[0][price_data][product_data][name]", wanted.product)
            .with("success_url", wanted.success_url)
            .with("cancel_url", wanted.cancel_url)
            .with("expires_at", (wanted.now_s + OPEN_FOR_S).to_string())
            .with("client_reference_id", wanted.payment)
            .with(format!("metadata[{OUR_NUMBER}]"), wanted.payment)
            .with(
                format!("payment_intent_data[metadata][{OUR_NUMBER}]"),
                wanted.payment,
            )
            .with("payment_intent_data[description]", wanted.description);
        let session: Session = self
            .post(
                "v1/checkout/sessions",
                &form,
                &format!("streamcore-checkout-{}", wanted.payment),
            )
            .await?;
        let url = session.url.filter(|url| self.is_page(url));
        Ok(Page {
            checkout: session.id,
            url: url.ok_or(StripeError::Unreadable)?,
        })
    }

    /// Viewers are sent nowhere but to where Stripe's pages can be.
    fn is_page(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| {
            url.scheme() == "https" || (self.base.scheme() == "http" && url.host() == self.base.host())
        })
    }

    /// Gives all of a payment back. `round` is which asking it is.
    ///
    /// # Errors
    /// See [`StripeError`].
    pub async fn refund(
        &self,
        payment: &str,
        intent: &str,
        round: u32,
    ) -> Result<(String, u64, RefundState), StripeError> {
        let form = Form::default()
            .with("payment_intent", intent)
            .with("reason", "requested_by_customer")
            .with(format!("metadata[{OUR_NUMBER}]"), payment);
        let key = format!("streamcore-refund-{payment}-{round}");
        let refund: Refund = self.post("v1/refunds", &form, &key).await?;
        Ok((refund.id, refund.amount, refund_state(refund.status.as_deref())))
    }

    /// Asks, and again with the same key while that may help.
    async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        form: &Form,
        key: &str,
    ) -> Result<T, StripeError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.ask(path, form, key).await {
                Err(error) if error.passes() => {
                    tracing::debug!(
                        path,
                        error = &error as &(dyn std::error::Error + 'static),
                        "Stripe is asked again"
                    );
                    // Half of it at random: what failed together shall not come back together.
                    tokio::time::sleep(wait / 2 + wait.mul_f64(rand::random::<f64>() / 2.0)).await;
                    wait *= 2;
                }
                done => return done,
            }
        }
        self.ask(path, form, key).await
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        form: &Form,
        key: &str,
    ) -> Result<T, StripeError> {
        let url = self.base.join(path).map_err(|_| StripeError::Unreadable)?;
        let request = self
            .http
            .post(url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", key)
            .body(form.body());
        let mut response = request.send().await.map_err(StripeError::Unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(StripeError::Unreachable)? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(StripeError::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        if status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|_| StripeError::Unreadable);
        }
        Err(failure(status, &body))
    }
}

fn failure(status: StatusCode, body: &[u8]) -> StripeError {
    let trouble =
        serde_json::from_slice::<Failure>(body).map_or_else(|_| Trouble::default(), |failure| failure.error);
    let short = |text: Option<String>| text.unwrap_or_default().chars().take(200).collect::<String>();
    let code = short(trouble.code);
    match status.as_u16() {
        401 | 403 => StripeError::Key,
        402 => StripeError::Declined {
            code: trouble.decline_code.map_or(code, |decline| short(Some(decline))),
        },
        409 | 429 | 500.. => StripeError::ForNow {
            status: status.as_u16(),
        },
        400..=499 => StripeError::Refused {
            code,
            message: short(trouble.message),
        },
        _ => StripeError::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_asked_again_and_nothing_else() {
        let of = |status: u16, body: &str| {
            failure(StatusCode::from_u16(status).expect("a status"), body.as_bytes())
        };
        for status in [409, 429, 500, 502, 503] {
            assert!(of(status, "{}").passes(), "{status}");
        }
        for status in [400, 401, 402, 403, 404] {
            assert!(!of(status, "not JSON").passes(), "{status}");
        }
        let declined = of(
            402,
            r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}}"#,
        );
        assert!(matches!(declined, StripeError::Declined { code } if code == "insufficient_funds"));
    }
}

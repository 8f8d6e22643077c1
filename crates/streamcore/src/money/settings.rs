//! What a server is told of money before it starts.

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::amount::{Currency, MOST_MINOR, UnknownCurrency};
use super::wire::TipRules;

/// Stripe's own address.
const STRIPE: &str = "https://api.stripe.com";
/// Most amounts that are offered as buttons.
const MOST_PRESETS: usize = 6;
const MOST_DEVICES: usize = 20;

/// Payments by Stripe. Test mode unless `live` is said: no real money flows, and the pages say so.
#[derive(Debug, Clone)]
pub struct MoneySettings {
    /// Stripe's secret key: `sk_test_…` or `rk_test_…`; `sk_live_…` or `rk_live_…` with `live`.
    pub secret: SecretString,
    /// The webhook's signing secret, with its `whsec_`.
    pub webhook_secret: SecretString,
    /// Real money. Default `false`.
    pub live: bool,
    /// Where Stripe is: for tests, an `http` address of this machine, and never with `live`. Default Stripe's own.
    pub stripe_url: Option<String>,
    /// Where viewers reach this server, as `https://HOST`, for the way back from Stripe and for links in receipts. `None`:
    /// what the viewer's browser calls it. Default `None`.
    pub public_url: Option<String>,
    /// Three letters (ISO 4217). Default `EUR`.
    pub currency: String,
    /// The platform's part in hundredths of a percent, 0 to 10 000. It is kept in the books; Stripe pays all of it to the
    /// one account. Default 500: 5 %.
    pub fee_basis_points: u16,
    /// Least of one tip, in the currency's smallest unit. Default 100.
    pub least_tip: u64,
    /// Most of one tip. Default 50 000.
    pub most_tip: u64,
    /// Amounts that are offered as buttons, at most six; those beyond the limits are left out. Default 200, 500, 1000, 2000.
    pub presets: Vec<u64>,
    /// Devices on which one ticket plays at the same time, 1 to 20. Default 2.
    pub devices_per_ticket: usize,
}

impl MoneySettings {
    /// Everything else as by default.
    pub fn new(secret: SecretString, webhook_secret: SecretString) -> Self {
        Self {
            secret,
            webhook_secret,
            live: false,
            stripe_url: None,
            public_url: None,
            currency: "EUR".into(),
            fee_basis_points: 500,
            least_tip: 100,
            most_tip: 50_000,
            presets: vec![200, 500, 1000, 2000],
            devices_per_ticket: 2,
        }
    }
}

/// Why payments cannot be had with these settings. No text of a key stands in it.
#[derive(Debug, thiserror::Error)]
pub enum MoneyError {
    /// A publishable key, a webhook secret, a word.
    #[error("take Stripe's key: it begins with none of sk_test_, rk_test_, sk_live_ and rk_live_")]
    NoKey,
    /// Nobody shall take real money by mistake.
    #[error(
        "take Stripe's key: it is a live one, which takes real money; say so with --stripe-live, or use sk_test_"
    )]
    LiveKey,
    /// Somebody believes that money flows.
    #[error("take Stripe's key: it is a test one, and real money was asked for with --stripe-live")]
    TestKey,
    /// Not what the webhook's page at Stripe shows.
    #[error("take the webhook's secret: it does not begin with whsec_")]
    NoWebhookSecret,
    /// Elsewhere may be anywhere.
    #[error(
        "take Stripe's address: another one than Stripe's is for tests, on this machine, and not with live keys"
    )]
    Address,
    /// Stripe would send viewers nowhere.
    #[error("take the public address: it is no http or https address of a host alone")]
    PublicAddress,
    /// See [`UnknownCurrency`].
    #[error(transparent)]
    Currency(#[from] UnknownCurrency),
    /// A number makes no sense.
    #[error("take {field}: it is out of its range")]
    OutOfRange {
        /// Which.
        field: &'static str,
    },
    /// Books that end with the server are none.
    #[error("keep the books: money needs a database that stays")]
    NoDatabase,
    /// Tickets that end with the server are none.
    #[error("sign tickets: money needs a key for tokens that stays")]
    NoTokenKey,
    /// The system gave no TLS.
    #[error("prepare the way to Stripe")]
    Client(#[source] reqwest::Error),
}

/// What is sold here, and how: settings that hold.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// Whether no real money flows.
    pub test: bool,
    pub rules: TipRules,
    pub currency: Currency,
    pub fee_basis_points: u16,
    /// Where viewers reach this server, without a slash at its end.
    pub public_url: Option<String>,
}

impl Offer {
    /// # Errors
    /// See [`MoneyError`].
    pub fn new(settings: &MoneySettings) -> Result<Self, MoneyError> {
        let currency = Currency::try_from(settings.currency.clone())?;
        let out = |field| Err(MoneyError::OutOfRange { field });
        if settings.fee_basis_points > 10_000 {
            return out("the fee");
        }
        if settings.least_tip == 0 || settings.least_tip > settings.most_tip {
            return out("the least tip");
        }
        if settings.most_tip > MOST_MINOR {
            return out("the most of a tip");
        }
        if settings.presets.len() > MOST_PRESETS {
            return out("the number of presets");
        }
        if !(1..=MOST_DEVICES).contains(&settings.devices_per_ticket) {
            return out("the number of devices");
        }
        let possible = settings.least_tip..=settings.most_tip;
        let mut presets: Vec<u64> = settings
            .presets
            .iter()
            .copied()
            .filter(|one| possible.contains(one))
            .collect();
        presets.sort_unstable();
        presets.dedup();
        Ok(Self {
            test: !is_live(settings)?,
            rules: TipRules {
                digits: currency.digits(),
                currency: currency.clone(),
                least: settings.least_tip,
                most: settings.most_tip,
                presets,
            },
            currency,
            fee_basis_points: settings.fee_basis_points,
            public_url: settings.public_url.as_deref().map(public_url).transpose()?,
        })
    }
}

/// Whether the key takes real money; an error if that is not what was asked for.
fn is_live(settings: &MoneySettings) -> Result<bool, MoneyError> {
    let key = settings.secret.expose_secret();
    let sound = key.len() > 8 && key.bytes().all(|byte| byte.is_ascii_graphic());
    let begins = |with: [&str; 2]| sound && with.iter().any(|with| key.starts_with(with));
    match (
        begins(["sk_live_", "rk_live_"]),
        begins(["sk_test_", "rk_test_"]),
        settings.live,
    ) {
        (true, _, true) => Ok(true),
        (true, _, false) => Err(MoneyError::LiveKey),
        (_, true, false) => Ok(false),
        (_, true, true) => Err(MoneyError::TestKey),
        (false, false, _) => Err(MoneyError::NoKey),
    }
}

/// Where Stripe's API is.
///
/// # Errors
/// An address of another machine, or any with live keys.
pub(super) fn stripe_url(settings: &MoneySettings) -> Result<Url, MoneyError> {
    let text = settings.stripe_url.as_deref().unwrap_or(STRIPE);
    let url = Url::parse(text).map_err(|_| MoneyError::Address)?;
    if settings.stripe_url.is_none() {
        return Ok(url);
    }
    let ours = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if ours && !settings.live && url.scheme() == "http" {
        Ok(url)
    } else {
        Err(MoneyError::Address)
    }
}

fn public_url(text: &str) -> Result<String, MoneyError> {
    let url = Url::parse(text).map_err(|_| MoneyError::PublicAddress)?;
    let alone =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !alone || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(MoneyError::PublicAddress);
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(secret: &str, live: bool) -> MoneySettings {
        MoneySettings {
            live,
            ..MoneySettings::new(secret.into(), "whsec_x".into())
        }
    }

    #[test]
    fn real_money_flows_only_when_it_was_asked_for() {
        let test = |secret, live| Offer::new(&settings(secret, live)).map(|offer| offer.test);
        assert!(matches!(test("sk_test_abc", false), Ok(true)));
        assert!(matches!(test("rk_live_abc", true), Ok(false)));
        assert!(matches!(test("sk_live_abc", false), Err(MoneyError::LiveKey)));
        assert!(matches!(test("sk_test_abc", true), Err(MoneyError::TestKey)));
        for none in ["", "pk_test_abc", "whsec_abc", "sk_test_", "sk_test_a b"] {
            assert!(matches!(test(none, false), Err(MoneyError::NoKey)), "{none}");
        }
    }

    #[test]
    fn stripe_is_elsewhere_only_on_this_machine_and_never_with_real_money() {
        let url = |url: &str, live| {
            let mut settings = settings("sk_test_abc", live);
            settings.stripe_url = Some(url.into());
            stripe_url(&settings).is_ok()
        };
        assert!(url("http://127.0.0.1:4242", false));
        for (wrong, live) in [
            ("http://127.0.0.1:4242", true),
            ("https://api.stripe.com.example", false),
            ("http://192.0.2.1", false),
            ("nothing", false),
        ] {
            assert!(!url(wrong, live), "{wrong}");
        }
    }

    #[test]
    fn an_error_says_nothing_of_the_key() {
        let error = Offer::new(&settings("sk_live_canary", false)).expect_err("a live key");
        assert!(!format!("{error} {error:?}").contains("canary"));
        assert!(!format!("{:?}", settings("sk_live_canary", false)).contains("canary"));
    }
}

//! Stripe's signature of what it says: `Stripe-Signature: t=SECONDS,v1=HEX[,v1=…]`, where v1 is the HMAC-SHA256 of
//! `SECONDS.BODY`. The key is the whole text of the secret, its `whsec_` included.

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// How old an event may be, and how far ahead the clocks may be, in seconds.
const TOLERANCE_S: u64 = 300;
/// Signatures that are looked at: two while a secret is being rolled.
const MOST_SIGNATURES: usize = 8;
const MOST_BYTES: usize = 4096;
const SHA256_BYTES: usize = 32;

/// Why something is not Stripe's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not there or cannot be read.
    #[error("find a signature: there is no Stripe-Signature with t and v1")]
    Missing,
    /// It is not this body's, or another secret's.
    #[error(
        "verify the signature: it is not this body's; compare the signing secret with the webhook's page at Stripe"
    )]
    Wrong,
    /// Somebody repeats an old one.
    #[error("verify the signature: it is more than 300 seconds from this machine's clock")]
    Stale,
}

/// The key of one webhook.
pub struct Signature(hmac::Key);

impl Signature {
    pub fn new(secret: &SecretString) -> Self {
        Self(hmac::Key::new(
            hmac::HMAC_SHA256,
            secret.expose_secret().as_bytes(),
        ))
    }

    /// Whether Stripe said this body, not long from `now_s` (seconds since 1970 UTC). Compares in constant time.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(&self, header: Option<&str>, body: &[u8], now_s: u64) -> Result<(), SignatureError> {
        let header = header
            .filter(|header| header.len() <= MOST_BYTES)
            .ok_or(SignatureError::Missing)?;
        let mut time = None;
        let mut signatures = Vec::new();
        for (name, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
            match name {
                "t" => time = Some(value),
                "v1" if signatures.len() < MOST_SIGNATURES => signatures.extend(bytes(value)),
                // v0 is for Stripe's tests: anybody can make one.
                _ => {}
            }
        }
        // The text itself is signed: "+1" or "01" are other texts for the same number.
        let time = time.filter(|time| !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()));
        let time = time.ok_or(SignatureError::Missing)?;
        let at: u64 = time.parse().map_err(|_| SignatureError::Missing)?;
        if signatures.is_empty() {
            return Err(SignatureError::Missing);
        }
        let signed = [time.as_bytes(), b".", body].concat();
        // Every one is compared: how many were wrong tells nothing.
        let right = signatures
            .iter()
            .filter(|signature| hmac::verify(&self.0, &signed, signature.as_slice()).is_ok())
            .count();
        if right == 0 {
            return Err(SignatureError::Wrong);
        }
        if at.abs_diff(now_s) > TOLERANCE_S {
            return Err(SignatureError::Stale);
        }
        Ok(())
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 2 * SHA256_BYTES || !hex.is_ascii() {
        return None;
    }
    (0..SHA256_BYTES)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // From the test-header generator of Stripe's own package (npm stripe, src/Webhooks.ts).
    const SECRET: &str = "whsec_test_secret";
    const TIME: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"id":"evt_test_webhook","object":"event"}"#;
    const V1: &str = "3c5817089d739023dd6190f70a3757e04f7a2fd8b5dab12c2e000f51970dccff";

    fn verify(header: &str, body: &[u8], now: u64) -> Result<(), SignatureError> {
        Signature::new(&SECRET.into()).verify(Some(header), body, now)
    }

    #[test]
    fn stripes_own_vector_holds() {
        assert_eq!(verify(&format!("t={TIME},v1={V1}"), BODY, TIME), Ok(()));
        let rolled = format!("t={TIME},v1={},v1={V1},v0=00", "0".repeat(64));
        assert_eq!(
            verify(&rolled, BODY, TIME + 300),
            Ok(()),
            "any one of them, to the last second"
        );
    }

    #[test]
    fn whatever_is_changed_it_is_not_stripes_word() {
        let header = format!("t={TIME},v1={V1}");
        assert_eq!(verify(&header, b"{}", TIME), Err(SignatureError::Wrong));
        assert_eq!(
            verify(&format!("t={},v1={V1}", TIME + 1), BODY, TIME),
            Err(SignatureError::Wrong)
        );
        let stripped = Signature::new(&"test_secret".into());
        assert_eq!(
            stripped.verify(Some(&header), BODY, TIME),
            Err(SignatureError::Wrong)
        );
        for late in [TIME + 301, TIME - 301] {
            assert_eq!(verify(&header, BODY, late), Err(SignatureError::Stale));
        }
    }

    #[test]
    fn what_is_no_signature_is_none() {
        let v0 = format!("t={TIME},v0={V1}");
        let short = format!("t={TIME},v1={}", &V1[..62]);
        let sign = format!("t=+{TIME},v1={V1}");
        let no_time = format!("v1={V1}");
        let umlaut = format!("t={TIME},v1={}é", &V1[..62]);
        for none in ["", "t=,v1=", "nonsense", &v0, &short, &sign, &no_time, &umlaut] {
            assert_eq!(verify(none, BODY, TIME), Err(SignatureError::Missing), "{none}");
        }
        let key = Signature::new(&SECRET.into());
        assert_eq!(key.verify(None, BODY, TIME), Err(SignatureError::Missing));
    }
}

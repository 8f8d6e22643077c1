//! Signatures of what a shop sends by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether `signature` (`X-WC-Webhook-Signature`) is that of the raw `body` under the webhook's `secret`. Takes the same
/// time wherever it differs.
pub fn signed(body: &[u8], signature: &str, secret: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else {
        return false;
    };
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_contract_holds_and_nothing_else() {
        let body = br#"{"id":1,"name":"Mug"}"#;
        let signature = "N1lwj4HYuWyreYGdYz6HOf/nTL96XaJyxSe/2hthY1w=";
        assert!(signed(body, signature, "woosecret"));
        assert!(!signed(body, signature, "woosecreT"));
        assert!(!signed(br#"{"id":2,"name":"Mug"}"#, signature, "woosecret"));
        assert!(!signed(body, "N1lw", "woosecret"));
        assert!(!signed(body, "not base64!", "woosecret"));
        assert!(!signed(body, "", "woosecret"));
    }
}

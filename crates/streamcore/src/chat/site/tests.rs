use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::Router;
use axum::routing::get;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

const NOW: u64 = 1_795_000_000_000;
const SECRET: &str = "a secret of the site and the server";

/// An RSA key of a site, private and public, as PEM.
fn rsa() -> (EncodingKey, String) {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("PKCS 8");
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("X.509");
    let private = pem::encode(&pem::Pem::new("PRIVATE KEY", private.as_ref().to_vec()));
    let public = pem::encode(&pem::Pem::new("PUBLIC KEY", public.as_ref().to_vec()));
    let key = EncodingKey::from_rsa_pem(private.as_bytes()).expect("a private key");
    (key, public)
}

fn claims() -> Value {
    json!({"sub": "customer-7", "name": "Ada", "room": "show", "exp": NOW / 1000 + 60})
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = claims();
    change(&mut claims);
    claims
}

fn sign(algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey, claims: &Value) -> String {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    jsonwebtoken::encode(&header, claims, key).expect("signed")
}

fn hs256(claims: &Value) -> String {
    sign(
        Algorithm::HS256,
        None,
        &EncodingKey::from_secret(SECRET.as_bytes()),
        claims,
    )
}

fn site(key: &SiteKey) -> Site {
    Site::new(key, &SecretString::from("the tokens' key, 32 characters.."))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn by_secret() -> Site {
    site(&SiteKey::Secret(SECRET.into()))
}

async fn read(site: &Site, token: &str) -> Option<Account> {
    site.read(&"show".parse().expect("a room"), token, NOW).await
}

#[tokio::test]
async fn an_account_is_the_same_member_wherever_it_comes_from() {
    let first = read(&by_secret(), &hs256(&claims())).await.expect("signed in");
    let later = hs256(&with(|claims| claims["exp"] = json!(NOW / 1000 + 9000)));
    let second = read(&by_secret(), &later).await.expect("signed in");
    assert_eq!(first.author, second.author);
    assert_eq!(
        (first.author.name.as_str(), first.author.role),
        ("Ada", Role::Viewer)
    );
    assert!(first.author.id.starts_with(ACCOUNT));
    assert!(
        !first.author.id.contains("customer"),
        "viewers are not told the number"
    );
    let other = hs256(&with(|claims| claims["sub"] = json!("customer-8")));
    assert_ne!(
        read(&by_secret(), &other).await.expect("signed in").author.id,
        first.author.id
    );
}

#[tokio::test]
async fn a_token_is_for_its_room_and_its_time() {
    let aud = with(|claims| {
        claims["room"].take();
        claims["aud"] = json!(["shop", "show"]);
    });
    assert!(
        read(&by_secret(), &hs256(&aud)).await.is_some(),
        "the audience is the room"
    );
    let wrong: [fn(&mut Value); 8] = [
        |claims| claims["room"] = json!("other"),
        |claims| claims["room"] = Value::Null,
        |claims| claims["exp"] = json!(NOW / 1000),
        |claims| claims["exp"] = Value::Null,
        |claims| claims["nbf"] = json!(NOW / 1000 + 3600),
        |claims| claims["sub"] = json!(""),
        |claims| claims["sub"] = Value::Null,
        |claims| claims["aud"] = json!(7),
    ];
    for (n, change) in wrong.into_iter().enumerate() {
        assert_eq!(
            read(&by_secret(), &hs256(&with(change))).await,
            None,
            "number {n}"
        );
    }
}

#[tokio::test]
async fn the_site_names_viewers_and_moderators_and_no_host() {
    let role = async |role: &str| {
        let token = hs256(&with(|claims| claims["role"] = json!(role)));
        read(&by_secret(), &token)
            .await
            .map(|account| account.author.role)
    };
    assert_eq!(role("viewer").await, Some(Role::Viewer));
    assert_eq!(role("moderator").await, Some(Role::Moderator));
    assert_eq!(role("host").await, None);
    assert_eq!(role("admin").await, None);
}

#[tokio::test]
async fn a_key_is_used_for_its_own_algorithm_alone() {
    let (private, public) = rsa();
    let by_key = site(&SiteKey::PublicKey(public.clone()));
    assert!(
        read(&by_key, &sign(Algorithm::RS256, None, &private, &claims()))
            .await
            .is_some()
    );
    // The public key, which everybody has, as the secret of an HMAC.
    let confused = EncodingKey::from_secret(public.as_bytes());
    assert_eq!(
        read(&by_key, &sign(Algorithm::HS256, None, &confused, &claims())).await,
        None
    );
    assert_eq!(
        read(&by_key, &sign(Algorithm::RS512, None, &private, &claims())).await,
        None
    );
    assert_eq!(
        read(&by_secret(), &sign(Algorithm::RS256, None, &private, &claims())).await,
        None
    );
    let (stranger, _) = rsa();
    assert_eq!(
        read(&by_key, &sign(Algorithm::RS256, None, &stranger, &claims())).await,
        None
    );
    // {"alg":"none"}, with a body that holds and no signature.
    let signed = hs256(&claims());
    let body = signed.split('.').nth(1).expect("a body");
    for unsigned in [
        format!("eyJhbGciOiJub25lIn0.{body}."),
        format!("eyJhbGciOiJub25lIn0.{body}"),
    ] {
        assert_eq!(read(&by_key, &unsigned).await, None);
        assert_eq!(read(&by_secret(), &unsigned).await, None);
    }
}

#[test]
fn keys_that_are_none_are_said_at_the_start() {
    let key = SecretString::from("the tokens' key, 32 characters..");
    let wrong = |site: SiteKey| Site::new(&site, &key).expect_err("none");
    assert!(matches!(
        wrong(SiteKey::Secret("short".into())),
        SiteKeyError::ShortSecret
    ));
    assert!(matches!(
        wrong(SiteKey::PublicKey(SECRET.into())),
        SiteKeyError::NoKey
    ));
    let same = SiteKey::Secret(key.clone());
    assert!(matches!(wrong(same), SiteKeyError::SameSecret));
    for url in ["http://shop.example/keys", "file:///etc/passwd", "keys"] {
        assert!(
            matches!(wrong(SiteKey::KeysAt(url.into())), SiteKeyError::NoAddress),
            "{url}"
        );
    }
}

/// An address that answers with this, and counts how often.
async fn served(body: String) -> (SiteKey, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let answer = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let body = body.clone();
        async move { body }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let router = Router::new().route("/keys", get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (SiteKey::KeysAt(format!("http://{address}/keys")), asked)
}

fn jwk(key: &EncodingKey, kid: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::RS256).expect("a JWK");
    jwk.common.key_id = Some(kid.to_owned());
    serde_json::to_value(jwk).expect("JSON")
}

#[tokio::test]
async fn keys_at_an_address_are_fetched_once_and_found_by_their_number() {
    let ((one, _), (two, _)) = (rsa(), rsa());
    let secret = json!({"kty": "oct", "k": "YSBzZWNyZXQgdGhhdCBldmVyeWJvZHkgaGFzIGZvciBIUzI1Ng", "kid": "3"});
    let set = json!({"keys": [jwk(&one, "1"), {"kty": "new"}, jwk(&two, "2"), secret]});
    let (key, asked) = served(set.to_string()).await;
    let site = site(&key);
    let by = |key: &EncodingKey, kid: Option<&str>| sign(Algorithm::RS256, kid, key, &claims());
    assert!(read(&site, &by(&one, Some("1"))).await.is_some());
    assert!(read(&site, &by(&two, Some("2"))).await.is_some());
    assert_eq!(
        read(&site, &by(&one, Some("2"))).await,
        None,
        "another key's number"
    );
    assert_eq!(
        read(&site, &by(&one, None)).await,
        None,
        "one of several, but which?"
    );
    for n in 0..20 {
        assert_eq!(read(&site, &by(&one, Some(&format!("made up {n}")))).await, None);
    }
    let confused = EncodingKey::from_secret(b"a secret that everybody has for HS256");
    assert_eq!(
        read(&site, &sign(Algorithm::HS256, Some("3"), &confused, &claims())).await,
        None
    );
    assert_eq!(
        asked.load(Ordering::SeqCst),
        1,
        "made-up numbers cost the site nothing"
    );
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_no_set_signs_nobody_in() {
    let (key, _) = rsa();
    let long = json!({"keys": [jwk(&key, "1")], "more": "x".repeat(300 * 1024)});
    for body in [long.to_string(), "no".to_owned(), String::new()] {
        let (at, asked) = served(body).await;
        let site = site(&at);
        let token = sign(Algorithm::RS256, Some("1"), &key, &claims());
        assert_eq!(read(&site, &token).await, None);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

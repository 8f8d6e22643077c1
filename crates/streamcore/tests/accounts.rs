//! People whom the host's own site signs in, in the chat.
#![allow(clippy::panic, reason = "the helpers of tests fail as tests do")]

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::chatter::Chatter;
use common::server_with;
use serde_json::{Value, json};
use streamcore::{Server, SiteKey};

const SECRET: &str = "a secret of the site and the server";

async fn server() -> Server {
    server_with(|settings| settings.site_key = Some(SiteKey::Secret(SECRET.into()))).await
}

fn token(sub: &str, role: &str, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let exp = now.saturating_add_signed(seconds);
    let claims = json!({"sub": sub, "name": format!("The {sub}"), "role": role, "room": "show", "exp": exp});
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("signed")
}

async fn knock(server: &Server, token: &str) -> Value {
    let hello = json!({"type": "hello", "version": 1, "token": token});
    Chatter::knock(server.http_addr(), hello).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_holds_for_the_account_on_every_device_and_for_no_other_account() {
    let server = server().await;
    let mut troll = Chatter::with_token(&server, &token("troll", "viewer", 600)).await;
    assert_eq!(troll.welcome["you"]["name"], "The troll");
    troll.said("boo").await;
    let mut host = Chatter::host(&server).await;
    host.acted(json!({"do": "ban", "member": troll.id()})).await;
    // Another device, another token of the same account; and what the first was given to come back with.
    for again in [token("troll", "viewer", 900), troll.token()] {
        let mut back = Chatter::with_token(&server, &again).await;
        assert_eq!(back.id(), troll.id());
        assert_eq!(back.say("boo").await["code"], "banned");
    }
    let mut customer = Chatter::with_token(&server, &token("customer", "viewer", 600)).await;
    customer.said("from the same address").await;
    let renamed = customer.ask(json!({"type": "rename", "name": "Maya"})).await;
    assert_eq!(renamed["code"], "not_allowed", "the site says who it is");
    let mut guest = Chatter::viewer(&server, "Guest").await;
    assert_eq!(
        guest.say("boo").await["code"],
        "banned",
        "without an account the address counts"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sites_moderators_keep_order_and_are_no_hosts() {
    let server = server().await;
    let mut ada = Chatter::viewer(&server, "Ada").await;
    let mut crew = Chatter::with_token(&server, &token("crew", "moderator", 600)).await;
    assert_eq!(crew.welcome["you"]["role"], "moderator");
    let seq = ada.said("boo").await;
    crew.acted(json!({"do": "delete", "message": seq})).await;
    let invited = crew.act(json!({"do": "invite", "name": "X"})).await;
    assert_eq!(invited["code"], "not_allowed");
    assert_eq!(knock(&server, &token("crew", "host", 600)).await["code"], "token");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_its_token() {
    let server = server().await;
    assert_eq!(
        knock(&server, &token("late", "moderator", -1)).await["code"],
        "token"
    );
    let mut short = Chatter::with_token(&server, &token("short", "moderator", 3)).await;
    short.ended().await;
    assert_eq!(knock(&server, &short.token()).await["code"], "token");
    server.stop().await;
}

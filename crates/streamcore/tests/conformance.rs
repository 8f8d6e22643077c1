//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03) over HTTP: codes, headers, trickle and restart.

mod common;

use common::client::{Client, Seen, http, post, prepare};
use common::{KEY, live_room, media, server, server_with, wait_state};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use std::time::Duration;
use str0m::media::Direction;
use streamcore::{RoomState, Server};

const SOON: Duration = Duration::from_secs(5);
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

fn offer() -> String {
    prepare(Direction::SendOnly).offer
}

fn whip(server: &Server, method: Method, room: &str) -> RequestBuilder {
    http().request(method, format!("http://{}/whip/{room}", server.http_addr()))
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("the server answers")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("")
}

/// Sends a request and checks the status, with the answer's text as the reason.
async fn check(request: RequestBuilder, expected: u16, why: &str) {
    let response = send(request).await;
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    assert_eq!(status, expected, "{why}: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_says_what_it_speaks() {
    let server = server_with(|s| s.stun_servers = vec!["stun:stun.example.net:3478".into()]).await;
    let options = send(whip(&server, Method::OPTIONS, "show")).await;
    assert_eq!(options.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&options, "accept-post"), "application/sdp");
    assert_eq!(header(&options, "access-control-allow-origin"), "*");
    for method in ["POST", "PATCH", "DELETE"] {
        assert!(header(&options, "access-control-allow-methods").contains(method));
    }
    for name in ["Authorization", "Content-Type", "If-Match"] {
        assert!(header(&options, "access-control-allow-headers").contains(name));
    }
    assert_eq!(
        header(&options, "link"),
        "<stun:stun.example.net:3478>; rel=\"ice-server\""
    );
    for method in [Method::GET, Method::HEAD] {
        let response = send(whip(&server, method, "show")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            header(&response, "content-type"),
            "application/sdp",
            "says that this is WHIP"
        );
        assert!(response.bytes().await.expect("readable").is_empty());
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_its_location_and_headers() {
    let server = server_with(|s| s.stun_servers = vec!["stun:stun.example.net:3478".into()]).await;
    let response = post(
        &format!("http://{}/whip/show", server.http_addr()),
        Some(KEY),
        &offer(),
    )
    .await;
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(header(&response, "content-type"), "application/sdp");
    assert!(header(&response, "etag").starts_with('"') && header(&response, "etag").ends_with('"'));
    assert!(header(&response, "link").contains("rel=\"ice-server\""));
    let exposed = header(&response, "access-control-expose-headers").to_owned();
    assert!(
        ["Location", "ETag", "Link"]
            .iter()
            .all(|name| exposed.contains(name)),
        "{exposed}"
    );
    let location = header(&response, "location").to_owned();
    let secret = location.strip_prefix("/whip/show/").expect("under the endpoint");
    assert_eq!(secret.len(), 32, "128 bits that cannot be guessed");
    let answer = response.text().await.expect("readable");
    assert!(
        answer.contains("a=recvonly") && answer.contains("a=setup:passive"),
        "{answer}"
    );
    assert!(answer.contains("a=candidate:"), "carries its candidates");

    let session = format!("http://{}{location}", server.http_addr());
    check(http().get(&session), 204, "a session can be looked at").await;
    check(http().delete(&session), 401, "but only its publisher ends it").await;
    check(http().delete(&session).bearer_auth(KEY), 200, "which is this one").await;
    check(http().delete(&session).bearer_auth(KEY), 404, "once").await;
    check(http().get(&session), 404, "and it is gone").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_with_its_own_code() {
    let server = server().await;
    let sdp = |request: RequestBuilder| request.header(CONTENT_TYPE, "application/sdp");
    let post = || whip(&server, Method::POST, "show");
    check(sdp(post()).body(offer()), 401, "no key").await;
    check(sdp(post()).bearer_auth("wrong").body(offer()), 401, "wrong key").await;
    check(
        sdp(post()).header(AUTHORIZATION, "Basic abc").body(offer()),
        401,
        "wrong scheme",
    )
    .await;
    let challenge = send(sdp(post()).body(offer())).await;
    assert!(
        header(&challenge, "www-authenticate").starts_with("Bearer"),
        "RFC 6750 section 3"
    );
    let keyed = || post().bearer_auth(KEY);
    check(
        keyed().header(CONTENT_TYPE, "text/plain").body(offer()),
        415,
        "not SDP by its type",
    )
    .await;
    check(keyed().body(offer()), 415, "no type").await;
    check(sdp(keyed()).body("v=0\r\nhello"), 422, "no media in it").await;
    check(
        sdp(keyed()).body(offer().replace("a=fingerprint", "a=fingerprinx")),
        400,
        "no fingerprint",
    )
    .await;
    check(
        sdp(keyed()).body(offer().replace("a=ice-ufrag", "a=ice-ufrax")),
        400,
        "no ICE",
    )
    .await;
    check(sdp(keyed()).body(vec![0xff; 100]), 400, "not text").await;
    check(
        sdp(keyed()).body(prepare(Direction::RecvOnly).offer),
        422,
        "a viewer's offer",
    )
    .await;
    let h265_only = offer().replace("H264", "H265");
    check(sdp(keyed()).body(h265_only), 422, "no codec in common").await;
    check(sdp(keyed()).body("x".repeat(70_000)), 413, "too large").await;
    check(
        sdp(whip(&server, Method::PUT, "show"))
            .bearer_auth(KEY)
            .body(offer()),
        405,
        "PUT",
    )
    .await;
    check(
        sdp(whip(&server, Method::POST, "a%2Fb"))
            .bearer_auth(KEY)
            .body(offer()),
        404,
        "bad name",
    )
    .await;
    check(
        http().get(format!("http://{}/nothing", server.http_addr())),
        404,
        "no such page",
    )
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nobody_publishes_from_outside() {
    let server = server_with(|s| s.publish_key = None).await;
    let response = post(
        &format!("http://{}/whip/show", server.http_addr()),
        Some(KEY),
        &offer(),
    )
    .await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_room_answers_409_and_a_quiet_one_too() {
    let (server, _feeder) = live_room("show", true).await;
    let busy = post(
        &format!("http://{}/whip/show", server.http_addr()),
        Some(KEY),
        &offer(),
    )
    .await;
    assert_eq!(busy.status(), StatusCode::CONFLICT);
    let viewer = prepare(Direction::RecvOnly).offer;
    let quiet = post(
        &format!("http://{}/whep/other", server.http_addr()),
        None,
        &viewer,
    )
    .await;
    assert_eq!(quiet.status(), StatusCode::CONFLICT);
    assert_eq!(header(&quiet, "retry-after"), "2");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_beyond_the_rate_and_the_number_come_back_later() {
    let (server, _feeder) = {
        let server = server_with(|s| {
            s.limits.viewers = 2;
            s.limits.joins_per_second = 4;
        })
        .await;
        let feeder = common::feed(&server, "show", true).await;
        (server, feeder)
    };
    let mut codes = Vec::new();
    for _ in 0..8 {
        let response = post(
            &format!("http://{}/whep/show", server.http_addr()),
            None,
            &prepare(Direction::RecvOnly).offer,
        )
        .await;
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert!(
                !header(&response, "retry-after").is_empty(),
                "says when to come back"
            );
        }
        codes.push(response.status().as_u16());
    }
    assert_eq!(codes.iter().filter(|c| **c == 201).count(), 2, "{codes:?}");
    assert_eq!(codes.iter().filter(|c| **c == 503).count(), 6, "{codes:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_beyond_the_number_are_refused() {
    let server = server_with(|s| s.limits.rooms = 1).await;
    let first = server
        .publish(common::room("one"), streamcore::RoomInfo::default())
        .expect("there is place");
    let _feeder = common::Feeder::start(first, media::clip(), true);
    wait_state(&server, "one", RoomState::Live).await;
    let response = post(
        &format!("http://{}/whip/two", server.http_addr()),
        Some(KEY),
        &offer(),
    )
    .await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!header(&response, "retry-after").is_empty());
    let error = server
        .publish(common::room("three"), streamcore::RoomInfo::default())
        .map(drop);
    assert_eq!(error, Err(streamcore::PublishError::TooManyRooms));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_puts_sound_and_picture_into_one_stream() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let streams: Vec<&str> = viewer
        .answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=msid:"))
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    assert_eq!(streams.len(), 2);
    assert_eq!(
        streams[0], streams[1],
        "a browser keeps only tracks of one stream in step"
    );
    assert_eq!(
        viewer.answer.matches("H264/90000").count(),
        1,
        "one profile, so that nobody picks another"
    );
    assert!(
        viewer.answer.contains("profile-level-id=42e01f"),
        "constrained baseline plays everywhere"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_takes_candidates_and_checks_its_tag() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let patch = |kind: &str, tag: Option<&str>, body: &str| {
        let mut request = http()
            .patch(&viewer.location)
            .header(CONTENT_TYPE, kind)
            .body(body.to_owned());
        if let Some(tag) = tag {
            request = request.header(IF_MATCH, tag);
        }
        request
    };
    let line = |name: &str| {
        viewer
            .offer
            .lines()
            .find(|l| l.starts_with(name))
            .expect("the offer carries it")
            .to_owned()
    };
    let body = format!(
        "{}\r\n{}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
         a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n\
         a=candidate:2 1 udp 2130706431 0123-4567.local 9 typ host\r\na=end-of-candidates\r\n",
        line("a=ice-ufrag:"),
        line("a=ice-pwd:")
    );
    check(patch(FRAGMENT, Some(&viewer.etag), &body), 204, "candidates").await;
    check(patch(FRAGMENT, None, &body), 428, "no tag").await;
    check(
        patch(FRAGMENT, Some("\"other\""), &body),
        412,
        "another session's tag",
    )
    .await;
    check(
        patch("application/sdp", Some(&viewer.etag), &body),
        415,
        "not a fragment by its type",
    )
    .await;
    check(
        patch(FRAGMENT, Some(&viewer.etag), "rubbish"),
        400,
        "not a fragment",
    )
    .await;
    let short = "a=ice-ufrag:ab\r\na=ice-pwd:cd\r\n";
    check(
        patch(FRAGMENT, Some("*"), short),
        400,
        "credentials that RFC 8839 forbids",
    )
    .await;
    let gone = http()
        .patch(format!("http://{}/whep/show/{:032x}", server.http_addr(), 7))
        .header(CONTENT_TYPE, FRAGMENT)
        .header(IF_MATCH, "*")
        .body(body.clone());
    check(gone, 404, "no such session").await;
    assert!(
        viewer.wait_frame(false, SOON).is_idr(),
        "the session came to no harm"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_restarts_ice_and_the_old_tag_is_over() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    let (ufrag, pwd) = viewer.restart_ice();
    let body = format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\n");
    let response = send(
        http()
            .patch(&viewer.location)
            .header(CONTENT_TYPE, FRAGMENT)
            .header(IF_MATCH, "*")
            .body(body.clone()),
    )
    .await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), FRAGMENT);
    let tag = header(&response, "etag").to_owned();
    assert!(
        !tag.is_empty() && tag != viewer.etag,
        "a new ICE session has a new tag"
    );
    let fragment = response.text().await.expect("readable");
    assert!(
        fragment.contains("a=ice-ufrag:") && fragment.contains("a=ice-pwd:"),
        "{fragment}"
    );
    assert!(
        fragment.contains("a=candidate:") && fragment.contains("a=mid:"),
        "{fragment}"
    );
    viewer.finish_restart(&fragment);
    viewer.collect(Duration::from_millis(300));
    assert!(
        viewer.next(SOON).is_some_and(|s| matches!(s, Seen::Frame(_))),
        "the picture goes on"
    );
    let old = http()
        .patch(&viewer.location)
        .header(CONTENT_TYPE, FRAGMENT)
        .header(IF_MATCH, &viewer.etag)
        .body("a=end-of-candidates\r\n");
    check(old, 412, "the old tag").await;
    server.stop().await;
}

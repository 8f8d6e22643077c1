//! WHIP in, WHEP out: what a publisher sends is what a viewer gets.

mod common;

use std::time::{Duration, Instant};

use common::client::{Client, Seen};
use common::{KEY, media, room, server, wait_state};
use streamcore::RoomState;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_reaches_a_viewer_and_both_say_goodbye() {
    let server = server().await;
    let publisher = Client::publish(server.http_addr(), "show", KEY, media::clip()).await;
    wait_state(&server, "show", RoomState::Live).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    assert!(
        viewer.wait_frame(false, SOON).is_idr(),
        "a decoder can begin with the first frame"
    );
    let seen = viewer.collect(Duration::from_secs(3));
    let frames = |audio: bool| {
        seen.iter()
            .filter(|s| matches!(s, Seen::Frame(f) if f.audio == audio && f.contiguous))
            .count()
    };
    assert!(
        (80..=150).contains(&frames(false)),
        "got {} pictures in 3 s",
        frames(false)
    );
    assert!(
        (140..=160).contains(&frames(true)),
        "got {} packets of sound in 3 s",
        frames(true)
    );
    let clip = media::clip();
    let sound = seen.iter().find_map(|s| match s {
        Seen::Frame(f) if f.audio => Some(f.data.clone()),
        _ => None,
    });
    assert!(
        clip.audio.iter().any(|p| Some(&p[..]) == sound.as_deref()),
        "sound arrives byte for byte"
    );

    assert_eq!(publisher.delete(Some(KEY)).await, 200);
    viewer.wait_for("DTLS close", SOON, |seen| {
        matches!(seen, Seen::Closed).then_some(())
    });
    assert_eq!(server.room(&room("show")).state, RoomState::Ended);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_joiner_gets_the_cached_pictures_without_asking_the_publisher() {
    let server = server().await;
    let publisher = Client::publish(server.http_addr(), "show", KEY, media::clip()).await;
    wait_state(&server, "show", RoomState::Live).await;
    tokio::time::sleep(Duration::from_millis(1300)).await;
    publisher.collect(Duration::from_millis(1));
    let viewer = Client::watch(server.http_addr(), "show").await;
    let first = viewer.wait_frame(false, SOON);
    assert!(first.is_idr() && first.at - viewer.posted < Duration::from_millis(400));
    let asked = publisher.collect(Duration::from_millis(200));
    assert!(
        !asked.iter().any(|s| matches!(s, Seen::KeyframeWanted)),
        "a join costs the others no keyframe"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewers_request_reaches_the_publisher() {
    let server = server().await;
    let publisher = Client::publish(server.http_addr(), "show", KEY, media::clip()).await;
    wait_state(&server, "show", RoomState::Live).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    publisher.collect(Duration::from_millis(1100));
    viewer.request_keyframe();
    publisher.wait_for("a PLI", SOON, |seen| {
        matches!(seen, Seen::KeyframeWanted).then_some(())
    });
    viewer.wait_for("its keyframe", SOON, |seen| {
        matches!(seen, Seen::Frame(f) if f.is_idr()).then_some(())
    });
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_publisher_can_come_back_under_its_name() {
    let server = server().await;
    let first = Client::publish(server.http_addr(), "show", KEY, media::clip()).await;
    wait_state(&server, "show", RoomState::Live).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);

    let url = format!("http://{}/whip/show", server.http_addr());
    let offer = common::client::prepare(str0m::media::Direction::SendOnly).offer;
    let refused = common::client::post(&url, Some(KEY), &offer).await;
    assert_eq!(refused.status(), 409, "the first one still sends");

    first.fall_silent();
    tokio::time::sleep(Duration::from_millis(2200)).await;
    viewer.collect(Duration::from_millis(1));
    let began = Instant::now();
    let _second = Client::publish(server.http_addr(), "show", KEY, media::clip()).await;
    let after = viewer.wait_frame(false, SOON);
    assert!(
        after.is_idr() && after.at - began < Duration::from_secs(2),
        "picture within 2 s of its return"
    );
    assert_eq!(server.room(&room("show")).viewers, 1, "the viewer stayed");
    server.stop().await;
}

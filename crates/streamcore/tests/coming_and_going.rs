//! Publishers and viewers that leave, come back, fall silent, or are told to go.

mod common;

use std::time::{Duration, Instant};

use common::client::{Client, Seen};
use common::{feed, live_room, room, server, wait_state, wait_viewers};
use streamcore::{FeedError, LeaveReason, PublishError, RoomEvent, RoomInfo, RoomState};
use tokio::sync::broadcast::Receiver;

const SOON: Duration = Duration::from_secs(5);

async fn wait_event(events: &mut Receiver<RoomEvent>, within: Duration, wanted: impl Fn(&RoomEvent) -> bool) {
    let found = async {
        loop {
            if wanted(&events.recv().await.expect("the server runs")) {
                return;
            }
        }
    };
    tokio::time::timeout(within, found)
        .await
        .expect("the event comes in time");
}

fn left(event: &RoomEvent, why: LeaveReason) -> bool {
    matches!(event, RoomEvent::ViewerLeft { reason, .. } if *reason == why)
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_stay_while_the_publisher_is_replaced() {
    let (server, feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let before = viewer.wait_frame(false, SOON);
    drop(feeder.stop());
    wait_state(&server, "show", RoomState::StartingSoon).await;
    assert_eq!(server.room(&room("show")).viewers, 1, "the viewer waits");
    viewer.collect(Duration::from_millis(200));

    let began = Instant::now();
    let _feeder = feed(&server, "show", true).await;
    let after = viewer.wait_frame(false, SOON);
    assert!(
        after.is_idr() && after.at - began < Duration::from_secs(2),
        "picture within 2 s"
    );
    assert!(after.contiguous, "numbered on without a gap");
    assert!(after.rtp_time > before.rtp_time, "stamped on");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_show_lets_viewers_go() {
    let (server, feeder) = live_room("show", true).await;
    let mut events = server.events();
    let viewer = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    let publisher = feeder.stop();
    publisher.end();
    let late = streamcore::OpusPacket {
        data: bytes::Bytes::from_static(&[0xf8, 0xff, 0xfe]),
        pts: Duration::from_secs(9999),
        duration: Duration::from_millis(20),
    };
    assert_eq!(
        publisher.audio(late),
        Err(FeedError::Closed),
        "nothing is taken after the end"
    );
    viewer.wait_for("DTLS close", SOON, |seen| {
        matches!(seen, Seen::Closed).then_some(())
    });
    wait_event(&mut events, SOON, |e| left(e, LeaveReason::Ended)).await;
    let view = server.room(&room("show"));
    assert_eq!((view.state, view.viewers), (RoomState::Ended, 0));

    let _feeder = feed(&server, "show", true).await;
    assert_eq!(
        server.room(&room("show")).state,
        RoomState::Live,
        "a new show may begin in the room"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_has_one_publisher() {
    let server = server().await;
    let first = server.publish(room("show"), RoomInfo::default()).expect("free");
    assert_eq!(
        server.publish(room("show"), RoomInfo::default()).map(drop),
        Err(PublishError::RoomBusy)
    );
    drop(first);
    // The next command comes after the drop in the same queue.
    server
        .publish(room("show"), RoomInfo::default())
        .expect("free again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_deletes_its_session_is_gone_at_once() {
    let (server, _feeder) = live_room("show", true).await;
    let mut events = server.events();
    let viewer = Client::watch(server.http_addr(), "show").await;
    wait_event(&mut events, SOON, |e| matches!(e, RoomEvent::ViewerJoined { .. })).await;
    wait_viewers(&server, "show", 1, SOON).await;
    assert_eq!(viewer.delete(None).await, 200);
    wait_viewers(&server, "show", 0, SOON).await;
    wait_event(&mut events, SOON, |e| left(e, LeaveReason::Deleted)).await;
    assert_eq!(viewer.delete(None).await, 404, "it is gone");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_viewer_is_not_counted_after_5_s_and_gone_after_15() {
    let (server, _feeder) = live_room("show", true).await;
    let mut events = server.events();
    let viewer = Client::watch(server.http_addr(), "show").await;
    let stays = Client::watch(server.http_addr(), "show").await;
    viewer.wait_frame(false, SOON);
    stays.wait_frame(false, SOON);
    wait_viewers(&server, "show", 2, SOON).await;
    viewer.fall_silent();
    let silent = Instant::now();
    wait_viewers(&server, "show", 1, Duration::from_secs(7)).await;
    assert!(
        silent.elapsed() > Duration::from_millis(3500),
        "one lost report is not a lost viewer"
    );
    wait_event(&mut events, Duration::from_secs(12), |e| {
        left(e, LeaveReason::Silent)
    })
    .await;
    assert!(
        silent.elapsed() < Duration::from_secs(17),
        "sooner than ICE notices"
    );
    stays.collect(Duration::from_millis(1));
    assert_eq!(server.room(&room("show")).viewers, 1, "the other one stays");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_leaves_nothing_running() {
    let (server, feeder) = live_room("show", true).await;
    let (http, media) = (server.http_addr(), server.media_addr());
    let viewer = Client::watch(http, "show").await;
    viewer.wait_frame(false, SOON);
    let publisher = feeder.stop();
    let began = Instant::now();
    server.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "took {:?}",
        began.elapsed()
    );
    viewer.wait_for("DTLS close", SOON, |seen| {
        matches!(seen, Seen::Closed).then_some(())
    });
    std::net::TcpListener::bind(http).expect("the HTTP port is free again");
    std::net::UdpSocket::bind(media).expect("the media port is free again");
    let unit = streamcore::AccessUnit {
        data: bytes::Bytes::from_static(&[0, 0, 1, 0x65, 1]),
        pts: Duration::from_secs(9999),
        keyframe: true,
    };
    assert_eq!(publisher.video(unit), Err(FeedError::Closed));
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_out_of_order_are_refused() {
    let server = server().await;
    let publisher = server.publish(room("show"), RoomInfo::default()).expect("free");
    let feed = |ms: u64, keyframe: bool| {
        let data = if keyframe {
            &[0, 0, 1, 0x65, 1][..]
        } else {
            &[0, 0, 1, 0x61, 1]
        };
        publisher.video(streamcore::AccessUnit {
            data: bytes::Bytes::copy_from_slice(data),
            pts: Duration::from_millis(ms),
            keyframe,
        })
    };
    assert_eq!(feed(0, true), Ok(()));
    assert_eq!(feed(100, false), Ok(()));
    assert_eq!(feed(33, false), Err(FeedError::Reordered), "a B-frame");
    assert_eq!(
        feed(133, false),
        Err(FeedError::Behind),
        "nothing decodes before the next keyframe"
    );
    assert_eq!(feed(166, true), Ok(()));
    assert_eq!(publisher.dropped(), 2);
    server.stop().await;
}

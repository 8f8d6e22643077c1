//! In-process publishing to WHEP viewers: whole frames arrive, in order, soon, and numbered without a gap.

mod common;

use std::time::{Duration, Instant};

use common::client::{Client, Frame, Seen};
use common::{live_room, media};

const SOON: Duration = Duration::from_secs(5);

fn frames(seen: &[Seen]) -> Vec<&Frame> {
    seen.iter()
        .filter_map(|s| {
            if let Seen::Frame(frame) = s {
                Some(frame)
            } else {
                None
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_gets_every_frame_whole_and_in_order() {
    let (server, _feeder) = live_room("show", true).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let first = viewer.wait_frame(false, SOON);
    assert!(first.is_idr(), "a decoder can begin with the first frame");

    let seen = viewer.collect(Duration::from_secs(3));
    let (audio, video): (Vec<&Frame>, Vec<&Frame>) = frames(&seen).into_iter().partition(|f| f.audio);
    assert!(
        (80..=110).contains(&video.len()),
        "30 pictures a second, got {} in 3 s",
        video.len()
    );
    assert!(
        (140..=160).contains(&audio.len()),
        "50 packets of sound a second, got {} in 3 s",
        audio.len()
    );
    assert!(
        audio.iter().chain(&video).all(|f| f.contiguous),
        "nothing is lost on loopback"
    );
    assert!(
        video.windows(2).all(|w| w[1].rtp_time > w[0].rtp_time),
        "pictures come in order"
    );
    assert!(
        audio.windows(2).all(|w| w[1].rtp_time - w[0].rtp_time == 960),
        "sound has no gap"
    );
    let clip = media::clip();
    let known = |data: &[u8]| clip.audio.iter().any(|packet| packet[..] == *data);
    assert!(
        audio.iter().all(|f| known(&f.data)),
        "sound arrives byte for byte"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_joiner_begins_with_the_cached_pictures_when_no_keyframe_comes() {
    let (server, feeder) = live_room("show", false).await;
    // Well into the group of 2 s, so that a replay is told from a keyframe that happened to come.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let first = viewer.wait_frame(false, SOON);
    assert!(first.is_idr(), "a decoder can begin with the first frame");
    assert!(
        first.at - viewer.posted < Duration::from_millis(800),
        "not after the next natural keyframe"
    );
    assert!(feeder.keyframe_requests() >= 1, "the encoder was asked first");
    let seen = viewer.collect(Duration::from_millis(200));
    let video: Vec<&Frame> = frames(&seen).into_iter().filter(|f| !f.audio).collect();
    let squeezed = video
        .iter()
        .filter(|f| f.rtp_time - first.rtp_time < 90 * 60)
        .count();
    assert!(
        squeezed >= 25,
        "the group since the keyframe is replayed 1 ms a frame, got {squeezed}"
    );
    assert!(
        video.iter().all(|f| f.contiguous),
        "replay and live pictures are numbered without a gap"
    );
    assert!(
        !video.iter().any(|f| f.is_idr()),
        "the live pictures go on after the replay"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoder_that_answers_gives_the_first_picture_at_once() {
    let (server, feeder) = live_room("show", true).await;
    tokio::time::sleep(Duration::from_millis(1300)).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let first = viewer.wait_frame(false, SOON);
    assert!(first.is_idr(), "a decoder can begin with the first frame");
    assert!(
        first.at - viewer.posted < Duration::from_millis(500),
        "took {:?}",
        first.at - viewer.posted
    );
    assert_eq!(feeder.keyframe_requests(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_make_at_most_one_keyframe_a_second() {
    let (server, feeder) = live_room("show", true).await;
    let viewers = [
        Client::watch(server.http_addr(), "show").await,
        Client::watch(server.http_addr(), "show").await,
        Client::watch(server.http_addr(), "show").await,
    ];
    for viewer in &viewers {
        viewer.wait_frame(false, SOON);
    }
    let (before, began) = (feeder.keyframe_requests(), Instant::now());
    while began.elapsed() < Duration::from_millis(2500) {
        viewers.iter().for_each(Client::request_keyframe);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = feeder.keyframe_requests() - before;
    assert!((2..=4).contains(&asked), "150 requests in 2.5 s made {asked}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_do_not_mix() {
    let (server, _feeder) = live_room("one", true).await;
    let other = Client::watch(server.http_addr(), "one").await;
    other.wait_frame(true, SOON);
    let refused = common::client::post(
        &format!("http://{}/whep/two", server.http_addr()),
        None,
        &common::client::prepare(str0m::media::Direction::RecvOnly).offer,
    )
    .await;
    assert_eq!(refused.status(), 409, "nothing is live in the other room");
    assert!(refused.headers().contains_key("retry-after"));
    server.stop().await;
}

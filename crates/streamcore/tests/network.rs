//! Ways to a viewer: every address of the machine, both families, a bad network; and sound in step with picture.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use common::client::{Client, Frame, Seen, candidates};
use common::{feed, live_room, media, server_with};
use testkit::relay::UdpRelay;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_machine_is_offered_and_each_works() {
    let server = server_with(|s| s.media = SocketAddr::from(([0, 0, 0, 0], 0))).await;
    let _feeder = feed(&server, "show", true).await;
    let first = Client::watch(server.http_addr(), "show").await;
    let offered = candidates(&first.answer);
    assert!(
        offered.iter().all(|a| a.port() == server.media_addr().port()),
        "one port for all media"
    );
    assert!(offered.contains(&SocketAddr::from(([127, 0, 0, 1], server.media_addr().port()))));
    let own: Vec<IpAddr> = if_addrs::get_if_addrs()
        .expect("interfaces can be listed")
        .into_iter()
        .map(|i| i.ip())
        .filter(|ip| matches!(ip, IpAddr::V4(v4) if !v4.is_link_local()))
        .collect();
    assert!(
        own.iter().all(|ip| offered.iter().any(|o| o.ip() == *ip)),
        "{own:?} in {offered:?}"
    );
    assert!(
        offered.iter().all(|a| !a.ip().is_unspecified()),
        "an address that means something elsewhere"
    );
    drop(first);
    for address in offered {
        let bind = SocketAddr::new(address.ip(), 0).to_string();
        let only = Client::watch_by(server.http_addr(), "show", &bind, |a| (a == address).then_some(a)).await;
        assert!(only.wait_frame(false, SOON).is_idr(), "over {address}");
    }
    server.stop().await;
}

/// A bad network in front of the server. Made on a thread of its own: it brings a runtime along.
fn relay(target: SocketAddr, seed: u64) -> UdpRelay {
    std::thread::spawn(move || UdpRelay::start(target, seed))
        .join()
        .expect("starting does not panic")
        .expect("a relay can be started")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_percent_of_loss_is_mended_by_resending() {
    let (server, _feeder) = live_room("show", true).await;
    let relay = relay(server.media_addr(), 11);
    relay.delay(Duration::from_millis(15));
    let viewer = Client::watch_by(server.http_addr(), "show", "127.0.0.1:0", |_| {
        Some(relay.address())
    })
    .await;
    viewer.wait_frame(false, SOON);
    relay.lose(20);
    let seen = viewer.collect(Duration::from_secs(6));
    let pictures: Vec<&Frame> = seen
        .iter()
        .filter_map(|s| if let Seen::Frame(f) = s { Some(f) } else { None })
        .filter(|f| !f.audio)
        .collect();
    // 180 pictures of about 6 packets: without resending 20 would be broken.
    assert!(pictures.len() >= 165, "{} pictures in 6 s", pictures.len());
    let broken = pictures.iter().filter(|f| !f.contiguous).count();
    assert!(broken <= 3, "{broken} pictures came after a hole");
    let longest = pictures
        .windows(2)
        .map(|w| w[1].at - w[0].at)
        .max()
        .expect("there are pictures");
    assert!(longest < Duration::from_millis(400), "longest gap {longest:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_whose_network_was_gone_goes_on() {
    let (server, _feeder) = live_room("show", true).await;
    let relay = relay(server.media_addr(), 12);
    let viewer = Client::watch_by(server.http_addr(), "show", "127.0.0.1:0", |_| {
        Some(relay.address())
    })
    .await;
    viewer.wait_frame(false, SOON);
    relay.block();
    tokio::time::sleep(Duration::from_secs(6)).await;
    viewer.collect(Duration::from_millis(1));
    relay.unblock();
    let back = std::time::Instant::now();
    viewer.wait_frame(true, Duration::from_secs(3));
    viewer.request_keyframe();
    viewer.wait_for("a keyframe", Duration::from_secs(3), |seen| {
        matches!(seen, Seen::Frame(f) if f.is_idr()).then_some(())
    });
    assert!(
        back.elapsed() < Duration::from_secs(3),
        "picture within 3 s of the network's return"
    );
    common::wait_viewers(&server, "show", 1, SOON).await;
    server.stop().await;
}

/// What sender reports and stamps say together: the wall time at which a frame belongs, in milliseconds.
fn wall_ms(frame: &Frame, report: (SystemTime, u64)) -> f64 {
    let rate = if frame.audio { 48.0 } else { 90.0 };
    let at = report
        .0
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs_f64()
        * 1000.0;
    at + (frame.rtp_time as f64 - report.1 as f64) / rate
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_and_picture_are_told_to_be_in_step() {
    let (server, _feeder) = live_room("show", false).await;
    // A late join: the replayed pictures must not bend the clock.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let viewer = Client::watch(server.http_addr(), "show").await;
    let seen = viewer.collect(Duration::from_millis(3500));
    let clip = media::clip();
    let mut reports = [None, None];
    let mut skews = Vec::new();
    let mut last_sound: Option<(f64, f64)> = None;
    for item in &seen {
        match item {
            Seen::Report { audio, at, rtp_time } => reports[usize::from(*audio)] = Some((*at, *rtp_time)),
            Seen::Frame(frame) => {
                let Some(report) = reports[usize::from(frame.audio)] else {
                    continue;
                };
                let wall = wall_ms(frame, report);
                if frame.audio {
                    let index = clip.audio.iter().position(|p| p[..] == frame.data[..]);
                    last_sound = index.map(|i| (i as f64 * 20.0, wall));
                } else if let Some((sound_at, sound_wall)) = last_sound
                    && let Some(index) = clip.video.iter().position(|p| ends_alike(&p.data, &frame.data))
                {
                    // Where the two stand in the clip, against where their stamps put them. The clip lasts
                    // longer than this test: nothing comes round again.
                    let skew = (sound_wall - wall) - (sound_at - index as f64 * 1000.0 / 30.0);
                    skews.push(skew);
                }
            }
            _ => {}
        }
    }
    assert!(skews.len() > 40, "frames to compare: {}", skews.len());
    let worst = skews
        .iter()
        .copied()
        .fold(0.0f64, |a, b| if b.abs() > a.abs() { b } else { a });
    assert!(worst.abs() < 5.0, "sound and picture part by {worst:.1} ms");
    server.stop().await;
}

/// The same picture: what comes out of a depacketizer has other start codes and no delimiter in front.
fn ends_alike(sent: &[u8], got: &[u8]) -> bool {
    let length = 200.min(sent.len()).min(got.len());
    sent[sent.len() - length..] == got[got.len() - length..]
}

//! Servers that refuse, vanish, freeze, or were never there.

use std::time::{Duration, Instant};

use protocol::{Container, ErrorCode, OutputState};
use testkit::probe::probe;
use testkit::relay::TcpRelay;
use testkit::{NginxOptions, NginxRtmp, free_tcp_port};

use crate::stage::{Content, Stage, Watched, recording, rtmp, run_for, small};

fn reconnecting_with(state: &OutputState, wanted: ErrorCode) -> bool {
    matches!(state, OutputState::Reconnecting { error, .. } if error.code == wanted)
}

#[test]
fn a_refused_key_fails_at_once_and_a_retry_with_a_good_one_goes_live() {
    let nginx = NginxRtmp::start().expect("nginx is installed");
    nginx.refuse_keys();
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let out = Watched::start(&stage, &rendition, rtmp(&nginx.url("se-cret")));
    let error = out.wait_failed(5);
    assert_eq!(error.code, ErrorCode::KeyRefused);
    assert_eq!(error.params["host"], format!("127.0.0.1:{}", nginx.port()));
    assert!(!format!("{error:?}{:?}", out.output.status()).contains("se-cret"));
    nginx.allow_keys();
    out.output.retry_now();
    out.wait_live();
    out.output.stop_blocking();
    assert_eq!(out.state(), OutputState::Idle);
}

#[test]
fn an_unknown_application_fails_at_once() {
    let nginx = NginxRtmp::start().expect("nginx is installed");
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let url = nginx.url("key").replace("/live/", "/nowhere/");
    let out = Watched::start(&stage, &rendition, rtmp(&url));
    assert_eq!(out.wait_failed(5).code, ErrorCode::ApplicationUnknown);
}

#[test]
fn an_unknown_host_fails_at_once() {
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let out = Watched::start(&stage, &rendition, rtmp("rtmp://nowhere.invalid/live/key"));
    let error = out.wait_failed(15);
    assert_eq!(
        (error.code, error.params["host"].as_str()),
        (ErrorCode::HostUnknown, "nowhere.invalid")
    );
}

#[test]
fn a_server_that_starts_late_is_found() {
    let port = free_tcp_port().expect("a port");
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let out = Watched::start(
        &stage,
        &rendition,
        rtmp(&format!("rtmp://127.0.0.1:{port}/live/key")),
    );
    out.wait("tried again", 5, |s| {
        reconnecting_with(s, ErrorCode::ConnectionRefused)
    });
    let options = NginxOptions {
        recording: false,
        rtmp_port: Some(port),
    };
    let nginx = NginxRtmp::start_with(options).expect("nginx is installed");
    out.wait_live();
    nginx
        .wait_publishing("key", 10_000, Duration::from_secs(5))
        .expect("the server has it");
    assert_eq!(out.output.status().reconnects, 0, "it was never lost");
}

#[test]
fn a_server_that_dies_is_found_again_and_the_recording_has_no_gap() {
    let mut nginx = NginxRtmp::start().expect("nginx is installed");
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(800);
    let out = Watched::start(&stage, &rendition, rtmp(&nginx.url("key")));
    let file = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
    out.wait_live();
    file.wait_live();
    run_for(1.0);
    nginx.kill();
    out.wait("reconnecting", 3, |s| {
        matches!(s, OutputState::Reconnecting { .. })
    });
    run_for(1.0);
    nginx.restart().expect("it comes back");
    out.wait_live();
    nginx
        .wait_publishing("key", 10_000, Duration::from_secs(5))
        .expect("the server has it");
    assert_eq!(out.output.status().reconnects, 1);
    out.output.stop_blocking();
    file.output.stop_blocking();
    let path = file.files().pop().expect("it is finished");
    let probe = probe(&path).expect("ffprobe reads it");
    let video = probe.video().expect("it has a picture");
    // What the encoder itself had no time for, on a loaded machine, is missing everywhere.
    let skipped = rendition.counters().skipped_frames as usize;
    let length: f64 = video.steps_s().iter().sum();
    let there = video.packets.len() - 1;
    assert!(
        there + skipped >= (length * 30.0).round() as usize,
        "{there} frames in {length} s, {skipped} skipped: a gap in the recording"
    );
    assert!(there > 45, "{there} frames");
}

/// What a frozen server looks like from here depends on how much the system's buffers take in first.
#[test]
fn a_frozen_server_is_noticed_and_frames_are_dropped_and_counted() {
    let mut nginx = NginxRtmp::start().expect("nginx is installed");
    let stage = Stage::start(Content::Snow, small());
    let rendition = stage.rendition(20_000);
    let relay = TcpRelay::start(([127, 0, 0, 1], nginx.port()).into()).expect("a relay");
    let url = format!("rtmp://{}/live/key", relay.address());
    let out = Watched::start(&stage, &rendition, rtmp(&url));
    out.wait_live();
    nginx.freeze().expect("it freezes");
    relay.stall();
    let begun = Instant::now();
    out.wait("lost", 25, |s| reconnecting_with(s, ErrorCode::ConnectionLost));
    println!(
        "stall noticed after {:?}, sent {} bytes",
        begun.elapsed(),
        out.output.status().sent_bytes
    );
    assert_eq!(
        rendition.counters().skipped_frames,
        0,
        "the encoder never waits for an output"
    );
    nginx.thaw().expect("it thaws");
    relay.unstall();
    out.wait("live again", 40, |s| matches!(s, OutputState::Live { .. }));
    out.output.stop_blocking();
}

#[test]
fn a_network_that_is_too_thin_drops_whole_gops() {
    let nginx = NginxRtmp::start().expect("nginx is installed");
    let stage = Stage::start(Content::Snow, small());
    let rendition = stage.rendition(20_000);
    let relay = TcpRelay::start(([127, 0, 0, 1], nginx.port()).into()).expect("a relay");
    let out = Watched::start(
        &stage,
        &rendition,
        rtmp(&format!("rtmp://{}/live/key", relay.address())),
    );
    out.wait_live();
    relay.limit(Some(1_200_000));
    let deadline = Instant::now() + Duration::from_secs(40);
    while out.output.status().dropped_frames == 0 {
        assert!(Instant::now() < deadline, "{:?}", out.output.status());
        run_for(0.1);
    }
    let status = out.output.status();
    assert!(status.queue_ms <= 6000, "the queue is bounded: {status:?}");
    assert!(out.live(), "thin is not lost: {status:?}");
    assert_eq!(rendition.counters().skipped_frames, 0);
    out.output.stop_blocking();
}

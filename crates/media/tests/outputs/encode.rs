//! What a rendition makes, and what can be asked of it.

use std::time::{Duration, Instant};

use media::rendition::{EncodedFrame, EncodedStream, Rendition, SubscribeOptions, Subscription};
use protocol::{Canvas, Container, H264Profile, KilobitsPerSecond};
use testkit::flash;
use testkit::probe::probe;

use crate::stage::{Content, Stage, Watched, recording, run_for, small};

fn subscribe(rendition: &Rendition) -> Subscription {
    rendition.subscribe(SubscribeOptions {
        aac: true,
        opus: false,
        max_queue: Duration::from_secs(10),
        wake: None,
    })
}

/// Pictures until one that begins at or after `until` of the first.
fn pictures(subscription: &Subscription, seconds: f64) -> Vec<EncodedFrame> {
    let mut frames: Vec<EncodedFrame> = Vec::new();
    loop {
        let frame = subscription
            .next_within(Duration::from_secs(5))
            .expect("the program goes on");
        if frame.stream == EncodedStream::Video {
            frames.push(frame);
        }
        if let (Some(first), Some(last)) = (frames.first(), frames.last())
            && (last.pts - first.pts).seconds_f64() >= seconds
        {
            return frames;
        }
    }
}

#[test]
fn keyframes_that_are_asked_for_are_merged_and_newcomers_cost_none() {
    let stage = Stage::start(Content::Card, small());
    let rendition = stage.rendition(1000);
    let watching = subscribe(&rendition);
    let first = pictures(&watching, 0.3);
    assert!(first[0].keyframe);
    for _ in 0..5 {
        rendition.request_keyframe();
        run_for(0.03);
    }
    // Newcomers start from what is kept.
    for _ in 0..3 {
        let late = subscribe(&rendition);
        let frame = late.try_next().expect("a picture at once");
        assert!(frame.keyframe && frame.stream == EncodedStream::Video);
    }
    let then = pictures(&watching, 1.6);
    let keys: Vec<f64> = then
        .iter()
        .filter(|f| f.keyframe)
        .map(|f| f.pts.seconds_f64())
        .collect();
    assert!((1..=2).contains(&keys.len()), "keyframes at {keys:?}");
    assert!(
        keys.windows(2).all(|pair| pair[1] - pair[0] > 0.95),
        "more than one a second: {keys:?}"
    );
}

fn kbps(frames: &[EncodedFrame]) -> f64 {
    let bytes: usize = frames.iter().map(|frame| frame.buffer.size()).sum();
    let seconds = (frames[frames.len() - 1].end() - frames[0].pts).seconds_f64();
    bytes as f64 * 8.0 / 1000.0 / seconds
}

#[test]
fn the_rate_is_kept_and_changes_while_it_runs_without_a_keyframe() {
    let stage = Stage::start(Content::Snow, small());
    let rendition = stage.rendition(4000);
    let watching = subscribe(&rendition);
    let before = pictures(&watching, 3.9);
    let rate = kbps(&before[30..]);
    assert!((3000.0..4600.0).contains(&rate), "{rate} kb/s instead of 4000");
    rendition.set_bitrate(KilobitsPerSecond::try_from(1500).expect("a rate"));
    let settling = pictures(&watching, 1.0);
    let after = pictures(&watching, 4.0);
    let rate = kbps(&after);
    assert!((1000.0..1900.0).contains(&rate), "{rate} kb/s instead of 1500");
    let keys: Vec<f64> = before
        .iter()
        .chain(&settling)
        .chain(&after)
        .filter(|frame| frame.keyframe)
        .map(|frame| frame.pts.seconds_f64())
        .collect();
    assert!(
        keys.windows(2).all(|pair| (pair[1] - pair[0] - 2.0).abs() < 0.01),
        "keyframes at {keys:?}"
    );
}

#[test]
fn a_high_rendition_with_foresight_keeps_picture_and_sound_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Flash, small());
    let rendition = stage.rendition_with(1500, |options| {
        options.profile = H264Profile::High;
        options.low_delay = false;
        options.opus = false;
    });
    let out = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
    out.wait_live();
    run_for(3.5);
    out.output.stop_blocking();
    let path = out.files().pop().expect("it is finished");
    let probe = probe(&path).expect("ffprobe reads it");
    let video = probe.video().expect("it has a picture");
    assert_eq!(video.profile, "High");
    assert_eq!(video.faults_of_rate(30), Vec::<String>::new());
    let skew = flash::detect(&path).expect("flashes and beeps");
    assert!(skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0), "{skew:?}");
}

#[test]
fn openh264_takes_over_where_x264_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Flash, small());
    let rendition = stage.rendition_with(1500, |options| {
        options.encoder = "openh264enc".to_owned();
        options.preset = None;
    });
    let out = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
    out.wait_live();
    run_for(4.5);
    out.output.stop_blocking();
    let path = out.files().pop().expect("it is finished");
    let probe = probe(&path).expect("ffprobe reads it");
    let video = probe.video().expect("it has a picture");
    assert_eq!(
        (video.profile.as_str(), video.pix_fmt.as_str()),
        ("Constrained Baseline", "yuv420p")
    );
    assert_eq!(video.faults_of_rate(30), Vec::<String>::new());
    let keys = video.keyframes_s();
    assert!(
        keys.len() >= 2 && keys.windows(2).all(|pair| (pair[1] - pair[0] - 2.0).abs() < 0.01),
        "keyframes at {keys:?}"
    );
    let skew = flash::detect(&path).expect("flashes and beeps");
    assert!(skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0), "{skew:?}");
}

#[test]
fn every_frame_rate_is_exact_in_the_file() {
    for fps in [24, 25, 50, 60] {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Stage::start(Content::Card, Canvas::new(320, 180, fps).expect("a canvas"));
        let rendition = stage.rendition(500);
        let out = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
        out.wait_live();
        run_for(1.5);
        out.output.stop_blocking();
        let probe = probe(&out.files().pop().expect("it is finished")).expect("ffprobe reads it");
        let video = probe.video().expect("it has a picture");
        assert_eq!(video.faults_of_rate(fps), Vec::<String>::new());
    }
}

#[test]
fn an_encoder_that_is_too_slow_skips_frames_and_says_so() {
    let stage = Stage::start(Content::Snow, Canvas::new(640, 360, 60).expect("a canvas"));
    let rendition = stage.rendition_with(20_000, |options| options.preset = Some("placebo".to_owned()));
    let deadline = Instant::now() + Duration::from_secs(40);
    while rendition.counters().skipped_frames == 0 {
        assert!(Instant::now() < deadline, "{:?}", rendition.counters());
        run_for(0.05);
    }
}

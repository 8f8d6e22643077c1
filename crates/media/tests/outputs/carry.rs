//! One encoder carries everything at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::{Canvas, Container};
use testkit::probe::{Probe, probe};
use testkit::{NginxRtmp, flash};

use crate::stage::{Content, Stage, Watched, recording, rtmp, run_for};

fn check_streams(what: &str, probe: &Probe, seconds: f64) {
    let video = probe.video().expect("it has a picture");
    assert_eq!(
        (
            video.codec.as_str(),
            video.pix_fmt.as_str(),
            video.profile.as_str()
        ),
        ("h264", "yuv420p", "Constrained Baseline"),
        "{what}"
    );
    assert_eq!(video.frame_rate, (30, 1), "{what}");
    assert_eq!(
        video.faults_of_rate(30),
        Vec::<String>::new(),
        "{what} is not constant"
    );
    let audio = probe.audio().expect("it has sound");
    assert_eq!(
        (
            audio.codec.as_str(),
            audio.profile.as_str(),
            audio.sample_rate,
            audio.channels
        ),
        ("aac", "LC", 48_000, 2),
        "{what}"
    );
    let keys = video.keyframes_s();
    assert!(keys.len() >= 2, "{what} has keyframes at {keys:?}");
    for pair in keys.windows(2) {
        assert!(
            (pair[1] - pair[0] - 2.0).abs() < 0.002,
            "{what} has keyframes at {keys:?}"
        );
    }
    let length = video.packets.len() as f64 / 30.0;
    assert!(
        (length - seconds).abs() < 2.5,
        "{what} is {length} s long, not about {seconds}"
    );
}

#[test]
fn two_servers_a_file_and_a_tap_share_one_encoder() {
    let nginx = NginxRtmp::start().expect("nginx is installed");
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Flash, Canvas::default());
    let rendition = stage.rendition(2500);
    let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let (video, sound) = (seen.clone(), seen.clone());
    let tap = rendition.tap(
        true,
        move |frame| video.lock().expect("unpoisoned").0.push(frame),
        move |frame| sound.lock().expect("unpoisoned").1.push(frame),
    );
    let one = Watched::start(&stage, &rendition, rtmp(&nginx.url("one")));
    let two = Watched::start(&stage, &rendition, rtmp(&nginx.url("two")));
    let file = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
    for output in [&one, &two, &file] {
        output.wait_live();
    }
    run_for(7.0);
    let status = one.output.status();
    assert_eq!((status.dropped_frames, status.reconnects), (0, 0));
    assert!(status.sent_kbps.is_some_and(|rate| rate > 60), "{status:?}");
    let recorded = file.output.status().recording.expect("it records");
    assert!(recorded.bytes > 50_000 && recorded.parts == 1, "{recorded:?}");
    for output in [&one, &two, &file] {
        output.output.stop_blocking();
    }
    drop(tap);
    assert_eq!(rendition.counters().skipped_frames, 0);
    drop(rendition);

    for key in ["one", "two"] {
        let path = nginx
            .finished_recording(key, Duration::from_secs(5))
            .expect("the server wrote it");
        check_streams(key, &probe(&path).expect("ffprobe reads it"), 7.5);
        let skew = flash::detect(&path).expect("flashes and beeps");
        assert!(
            skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0),
            "{key}: {skew:?}"
        );
    }
    let path = file.files().pop().expect("it is finished");
    check_streams("recording", &probe(&path).expect("ffprobe reads it"), 7.5);
    let skew = flash::detect(&path).expect("flashes and beeps");
    assert!(skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0), "{skew:?}");

    let (video, sound) = &*seen.lock().expect("unpoisoned");
    assert!(
        video.len() > 200 && sound.len() > 300,
        "{} and {}",
        video.len(),
        sound.len()
    );
    assert!(video[0].keyframe && video[0].data.starts_with(&[0, 0, 0, 1]));
    for frame in video.iter().filter(|frame| frame.keyframe) {
        let has = |kind: u8| {
            frame
                .data
                .windows(5)
                .any(|w| w[..4] == [0, 0, 0, 1] && w[4] & 0x1f == kind)
        };
        assert!(
            has(7) && has(8) && has(5),
            "a keyframe has SPS, PPS and an IDR slice"
        );
    }
    let steps: Vec<_> = video.windows(2).map(|w| w[1].pts - w[0].pts).collect();
    assert!(steps.iter().all(|step| step.as_millis() == 33), "{steps:?}");
    let steps: Vec<_> = sound
        .windows(2)
        .map(|w| (w[1].pts - w[0].pts).as_micros())
        .collect();
    assert!(steps.iter().all(|step| step.abs_diff(20_000) < 10), "{steps:?}");
}

//! A show from the desk: to a server, to disk and to viewers at once, and what may happen to it.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Engine, PATIENCE, clip};
use protocol::{Command, ErrorCode, OutputState, ShowPhase, SourceSettings};
use testkit::NginxRtmp;
use testkit::probe::{boxes, probe};

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn one_encode_reaches_server_disk_and_room() {
    let _alone = common::alone();
    let (data, videos) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let nginx = NginxRtmp::start().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Clip", clip());
    desk.clear_destinations();
    let server = desk.add_rtmp(&nginx.url("show"));
    let recording = desk.add_recording(videos.path());
    let room = desk.add_room("studio");
    let mut settings = desk.state.settings.clone();
    settings.high_rendition = protocol::HighRendition::Off;
    desk.done(Command::SetSettings { settings });
    desk.go_live();
    nginx.wait_publishing("show", 1_500_000, PATIENCE).unwrap();
    assert_eq!(
        desk.state.renditions.len(),
        1,
        "outputs that agree share one encoder"
    );
    assert_eq!(desk.state.renditions[0].carried_by.len(), 3);
    assert!(!desk.state.streamcore.watch_urls.is_empty() && desk.state.streamcore.qr_svg.contains("<svg"));
    desk.end();
    for id in [&server, &recording, &room] {
        assert_eq!(desk.output(id).dropped_frames, 0);
        assert!(desk.output(id).sent_bytes > 1_000_000, "{:?}", desk.output(id));
    }
    let received = nginx.finished_recording("show", PATIENCE).unwrap();
    let files = recordings(videos.path());
    assert_eq!(files.len(), 1, "{files:?}");
    for file in [&received, &files[0]] {
        let seen = probe(file).unwrap();
        let (video, audio) = (seen.video().unwrap(), seen.audio().unwrap());
        assert_eq!(video.codec, "h264", "{}", file.display());
        assert_eq!(video.pix_fmt, "yuv420p");
        assert_eq!(
            video.faults_of_rate(30),
            Vec::<String>::new(),
            "{}",
            file.display()
        );
        let keys = video.keyframes_s();
        assert!(
            keys.windows(2).all(|pair| pair[1] - pair[0] < 2.05),
            "a keyframe every 2 s: {keys:?}"
        );
        assert_eq!((audio.codec.as_str(), audio.channels), ("aac", 2));
        assert_eq!(audio.sample_rate, 48_000);
    }
}

#[test]
fn sound_and_picture_leave_together() {
    let _alone = common::alone();
    let (data, videos) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let flash = videos.path().join("flash.mov");
    testkit::flash::write_clip(&flash, 20, 30).unwrap();
    let shows = tempfile::tempdir().unwrap();
    let nginx = NginxRtmp::start().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    let path = flash.display().to_string();
    let source = desk.add("Flash", SourceSettings::File { path, looping: true });
    desk.until("the flash is on", |s| {
        s.source_status
            .iter()
            .any(|st| st.id == source && st.state == protocol::SourceState::Live)
    });
    desk.clear_destinations();
    desk.add_rtmp(&nginx.url("sync"));
    desk.add_recording(shows.path());
    desk.go_live();
    desk.follow(Duration::from_secs(8));
    desk.end();
    let received = nginx.finished_recording("sync", PATIENCE).unwrap();
    for file in [received, recordings(shows.path())[0].clone()] {
        let seen = probe(&file).unwrap();
        let begins =
            |stream: &testkit::probe::Stream| stream.packets.first().map(|packet| packet.pts_s).unwrap();
        let silent_s = begins(seen.audio().unwrap()) - begins(seen.video().unwrap());
        // A packet of AAC lasts 21 ms.
        assert!(
            silent_s < 0.03,
            "{}: sound of the first {silent_s} s is missing",
            file.display()
        );
        let sync = testkit::flash::detect(&file).unwrap();
        assert!(sync.skews_ms.len() >= 5, "{}: {sync:?}", file.display());
        let worst = sync.worst_ms().unwrap();
        assert!(worst.abs() < 20.0, "{}: {worst} ms, {sync:?}", file.display());
    }
}

#[test]
fn a_killed_server_costs_the_others_nothing() {
    let _alone = common::alone();
    let (data, videos) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut nginx = NginxRtmp::start().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Clip", clip());
    desk.clear_destinations();
    let server = desk.add_rtmp(&nginx.url("show"));
    let recording = desk.add_recording(videos.path());
    desk.go_live();
    nginx.kill();
    desk.until("the server is missed", |s| {
        s.outputs
            .iter()
            .any(|o| o.id == server && matches!(o.state, OutputState::Reconnecting { .. }))
    });
    assert_eq!(desk.output(&recording).reconnects, 0);
    assert!(matches!(desk.state.show.phase, ShowPhase::Recovering { .. }));
    desk.until("the desk says so", |s| {
        s.health.iter().any(|h| h.destination.as_ref() == Some(&server))
    });
    nginx.restart().unwrap();
    desk.until("the server has it again", |s| {
        s.outputs
            .iter()
            .any(|o| o.id == server && matches!(o.state, OutputState::Live { .. }))
    });
    assert!(matches!(desk.state.show.phase, ShowPhase::Live { .. }));
    assert_eq!(desk.output(&server).reconnects, 1);
    desk.end();
    let seen = probe(&recordings(videos.path())[0]).unwrap();
    assert_eq!(
        seen.video().unwrap().faults_of_rate(30),
        Vec::<String>::new(),
        "the recording has no gap"
    );
}

#[test]
fn a_refused_key_is_said_and_not_tried_again() {
    let _alone = common::alone();
    let data = tempfile::tempdir().unwrap();
    let nginx = NginxRtmp::start().unwrap();
    nginx.refuse_keys();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Bars", SourceSettings::TestCard { tone_hz: 1000 });
    desk.clear_destinations();
    let server = desk.add_rtmp(&nginx.url("canary-key"));
    desk.done(Command::GoLive);
    desk.until("the key is refused", |s| {
        s.outputs
            .iter()
            .any(|o| matches!(&o.state, OutputState::Failed { error } if error.code == ErrorCode::KeyRefused))
    });
    desk.until("off air", |s| s.show.phase == ShowPhase::OffAir);
    assert!(
        matches!(desk.output(&server).state, OutputState::Failed { .. }),
        "the chip keeps saying why"
    );
    let shown = serde_json::to_string(&desk.state).unwrap() + &engine.process.output();
    assert!(!shown.contains("canary-key"), "the key is nowhere to be read");
}

#[test]
fn a_killed_engine_goes_on_with_the_show() {
    let _alone = common::alone();
    let (data, videos) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let nginx = NginxRtmp::start().unwrap();
    let mut engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Clip", clip());
    desk.clear_destinations();
    desk.add_rtmp(&nginx.url("show"));
    desk.add_recording(videos.path());
    desk.go_live();
    desk.follow(Duration::from_secs(4));
    let scene = desk.scene();
    engine.process.kill();
    let first_part = recordings(videos.path());
    assert_eq!(first_part.len(), 1);
    assert!(
        boxes(&first_part[0]).unwrap().contains(&"moof".to_owned()),
        "nobody finished it"
    );
    let engine = Engine::start_with(data.path(), &["--resume"]);
    let mut desk = engine.desk();
    desk.until("on air again", |s| {
        matches!(s.show.phase, ShowPhase::Live { .. })
            && s.outputs.len() == 2
            && s.outputs
                .iter()
                .all(|o| matches!(o.state, OutputState::Live { .. }))
    });
    assert_eq!(desk.scene(), scene);
    let seen = probe(&first_part[0]).unwrap();
    let kept = seen.video().unwrap().packets.len();
    assert!(
        kept >= 90,
        "4 s of 30 fps less half a second: {kept} frames are kept"
    );
    testkit::wait_until("the first part is a plain file", PATIENCE, || {
        boxes(&first_part[0]).unwrap() == ["ftyp", "mdat", "moov"]
    })
    .unwrap();
    let plain = probe(&first_part[0]).unwrap();
    assert!(
        plain.video().unwrap().packets.len() >= 90,
        "finishing loses no fragment"
    );
    desk.follow(Duration::from_secs(1));
    assert!(
        matches!(desk.state.show.phase, ShowPhase::Live { .. }),
        "the show goes on meanwhile"
    );
    desk.end();
    let parts = recordings(videos.path());
    assert_eq!(parts.len(), 2, "the next part is beside the first: {parts:?}");
    assert!(parts[0] == first_part[0], "names sort: {parts:?}");
    probe(&parts[1]).unwrap().video().unwrap();
}

#[test]
fn canvas_changes_wait_until_off_air() {
    let _alone = common::alone();
    let (data, videos) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Bars", SourceSettings::TestCard { tone_hz: 1000 });
    desk.clear_destinations();
    desk.add_recording(videos.path());
    let mut settings = desk.state.settings.clone();
    settings.canvas = protocol::Canvas::new(720, 1280, 30).unwrap();
    desk.go_live();
    let error = desk
        .ask(Command::SetSettings {
            settings: settings.clone(),
        })
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::OnAirLocked);
    desk.end();
    desk.done(Command::SetSettings { settings });
    desk.go_live();
    desk.follow(Duration::from_secs(1));
    desk.end();
    let files = recordings(videos.path());
    let upright = probe(&files[1]).unwrap();
    let video = upright.video().unwrap();
    assert_eq!((video.width, video.height), (720, 1280));
}

//! Recordings: killed, paused, split, and on a disk that fills up.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use media::output::{Leg, finish_file};
use protocol::{Canvas, Container, ErrorCode, OutputState};
use testkit::probe::probe;
use testkit::{Process, flash};

use crate::stage::{Content, Stage, Watched, alone, recording, run_for, small};

/// Told to a child process of this very program: what to record, and where.
const CHILD: &str = "STUDIO_TEST_RECORD";

/// This program again, running one test only, with `child` in its environment.
fn myself(test: &str, child: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", test, "--nocapture"]).env(CHILD, child);
    command
}

/// Records until it is killed, and says how many frames were encoded after each.
fn record_for_ever(content: Content, container: Container, folder: &Path) -> ! {
    let stage = Stage::start(content, small());
    let rendition = stage.rendition(1500);
    let out = Watched::start(&stage, &rendition, recording(folder, container));
    out.wait_live();
    println!("live");
    let mut said = 0;
    loop {
        let frames = rendition.counters().frames;
        if frames > said {
            said = frames;
            // One write for each line: it arrives whole or not at all.
            let _ = std::io::stdout()
                .lock()
                .write_all(format!("frames {frames}\n").as_bytes());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).expect("the folder is there");
    let file = files
        .next()
        .expect("there is a file")
        .expect("it can be read")
        .path();
    assert!(files.next().is_none(), "there is one file");
    file
}

/// `frames` were encoded; at most half a second of them may be missing.
fn check_killed(path: &Path, frames: usize) {
    let probe = probe(path).expect("ffprobe reads it");
    let saved = probe.video().expect("it has a picture").packets.len();
    println!("{}: {frames} encoded, {saved} saved", path.display());
    assert!(
        saved + 15 >= frames,
        "{} of {frames} frames are lost",
        frames - saved
    );
    // By their times, not their number: a loaded machine skips frames, and that is not the file's loss.
    let end = |stream: &testkit::probe::Stream| stream.packets.iter().map(|p| p.pts_s).fold(0.0, f64::max);
    let (picture, sound) = (
        end(probe.video().expect("it has a picture")),
        end(probe.audio().expect("it has sound")),
    );
    assert!(
        (picture - sound).abs() < 0.4,
        "picture ends at {picture} s, sound at {sound} s"
    );
}

fn kill_while_recording(test: &str, content: Content, container: Container) {
    if let Ok(folder) = std::env::var(CHILD) {
        record_for_ever(content, container, Path::new(&folder));
    }
    // Its program runs in the child, which has a lock of its own.
    let _alone = alone();
    for seconds in [1.3, 3.1] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Process::start(&mut myself(test, &folder.path().display().to_string()))
            .expect("this program starts");
        child
            .wait_for_line(Duration::from_secs(20), |line| line.ends_with("live"))
            .expect("it records");
        run_for(seconds);
        child.kill();
        let frames = child
            .stdout_lines()
            .iter()
            .filter_map(|line| line.strip_prefix("frames ")?.parse().ok())
            .max()
            .expect("it counted");
        let path = only_file(folder.path());
        check_killed(&path, frames);
        if container == Container::Mp4 {
            finish_file(&path).expect("it can be made plain");
            check_killed(&path, frames);
            assert_plain(&path);
        }
    }
}

/// No fragment is visible any more, and a player finds the index.
fn assert_plain(path: &Path) {
    let kinds = testkit::probe::boxes(path).expect("it is there");
    assert_eq!(kinds, ["ftyp", "mdat", "moov"]);
}

#[test]
fn a_killed_mp4_opens_and_lost_half_a_second_at_most() {
    let test = "file::a_killed_mp4_opens_and_lost_half_a_second_at_most";
    kill_while_recording(test, Content::Card, Container::Mp4);
}

#[test]
fn a_killed_mp4_of_a_still_slate_and_silence_opens() {
    let test = "file::a_killed_mp4_of_a_still_slate_and_silence_opens";
    kill_while_recording(test, Content::Still, Container::Mp4);
}

#[test]
fn a_killed_mkv_opens_and_lost_half_a_second_at_most() {
    let test = "file::a_killed_mkv_opens_and_lost_half_a_second_at_most";
    kill_while_recording(test, Content::Card, Container::Mkv);
}

#[test]
fn a_stopped_recording_is_plain_and_can_be_sought() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Flash, small());
    let rendition = stage.rendition(1000);
    for container in [Container::Mp4, Container::Mkv] {
        let folder = folder.path().join(format!("{container:?}"));
        let out = Watched::start(&stage, &rendition, recording(&folder, container));
        out.wait_live();
        run_for(4.0);
        out.output.stop_blocking();
        assert_eq!(out.state(), OutputState::Idle);
        let path = only_file(&folder);
        assert_eq!(out.files(), std::slice::from_ref(&path));
        let probed = probe(&path).expect("ffprobe reads it");
        assert!(
            (probed.duration_s - 4.5).abs() < 1.5,
            "{container:?} says {} s",
            probed.duration_s
        );
        // From the third second on: a player that seeks finds the keyframe before it, not the beginning.
        let late = testkit::run_to_end(
            Command::new("ffprobe")
                .args(["-v", "error", "-read_intervals", "3%+0.1", "-select_streams", "v"])
                .args(["-show_entries", "packet=pts_time", "-of", "csv=p=0"])
                .arg(&path),
        )
        .expect("ffprobe seeks");
        let late = String::from_utf8_lossy(&late);
        let first: f64 = late
            .lines()
            .next()
            .and_then(|line| line.trim_end_matches(',').parse().ok())
            .expect("a time");
        assert!(
            (1.9..=2.1).contains(&first),
            "{container:?} was sought to {first} s"
        );
        let skew = flash::detect(&path).expect("flashes and beeps");
        assert!(
            skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0),
            "{container:?}: {skew:?}"
        );
    }
}

#[test]
fn pausing_leaves_no_gap_and_keeps_picture_and_sound_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Flash, small());
    let rendition = stage.rendition(1000);
    let out = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
    out.wait_live();
    run_for(2.2);
    out.output.pause();
    out.wait("paused", 2, |s| *s == OutputState::Paused);
    run_for(2.3);
    out.output.resume();
    out.wait_live();
    run_for(3.0);
    out.output.stop_blocking();
    let path = only_file(folder.path());
    let probe = probe(&path).expect("ffprobe reads it");
    let video = probe.video().expect("it has a picture");
    assert_eq!(video.faults_of_rate(30), Vec::<String>::new());
    let length = video.packets.len() as f64 / 30.0;
    assert!((4.0..6.7).contains(&length), "{length} s without the pause");
    let skew = flash::detect(&path).expect("flashes and beeps");
    assert!(skew.skews_ms.len() >= 3, "{skew:?}");
    assert!(skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0), "{skew:?}");
}

#[test]
fn a_split_loses_no_frame_and_each_part_stands_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let stage = Stage::start(Content::Flash, small());
    let rendition = stage.rendition(1000);
    let out = Watched::start(&stage, &rendition, recording(folder.path(), Container::Mp4));
    out.wait_live();
    run_for(2.0);
    out.output.split();
    let deadline = std::time::Instant::now() + Duration::from_secs(4);
    while out.output.status().recording.is_none_or(|r| r.parts < 2) {
        assert!(std::time::Instant::now() < deadline, "{:?}", out.output.status());
        run_for(0.02);
    }
    run_for(2.0);
    out.output.stop_blocking();
    let frames = rendition.counters().frames as usize;
    let mut paths = out.files();
    paths.sort();
    let names: Vec<_> = paths
        .iter()
        .map(|p| p.file_name().unwrap_or_default().to_string_lossy())
        .collect();
    assert!(
        names[0].ends_with(" Show.mp4") && names[1].ends_with(" Show part 2.mp4"),
        "{names:?}"
    );
    let mut saved = 0;
    for path in &paths {
        let probe = probe(path).expect("ffprobe reads it");
        let video = probe.video().expect("it has a picture");
        assert!(video.packets[0].keyframe && video.packets[0].pts_s < 0.001);
        assert_eq!(video.faults_of_rate(30), Vec::<String>::new());
        saved += video.packets.len();
        assert_plain(path);
        let skew = flash::detect(path).expect("flashes and beeps");
        assert!(skew.worst_ms().is_some_and(|ms| ms.abs() < 20.0), "{skew:?}");
    }
    // The rendition went on for a moment after the recording had stopped.
    assert!(saved + 15 >= frames, "{saved} of {frames} frames");
}

#[test]
fn a_full_disk_ends_the_recording_and_all_of_it_can_be_read() {
    let test = "file::a_full_disk_ends_the_recording_and_all_of_it_can_be_read";
    let Ok(folder) = std::env::var(CHILD) else {
        let _alone = alone();
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().display().to_string();
        // In a mount namespace of its own: the disk of 20 MB is gone with the process.
        let me = myself(test, &folder);
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-ec"])
            .arg("mount -t tmpfs -o size=20m none \"$0\"; exec \"$@\"")
            .arg(&folder)
            .arg(me.get_program())
            .args(me.get_args())
            .env(CHILD, &folder);
        testkit::run_to_end(&mut command).expect("the test inside passes");
        return;
    };
    let stage = Stage::start(Content::Snow, small());
    let rendition = stage.rendition(12_000);
    let out = Watched::start(&stage, &rendition, recording(Path::new(&folder), Container::Mp4));
    let error = out.wait_failed(60);
    assert_eq!(error.code, ErrorCode::DiskFull, "{error:?}");
    let path = only_file(Path::new(&folder));
    assert_plain(&path);
    let probe = probe(&path).expect("ffprobe reads it");
    let frames = rendition.counters().frames as usize;
    let video = probe.video().expect("it has a picture");
    assert!(
        video.packets.len() + 45 >= frames,
        "{} of {frames} frames",
        video.packets.len()
    );
    let status = out.output.status().recording.expect("it says what it recorded");
    assert!(status.bytes > 8_000_000, "{status:?}");
    out.output.stop_blocking();
    assert_eq!(out.state(), OutputState::Idle);
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a file");
    std::fs::write(&file, "in the way").expect("it can be written");
    let stage = Stage::start(Content::Card, Canvas::new(320, 180, 30).expect("a canvas"));
    let rendition = stage.rendition(500);
    let leg = Leg::Recording {
        folder: file.join("inside"),
        title: String::new(),
        container: Container::Mp4,
        file_stem: None,
        split_minutes: None,
    };
    let out = Watched::start(&stage, &rendition, leg);
    let error = out.wait_failed(5);
    assert_eq!(error.code, ErrorCode::FolderUnwritable, "{error:?}");
    assert!(error.params["path"].ends_with("inside"));
}

//! What viewers see when a file breaks under the player: the last frame, a slate, and the show again.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod studio;

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use protocol::{ErrorCode, SourceSettings, SourceState};
use studio::{Heard, Studio, frame_number};

/// A copy of the test clip that may be harmed. Half a minute of it, so that it does not end meanwhile.
fn copy() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let clip = testkit::test_clip().expect("the clip");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clip.mp4");
    let bytes = fs::read(clip).expect("the clip's bytes");
    fs::write(&path, &bytes).expect("copied");
    (folder, path, bytes)
}

fn file(path: &Path) -> SourceSettings {
    SourceSettings::File {
        path: path.to_str().expect("UTF-8").to_owned(),
        looping: true,
    }
}

/// Even over a whole row, dark: the slate's back.
fn is_slate(picture: &Heard) -> bool {
    picture.size() == (640, 360)
        && (0..16).all(|n| {
            let [y, u, v] = picture.yuv(f64::from(n) / 15.0, 0.05);
            y < 48 && u.abs_diff(128) < 8 && v.abs_diff(128) < 8
        })
}

fn waiting_with(studio: &Studio, code: ErrorCode) {
    studio.wait("waiting with its error", |status| {
        matches!(&status.state, SourceState::Waiting { error }
            if error.code == code && error.retry_after_ms.is_some())
    });
}

#[test]
fn a_file_cut_short_under_the_player_freezes_slates_and_returns() {
    let (_folder, path, bytes) = copy();
    let studio = Studio::start(file(&path));
    studio.wait_live();
    studio.wait_for("a second of it", || studio.pictures().len() > 30);
    let cut = OpenOptions::new().write(true).open(&path).expect("opened");
    cut.set_len(bytes.len() as u64 / 3).expect("cut");
    waiting_with(&studio, ErrorCode::MediaUnreadable);
    let lost_at = studio.clock.running_time().nseconds();
    let last = studio.pictures().pop().expect("pictures");
    assert!(!is_slate(&last), "the last frame stays first");
    let sound_ends = studio.sounds().last().expect("sound").pts;
    studio.wait_for("the slate", || studio.pictures().last().is_some_and(is_slate));
    let slate_at = studio.clock.running_time().nseconds();
    let after_ms = (slate_at - lost_at) / 1_000_000;
    assert!(
        (1500..4000).contains(&after_ms),
        "the slate came after {after_ms} ms"
    );
    assert!(
        studio
            .sounds()
            .last()
            .is_some_and(|s| s.pts < sound_ends + 200_000_000),
        "a source that is away is silent"
    );
    let letters = studio.pictures().pop().expect("the slate");
    let light = (0..200)
        .filter(|n| letters.yuv(0.2 + f64::from(*n) * 0.003, 0.5)[0] > 150)
        .count();
    assert!(light > 3, "its sentence stands in the middle");
    let statuses = studio.statuses.lock().expect("statuses").len();
    fs::write(&path, &bytes).expect("mended");
    studio.wait_live();
    studio.wait_for("the picture again", || {
        studio.pictures().last().is_some_and(|p| !is_slate(p))
    });
    let silence_until = studio.sounds().len();
    studio.wait_for("the sound again", || studio.sounds().len() > silence_until + 10);
    assert!(
        studio.statuses.lock().expect("statuses").len() > statuses,
        "the desk was told"
    );
    // It came back at the present, not by playing the lost time at full speed.
    let pictures = studio.pictures();
    let ahead = pictures.iter().rev().take(20).map(|p| p.pts as i64 - p.at as i64);
    assert!(
        ahead.clone().all(|ns| (-100_000_000..150_000_000).contains(&ns)),
        "{:?} ns",
        ahead.collect::<Vec<_>>()
    );
    let numbers: Vec<u64> = pictures.iter().map(|p| frame_number(p.pts)).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] > pair[0]),
        "time never went back"
    );
}

#[test]
fn a_deleted_file_plays_on_and_a_missing_one_is_waited_for() {
    let (_folder, path, bytes) = copy();
    let studio = Studio::start(file(&path));
    studio.wait_live();
    fs::remove_file(&path).expect("deleted");
    let end = studio.clock.running_time().nseconds() + 6_000_000_000;
    studio.wait_for("more than a turn without the file's name", || {
        studio.pictures().last().is_some_and(|picture| picture.pts > end)
    });
    assert_eq!(studio.source.status().state, SourceState::Live);
    drop(studio);
    let studio = Studio::start(file(&path));
    waiting_with(&studio, ErrorCode::FileMissing);
    let status = studio.source.status();
    assert!(
        matches!(status.state, SourceState::Waiting { error } if error.params["path"].ends_with("clip.mp4"))
    );
    studio.wait_for("the slate", || studio.pictures().last().is_some_and(is_slate));
    fs::write(&path, &bytes).expect("there again");
    studio.wait_live();
    studio.wait_for("its picture", || {
        studio.pictures().last().is_some_and(|p| !is_slate(p))
    });
}

#[test]
fn what_is_no_medium_fails_for_good_until_the_host_changes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mp4");
    fs::write(&path, b"not a medium at all, just words").expect("written");
    let studio = Studio::start(file(&path));
    studio.wait("failed", |status| {
        matches!(&status.state, SourceState::Failed { error }
            if error.code == ErrorCode::MediaUnreadable && error.retry_after_ms.is_none())
    });
    studio.wait_for("the slate", || studio.pictures().last().is_some_and(is_slate));
    let clip = testkit::test_clip().expect("the clip");
    studio
        .source
        .change(file(&clip))
        .expect("settings of the same kind");
    studio.wait_live();
    studio.wait_for("its picture", || {
        studio.pictures().last().is_some_and(|p| !is_slate(p))
    });
}

#[test]
fn a_still_changes_with_its_file_and_survives_its_deletion() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.svg");
    let svg = |colour: &str| {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9"><rect width="16" height="9" fill="{colour}"/></svg>"#
        )
    };
    fs::write(&path, svg("#ff0000")).expect("written");
    let studio = Studio::start(SourceSettings::Image {
        path: path.to_str().expect("UTF-8").to_owned(),
    });
    studio.wait_live();
    let red = |picture: &Heard| picture.yuv(0.5, 0.5)[2] > 200;
    studio.wait_for("red", || studio.pictures().last().is_some_and(red));
    fs::write(&path, svg("#0000ff ")).expect("changed");
    studio.wait_for("blue", || {
        studio.pictures().last().is_some_and(|p| p.yuv(0.5, 0.5)[1] > 200)
    });
    fs::remove_file(&path).expect("deleted");
    let count = studio.pictures().len();
    studio.wait_for("three more seconds", || studio.pictures().len() > count + 90);
    assert!(
        studio.pictures().last().is_some_and(|p| p.yuv(0.5, 0.5)[1] > 200),
        "it stays"
    );
    assert_eq!(studio.source.status().state, SourceState::Live);
}

#[test]
fn dropping_a_source_stops_it_at_once() {
    let clip = testkit::test_clip().expect("the clip");
    let studio = Studio::start(file(&clip));
    studio.wait_live();
    let before = std::time::Instant::now();
    drop(studio);
    assert!(
        before.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        before.elapsed()
    );
}

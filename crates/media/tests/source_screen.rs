//! The X11 screen and its windows as sources.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod studio;

use std::{collections::BTreeSet, process::Command, time::Duration};

use media::device::DeviceWatch;
use protocol::{DeviceKind, ErrorCode, SourceSettings, SourceState};
use studio::{Peers, Studio, alone, frame_number};

/// Different colours in the middle row, coarsely.
fn colours(studio: &Studio) -> usize {
    let picture = studio.pictures().pop().expect("a picture");
    let seen: BTreeSet<[u8; 3]> = (0..64)
        .map(|n| picture.yuv(f64::from(n) / 63.0, 0.3).map(|value| value / 32))
        .collect();
    seen.len()
}

#[test]
fn the_screen_is_listed_and_shown_at_the_canvas_rate() {
    let name = "the_screen_is_listed_and_shown_at_the_canvas_rate";
    if !alone(name, || Peers::screen(1280, 720, true)) {
        return;
    }
    media::init().expect("GStreamer is installed");
    let watch = DeviceWatch::start(|_| {});
    let screens: Vec<_> = watch
        .devices()
        .into_iter()
        .filter(|d| d.kind == DeviceKind::Screen)
        .collect();
    assert_eq!(screens.len(), 1, "{screens:?}");
    assert!(screens[0].default);
    assert_eq!(screens[0].frame.map(|f| (f.width, f.height)), Some((1280, 720)));
    let studio = Studio::start(SourceSettings::Screen {
        device: Some(screens[0].id.clone()),
        cursor: true,
    });
    studio.wait_live();
    studio.wait_for("two seconds of pictures", || studio.pictures().len() > 60);
    let pictures = studio.pictures();
    let last = pictures.last().expect("pictures");
    assert_eq!(
        (last.size(), last.format().as_str()),
        ((640, 360), "I420"),
        "capped to the canvas"
    );
    assert!(
        colours(&studio) >= 6,
        "bars have more than {} colours",
        colours(&studio)
    );
    let numbers: Vec<u64> = pictures.iter().map(|p| frame_number(p.pts)).collect();
    let span = numbers[numbers.len() - 1] - numbers[0] + 1;
    // All of them on an idle machine; a busy one may lose some, never the most.
    assert!(
        numbers.len() as u64 * 3 >= span * 2,
        "{} pictures in {span} frames of time",
        numbers.len()
    );
}

#[test]
fn a_window_that_is_closed_ends_its_picture_and_nothing_else() {
    let name = "a_window_that_is_closed_ends_its_picture_and_nothing_else";
    if !alone(name, || Peers::screen(800, 600, false)) {
        return;
    }
    media::init().expect("GStreamer is installed");
    let mut client = Command::new("gst-launch-1.0")
        .args([
            "-q",
            "videotestsrc",
            "is-live=true",
            "!",
            "video/x-raw,width=400,height=300",
            "!",
        ])
        .args(["videoconvert", "!", "ximagesink"])
        .spawn()
        .expect("a window");
    let watch = DeviceWatch::start(|_| {});
    let window = testkit::wait_for("the window in the list", Duration::from_secs(15), || {
        watch
            .devices()
            .into_iter()
            .find(|device| device.kind == DeviceKind::Window)
    })
    .expect("listed");
    assert_eq!(window.frame.map(|f| (f.width, f.height)), Some((400, 300)));
    let studio = Studio::start(SourceSettings::Window {
        device: window.id.clone(),
        cursor: false,
    });
    studio.wait_live();
    studio.wait_for("the window's picture", || {
        studio.pictures().len() > 10 && colours(&studio) >= 6
    });
    assert_eq!(studio.pictures().pop().expect("pictures").size(), (400, 300));
    client.kill().expect("closed");
    client.wait().expect("gone");
    studio.wait("the window missed", |status| {
        matches!(&status.state, SourceState::Waiting { error } if error.code == ErrorCode::DeviceMissing)
    });
    studio.wait_for("the slate", || {
        studio
            .pictures()
            .pop()
            .is_some_and(|picture| picture.size() == (640, 360))
    });
}

//! What a Wayland session shares, through the system's own dialog and a real PipeWire.
#![cfg(target_os = "linux")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod studio;

use media::device::DeviceWatch;
use protocol::{DeviceId, DeviceKind, ErrorCode, SourceSettings, SourceState};
use studio::{Peers, Studio, alone, frame_number};
use testkit::{Answer, ScreenCastPortal};

/// The stand-in portal on the bus of this process.
fn portal(answer: Answer) -> ScreenCastPortal {
    ScreenCastPortal::serve(&[], answer).unwrap()
}

fn screen(cursor: bool) -> SourceSettings {
    SourceSettings::Screen {
        device: Some(DeviceId::asking("screen")),
        cursor,
    }
}

fn failed_with(code: ErrorCode) -> impl Fn(&protocol::SourceStatus) -> bool {
    move |status| matches!(&status.state, SourceState::Failed { error } if error.code == code)
}

/// The newest picture is of this colour all over.
fn shows(studio: &Studio, colour: &str) -> bool {
    let Some(picture) = studio.pictures().pop() else {
        return false;
    };
    [(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)].into_iter().all(|(x, y)| {
        let [_, u, v] = picture.yuv(x, y);
        match colour {
            "red" => v > 200 && u < 128,
            "blue" => u > 200 && v < 128,
            _ => u.abs_diff(128) < 20 && v.abs_diff(128) < 60,
        }
    })
}

#[test]
fn what_the_person_shares_is_shown_until_the_system_ends_it() {
    let name = "what_the_person_shares_is_shown_until_the_system_ends_it";
    if !alone(name, Peers::desktop) {
        return;
    }
    media::init().expect("GStreamer is installed");
    let portal = portal(Answer::Share("red"));
    let offered: Vec<_> = DeviceWatch::start(|_| {})
        .devices()
        .into_iter()
        .filter(|device| matches!(device.kind, DeviceKind::Screen | DeviceKind::Window))
        .map(|device| (device.kind, device.id))
        .collect();
    assert_eq!(
        offered,
        [
            (DeviceKind::Screen, DeviceId::asking("screen")),
            (DeviceKind::Window, DeviceId::asking("window"))
        ],
        "one entry for all that the dialog offers"
    );

    let studio = Studio::start(screen(true));
    studio.wait_live();
    studio.wait_for("the shared picture", || shows(&studio, "red"));
    studio.wait_for("a second of pictures", || studio.pictures().len() > 30);
    let pictures = studio.pictures();
    let last = pictures.last().unwrap();
    assert_eq!((last.size(), last.format().as_str()), ((640, 360), "I420"));
    for picture in &pictures[pictures.len() - 20..] {
        frame_number(picture.pts);
        assert!(
            picture.pts.abs_diff(picture.at) < 300_000_000,
            "a picture of {} ns arrived at {} ns",
            picture.pts,
            picture.at
        );
    }
    let asked = portal.questions();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].dialog && asked[0].restore_token.is_none());
    assert_eq!(
        (asked[0].types, asked[0].cursor_mode, asked[0].persist_mode),
        (3, Some(2), Some(2)),
        "screens and windows, with the pointer, until revoked"
    );

    portal.end_sharing().unwrap();
    studio.wait("the end is told", failed_with(ErrorCode::CaptureEnded));
    studio.wait_for("the slate", || shows(&studio, "slate"));
    assert_eq!(portal.questions().len(), 1, "nobody is asked again by itself");

    studio.source.retry();
    studio.wait_live();
    studio.wait_for("the picture again", || shows(&studio, "red"));
    let asked = portal.questions();
    assert_eq!(asked.len(), 2);
    assert!(!asked[1].dialog, "the token brings it back");
    assert_eq!(asked[1].restore_token.as_deref(), Some("token-1"));

    studio.source.change(screen(false)).unwrap();
    studio.wait_for("the pointer hidden", || portal.questions().len() == 3);
    studio.wait_live();
    let asked = portal.questions();
    assert!(!asked[2].dialog && asked[2].cursor_mode == Some(1), "{asked:?}");

    portal.answer(Answer::Share("blue"));
    studio
        .source
        .change(SourceSettings::Screen {
            device: Some(DeviceId::try_from("portal:screen:2").unwrap()),
            cursor: true,
        })
        .unwrap();
    studio.wait_for("another choice", || shows(&studio, "blue"));
    assert!(portal.questions()[3].dialog, "another id asks anew");
    assert_eq!(portal.sessions(), 1, "earlier ones were closed");
    drop(studio);
    assert_eq!(portal.sessions(), 0, "the system's sign goes with the source");
}

#[test]
fn a_portal_that_dies_ends_what_it_shared() {
    let name = "a_portal_that_dies_ends_what_it_shared";
    if !alone(name, Peers::desktop) {
        return;
    }
    let portal = portal(Answer::Share("red"));
    let studio = Studio::start(SourceSettings::Window {
        device: DeviceId::asking("window"),
        cursor: false,
    });
    studio.wait_live();
    assert_eq!(portal.questions()[0].types, 2, "windows alone");
    drop(portal);
    studio.wait("the end is told", failed_with(ErrorCode::CaptureEnded));
    studio.wait_for("the slate", || shows(&studio, "slate"));
}

#[test]
fn a_dialog_that_is_cancelled_or_stands_harms_nobody() {
    let name = "a_dialog_that_is_cancelled_or_stands_harms_nobody";
    if !alone(name, Peers::desktop) {
        return;
    }
    let portal = portal(Answer::Cancel);
    let studio = Studio::start(screen(true));
    studio.wait("the cancel is told", failed_with(ErrorCode::CaptureCancelled));
    studio.wait_for("the slate", || shows(&studio, "slate"));
    assert_eq!(portal.questions().len(), 1, "nobody is asked again by itself");

    portal.answer(Answer::Wait);
    studio.source.retry();
    studio.wait_for("the dialog again", || portal.questions().len() == 2);
    assert_eq!(portal.sessions(), 1);
    // The host gives the standing dialog up for another choice.
    portal.answer(Answer::Share("red"));
    studio.source.change(screen(false)).unwrap();
    studio.wait_live();
    studio.wait_for("the shared picture", || shows(&studio, "red"));
    assert_eq!(portal.sessions(), 1, "the dialog that stood is gone");

    portal.answer(Answer::Wait);
    let waiting = Studio::start(screen(true));
    waiting.wait_for("another dialog", || portal.questions().len() == 4);
    drop(waiting);
    assert_eq!(
        portal.sessions(),
        1,
        "a source that goes takes its dialog with it"
    );
}

#[test]
fn without_a_portal_its_package_is_named() {
    let name = "without_a_portal_its_package_is_named";
    if !alone(name, Peers::desktop) {
        return;
    }
    let studio = Studio::start(screen(true));
    studio.wait("the portal missed", failed_with(ErrorCode::CaptureUnavailable));
    let SourceState::Failed { error } = studio.source.status().state else {
        panic!("it failed");
    };
    assert_eq!(error.params["missing"], "xdg-desktop-portal");
}

//! A screen that a Wayland desktop shares with the studio.
#![cfg(target_os = "linux")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;

use common::Engine;
use protocol::{DeviceId, SourceId, SourceSettings, SourceState};
use testkit::{Answer, Desktop, ScreenCastPortal};

fn until_live(desk: &mut common::Desk, source: &SourceId) {
    desk.until("the screen is shown", |state| {
        state
            .source_status
            .iter()
            .any(|status| status.id == *source && status.state == SourceState::Live)
    });
}

#[test]
fn a_shared_screen_comes_back_after_a_crash_without_asking() {
    let _alone = common::alone();
    let data = tempfile::tempdir().unwrap();
    let desktop = Desktop::start().unwrap();
    let portal = ScreenCastPortal::serve(&desktop.variables(), Answer::Share("red")).unwrap();
    let start = || Engine::start_by(common::command(data.path(), &[]).envs(desktop.variables()));

    let mut engine = start();
    let mut desk = engine.desk();
    let device = DeviceId::asking("screen");
    desk.until("the dialog is offered", |state| {
        state.devices.iter().any(|known| known.id == device)
    });
    let source = desk.add(
        "Screen",
        SourceSettings::Screen {
            device: Some(device),
            cursor: true,
        },
    );
    until_live(&mut desk, &source);
    assert!(portal.questions()[0].dialog, "the first time a person is asked");
    let token = "token-1";
    let shown = serde_json::to_string(&desk.state).unwrap() + &engine.process.output();
    assert!(!shown.contains(token), "what allows it is nobody else's to read");
    engine.process.kill();

    // Nobody is at the dialog now.
    portal.answer(Answer::Wait);
    let engine = start();
    let mut desk = engine.desk();
    until_live(&mut desk, &source);
    let asked = portal.questions();
    assert_eq!(asked.len(), 2);
    assert!(!asked[1].dialog, "{asked:?}");
    assert_eq!(asked[1].restore_token.as_deref(), Some(token));
}

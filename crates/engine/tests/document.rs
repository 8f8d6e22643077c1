//! Scenes and settings survive what may happen to an engine.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;

use common::{Engine, command};
use protocol::{Command, ErrorCode, Placement, SceneDraft, SourceSettings};
use testkit::Process;

#[test]
fn scenes_survive_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.done(Command::AddScene {
        draft: SceneDraft {
            name: "Encore".into(),
        },
    });
    desk.add("Bars", SourceSettings::TestCard { tone_hz: 0 });
    let (scene, item) = (desk.scene(), desk.state.scenes[0].items[0].id.clone());
    let placement = Placement {
        x: 0.25,
        y: 0.5,
        width: 0.5,
        height: 0.25,
        rotation: 30.0,
        ..Placement::default()
    };
    desk.done(Command::PlaceItem {
        scene,
        item,
        placement,
        gesture: Some(1),
    });
    let before = desk.state.clone();
    engine.process.kill();
    let engine = Engine::start(data.path());
    let after = engine.desk().state;
    assert_eq!(after.scenes, before.scenes);
    assert_eq!(after.sources, before.sources);
    assert_eq!(after.settings, before.settings);
    assert_eq!(after.destinations, before.destinations);
}

#[test]
fn undo_takes_a_whole_drag_back() {
    let data = tempfile::tempdir().unwrap();
    let engine = Engine::start(data.path());
    let mut desk = engine.desk();
    desk.add("Bars", SourceSettings::TestCard { tone_hz: 0 });
    let (scene, item) = (desk.scene(), desk.state.scenes[0].items[0].id.clone());
    for n in 0..20 {
        let placement = Placement {
            x: n as f32 / 100.0,
            ..Placement::default()
        };
        desk.done(Command::PlaceItem {
            scene: scene.clone(),
            item: item.clone(),
            placement,
            gesture: Some(7),
        });
    }
    desk.done(Command::Undo);
    assert_eq!(desk.state.scenes[0].items[0].placement, Placement::default());
    desk.done(Command::Redo);
    assert_eq!(desk.state.scenes[0].items[0].placement.x, 0.19);
}

#[test]
fn a_second_engine_on_the_same_folder_says_so() {
    let data = tempfile::tempdir().unwrap();
    let _first = Engine::start(data.path());
    let mut second = Process::start(&mut command(data.path(), &[])).unwrap();
    let status = second.wait_exit(common::PATIENCE).unwrap();
    assert_eq!(
        status.code(),
        Some(i32::from(ErrorCode::DataFolderTaken.exit_code()))
    );
    assert!(
        second.output().contains(&data.path().display().to_string()),
        "{}",
        second.output()
    );
}

#[test]
fn a_taken_port_says_so_and_leaves_nothing_running() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Engine::start(first.path());
    let listen = engine.address.trim_start_matches("http://").to_owned();
    let mut other = Process::start(&mut command(second.path(), &["--listen", &listen])).unwrap();
    let status = other.wait_exit(common::PATIENCE).unwrap();
    assert_eq!(status.code(), Some(i32::from(ErrorCode::PortTaken.exit_code())));
    assert!(other.output().contains(&listen), "{}", other.output());
    Engine::start(second.path());
}

/// Names in the data folder that begin with `rooms`.
fn rooms_files(data: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(data).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("rooms")).collect()
}

#[test]
fn a_damaged_chat_is_kept_aside_and_the_show_goes_on() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("rooms.db"), "no database at all. ".repeat(400)).unwrap();
    let engine = Engine::start(data.path());
    let desk = engine.desk();
    assert!(!desk.state.streamcore.watch_urls.is_empty(), "rooms are there");
    let files = rooms_files(data.path());
    let aside = files.iter().find(|name| name.starts_with("rooms-damaged-"));
    let aside = aside.unwrap_or_else(|| panic!("the damaged one is kept: {files:?}"));
    let kept = std::fs::read_to_string(data.path().join(aside)).unwrap();
    assert!(kept.starts_with("no database at all"), "as it was");
}

#[test]
fn a_chat_that_cannot_be_opened_stays_where_it_is() {
    let data = tempfile::tempdir().unwrap();
    std::fs::create_dir(data.path().join("rooms.db")).unwrap();
    let engine = Engine::start(data.path());
    let desk = engine.desk();
    assert!(!desk.state.streamcore.watch_urls.is_empty(), "rooms are there");
    assert_eq!(rooms_files(data.path()), ["rooms.db"], "nothing was moved");
}

#[test]
fn a_clean_stop_removes_the_announcement() {
    let data = tempfile::tempdir().unwrap();
    let mut engine = Engine::start(data.path());
    assert!(data.path().join("engine.json").exists());
    engine.process.terminate().unwrap();
    assert!(engine.process.wait_exit(common::PATIENCE).unwrap().success());
    assert!(!data.path().join("engine.json").exists());
}

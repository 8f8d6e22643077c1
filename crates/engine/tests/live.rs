//! `studio-engine live` and the other tasks of the command line.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod common;

use std::process::Command;

use common::PATIENCE;
use protocol::ErrorCode;
use testkit::probe::probe;
use testkit::{NginxRtmp, Process};

fn engine(arguments: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_studio-engine"));
    command
        .args(arguments)
        .env("LANG", "C.UTF-8")
        .env_remove("DISPLAY");
    Process::start(&mut command).unwrap()
}

#[test]
fn a_show_from_the_command_line() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let nginx = NginxRtmp::start().unwrap();
    let file = folder.path().join("show.mp4");
    let clip = testkit::test_clip().unwrap();
    let mut live = engine(&[
        "live",
        "--source",
        &format!("file:{}", clip.display()),
        "--source",
        "test",
        "--to",
        &nginx.url("cli"),
        "--to",
        "streamcore",
        "--streamcore-http",
        "127.0.0.1:0",
        "--streamcore-media",
        "127.0.0.1:0",
        "--record",
        file.to_str().unwrap(),
        "--size",
        "1280x720",
        "--fps",
        "30",
        "--video-bitrate",
        "3000",
        "--duration",
        "4s",
        "--stats",
        "json",
    ]);
    let status = live.wait_exit(PATIENCE).unwrap();
    assert!(status.success(), "{}", live.output());
    let lines: Vec<serde_json::Value> = live
        .stdout_lines()
        .iter()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    let totals = lines.last().unwrap();
    assert_eq!(totals["totals"], true);
    assert!(
        lines[..lines.len() - 1].iter().all(|l| l["totals"] == false),
        "only the last one has totals"
    );
    assert_eq!(totals["outputs"].as_array().unwrap().len(), 3);
    assert!(probe(&file).unwrap().video().unwrap().packets.len() >= 100);
    probe(&nginx.finished_recording("cli", PATIENCE).unwrap())
        .unwrap()
        .video()
        .unwrap();
    let text = live.output();
    assert!(!text.contains("/live/cli"), "the key is not printed: {text}");
}

#[test]
fn errors_name_the_thing_and_have_their_code() {
    let cases: [(&[&str], ErrorCode, &str); 6] = [
        (
            &["live", "--source", "file:/nowhere.mp4", "--to", "streamcore"],
            ErrorCode::FileMissing,
            "/nowhere.mp4",
        ),
        (
            &["live", "--source", "test", "--to", "http://x/y"],
            ErrorCode::UrlInvalid,
            "http://x",
        ),
        (
            &["live", "--source", "laser", "--to", "streamcore"],
            ErrorCode::BadValue,
            "laser",
        ),
        (&["live", "--source", "test"], ErrorCode::NoDestination, ""),
        (
            &[
                "live",
                "--source",
                "test",
                "--to",
                "streamcore",
                "--size",
                "1281x720",
            ],
            ErrorCode::BadValue,
            "1281",
        ),
        (
            &[
                "live",
                "--source",
                "test",
                "--to",
                "rtmp://127.0.0.1/live",
                "--stream-key",
                "env:NOT_SET_ANYWHERE",
            ],
            ErrorCode::KeyMissing,
            "NOT_SET_ANYWHERE",
        ),
    ];
    for (arguments, code, named) in cases {
        let mut process = engine(arguments);
        let status = process.wait_exit(PATIENCE).unwrap();
        let output = process.output();
        assert_eq!(
            status.code(),
            Some(i32::from(code.exit_code())),
            "{arguments:?}: {output}"
        );
        assert!(output.contains(named), "{arguments:?} names {named:?}: {output}");
    }
}

#[test]
fn a_refused_key_ends_with_its_code() {
    let _alone = common::alone();
    let nginx = NginxRtmp::start().unwrap();
    nginx.refuse_keys();
    let url = nginx.url("canary-key");
    let mut live = engine(&["live", "--source", "test", "--to", &url, "--duration", "20s"]);
    let status = live.wait_exit(PATIENCE).unwrap();
    assert_eq!(
        status.code(),
        Some(i32::from(ErrorCode::KeyRefused.exit_code())),
        "{}",
        live.output()
    );
    assert!(!live.output().contains("canary-key"), "{}", live.output());
}

#[test]
fn ctrl_c_ends_cleanly() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.mp4");
    let mut live = engine(&[
        "live",
        "--source",
        "test",
        "--record",
        file.to_str().unwrap(),
        "--stats",
        "json",
    ]);
    live.wait_for_line(PATIENCE, |line| line.contains("\"live\":true"))
        .unwrap();
    live.interrupt().unwrap();
    let status = live.wait_exit(PATIENCE).unwrap();
    assert!(status.success(), "{}", live.output());
    let seen = probe(&file).unwrap();
    assert!(seen.video().is_ok(), "the recording was closed");
}

#[test]
fn doctor_and_devices_tell_machines_too() {
    let mut doctor = engine(&["doctor", "--json"]);
    let status = doctor.wait_exit(PATIENCE).unwrap();
    let text = doctor.stdout_lines().join("\n");
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["able"], status.success(), "{text}");
    assert!(status.success(), "this machine is set up for tests: {text}");
    let mut devices = engine(&["devices", "--json"]);
    assert!(devices.wait_exit(PATIENCE).unwrap().success());
    let found: serde_json::Value = serde_json::from_str(&devices.stdout_lines().join("\n")).unwrap();
    let encoders = found["encoders"].as_array().unwrap();
    assert!(encoders.iter().any(|e| e["id"] == "x264enc"), "{encoders:?}");
}

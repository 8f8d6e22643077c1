//! An engine that is killed while it saves loses nothing that it had saved.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of a test fails like the test"
)]

mod sample;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use store::{Store, StoreError};

const FOLDER: &str = "STORE_TEST_FOLDER";

#[tokio::test]
async fn a_kill_in_the_middle_of_saving_leaves_the_last_document_whole() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return save_for_ever(folder.as_ref()).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut floor = 0;
    for round in 0..5 {
        let mut engine = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "--nocapture",
                "a_kill_in_the_middle_of_saving_leaves_the_last_document_whole",
            ])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(engine.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut saved = floor;
        // Another number of saves each round, so that the kill meets another moment.
        for line in lines
            .by_ref()
            .filter_map(|line| line.strip_prefix("saved ")?.parse::<u32>().ok())
        {
            saved = line;
            if saved >= floor + 20 + 7 * round {
                break;
            }
        }
        assert!(
            matches!(Store::open(folder.path()).await, Err(StoreError::Taken { pid, .. }) if pid == Some(engine.id())),
            "the engine holds its folder while it lives"
        );
        engine.kill().unwrap();
        engine.wait().unwrap();
        // What it still managed to say before it died.
        for line in lines.filter_map(|line| line.strip_prefix("saved ")?.parse::<u32>().ok()) {
            saved = line;
        }

        let store = Store::open(folder.path())
            .await
            .expect("a dead engine's lock is no obstacle");
        assert_eq!(store.moved_aside(), None, "nothing is damaged");
        let document = store.load().await.expect("something was saved");
        let number: u32 = document
            .show_title
            .trim_start_matches("Nocturne ")
            .parse()
            .unwrap();
        assert!(
            number >= saved,
            "number {saved} was saved, number {number} came back"
        );
        assert_eq!(document, sample::document(number), "of one save, all of it");
        store.close().await;
        floor = number;
    }
}

async fn save_for_ever(folder: &std::path::Path) {
    let store = Store::open(folder).await.unwrap();
    let last = store.load().await.map(|document| document.show_title);
    let first: u32 = last.map_or(0, |title| {
        title.trim_start_matches("Nocturne ").parse::<u32>().unwrap() + 1
    });
    for number in first.. {
        store.save(&sample::document(number)).await.unwrap();
        println!("saved {number}");
    }
}

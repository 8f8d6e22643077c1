//! What is saved comes back, whole, and only from one engine at a time.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod sample;

use protocol::{DestinationId, SceneId};
use store::{ShowEnding, Store, StoreError};

async fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path()).await.expect("the folder can be used")
}

#[tokio::test]
async fn a_fresh_database_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    assert_eq!(store.load().await, None);
    assert_eq!(store.show_on_air().await.unwrap(), None);
    assert_eq!(store.moved_aside(), None);
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_saved() {
    let folder = tempfile::tempdir().unwrap();
    for change in 0..7 {
        let mut document = sample::document(change);
        let store = open(&folder).await;
        document.program.fading = true;
        store.save(&document).await.unwrap();
        document.program.fading = false;
        assert_eq!(
            store.load().await.as_ref(),
            Some(&document),
            "change {change}, in memory"
        );
        store.close().await;
        let store = open(&folder).await;
        assert_eq!(
            store.load().await,
            Some(document),
            "change {change}, after opening again"
        );
        store.close().await;
    }
}

#[tokio::test]
async fn what_was_removed_or_moved_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut document = sample::document(1);
    store.save(&document).await.unwrap();

    document.sources.remove(3);
    for scene in &mut document.scenes {
        scene.items.retain(|item| item.source.as_str() != "source-3");
        scene.items.reverse();
    }
    document.scenes.remove(1);
    document.scenes.swap(0, 1);
    document.program.preview = "scene-2".try_into().unwrap();
    document.destinations.remove(0);
    store.save(&document).await.unwrap();
    store.close().await;
    assert_eq!(open(&folder).await.load().await, Some(document));
}

#[tokio::test]
async fn a_document_that_does_not_fit_together_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let good = sample::document(2);
    store.save(&good).await.unwrap();

    let mut bad = sample::document(3);
    bad.program.program = SceneId::try_from("nowhere").unwrap();
    assert!(
        matches!(store.save(&bad).await, Err(StoreError::Database { .. })),
        "no such scene"
    );
    let mut bad = sample::document(3);
    bad.sources.clear();
    assert!(
        matches!(store.save(&bad).await, Err(StoreError::Database { .. })),
        "items without source"
    );
    store.close().await;
    assert_eq!(
        open(&folder).await.load().await,
        Some(good),
        "all of the first, none of the others"
    );
}

#[tokio::test]
async fn a_second_engine_is_told_who_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder).await;
    match Store::open(folder.path()).await {
        Err(StoreError::Taken { path, pid }) => {
            assert_eq!(path, folder.path());
            assert_eq!(pid, Some(std::process::id()));
        }
        other => panic!("the folder is taken, but: {other:?}"),
    }
    first.close().await;
    open(&folder).await;
}

#[tokio::test]
async fn a_damaged_database_is_kept_beside_a_fresh_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("studio.db");
    let whole = {
        let store = open(&folder).await;
        store.save(&sample::document(1)).await.unwrap();
        store.close().await;
        std::fs::read(&path).unwrap()
    };
    let mut torn = whole.clone();
    torn[5000..9000].fill(0xa5);
    let cut = whole[..whole.len() / 2].to_vec();
    for damaged in [
        b"this is no database, but long enough to look at".to_vec(),
        torn,
        cut,
    ] {
        std::fs::write(&path, &damaged).unwrap();
        let store = open(&folder).await;
        let aside = store.moved_aside().expect("the damage is reported").clone();
        assert!(!aside.detail.is_empty());
        assert_eq!(
            std::fs::read(&aside.path).unwrap().len(),
            damaged.len(),
            "nothing is deleted"
        );
        assert_eq!(store.load().await, None);
        store.save(&sample::document(4)).await.unwrap();
        store.close().await;
        assert_eq!(open(&folder).await.load().await, Some(sample::document(4)));
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.save(&sample::document(1)).await.unwrap();
    store.close().await;
    let path = folder.path().join("studio.db");
    let pool = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        Store::open(folder.path()).await,
        Err(StoreError::Newer { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_show_on_air_is_found_again_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let ids: Vec<DestinationId> = ["a", "b", "c"]
        .into_iter()
        .map(|id| id.try_into().unwrap())
        .collect();
    let show = store.show_began("Nocturne", 1_000, &ids[..2]).await.unwrap();
    assert!(
        store.show_began("Another", 1_001, &[]).await.is_err(),
        "one show at a time"
    );
    store.show_live(show, 1_500).await.unwrap();
    store.show_live(show, 9_999).await.unwrap();
    store.output_on_air(show, &ids[0], false).await.unwrap();
    store.output_on_air(show, &ids[2], true).await.unwrap();
    let file = folder.path().join("a 1.mp4");
    let first = store
        .recording_began(show, &ids[1], &file, 1, 1_500)
        .await
        .unwrap();
    store.recording_ended(first, 2_000, true).await.unwrap();
    store
        .recording_began(show, &ids[1], &file, 2, 2_000)
        .await
        .unwrap();
    store.close().await;

    let store = open(&folder).await;
    let found = store.show_on_air().await.unwrap().expect("it has not ended");
    assert_eq!((found.id, found.title.as_str()), (show, "Nocturne"));
    assert_eq!(
        (found.started_ms, found.live_ms),
        (1_000, Some(1_500)),
        "live since the first time"
    );
    assert_eq!(found.outputs, ids[1..], "a left, c joined");
    let parts: Vec<_> = found
        .recordings
        .iter()
        .map(|r| (r.part, r.finalised, &r.path))
        .collect();
    assert_eq!(parts, [(1, true, &file), (2, false, &file)]);

    store.show_ended(show, 3_000, ShowEnding::Lost).await.unwrap();
    assert_eq!(store.show_on_air().await.unwrap(), None);
    store
        .show_began("Another", 4_000, &[])
        .await
        .expect("the first one is over");
}

#[tokio::test]
async fn a_file_that_nobody_closed_is_found_until_it_is_dealt_with() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let disk: DestinationId = "disk".try_into().unwrap();
    let show = store
        .show_began("Nocturne", 1_000, std::slice::from_ref(&disk))
        .await
        .unwrap();
    let mut files = Vec::new();
    for part in 1..=4 {
        let path = folder.path().join(format!("{part}.mp4"));
        files.push(
            store
                .recording_began(show, &disk, &path, part, 1_000)
                .await
                .unwrap(),
        );
    }
    store.recording_ended(files[0], 2_000, true).await.unwrap();
    store.close().await;

    let store = open(&folder).await;
    store.show_ended(show, 3_000, ShowEnding::Lost).await.unwrap();
    let parts = |found: Vec<store::Recording>| found.iter().map(|r| r.part).collect::<Vec<_>>();
    assert_eq!(
        parts(store.recordings_cut_short().await.unwrap()),
        [2, 3, 4],
        "also of a show that is over"
    );
    store.recording_ended(files[1], 4_000, true).await.unwrap();
    store.recording_ended(files[2], 4_000, false).await.unwrap();
    assert_eq!(
        parts(store.recordings_cut_short().await.unwrap()),
        [4],
        "one that is plain is done with, and so is one that never will be"
    );
}

#[tokio::test]
async fn a_grant_lives_as_long_as_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut document = sample::document(1);
    store.save(&document).await.unwrap();
    let source = document.sources[0].id.clone();
    let device: protocol::DeviceId = "portal:screen:2".try_into().unwrap();
    let stranger = protocol::SourceId::try_from("stranger").unwrap();
    for (source, device, token) in [
        (&source, None, Some("first")),
        (&source, None, Some("second")),
        (&source, Some(&device), Some("third")),
        (&stranger, None, Some("nobody's")),
    ] {
        store.keep_grant(source, device, token).await.unwrap();
    }
    store.close().await;

    let store = open(&folder).await;
    let tokens = |grants: Vec<store::Grant>| {
        let mut tokens: Vec<_> = grants
            .into_iter()
            .map(|grant| (grant.device, grant.token))
            .collect();
        tokens.sort();
        tokens
    };
    assert_eq!(
        tokens(store.grants().await.unwrap()),
        [
            (None, "second".to_owned()),
            (Some(device.clone()), "third".to_owned())
        ]
    );
    store.keep_grant(&source, None, None).await.unwrap();
    assert_eq!(tokens(store.grants().await.unwrap()).len(), 1, "used up");
    document
        .scenes
        .iter_mut()
        .for_each(|scene| scene.items.retain(|item| item.source != source));
    document.sources.retain(|known| known.id != source);
    store.save(&document).await.unwrap();
    assert_eq!(store.grants().await.unwrap(), [], "gone with its source");
}

#[tokio::test]
async fn a_drag_is_saved_as_fast_as_it_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut document = sample::document(1);
    store.save(&document).await.unwrap();
    let begun = std::time::Instant::now();
    for step in 0..300u16 {
        document.scenes[0].items[2].placement.x = f32::from(step) / 300.0;
        store.save(&document).await.unwrap();
    }
    let each = begun.elapsed() / 300;
    println!("one step of a drag takes {each:?} to save");
    assert!(
        each < std::time::Duration::from_millis(33),
        "a drag gives 30 changes a second; one took {each:?}"
    );
}

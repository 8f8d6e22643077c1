//! Secrets come back from the real keyring, or from the encrypted file, and stand nowhere in the clear.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::path::Path;
use std::process::{Command, Stdio};

use protocol::DestinationId;
use secrecy::{ExposeSecret, SecretString};
use store::{SecretVault, Store, VaultKind};

const FOLDER: &str = "STORE_TEST_FOLDER";
const CANARY: &str = "canary-7f3a-live_key";

/// Runs a test of this file again, alone, inside the given program and with a data folder of its own.
fn again(test: &str, folder: &Path, shell: &str) {
    let status = Command::new("dbus-run-session")
        .args(["--", "sh", "-ec", shell, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(FOLDER, folder)
        // The keyring's own files and socket go here too, never into the tester's.
        .env("XDG_DATA_HOME", folder.join("keyring"))
        .env("XDG_RUNTIME_DIR", folder)
        .env_remove("GNOME_KEYRING_CONTROL")
        .stdin(Stdio::null())
        .status()
        .expect("dbus-run-session is installed");
    assert!(status.success(), "{test} inside its session: {status}");
}

const UNLOCKED: &str =
    r#"printf '\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null; exec "$@""#;

fn id(text: &str) -> DestinationId {
    text.try_into().unwrap()
}

async fn sets_gets_and_forgets(vault: &SecretVault) {
    let server = id("server");
    assert!(
        vault.get(&server).await.unwrap().is_none(),
        "nothing is there yet"
    );
    vault.set(&server, "first".to_owned().into()).await.unwrap();
    vault.set(&server, CANARY.to_owned().into()).await.unwrap();
    let secret: SecretString = vault.get(&server).await.unwrap().expect("it was set");
    assert_eq!(secret.expose_secret(), CANARY);
    vault.set(&id("other"), "é 🔑".to_owned().into()).await.unwrap();
    vault.delete(&id("other")).await.unwrap();
    vault.delete(&id("other")).await.unwrap();
    assert!(
        vault.get(&id("other")).await.unwrap().is_none(),
        "it was forgotten"
    );
    assert!(
        !format!("{vault:?} {secret:?}").contains(CANARY),
        "Debug keeps quiet"
    );
}

/// Looks for the canary in every file below a folder.
fn canaries_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(canaries_below(&path));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            if bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes())
            {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test]
async fn the_keyring_keeps_secrets_where_there_is_one() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let vault = SecretVault::open(folder.as_ref()).await.unwrap();
        assert_eq!(vault.fallback_reason(), None);
        assert_eq!(vault.kind(), VaultKind::Keyring);
        sets_gets_and_forgets(&vault).await;
        let later = SecretVault::open(folder.as_ref()).await.unwrap();
        assert!(
            later.get(&id("server")).await.unwrap().is_some(),
            "a later start finds it"
        );
        assert!(
            !Path::new(&folder).join("secrets.sealed").exists(),
            "no file beside the keyring"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    again(
        "the_keyring_keeps_secrets_where_there_is_one",
        folder.path(),
        UNLOCKED,
    );
}

#[tokio::test]
async fn an_encrypted_file_keeps_secrets_where_there_is_no_keyring() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let store = Store::open(folder).await.unwrap();
        let vault = SecretVault::open(folder).await.unwrap();
        assert_eq!(vault.kind(), VaultKind::File);
        assert!(
            vault.fallback_reason().is_some_and(|reason| !reason.is_empty()),
            "the desk can say why"
        );
        sets_gets_and_forgets(&vault).await;
        let later = SecretVault::open(folder).await.unwrap();
        assert!(
            later.get(&id("server")).await.unwrap().is_some(),
            "a later start finds it"
        );
        store.close().await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A session bus on which nobody offers secrets: its services folder is empty.
    let bare = folder.path().join("bare.conf");
    std::fs::write(
        &bare,
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
           "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
           <busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>
           <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>"#,
    )
    .unwrap();
    let shell = format!(
        r#"exec dbus-run-session --config-file='{}' -- "$@""#,
        bare.display()
    );
    again(
        "an_encrypted_file_keeps_secrets_where_there_is_no_keyring",
        folder.path(),
        &shell,
    );

    assert_eq!(
        canaries_below(folder.path()),
        Vec::<std::path::PathBuf>::new(),
        "no secret in the clear"
    );
    for file in ["secrets.sealed", "secrets.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file} is its owner's alone");
    }
}

#[tokio::test]
async fn secrets_move_into_the_keyring_once_there_is_one() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let vault = SecretVault::open(folder).await.unwrap();
        if std::env::var_os("STORE_TEST_NO_KEYRING").is_some() {
            assert_eq!(vault.kind(), VaultKind::File);
            return vault.set(&id("server"), CANARY.to_owned().into()).await.unwrap();
        }
        assert_eq!(vault.kind(), VaultKind::Keyring);
        let secret = vault.get(&id("server")).await.unwrap().expect("it moved");
        assert_eq!(secret.expose_secret(), CANARY);
        assert!(!folder.join("secrets.sealed").exists(), "the file is gone");
        assert!(!folder.join("secrets.key").exists(), "and its key");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "secrets_move_into_the_keyring_once_there_is_one";
    let nobody = r#"DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere STORE_TEST_NO_KEYRING=1 exec "$@""#;
    again(name, folder.path(), nobody);
    assert!(folder.path().join("secrets.sealed").exists());
    again(name, folder.path(), UNLOCKED);
}

#[tokio::test]
async fn a_keyring_that_never_answers_does_not_hold_up_the_start() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let begun = std::time::Instant::now();
        let vault = SecretVault::open(folder.as_ref()).await.unwrap();
        assert_eq!(vault.kind(), VaultKind::File);
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(4),
            "took {:?}",
            begun.elapsed()
        );
        return sets_gets_and_forgets(&vault).await;
    }
    let folder = tempfile::tempdir().unwrap();
    // A bus that accepts the connection and then says nothing, like a keyring behind a dialog nobody sees.
    let socket = folder.path().join("silent");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let shell = format!(
        r#"DBUS_SESSION_BUS_ADDRESS='unix:path={}' exec "$@""#,
        socket.display()
    );
    again(
        "a_keyring_that_never_answers_does_not_hold_up_the_start",
        folder.path(),
        &shell,
    );
}

#[tokio::test]
async fn a_damaged_file_of_secrets_is_moved_aside() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        let vault = SecretVault::open(folder).await.unwrap();
        vault.set(&id("server"), CANARY.to_owned().into()).await.unwrap();
        for file in ["secrets.sealed", "secrets.key"] {
            let path = folder.join(file);
            let mut bytes = std::fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            bytes.push(0);
            std::fs::write(&path, bytes).unwrap();
            let vault = SecretVault::open(folder).await.unwrap();
            assert!(
                vault.get(&id("server")).await.unwrap().is_none(),
                "{file} was damaged"
            );
            vault.set(&id("server"), CANARY.to_owned().into()).await.unwrap();
            assert!(
                vault.get(&id("server")).await.unwrap().is_some(),
                "and the vault works again"
            );
        }
        let aside = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let aside = aside
            .filter(|e| e.file_name().to_string_lossy().contains("damaged"))
            .count();
        assert_eq!(aside, 4, "file and key are kept, twice");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let nobody = r#"DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere exec "$@""#;
    again("a_damaged_file_of_secrets_is_moved_aside", folder.path(), nobody);
}

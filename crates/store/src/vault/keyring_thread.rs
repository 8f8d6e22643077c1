//! The thread that talks with the system's keyring.

use std::sync::mpsc;

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use super::sealed_file::SealedFile;
use super::{Ask, Request, VaultError};

/// What entries are filed under; the account is the destination's id.
const SERVICE: &str = "streamcore-studio";

/// An entry that shows that the keyring can be written and read. It stays, so that most starts only read.
const PROBE: &str = "probe";
const PROBE_VALUE: &str = "works";

/// Says whether the keyring works, moves what the file holds into it, then answers requests.
pub(super) fn run(
    works: oneshot::Sender<Result<(), VaultError>>,
    file: &SealedFile,
    inbox: mpsc::Receiver<Request>,
) {
    let probed = probe();
    let usable = probed.is_ok();
    // Nobody listens any more when the probe took too long: the encrypted file has taken over by now.
    if works.send(probed.map_err(failed)).is_err() || !usable {
        return;
    }
    move_in(file);
    super::serve(inbox, |ask| answer(ask).map_err(failed));
}

fn probe() -> Result<(), Error> {
    let entry = Entry::new(SERVICE, PROBE)?;
    match entry.get_password() {
        Err(Error::NoEntry) => {
            entry.set_password(PROBE_VALUE)?;
            entry.get_password().map(drop)
        }
        read => read.map(drop),
    }
}

fn answer(ask: Ask) -> Result<Option<SecretString>, Error> {
    match ask {
        Ask::Get(id) => match Entry::new(SERVICE, id.as_str())?.get_password() {
            Ok(secret) => Ok(Some(secret.into())),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        },
        Ask::Set(id, secret) => Entry::new(SERVICE, id.as_str())?
            .set_password(secret.expose_secret())
            .map(|()| None),
        Ask::Delete(id) => match Entry::new(SERVICE, id.as_str())?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        },
    }
}

/// Secrets that were kept while there was no keyring. The file goes only when all of them have moved.
fn move_in(file: &SealedFile) {
    let secrets = match file.read() {
        Ok(secrets) if secrets.is_empty() => return,
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::warn!(%error, "secrets of earlier sessions stay in their file");
            return;
        }
    };
    for (id, secret) in &secrets {
        let moved = Entry::new(SERVICE, id).and_then(|entry| entry.set_password(secret.expose_secret()));
        if let Err(error) = moved {
            tracing::warn!(%error, "secrets of earlier sessions stay in their file");
            return;
        }
    }
    if let Err(error) = file.remove() {
        tracing::warn!(%error, "secrets are in the keyring now, but their file stays");
        return;
    }
    tracing::info!(
        count = secrets.len(),
        "secrets moved from their file into the keyring"
    );
}

/// The keyring's own error may carry the bytes of a secret (`BadEncoding`): only its sentence goes on.
fn failed(error: Error) -> VaultError {
    VaultError::Keyring {
        detail: error.to_string(),
    }
}

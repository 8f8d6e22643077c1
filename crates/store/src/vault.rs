//! Secrets: in the system's keyring, or in an encrypted file where there is none.

mod keyring_thread;
mod sealed_file;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use protocol::{DestinationId, ShopId};
use secrecy::SecretString;
use tokio::sync::oneshot;
use tokio::time::timeout;

use sealed_file::SealedFile;

/// How long the keyring may take to show that it works. A locked one asks the host for a password and waits:
/// longer and the desk comes late, shorter and a keyring that is just being started is passed over.
const PROBE_FOR: Duration = Duration::from_secs(2);

/// The secrets that are no destination's.
const ROOMS: &str = "streamcore-rooms";
const OVERLAYS: &str = "overlay-page";

/// How long one request may take. The system may ask the host to allow it, so there is time to click.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Where secrets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultKind {
    /// The system's keyring: Secret Service, Keychain or Credential Manager.
    Keyring,
    /// An encrypted file in the data folder, its key in a file beside it. It keeps secrets out of backups'
    /// search results and off the screen, not from somebody who can read the whole folder.
    File,
}

/// Why a secret could not be kept or found. Reads after "failed to …"; never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The keyring said no.
    #[error("use the system's keyring: {detail}")]
    Keyring {
        /// What it said.
        detail: String,
    },
    /// The keyring does not answer; perhaps it waits for its password.
    #[error("get an answer from the system's keyring")]
    Silent,
    /// The encrypted file cannot be read or written.
    #[error("use the file of secrets {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Keeps one secret for each destination, under its id.
///
/// All requests run one after the other on a thread of their own: a keyring may block for as long as it
/// likes without holding up the engine. Cheap to clone; the thread ends with the last clone.
#[derive(Debug, Clone)]
pub struct SecretVault {
    kind: VaultKind,
    fallback_reason: Option<String>,
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
pub(crate) struct Request {
    ask: Ask,
    answer: oneshot::Sender<Result<Option<SecretString>, VaultError>>,
}

#[derive(Debug)]
pub(crate) enum Ask {
    Get(DestinationId),
    Set(DestinationId, SecretString),
    Delete(DestinationId),
}

impl SecretVault {
    /// Finds out within two seconds whether the keyring works, and takes the encrypted file in `data_dir`
    /// where it does not. Secrets that such a file holds move into the keyring once there is one.
    ///
    /// # Errors
    /// [`VaultError::File`] when neither can be used.
    pub async fn open(data_dir: &Path) -> Result<Self, VaultError> {
        let file = SealedFile::new(data_dir);
        let fallback_reason = match Self::open_keyring(file.clone()).await {
            Ok(vault) => return Ok(vault),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            reason = fallback_reason,
            "no keyring, secrets go to an encrypted file"
        );
        file.prepare()?;
        let (requests, inbox) = mpsc::channel();
        spawn("secrets file", move || serve(inbox, |ask| file.answer(ask))).map_err(|source| {
            VaultError::File {
                path: data_dir.to_owned(),
                source,
            }
        })?;
        Ok(Self {
            kind: VaultKind::File,
            fallback_reason: Some(fallback_reason),
            requests,
        })
    }

    async fn open_keyring(file: SealedFile) -> Result<Self, VaultError> {
        let (requests, inbox) = mpsc::channel();
        let (works, probe) = oneshot::channel();
        spawn("keyring", move || keyring_thread::run(works, &file, inbox)).map_err(|error| {
            VaultError::Keyring {
                detail: error.to_string(),
            }
        })?;
        // A thread that hangs here stays behind; it ends when the keyring lets go, since nobody asks it more.
        timeout(PROBE_FOR, probe)
            .await
            .map_err(|_| VaultError::Silent)?
            .map_err(|_| VaultError::Silent)??;
        Ok(Self {
            kind: VaultKind::Keyring,
            fallback_reason: None,
            requests,
        })
    }

    /// Where secrets are kept.
    pub fn kind(&self) -> VaultKind {
        self.kind
    }

    /// Why it is not the keyring; `None` when it is.
    pub fn fallback_reason(&self) -> Option<&str> {
        self.fallback_reason.as_deref()
    }

    /// The destination's secret; `None` when it has none.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn get(&self, destination: &DestinationId) -> Result<Option<SecretString>, VaultError> {
        self.ask(Ask::Get(destination.clone())).await
    }

    /// Keeps a secret in place of any that the destination had.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn set(&self, destination: &DestinationId, secret: SecretString) -> Result<(), VaultError> {
        self.ask(Ask::Set(destination.clone(), secret)).await.map(drop)
    }

    /// Forgets the destination's secret; without one, nothing happens.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn delete(&self, destination: &DestinationId) -> Result<(), VaultError> {
        self.ask(Ask::Delete(destination.clone())).await.map(drop)
    }

    /// The keys of a shop, joined by a colon; `None` when it has none.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn shop_keys(&self, shop: &ShopId) -> Result<Option<SecretString>, VaultError> {
        self.get(&entry_of(shop)?).await
    }

    /// Keeps the keys of a shop; `None` forgets them.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn keep_shop_keys(&self, shop: &ShopId, keys: Option<SecretString>) -> Result<(), VaultError> {
        let entry = entry_of(shop)?;
        match keys {
            Some(keys) => self.set(&entry, keys).await,
            None => self.delete(&entry).await,
        }
    }

    /// What signs the tokens of the embedded StreamCore's rooms: 64 characters, made when it is asked for first.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn rooms_key(&self) -> Result<SecretString, VaultError> {
        self.own_key(ROOMS).await
    }

    /// What lets a page see the overlays; made on first use.
    ///
    /// # Errors
    /// [`VaultError`] when the keyring or the file fails.
    pub async fn overlay_key(&self) -> Result<SecretString, VaultError> {
        self.own_key(OVERLAYS).await
    }

    async fn own_key(&self, name: &str) -> Result<SecretString, VaultError> {
        // Destinations have random numbers for ids, so none has such a name.
        let Ok(name) = DestinationId::try_from(name) else {
            return Err(VaultError::Silent);
        };
        if let Some(key) = self.get(&name).await? {
            return Ok(key);
        }
        let half = || rand::random::<u128>();
        let key = SecretString::from(format!("{:032x}{:032x}", half(), half()));
        self.set(&name, key.clone()).await?;
        Ok(key)
    }

    async fn ask(&self, ask: Ask) -> Result<Option<SecretString>, VaultError> {
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(Request { ask, answer })
            .map_err(|_| VaultError::Silent)?;
        timeout(ANSWER_WITHIN, answered)
            .await
            .map_err(|_| VaultError::Silent)?
            .map_err(|_| VaultError::Silent)?
    }
}

/// Where a shop's keys stand beside the destinations' own.
fn entry_of(shop: &ShopId) -> Result<DestinationId, VaultError> {
    DestinationId::try_from(format!("shop-{shop}")).map_err(|_| VaultError::Silent)
}

/// Answers until the last vault is gone.
fn serve(
    inbox: mpsc::Receiver<Request>,
    mut answer: impl FnMut(Ask) -> Result<Option<SecretString>, VaultError>,
) {
    for request in inbox {
        // Who asked may have given up waiting; what was asked is done all the same.
        let _ = request.answer.send(answer(request.ask));
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
}

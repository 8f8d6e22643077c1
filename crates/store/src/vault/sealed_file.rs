//! An encrypted file of secrets, for systems without a keyring.
//!
//! `secrets.sealed` is `SCS1`, a nonce of 24 bytes, then XChaCha20-Poly1305 (RFC 8439 with the extended nonce
//! of draft-irtf-cfrg-xchacha) over a JSON object of destination ids and secrets; the four bytes of its head
//! are authenticated too. `secrets.key` holds the 32 bytes of its key. Both are for their owner alone.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::{Ask, VaultError};

const HEAD: &[u8; 4] = b"SCS1";
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

type Secrets = BTreeMap<String, SecretString>;

/// The two files. Every change writes the whole again, beside it, and renames: a crash leaves old or new.
#[derive(Debug, Clone)]
pub(super) struct SealedFile {
    sealed: PathBuf,
    key: PathBuf,
}

impl SealedFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            sealed: folder.join("secrets.sealed"),
            key: folder.join("secrets.key"),
        }
    }

    /// Makes sure that the file can be used. One that its key does not open is moved aside with it: what it
    /// held is lost to the studio, and the host has to enter the keys again.
    pub(super) fn prepare(&self) -> Result<(), VaultError> {
        match self.key().and_then(|_| self.read()) {
            Err(VaultError::File { source, .. }) if source.kind() == io::ErrorKind::InvalidData => {
                let stamp = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |s| s.as_millis());
                for path in [&self.sealed, &self.key] {
                    if path.exists() {
                        let mut aside = path.clone().into_os_string();
                        aside.push(format!(".damaged-{stamp}"));
                        let aside = PathBuf::from(aside);
                        std::fs::rename(path, &aside).map_err(|e| self.failed(e))?;
                        tracing::error!(to = %aside.display(), "file of secrets cannot be opened, moved aside");
                    }
                }
                self.key().map(drop)
            }
            read => read.map(drop),
        }
    }

    pub(super) fn answer(&self, ask: Ask) -> Result<Option<SecretString>, VaultError> {
        let mut secrets = self.read()?;
        match ask {
            Ask::Get(id) => return Ok(secrets.remove(id.as_str())),
            Ask::Set(id, secret) => {
                secrets.insert(id.into(), secret);
            }
            Ask::Delete(id) => {
                if secrets.remove(id.as_str()).is_none() {
                    return Ok(None);
                }
            }
        }
        self.write(&secrets)?;
        Ok(None)
    }

    /// All secrets; none without a file. `InvalidData` when the file is not what its key sealed.
    pub(super) fn read(&self) -> Result<Secrets, VaultError> {
        let sealed = match std::fs::read(&self.sealed) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Secrets::new()),
            Err(error) => return Err(self.failed(error)),
        };
        let damaged = || self.failed(io::ErrorKind::InvalidData.into());
        let rest = sealed.strip_prefix(HEAD).ok_or_else(damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let plain = self
            .cipher()?
            .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: HEAD })
            .map_err(|_| damaged())?;
        serde_json::from_slice(&Zeroizing::new(plain)).map_err(|_| damaged())
    }

    /// Takes both files away.
    pub(super) fn remove(&self) -> Result<(), VaultError> {
        for path in [&self.sealed, &self.key] {
            std::fs::remove_file(path).map_err(|source| VaultError::File {
                path: path.clone(),
                source,
            })?;
        }
        Ok(())
    }

    fn write(&self, secrets: &Secrets) -> Result<(), VaultError> {
        let open: BTreeMap<&str, &str> = secrets
            .iter()
            .map(|(id, secret)| (id.as_str(), secret.expose_secret()))
            .collect();
        let plain = serde_json::to_vec(&open).map_err(|e| self.failed(e.into()))?;
        let plain = Zeroizing::new(plain);
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let text = self
            .cipher()?
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plain,
                    aad: HEAD,
                },
            )
            .map_err(|_| self.failed(io::ErrorKind::InvalidInput.into()))?;
        let sealed = [&HEAD[..], &nonce, &text].concat();
        replace(&self.sealed, &sealed).map_err(|e| self.failed(e))
    }

    fn cipher(&self) -> Result<XChaCha20Poly1305, VaultError> {
        Ok(XChaCha20Poly1305::new(&Key::from(*self.key()?)))
    }

    /// The key; a new one when there is none yet. One of another length counts as damaged, not as absent:
    /// a new one would make the secrets unreadable for good.
    fn key(&self) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultError> {
        let failed = |source| VaultError::File {
            path: self.key.clone(),
            source,
        };
        match std::fs::read(&self.key).map(Zeroizing::new) {
            Ok(bytes) => {
                let key: [u8; KEY_BYTES] = bytes
                    .as_slice()
                    .try_into()
                    .map_err(|_| failed(io::ErrorKind::InvalidData.into()))?;
                Ok(Zeroizing::new(key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Zeroizing::new(rand::random::<[u8; KEY_BYTES]>());
                replace(&self.key, key.as_slice()).map_err(failed)?;
                Ok(key)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn failed(&self, source: io::Error) -> VaultError {
        VaultError::File {
            path: self.sealed.clone(),
            source,
        }
    }
}

/// Puts `bytes` in place of a file, whole or not at all, readable by its owner alone.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&beside, path)
}

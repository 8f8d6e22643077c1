//! Stream keys: in the vault, or in memory for a show from the command line.

use std::collections::HashMap;

use protocol::{DestinationId, ErrorCode, ShopId, UserError};
use secrecy::SecretString;
use store::SecretVault;

/// Where keys are.
pub enum Keys {
    /// In the system's keyring or the file that stands in for it.
    Vault(SecretVault),
    /// In memory alone.
    Memory(HashMap<DestinationId, SecretString>),
}

impl Keys {
    /// The key of a destination, if it has one.
    ///
    /// # Errors
    /// [`ErrorCode::KeyringUnavailable`] when the vault does not answer.
    pub async fn get(&self, id: &DestinationId) -> Result<Option<SecretString>, UserError> {
        match self {
            Self::Vault(vault) => vault.get(id).await.map_err(unavailable),
            Self::Memory(keys) => Ok(keys.get(id).cloned()),
        }
    }

    /// Keeps a key.
    ///
    /// # Errors
    /// As [`Keys::get`].
    pub async fn set(&mut self, id: &DestinationId, key: SecretString) -> Result<(), UserError> {
        match self {
            Self::Vault(vault) => vault.set(id, key).await.map_err(unavailable),
            Self::Memory(keys) => {
                keys.insert(id.clone(), key);
                Ok(())
            }
        }
    }

    /// The keys of a shop, if it has some; a show from the command line has no shops.
    ///
    /// # Errors
    /// As [`Keys::get`].
    pub async fn shop(&self, id: &ShopId) -> Result<Option<SecretString>, UserError> {
        match self {
            Self::Vault(vault) => vault.shop_keys(id).await.map_err(unavailable),
            Self::Memory(_) => Ok(None),
        }
    }

    /// Keeps the keys of a shop; `None` forgets them.
    ///
    /// # Errors
    /// As [`Keys::get`].
    pub async fn keep_shop(&self, id: &ShopId, keys: Option<SecretString>) -> Result<(), UserError> {
        match self {
            Self::Vault(vault) => vault.keep_shop_keys(id, keys).await.map_err(unavailable),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Forgets a key, if there is one.
    ///
    /// # Errors
    /// As [`Keys::get`].
    pub async fn delete(&mut self, id: &DestinationId) -> Result<(), UserError> {
        match self {
            Self::Vault(vault) => vault.delete(id).await.map_err(unavailable),
            Self::Memory(keys) => {
                keys.remove(id);
                Ok(())
            }
        }
    }
}

fn unavailable(error: store::VaultError) -> UserError {
    UserError::new(ErrorCode::KeyringUnavailable).with("detail", error)
}

//! What the studio remembers: its set-up and its shows in SQLite, its secrets in the system's keyring.
//!
//! [`Store`] saves the whole [`Document`] on every change, in one transaction, and writes only the rows that
//! differ. [`SecretVault`] keeps stream keys; where the system has no keyring, in an encrypted file. Nothing
//! here knows what a source or an output does: it keeps what `protocol` describes.

mod catalogue;
mod document;
mod error;
mod grants;
mod lock;
mod read;
mod show;
mod store;
mod vault;
mod write;

pub use catalogue::{Catalogue, Chosen, Found, Kept, Picture, ProductRow, ShopRow};
pub use document::Document;
pub use error::{StoreError, UnreadableRow};
pub use grants::Grant;
pub use show::{Recording, RecordingId, ShowEnding, ShowId, ShowOnAir};
pub use store::{MovedAside, Store, move_aside};
pub use vault::{SecretVault, VaultError, VaultKind};

//! WooCommerce's REST interface, version 3.
//!
//! A [`Client`] asks one shop. It is of the reading kind: no request of it changes anything there.

mod client;
mod error;
mod webhook;
mod wire;

pub use client::{Client, Listed, Options, Page};
pub use error::ShopError;
pub use webhook::signed;

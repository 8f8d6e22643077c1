//! Where the audience and what it buys live: today the products of shops and files.
//!
//! Whatever arrives here comes from strangers: it is parsed into types of `protocol` at this border, with a length
//! and a limit for each. Nothing here remembers anything; the engine puts what it gets into the store.

pub mod csv;
mod money;
pub mod picture;
mod product;
pub mod woocommerce;

pub use product::{Found, web_address};

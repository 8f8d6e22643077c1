//! Where the audience and what it buys live: the products of shops and files, and the room in which viewers see them.
//!
//! Whatever arrives here comes from strangers: it is parsed into types of `protocol` at this border, with a length
//! and a limit for each. Nothing here remembers anything; the engine puts what it gets into the store.

pub mod csv;
mod money;
pub mod picture;
mod product;
pub mod room;
pub mod woocommerce;

pub use product::{Found, web_address};

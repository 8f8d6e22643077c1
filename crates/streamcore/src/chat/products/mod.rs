//! What a room's host sells: the show's list, what is featured of it, and what viewers do about it.
//!
//! `wire` has the types, `check` makes what a client says into what may be shown, `interest` counts clicks, `image`
//! tells pictures by their first bytes, `keep` is the database's part. What acts do with the list stands with the other
//! acts, in [`super::room`].

mod check;
mod image;
mod interest;
mod keep;
pub mod wire;

pub use check::{MOST_FEATURED, checked, checked_list};
pub use image::{AtHand, Hash, ImageKind};
pub use interest::{Clicks, visit_minute};
pub use keep::{KeptProducts, MOST_IMAGE_BYTES, MOST_IMAGES, keep_product_change, load};

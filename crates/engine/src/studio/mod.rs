//! The studio: one actor that owns the state, does commands, and says what changed.

mod actor;
mod commands;
mod destinations;
mod document;
mod edit;
mod encoders;
mod first;
mod folder;
mod grants;
mod handle;
mod health;
mod keys;
mod laptop;
mod limits;
mod lines;
mod outputs;
mod overlays;
mod pictures;
mod products;
mod recordings;
mod renditions;
mod rooms;
mod show;
mod start;
mod undo;

pub use document::store_error;
pub use edit::{check_settings, new_id, placement_of_picture};
pub use first::first_state;
pub use handle::{Interest, Joined, Small, StudioHandle};
pub use lines::shows_as_live;
pub use overlays::OverlayFrame;
pub use products::{ChosenProduct, ChosenProducts, ProductPictures, RoomStock};
pub use rooms::ChatDoor;
pub use start::{Persistence, StartError, StreamCorePorts, Studio, StudioOptions};

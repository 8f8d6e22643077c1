//! How much of everything. A person never meets these; a script gone wild does.

/// Sources in the document.
pub const SOURCES: usize = 64;
/// Scenes in the document.
pub const SCENES: usize = 100;
/// Items in one scene.
pub const ITEMS: usize = 48;
/// Destinations.
pub const DESTINATIONS: usize = 24;
/// Shops that products come from.
pub const SHOPS: usize = 8;
/// Characters of a name.
pub const NAME_CHARS: usize = 60;
/// Characters of a show's title.
pub const TITLE_CHARS: usize = 140;
/// Bytes of a stream key.
pub const KEY_BYTES: usize = 2048;
/// Edits that can be undone.
pub const HISTORY: usize = 200;

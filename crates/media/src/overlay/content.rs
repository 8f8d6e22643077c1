//! What overlays show, in the words of the host's language.

use std::sync::Arc;

use protocol::{OverlayKind, OverlayLook};

/// An encoded picture: PNG or JPEG. Two are the same when they are the same memory.
#[derive(Debug, Clone)]
pub struct PictureBytes(pub Arc<[u8]>);

impl PartialEq for PictureBytes {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What a product's card says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProductCard {
    /// What it is called.
    pub title: String,
    /// Under the title; may be empty.
    pub note: String,
    /// What it costs, with its currency; may be empty.
    pub price: String,
    /// What it cost before, and costs again when the offer is over; empty when it is not reduced.
    pub was: String,
    /// What to type in the shop; may be empty.
    pub code: String,
    /// How many are left, or that there are none; empty while there are plenty.
    pub stock: String,
    /// When the offer ends: wall clock, milliseconds since 1970.
    pub ends_at_ms: Option<u64>,
    /// Its picture.
    pub picture: Option<PictureBytes>,
}

/// What one overlay shows. Every text is shown as it is, never as markup.
#[derive(Debug, Clone, PartialEq)]
pub enum OverlayContent {
    /// One of the show's products.
    Product(ProductCard),
    /// A message of the chat.
    Message {
        /// Who wrote it.
        name: String,
        /// What they wrote.
        text: String,
    },
    /// Who speaks.
    LowerThird {
        /// The name.
        title: String,
        /// What they do; may be empty.
        subtitle: String,
    },
    /// A picture.
    Logo {
        /// Absolute path: PNG, JPEG, SVG.
        path: String,
    },
    /// The time that is left.
    Countdown {
        /// Until what; may be empty.
        label: String,
        /// Wall clock, milliseconds since 1970.
        ends_at_ms: u64,
    },
    /// How far something has come.
    Goal {
        /// What it is; may be empty.
        label: String,
        /// How much is there.
        value: String,
        /// How much is wanted.
        target: String,
        /// How full the bar is, `0.0..=1.0`.
        share: f32,
    },
}

impl OverlayContent {
    /// Its kind.
    pub fn kind(&self) -> OverlayKind {
        match self {
            Self::Product(_) => OverlayKind::ProductCard,
            Self::Message { .. } => OverlayKind::ChatMessage,
            Self::LowerThird { .. } => OverlayKind::LowerThird,
            Self::Logo { .. } => OverlayKind::Logo,
            Self::Countdown { .. } => OverlayKind::Countdown,
            Self::Goal { .. } => OverlayKind::Goal,
        }
    }

    /// What it says, on one line; empty for a logo.
    pub(super) fn words(&self) -> String {
        let parts: Vec<&str> = match self {
            Self::Product(card) => vec![&card.title, &card.note, &card.price, &card.code, &card.stock],
            Self::Message { name, text } => vec![name, text],
            Self::LowerThird { title, subtitle } => vec![title, subtitle],
            Self::Logo { .. } => Vec::new(),
            Self::Countdown { label, .. } => vec![label],
            Self::Goal {
                label, value, target, ..
            } => vec![label, value, target],
        };
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        said.join(", ")
    }

    /// When the time that it shows ends, if it shows one.
    pub(super) fn ends_at_ms(&self) -> Option<u64> {
        match self {
            Self::Product(card) => card.ends_at_ms,
            Self::Countdown { ends_at_ms, .. } => Some(*ends_at_ms),
            _ => None,
        }
    }

    /// The seconds that it shows at `now_ms`; drawn again when they are others.
    pub(super) fn seconds(&self, now_ms: u64) -> Option<u64> {
        Some(self.ends_at_ms()?.saturating_sub(now_ms).div_ceil(1000))
    }
}

/// All that is to lie over the picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OverlayWanted {
    /// Colours, font and places.
    pub look: OverlayLook,
    /// At most one of each kind, back to front.
    pub contents: Vec<OverlayContent>,
}

/// Time that is left, as it is shown: `04:12`, `1:00:00`.
pub(super) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_until_it_has_passed() {
        let countdown = OverlayContent::Countdown {
            label: String::new(),
            ends_at_ms: 10_000,
        };
        assert_eq!(countdown.seconds(0), Some(10));
        assert_eq!(countdown.seconds(1), Some(10), "the tenth second is not over");
        assert_eq!(countdown.seconds(9_999), Some(1));
        assert_eq!(countdown.seconds(10_000), Some(0));
        assert_eq!(countdown.seconds(99_000), Some(0));
        assert_eq!([clock(0), clock(252), clock(3600)], ["00:00", "04:12", "1:00:00"]);
    }
}

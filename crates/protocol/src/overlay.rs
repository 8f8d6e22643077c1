//! What lies over the program's picture: cards and words of a designed template, over whichever scene is on air.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Colour, ProductId, Text};

/// What kind of overlay. Each is on the picture at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum OverlayKind {
    /// One of the show's products: price, code, countdown, stock.
    ProductCard,
    /// A message of the chat.
    ChatMessage,
    /// Who speaks.
    LowerThird,
    /// A picture, in a corner.
    Logo,
    /// The time that is left.
    Countdown,
    /// How far something has come.
    Goal,
}

impl OverlayKind {
    /// Every kind, in the order in which the desk lists them.
    pub const ALL: [Self; 6] = [
        Self::ProductCard,
        Self::ChatMessage,
        Self::LowerThird,
        Self::Logo,
        Self::Countdown,
        Self::Goal,
    ];

    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProductCard => "product_card",
            Self::ChatMessage => "chat_message",
            Self::LowerThird => "lower_third",
            Self::Logo => "logo",
            Self::Countdown => "countdown",
            Self::Goal => "goal",
        }
    }

    /// Where it stands unless the host says otherwise.
    pub fn usual_place(self) -> OverlayPlace {
        match self {
            Self::ProductCard | Self::LowerThird => OverlayPlace::BottomLeft,
            Self::ChatMessage => OverlayPlace::BottomRight,
            Self::Logo => OverlayPlace::TopRight,
            Self::Countdown => OverlayPlace::Top,
            Self::Goal => OverlayPlace::TopLeft,
        }
    }
}

/// What an overlay shows. Every text is plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum Overlay {
    /// One of the show's products; what stands on the card is what the show says of it at the time.
    ProductCard {
        /// Which.
        product: ProductId,
    },
    /// A message of the chat.
    ChatMessage {
        /// Its number in the room, by which a desk takes it off when it is deleted.
        #[ts(type = "number")]
        message: u64,
        /// Who wrote it.
        name: Text<60>,
        /// What they wrote.
        text: Text<500>,
    },
    /// Who speaks.
    LowerThird {
        /// The name.
        title: Text<200>,
        /// What they do; may be empty.
        subtitle: Text<200>,
    },
    /// A picture: PNG, JPEG, SVG; alpha is kept.
    Logo {
        /// Absolute path on the engine's machine.
        path: Text<1000>,
    },
    /// The time that is left.
    Countdown {
        /// Until what; may be empty.
        label: Text<200>,
        /// When it ends: wall clock, milliseconds since 1970.
        #[ts(type = "number")]
        ends_at_ms: u64,
    },
    /// How far something has come.
    Goal {
        /// What it is; may be empty.
        label: Text<200>,
        /// So much is there; may be more than the target.
        value: u32,
        /// So much is wanted, at least 1.
        target: u32,
        /// What is counted, behind each number: `€`, `LPs`; may be empty.
        unit: Text<12>,
    },
}

impl Overlay {
    /// Its kind.
    pub fn kind(&self) -> OverlayKind {
        match self {
            Self::ProductCard { .. } => OverlayKind::ProductCard,
            Self::ChatMessage { .. } => OverlayKind::ChatMessage,
            Self::LowerThird { .. } => OverlayKind::LowerThird,
            Self::Logo { .. } => OverlayKind::Logo,
            Self::Countdown { .. } => OverlayKind::Countdown,
            Self::Goal { .. } => OverlayKind::Goal,
        }
    }
}

/// Where an overlay stands on the canvas. Those of one place stack, the newest farthest from the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum OverlayPlace {
    /// Above, at the left.
    TopLeft,
    /// Above, in the middle.
    Top,
    /// Above, at the right.
    TopRight,
    /// Below, at the left.
    BottomLeft,
    /// Below, in the middle.
    Bottom,
    /// Below, at the right.
    BottomRight,
}

/// Where the kinds of overlays stand. One that is not named stands where it usually does: what was kept before there was
/// such a kind is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
#[ts(export)]
pub struct OverlayPlaces {
    /// The product card.
    pub product_card: OverlayPlace,
    /// The chat's message.
    pub chat_message: OverlayPlace,
    /// The lower third.
    pub lower_third: OverlayPlace,
    /// The logo.
    pub logo: OverlayPlace,
    /// The countdown.
    pub countdown: OverlayPlace,
    /// The goal.
    pub goal: OverlayPlace,
}

impl OverlayPlaces {
    /// Where this kind stands.
    pub fn of(&self, kind: OverlayKind) -> OverlayPlace {
        match kind {
            OverlayKind::ProductCard => self.product_card,
            OverlayKind::ChatMessage => self.chat_message,
            OverlayKind::LowerThird => self.lower_third,
            OverlayKind::Logo => self.logo,
            OverlayKind::Countdown => self.countdown,
            OverlayKind::Goal => self.goal,
        }
    }
}

impl Default for OverlayPlaces {
    fn default() -> Self {
        Self {
            product_card: OverlayKind::ProductCard.usual_place(),
            chat_message: OverlayKind::ChatMessage.usual_place(),
            lower_third: OverlayKind::LowerThird.usual_place(),
            logo: OverlayKind::Logo.usual_place(),
            countdown: OverlayKind::Countdown.usual_place(),
            goal: OverlayKind::Goal.usual_place(),
        }
    }
}

/// How overlays look, and when they come by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct OverlayLook {
    /// Under the words; its alpha lets the picture through.
    pub back: Colour,
    /// Words.
    pub words: Colour,
    /// Stripes, bars, names.
    pub accent: Colour,
    /// Family of a font on the engine's machine; empty, or one that is not there, is the usual one.
    pub font: Text<100>,
    /// Where each kind stands.
    pub places: OverlayPlaces,
    /// The first of the featured products is on the picture for as long as it is featured. Off at first: StreamCore's
    /// page shows a card that can be clicked.
    pub featured_by_itself: bool,
}

impl Default for OverlayLook {
    fn default() -> Self {
        let colour = |red, green, blue, alpha| Colour {
            red,
            green,
            blue,
            alpha,
        };
        Self {
            back: colour(0x11, 0x13, 0x18, 0xe0),
            words: colour(0xff, 0xff, 0xff, 0xff),
            accent: colour(0x93, 0xa9, 0xff, 0xff),
            font: Text::default(),
            places: OverlayPlaces::default(),
            featured_by_itself: false,
        }
    }
}

/// An overlay that is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PreparedOverlay {
    /// What it shows.
    pub overlay: Overlay,
    /// It is on the picture.
    pub shown: bool,
}

/// The show's overlays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Overlays {
    /// How they look.
    pub look: OverlayLook,
    /// Those that are ready, at most one of each kind, in the order in which they were shown.
    pub prepared: Vec<PreparedOverlay>,
}

impl Overlays {
    /// The one of this kind.
    pub fn of(&self, kind: OverlayKind) -> Option<&PreparedOverlay> {
        self.prepared
            .iter()
            .find(|prepared| prepared.overlay.kind() == kind)
    }

    /// Puts `overlay` in the place of the one of its kind. `shown`: on the picture or off; `None` leaves it as it is.
    pub fn set(&mut self, overlay: Overlay, shown: Option<bool>) {
        let kind = overlay.kind();
        match self
            .prepared
            .iter_mut()
            .find(|prepared| prepared.overlay.kind() == kind)
        {
            Some(prepared) => {
                prepared.overlay = overlay;
                prepared.shown = shown.unwrap_or(prepared.shown);
            }
            None => self.prepared.push(PreparedOverlay {
                overlay,
                shown: shown.unwrap_or(false),
            }),
        }
    }

    /// Takes the one of this kind off the picture; it stays ready. Whether it was on.
    pub fn hide(&mut self, kind: OverlayKind) -> bool {
        let found = self
            .prepared
            .iter_mut()
            .find(|prepared| prepared.overlay.kind() == kind);
        found.is_some_and(|prepared| std::mem::replace(&mut prepared.shown, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(title: &str) -> Overlay {
        Overlay::LowerThird {
            title: Text::cut(title),
            subtitle: Text::default(),
        }
    }

    #[test]
    fn each_kind_is_there_once_and_what_is_prepared_stays_as_it_was_shown() {
        let mut overlays = Overlays::default();
        overlays.set(title("Maya"), None);
        assert!(!overlays.of(OverlayKind::LowerThird).unwrap().shown);
        overlays.set(title("Inès"), Some(true));
        overlays.set(title("Amadou"), None);
        assert_eq!(
            overlays.prepared,
            [PreparedOverlay {
                overlay: title("Amadou"),
                shown: true
            }]
        );
        assert!(overlays.hide(OverlayKind::LowerThird));
        assert!(!overlays.hide(OverlayKind::LowerThird), "it was off already");
        assert!(!overlays.hide(OverlayKind::Logo), "there is none");
    }

    #[test]
    fn places_that_were_kept_before_a_kind_was_there_are_still_good() {
        let kept = serde_json::from_str::<OverlayPlaces>(r#"{"logo":"bottom_right"}"#).unwrap();
        let expected = OverlayPlaces {
            logo: OverlayPlace::BottomRight,
            ..OverlayPlaces::default()
        };
        assert_eq!(kept, expected);
        assert!(serde_json::from_str::<OverlayPlaces>(r#"{"lago":"top"}"#).is_err());
    }

    #[test]
    fn a_kind_is_on_the_wire_what_it_says() {
        for kind in OverlayKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let long = format!(
            r#"{{"kind":"lower_third","title":"{}","subtitle":""}}"#,
            "n".repeat(201)
        );
        assert!(serde_json::from_str::<Overlay>(&long).is_err(), "too long");
        let strange = r#"{"kind":"logo","path":"/a.png","href":"x"}"#;
        assert!(serde_json::from_str::<Overlay>(strange).is_err(), "unknown field");
    }
}

//! Which encodings a show needs. Pure.

use protocol::{Destination, DestinationKind, H264Profile, HighRendition, RenditionId, State};

/// One encoding that has to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// Plays in every browser; carries StreamCore, and everything else unless there is a High one.
    Shared,
    /// Better at the same rate; for servers and disks.
    High,
}

impl Planned {
    /// Its id.
    pub fn id(self) -> RenditionId {
        let name = match self {
            Self::Shared => "shared",
            Self::High => "high",
        };
        RenditionId::try_from(name).expect("letters are an identifier")
    }

    /// Its profile.
    pub fn profile(self) -> H264Profile {
        match self {
            Self::Shared => H264Profile::ConstrainedBaseline,
            Self::High => H264Profile::High,
        }
    }
}

/// The encoding that a destination carries.
///
/// `shared_runs` says that the shared encoding runs already, or will because of another destination of this show;
/// `headroom` that the calibration found room for a second encode.
pub fn carried(destination: &Destination, state: &State, shared_runs: bool, headroom: bool) -> Planned {
    if matches!(destination.kind, DestinationKind::StreamCore { .. }) {
        return Planned::Shared;
    }
    let own = match state.settings.high_rendition {
        HighRendition::On => true,
        HighRendition::Off => false,
        HighRendition::Automatic => headroom,
    };
    // Without browsers nobody needs the weaker profile, and one encode stays one encode.
    if own || !shared_runs {
        Planned::High
    } else {
        Planned::Shared
    }
}

/// Whether an enabled destination is watched in browsers.
pub fn browsers_watch(state: &State) -> bool {
    state
        .destinations
        .iter()
        .any(|d| d.enabled && matches!(d.kind, DestinationKind::StreamCore { .. }))
}

#[cfg(test)]
mod tests {
    use super::super::first_state;
    use super::*;

    #[test]
    fn one_encode_serves_all_unless_there_is_room() {
        let mut state = first_state();
        let (streamcore, recording) = (state.destinations[0].clone(), state.destinations[1].clone());
        assert_eq!(
            carried(&streamcore, &state, true, true),
            Planned::Shared,
            "browsers need it"
        );
        assert_eq!(carried(&recording, &state, true, false), Planned::Shared);
        assert_eq!(carried(&recording, &state, true, true), Planned::High);
        assert_eq!(
            carried(&recording, &state, false, false),
            Planned::High,
            "nobody needs the weaker profile"
        );
        state.settings.high_rendition = HighRendition::Off;
        assert_eq!(carried(&recording, &state, true, true), Planned::Shared);
        state.settings.high_rendition = HighRendition::On;
        assert_eq!(carried(&recording, &state, true, false), Planned::High);
    }
}

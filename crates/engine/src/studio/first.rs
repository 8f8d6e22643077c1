//! What a studio starts with the first time.

use protocol::{
    Container, Db, Destination, DestinationKind, EncoderChoice, HighRendition, History, KilobitsPerSecond,
    Laptop, ProgramState, RecordingSettings, RoomId, Scene, Settings, Show, ShowPhase, State,
    StreamCoreState, Transition,
};

use super::edit::new_id;
use crate::sentences::{self, Language};

/// As [`first_state`], with the names that a desk of this language gives.
pub fn first_state_in(language: Language) -> State {
    let mut state = first_state();
    let number = protocol::Params::from([("number".to_owned(), "1".to_owned())]);
    for scene in &mut state.scenes {
        if let Some(name) = sentences::name("scene_numbered", &number, language) {
            scene.name = name;
        }
    }
    for destination in &mut state.destinations {
        let key = match destination.kind {
            DestinationKind::StreamCore { .. } => "destination_streamcore",
            DestinationKind::Rtmp { .. } => "destination_rtmp",
            DestinationKind::Recording(_) => "destination_recording",
        };
        if let Some(name) = sentences::name(key, &protocol::Params::new(), language) {
            destination.name = name;
        }
    }
    state
}

/// One empty scene, StreamCore and a recording as destinations, 720p30 at 3 Mb/s.
pub fn first_state() -> State {
    let scene = Scene {
        id: new_id(),
        name: "Scene 1".to_owned(),
        items: Vec::new(),
    };
    let rate = |kbps| KilobitsPerSecond::try_from(kbps).expect("a rate within the type's range");
    State {
        show: Show {
            title: String::new(),
            phase: ShowPhase::OffAir,
        },
        settings: Settings {
            canvas: protocol::Canvas::default(),
            video: rate(3000),
            audio: rate(160),
            encoder: EncoderChoice::Automatic,
            high_rendition: HighRendition::Automatic,
            welcomed: false,
        },
        sources: Vec::new(),
        source_status: Vec::new(),
        program: ProgramState {
            program: scene.id.clone(),
            preview: scene.id.clone(),
            studio_mode: false,
            transition: Transition::Fade { ms: 500 },
            fading: false,
            master_gain: Db::ZERO,
            master_muted: false,
        },
        scenes: vec![scene],
        destinations: vec![
            Destination {
                id: new_id(),
                name: "StreamCore".to_owned(),
                enabled: true,
                kind: DestinationKind::StreamCore {
                    room: RoomId::try_from("studio").expect("letters are a room's name"),
                },
            },
            Destination {
                id: new_id(),
                name: "Recording".to_owned(),
                enabled: true,
                kind: DestinationKind::Recording(RecordingSettings {
                    folder: None,
                    container: Container::Mp4,
                    split_minutes: None,
                }),
            },
        ],
        outputs: Vec::new(),
        renditions: Vec::new(),
        encoders: Vec::new(),
        devices: Vec::new(),
        auditions: Vec::new(),
        products: protocol::ShowProducts::default(),
        overlays: protocol::Overlays::default(),
        shops: Vec::new(),
        streamcore: StreamCoreState::default(),
        laptop: Laptop::default(),
        health: Vec::new(),
        history: History::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_french_studio_starts_with_french_names() {
        let names = |language| {
            let state = first_state_in(language);
            let destinations = state.destinations.into_iter().map(|d| d.name);
            let scenes = state.scenes.into_iter().map(|s| s.name);
            scenes.chain(destinations).collect::<Vec<_>>()
        };
        assert_eq!(names(Language::English), ["Scene 1", "StreamCore", "Recording"]);
        assert_eq!(
            names(Language::French),
            ["Scène 1", "StreamCore", "Enregistrement"]
        );
    }
}

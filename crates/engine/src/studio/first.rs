//! What a studio starts with the first time.

use protocol::{
    Container, Db, Destination, DestinationKind, EncoderChoice, HighRendition, History, KilobitsPerSecond,
    Laptop, ProgramState, RecordingSettings, RoomId, Scene, Settings, Show, ShowPhase, State,
    StreamCoreState, Transition,
};

use super::edit::new_id;

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
        streamcore: StreamCoreState::default(),
        laptop: Laptop::default(),
        health: Vec::new(),
        history: History::default(),
    }
}

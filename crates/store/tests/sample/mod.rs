//! Documents that use every type which the store keeps.

use protocol::*;
use store::Document;

/// One of everything. `change` makes documents that differ everywhere but still fit together.
pub fn document(change: u32) -> Document {
    let number = change as f32;
    let settings = Settings {
        canvas: Canvas::new(1280 + 2 * (change % 100), 720, 24 + change % 30).unwrap(),
        video: (1000 + change % 1000).try_into().unwrap(),
        audio: 128.try_into().unwrap(),
        encoder: if change.is_multiple_of(2) {
            EncoderChoice::Automatic
        } else {
            EncoderChoice::Named {
                id: format!("enc{change}"),
            }
        },
        high_rendition: [HighRendition::Automatic, HighRendition::On, HighRendition::Off]
            [change as usize % 3],
        welcomed: change % 2 == 1,
    };
    let sources: Vec<Source> = kinds(change)
        .into_iter()
        .enumerate()
        .map(|(at, settings)| Source {
            id: format!("source-{at}").try_into().unwrap(),
            name: format!("Quelle « {at} » {change}"),
            settings,
            audio: AudioControls {
                gain: Db::clamped(-0.1 * (number % 90.0)),
                muted: (at + change as usize).is_multiple_of(2),
                pan: (number % 20.0) / 10.0 - 1.0,
                sync_offset_ms: (change % 2000) as i32 - 500,
            },
        })
        .collect();
    let scenes = (0..3)
        .map(|at| Scene {
            id: format!("scene-{at}").try_into().unwrap(),
            name: format!("Scene {at} {change}"),
            items: sources
                .iter()
                .skip(at)
                .map(|source| item(source, change))
                .collect(),
        })
        .collect();
    Document {
        settings,
        sources,
        scenes,
        program: ProgramState {
            program: "scene-0".try_into().unwrap(),
            preview: format!("scene-{}", change % 3).try_into().unwrap(),
            studio_mode: change.is_multiple_of(2),
            transition: if change.is_multiple_of(3) {
                Transition::Cut
            } else {
                Transition::Fade {
                    ms: 50 + change % 4000,
                }
            },
            fading: false,
            master_gain: Db::clamped(-0.37 * (number % 60.0)),
            master_muted: change.is_multiple_of(5),
        },
        destinations: destinations(change),
        overlays: overlays(change),
        show_title: format!("Nocturne {change}"),
    }
}

fn item(source: &Source, change: u32) -> SceneItem {
    let part = (change % 90) as f32 / 100.0;
    SceneItem {
        id: format!("item-{}", source.id).try_into().unwrap(),
        source: source.id.clone(),
        placement: Placement {
            x: part,
            y: -part,
            width: 0.1 + part,
            height: 1.0 / 3.0,
            rotation: part * 100.0,
            crop: Crop {
                left: part / 2.0,
                top: 0.1,
                right: 0.2,
                bottom: part / 3.0,
            },
            fit: [Fit::Contain, Fit::Cover, Fit::Stretch][change as usize % 3],
            opacity: 1.0 - part,
        },
        visible: change.is_multiple_of(2),
        locked: change.is_multiple_of(3),
    }
}

fn kinds(change: u32) -> Vec<SourceSettings> {
    let device: Option<DeviceId> = Some(r"\\?\usb#vid_046d &é".try_into().unwrap());
    let colour = Colour {
        red: 1,
        green: 2,
        blue: 3,
        alpha: (change % 256) as u8,
    };
    vec![
        SourceSettings::Camera {
            device: device.clone(),
        },
        SourceSettings::Microphone { device: None },
        SourceSettings::DesktopAudio { device },
        SourceSettings::Screen {
            device: None,
            cursor: true,
        },
        SourceSettings::Window {
            device: "4194311".try_into().unwrap(),
            cursor: false,
        },
        SourceSettings::File {
            path: format!("/media/clip '{change}\".mp4"),
            looping: true,
        },
        SourceSettings::Image {
            path: "/media/logo.svg".into(),
        },
        SourceSettings::Text(TextStyle {
            text: "Bonsoir,\nzwei Zeilen — et 🎸".into(),
            font: "Inter".into(),
            size: 96,
            bold: true,
            colour,
            outline: colour,
            outline_width: 3,
            scroll: -120,
        }),
        SourceSettings::Colour { colour },
        SourceSettings::TestCard {
            tone_hz: 440 + change,
        },
    ]
}

fn destinations(change: u32) -> Vec<Destination> {
    let url = RtmpUrl::try_from("rtmps://live.example.org:443/app".to_owned()).unwrap();
    let kinds = [
        DestinationKind::StreamCore {
            room: "nocturne".try_into().unwrap(),
        },
        DestinationKind::Rtmp {
            url,
            has_key: change.is_multiple_of(2),
        },
        DestinationKind::Recording(RecordingSettings {
            folder: Some("/home/ines/Vidéos".into()),
            container: Container::Mkv,
            split_minutes: Some(1 + change % 60),
        }),
        DestinationKind::Recording(RecordingSettings {
            folder: None,
            container: Container::Mp4,
            split_minutes: None,
        }),
    ];
    kinds
        .into_iter()
        .enumerate()
        .map(|(at, kind)| Destination {
            id: format!("destination-{at}").try_into().unwrap(),
            name: format!("Place {at} {change}"),
            enabled: (change as usize + at).is_multiple_of(2),
            kind,
        })
        .collect()
}

fn overlays(change: u32) -> Overlays {
    let mut overlays = Overlays::default();
    overlays.look.accent.red = (change % 256) as u8;
    overlays.look.font = Text::cut("Inter");
    overlays.look.places.logo = OverlayPlace::BottomRight;
    overlays.look.featured_by_itself = change.is_multiple_of(2);
    let text = |text: &str| format!("{text} « {change} »");
    let product = ProductId::try_from(format!("own-{change}")).unwrap();
    let all = [
        Overlay::ProductCard { product },
        Overlay::ChatMessage {
            message: u64::from(change),
            name: Text::cut("Ada"),
            text: Text::cut(&text("Bonsoir")),
        },
        Overlay::LowerThird {
            title: Text::cut(&text("Maya")),
            subtitle: Text::default(),
        },
        Overlay::Logo {
            path: Text::cut("/logo.png"),
        },
        Overlay::Countdown {
            label: Text::cut("Encore"),
            ends_at_ms: 1_700_000_000_000 + u64::from(change),
        },
        Overlay::Goal {
            label: Text::default(),
            value: change,
            target: change + 1,
            unit: Text::cut("€"),
        },
    ];
    for (at, overlay) in all.into_iter().enumerate() {
        overlays.set(overlay, Some((at as u32 + change).is_multiple_of(2)));
    }
    overlays
}

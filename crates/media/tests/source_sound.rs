//! Microphone and desktop sound from PulseAudio, unplugged and plugged in again.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod studio;

use std::process::Command;

use media::device::DeviceWatch;
use protocol::{Device, DeviceId, DeviceKind, ErrorCode, SourceSettings, SourceState};
use studio::{Peers, Studio, alone, rms};

fn pactl(arguments: &[&str]) {
    testkit::run_to_end(Command::new("pactl").args(arguments)).expect("pactl");
}

fn devices() -> Vec<Device> {
    DeviceWatch::start(|_| {}).devices()
}

#[test]
fn the_monitor_of_the_output_is_heard_without_gaps() {
    let name = "the_monitor_of_the_output_is_heard_without_gaps";
    if !alone(name, || Peers::sound(Some(1000))) {
        return;
    }
    media::init().expect("GStreamer is installed");
    let devices = devices();
    let monitor = devices
        .iter()
        .find(|device| device.kind == DeviceKind::DesktopAudio);
    let monitor = monitor.unwrap_or_else(|| panic!("no desktop sound in {devices:?}"));
    assert_eq!(
        (monitor.id.as_str(), monitor.default),
        ("pulse:studio.monitor", true)
    );
    for settings in [
        SourceSettings::DesktopAudio { device: None },
        SourceSettings::Microphone {
            device: Some(monitor.id.clone()),
        },
        // The system's own choice of what to record from.
        SourceSettings::Microphone { device: None },
    ] {
        let studio = Studio::start(settings.clone());
        studio.wait_live();
        studio.wait_for("two seconds of sound", || {
            let sounds = studio.sounds();
            sounds.iter().map(|s| s.duration).sum::<u64>() > 2_000_000_000
        });
        let sounds = studio.sounds();
        let settled = &sounds[sounds.len() / 4..];
        // Medians: a busy machine makes the player stutter, which is not what is asked here.
        let mut levels: Vec<f64> = settled.windows(5).map(|some| rms(some)[0]).collect();
        levels.sort_by(f64::total_cmp);
        let db = 20.0 * levels[levels.len() / 2].log10();
        // ffmpeg's sine has a peak of an eighth, and one channel into two takes 3 dB: −24.1 dBFS RMS.
        assert!(
            (-24.6..=-23.6).contains(&db),
            "{settings:?} is heard at {db} dBFS"
        );
        let steps = settled
            .windows(2)
            .map(|pair| pair[1].pts as i64 - (pair[0].pts + pair[0].duration) as i64)
            .filter(|step| step.abs() > 2_000_000);
        let steps: Vec<i64> = steps.collect();
        assert!(
            steps.len() * 20 <= settled.len(),
            "{settings:?}: steps of {steps:?} ns in {} buffers",
            settled.len()
        );
        let mut late: Vec<i64> = settled
            .iter()
            .map(|s| (s.at as i64 - s.pts as i64) / 1_000_000)
            .collect();
        late.sort_unstable();
        let late = late[late.len() / 2];
        // PulseAudio gives a busy machine up to its whole buffer of 200 ms.
        assert!(
            (-40..=250).contains(&late),
            "sound arrives {late} ms after its time"
        );
    }
}

#[test]
fn an_unplugged_microphone_waits_for_itself_and_never_becomes_another() {
    let name = "an_unplugged_microphone_waits_for_itself_and_never_becomes_another";
    if !alone(name, || Peers::sound(None)) {
        return;
    }
    media::init().expect("GStreamer is installed");
    pactl(&["load-module", "module-null-sink", "sink_name=other"]);
    // What would otherwise carry our recording over to another microphone.
    pactl(&["load-module", "module-rescue-streams"]);
    let studio = Studio::start(SourceSettings::Microphone {
        device: DeviceId::try_from("pulse:studio.monitor").ok(),
    });
    studio.wait_live();
    pactl(&["unload-module", "module-null-sink"]);
    pactl(&["load-module", "module-null-sink", "sink_name=other"]);
    studio.wait("the microphone missed", |status| {
        matches!(&status.state, SourceState::Waiting { error }
            if error.code == ErrorCode::DeviceMissing
                && error.params["device"].contains("studio")
                && error.retry_after_ms.is_some())
    });
    let count = studio.sounds().len();
    // Two tries pass by while the other one is there.
    studio.wait("a later try", |status| {
        matches!(&status.state, SourceState::Waiting { error } if error.retry_after_ms >= Some(2000))
    });
    assert_eq!(
        studio.sounds().len(),
        count,
        "another microphone must not be heard"
    );
    pactl(&[
        "load-module",
        "module-null-sink",
        "sink_name=studio",
        "rate=48000",
        "channels=2",
    ]);
    studio.wait_live();
    studio.wait_for("sound again", || studio.sounds().len() > count + 20);
}

#[test]
fn without_any_device_the_list_is_empty_and_a_source_says_what_is_missing() {
    let name = "without_any_device_the_list_is_empty_and_a_source_says_what_is_missing";
    let nothing = || Peers {
        variables: vec![
            ("PULSE_SERVER", "unix:/nowhere".to_owned()),
            ("DISPLAY", String::new()),
        ],
        ..Peers::default()
    };
    if !alone(name, nothing) {
        return;
    }
    media::init().expect("GStreamer is installed");
    assert_eq!(devices(), []);
    for settings in [
        SourceSettings::Camera { device: None },
        SourceSettings::Microphone { device: None },
        SourceSettings::Screen {
            device: None,
            cursor: true,
        },
    ] {
        let studio = Studio::start(settings);
        studio.wait("its absence said", |status| {
            matches!(&status.state, SourceState::Waiting { error } if error.code == ErrorCode::DeviceMissing)
        });
    }
}

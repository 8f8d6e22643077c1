//! A media file as a source: rate, channels, loop, pause, seek.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod studio;

use std::process::Command;

use protocol::{SourceSettings, SourceState};
use studio::{Studio, frame_number, rms};

fn file(path: &std::path::Path, looping: bool) -> SourceSettings {
    SourceSettings::File {
        path: path.to_str().expect("UTF-8").to_owned(),
        looping,
    }
}

/// Makes a short medium with ffmpeg. `arguments` are inputs, filters and codecs.
fn made(name: &str, arguments: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y"]).args(arguments).arg(&path);
    testkit::run_to_end(&mut ffmpeg).expect("ffmpeg makes the medium");
    (folder, path)
}

#[test]
fn twenty_five_frames_become_exactly_thirty_and_six_channels_two() {
    let clip = testkit::test_clip().expect("the clip");
    let studio = Studio::start(file(&clip, false));
    studio.wait_live();
    studio.wait_for("three seconds of pictures and sound", || {
        studio.pictures().len() > 95 && studio.sounds().last().is_some_and(|s| s.pts > 3_300_000_000)
    });
    let pictures = studio.pictures();
    let numbers: Vec<u64> = pictures.iter().map(|picture| frame_number(picture.pts)).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "frames are missing or doubled: {numbers:?}"
    );
    let last = pictures.last().expect("pictures");
    assert_eq!((last.format().as_str(), last.size()), ("I420", (640, 360)));
    assert!(
        last.caps.to_string().contains("colorimetry=(string)bt709"),
        "{} must say its colours",
        last.caps
    );
    // Early enough for the mixer, not so early that the consumer's queue drops it.
    let lead: Vec<i64> = pictures[5..]
        .iter()
        .map(|p| (p.pts as i64 - p.at as i64) / 1_000_000)
        .collect();
    assert!(
        lead.iter().filter(|ms| (0..=80).contains(*ms)).count() * 3 >= lead.len() * 2,
        "pictures leave {lead:?} ms ahead"
    );
    let sounds = studio.sounds();
    let first_sound = sounds.first().expect("sound").pts;
    let skew = first_sound.abs_diff(pictures[0].pts);
    assert!(skew < 34_000_000, "sound and picture start {skew} ns apart");
    for pair in sounds.windows(2) {
        let gap = pair[1].pts.abs_diff(pair[0].pts + pair[0].duration);
        assert!(gap < 1_000_000, "a gap of {gap} ns in the sound");
    }
    let status = studio.source.status();
    assert!(status.sounds && !status.paused);
    assert_eq!(status.frame.map(|f| (f.width, f.height)), Some((640, 360)));
    assert!(status.duration_ms.is_some_and(|ms| ms > 3000));
    assert!(studio.source.latest_frame().is_some());
}

#[test]
fn a_clip_loops_without_a_gap_in_its_sound() {
    // Two seconds of a steady tone and a picture that is shorter than its sound, as cameras write it.
    let (_folder, path) = made(
        "loop.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=1.96",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=1000:sample_rate=48000:d=2",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
        ],
    );
    let studio = Studio::start(file(&path, true));
    studio.wait_live();
    let begin = studio.sounds().first().map_or(0, |s| s.pts);
    studio.wait_for("three turns", || {
        studio
            .sounds()
            .last()
            .is_some_and(|s| s.pts > begin + 6_800_000_000)
    });
    let sounds = studio.sounds();
    for pair in sounds.windows(2) {
        let gap = pair[1].pts as i64 - (pair[0].pts + pair[0].duration) as i64;
        assert!(gap.abs() < 1_000_000, "a step of {gap} ns in the sound's time");
    }
    // The tone never stops: every 10 ms have their level, across all seams.
    let samples: Vec<f32> = sounds.iter().flat_map(|s| s.samples()).step_by(2).collect();
    let quiet = samples[9600..]
        .chunks_exact(480)
        .filter(|chunk| chunk.iter().map(|s| s * s).sum::<f32>() / 480.0 < 1e-4)
        .count();
    // AAC's own padding at a file's two ends may cost a packet's part, not more.
    assert!(
        quiet <= 3 * 5,
        "{quiet} of the 10 ms blocks are silent in three turns"
    );
    let numbers: Vec<u64> = studio
        .pictures()
        .iter()
        .map(|picture| frame_number(picture.pts))
        .collect();
    // A busy machine may hold a picture at a seam for a moment; the sound above never has a hole.
    let span = numbers[numbers.len() - 1] - numbers[0] + 1;
    let missing = span - numbers.len() as u64;
    assert!(
        missing * 7 <= span,
        "{missing} of {span} frames missing over three turns"
    );
}

#[test]
fn the_test_clip_with_six_channels_loops_as_well() {
    let clip = testkit::test_clip().expect("the clip");
    let studio = Studio::start(file(&clip, true));
    studio.wait_live();
    let length = u64::from(studio.source.status().duration_ms.unwrap_or(5312)) * 1_000_000;
    let begin = studio.sounds().first().map_or(0, |s| s.pts);
    let until = begin + 2 * length + 1_000_000_000;
    studio.wait_for("the third turn", || {
        studio.sounds().last().is_some_and(|s| s.pts > until)
    });
    let sounds = studio.sounds();
    for pair in sounds.windows(2) {
        let step = pair[1].pts as i64 - (pair[0].pts + pair[0].duration) as i64;
        assert!(step.abs() < 1_000_000, "a step of {step} ns in the sound's time");
    }
    let numbers: Vec<u64> = studio.pictures().iter().map(|p| frame_number(p.pts)).collect();
    let span = numbers[numbers.len() - 1] - numbers[0] + 1;
    let missing = span - numbers.len() as u64;
    assert!(
        missing * 7 <= span,
        "{missing} of {span} frames missing over two seams"
    );
}

#[test]
fn each_channel_arrives_at_its_level() {
    // One channel of 5.1 at a time sounds at −20 dBFS RMS-ish amplitude 0.1.
    for (channel, expected) in [
        ("FL", [1.0, 0.0]),
        ("FC", [0.707, 0.707]),
        ("LFE", [0.0, 0.0]),
        ("BL", [0.707, 0.0]),
        ("BR", [0.0, 0.707]),
    ] {
        let pan = format!(
            "aevalsrc=0.1*sin(2*PI*1000*t):d=2:s=44100,pan=5.1|{}",
            ["FL", "FR", "FC", "LFE", "BL", "BR"]
                .map(|name| format!("{name}={}*c0", if name == channel { 1 } else { 0 }))
                .join("|")
        );
        let (_folder, path) = made("six.wav", &["-f", "lavfi", "-i", &pan, "-c:a", "pcm_s24le"]);
        let studio = Studio::start(file(&path, false));
        studio.wait_live();
        studio.wait_for("a second of sound", || studio.sounds().len() > 20);
        let sounds = studio.sounds();
        let [left, right] = rms(&sounds[5..]);
        let full = 0.1 / 2f64.sqrt();
        for (found, factor) in [(left, expected[0]), (right, expected[1])] {
            assert!(
                (found / full - factor).abs() < 0.02,
                "{channel}: {found} is not {factor} × {full}"
            );
        }
        assert!(studio.pictures().is_empty(), "sound alone has no picture");
    }
}

#[test]
fn pause_holds_the_picture_seek_moves_it_and_the_end_is_said() {
    let clip = testkit::test_clip().expect("the clip");
    let studio = Studio::start(file(&clip, false));
    studio.wait_live();
    studio.source.pause(true);
    studio.wait("paused", |status| status.paused);
    let place = studio.source.status().position_ms;
    let count = studio.pictures().len();
    studio.wait_for("the last picture repeated for newcomers", || {
        studio.pictures().len() > count + 5
    });
    assert_eq!(
        studio.source.status().position_ms,
        place,
        "paused means that it stands"
    );
    let quiet_from = studio.sounds().len();
    studio.source.seek(4000);
    studio.wait("the new place", |status| {
        status.position_ms.is_some_and(|ms| ms >= 3900)
    });
    assert_eq!(studio.sounds().len(), quiet_from, "a paused medium is silent");
    studio.source.pause(false);
    studio.wait("playing on", |status| {
        !status.paused && status.position_ms.is_some_and(|ms| ms > 4300)
    });
    let numbers: Vec<u64> = studio.pictures().iter().map(|p| frame_number(p.pts)).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[1] > pair[0]),
        "time never goes back"
    );
    let duration = studio.source.status().duration_ms.expect("a length");
    studio.source.seek(duration - 500);
    studio.wait("the end", |status| {
        status.paused && status.position_ms == Some(duration)
    });
    assert_eq!(
        studio.source.status().state,
        SourceState::Live,
        "an end is no error"
    );
    studio.source.pause(false);
    studio.wait("again from the start", |status| {
        !status.paused && status.position_ms.is_some_and(|ms| (100..3000).contains(&ms))
    });
}

#[test]
fn odd_shapes_are_made_square_and_lying_pictures_are_turned() {
    let (_folder, path) = made(
        "pal.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=720x576:r=50:d=2,setsar=64/45",
            "-c:v",
            "libx264",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let studio = Studio::start(file(&path, true));
    studio.wait_live();
    studio.wait_for("pictures", || studio.pictures().len() > 20);
    let sizes: Vec<_> = studio.pictures().iter().map(|picture| picture.size()).collect();
    assert_eq!(sizes[15], (640, 360), "720×576 at 64:45 is 16:9");
    assert!(!studio.source.status().sounds, "no sound where none is");
    // As a telephone writes it: lying, with a note that it must be turned.
    let turned = path.with_file_name("turned.mp4");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-i"]).arg(&path);
    ffmpeg
        .args(["-c", "copy", "-metadata:s:v:0", "rotate=90"])
        .arg(&turned);
    testkit::run_to_end(&mut ffmpeg).expect("a note in the file");
    let studio = Studio::start(file(&turned, true));
    studio.wait_live();
    studio.wait_for("pictures", || studio.pictures().len() > 20);
    let (width, height) = studio.pictures()[15].size();
    assert!(height == 360 && width < height, "upright, not {width}×{height}");
}

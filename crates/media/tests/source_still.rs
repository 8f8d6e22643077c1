//! What the studio draws itself, and sound against picture.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the helpers of tests fail as tests do"
)]

mod studio;

use std::process::Command;

use protocol::{SourceSettings, TextStyle};
use studio::{Studio, frame_number, rms};

fn style(text: &str, scroll: i32) -> TextStyle {
    serde_json::from_value(serde_json::json!({
        "text": text, "font": "DejaVu Sans", "size": 120, "bold": true, "colour": "#ffffff",
        "outline": "#000000", "outline_width": 2, "scroll": scroll
    }))
    .expect("a style")
}

#[test]
fn the_test_card_is_live_on_the_grid_with_its_tone_at_minus_twenty() {
    let studio = Studio::start(SourceSettings::TestCard { tone_hz: 1000 });
    studio.wait_live();
    studio.wait_for("two seconds", || studio.pictures().len() > 60);
    let pictures = studio.pictures();
    let numbers: Vec<u64> = pictures.iter().map(|p| frame_number(p.pts)).collect();
    // A frame whose time has passed while the machine was busy is left out; that is the exception.
    let span = numbers[numbers.len() - 1] - numbers[0] + 1;
    assert!(numbers.windows(2).all(|pair| pair[1] > pair[0]), "{numbers:?}");
    assert!(
        numbers.len() as u64 * 10 >= span * 9,
        "{} of {span} frames",
        numbers.len()
    );
    let bars: Vec<[u8; 3]> = (0..7)
        .map(|n| pictures[59].yuv((f64::from(n) + 0.5) / 7.0, 0.1))
        .collect();
    assert!(
        bars.windows(2).all(|pair| pair[0][0] > pair[1][0]),
        "bars fall in brightness: {bars:?}"
    );
    let early = pictures[5..].iter().filter(|p| p.at <= p.pts).count();
    assert!(
        early * 3 >= (pictures.len() - 5) * 2,
        "{early} of {} come in time",
        pictures.len()
    );
    let sounds = studio.sounds();
    for pair in sounds.windows(2) {
        assert!(
            pair[1].pts.abs_diff(pair[0].pts + pair[0].duration) < 100_000,
            "a gap in the tone"
        );
    }
    let [left, right] = rms(&sounds);
    let expected = 0.1 / 2f64.sqrt();
    assert!(
        (left - expected).abs() < 0.001 && (right - expected).abs() < 0.001,
        "{left} {right}"
    );
}

#[test]
fn words_have_alpha_scroll_and_change_without_a_new_producer() {
    let studio = Studio::start(SourceSettings::Text(style("Hello", 0)));
    studio.wait_live();
    studio.wait_for("words", || !studio.pictures().is_empty());
    let still = studio.pictures().pop().expect("a picture");
    assert_eq!(still.format(), "A420");
    let producer = studio.source.video().cloned();
    studio
        .source
        .change(SourceSettings::Text(style("Hello", 300)))
        .expect("changed");
    studio.wait_for("a strip as wide as the canvas", || {
        studio
            .pictures()
            .last()
            .is_some_and(|picture| picture.size().0 == 640)
    });
    let count = studio.pictures().len();
    studio.wait_for("a second of walking", || studio.pictures().len() > count + 30);
    let walked = studio.pictures();
    let luma = |n: usize| walked[n].buffer.map_readable().expect("memory").to_vec();
    assert_ne!(luma(walked.len() - 1), luma(walked.len() - 11), "the words walk");
    assert_eq!(studio.source.video().cloned(), producer, "consumers stay linked");
    assert!(
        studio
            .source
            .change(SourceSettings::TestCard { tone_hz: 0 })
            .is_err(),
        "another kind"
    );
}

#[test]
fn sound_and_picture_stay_together_and_the_sound_can_be_moved() {
    // A white flash and a beep every second, at the same moment.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flash.mkv");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("color=black:s=320x180:r=30:d=6,drawbox=c=white:t=fill:enable='lt(mod(t,1),0.1)'")
        .args([
            "-f",
            "lavfi",
            "-i",
            "aevalsrc='0.5*sin(2*PI*1000*t)*lt(mod(t,1),0.1)':d=6:s=48000",
        ])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"])
        .arg(&path);
    testkit::run_to_end(&mut ffmpeg).expect("flash and beep");
    let settings = SourceSettings::File {
        path: path.to_str().expect("UTF-8").to_owned(),
        looping: true,
    };
    for (offset_ms, from_ms, to_ms) in [(0, -20.0, 20.0), (500, 480.0, 520.0), (-200, -220.0, -180.0)] {
        let studio = Studio::start(settings.clone());
        studio.source.set_sync_offset(offset_ms);
        studio.wait_live();
        // Pictures are kept whole for a second only, so the flash is looked for as it comes.
        let mut flash = None;
        studio.wait_for("a second", || studio.pictures().len() > 20);
        let from = studio.pictures().last().expect("pictures").pts;
        let mut dark = false;
        let flash_at = testkit::wait_for("a flash", std::time::Duration::from_secs(10), || {
            for picture in studio.pictures().into_iter().rev().take(15).rev() {
                if picture.pts <= flash.unwrap_or(from) {
                    continue;
                }
                flash = Some(picture.pts);
                let light = picture.yuv(0.5, 0.5)[0] > 128;
                if light && dark {
                    return Some(picture.pts);
                }
                dark = !light;
            }
            None
        })
        .expect("flashes");
        studio.wait_for("its beep", || {
            studio
                .sounds()
                .last()
                .is_some_and(|s| s.pts > flash_at + 800_000_000)
        });
        let beep_at = beeps(&studio)
            .into_iter()
            .map(|beep| (beep - flash_at as f64) / 1e6)
            .filter(|ms| (-500.0..800.0).contains(ms))
            .min_by(|a, b| {
                (a - f64::from(offset_ms))
                    .abs()
                    .total_cmp(&(b - f64::from(offset_ms)).abs())
            });
        let skew = beep_at.expect("a beep near the flash");
        assert!(
            (from_ms..=to_ms).contains(&skew),
            "with {offset_ms} ms the beep is {skew:.1} ms after the flash"
        );
    }
}

/// Starts of beeps, in ns of running time.
fn beeps(studio: &Studio) -> Vec<f64> {
    let mut starts = Vec::new();
    let mut quiet = 0;
    for sound in studio.sounds() {
        for (n, frame) in sound.samples().chunks_exact(2).enumerate() {
            if frame[0].abs() > 0.1 {
                if quiet > 4800 {
                    starts.push(sound.pts as f64 + n as f64 * 1e9 / 48_000.0);
                }
                quiet = 0;
            } else {
                quiet += 1;
            }
        }
    }
    starts
}

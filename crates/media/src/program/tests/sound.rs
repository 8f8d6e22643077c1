//! How loud, and when.

use super::*;

fn controls(gain: f32, muted: bool, pan: f32) -> AudioControls {
    AudioControls {
        gain: Db::clamped(gain),
        muted,
        pan,
        ..AudioControls::default()
    }
}

/// Levels of 200 ms of the program.
fn levels(watcher: &Watcher) -> [f32; 2] {
    let mut peak = [0f32; 2];
    for _ in 0..10 {
        let (buffer, _) = watcher.next();
        let map = buffer.map_readable().expect("readable");
        for (i, sample) in map.chunks_exact(4).enumerate() {
            let sample = f32::from_le_bytes(sample.try_into().expect("four bytes"));
            peak[i % 2] = peak[i % 2].max(sample.abs());
        }
    }
    peak.map(|peak| Db::from_amplitude(peak).value())
}

#[track_caller]
fn settles(watcher: &Watcher, left: f32, right: f32, what: &str) {
    let end = Instant::now() + DEADLINE;
    loop {
        let [l, r] = levels(watcher);
        if (l - left).abs() < 0.2 && (r - right).abs() < 0.2 {
            return;
        }
        assert!(
            Instant::now() < end,
            "{what}: {l} and {r} dB, not {left} and {right}"
        );
    }
}

const SILENT: f32 = -96.0;

#[test]
fn gain_mute_pan_and_master_are_heard() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.audio());
    let tone = TestSource::sine("tone", 1000, -20.0);
    let hear = |controls| program.sound(vec![tone.input(controls)], Transition::Cut);
    settles(&watcher, SILENT, SILENT, "nothing yet");
    hear(controls(0.0, false, 0.0));
    settles(&watcher, -20.0, -20.0, "unchanged");
    hear(controls(6.0, false, 0.0));
    settles(&watcher, -14.0, -14.0, "6 dB up");
    hear(controls(-10.0, false, 1.0));
    settles(&watcher, SILENT, -30.0, "right");
    hear(controls(0.0, false, -0.5));
    settles(&watcher, -20.0, -23.0, "half left");
    hear(controls(0.0, true, 0.0));
    settles(&watcher, SILENT, SILENT, "muted");
    hear(controls(0.0, false, 0.0));
    program.set_master(Db::clamped(-6.0), false);
    settles(&watcher, -26.0, -26.0, "the master down");
    program.set_master(Db::ZERO, true);
    settles(&watcher, SILENT, SILENT, "the master muted");
    program.set_master(Db::ZERO, false);
    settles(&watcher, -20.0, -20.0, "the master back");
    program.sound(Vec::new(), Transition::Cut);
    settles(&watcher, SILENT, SILENT, "gone");
}

#[test]
fn the_master_never_passes_minus_one_and_the_meter_reads_it() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.audio());
    let a = TestSource::sine("a", 1000, -3.0);
    let b = TestSource::sine("b", 1500, -3.0);
    program.sound(
        vec![
            a.input(controls(6.0, false, 0.0)),
            b.input(controls(6.0, false, 0.0)),
        ],
        Transition::Cut,
    );
    settles(&watcher, -1.0, -1.0, "limited");
    program.master_levels();
    for _ in 0..20 {
        let [left, right] = levels(&watcher);
        assert!(left <= -0.99 && right <= -0.99, "{left} and {right} dB");
    }
    let levels = program.master_levels();
    assert!((levels.left.peak.value() + 1.0).abs() < 0.1, "{levels:?}");
    assert!(
        program
            .master_loudness()
            .momentary
            .is_some_and(|lufs| lufs > -10.0)
    );
}

#[test]
fn sound_has_no_gap_whatever_comes_and_goes() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.audio());
    let mut next = None;
    let mut chunks = |count: usize| {
        for _ in 0..count {
            let (buffer, caps) = watcher.next();
            assert_eq!(buffer.size(), 960 * 8);
            let pts = buffer.pts().expect("a time");
            assert_eq!(pts.nseconds() % 20_000_000, 0, "on the grid of 20 ms");
            if let Some(next) = next.replace(pts + buffer.duration().expect("a duration")) {
                assert_eq!(pts, next, "a gap");
            }
            let info = gst_audio::AudioInfo::from_caps(&caps).expect("raw sound");
            assert_eq!((info.rate(), info.channels()), (48_000, 2));
            assert_eq!(info.format(), gst_audio::AUDIO_FORMAT_F32);
        }
    };
    chunks(5);
    let tone = TestSource::sine("tone", 1000, -20.0);
    let dead = TestSource::start("dead", "appsrc ! audio/x-raw,format=F32LE,rate=48000,channels=2");
    let wrong = TestSource::start(
        "wrong",
        "audiotestsrc is-live=true ! audio/x-raw,format=S16LE,rate=44100,channels=1",
    );
    let inputs = [&tone, &dead, &wrong].map(|source| source.input(AudioControls::default()));
    program.sound(inputs.into(), Transition::Fade { ms: 200 });
    chunks(30);
    tone.pipeline.set_state(gst::State::Null).expect("stops");
    chunks(70);
    clock().govern(&tone.pipeline);
    tone.pipeline.set_state(gst::State::Playing).expect("starts");
    chunks(20);
    program.sound(Vec::new(), Transition::Fade { ms: 200 });
    chunks(20);
}

#[test]
fn a_crossfade_swaps_two_sources_without_a_hole() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.audio());
    let a = TestSource::sine("a", 1000, -20.0);
    let b = TestSource::sine("b", 1500, -20.0);
    program.sound(vec![a.input(controls(0.0, false, -1.0))], Transition::Cut);
    settles(&watcher, -20.0, SILENT, "the first");
    program.sound(
        vec![b.input(controls(0.0, false, 1.0))],
        Transition::Fade { ms: 1000 },
    );
    let mut crossed = false;
    let end = Instant::now() + DEADLINE;
    loop {
        let [left, right] = levels(&watcher);
        assert!(left.max(right) > -24.0, "a hole: {left} and {right} dB");
        crossed |= (left - right).abs() < 6.0;
        if left == SILENT && (right + 20.0).abs() < 0.2 {
            break;
        }
        assert!(Instant::now() < end, "never across: {left} and {right} dB");
    }
    assert!(crossed, "both were heard on the way");
}

/// A click at a known time comes out at that time: the limiter's look-ahead is taken off.
#[test]
fn sound_keeps_its_time_to_the_sample() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.audio());
    let source = TestSource::start(
        "clicks",
        "appsrc name=in format=time is-live=true ! audio/x-raw,format=F32LE,rate=48000,channels=2,layout=interleaved",
    );
    program.sound(vec![source.input(AudioControls::default())], Transition::Cut);
    let appsrc = source
        .pipeline
        .by_name("in")
        .and_downcast::<gst_app::AppSrc>()
        .expect("a source");
    let (first, _) = watcher.next();
    // Far enough ahead to be in time on a slow machine; half a chunk off the grid.
    let start = first.pts().expect("a time") + gst::ClockTime::from_mseconds(510);
    let mut samples = vec![0f32; 4800 * 2];
    samples[2000..2002].fill(0.5);
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut buffer = gst::Buffer::from_slice(bytes);
    buffer.get_mut().expect("mine").set_pts(start);
    appsrc.push_buffer(buffer).expect("taken");
    let wanted = start.nseconds() * 48 / 1_000_000 + 1000;
    let end = Instant::now() + DEADLINE;
    loop {
        let (buffer, _) = watcher.next();
        let first = buffer.pts().expect("a time").nseconds() * 48 / 1_000_000;
        let map = buffer.map_readable().expect("readable");
        let heard = map
            .chunks_exact(8)
            .position(|frame| f32::from_le_bytes(frame[..4].try_into().expect("four bytes")) > 0.4);
        if let Some(position) = heard {
            assert_eq!(first + position as u64, wanted);
            return;
        }
        assert!(Instant::now() < end, "the click was never heard");
    }
}

//! When: the grid, cuts, fades, and sources that fail.

use super::*;

/// Checks that frames follow each other on the grid of 30 frames a second, without a gap.
struct Grid(Option<u64>);

impl Grid {
    fn check(&mut self, buffer: &gst::BufferRef, caps: &gst::CapsRef) {
        let pts = buffer.pts().expect("a time").nseconds();
        let number = (pts * 30 + 500_000_000) / 1_000_000_000;
        assert_eq!(pts, number * 1_000_000_000 / 30, "off the grid");
        let end = pts + buffer.duration().expect("a duration").nseconds();
        assert_eq!(end, (number + 1) * 1_000_000_000 / 30, "the next follows at once");
        if let Some(before) = self.0.replace(number) {
            assert_eq!(number, before + 1, "a gap, or one twice");
        }
        let s = caps.structure(0).expect("caps");
        assert_eq!(s.get::<&str>("format"), Ok("I420"));
        assert_eq!(s.get::<gst::Fraction>("framerate"), Ok(gst::Fraction::new(30, 1)));
        assert_eq!(s.get::<&str>("colorimetry"), Ok("bt709"));
        assert_eq!(
            s.get::<gst::Fraction>("pixel-aspect-ratio"),
            Ok(gst::Fraction::new(1, 1))
        );
    }
}

#[test]
fn the_grid_holds_whatever_comes_goes_and_fails() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let mut grid = Grid(None);
    let mut frames = |count: usize| {
        for _ in 0..count {
            let (buffer, caps) = watcher.next();
            grid.check(&buffer, &caps);
            let late = clock()
                .running_time()
                .saturating_sub(buffer.pts().expect("a time"));
            assert!(
                late < gst::ClockTime::from_seconds(1),
                "the program is {late} behind"
            );
        }
    };
    frames(5);
    let red = TestSource::colour("red", RED_ARGB, 640, 360);
    program.show(layout([red.item(Placement::default())]), Transition::Cut);
    frames(10);
    // Another size in the middle, without asking.
    let other: gst::Caps = "video/x-raw,format=NV12,width=200,height=300,framerate=30/1"
        .parse()
        .expect("caps");
    let filter = red
        .pipeline
        .iterate_all_by_element_factory_name("capsfilter")
        .next();
    let filter = filter.expect("no error").expect("a caps filter");
    filter.set_property("caps", &other);
    frames(10);
    red.pipeline.set_state(gst::State::Null).expect("stops");
    frames(45);
    clock().govern(&red.pipeline);
    red.pipeline.set_state(gst::State::Playing).expect("starts");
    frames(10);
    // A source that never gives anything, one that breaks at once, and one that ends.
    let dead = TestSource::start(
        "dead",
        "appsrc ! video/x-raw,format=I420,width=64,height=64,framerate=30/1",
    );
    let broken = TestSource::start(
        "broken",
        "filesrc location=/nonexistent ! decodebin ! videoconvert",
    );
    let ended = TestSource::start(
        "ended",
        "videotestsrc num-buffers=3 is-live=true ! video/x-raw,format=I420,framerate=30/1",
    );
    let sources = [&dead, &broken, &ended];
    program.show(
        layout(sources.map(|source| source.item(Placement::default()))),
        Transition::Cut,
    );
    frames(40);
    program.show(Layout::default(), Transition::Fade { ms: 100 });
    frames(10);
    drop((dead, broken, ended, red));
    frames(5);
    let counters = program.counters();
    assert!(counters.frames >= 135, "{counters:?}");
    assert!((20.0..=30.0).contains(&counters.fps), "{counters:?}");
}

#[test]
fn a_cut_lands_on_one_frame_with_all_its_items() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let sources: Vec<_> = [
        ("a", RED_ARGB),
        ("b", GREEN_ARGB),
        ("c", BLUE_ARGB),
        ("d", WHITE_ARGB),
    ]
    .iter()
    .map(|(id, colour)| TestSource::colour(id, *colour, 160, 90))
    .collect();
    let quarters = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)];
    let scene = |shift: usize| {
        layout(
            quarters
                .iter()
                .enumerate()
                .map(|(i, (x, y))| sources[(i + shift) % 4].item(boxed(*x, *y, 0.5, 0.5))),
        )
    };
    let centres = [(80, 45), (240, 45), (80, 135), (240, 135)];
    let colours = [RED, GREEN, BLUE, WHITE];
    let shows = |frame: &TestFrame, shift: usize| {
        (0..4).all(|i| frame.is(centres[i].0, centres[i].1, colours[(i + shift) % 4]))
    };
    let black = |frame: &TestFrame| centres.iter().all(|(x, y)| frame.is(*x, *y, BLACK));
    program.show(scene(0), Transition::Cut);
    // New sources too come all at once, although each begins when it likes.
    watcher.frame_until("the first scene", |frame| {
        assert!(shows(frame, 0) || black(frame), "half a scene on air");
        shows(frame, 0)
    });
    for turn in 1..6 {
        program.show(scene(turn), Transition::Cut);
        watcher.frame_until("the next scene", |frame| {
            let (old, new) = (shows(frame, turn - 1), shows(frame, turn));
            assert!(old != new, "neither the old scene nor the new");
            new
        });
    }
}

#[test]
fn a_fade_goes_evenly_from_one_to_the_other_and_says_when_it_is_over() {
    let (program, events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let red = TestSource::colour("red", RED_ARGB, 320, 180);
    let white = TestSource::colour("white", WHITE_ARGB, 320, 180);
    program.show(layout([red.item(Placement::default())]), Transition::Cut);
    watcher.frame_until("red", |frame| near(frame.middle(), RED));
    program.show(
        layout([white.item(Placement::default())]),
        Transition::Fade { ms: 500 },
    );
    let mut lumas = vec![RED[0]];
    watcher.frame_until("white", |frame| {
        if !near(frame.middle(), RED) {
            lumas.push(frame.middle()[0]);
        }
        near(frame.middle(), WHITE)
    });
    assert!((15..=17).contains(&lumas.len()), "15 mixed frames: {lumas:?}");
    assert!(
        lumas.windows(2).all(|pair| pair[1] > pair[0]),
        "always nearer: {lumas:?}"
    );
    let middle = lumas[lumas.len() / 2];
    assert!(
        middle.abs_diff(between(RED, WHITE)[0]) <= 10,
        "half way it is a mixture: {lumas:?}"
    );
    let event = events.recv_timeout(DEADLINE).expect("the end is told");
    assert!(matches!(event, ProgramEvent::FadeEnded), "{event:?}");
}

#[test]
fn a_fade_that_is_overtaken_goes_on_from_where_it_was() {
    let (program, events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let sources = [
        TestSource::colour("red", RED_ARGB, 320, 180),
        TestSource::colour("white", WHITE_ARGB, 320, 180),
        TestSource::colour("blue", BLUE_ARGB, 320, 180),
    ];
    let only = |i: usize| layout([sources[i].item(Placement::default())]);
    program.show(only(0), Transition::Cut);
    watcher.frame_until("red", |frame| near(frame.middle(), RED));
    program.show(only(1), Transition::Fade { ms: 2000 });
    watcher.frame_until("half white", |frame| frame.middle()[0] > 120);
    program.show(only(2), Transition::Fade { ms: 500 });
    let mut previous = None;
    watcher.frame_until("blue", |frame| {
        let luma = frame.middle()[0];
        if let Some(previous) = previous.replace(luma) {
            assert!(luma.abs_diff(previous) < 30, "a jump from {previous} to {luma}");
        }
        near(frame.middle(), BLUE)
    });
    assert!(matches!(
        events.recv_timeout(DEADLINE),
        Ok(ProgramEvent::FadeEnded)
    ));
    // A cut ends a fade too, even one that has not begun.
    program.show(only(0), Transition::Fade { ms: 2000 });
    program.show(only(1), Transition::Cut);
    watcher.frame_until("white", |frame| near(frame.middle(), WHITE));
    assert!(matches!(
        events.recv_timeout(DEADLINE),
        Ok(ProgramEvent::FadeEnded)
    ));
}

#[test]
fn the_same_layout_again_does_not_disturb_a_fade() {
    let (program, events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let red = TestSource::colour("red", RED_ARGB, 320, 180);
    let white = TestSource::colour("white", WHITE_ARGB, 320, 180);
    let only = |source: &TestSource| layout([source.item(Placement::default())]);
    program.show(only(&red), Transition::Cut);
    watcher.frame_until("red", |frame| near(frame.middle(), RED));
    program.show(only(&white), Transition::Fade { ms: 1000 });
    let mut mixed = 0;
    watcher.frame_until("white", |frame| {
        // Somebody moves a fader meanwhile, and the whole arrangement is sent again.
        program.show(only(&white), Transition::Cut);
        mixed += usize::from(!near(frame.middle(), RED) && !near(frame.middle(), WHITE));
        near(frame.middle(), WHITE)
    });
    assert!(mixed > 20, "the fade was cut short after {mixed} frames");
    assert!(matches!(
        events.recv_timeout(DEADLINE),
        Ok(ProgramEvent::FadeEnded)
    ));
    program.show(only(&white), Transition::Fade { ms: 1000 });
    assert!(
        matches!(events.recv_timeout(DEADLINE), Ok(ProgramEvent::FadeEnded)),
        "a fade to what is there is over at once, but it is"
    );
}

/// A picture that is the canvas already is not copied, and leaves with the program's time, not its own.
#[test]
fn a_picture_of_the_canvas_goes_through_untouched_on_the_grid() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let source = TestSource::start(
        "ball",
        "videotestsrc is-live=true pattern=ball timestamp-offset=7000000 \
         ! video/x-raw,format=I420,width=320,height=180,framerate=30/1,colorimetry=bt709",
    );
    let own = Watcher::of(&source.producer);
    program.show(layout([source.item(Placement::default())]), Transition::Cut);
    let memory = |buffer: &gst::BufferRef| buffer.peek_memory(0).as_ptr() as usize;
    let mut known = std::collections::HashSet::new();
    let mut kept = Vec::new();
    let mut grid = Grid(None);
    let mut untouched = 0;
    let end = Instant::now() + DEADLINE;
    while untouched < 10 {
        let (buffer, caps) = watcher.next();
        grid.check(&buffer, &caps);
        while let Ok((buffer, _)) = own.seen.try_recv() {
            known.insert(memory(&buffer));
            // As long as it lives, its address is its own.
            kept.push(buffer);
        }
        untouched += usize::from(known.contains(&memory(&buffer)));
        assert!(Instant::now() < end, "the picture is copied");
    }
}

/// A file that starts again has an offset on its sink's pad; its frames must count at their shifted time.
#[test]
fn an_offset_of_the_sinks_pad_counts() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let red = TestSource::colour("red", RED_ARGB, 320, 180);
    program.show(layout([red.item(Placement::default())]), Transition::Cut);
    watcher.frame_until("red", |frame| near(frame.middle(), RED));
    let late = TestSource::start(
        "late",
        "videotestsrc is-live=true pattern=solid-color foreground-color=0xffffffff \
         ! video/x-raw,format=I420,width=320,height=180,framerate=30/1,colorimetry=bt709",
    );
    late.pipeline.set_state(gst::State::Null).expect("stops");
    let pad = late.producer.appsink().static_pad("sink").expect("a pad");
    pad.set_offset(500_000_000);
    clock().govern(&late.pipeline);
    program.show(
        layout([red.item(Placement::default()), late.item(Placement::default())]),
        Transition::Cut,
    );
    late.pipeline.set_state(gst::State::Playing).expect("starts");
    let started = clock().running_time();
    let frame = watcher.frame_until("white", |frame| near(frame.middle(), WHITE));
    let shown = frame.0.buffer().pts().expect("a time");
    let after = shown.saturating_sub(started);
    assert!(
        (480..700).contains(&after.mseconds()),
        "half a second later, not {after}"
    );
}

//! What lies over the picture.

use std::sync::Arc;

use protocol::OverlayKind;
use resvg::tiny_skia::Pixmap;

use super::*;
use crate::program::{OverlayPicture, PlacedOverlay};

fn panel(rgba: [u8; 4], x: usize, y: usize) -> PlacedOverlay {
    let mut pixmap = Pixmap::new(80, 40).expect("a size");
    for pixel in pixmap.data_mut().chunks_exact_mut(4) {
        pixel.copy_from_slice(&rgba);
    }
    PlacedOverlay {
        kind: OverlayKind::LowerThird,
        picture: Arc::new(OverlayPicture::from_pixmap(&pixmap)),
        x,
        y,
        slide: 20,
    }
}

const OPAQUE_WHITE: [u8; 4] = [255; 4];

/// Watches every frame's number.
struct Count(Option<u64>, u32);

impl Count {
    fn take(&mut self, frame: &TestFrame) {
        let number = frame.0.buffer().offset();
        if let Some(before) = self.0.replace(number) {
            assert_eq!(number, before + 1, "a frame is missing, or there twice");
        }
        self.1 += 1;
    }
}

#[test]
fn an_overlay_comes_and_goes_over_every_scene_and_no_frame_is_missing() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let red = TestSource::colour("red", RED_ARGB, 320, 180);
    let blue = TestSource::colour("blue", BLUE_ARGB, 320, 180);
    program.show(layout([red.item(Placement::default())]), Transition::Cut);
    watcher.frame_until("red", |frame| near(frame.middle(), RED));
    let before = program.counters().late_frames;
    let mut count = Count(None, 0);

    program.overlays().show(vec![panel(OPAQUE_WHITE, 40, 100)]);
    let mut seen = Vec::new();
    watcher.frame_until("the overlay has come", |frame| {
        count.take(frame);
        seen.push(frame.at(80, 128)[0]);
        frame.is(80, 120, WHITE) && frame.is(41, 101, WHITE) && frame.is(118, 138, WHITE)
    });
    let between = seen.iter().filter(|y| (70..230).contains(*y)).count();
    assert!(
        (5..=12).contains(&between),
        "it comes within ten frames: {seen:?}"
    );
    assert!(seen.is_sorted(), "it only gets clearer: {seen:?}");

    // A cut and a fade change what is below, and nothing else.
    let over = |frame: &TestFrame| {
        assert!(frame.is(80, 120, WHITE), "{:?}", frame.at(80, 120));
        assert!(frame.is(41, 101, WHITE), "it does not move");
    };
    program.show(layout([blue.item(Placement::default())]), Transition::Cut);
    watcher.frame_until("blue", |frame| {
        count.take(frame);
        over(frame);
        frame.is(10, 10, BLUE)
    });
    program.show(
        layout([red.item(Placement::default())]),
        Transition::Fade { ms: 300 },
    );
    let frame = watcher.frame_until("red again", |frame| {
        count.take(frame);
        over(frame);
        frame.is(10, 10, RED)
    });
    for (x, y) in [(38, 120), (122, 120), (80, 98), (80, 142)] {
        frame.check(x, y, RED, "beside it is the scene");
    }

    program.overlays().show(Vec::new());
    watcher.frame_until("the overlay has gone", |frame| {
        count.take(frame);
        frame.is(80, 120, RED) && frame.is(41, 139, RED)
    });
    assert!(count.1 > 20, "{} frames", count.1);
    assert_eq!(program.counters().late_frames, before, "no frame was late");
}

#[test]
fn over_a_picture_that_stands_still_it_moves_all_the_same() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    // Nothing is shown, so the program repeats one black frame.
    watcher.frame_until("black", |frame| near(frame.middle(), BLACK));
    program.overlays().show(vec![panel(OPAQUE_WHITE, 40, 100)]);
    watcher.frame_until("it has come", |frame| frame.is(41, 101, WHITE));
    // Another picture of the same kind is there at once, as a countdown's next second is.
    program.overlays().show(vec![panel([0, 0, 255, 255], 40, 100)]);
    let mut mixed = 0;
    watcher.frame_until("the next second", |frame| {
        mixed += u32::from(!frame.is(80, 120, WHITE) && !frame.is(80, 120, BLUE));
        frame.is(80, 120, BLUE)
    });
    assert_eq!(mixed, 0);
    program.overlays().show(Vec::new());
    watcher.frame_until("it has gone", |frame| frame.is(80, 120, BLACK));
}

#[test]
fn half_transparent_is_half_of_both() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let green = TestSource::colour("green", GREEN_ARGB, 320, 180);
    program.show(layout([green.item(Placement::default())]), Transition::Cut);
    // Premultiplied white at half opacity.
    program.overlays().show(vec![panel([128; 4], 40, 100)]);
    watcher.frame_until("half way", |frame| {
        frame.is(80, 120, between(GREEN, WHITE)) && frame.is(41, 101, between(GREEN, WHITE))
    });
}

#[test]
fn words_lie_over_the_program_and_not_over_the_preview() {
    let (program, _events) = program(640, 360);
    let preview = Preview::start(ProgramOptions {
        clock: clock(),
        canvas: program.canvas(),
        on_event: Arc::new(|_| ()),
    })
    .expect("the preview starts");
    let (on_air, next) = (Watcher::of(program.video()), Watcher::of(preview.video()));
    program.overlays().show(vec![panel(OPAQUE_WHITE, 40, 100)]);
    on_air.frame_until("over the program", |frame| frame.is(80, 120, WHITE));
    next.frame().check(80, 120, BLACK, "what comes next is clean");
}

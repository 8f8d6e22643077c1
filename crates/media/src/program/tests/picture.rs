//! What is on the canvas.

use super::*;

#[test]
fn an_empty_program_is_black_and_a_source_fills_it() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    watcher.frame().check(160, 90, BLACK, "nothing is shown");
    let red = TestSource::colour("red", RED_ARGB, 320, 180);
    program.show(layout([red.item(Placement::default())]), Transition::Cut);
    let frame = watcher.frame_until("red", |frame| near(frame.middle(), RED));
    for (x, y) in [(0, 0), (319, 0), (0, 179), (319, 179)] {
        frame.check(x, y, RED, "the whole canvas");
    }
    program.show(Layout::default(), Transition::Cut);
    watcher.frame_until("black again", |frame| near(frame.middle(), BLACK));
}

#[test]
fn items_are_placed_scaled_and_stacked() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let red = TestSource::colour("red", RED_ARGB, 640, 360);
    let green = TestSource::colour("green", GREEN_ARGB, 100, 100);
    program.show(
        layout([
            red.item(Placement::default()),
            green.item(boxed(0.5, 0.5, 0.25, 0.25)),
        ]),
        Transition::Cut,
    );
    let frame = watcher.frame_until("green over red", |frame| frame.is(200, 112, GREEN));
    frame.check(161, 91, GREEN, "the corner of the box");
    frame.check(238, 133, GREEN, "the other corner");
    frame.check(157, 91, RED, "left of the box");
    frame.check(243, 91, RED, "right of the box");
    frame.check(200, 87, RED, "over the box");
    frame.check(200, 138, RED, "under the box");
    // The other way round, the small one is hidden.
    program.show(
        layout([
            green.item(boxed(0.5, 0.5, 0.25, 0.25)),
            red.item(Placement::default()),
        ]),
        Transition::Cut,
    );
    watcher.frame_until("red over green", |frame| frame.is(200, 112, RED));
}

#[test]
fn fits_keep_or_change_the_shape() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let square = TestSource::colour("square", WHITE_ARGB, 100, 100);
    let show = |fit| {
        let placement = Placement {
            fit,
            ..Placement::default()
        };
        program.show(layout([square.item(placement)]), Transition::Cut);
    };
    show(Fit::Contain);
    let frame = watcher.frame_until("contained", |frame| near(frame.middle(), WHITE));
    frame.check(60, 90, BLACK, "room on the left");
    frame.check(74, 2, WHITE, "up to the top");
    frame.check(255, 90, BLACK, "room on the right");
    show(Fit::Cover);
    watcher.frame_until("covering", |frame| {
        frame.is(2, 2, WHITE) && frame.is(317, 177, WHITE)
    });
    show(Fit::Stretch);
    watcher.frame_until("stretched", |frame| {
        frame.is(2, 2, WHITE) && frame.is(317, 177, WHITE)
    });
}

#[test]
fn a_crop_shows_its_part_and_the_overhang_is_cut() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    // White, yellow, cyan, green, magenta, red, blue bars in the upper two thirds.
    let bars = TestSource::start(
        "bars",
        "videotestsrc is-live=true pattern=smpte100 \
         ! video/x-raw,format=I420,width=700,height=180,framerate=30/1,colorimetry=bt709",
    );
    let crop = Crop {
        left: 5.0 / 7.0,
        right: 1.0 / 7.0,
        ..Crop::default()
    };
    let placement = Placement {
        crop,
        fit: Fit::Stretch,
        ..Placement::default()
    };
    program.show(layout([bars.item(placement)]), Transition::Cut);
    let frame = watcher.frame_until("the red bar", |frame| near(frame.middle(), RED));
    frame.check(8, 50, RED, "nothing of the magenta bar");
    frame.check(312, 50, RED, "nothing of the blue bar");
    // Shifted left by 6/7 of its width: only the blue bar remains, on the first seventh.
    program.show(
        layout([bars.item(boxed(-6.0 / 7.0, 0.0, 1.0, 1.0))]),
        Transition::Cut,
    );
    let frame = watcher.frame_until("the blue bar", |frame| frame.is(20, 50, BLUE));
    frame.check(60, 50, BLACK, "nothing beside it");
}

#[test]
fn opacity_mixes_with_what_lies_below() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let red = TestSource::colour("red", RED_ARGB, 320, 180);
    let white = TestSource::colour("white", WHITE_ARGB, 320, 180);
    let half = Placement {
        opacity: 0.5,
        ..Placement::default()
    };
    program.show(
        layout([red.item(Placement::default()), white.item(half)]),
        Transition::Cut,
    );
    let mixed = between(RED, WHITE);
    watcher.frame_until("half way", |frame| near(frame.middle(), mixed));
}

#[test]
fn alpha_of_the_source_blends_in_every_format() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let green = TestSource::colour("green", GREEN_ARGB, 320, 180);
    for format in ["BGRA", "RGBA", "ARGB", "AYUV", "A420"] {
        let half = TestSource::start(
            format,
            &format!(
                "videotestsrc is-live=true pattern=solid-color foreground-color=0x80ffffff \
                 ! video/x-raw,format=AYUV,width=160,height=90,framerate=30/1 ! videoconvert \
                 ! video/x-raw,format={format}"
            ),
        );
        program.show(
            layout([
                green.item(Placement::default()),
                half.item(boxed(0.0, 0.0, 0.5, 1.0)),
            ]),
            Transition::Cut,
        );
        let mixed = between(GREEN, WHITE);
        let frame = watcher.frame_until(format, |frame| frame.is(80, 90, mixed));
        frame.check(240, 90, GREEN, "beside it");
        program.show(layout([green.item(Placement::default())]), Transition::Cut);
        watcher.frame_until("green alone", |frame| frame.is(80, 90, GREEN));
    }
}

#[test]
fn an_image_with_alpha_has_no_dark_edge() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    let white = TestSource::colour("white", WHITE_ARGB, 320, 180);
    // A white box with transparent black left and right of it, enlarged: where they meet, black must not show.
    let logo = TestSource::start(
        "logo",
        "videotestsrc is-live=true pattern=solid-color foreground-color=0xffffffff \
         ! video/x-raw,format=AYUV,width=16,height=16,framerate=30/1 \
         ! videobox left=-8 right=-8 border-alpha=0 ! videoconvert ! video/x-raw,format=BGRA",
    );
    let red = TestSource::colour("red", RED_ARGB, 64, 64);
    let whole = Placement {
        fit: Fit::Stretch,
        ..Placement::default()
    };
    program.show(layout([red.item(whole), logo.item(whole)]), Transition::Cut);
    watcher.frame_until("the logo", |frame| {
        frame.is(160, 90, WHITE) && frame.is(10, 90, RED)
    });
    program.show(layout([white.item(whole), logo.item(whole)]), Transition::Cut);
    let frame = watcher.frame_until("white on white", |frame| frame.is(10, 90, WHITE));
    let darkest = (0..320).map(|x| frame.at(x, 90)[0]).min();
    assert!(darkest >= Some(231), "a dark edge: {darkest:?}");
}

#[test]
fn turned_pictures_stand_where_they_should() {
    let (program, _events) = program(320, 180);
    let watcher = Watcher::of(program.video());
    // Left half red, right half blue.
    let two = TestSource::start(
        "two",
        "videotestsrc is-live=true pattern=solid-color foreground-color=0xffff0000 \
         ! video/x-raw,format=I420,width=80,height=80,framerate=30/1,colorimetry=bt709 ! m.sink_0 \
         videotestsrc is-live=true pattern=solid-color foreground-color=0xff0000ff \
         ! video/x-raw,format=I420,width=80,height=80,framerate=30/1,colorimetry=bt709 ! m.sink_1 \
         compositor name=m sink_1::xpos=80 ! video/x-raw,format=I420,width=160,height=80,colorimetry=bt709",
    );
    let at = |rotation| Placement {
        rotation,
        ..boxed(0.25, 0.278, 0.5, 0.444)
    };
    program.show(layout([two.item(at(90.0))]), Transition::Cut);
    // A quarter clockwise: red is above, blue below, 80 wide and 160 high.
    let frame = watcher.frame_until("a quarter", |frame| {
        frame.is(160, 30, RED) && frame.is(160, 150, BLUE)
    });
    frame.check(124, 90, frame.at(124, 90), "inside");
    frame.check(112, 90, BLACK, "left of it");
    frame.check(208, 90, BLACK, "right of it");
    program.show(layout([two.item(at(180.0))]), Transition::Cut);
    let frame = watcher.frame_until("half a turn", |frame| {
        frame.is(100, 90, BLUE) && frame.is(220, 90, RED)
    });
    frame.check(160, 30, BLACK, "over it");
    program.show(layout([two.item(at(45.0))]), Transition::Cut);
    // The middle of each half lies 40 pixels from the centre, now down a diagonal.
    let frame = watcher.frame_until("an eighth", |frame| {
        frame.is(132, 62, RED) && frame.is(188, 118, BLUE)
    });
    frame.check(84, 126, BLACK, "where the corner of the upright one was");
    frame.check(236, 54, BLACK, "where the other corner was");
}

#[test]
fn the_preview_is_small_and_shows_the_other_scene() {
    let canvas = Canvas::new(1920, 1080, 30).expect("a canvas");
    let preview = Preview::start(ProgramOptions {
        clock: clock(),
        canvas,
        on_event: Arc::new(|_| {}),
    })
    .expect("the preview starts");
    let watcher = Watcher::of(preview.video());
    let red = TestSource::colour("red", RED_ARGB, 1920, 1080);
    preview.show(layout([red.item(boxed(0.0, 0.0, 0.5, 1.0))]));
    let frame = watcher.frame_until("red", |frame| frame.is(100, 100, RED));
    assert_eq!((frame.0.width(), frame.0.height()), (640, 360));
    frame.check(500, 100, BLACK, "the other half");
    let (first, _) = watcher.next();
    let (second, _) = watcher.next();
    let step = second.pts().expect("a time") - first.pts().expect("a time");
    assert!(
        step.nseconds().abs_diff(1_000_000_000 / 15) <= 1,
        "15 a second, not {step}"
    );
}

use std::time::Duration;

use super::*;
use gst_utils::streamproducer::ProducerSettings;

const DEADLINE: Duration = Duration::from_secs(10);

fn source(description: &str) -> (gst::Pipeline, StreamProducer) {
    crate::init().expect("GStreamer is installed");
    let pipeline = gst::parse::launch(&format!(
        "{description} ! appsink name=out sync=false async=false"
    ))
    .expect("parses")
    .downcast::<gst::Pipeline>()
    .expect("a pipeline");
    let appsink = pipeline
        .by_name("out")
        .and_downcast::<gst_app::AppSink>()
        .expect("a sink");
    let producer = StreamProducer::with(&appsink, ProducerSettings { sync: false });
    pipeline.set_state(gst::State::Playing).expect("starts");
    (pipeline, producer)
}

fn red(width: u32, height: u32) -> (gst::Pipeline, StreamProducer) {
    source(&format!(
        "videotestsrc is-live=true pattern=solid-color foreground-color=0xffff0000 \
         ! video/x-raw,format=I420,width={width},height={height},framerate=30/1,colorimetry=bt709"
    ))
}

/// Decodes with GStreamer's own decoder: RGB of the middle, and the size.
fn decode(jpeg: &Bytes) -> ([u8; 3], u32, u32) {
    let pipeline = gst::parse::launch(
        "appsrc name=in caps=image/jpeg,framerate=0/1 ! jpegdec ! videoconvert ! video/x-raw,format=RGB \
         ! appsink name=out sync=false",
    )
    .expect("parses")
    .downcast::<gst::Pipeline>()
    .expect("a pipeline");
    let appsrc = pipeline
        .by_name("in")
        .and_downcast::<gst_app::AppSrc>()
        .expect("a source");
    let appsink = pipeline
        .by_name("out")
        .and_downcast::<gst_app::AppSink>()
        .expect("a sink");
    pipeline.set_state(gst::State::Playing).expect("starts");
    appsrc
        .push_buffer(gst::Buffer::from_slice(jpeg.clone()))
        .expect("taken");
    appsrc.end_of_stream().expect("ended");
    let sample = appsink
        .try_pull_sample(gst::ClockTime::from_seconds(10))
        .expect("it is a JPEG");
    let info = gst_video::VideoInfo::from_caps(sample.caps().expect("caps")).expect("raw video");
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer().expect("a buffer"), &info)
        .expect("a frame");
    let stride = frame.plane_stride()[0] as usize;
    let at = info.height() as usize / 2 * stride + info.width() as usize / 2 * 3;
    let rgb = frame.plane_data(0).expect("a plane")[at..at + 3]
        .try_into()
        .expect("three bytes");
    pipeline.set_state(gst::State::Null).expect("stops");
    (rgb, info.width(), info.height())
}

#[track_caller]
fn is_red([r, g, b]: [u8; 3]) {
    assert!(r >= 248 && g <= 8 && b <= 8, "red is {r} {g} {b}");
}

async fn next(pictures: &mut watch::Receiver<Bytes>) -> Bytes {
    tokio::time::timeout(DEADLINE, pictures.wait_for(|jpeg| !jpeg.is_empty()))
        .await
        .expect("a picture in time")
        .expect("the tap is there")
        .clone()
}

#[test]
fn pictures_come_while_watched_with_the_right_colours_and_stop_after() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (pipeline, producer) = red(1280, 720);
        let tap = PictureTap::new(&producer, PictureOptions::default());
        assert!(
            lock(&tap.shared.running).is_none(),
            "nobody watches, nothing runs"
        );
        for _ in 0..2 {
            let mut pictures = tap.subscribe();
            let jpeg = next(&mut pictures).await;
            let (rgb, width, height) = decode(&jpeg);
            assert_eq!((width, height), (640, 360));
            is_red(rgb);
            pictures.mark_unchanged();
            tokio::time::timeout(DEADLINE, pictures.changed())
                .await
                .expect("more")
                .expect("the tap is there");
            drop(pictures);
            let end = std::time::Instant::now() + DEADLINE;
            while lock(&tap.shared.running).is_some() {
                assert!(std::time::Instant::now() < end, "it goes on for nobody");
                tokio::task::yield_now().await;
            }
        }
        pipeline.set_state(gst::State::Null).expect("stops");
    });
}

#[test]
fn a_source_that_stands_still_has_a_picture() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (pipeline, producer) = red(320, 240);
        let tap = PictureTap::new(&producer, PictureOptions::default());
        next(&mut tap.subscribe()).await;
        pipeline.set_state(gst::State::Paused).expect("pauses");
        let (rgb, width, height) = decode(&next(&mut tap.subscribe()).await);
        is_red(rgb);
        assert_eq!((width, height), (320, 240), "never enlarged");
        pipeline.set_state(gst::State::Null).expect("stops");
    });
}

#[test]
fn stills_of_any_format_are_jpegs() {
    for caps in [
        "format=I420,colorimetry=bt709",
        "format=NV12,colorimetry=bt601",
        "format=I420,colorimetry=1:4:0:0",
        "format=BGRA",
        "format=YUY2,colorimetry=bt709",
    ] {
        let (pipeline, producer) = source(&format!(
            "videotestsrc num-buffers=2 pattern=solid-color foreground-color=0xffff0000 \
             ! video/x-raw,format=RGB ! videoconvert ! video/x-raw,{caps},width=600,height=800,framerate=30/1"
        ));
        let bus = pipeline.bus().expect("a bus");
        bus.timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Eos])
            .expect("it ends");
        let jpeg = jpeg_of(&producer.last_sample().expect("a frame"), 200).expect("a picture");
        let (rgb, width, height) = decode(&jpeg);
        assert_eq!((width, height), (150, 200), "{caps}");
        is_red(rgb);
        pipeline.set_state(gst::State::Null).expect("stops");
    }
    let empty = gst::Sample::builder().build();
    assert!(matches!(jpeg_of(&empty, 200), Err(PictureError::NoVideo)));
}

//! Encoders of sound.

use gst::prelude::*;

/// An AAC encoder and the silence that it puts first without saying so.
///
/// The priming was measured by flash and beep; uncorrected, sound is late by exactly that, in FLV and MP4 alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct AacEncoder {
    element: &'static str,
    /// Samples at 48 kHz.
    priming: u64,
}

/// Best first. fdkaacenc is not among them: its priming depends on its version, and was not measured.
const AAC_ENCODERS: [AacEncoder; 2] = [
    AacEncoder {
        element: "avenc_aac",
        priming: 1024,
    },
    AacEncoder {
        element: "voaacenc",
        priming: 1600,
    },
];

/// Samples a second everywhere in the studio.
const RATE: u64 = 48_000;

/// How far a timestamp may lie beside the count of samples, in nanoseconds, before the encoder follows it.
///
/// The default of 40 ms swallows a lost buffer of 20 ms, and from then on sound is that much early.
const TOLERANCE: i64 = 5_000_000;

impl AacEncoder {
    /// The best that is installed, and its element at `kbps`.
    pub(super) fn make(kbps: u32) -> Option<(Self, gst::Element)> {
        AAC_ENCODERS.into_iter().find_map(|encoder| {
            let bitrate = i32::try_from(kbps.saturating_mul(1000)).ok()?;
            let element = gst::ElementFactory::make(encoder.element)
                .property("bitrate", bitrate)
                .property("tolerance", TOLERANCE)
                .build()
                .ok()?;
            Some((encoder, element))
        })
    }

    pub(super) fn priming(self) -> gst::ClockTime {
        gst::ClockTime::from_nseconds(self.priming * gst::ClockTime::SECOND.nseconds() / RATE)
    }

    /// Elements that can be asked for when none is installed.
    pub(super) fn names() -> String {
        AAC_ENCODERS.map(|encoder| encoder.element).join(", ")
    }
}

/// What one packet of Opus lasts.
pub(super) const OPUS_PACKET: gst::ClockTime = gst::ClockTime::from_mseconds(20);

/// Opus as WebRTC wants it: 20 ms, 128 kb/s, stereo. `None` when it is not installed.
pub(super) fn make_opus() -> Option<gst::Element> {
    let element = gst::ElementFactory::make("opusenc").build().ok()?;
    element.set_property("bitrate", 128_000i32);
    element.set_property("tolerance", TOLERANCE);
    element.set_property_from_str("frame-size", "20");
    element.set_property_from_str("bitrate-type", "constrained-vbr");
    // Music is what the studio carries; the setting for voice cuts it.
    element.set_property_from_str("audio-type", "generic");
    Some(element)
}

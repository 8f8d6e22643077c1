//! The H.264 encoders that the studio knows, best first.

use std::num::NonZeroU32;

use gst::prelude::*;
use protocol::{Canvas, H264Profile};

/// One known encoder.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Its element.
    pub element: &'static str,
    /// As a person knows it.
    pub name: &'static str,
    pub hardware: bool,
    /// Fixed properties: constant rate, no B-frames, low delay. A property that this version of the element does not
    /// have is left out; one that refuses the value is, too.
    fixed: &'static [(&'static str, &'static str)],
    /// Property that holds the distance of keyframes, in frames.
    keyframe_distance: &'static str,
    /// How many of its units of `bitrate` make 1 kb/s.
    bitrate_per_kbps: NonZeroU32,
}

const ONE: NonZeroU32 = NonZeroU32::MIN;
const THOUSAND: NonZeroU32 = NonZeroU32::new(1000).expect("1000 is not zero");

/// By preference. Hardware first: it costs the laptop nothing; then the better of the two in software.
pub(crate) const CANDIDATES: &[Candidate] = &[
    Candidate {
        element: "nvh264enc",
        name: "NVIDIA NVENC",
        hardware: true,
        fixed: &[
            ("preset", "low-latency-hq"),
            ("rc-mode", "cbr"),
            ("zerolatency", "true"),
            ("bframes", "0"),
            ("rc-lookahead", "0"),
            ("strict-gop", "true"),
        ],
        keyframe_distance: "gop-size",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: "vah264enc",
        name: "VA-API",
        hardware: true,
        fixed: &[("rate-control", "cbr"), ("b-frames", "0"), ("ref-frames", "1")],
        keyframe_distance: "key-int-max",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: "vah264lpenc",
        name: "VA-API (low power)",
        hardware: true,
        fixed: &[("rate-control", "cbr"), ("b-frames", "0"), ("ref-frames", "1")],
        keyframe_distance: "key-int-max",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: "qsvh264enc",
        name: "Intel Quick Sync",
        hardware: true,
        fixed: &[
            ("rate-control", "cbr"),
            ("b-frames", "0"),
            ("low-latency", "true"),
        ],
        keyframe_distance: "gop-size",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: "amfh264enc",
        name: "AMD AMF",
        hardware: true,
        fixed: &[("usage", "low-latency"), ("rate-control", "cbr")],
        keyframe_distance: "gop-size",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: "vtenc_h264_hw",
        name: "Apple VideoToolbox",
        hardware: true,
        fixed: &[
            ("realtime", "true"),
            ("allow-frame-reordering", "false"),
            ("rate-control", "cbr"),
        ],
        keyframe_distance: "max-keyframe-interval",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: "mfh264enc",
        name: "Media Foundation",
        hardware: true,
        fixed: &[("rc-mode", "cbr"), ("bframes", "0"), ("low-latency", "true")],
        keyframe_distance: "gop-size",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: X264,
        name: "x264",
        hardware: false,
        fixed: &[
            ("tune", "zerolatency"),
            ("pass", "cbr"),
            ("bframes", "0"),
            ("b-adapt", "false"),
            // Keyframes only where they are due or asked for: outputs promise one every two seconds.
            ("option-string", "scenecut=0:open-gop=0"),
        ],
        keyframe_distance: "key-int-max",
        bitrate_per_kbps: ONE,
    },
    Candidate {
        element: OPENH264,
        name: "OpenH264",
        hardware: false,
        fixed: &[
            ("rate-control", "bitrate"),
            ("enable-frame-skip", "false"),
            ("scene-change-detection", "false"),
            ("background-detection", "false"),
            ("complexity", "low"),
        ],
        keyframe_distance: "gop-size",
        bitrate_per_kbps: THOUSAND,
    },
];

pub(crate) const X264: &str = "x264enc";
const OPENH264: &str = "openh264enc";

/// x264's presets that the calibration chooses from, best first. Each costs about half of the one before;
/// superfast loses half a dB against veryfast, ultrafast six.
pub const X264_PRESETS: [&str; 3] = ["veryfast", "superfast", "ultrafast"];

/// How one encoder is to encode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VideoSettings {
    pub canvas: Canvas,
    pub profile: H264Profile,
    pub kbps: u32,
    /// x264's preset.
    pub preset: Option<String>,
    /// A browser watches it: small frames and no delay go before quality.
    pub low_delay: bool,
    /// All on the caller's thread, whatever the size: so that its processor time is the whole cost.
    pub one_thread: bool,
}

pub(crate) fn candidate(element: &str) -> Option<&'static Candidate> {
    CANDIDATES.iter().find(|candidate| candidate.element == element)
}

impl Candidate {
    /// The element, set up. `None` when it is not installed.
    pub fn make(&self, settings: &VideoSettings) -> Option<gst::Element> {
        let element = gst::ElementFactory::make(self.element).build().ok()?;
        for (name, value) in self.fixed {
            set(&element, name, value);
        }
        set(
            &element,
            self.keyframe_distance,
            &(settings.canvas.fps() * 2).to_string(),
        );
        // Every request is honoured otherwise, and five viewers who join at once triple the rate of that half second.
        set(&element, "min-force-key-unit-interval", "1000000000");
        if self.element == X264 {
            set_x264(&element, settings);
        }
        self.set_bitrate(&element, settings.kbps);
        Some(element)
    }

    /// Whether frames stay inside until the stream ends. OpenH264 gives out each at once, and answers the end of the
    /// stream, which has no picture, with `cmInitParaError` on the person's terminal.
    pub fn keeps_frames(&self) -> bool {
        self.element != OPENH264
    }

    /// Changes the rate, also while it runs.
    pub fn set_bitrate(&self, element: &gst::Element, kbps: u32) {
        set(
            element,
            "bitrate",
            &kbps.saturating_mul(self.bitrate_per_kbps.get()).to_string(),
        );
    }
}

fn set_x264(element: &gst::Element, settings: &VideoSettings) {
    set(
        element,
        "speed-preset",
        settings.preset.as_deref().unwrap_or(X264_PRESETS[0]),
    );
    if settings.one_thread || settings.canvas.width() * settings.canvas.height() <= 1280 * 720 {
        // Better quality at the same cost, and no delay.
        set(element, "threads", "1");
        set(element, "sliced-threads", "false");
    } else {
        set(element, "sliced-threads", "true");
    }
    if settings.low_delay {
        // A keyframe of 100 kB takes 270 ms on a link of 3 Mb/s; this bounds it to two thirds for half a dB.
        set(element, "vbv-buf-capacity", "250");
    } else {
        // Five frames of foresight are worth more than 1 dB, and a server does not mind 170 ms.
        set(element, "rc-lookahead", "5");
        set(element, "mb-tree", "true");
    }
}

/// Sets a property from its text, if the element has it and takes the value.
fn set(element: &gst::Element, name: &str, text: &str) {
    let Some(spec) = element.find_property(name) else {
        tracing::debug!(element = %element.name(), property = name, "no such property");
        return;
    };
    match gst::glib::Value::deserialize_with_pspec(text, &spec) {
        Ok(value) => element.set_property_from_value(name, &value),
        Err(error) => {
            tracing::debug!(element = %element.name(), property = name, text, %error, "value refused")
        }
    }
}

/// The `profile` field of H.264 caps.
pub(crate) fn profile_name(profile: H264Profile) -> &'static str {
    match profile {
        H264Profile::ConstrainedBaseline => "constrained-baseline",
        H264Profile::Main => "main",
        H264Profile::High => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(low_delay: bool) -> VideoSettings {
        VideoSettings {
            canvas: Canvas::default(),
            profile: H264Profile::ConstrainedBaseline,
            kbps: 3000,
            preset: Some("superfast".to_owned()),
            low_delay,
            one_thread: false,
        }
    }

    #[test]
    fn x264_is_set_up_for_constant_rate_and_closed_gops() {
        gst::init().expect("GStreamer is installed");
        let x264 = candidate(X264).expect("x264 is known");
        let element = x264.make(&settings(true)).expect("x264 is installed");
        assert_eq!(element.property::<u32>("bitrate"), 3000);
        assert_eq!(element.property::<u32>("key-int-max"), 60);
        assert_eq!(element.property::<u32>("bframes"), 0);
        assert_eq!(element.property::<u32>("threads"), 1);
        assert_eq!(element.property::<u32>("vbv-buf-capacity"), 250);
        assert_eq!(
            element.property::<String>("option-string"),
            "scenecut=0:open-gop=0"
        );
        // Flags say their long names.
        for (name, nick) in [
            ("speed-preset", "superfast"),
            ("tune", "Zero latency"),
            ("pass", "cbr"),
        ] {
            let value = element.property_value(name).serialize().expect("it has a text");
            assert_eq!(value, nick, "{name}");
        }
        x264.set_bitrate(&element, 1500);
        assert_eq!(element.property::<u32>("bitrate"), 1500);
    }

    #[test]
    fn openh264_counts_in_bits() {
        gst::init().expect("GStreamer is installed");
        let openh264 = candidate("openh264enc").expect("it is known");
        let element = openh264.make(&settings(true)).expect("it is installed");
        assert_eq!(element.property::<u32>("bitrate"), 3_000_000);
        assert_eq!(element.property::<u32>("gop-size"), 60);
        let mode = element
            .property_value("rate-control")
            .serialize()
            .expect("it has a text");
        assert_eq!(mode, "bitrate");
    }
}

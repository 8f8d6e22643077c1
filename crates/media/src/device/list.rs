//! From what the system says to the list that a host sees.

use protocol::{Device, DeviceKind, Frame};

use super::{
    hub::Found,
    identity::{Facts, Identity},
};
#[cfg(all(unix, not(target_os = "macos")))]
use crate::source::plan::{self, Target, Way};
#[cfg(all(unix, not(target_os = "macos")))]
use protocol::DeviceId;

/// Looks at everything; keeps its connection to the X server.
#[derive(Default)]
pub(crate) struct Eyes {
    #[cfg(all(unix, not(target_os = "macos")))]
    display: Option<super::x11::Display>,
}

impl Eyes {
    /// All devices that a source can use, in a stable order: kind, then name, then id.
    pub(crate) fn look(&mut self, devices: Vec<(gst::Device, Facts)>) -> Vec<Found> {
        let output = devices
            .iter()
            .find_map(|(_, facts)| facts.default_output())
            .map(|name| format!("pulse:{name}.monitor"));
        let seen: Vec<Facts> = devices.iter().map(|(_, facts)| facts.clone()).collect();
        let mut found: Vec<Found> = devices
            .into_iter()
            .filter(|(_, facts)| !listed_twice(facts, &seen))
            .filter_map(|(gst, facts)| {
                let mut identity = facts.identify()?;
                let system_input = identity.default;
                // What a host wants to hear of the computer is what it plays, not what some input is set to.
                if identity.kind == DeviceKind::DesktopAudio {
                    identity.default = output.as_deref() == Some(identity.id.as_str());
                }
                Some(one(gst, &facts, identity, system_input))
            })
            .collect();
        self.look_at_display(&mut found);
        found.sort_by(|a, b| key(&a.device).cmp(&key(&b.device)));
        found.dedup_by(|a, b| a.device.id == b.device.id && a.device.kind == b.device.kind);
        first_is_default(&mut found);
        found
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn look_at_display(&mut self, found: &mut Vec<Found>) {
        if plan::wayland() {
            // The X server that is there as well shows the windows of old programs only.
            found.extend([Target::Screen, Target::Window].into_iter().filter_map(by_dialog));
            return;
        }
        if self.display.is_none() {
            self.display = super::x11::Display::open();
        }
        let Some(display) = &self.display else { return };
        let seen = display
            .screens()
            .and_then(|screens| Ok((screens, display.windows()?)));
        match seen {
            Ok((screens, windows)) => {
                found.extend(screens.into_iter().map(|(device, area)| Found {
                    device,
                    gst: None,
                    system_input: false,
                    area: Some(area),
                }));
                found.extend(windows.into_iter().map(|device| Found {
                    device,
                    gst: None,
                    system_input: false,
                    area: None,
                }));
            }
            Err(error) => {
                tracing::debug!(%error, "display is gone");
                self.display = None;
            }
        }
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn look_at_display(&mut self, _found: &mut Vec<Found>) {}
}

/// What stands in the list for all that the system's dialog offers.
#[cfg(all(unix, not(target_os = "macos")))]
fn by_dialog(target: Target) -> Option<Found> {
    plan::here(target).ok().filter(|way| *way == Way::Portal)?;
    let (kind, name) = match target {
        Target::Screen => (DeviceKind::Screen, "Screen"),
        Target::Window => (DeviceKind::Window, "Window"),
    };
    Some(Found {
        device: Device {
            id: DeviceId::asking(target.as_str()),
            kind,
            name: name.to_owned(),
            default: kind == DeviceKind::Screen,
            frame: None,
            fps: None,
        },
        gst: None,
        system_input: false,
        area: None,
    })
}

/// Whether PipeWire lists a device that another provider lists too.
///
/// PulseAudio's entries know the monitors of outputs, V4L2's have the name by which a camera is told from its twin;
/// PipeWire's own are kept where nobody else has them (cameras of libcamera, systems without PulseAudio's plugin).
fn listed_twice(facts: &Facts, all: &[Facts]) -> bool {
    if facts.object != "GstPipeWireDevice" {
        return false;
    }
    let get = |facts: &Facts, name: &str| facts.properties.get(name).cloned();
    if facts.class.contains("Audio") {
        return all.iter().any(|other| other.object == "GstPulseDevice");
    }
    let path = get(facts, "api.v4l2.path");
    path.is_some()
        && all
            .iter()
            .any(|other| other.object == "GstV4l2Device" && get(other, "device.path") == path)
}

fn key(device: &Device) -> (DeviceKind, &str, &str) {
    (device.kind, &device.name, device.id.as_str())
}

/// Systems name no default camera: the first of the list is then what "the system's first" means.
fn first_is_default(found: &mut [Found]) {
    for kind in [
        DeviceKind::Camera,
        DeviceKind::Microphone,
        DeviceKind::DesktopAudio,
    ] {
        let mut of_kind = found
            .iter_mut()
            .filter(|found| found.device.kind == kind)
            .peekable();
        let mut first = None;
        let mut any = false;
        for one in of_kind.by_ref() {
            any |= one.device.default;
            first.get_or_insert(one);
        }
        if let (false, Some(first)) = (any, first) {
            first.device.default = true;
        }
    }
}

fn one(gst: gst::Device, facts: &Facts, identity: Identity, system_input: bool) -> Found {
    use gst::prelude::DeviceExt;
    let best = gst.caps().as_deref().and_then(largest);
    Found {
        device: Device {
            id: identity.id,
            kind: identity.kind,
            name: facts.name.chars().filter(|c| !c.is_control()).take(120).collect(),
            default: identity.default,
            frame: best.map(|(frame, _)| frame),
            fps: best.and_then(|(_, fps)| fps),
        },
        gst: Some(gst),
        system_input,
        #[cfg(all(unix, not(target_os = "macos")))]
        area: None,
    }
}

/// Largest picture that a device offers, and the most frames a second at that size.
fn largest(caps: &gst::CapsRef) -> Option<(Frame, Option<u32>)> {
    caps.iter()
        .filter(|structure| {
            let name = structure.name();
            name.starts_with("video/") || name.starts_with("image/")
        })
        .filter_map(|structure| {
            let frame = Frame {
                width: u32::try_from(structure.get::<i32>("width").ok()?).ok()?,
                height: u32::try_from(structure.get::<i32>("height").ok()?).ok()?,
            };
            Some((frame, fastest(structure)))
        })
        .max_by_key(|(frame, fps)| (frame.width * frame.height, *fps))
}

/// The frame rates of a caps structure, whether it names one, a list or a range (of which the ends).
pub(crate) fn rates(structure: &gst::StructureRef) -> Vec<gst::Fraction> {
    if let Ok(one) = structure.get::<gst::Fraction>("framerate") {
        return vec![one];
    }
    if let Ok(list) = structure.get::<gst::List>("framerate") {
        return list.iter().filter_map(|value| value.get().ok()).collect();
    }
    let range = structure.get::<gst::FractionRange>("framerate");
    range
        .map(|range| vec![range.min(), range.max()])
        .unwrap_or_default()
}

fn fastest(structure: &gst::StructureRef) -> Option<u32> {
    rates(structure)
        .into_iter()
        .filter(|rate| rate.denom() > 0)
        .map(|rate| (rate.numer() / rate.denom()).max(0).unsigned_abs())
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_of_two_providers_is_listed_once_and_one_of_pipewire_alone_stays() {
        let facts = |class: &str, object: &str, property: (&str, &str)| Facts {
            class: class.to_owned(),
            object: object.to_owned(),
            properties: [(property.0.to_owned(), property.1.to_owned())].into(),
            ..Facts::default()
        };
        let usb = facts(
            "Video/Source",
            "GstPipeWireDevice",
            ("api.v4l2.path", "/dev/video0"),
        );
        let built_in = facts("Video/Source", "GstPipeWireDevice", ("node.name", "libcamera"));
        let input = facts("Audio/Source", "GstPipeWireDevice", ("node.name", "alsa_input"));
        let direct = facts("Video/Source", "GstV4l2Device", ("device.path", "/dev/video0"));
        let pulse = facts("Audio/Source", "GstPulseDevice", ("internal-name", "alsa_input"));
        let all = [
            usb.clone(),
            built_in.clone(),
            input.clone(),
            direct.clone(),
            pulse.clone(),
        ];
        let twice: Vec<bool> = all.iter().map(|one| listed_twice(one, &all)).collect();
        assert_eq!(twice, [true, false, true, false, false]);
        assert!(
            !listed_twice(&usb, &[usb.clone(), input.clone()]),
            "nobody else has it"
        );
        assert!(
            !listed_twice(&input, &[usb, input.clone()]),
            "no PulseAudio there"
        );
    }

    #[test]
    fn the_largest_picture_and_its_rate_are_found_in_any_form() {
        gst::init().expect("GStreamer is installed");
        let caps: gst::Caps = "video/x-raw,width=640,height=480,framerate={30/1,60/1};\
             image/jpeg,width=1920,height=1080,framerate={15/1,30/1};\
             video/x-raw,width=1920,height=1080,framerate=5/1"
            .parse()
            .expect("caps");
        let frame = Frame {
            width: 1920,
            height: 1080,
        };
        assert_eq!(largest(&caps), Some((frame, Some(30))));
        let sound: gst::Caps = "audio/x-raw,rate=48000".parse().expect("caps");
        assert_eq!(largest(&sound), None);
    }
}

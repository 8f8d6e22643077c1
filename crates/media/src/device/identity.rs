//! Who a device is: the name by which it is remembered, whatever order the system lists it in.

use std::collections::BTreeMap;

use protocol::{DeviceId, DeviceKind};

/// What GStreamer says of a device, as plain text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    /// `Video/Source`, `Audio/Source`, `Audio/Sink`, `Source/Monitor`; may carry further words.
    pub(crate) class: String,
    /// What the system calls it.
    pub(crate) name: String,
    /// Type of the device object: `GstPulseDevice`, `GstV4l2Device`, …
    pub(crate) object: String,
    /// Properties, all as text; booleans are `true` and `false`.
    pub(crate) properties: BTreeMap<String, String>,
}

/// What a source can use it for, and its stable name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    pub(crate) id: DeviceId,
    pub(crate) kind: DeviceKind,
    pub(crate) default: bool,
}

impl Facts {
    fn get(&self, name: &str) -> Option<&str> {
        self.properties
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn truth(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    fn kind(&self) -> Option<DeviceKind> {
        let has = |word: &str| self.class.split('/').any(|part| part == word);
        let monitor = self.get("device.class") == Some("monitor") || self.truth("wasapi2.device.loopback");
        if has("Monitor") {
            Some(DeviceKind::Screen)
        } else if has("Video") && has("Source") {
            Some(DeviceKind::Camera)
        } else if has("Audio") && has("Source") {
            Some(if monitor {
                DeviceKind::DesktopAudio
            } else {
                DeviceKind::Microphone
            })
        } else {
            None
        }
    }

    /// Whether this is the output that the computer plays on.
    pub(crate) fn default_output(&self) -> Option<&str> {
        let sink = self.class.split('/').any(|part| part == "Sink");
        (sink && self.default())
            .then(|| self.get("internal-name"))
            .flatten()
    }

    fn default(&self) -> bool {
        self.truth("is-default") || self.truth("device.default") || self.truth("device.primary")
    }

    /// A name that is the same after a restart and in every port order, or `None` when the device has none: such a
    /// device is not listed, since a source that remembers it could wake up as another.
    fn stable_name(&self) -> Option<String> {
        match self.object.as_str() {
            // The serial of cheap cameras is their model, so the port belongs to the name: one camera that takes
            // another's place is another.
            "GstV4l2Device" => {
                let serial = self.first(&["device.serial", "v4l2.device.card"])?;
                let port = self.first(&["device.bus_path", "v4l2.device.bus_info"])?;
                Some(format!("v4l2:{serial}@{port}"))
            }
            "GstPulseDevice" => Some(format!("pulse:{}", self.get("internal-name")?)),
            "GstPipeWireDevice" => Some(format!("pipewire:{}", self.get("node.name")?)),
            "GstAVFDevice" => Some(format!("avf:{}", self.get("avf.unique_id")?)),
            "GstOsxAudioDevice" => Some(format!(
                "osx:{}",
                self.first(&["unique-id", "device.uid"]).unwrap_or(&self.name)
            )),
            "GstMFDevice" | "GstKsDevice" => Some(format!("video:{}", self.get("device.path")?)),
            "GstWasapi2Device" | "GstWASAPI2Device" => {
                Some(format!("wasapi2:{}", self.first(&["device.id", "device.strid"])?))
            }
            "GstD3D11ScreenCaptureDevice" => Some(format!(
                "screen:{}",
                self.first(&["display.device-id", "device.name"])
                    .unwrap_or(&self.name)
            )),
            _ => None,
        }
    }

    /// `None` for what no source can use, and for what cannot be told apart.
    pub(crate) fn identify(&self) -> Option<Identity> {
        let kind = self.kind()?;
        let name: String = self.stable_name()?.chars().filter(|c| !c.is_control()).collect();
        Some(Identity {
            id: DeviceId::try_from(name).ok()?,
            kind,
            default: self.default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(class: &str, object: &str, properties: &[(&str, &str)]) -> Facts {
        Facts {
            class: class.to_owned(),
            name: "Device".to_owned(),
            object: object.to_owned(),
            properties: properties
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        }
    }

    fn camera(path: &str, port: &str) -> Facts {
        facts(
            "Video/Source",
            "GstV4l2Device",
            &[
                ("device.path", path),
                ("device.serial", "046d_HD_Pro_Webcam"),
                ("device.bus_path", port),
            ],
        )
    }

    #[test]
    fn a_camera_keeps_its_name_when_the_system_numbers_it_anew() {
        let before = camera("/dev/video0", "usb-0:5").identify().expect("a camera");
        let after = camera("/dev/video4", "usb-0:5").identify().expect("a camera");
        assert_eq!(before, after);
        assert_eq!(before.kind, DeviceKind::Camera);
    }

    #[test]
    fn two_cameras_of_one_model_are_two() {
        let one = camera("/dev/video0", "usb-0:5").identify().expect("a camera");
        let two = camera("/dev/video0", "usb-0:6").identify().expect("a camera");
        assert_ne!(
            one.id, two.id,
            "the same path and model in another port is another camera"
        );
    }

    #[test]
    fn what_has_no_stable_name_is_not_listed() {
        let nameless = facts("Video/Source", "GstV4l2Device", &[("device.path", "/dev/video0")]);
        assert_eq!(nameless.identify(), None);
        let stranger = facts("Audio/Source", "GstOtherDevice", &[("internal-name", "x")]);
        assert_eq!(stranger.identify(), None);
    }

    #[test]
    fn the_monitor_of_an_output_is_desktop_sound_and_an_input_is_a_microphone() {
        let name = ("internal-name", "alsa_output.pci.monitor");
        let monitor = facts(
            "Audio/Source",
            "GstPulseDevice",
            &[name, ("device.class", "monitor")],
        );
        assert_eq!(monitor.identify().map(|i| i.kind), Some(DeviceKind::DesktopAudio));
        let input = facts(
            "Audio/Source",
            "GstPulseDevice",
            &[name, ("device.class", "sound"), ("is-default", "true")],
        );
        let input = input.identify().expect("a microphone");
        assert_eq!((input.kind, input.default), (DeviceKind::Microphone, true));
        let output = facts("Audio/Sink", "GstPulseDevice", &[name, ("is-default", "true")]);
        assert_eq!(output.identify(), None, "an output is no source");
        assert_eq!(output.default_output(), Some("alsa_output.pci.monitor"));
    }

    #[test]
    fn other_systems_names_are_stable_too() {
        for (class, object, property, kind) in [
            (
                "Video/Source",
                "GstAVFDevice",
                ("avf.unique_id", "0x14"),
                DeviceKind::Camera,
            ),
            (
                "Source/Video",
                "GstMFDevice",
                ("device.path", r"\\?\usb#vid_046d"),
                DeviceKind::Camera,
            ),
            (
                "Audio/Source",
                "GstWasapi2Device",
                ("device.id", "{0.0.1}.{ab}"),
                DeviceKind::Microphone,
            ),
            (
                "Source/Monitor",
                "GstD3D11ScreenCaptureDevice",
                ("device.name", r"\\.\DISPLAY1"),
                DeviceKind::Screen,
            ),
            (
                "Audio/Source",
                "GstPipeWireDevice",
                ("node.name", "alsa_input"),
                DeviceKind::Microphone,
            ),
        ] {
            let identity = facts(class, object, &[property]).identify().expect(object);
            assert_eq!(identity.kind, kind, "{object}");
            assert!(
                identity.id.as_str().ends_with(property.1),
                "{object} is named by {}",
                property.0
            );
        }
    }
}

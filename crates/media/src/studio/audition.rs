//! Devices that are tried in the first-run steps: opened for a small picture and a meter, in no scene.

use std::collections::HashSet;

use protocol::{Audition, Device, DeviceId, DeviceKind, SourceId, SourceSettings};

use super::Studio;

/// Most devices that are open at once: a laptop's USB carries no more cameras than that.
const MOST: usize = 8;

impl Studio {
    /// Opens these devices, closes the others. Windows are left out: a screen shows them all. So is what the system's
    /// dialog decides: a look around must not ask anything.
    pub fn audition(&mut self, devices: &[Device]) {
        let wanted: Vec<&Device> = devices
            .iter()
            .filter(|d| d.kind != DeviceKind::Window && !d.id.asks())
            .take(MOST)
            .collect();
        let ids: HashSet<&DeviceId> = wanted.iter().map(|d| &d.id).collect();
        self.auditions.retain(|id, _| ids.contains(id));
        for (n, device) in wanted.into_iter().enumerate() {
            if self.auditions.contains_key(&device.id) {
                continue;
            }
            let id = Some(device.id.clone());
            let settings = match device.kind {
                DeviceKind::Camera => SourceSettings::Camera { device: id },
                DeviceKind::Microphone => SourceSettings::Microphone { device: id },
                DeviceKind::DesktopAudio => SourceSettings::DesktopAudio { device: id },
                DeviceKind::Screen | DeviceKind::Window => SourceSettings::Screen {
                    device: id,
                    cursor: true,
                },
            };
            let name = SourceId::try_from(format!("audition-{n}"));
            let started = name.ok().map(|name| self.start_source(&name, &settings, 0));
            match started {
                Some(Ok(running)) => {
                    self.auditions.insert(device.id.clone(), running);
                }
                Some(Err(error)) => tracing::warn!(device = %device.id, ?error, "device could not be tried"),
                None => {}
            }
        }
    }

    /// How the tried devices are doing, in a fixed order. Levels are those since the last call.
    pub fn auditions(&self) -> Vec<Audition> {
        let mut auditions: Vec<Audition> = self
            .auditions
            .iter()
            .map(|(device, source)| Audition {
                device: device.clone(),
                state: source.pipeline.status().state,
                levels: source.meter.as_ref().map(|meter| meter.levels()),
            })
            .collect();
        auditions.sort_by(|a, b| a.device.cmp(&b.device));
        auditions
    }
}

//! The list of devices for the desk.

use std::{sync::Arc, time::Duration};

use protocol::Device;

use super::hub::Hub;

/// The first look may take this long: sound servers and camera drivers are asked.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// Cameras, microphones, outputs' monitors, screens and windows, as they come and go. Dropping it ends the calls.
pub struct DeviceWatch {
    hub: Arc<Hub>,
    listener: u64,
}

impl DeviceWatch {
    /// Calls `on_change` with the whole list, sorted by kind and name, once it is known and at every change.
    ///
    /// The calls come from the watch's thread, the first possibly from this one. They must not block, and must not
    /// start or drop a watch.
    pub fn start(on_change: impl Fn(Vec<Device>) + Send + Sync + 'static) -> Self {
        let hub = Hub::shared();
        let listener = hub.listen(Box::new(move |devices| on_change(devices.to_vec())));
        Self { hub, listener }
    }

    /// The list as it is now. Waits for the first look, three seconds at most; not for streaming threads.
    pub fn devices(&self) -> Vec<Device> {
        let found = self.hub.found(FIRST_LOOK);
        found.into_iter().map(|found| found.device).collect()
    }
}

impl Drop for DeviceWatch {
    fn drop(&mut self) {
        self.hub.forget(self.listener);
    }
}

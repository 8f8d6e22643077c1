//! The one place that knows which devices are there. Shared by the desk's list and by every source that waits.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gst::prelude::*;
use protocol::{Device, DeviceId, DeviceKind};

use super::{identity::Facts, list};

/// Windows and screens come and go without telling anybody; this is how late the list may be.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A sound server that was not there is asked again this often.
const START_AGAIN: Duration = Duration::from_secs(5);

/// Called with the whole list whenever it changes.
pub(crate) type OnChange = Box<dyn Fn(&[Device]) + Send + Sync>;

/// A device that a source can open.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) device: Device,
    /// `None` for screens and windows of X11: those are opened by their place.
    pub(crate) gst: Option<gst::Device>,
    /// What the system records from when nobody chooses, even if that is an output's monitor.
    pub(crate) system_input: bool,
    #[cfg(all(unix, not(target_os = "macos")))]
    pub(crate) area: Option<super::x11::Area>,
}

#[derive(Default)]
struct Shared {
    wake: Mutex<bool>,
    woken: Condvar,
    found: Mutex<Option<Vec<Found>>>,
    looked: Condvar,
    listeners: Mutex<Vec<(u64, Arc<OnChange>)>>,
    next: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn wake(&self) {
        *lock(&self.wake) = true;
        self.woken.notify_all();
    }
}

/// Watches the devices from its own thread, from the first question to the end of the process.
///
/// It never ends before: PipeWire's provider (0.3.65) takes its connection down without its own lock when it is
/// stopped, and whatever arrives at that moment damages the heap.
pub(crate) struct Hub {
    shared: Arc<Shared>,
}

impl Hub {
    /// The hub of this process; started by the first who asks.
    pub(crate) fn shared() -> Arc<Self> {
        static HUB: OnceLock<Arc<Hub>> = OnceLock::new();
        Arc::clone(HUB.get_or_init(|| Arc::new(Self::start())))
    }

    fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("devices".to_owned())
            .spawn(move || watch(&watched));
        if let Err(error) = &thread {
            tracing::error!(%error, "devices are not watched");
            *lock(&shared.found) = Some(Vec::new());
        }
        Self { shared }
    }

    /// What is there; waits for the first look, at most `within`.
    pub(crate) fn found(&self, within: Duration) -> Vec<Found> {
        let found = lock(&self.shared.found);
        let (found, _) = self
            .shared
            .looked
            .wait_timeout_while(found, within, |found| found.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        found.clone().unwrap_or_default()
    }

    /// The device of this name, or the system's choice where none is named.
    pub(crate) fn find(&self, kind: DeviceKind, id: Option<&DeviceId>, within: Duration) -> Option<Found> {
        let found = self.found(within);
        let usable = |found: &&Found| {
            let known = found.device.kind;
            // An output's monitor may serve as a microphone when the host says so, or the system does.
            let monitor = kind == DeviceKind::Microphone
                && known == DeviceKind::DesktopAudio
                && (id.is_some() || found.system_input);
            known == kind || monitor
        };
        let mut usable = found.iter().filter(usable);
        match id {
            Some(id) => usable.find(|found| found.device.id == *id).cloned(),
            None => usable
                .min_by_key(|found| (found.device.kind != kind, !found.device.default))
                .cloned(),
        }
    }

    /// Calls `on_change` from the hub's thread until [`Self::forget`]; at once when the list is known.
    pub(crate) fn listen(&self, on_change: OnChange) -> u64 {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let on_change = Arc::new(on_change);
        let now: Option<Vec<Device>> = {
            let found = lock(&self.shared.found);
            lock(&self.shared.listeners).push((number, Arc::clone(&on_change)));
            found.as_ref().map(|found| devices(found))
        };
        if let Some(now) = now {
            on_change(&now);
        }
        number
    }

    pub(crate) fn forget(&self, number: u64) {
        lock(&self.shared.listeners).retain(|(known, _)| *known != number);
    }
}

fn devices(found: &[Found]) -> Vec<Device> {
    found.iter().map(|found| found.device.clone()).collect()
}

fn watch(shared: &Arc<Shared>) {
    let monitor = gst::DeviceMonitor::new();
    for class in ["Video/Source", "Audio/Source", "Audio/Sink", "Source/Monitor"] {
        monitor.add_filter(Some(class), None);
    }
    // PipeWire's provider hides those of PulseAudio and V4L2, and with them the outputs' monitors. We choose ourselves.
    monitor.set_show_all_devices(true);
    let waker = Arc::downgrade(shared);
    monitor.bus().set_sync_handler(move |_, _| {
        if let Some(shared) = waker.upgrade() {
            shared.wake();
        }
        gst::BusSyncReply::Drop
    });
    let mut started = monitor.start().is_ok();
    let mut started_at = Instant::now();
    let mut eyes = list::Eyes::default();
    loop {
        *lock(&shared.wake) = false;
        let gst_devices: Vec<(gst::Device, Facts)> = if started {
            monitor
                .devices()
                .iter()
                .map(|device| (device.clone(), facts(device)))
                .collect()
        } else {
            Vec::new()
        };
        // Where PipeWire runs, it tells of sound by itself when there is some.
        let heard = gst_devices
            .iter()
            .any(|(_, facts)| facts.class.contains("Audio") || facts.object == "GstPipeWireDevice");
        publish(shared, eyes.look(gst_devices));
        if !heard && started_at.elapsed() >= START_AGAIN {
            // A provider that failed to start is silent for good, unless it is started again.
            if started {
                monitor.stop();
            }
            started = monitor.start().is_ok();
            started_at = Instant::now();
            continue;
        }
        let wake = lock(&shared.wake);
        drop(shared.woken.wait_timeout_while(wake, LOOK_EVERY, |woken| !*woken));
    }
}

fn publish(shared: &Shared, now: Vec<Found>) {
    let list = devices(&now);
    let changed = {
        let mut found = lock(&shared.found);
        let changed = found.as_ref().is_none_or(|before| devices(before) != list);
        *found = Some(now);
        changed
    };
    shared.looked.notify_all();
    if changed {
        tracing::debug!(count = list.len(), "devices changed");
        let listeners: Vec<_> = lock(&shared.listeners)
            .iter()
            .map(|(_, call)| Arc::clone(call))
            .collect();
        for call in listeners {
            call(&list);
        }
    }
}

fn facts(device: &gst::Device) -> Facts {
    let mut facts = Facts {
        class: device.device_class().to_string(),
        name: device.display_name().to_string(),
        object: device.type_().name().to_owned(),
        ..Facts::default()
    };
    for (name, value) in device
        .properties()
        .iter()
        .flat_map(|properties| properties.iter())
    {
        let text = value
            .get::<String>()
            .ok()
            .or_else(|| value.get::<bool>().ok().map(|truth| truth.to_string()))
            .or_else(|| value.get::<i32>().ok().map(|number| number.to_string()))
            .or_else(|| value.get::<u32>().ok().map(|number| number.to_string()));
        if let Some(text) = text {
            facts.properties.insert(name.to_string(), text);
        }
    }
    if device.has_property_with_type("internal-name", String::static_type()) {
        let name: Option<String> = device.property("internal-name");
        facts
            .properties
            .extend(name.map(|name| ("internal-name".to_owned(), name)));
    }
    facts
}

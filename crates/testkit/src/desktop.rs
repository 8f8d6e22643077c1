//! What a Wayland desktop has beside its screen: a session bus and PipeWire, both of the test's own.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::{PeerError, Process, run_to_end, wait_for, wait_until};

const START_WITHIN: Duration = Duration::from_secs(15);

/// A session bus that starts nothing by itself, PipeWire and its session manager; gone with their folder when dropped.
#[derive(Debug)]
pub struct Desktop {
    // Who depends goes first, the folder last.
    _manager: Process,
    _pipewire: Process,
    _bus: Process,
    folder: TempDir,
}

impl Desktop {
    /// Starts all three. Nothing is to be seen yet, and no portal answers.
    ///
    /// # Errors
    /// [`PeerError`] when one of them is missing or does not answer in time.
    pub fn start() -> Result<Self, PeerError> {
        let folder = tempfile::Builder::new()
            .prefix("testkit-desktop-")
            .tempdir()
            .map_err(PeerError::io("a temporary folder"))?;
        let config = folder.path().join("bus.conf");
        // Without a folder of services: what the person's own desktop has installed stays asleep.
        let rules = format!(
            r#"<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
               <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
               <allow own="*"/></policy></busconfig>"#,
            folder.path().join("bus").display()
        );
        std::fs::write(&config, rules).map_err(PeerError::io("the bus's rules"))?;
        let mut bus = Process::start(
            Command::new("dbus-daemon")
                .args(["--nofork", "--nopidfile", "--print-address"])
                .arg(format!("--config-file={}", config.display())),
        )?;
        bus.wait_for_line(START_WITHIN, |line| line.starts_with("unix:"))?;
        let variables = variables(&folder);
        let pipewire = Process::start(Command::new("pipewire").envs(variables.clone()))?;
        wait_until("PipeWire answering", START_WITHIN, || dump(&variables).is_ok())?;
        let manager = Process::start(Command::new("wireplumber").envs(variables.clone()))?;
        wait_until("PipeWire's session manager", START_WITHIN, || {
            dump(&variables).is_ok_and(|objects| {
                objects
                    .iter()
                    .any(|object| property(object, "application.name") == "WirePlumber")
            })
        })?;
        Ok(Self {
            _manager: manager,
            _pipewire: pipewire,
            _bus: bus,
            folder,
        })
    }

    /// What programs of this desktop find in their environment.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        variables(&self.folder)
    }
}

/// A moving picture of 640×360 in PipeWire, as a compositor puts it there for what is shared. Gone when dropped.
///
/// For one reader: once it has left, PipeWire 0.3.65's sink gives nothing to the next.
#[derive(Debug)]
pub struct Drawing {
    node: u32,
    _painter: Process,
}

impl Drawing {
    /// Draws on the desktop of these variables, or of this process's own environment where there are none. `pattern` is
    /// one of videotestsrc's.
    ///
    /// # Errors
    /// [`PeerError`] when GStreamer's tools are missing or the picture does not appear.
    pub fn start(desktop: &[(&'static str, String)], pattern: &str) -> Result<Self, PeerError> {
        static DRAWN: AtomicU32 = AtomicU32::new(0);
        let number = DRAWN.fetch_add(1, Ordering::Relaxed);
        let name = format!("drawing-{}-{number}", std::process::id());
        let mut painter = Process::start(
            Command::new("gst-launch-1.0")
                .args(["-q", "videotestsrc", "is-live=true"])
                .args([&format!("pattern={pattern}"), "!"])
                .args(["video/x-raw,format=BGRx,width=640,height=360,framerate=30/1", "!"])
                .args(["pipewiresink", "mode=provide"])
                .arg(format!(
                    "stream-properties=p,media.class=Video/Source,node.name={name}"
                ))
                .envs(desktop.iter().cloned()),
        )?;
        let found = wait_for("the picture in PipeWire", START_WITHIN, || {
            if !painter.running() {
                return Some(None);
            }
            let objects = dump(desktop).ok()?;
            let node = objects
                .iter()
                .find(|object| property(object, "node.name") == name)?;
            Some(node["id"].as_u64())
        })?;
        match found.and_then(|node| u32::try_from(node).ok()) {
            Some(node) => Ok(Self {
                node,
                _painter: painter,
            }),
            None => Err(PeerError::Failed {
                tool: "gst-launch-1.0".into(),
                status: "an early end".into(),
                output: painter.output(),
            }),
        }
    }

    /// PipeWire's number of it.
    pub fn node(&self) -> u32 {
        self.node
    }
}

fn bus(folder: &TempDir) -> String {
    format!("unix:path={}", folder.path().join("bus").display())
}

fn variables(folder: &TempDir) -> Vec<(&'static str, String)> {
    let path = folder.path().display().to_string();
    vec![
        ("DBUS_SESSION_BUS_ADDRESS", bus(folder)),
        ("XDG_RUNTIME_DIR", path.clone()),
        ("PIPEWIRE_RUNTIME_DIR", path.clone()),
        // A home of their own: neither reads nor writes what the person has set.
        ("HOME", path.clone()),
        ("XDG_CONFIG_HOME", path.clone()),
        ("XDG_STATE_HOME", path),
        ("WAYLAND_DISPLAY", "wayland-test".to_owned()),
        ("DISPLAY", String::new()),
        ("PULSE_SERVER", "unix:/nowhere".to_owned()),
    ]
}

/// Everything that PipeWire has.
fn dump(variables: &[(&'static str, String)]) -> Result<Vec<serde_json::Value>, PeerError> {
    let json = run_to_end(Command::new("pw-dump").envs(variables.iter().cloned()))?;
    serde_json::from_slice(&json).map_err(|error| PeerError::unreadable("PipeWire's list", error))
}

fn property<'a>(object: &'a serde_json::Value, name: &str) -> &'a str {
    object["info"]["props"][name].as_str().unwrap_or_default()
}

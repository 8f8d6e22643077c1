//! Screens and windows of an X11 display.

use protocol::{Device, DeviceId, DeviceKind, Frame};
use x11rb::{
    connection::Connection,
    protocol::{
        randr::ConnectionExt as _,
        xproto::{AtomEnum, ConnectionExt as _, MapState, Window, WindowClass},
    },
    rust_connection::RustConnection,
};

/// Smaller windows are tooltips and helpers, not what a host wants to show.
const LEAST_SIDE: u16 = 64;
/// More windows than a list can show.
const MOST_WINDOWS: usize = 200;

/// Where a screen lies on the display, in pixels; the right and lower edge are inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) right: u32,
    pub(crate) bottom: u32,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A connection to the display that `DISPLAY` names.
pub(crate) struct Display {
    connection: RustConnection,
    root: Window,
    size: Frame,
}

impl Display {
    /// `None` where there is no X server.
    pub(crate) fn open() -> Option<Self> {
        let (connection, number) = RustConnection::connect(None).ok()?;
        let screen = connection.setup().roots.get(number)?;
        let size = Frame {
            width: screen.width_in_pixels.into(),
            height: screen.height_in_pixels.into(),
        };
        let root = screen.root;
        Some(Self {
            connection,
            root,
            size,
        })
    }

    /// All monitors with their place.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) fn screens(&self) -> Result<Vec<(Device, Area)>> {
        let mut screens = Vec::new();
        // A server without RandR has one screen.
        if let Ok(reply) = self.connection.randr_get_monitors(self.root, true)?.reply() {
            for monitor in reply.monitors {
                let name = self.connection.get_atom_name(monitor.name)?.reply()?.name;
                let name = String::from_utf8_lossy(&name).into_owned();
                let (left, top) = (monitor.x.max(0).unsigned_abs(), monitor.y.max(0).unsigned_abs());
                let area = Area {
                    left: left.into(),
                    top: top.into(),
                    right: u32::from(left) + u32::from(monitor.width.max(1)) - 1,
                    bottom: u32::from(top) + u32::from(monitor.height.max(1)) - 1,
                };
                screens.extend(screen(&name, monitor.primary, area));
            }
        }
        if screens.is_empty() {
            let area = Area {
                left: 0,
                top: 0,
                right: self.size.width - 1,
                bottom: self.size.height - 1,
            };
            screens.extend(screen("screen", true, area));
        }
        if !screens.iter().any(|(device, _)| device.default)
            && let Some((first, _)) = screens.first_mut()
        {
            first.default = true;
        }
        Ok(screens)
    }

    /// Windows that a person would recognise: those of the window manager's list, or all that are shown and named
    /// where nobody manages windows.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) fn windows(&self) -> Result<Vec<Device>> {
        let list = self.property(self.root, "_NET_CLIENT_LIST", AtomEnum::WINDOW.into())?;
        let listed: Vec<Window> = list
            .chunks_exact(4)
            .map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let candidates = if listed.is_empty() {
            self.connection.query_tree(self.root)?.reply()?.children
        } else {
            listed
        };
        let mut windows = Vec::new();
        for window in candidates.into_iter().take(MOST_WINDOWS) {
            // A window may go between the list and the question: it is then not there.
            if let Ok(Some(device)) = self.window(window) {
                windows.push(device);
            }
        }
        Ok(windows)
    }

    fn window(&self, window: Window) -> Result<Option<Device>> {
        let attributes = self.connection.get_window_attributes(window)?.reply()?;
        let geometry = self.connection.get_geometry(window)?.reply()?;
        let shown =
            attributes.map_state == MapState::VIEWABLE && attributes.class == WindowClass::INPUT_OUTPUT;
        if !shown || geometry.width < LEAST_SIDE || geometry.height < LEAST_SIDE {
            return Ok(None);
        }
        let utf8 = self.connection.intern_atom(false, b"UTF8_STRING")?.reply()?.atom;
        let mut name = self.property(window, "_NET_WM_NAME", utf8)?;
        if name.is_empty() {
            name = self.property(window, "WM_NAME", AtomEnum::STRING.into())?;
        }
        let name: String = String::from_utf8_lossy(&name)
            .chars()
            .filter(|c| !c.is_control())
            .take(120)
            .collect();
        if name.trim().is_empty() {
            return Ok(None);
        }
        Ok(Some(Device {
            id: DeviceId::try_from(window.to_string())?,
            kind: DeviceKind::Window,
            name,
            default: false,
            frame: Some(Frame {
                width: geometry.width.into(),
                height: geometry.height.into(),
            }),
            fps: None,
        }))
    }

    fn property(&self, window: Window, name: &str, kind: u32) -> Result<Vec<u8>> {
        let atom = self.connection.intern_atom(true, name.as_bytes())?.reply()?.atom;
        if atom == x11rb::NONE {
            return Ok(Vec::new());
        }
        let reply = self
            .connection
            .get_property(false, window, atom, kind, 0, 4 * MOST_WINDOWS as u32)?
            .reply()?;
        Ok(reply.value)
    }
}

fn screen(name: &str, primary: bool, area: Area) -> Option<(Device, Area)> {
    let device = Device {
        id: DeviceId::try_from(format!("x11:{name}")).ok()?,
        kind: DeviceKind::Screen,
        name: name.to_owned(),
        default: primary,
        frame: Some(Frame {
            width: area.right - area.left + 1,
            height: area.bottom - area.top + 1,
        }),
        fps: None,
    };
    Some((device, area))
}

//! How a screen or a window is captured here: a choice by system and by what is installed, without side effects.

use protocol::{ErrorCode, UserError};

/// A family of systems with its own way of capturing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Os {
    /// Linux and the BSDs.
    Unix,
    Mac,
    Windows,
}

/// What the choice is made from.
pub(crate) struct System<'a> {
    pub(crate) os: Os,
    /// The session's windows are drawn by Wayland: an X server there shows its own windows only.
    pub(crate) wayland: bool,
    /// Whether an element is installed.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

/// What is captured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Screen,
    Window,
}

impl Target {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Window => "window",
        }
    }
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Way {
    /// Straight from the X server. Not by ximagesrc: Xlib ends the whole process when a captured window is closed.
    X11,
    /// The system's own dialog, then `pipewiresrc`.
    Portal,
    /// `avfvideosrc`, a whole screen.
    AvFoundation,
    /// `d3d11screencapturesrc`, for a window with its handle.
    D3d11,
    /// `dxgiscreencapsrc`, before Windows 10's capture interface.
    Dxgi,
}

/// The way, or what the person has to know.
///
/// # Errors
/// [`ErrorCode::CaptureUnavailable`] with `what` and `missing`.
pub(crate) fn way(system: &System, target: Target) -> Result<Way, UserError> {
    let missing = |what: &str| {
        Err(UserError::new(ErrorCode::CaptureUnavailable)
            .with("what", target.as_str())
            .with("missing", what))
    };
    match (system.os, target) {
        (Os::Unix, _) if system.wayland && (system.has)("pipewiresrc") => Ok(Way::Portal),
        (Os::Unix, _) if system.wayland => missing("gstreamer1.0-pipewire"),
        (Os::Unix, _) => Ok(Way::X11),
        (Os::Mac, Target::Screen) if (system.has)("avfvideosrc") => Ok(Way::AvFoundation),
        (Os::Mac, Target::Screen) => missing("avfvideosrc"),
        (Os::Mac, Target::Window) => missing("ScreenCaptureKit"),
        (Os::Windows, _) if (system.has)("d3d11screencapturesrc") => Ok(Way::D3d11),
        (Os::Windows, Target::Screen) if (system.has)("dxgiscreencapsrc") => Ok(Way::Dxgi),
        (Os::Windows, _) => missing("d3d11screencapturesrc"),
    }
}

/// This computer.
pub(crate) fn here(target: Target) -> Result<Way, UserError> {
    let os = if cfg!(target_os = "macos") {
        Os::Mac
    } else if cfg!(windows) {
        Os::Windows
    } else {
        Os::Unix
    };
    let has = |name: &str| gst::ElementFactory::find(name).is_some();
    way(
        &System {
            os,
            wayland: wayland(),
            has: &has,
        },
        target,
    )
}

/// Whether the session's windows are drawn by Wayland. Such a session has an X server too, for old programs: it shows
/// only those.
pub(crate) fn wayland() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(os: Os, wayland: bool, installed: &[&str], target: Target) -> Result<Way, String> {
        let has = |name: &str| installed.contains(&name);
        way(
            &System {
                os,
                wayland,
                has: &has,
            },
            target,
        )
        .map_err(|error| error.params["missing"].clone())
    }

    #[test]
    fn each_system_gets_its_own_way() {
        use Target::{Screen, Window};
        let all = [
            "avfvideosrc",
            "d3d11screencapturesrc",
            "dxgiscreencapsrc",
            "pipewiresrc",
        ];
        for (os, wayland, installed, target, expected) in [
            (Os::Unix, false, &[][..], Screen, Ok(Way::X11)),
            (Os::Unix, false, &[][..], Window, Ok(Way::X11)),
            (Os::Unix, false, &all[..], Screen, Ok(Way::X11)),
            (Os::Unix, true, &all[..], Screen, Ok(Way::Portal)),
            (Os::Unix, true, &all[..], Window, Ok(Way::Portal)),
            (Os::Unix, true, &all[..3], Screen, Err("gstreamer1.0-pipewire")),
            (Os::Mac, false, &all[..], Screen, Ok(Way::AvFoundation)),
            (Os::Mac, false, &[][..], Screen, Err("avfvideosrc")),
            (Os::Mac, false, &all[..], Window, Err("ScreenCaptureKit")),
            (Os::Windows, false, &all[..], Screen, Ok(Way::D3d11)),
            (Os::Windows, false, &all[..], Window, Ok(Way::D3d11)),
            (Os::Windows, false, &all[2..], Screen, Ok(Way::Dxgi)),
            (
                Os::Windows,
                false,
                &all[2..],
                Window,
                Err("d3d11screencapturesrc"),
            ),
            (Os::Windows, false, &[][..], Screen, Err("d3d11screencapturesrc")),
        ] {
            assert_eq!(
                chosen(os, wayland, installed, target),
                expected.map_err(str::to_owned),
                "{os:?}, Wayland {wayland}, {installed:?}, {target:?}"
            );
        }
    }
}

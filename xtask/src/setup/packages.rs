//! Which system packages each package manager needs, and for what.

use super::Purpose;
use super::platform::Manager;

/// The packages that `manager` must have for `purpose`.
pub fn needed(manager: Manager, purpose: Purpose) -> Vec<&'static str> {
    let (run, test) = match manager {
        Manager::Apt => (APT_RUN, [APT_TEST, &["chromium"]].concat()),
        Manager::AptUbuntu => (APT_RUN, [APT_TEST, &["chromium-browser"]].concat()),
        Manager::Dnf => (DNF_RUN, DNF_TEST.to_vec()),
        Manager::Pacman => (PACMAN_RUN, PACMAN_TEST.to_vec()),
        Manager::Brew => (BREW_RUN, BREW_TEST.to_vec()),
        Manager::Winget => (WINGET_RUN, WINGET_TEST.to_vec()),
    };
    let mut packages = run.to_vec();
    if purpose == Purpose::Test {
        packages.extend(test);
    }
    packages
}

/// Names written for Debian 12 and 13 and Ubuntu 24.04.
const APT_RUN: &[&str] = &[
    // Compilers for the C parts of crates (aws-lc for SRTP and TLS, SQLite).
    "build-essential",
    "cmake",
    "pkg-config",
    // What the window is built on: WebKitGTK, the tray, icons; D-Bus for the keyring.
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libdbus-1-dev",
    // The media engine.
    "libgstreamer1.0-dev",
    "libgstreamer-plugins-base1.0-dev",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-ugly",
    "gstreamer1.0-libav",
    "gstreamer1.0-x",
    "gstreamer1.0-gl",
    "gstreamer1.0-pulseaudio",
    "gstreamer1.0-pipewire",
    // Text sources need a font.
    "fonts-dejavu-core",
];

const APT_TEST: &[&str] = &[
    // The receiving server, and a TLS door before it for RTMPS.
    "nginx",
    "libnginx-mod-rtmp",
    "stunnel4",
    "openssl",
    // What reads back what was sent.
    "ffmpeg",
    // A screen and a microphone for the sources.
    "xvfb",
    "xauth",
    "gstreamer1.0-tools",
    "pulseaudio",
    "pulseaudio-utils",
    // What a Wayland session shares: PipeWire and what links its streams.
    "pipewire",
    "pipewire-bin",
    "wireplumber",
    // The window under test: its driver, a session bus, a keyring.
    "webkit2gtk-driver",
    "dbus",
    "gnome-keyring",
    // Another language than the machine's.
    "locales",
    // The foreign WHIP publisher is a Python package.
    "python3-venv",
    // A small disk of its own that fills up (unshare, tmpfs).
    "util-linux",
    "mount",
];

/// Fedora 41 and later, with RPM Fusion for x264. Not yet run.
const DNF_RUN: &[&str] = &[
    "gcc",
    "gcc-c++",
    "make",
    "cmake",
    "pkgconf-pkg-config",
    "webkit2gtk4.1-devel",
    "libayatana-appindicator-gtk3-devel",
    "librsvg2-devel",
    "dbus-devel",
    "gstreamer1-devel",
    "gstreamer1-plugins-base-devel",
    "gstreamer1-plugins-base",
    "gstreamer1-plugins-good",
    "gstreamer1-plugins-bad-free",
    "gstreamer1-plugins-ugly",
    "gstreamer1-plugin-libav",
    "pipewire-gstreamer",
    "dejavu-sans-fonts",
];
const DNF_TEST: &[&str] = &[
    "nginx",
    "nginx-mod-rtmp",
    "stunnel",
    "openssl",
    "ffmpeg",
    "xorg-x11-server-Xvfb",
    "xorg-x11-xauth",
    "pulseaudio",
    "pulseaudio-utils",
    "pipewire",
    "pipewire-utils",
    "wireplumber",
    "webkit2gtk-driver",
    "dbus-daemon",
    "gnome-keyring",
    "chromium",
    "python3",
];

/// Arch. Not yet run; nginx-mod-rtmp is in the AUR only.
const PACMAN_RUN: &[&str] = &[
    "base-devel",
    "cmake",
    "pkgconf",
    "webkit2gtk-4.1",
    "libayatana-appindicator",
    "librsvg",
    "dbus",
    "gstreamer",
    "gst-plugins-base",
    "gst-plugins-good",
    "gst-plugins-bad",
    "gst-plugins-ugly",
    "gst-libav",
    "gst-plugin-pipewire",
    "ttf-dejavu",
];
const PACMAN_TEST: &[&str] = &[
    "nginx",
    "nginx-mod-rtmp",
    "stunnel",
    "openssl",
    "ffmpeg",
    "xorg-server-xvfb",
    "xorg-xauth",
    "pulseaudio",
    "pipewire",
    "wireplumber",
    "gnome-keyring",
    "chromium",
    "python",
];

/// macOS. Not yet run; the tests need Linux's Xvfb and PulseAudio and are run there.
const BREW_RUN: &[&str] = &["cmake", "pkgconf", "gstreamer"];
const BREW_TEST: &[&str] = &["nginx-full", "stunnel", "ffmpeg", "python"];

/// Windows. Not yet run; the tests need Linux's Xvfb and PulseAudio and are run there.
const WINGET_RUN: &[&str] = &[
    "Microsoft.VisualStudio.2022.BuildTools",
    "Microsoft.EdgeWebView2Runtime",
    "Kitware.CMake",
    "NASM.NASM",
    "bloodrock.pkg-config-lite",
    "gstreamerproject.gstreamer",
];
const WINGET_TEST: &[&str] = &["Gyan.FFmpeg", "Python.Python.3.12"];

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Manager; 6] = [
        Manager::Apt,
        Manager::AptUbuntu,
        Manager::Dnf,
        Manager::Pacman,
        Manager::Brew,
        Manager::Winget,
    ];

    #[test]
    fn testing_needs_all_that_running_needs_and_names_nothing_twice() {
        for manager in ALL {
            let (run, test) = (needed(manager, Purpose::Run), needed(manager, Purpose::Test));
            assert!(run.iter().all(|package| test.contains(package)), "{manager:?}");
            assert!(test.len() > run.len(), "{manager:?} has peers to install");
            let mut once = test.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), test.len(), "{manager:?} names a package twice");
        }
    }
}

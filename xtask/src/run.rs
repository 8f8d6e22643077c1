//! Opens the studio from a fresh checkout.

use anyhow::Context;

use crate::project::{Project, succeed};
use crate::setup::{self, Purpose};

/// Installs, builds and opens the desktop window; without a display, starts the engine for a browser.
pub fn run(project: &Project) -> anyhow::Result<()> {
    setup::install(project, Purpose::Run)?;
    build_ui(project)?;
    crate::engine::build_release(project)?;
    let engine = project.built("release", "studio-engine");
    let mut command = if display_there() {
        let package = [
            "build",
            "--release",
            "--package",
            "streamcore-studio",
            "--bin",
            "studio",
        ];
        succeed(project.cargo().args(package))?;
        project.command(project.built("release", "studio"))
    } else {
        println!("There is no display here: open the address below in a browser.");
        let mut command = project.command(&engine);
        command.arg("serve");
        command
    };
    let status = command.status().context("start the studio")?;
    // Its own exit code is documented: hand it on.
    std::process::exit(status.code().unwrap_or(1));
}

/// Builds ui/dist, which the engine carries inside it.
pub fn build_ui(project: &Project) -> anyhow::Result<()> {
    setup::install_ui(project)?;
    succeed(project.npm(&project.ui()).args(["run", "build"]))
}

/// Whether a window can be opened. macOS and Windows always have a display.
fn display_there() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("WAYLAND_DISPLAY") || set("DISPLAY")
}

//! tauri-driver: the WebDriver server that opens the desktop window and clicks in it.

use crate::project::{Project, succeed};

/// The version that is installed; a change installs the new one.
const VERSION: &str = "2.1.0";

/// Builds it from crates.io unless this version is there. Linux and Windows only: macOS has no WebDriver
/// for its web view.
pub fn install(project: &Project) -> anyhow::Result<()> {
    if cfg!(target_os = "macos") {
        return Ok(());
    }
    let installed = project.tools().join("tauri-driver.version");
    if project.tauri_driver().is_file()
        && std::fs::read_to_string(&installed).ok().as_deref() == Some(VERSION)
    {
        return Ok(());
    }
    println!(
        "Installing tauri-driver {VERSION} in {}",
        project.tools().display()
    );
    let options = [
        "install",
        "--locked",
        "--force",
        "--quiet",
        "--version",
        VERSION,
        "--root",
    ];
    succeed(
        project
            .cargo()
            .args(options)
            .arg(project.tools())
            .arg("tauri-driver"),
    )?;
    std::fs::write(&installed, VERSION)?;
    Ok(())
}

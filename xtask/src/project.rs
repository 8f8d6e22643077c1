//! Where the project's parts lie, and how its tools are called.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The checkout that this task belongs to.
#[derive(Debug)]
pub struct Project {
    /// The folder with the workspace's Cargo.toml.
    pub top: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
}

impl Project {
    /// Finds the checkout that cargo runs this task in; without cargo, the one where this crate was compiled. Two
    /// checkouts may share a target folder.
    pub fn find() -> anyhow::Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let top = own.parent().context("xtask lies in the workspace")?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::env::current_dir()?.join(folder),
            None => top.join("target"),
        };
        Ok(Self {
            top: top.to_owned(),
            target,
        })
    }

    /// The desk's and the viewer page's sources.
    pub fn ui(&self) -> PathBuf {
        self.top.join("ui")
    }

    /// The tests that speak to real peers.
    pub fn tests(&self) -> PathBuf {
        self.top.join("tests")
    }

    /// What set-up keeps between runs: a Python environment, a WebDriver.
    pub fn tools(&self) -> PathBuf {
        self.target.join("studio-tools")
    }

    /// The Python with the tests' packages.
    pub fn python(&self) -> PathBuf {
        let folder = self.tools().join("python");
        if cfg!(windows) {
            folder.join("Scripts/python.exe")
        } else {
            folder.join("bin/python")
        }
    }

    /// The WebDriver server that drives the desktop window.
    pub fn tauri_driver(&self) -> PathBuf {
        self.tools().join("bin").join(program("tauri-driver"))
    }

    /// A program of the workspace as built with `profile` (`debug` or `release`).
    pub fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(program(name))
    }

    /// A command that runs at the top of the checkout.
    pub fn command(&self, tool: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(tool);
        command.current_dir(&self.top);
        command
    }

    /// cargo, in the version that runs this task.
    pub fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// npm in `folder`.
    pub fn npm(&self, folder: &Path) -> Command {
        let mut command = self.command(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command.current_dir(folder);
        command
    }
}

/// A program's file name on this system.
fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Where `name` lies on the search path.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program(name)))
        .find(|path| path.is_file())
}

/// Runs `command` with its output shown, and fails with its name when it fails.
pub fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = command
        .status()
        .with_context(|| format!("start `{shown}`: is it installed?"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// What `command` looks like on a command line.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

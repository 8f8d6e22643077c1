//! The stages of the tests, in their order: what is quick and what others need comes first.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use super::counts::{Counts, Runner};
use super::runner::count;
use crate::project::{Project, on_path, succeed};
use crate::{engine, generated, tidy};

/// One stage.
pub struct Stage {
    /// How it is called on the command line.
    pub name: &'static str,
    /// What it does, for its heading.
    pub about: &'static str,
    /// Whether the stages behind it can't run without it.
    pub others_need_it: bool,
    /// Runs it; no counts for a stage that has no tests of its own.
    pub run: fn(&Project) -> anyhow::Result<Option<Counts>>,
}

/// All stages.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "gen",
        about: "generated files are fresh",
        others_need_it: false,
        run: gen_stage,
    },
    Stage {
        name: "pages",
        about: "the desk and the viewer page build",
        others_need_it: true,
        run: pages,
    },
    Stage {
        name: "ui",
        about: "types, accessibility, logic of the desk",
        others_need_it: false,
        run: ui,
    },
    Stage {
        name: "tidy",
        about: "house rules",
        others_need_it: false,
        run: tidy_stage,
    },
    Stage {
        name: "programs",
        about: "the programs build",
        others_need_it: true,
        run: programs,
    },
    Stage {
        name: "rust",
        about: "crates, alone and with real peers",
        others_need_it: false,
        run: rust,
    },
    Stage {
        name: "desk",
        about: "desk and viewer page in Chromium",
        others_need_it: false,
        run: desk,
    },
    Stage {
        name: "window",
        about: "the real window under Xvfb",
        others_need_it: false,
        run: window,
    },
];

fn gen_stage(project: &Project) -> anyhow::Result<Option<Counts>> {
    generated::check(project).map(|()| None)
}

fn pages(project: &Project) -> anyhow::Result<Option<Counts>> {
    crate::run::build_ui(project).map(|()| None)
}

fn ui(project: &Project) -> anyhow::Result<Option<Counts>> {
    succeed(project.npm(&project.ui()).args(["run", "check"]))?;
    count(project.npm(&project.ui()).args(["run", "test"]), Runner::Vitest).map(Some)
}

fn tidy_stage(project: &Project) -> anyhow::Result<Option<Counts>> {
    tidy::run(project).map(|()| None)
}

fn programs(project: &Project) -> anyhow::Result<Option<Counts>> {
    engine::build_all(project).map(|()| None)
}

fn rust(project: &Project) -> anyhow::Result<Option<Counts>> {
    let mut command = project.cargo();
    command.args(["test", "--workspace", "--no-fail-fast"]);
    count(with_tools(project, &mut command)?, Runner::Cargo).map(Some)
}

fn desk(project: &Project) -> anyhow::Result<Option<Counts>> {
    let mut command = project.command("npx");
    command
        .current_dir(project.tests())
        .args(["--no-install", "playwright", "test"]);
    count(with_tools(project, &mut command)?, Runner::Playwright).map(Some)
}

fn window(project: &Project) -> anyhow::Result<Option<Counts>> {
    let folder = project.tests().join("window");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("read {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("there is no *.test.mjs in {}", folder.display());
    }
    // A screen and a session bus of its own: the person's desktop and keyring stay untouched.
    let mut command = project.command("xvfb-run");
    command
        .args([
            "--auto-servernum",
            "--server-args=-screen 0 1600x1000x24 -nolisten tcp",
        ])
        .args([
            "dbus-run-session",
            "--",
            "node",
            "--test",
            "--test-reporter=spec",
            "--test-concurrency=1",
        ])
        .args(files)
        .current_dir(project.tests());
    count(with_tools(project, &mut command)?, Runner::Node).map(Some)
}

/// Tells `command` where the tools and programs are that set-up and build made.
fn with_tools<'a>(project: &Project, command: &'a mut Command) -> anyhow::Result<&'a mut Command> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let chromium = names.iter().find_map(|name| on_path(name));
    let chromium = chromium.with_context(|| format!("none of {names:?} is installed"))?;
    Ok(command
        .env("STUDIO_CHROMIUM", chromium)
        .env("STUDIO_PYTHON", project.python())
        .env("STUDIO_TAURI_DRIVER", project.tauri_driver())
        .env("STUDIO_ENGINE", project.built("debug", "studio-engine"))
        .env("STUDIO_BIN", project.target.join("debug")))
}

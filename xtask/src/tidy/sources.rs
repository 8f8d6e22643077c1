//! The files that belong to the project.

use std::path::Path;

use anyhow::{Context, bail};

use crate::project::Project;

/// A text file: its path from the top with forward slashes, and what it holds.
pub struct Source {
    /// For example `crates/media/src/lib.rs`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// The project's text files with one of `endings`: those that git tracks or would take, not the generated.
pub fn sources(project: &Project, endings: &[&str]) -> anyhow::Result<Vec<Source>> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let output = project.command("git").args(list).output().context("run git")?;
    if !output.status.success() {
        bail!(
            "git cannot list the files: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut sources = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let ending = Path::new(path)
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        if !endings.contains(&ending) || path.starts_with("ui/src/lib/protocol/") {
            continue;
        }
        // A file that is deleted but not yet committed is listed and not there.
        let Ok(text) = std::fs::read_to_string(project.top.join(path)) else {
            continue;
        };
        sources.push(Source {
            path: path.to_owned(),
            text,
        });
    }
    Ok(sources)
}

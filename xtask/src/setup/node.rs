//! npm packages, exactly as the lock file names them.

use std::path::Path;

use anyhow::{Context, bail};

use super::system::require;
use crate::project::{Project, succeed};

/// The oldest Node.js that the desk's tools run on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Installs the packages of `folder` unless they are there as its lock file wants them.
pub fn install(project: &Project, folder: &Path) -> anyhow::Result<()> {
    let lock = folder.join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| format!("read {}", lock.display()))?;
    // A copy of the lock file that was installed: times mean nothing in a fresh clone.
    let installed = folder.join("node_modules/.installed-lock.json");
    if std::fs::read(&installed).ok().as_ref() == Some(&wanted) {
        return Ok(());
    }
    check_version()?;
    println!("Installing npm packages in {}", folder.display());
    succeed(project.npm(folder).args(["ci", "--no-audit", "--no-fund"]))?;
    std::fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))
}

fn check_version() -> anyhow::Result<()> {
    require("node", "install Node.js 20.19 or later, the README says how")?;
    let output = std::process::Command::new("node")
        .arg("--version")
        .output()
        .context("run node")?;
    let text = String::from_utf8_lossy(&output.stdout);
    match version(&text) {
        Some(version) if version >= OLDEST_NODE => Ok(()),
        _ => bail!(
            "Node.js {} is too old: the desk needs 20.19 or later",
            text.trim()
        ),
    }
}

fn version(said: &str) -> Option<(u32, u32)> {
    let mut parts = said.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(version("v20.11.1\n"), Some((20, 11)));
        assert!(
            version("v22.1.0") > Some(OLDEST_NODE),
            "a newer major with an older minor is newer"
        );
        assert!(version("v20.11.1") < Some(OLDEST_NODE));
        assert_eq!(version("nonsense"), None);
    }
}

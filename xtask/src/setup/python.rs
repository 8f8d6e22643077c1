//! A Python environment of the tests' own, with a foreign WHIP publisher (aiortc) in it.

use anyhow::Context;

use super::system::require;
use crate::project::{Project, succeed};

/// Makes the environment unless it is there as tests/requirements.txt wants it.
pub fn install(project: &Project) -> anyhow::Result<()> {
    let list = project.tests().join("requirements.txt");
    let wanted = std::fs::read(&list).with_context(|| format!("read {}", list.display()))?;
    let folder = project.tools().join("python");
    let installed = folder.join("installed-requirements.txt");
    if std::fs::read(&installed).ok().as_ref() == Some(&wanted) && project.python().is_file() {
        return Ok(());
    }
    println!("Installing the tests' Python packages in {}", folder.display());
    let python = if cfg!(windows) { "python" } else { "python3" };
    require(python, "install Python 3.11 or later")?;
    succeed(
        project
            .command(python)
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ];
    succeed(project.command(project.python()).args(pip).arg(&list))?;
    std::fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))
}

//! Installs what is missing: system packages, npm packages, Python packages, the window's WebDriver.

mod driver;
mod node;
mod packages;
mod platform;
mod python;
mod system;

use crate::project::Project;

/// What the machine is made ready for; the later includes the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Building the studio and going on air.
    Run,
    /// The tests with their real peers, and the benchmarks.
    Test,
}

/// Finds what is missing for `purpose`, says it, and installs it. Does nothing on a machine that has it all.
pub fn install(project: &Project, purpose: Purpose) -> anyhow::Result<()> {
    system::install(purpose)?;
    node::install(project, &project.ui())?;
    if purpose == Purpose::Test {
        node::install(project, &project.tests())?;
        python::install(project)?;
        driver::install(project)?;
    }
    Ok(())
}

/// Installs what building the desk's pages needs: its npm packages.
pub fn install_ui(project: &Project) -> anyhow::Result<()> {
    node::install(project, &project.ui())
}

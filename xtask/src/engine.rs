//! Building the programs, and finding what was built.

use crate::project::{Project, succeed};

/// Builds every program of the workspace for the tests: the desk window, the engine, StreamCore.
///
/// Integration tests of one crate start the programs of another, which cargo does not build for them. All
/// targets, not the programs alone: with the tests' own dependencies libraries get other features, and the
/// tests would build most of them a second time.
pub fn build_all(project: &Project) -> anyhow::Result<()> {
    succeed(project.cargo().args(["build", "--workspace", "--all-targets"]))
}

/// Builds `studio-engine`, as small and fast as it ships.
pub fn build_release(project: &Project) -> anyhow::Result<()> {
    let programs = ["--bin", "studio-engine", "--bin", "streamcore"];
    succeed(
        project
            .cargo()
            .args([
                "build",
                "--release",
                "--package",
                "engine",
                "--package",
                "streamcore",
            ])
            .args(programs),
    )
}

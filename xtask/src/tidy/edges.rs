//! Which crate may depend on which, and which libraries belong to one crate alone.

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::project::Project;

/// The crates that each crate may depend on. What is not listed here is not allowed.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("media", &["protocol"]),
    ("streamcore", &[]),
    ("platforms", &["protocol"]),
    ("audience", &["protocol"]),
    ("store", &["protocol"]),
    (
        "engine",
        &[
            "media",
            "streamcore",
            "platforms",
            "audience",
            "store",
            "protocol",
        ],
    ),
    ("streamcore-studio", &["engine", "protocol"]),
    ("testkit", &[]),
    // Benchmarks have the same peers as the tests.
    ("xtask", &["testkit"]),
];

/// Libraries, by the beginning of their name, and the crates that alone may ship them.
const BELONGS_TO: &[(&str, &[&str])] = &[
    ("gstreamer", &["media"]),
    ("gst-plugin-", &["media"]),
    ("ashpd", &["media"]),
    ("str0m", &["streamcore"]),
    ("quinn-udp", &["streamcore"]),
    ("socketioxide", &["streamcore"]),
    ("aide", &["streamcore"]),
    // StreamCore stands alone, with a database of its own.
    ("sqlx", &["store", "streamcore"]),
    ("keyring", &["store"]),
    ("axum", &["engine", "streamcore"]),
    // StreamCore fetches the public keys of the host's own site.
    ("reqwest", &["platforms", "audience", "streamcore"]),
    // The window is a desk like any other when it asks whether a show is on air.
    (
        "tokio-tungstenite",
        &["platforms", "audience", "streamcore-studio"],
    ),
    ("tauri", &["streamcore-studio"]),
    ("ts-rs", &["protocol", "streamcore"]),
    ("anyhow", &["xtask"]),
];

/// No I/O in what both sides agree on.
const NEVER: &[(&str, &str)] = &[("protocol", "tokio")];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing for what ships.
    kind: Option<String>,
    /// Set for the workspace's own crates.
    path: Option<String>,
}

/// Edges of this workspace that are not allowed.
pub fn faults(project: &Project) -> anyhow::Result<Vec<String>> {
    let output = project
        .cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    Ok(metadata.packages.iter().flat_map(faults_of).collect())
}

fn faults_of(package: &Package) -> Vec<String> {
    let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == package.name) else {
        return vec![format!(
            "{}: say in xtask/src/tidy/edges.rs which crates it may know",
            package.name
        )];
    };
    let may_ship = |library: &str| {
        let owned = BELONGS_TO.iter().filter(|(start, _)| library.starts_with(start));
        owned.flat_map(|(_, owners)| *owners).copied().collect::<Vec<_>>()
    };
    let mut faults = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let dev = dependency.kind.as_deref() == Some("dev");
        let edge = format!("{} → {name}", package.name);
        if dependency.path.is_some() {
            let allowed = may_know.contains(&name) || (dev && name == "testkit");
            if !allowed {
                faults.push(format!("{edge}: it may know {may_know:?} only"));
            }
            continue;
        }
        let owners = may_ship(name);
        // Tests speak to real peers with whatever library speaks best.
        if !dev && !owners.is_empty() && !owners.contains(&package.name.as_str()) {
            faults.push(format!("{edge}: it belongs to {owners:?}"));
        }
        if !dev && NEVER.contains(&(package.name.as_str(), name)) {
            faults.push(format!("{edge}: never"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>, bool)]) -> Package {
        let dependency = |(name, kind, own): &(&str, Option<&str>, bool)| Dependency {
            name: name.to_string(),
            kind: kind.map(str::to_owned),
            path: own.then(|| "/somewhere".to_owned()),
        };
        Package {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    #[test]
    fn arrows_point_one_way() {
        assert!(faults_of(&package("engine", &[("media", None, true)])).is_empty());
        assert_eq!(faults_of(&package("media", &[("engine", None, true)])).len(), 1);
        assert_eq!(
            faults_of(&package("streamcore", &[("protocol", None, true)])).len(),
            1
        );
        assert_eq!(
            faults_of(&package("protocol", &[("tokio", None, false)])).len(),
            1
        );
    }

    #[test]
    fn libraries_stay_where_they_belong() {
        assert!(faults_of(&package("media", &[("gstreamer-app", None, false)])).is_empty());
        assert_eq!(
            faults_of(&package("engine", &[("gstreamer", None, false)])).len(),
            1
        );
        assert_eq!(faults_of(&package("engine", &[("sqlx", None, false)])).len(), 1);
        assert!(
            faults_of(&package(
                "streamcore-studio",
                &[("tauri-build", Some("build"), false)]
            ))
            .is_empty()
        );
        assert!(faults_of(&package("engine", &[("tokio-tungstenite", Some("dev"), false)])).is_empty());
    }

    #[test]
    fn the_testkit_ships_nowhere() {
        assert!(faults_of(&package("media", &[("testkit", Some("dev"), true)])).is_empty());
        assert_eq!(faults_of(&package("media", &[("testkit", None, true)])).len(), 1);
    }

    #[test]
    fn a_new_crate_must_be_placed() {
        assert_eq!(faults_of(&package("surprise", &[])).len(), 1);
    }
}

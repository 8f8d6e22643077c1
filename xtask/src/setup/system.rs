//! System packages: which are missing, and installing them.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::platform::Manager;
use super::{Purpose, packages};
use crate::project::{on_path, shown, succeed};

/// Names the missing packages and installs them.
pub fn install(purpose: Purpose) -> anyhow::Result<()> {
    let manager = Manager::of_this_machine()?;
    let mut missing = missing(manager, &packages::needed(manager, purpose))?;
    // A browser that came another way, as a snap or from its maker, is as good.
    if on_path("chromium").or_else(|| on_path("google-chrome")).is_some() {
        missing.retain(|package| !package.starts_with("chromium"));
    }
    if missing.is_empty() {
        return Ok(());
    }
    println!(
        "Installing {} system packages: {}",
        missing.len(),
        missing.join(" ")
    );
    if !manager.tried() {
        println!(
            "(Set-up has not yet been run on this kind of system: should it fail, install them by hand.)"
        );
    }
    for mut command in commands(manager, &missing) {
        println!("$ {}", shown(&command));
        succeed(command.stdin(Stdio::null()))?;
    }
    Ok(())
}

/// Which of `wanted` are not installed.
fn missing<'a>(manager: Manager, wanted: &[&'a str]) -> anyhow::Result<Vec<&'a str>> {
    let installed = |tool: &str, arguments: &[&str]| -> anyhow::Result<bool> {
        let status = Command::new(tool)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        Ok(status.with_context(|| format!("run {tool}"))?.success())
    };
    match manager {
        Manager::Apt | Manager::AptUbuntu => {
            let format = "--showformat=${Package} ${db:Status-Status}\n";
            // It fails when it does not know one of them, and lists the others all the same.
            let output = Command::new("dpkg-query")
                .args(["--show", format])
                .args(wanted)
                .output();
            let output = output.context("run dpkg-query")?;
            Ok(not_listed(wanted, &String::from_utf8_lossy(&output.stdout)))
        }
        Manager::Pacman => {
            // It prints the ones that are not there.
            let output = Command::new("pacman")
                .arg("-T")
                .args(wanted)
                .output()
                .context("run pacman")?;
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(wanted
                .iter()
                .copied()
                .filter(|name| lines.lines().any(|line| line == *name))
                .collect())
        }
        Manager::Dnf => keep_missing(wanted, |name| installed("rpm", &["-q", "--whatprovides", name])),
        Manager::Brew => keep_missing(wanted, |name| installed("brew", &["list", "--versions", name])),
        Manager::Winget => keep_missing(wanted, |name| {
            installed("winget", &["list", "--exact", "--id", name])
        }),
    }
}

fn keep_missing<'a>(
    wanted: &[&'a str],
    installed: impl Fn(&str) -> anyhow::Result<bool>,
) -> anyhow::Result<Vec<&'a str>> {
    let mut missing = Vec::new();
    for name in wanted {
        if !installed(name)? {
            missing.push(*name);
        }
    }
    Ok(missing)
}

fn not_listed<'a>(wanted: &[&'a str], listed: &str) -> Vec<&'a str> {
    let is_installed = |name: &str| {
        listed
            .lines()
            .any(|line| line.split_once(' ') == Some((name, "installed")))
    };
    wanted
        .iter()
        .copied()
        .filter(|name| !is_installed(name))
        .collect()
}

/// What has to be run, in order.
fn commands(manager: Manager, packages: &[&str]) -> Vec<Command> {
    match manager {
        Manager::Apt | Manager::AptUbuntu => {
            // A fresh machine has no package lists yet, and mirrors stumble.
            let retry = ["-o", "Acquire::Retries=3"];
            let mut update = as_root("apt-get");
            update.args(retry).arg("update");
            let mut install = as_root("apt-get");
            install
                .args(retry)
                .args(["install", "--yes", "--no-install-recommends"])
                .args(packages);
            vec![update, install]
        }
        Manager::Dnf => {
            let mut install = as_root("dnf");
            install.args(["install", "--assumeyes"]).args(packages);
            vec![install]
        }
        Manager::Pacman => {
            let mut install = as_root("pacman");
            install.args(["-S", "--needed", "--noconfirm"]).args(packages);
            vec![install]
        }
        Manager::Brew => {
            let mut install = Command::new("brew");
            install.arg("install").args(packages);
            vec![install]
        }
        Manager::Winget => {
            let install = |package: &&str| {
                let mut install = Command::new("winget");
                install.args(["install", "--exact", "--accept-package-agreements"]);
                install.args(["--accept-source-agreements", "--id", package]);
                install
            };
            packages.iter().map(install).collect()
        }
    }
}

/// `tool` as root: directly, or through sudo.
fn as_root(tool: &str) -> Command {
    // No question may stop the installation half way; `env` carries this through sudo.
    let environment = ["DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a", tool];
    let mut command;
    if is_root() {
        command = Command::new("env");
    } else {
        command = Command::new("sudo");
        command.arg("env");
    }
    command.args(environment);
    command
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Fails with a sentence when `tool` is not there.
pub fn require(tool: &str, why: &str) -> anyhow::Result<()> {
    if on_path(tool).is_none() {
        bail!("{tool} is not on the search path: {why}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_installed_package_counts() {
        let listed = "nginx installed\nxvfb config-files\nffmpeg installed\n";
        assert_eq!(
            not_listed(&["nginx", "xvfb", "ffmpeg", "dbus"], listed),
            ["xvfb", "dbus"]
        );
    }

    #[test]
    fn apt_updates_first_and_asks_nothing() {
        let commands: Vec<_> = commands(Manager::Apt, &["nginx"]).iter().map(shown).collect();
        assert!(commands[0].ends_with("update"), "{commands:?}");
        assert!(
            commands[1].contains("DEBIAN_FRONTEND=noninteractive"),
            "{commands:?}"
        );
        assert!(
            commands[1].ends_with("--yes --no-install-recommends nginx"),
            "{commands:?}"
        );
    }

    #[test]
    fn winget_takes_one_package_at_a_time() {
        assert_eq!(commands(Manager::Winget, &["a", "b"]).len(), 2);
    }
}

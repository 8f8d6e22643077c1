//! Which system this is, and which package manager it has.

use anyhow::{Context, bail};

/// A package manager that set-up speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// Debian 12 and 13.
    Apt,
    /// Ubuntu 24.04: apt, but its Chromium package only fetches a snap.
    AptUbuntu,
    /// Fedora. Not yet run.
    Dnf,
    /// Arch. Not yet run.
    Pacman,
    /// macOS with Homebrew. Not yet run.
    Brew,
    /// Windows 10 and later. Not yet run.
    Winget,
}

impl Manager {
    /// The one of this machine.
    pub fn of_this_machine() -> anyhow::Result<Self> {
        match std::env::consts::OS {
            "macos" => Ok(Self::Brew),
            "windows" => Ok(Self::Winget),
            "linux" => {
                let text = std::fs::read_to_string("/etc/os-release").context("read /etc/os-release")?;
                let Some(manager) = Self::of_os_release(&text) else {
                    bail!(
                        "this Linux is none that set-up knows (Debian, Ubuntu, Fedora, Arch and their \
                         descendants): install the packages listed in xtask/src/setup/packages.rs by hand"
                    );
                };
                Ok(manager)
            }
            other => bail!("set-up does not know {other}"),
        }
    }

    /// Whether set-up has been run on such a system.
    pub fn tried(self) -> bool {
        matches!(self, Self::Apt)
    }

    fn of_os_release(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
            Some(line.trim_matches('"').to_owned())
        };
        let families = format!("{} {}", value("ID")?, value("ID_LIKE").unwrap_or_default());
        // The first that matches wins: Ubuntu also says that it is like Debian.
        families.split_whitespace().find_map(|family| match family {
            "ubuntu" => Some(Self::AptUbuntu),
            "debian" => Some(Self::Apt),
            "fedora" | "rhel" => Some(Self::Dnf),
            "arch" => Some(Self::Pacman),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_are_told_apart() {
        let of = Manager::of_os_release;
        assert_eq!(
            of("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"),
            Some(Manager::Apt)
        );
        assert_eq!(of("ID=ubuntu\nID_LIKE=debian\n"), Some(Manager::AptUbuntu));
        assert_eq!(
            of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            Some(Manager::AptUbuntu)
        );
        assert_eq!(
            of("ID=\"nobara\"\nID_LIKE=\"rhel centos fedora\"\n"),
            Some(Manager::Dnf)
        );
        assert_eq!(of("ID=manjaro\nID_LIKE=arch\n"), Some(Manager::Pacman));
        assert_eq!(of("ID=nixos\n"), None);
        assert_eq!(of(""), None);
    }
}

//! Imports of the desk's sources: the window's own interface stays behind one door.

use super::sources::{Source, sources};
use crate::project::Project;

/// Only this folder may speak to the window.
const HOST: &str = "ui/src/lib/host/";
const WINDOW: &str = "@tauri-apps/";

/// Imports that are not allowed.
pub fn faults(project: &Project) -> anyhow::Result<Vec<String>> {
    let files = sources(project, &["ts", "js", "mjs", "svelte"])?;
    Ok(files.iter().flat_map(faults_of).collect())
}

fn faults_of(file: &Source) -> Vec<String> {
    if !file.path.starts_with("ui/src/") || file.path.starts_with(HOST) {
        return Vec::new();
    }
    let imports = file.text.lines().enumerate().filter(|(_, line)| {
        // Static, for effect only, and dynamic imports all quote the module right behind these.
        ["from ", "import ", "import("].iter().any(|before| {
            line.split(before).skip(1).any(|after| {
                after
                    .trim_start()
                    .strip_prefix(['"', '\'', '`'])
                    .is_some_and(|name| name.starts_with(WINDOW))
            })
        })
    });
    imports
        .map(|(index, _)| format!("{}:{}: only {HOST} imports {WINDOW}*", file.path, index + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_in(path: &str, text: &str) -> usize {
        faults_of(&Source {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn the_window_is_imported_behind_its_door_only() {
        let import = "import { invoke } from '@tauri-apps/api/core';";
        assert_eq!(faults_in("ui/src/lib/host/window.ts", import), 0);
        assert_eq!(faults_in("ui/src/views/Live.svelte", import), 1);
        assert_eq!(
            faults_in(
                "ui/src/a.ts",
                "const x = await import(\"@tauri-apps/api/event\");"
            ),
            1
        );
        assert_eq!(faults_in("ui/src/a.ts", "import \"@tauri-apps/api\";"), 1);
        assert_eq!(
            faults_in("ui/src/a.ts", "// like @tauri-apps/api, but over a WebSocket"),
            0
        );
    }
}

//! How long a file may be.

use super::sources::{Source, sources};
use crate::project::Project;

/// Lines of a Rust file, its tests not counted.
const RUST: usize = 800;
/// Lines of a component.
const COMPONENT: usize = 400;

/// Files that are too long.
pub fn faults(project: &Project) -> anyhow::Result<Vec<String>> {
    let files = sources(project, &["rs", "svelte"])?;
    Ok(files.iter().filter_map(fault).collect())
}

fn fault(file: &Source) -> Option<String> {
    let (lines, most) = if file.path.ends_with(".rs") {
        (lines_without_tests(&file.text), RUST)
    } else {
        (file.text.lines().count(), COMPONENT)
    };
    (lines > most).then(|| format!("{}: {lines} lines, at most {most}", file.path))
}

/// Unit tests stand at the end of their file, so everything from their module on is theirs.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines
        .windows(2)
        .position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
    tests.unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize, tests: usize) -> Source {
        let mut text = "x\n".repeat(lines);
        if tests > 0 {
            text += "#[cfg(test)]\nmod tests {\n";
            text += &"x\n".repeat(tests);
        }
        Source {
            path: path.to_owned(),
            text,
        }
    }

    #[test]
    fn tests_do_not_count() {
        assert_eq!(fault(&file("a.rs", 800, 500)), None);
        assert!(fault(&file("a.rs", 801, 0)).is_some());
    }

    #[test]
    fn components_are_shorter() {
        assert_eq!(fault(&file("a.svelte", 400, 0)), None);
        assert!(fault(&file("a.svelte", 401, 0)).is_some());
    }
}

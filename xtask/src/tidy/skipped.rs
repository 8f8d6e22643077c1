//! No test is passed over: what cannot run here fails.

use super::sources::{Source, sources};
use crate::project::Project;

// Put together so that this file does not accuse itself.
const IN_RUST: [&str; 1] = [concat!("#[", "ignore")];
const IN_SCRIPTS: [&str; 6] = [
    concat!(".sk", "ip("),
    concat!(".on", "ly("),
    concat!(".fix", "me("),
    concat!(".to", "do("),
    concat!("sk", "ip: true"),
    concat!("on", "ly: true"),
];

/// Tests that are passed over, or that make others be.
pub fn faults(project: &Project) -> anyhow::Result<Vec<String>> {
    let files = sources(project, &["rs", "ts", "js", "mjs"])?;
    Ok(files.iter().flat_map(faults_of).collect())
}

fn faults_of(file: &Source) -> Vec<String> {
    // In Rust these words are ordinary iterator methods.
    let words: &[&str] = if file.path.ends_with(".rs") {
        &IN_RUST
    } else {
        &IN_SCRIPTS
    };
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for word in words.iter().filter(|word| line.contains(*word)) {
            faults.push(format!("{}:{}: {word}", file.path, index + 1));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_in(path: &str, text: String) -> usize {
        faults_of(&Source {
            path: path.to_owned(),
            text,
        })
        .len()
    }

    #[test]
    fn passed_over_tests_are_found() {
        assert_eq!(faults_in("a.rs", format!("{}]\nfn a() {{}}", IN_RUST[0])), 1);
        assert_eq!(
            faults_in("a.rs", "iter.skip(1)".to_owned()),
            0,
            "an iterator's method"
        );
        assert_eq!(faults_in("a.spec.ts", format!("test{}'x')", IN_SCRIPTS[0])), 1);
        assert_eq!(
            faults_in("a.spec.ts", format!("describe{}'x')", IN_SCRIPTS[1])),
            1
        );
        assert_eq!(faults_in("a.spec.ts", "test('x')".to_owned()), 0);
    }
}

//! What a test runner says when it closes.

use std::fmt;
use std::iter::Sum;

/// Tests that ran, by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// They held.
    pub passed: usize,
    /// They did not hold, were cancelled, or held only when tried again.
    pub failed: usize,
    /// They were passed over.
    pub skipped: usize,
}

impl Counts {
    /// Why these counts fail their stage, if they do.
    pub fn fault(&self) -> Option<String> {
        if self.failed > 0 {
            Some(format!("{} failed", self.failed))
        } else if self.skipped > 0 {
            // A missing peer fails the run: it is never passed over.
            Some(format!("{} passed over", self.skipped))
        } else if self.passed == 0 {
            Some("not one test ran".to_owned())
        } else {
            None
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, one| Self {
            passed: sum.passed + one.passed,
            failed: sum.failed + one.failed,
            skipped: sum.skipped + one.skipped,
        })
    }
}

/// A runner whose closing lines are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// `cargo test`: one line for each test binary.
    Cargo,
    /// vitest.
    Vitest,
    /// Playwright: one line for each way to end.
    Playwright,
    /// `node --test`: one line for each way to end.
    Node,
}

impl Runner {
    /// What `line` says, if it is a closing line.
    pub fn read(self, line: &str) -> Option<Counts> {
        let line = without_colour(line);
        let line = line.trim();
        match self {
            Self::Cargo => {
                let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
                let numbers = numbers.split("; ").filter_map(number_before);
                Some(collect(numbers))
            }
            Self::Vitest => {
                let numbers = line.strip_prefix("Tests ")?.split(" (").next()?;
                Some(collect(numbers.split(" | ").filter_map(number_before)))
            }
            Self::Playwright => {
                let (number, rest) = number_before(line)?;
                let word = rest.split(" (").next()?;
                let known = [
                    "passed",
                    "failed",
                    "flaky",
                    "skipped",
                    "did not run",
                    "interrupted",
                ];
                known
                    .contains(&word)
                    .then(|| collect([(number, word)].into_iter()))
            }
            Self::Node => {
                let words = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
                let (word, number) = words.split_once(' ')?;
                let known = ["pass", "fail", "cancelled", "skipped", "todo"];
                let number = number.parse().ok()?;
                known
                    .contains(&word)
                    .then(|| collect([(number, word)].into_iter()))
            }
        }
    }
}

fn number_before(part: &str) -> Option<(usize, &str)> {
    let (number, word) = part.trim().split_once(' ')?;
    Some((number.parse().ok()?, word.trim()))
}

fn collect<'a>(numbers: impl Iterator<Item = (usize, &'a str)>) -> Counts {
    let mut counts = Counts::default();
    for (number, word) in numbers {
        match word {
            "passed" | "pass" => counts.passed += number,
            "failed" | "fail" | "flaky" | "interrupted" | "cancelled" => counts.failed += number,
            "ignored" | "skipped" | "did not run" | "todo" => counts.skipped += number,
            // For example what cargo filtered out because one stage was asked for.
            _ => {}
        }
    }
    counts
}

/// Terminal colours are between ESC `[` and `m`.
fn without_colour(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Option<Counts> {
        Some(Counts {
            passed,
            failed,
            skipped,
        })
    }

    #[test]
    fn closing_lines_are_read() {
        let cargo = "test result: FAILED. 40 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 18s";
        assert_eq!(Runner::Cargo.read(cargo), counts(40, 2, 1));
        assert_eq!(
            Runner::Vitest.read("      Tests  1 failed | 11 passed (12)"),
            counts(11, 1, 0)
        );
        assert_eq!(Runner::Vitest.read("\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[32m7 passed\u{1b}[39m\u{1b}[22m\u{1b}[90m (7)\u{1b}[39m"), counts(7, 0, 0));
        assert_eq!(Runner::Playwright.read("  12 passed (34.5s)"), counts(12, 0, 0));
        assert_eq!(Runner::Playwright.read("  1 flaky"), counts(0, 1, 0));
        assert_eq!(Runner::Playwright.read("  2 did not run"), counts(0, 0, 2));
        assert_eq!(Runner::Node.read("ℹ pass 3"), counts(3, 0, 0));
        assert_eq!(Runner::Node.read("# cancelled 1"), counts(0, 1, 0));
    }

    #[test]
    fn other_lines_are_not() {
        assert_eq!(Runner::Cargo.read("test stamp::tests::a ... ok"), None);
        assert_eq!(Runner::Vitest.read(" Test Files  3 passed (3)"), None);
        assert_eq!(Runner::Playwright.read("  3 frames were decoded"), None);
        assert_eq!(Runner::Node.read("ℹ tests 3"), None);
        assert_eq!(Runner::Node.read("ℹ duration_ms 30"), None);
    }

    #[test]
    fn nothing_run_and_passed_over_are_faults() {
        assert!(Counts::default().fault().is_some(), "no test at all");
        assert!(
            Counts {
                passed: 1,
                failed: 0,
                skipped: 1
            }
            .fault()
            .is_some(),
            "passed over"
        );
        assert!(
            Counts {
                passed: 1,
                failed: 1,
                skipped: 0
            }
            .fault()
            .is_some(),
            "failed"
        );
        assert_eq!(
            Counts {
                passed: 1,
                failed: 0,
                skipped: 0
            }
            .fault(),
            None
        );
    }
}

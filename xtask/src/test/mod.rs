//! Runs every test of every kind and adds up what their runners say.

mod counts;
mod runner;
mod stages;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::project::Project;
use crate::setup::{self, Purpose};
use counts::Counts;
use stages::STAGES;

/// What came of one stage.
struct Outcome {
    name: &'static str,
    took: Duration,
    counts: Option<Counts>,
    fault: Option<String>,
}

/// Runs the stages called `names`, or all of them; fails when one of them did.
pub fn run(project: &Project, names: &[String]) -> anyhow::Result<()> {
    let wanted = wanted(names)?;
    setup::install(project, Purpose::Test)?;
    let mut outcomes = Vec::new();
    for stage in wanted {
        println!("\n── {}: {}", stage.name, stage.about);
        let start = Instant::now();
        let result = (stage.run)(project);
        let took = start.elapsed();
        let (counts, fault) = match result {
            Ok(counts) => {
                let fault = counts.as_ref().and_then(Counts::fault);
                (counts, fault)
            }
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        if let Some(fault) = &fault {
            println!("✗ {}: {fault}", stage.name);
        }
        // What follows would only repeat the fault: without pages or programs nothing else can run.
        let stop = fault.is_some() && stage.others_need_it;
        outcomes.push(Outcome {
            name: stage.name,
            took,
            counts,
            fault,
        });
        if stop {
            break;
        }
    }
    conclude(&outcomes)
}

fn wanted(names: &[String]) -> anyhow::Result<Vec<&'static stages::Stage>> {
    if names.is_empty() {
        return Ok(STAGES.iter().collect());
    }
    let find = |name: &String| {
        let known = || {
            STAGES
                .iter()
                .map(|stage| stage.name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        STAGES
            .iter()
            .find(|stage| stage.name == name)
            .with_context(|| format!("no stage {name}: {}", known()))
    };
    names.iter().map(find).collect()
}

/// Prints one line per stage and the sum, and fails when a stage failed.
fn conclude(outcomes: &[Outcome]) -> anyhow::Result<()> {
    println!();
    for outcome in outcomes {
        println!("{}", line(outcome));
    }
    let mut total: Counts = outcomes.iter().filter_map(|outcome| outcome.counts).sum();
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.fault.is_some())
        .map(|outcome| outcome.name)
        .collect();
    // A stage that broke without a failed test must not leave a clean sum behind.
    if !failed.is_empty() && total.failed == 0 {
        total.failed = failed.len();
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn line(outcome: &Outcome) -> String {
    let mark = if outcome.fault.is_some() { "✗" } else { "✓" };
    let seconds = outcome.took.as_secs_f64();
    let counts = outcome
        .counts
        .map_or_else(|| "no tests of its own".to_owned(), |counts| counts.to_string());
    let fault = outcome.fault.as_deref().and_then(|fault| fault.lines().next());
    let fault = fault.map(|fault| format!(" – {fault}")).unwrap_or_default();
    format!("{mark} {:<8} {seconds:>7.1} s  {counts}{fault}", outcome.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(counts: Option<Counts>, fault: Option<&str>) -> Outcome {
        let fault = fault.map(str::to_owned);
        Outcome {
            name: "rust",
            took: Duration::from_millis(1500),
            counts,
            fault,
        }
    }

    #[test]
    fn a_broken_stage_fails_the_run() {
        let counts = Counts {
            passed: 3,
            failed: 0,
            skipped: 0,
        };
        assert!(conclude(&[outcome(Some(counts), None)]).is_ok());
        assert!(conclude(&[outcome(Some(counts), None), outcome(None, Some("no nginx"))]).is_err());
    }

    #[test]
    fn a_stage_is_one_line() {
        let text = line(&outcome(None, Some("no nginx\nmore of it")));
        assert_eq!(text, "✗ rust         1.5 s  no tests of its own – no nginx");
    }

    #[test]
    fn an_unknown_stage_is_named_with_the_known_ones() {
        let error = wanted(&["nonsense".to_owned()])
            .err()
            .map(|error| error.to_string())
            .unwrap();
        assert!(error.contains("nonsense") && error.contains("rust"), "{error}");
    }
}

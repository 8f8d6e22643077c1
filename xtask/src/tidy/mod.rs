//! The house rules that a machine can check.

mod edges;
mod imports;
mod messages;
mod sizes;
mod skipped;
mod sources;

use anyhow::bail;

use crate::project::Project;

/// A rule: its name, and what speaks against it in this checkout.
type Rule = (&'static str, fn(&Project) -> anyhow::Result<Vec<String>>);

const RULES: &[Rule] = &[
    ("crates know only whom they may know", edges::faults),
    ("libraries are imported where they belong", imports::faults),
    ("no file is too long", sizes::faults),
    ("messages are there in every language, and used", messages::faults),
    ("no test is passed over", skipped::faults),
];

/// Checks every rule, prints what is against them, and fails when something is.
pub fn run(project: &Project) -> anyhow::Result<()> {
    let mut broken = 0;
    for (name, rule) in RULES {
        let faults = rule(project)?;
        println!("{} {name}", if faults.is_empty() { "✓" } else { "✗" });
        for fault in &faults {
            println!("    {fault}");
        }
        broken += faults.len();
    }
    crate::generated::check(project)?;
    println!("✓ generated files are fresh");
    if broken > 0 {
        bail!("{broken} places are against the house rules");
    }
    Ok(())
}

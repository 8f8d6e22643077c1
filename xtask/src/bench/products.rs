//! The search over fifty thousand products.

use anyhow::Context;

use super::Bench;
use super::figures::{median, percentile};
use super::studio::numbers;
use super::table::Row;

/// What a person who types does not notice.
const MOST_MS: f64 = 50.0;
/// Of a scan of every product in the same run, for the median search.
const OF_A_SCAN: f64 = 1.0;

/// The store's own example: the crate that the tasks are written in must not need a database.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let rounds = (bench.rounds * 20).to_string();
    let output = bench
        .project
        .cargo()
        .args(["run", "--quiet", "--release", "--package", "store"])
        .args(["--example", "search", "--", &rounds])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("run the store's example")?;
    anyhow::ensure!(output.status.success(), "the store's example failed");
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).context("understand the example")?;
    let [search, beside, key, scan] =
        ["search_ms", "beside_refresh_ms", "primary_key_ms", "scan_ms"].map(|name| numbers(&seen, name));
    let (search, beside, key, scan) = (search?, beside?, key?, scan?);
    let what = "products: search of 50 000";
    Ok(vec![
        Row {
            what: format!("{what}, median"),
            studio: format!("{:.1} ms", median(&search)),
            peer: format!("{:.1} ms (LIKE, every row)", median(&scan)),
            limit: Some((median(&search) / median(&scan), OF_A_SCAN)),
        },
        Row {
            what: format!("{what}, median beside a row by its primary key"),
            studio: format!("{:.1} ms", median(&search)),
            peer: format!("{:.2} ms (primary key)", median(&key)),
            limit: None,
        },
        Row::report(
            &format!("{what}, p95"),
            format!("{:.1} ms", percentile(&search, 0.95)),
        ),
        Row::at_most(&format!("{what}, p99"), percentile(&search, 0.99), MOST_MS, "ms"),
        Row::at_most(
            &format!("{what} while a refresh writes, p99"),
            percentile(&beside, 0.99),
            MOST_MS,
            "ms",
        ),
    ])
}

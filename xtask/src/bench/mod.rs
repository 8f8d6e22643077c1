//! The benchmarks: peers in the same run, medians and ratios, one table.

mod chat;
mod cpu;
mod encode;
mod figures;
mod latency;
mod list;
mod memory;
mod outputs;
mod products;
mod start;
mod studio;
mod table;

use std::time::Duration;

use crate::project::Project;
use crate::setup::{self, Purpose};
use table::Row;

/// How long and what.
#[derive(clap::Args)]
pub struct Options {
    /// Only these (encode, outputs, latency, start, chat, list, products, memory).
    names: Vec<String>,
    /// One short round of each: shows that they run, not what they measure.
    #[arg(long)]
    quick: bool,
    /// Minutes that the memory benchmark watches a show.
    #[arg(long, default_value_t = 10)]
    minutes: u32,
}

/// What a benchmark works with.
pub struct Bench<'a> {
    project: &'a Project,
    /// Repetitions of each measurement, peers alternating.
    rounds: usize,
    /// Length of one measurement.
    length: Duration,
    /// Viewers who join one after the other, shows that begin, engines that start.
    repeats: usize,
    /// How long memory is watched.
    memory: Duration,
}

/// A benchmark: its name and what gives its rows.
type Benchmark = (&'static str, fn(&Bench) -> anyhow::Result<Vec<Row>>);

const ALL: &[Benchmark] = &[
    ("encode", encode::run),
    ("outputs", outputs::run),
    ("latency", latency::run),
    ("start", start::run),
    ("chat", chat::run),
    ("list", list::run),
    ("products", products::run),
    ("memory", memory::run),
];

/// Those that need neither the programs nor their peers.
const ALONE: &[&str] = &["products"];

/// Runs the benchmarks that are asked for, or all, and prints one table.
pub fn run(project: &Project, options: &Options) -> anyhow::Result<()> {
    if let Some(name) = options
        .names
        .iter()
        .find(|name| ALL.iter().all(|(known, _)| known != name))
    {
        anyhow::bail!("no benchmark {name}: {}", names());
    }
    let alone = |name: &String| ALONE.contains(&name.as_str());
    if options.names.is_empty() || !options.names.iter().all(alone) {
        setup::install(project, Purpose::Test)?;
        crate::run::build_ui(project)?;
        crate::engine::build_release(project)?;
    }
    let minutes = Duration::from_secs(60) * options.minutes;
    let bench = if options.quick {
        let second = Duration::from_secs(1);
        Bench {
            project,
            rounds: 1,
            length: 5 * second,
            repeats: 3,
            memory: 10 * second,
        }
    } else {
        Bench {
            project,
            rounds: 5,
            length: Duration::from_secs(15),
            repeats: 20,
            memory: minutes,
        }
    };
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for (name, benchmark) in ALL {
        if options.names.is_empty() || options.names.iter().any(|wanted| wanted == name) {
            eprintln!("measuring: {name}");
            // What was measured before is told all the same.
            match benchmark(&bench) {
                Ok(measured) => rows.extend(measured),
                Err(error) => failed.push(format!("{name}: {error:#}")),
            }
        }
    }
    println!("{}", table::markdown(&rows));
    anyhow::ensure!(failed.is_empty(), "not measured: {}", failed.join("; "));
    Ok(())
}

fn names() -> String {
    ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

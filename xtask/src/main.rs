//! The project's own tasks: set-up, run, test, bench, generated files, house rules.
#![expect(clippy::print_stdout, reason = "a task talks to the person at the terminal")]

mod bench;
mod engine;
mod generated;
mod project;
mod run;
mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and open the studio.
    Run,
    /// Install what is missing and run every test of every kind.
    Test {
        /// Only these stages (gen, tidy, ui, rust, desk, window).
        stages: Vec<String>,
    },
    /// Run the benchmarks and print one table.
    Bench(bench::Options),
    /// Install what is missing, and do no more.
    Setup {
        /// Only what running needs, not what the tests need.
        #[arg(long)]
        run_only: bool,
    },
    /// Write the TypeScript of the protocol.
    Gen {
        /// Change nothing; fail when a file is not as it would be written.
        #[arg(long)]
        check: bool,
    },
    /// Build the desk's pages (ui/dist), which the engine carries inside it.
    Ui,
    /// Check the house rules: crate edges, file sizes, messages, generated files, skipped tests.
    Tidy,
}

fn main() -> ExitCode {
    match perform(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence with its causes; a backtrace of this task helps nobody.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    let project = project::Project::find()?;
    match task {
        Task::Run => run::run(&project),
        Task::Test { stages } => test::run(&project, &stages),
        Task::Bench(options) => bench::run(&project, &options),
        Task::Setup { run_only: true } => setup::install(&project, setup::Purpose::Run),
        Task::Setup { run_only: false } => setup::install(&project, setup::Purpose::Test),
        Task::Gen { check: false } => generated::write(&project),
        Task::Gen { check: true } => generated::check(&project),
        Task::Ui => run::build_ui(&project),
        Task::Tidy => tidy::run(&project),
    }
}

//! `studio-engine`: all that goes on air, and the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    engine::cli::main()
}

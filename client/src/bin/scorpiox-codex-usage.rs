//! Prints what is left of the plan's limits.

use std::process::ExitCode;

use scorpiox_client::cli::usage;
use scorpiox_client::clock::SystemClock;

fn main() -> ExitCode {
    let clock = SystemClock::start();
    ExitCode::from(usage::run(std::env::args_os(), &|name| std::env::var_os(name), &clock))
}

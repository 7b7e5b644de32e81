//! Prints the catalogue of models that this login may use.

use std::process::ExitCode;

use scorpiox_client::cli::models;
use scorpiox_client::clock::SystemClock;

fn main() -> ExitCode {
    let clock = SystemClock::start();
    ExitCode::from(models::run(std::env::args_os(), &|name| std::env::var_os(name), &clock))
}

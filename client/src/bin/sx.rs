//! Asks a model, and prints its answer.

use std::process::ExitCode;

use scorpiox_client::cli::sx;
use scorpiox_client::clock::SystemClock;

fn main() -> ExitCode {
    let clock = SystemClock::start();
    ExitCode::from(sx::run(std::env::args_os(), &|name| std::env::var_os(name), &clock))
}

//! Prints one good Codex access token.

use std::process::ExitCode;

use scorpiox_client::cli::fetchtoken;
use scorpiox_client::clock::SystemClock;

fn main() -> ExitCode {
    let clock = SystemClock::start();
    ExitCode::from(fetchtoken::run(std::env::args_os(), &|name| std::env::var_os(name), &clock))
}

//! Logs in to Codex on this machine.

use std::process::ExitCode;

use scorpiox_client::cli::login;
use scorpiox_client::clock::SystemClock;

fn main() -> ExitCode {
    let clock = SystemClock::start();
    ExitCode::from(login::run(std::env::args_os(), &|name| std::env::var_os(name), &clock))
}

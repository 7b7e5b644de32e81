//! Renews the login in a file of this machine.

use std::process::ExitCode;

use scorpiox_client::cli::refreshtoken;
use scorpiox_client::clock::SystemClock;

fn main() -> ExitCode {
    let clock = SystemClock::start();
    ExitCode::from(refreshtoken::run(std::env::args_os(), &|name| std::env::var_os(name), &clock))
}

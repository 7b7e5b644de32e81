//! Shows, checks and changes settings.

use std::process::ExitCode;

use scorpiox_client::cli::config;

fn main() -> ExitCode {
    ExitCode::from(config::run(std::env::args_os(), &|name| std::env::var_os(name)))
}

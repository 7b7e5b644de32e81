//! Starts what a model asked for in its confinement. `sx` runs it; it is of no use by itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    scorpiox_client::tool::sandbox::launcher(std::env::args_os().skip(1))
}

//! Writes the completions and man pages of every command below a prefix.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  cargo run -p scorpiox-documents -- ~/.local     for yourself
  cargo run -p scorpiox-documents -- /usr/local   for everybody on this machine
  cargo run -p scorpiox-documents -- build/usr    into a package";

/// Writes shell completions (bash, zsh, fish) and man pages of every command.
#[derive(Debug, Parser)]
#[command(name = "scorpiox-documents", after_help = EXAMPLES)]
struct Typed {
    /// They go into share/ in this directory
    prefix: PathBuf,
}

fn main() -> ExitCode {
    match scorpiox_documents::write(&Typed::parse().prefix) {
        Ok(paths) => {
            for path in paths {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("scorpiox-documents: {error}");
            ExitCode::FAILURE
        }
    }
}

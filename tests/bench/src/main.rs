//! Measures the figures of the README, each against a reference in the same run.
//!
//! Files in dependency order:
//!
//! * [`clock`], [`cores`], [`process`]: real time; where threads run; processes and what they have used.
//! * [`report`]: medians, the table, JSON.
//! * [`bare`]: the reference server.
//! * [`load`], [`admin`]: requests of clients and of an administrator.
//! * [`broker`], [`team`]: a real broker process; its login and clients. * [`sshd`]: a real OpenSSH server.
//! * [`conversation`]: `sx` and the stock CLI at a terminal.
//! * [`rows`]: what is measured.

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::report::{Row, table};
use crate::rows::{conversation as conversations, fetch, rest, serve, ssh, status, storm};

mod admin;
mod bare;
mod broker;
mod clock;
mod conversation;
mod cores;
mod load;
mod process;
mod report;
mod rows;
mod sshd;
mod team;

/// Measures the broker and its client against references in the same run.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Cli {
    /// One JSON object per row instead of a table.
    #[arg(long)]
    json: bool,
    /// A tenth of the work: shows that it runs, measures little.
    #[arg(long)]
    quick: bool,
    /// What to measure; everything if nothing is named.
    what: Vec<What>,
    #[command(subcommand)]
    mode: Option<Mode>,
}

#[derive(Debug, Subcommand)]
enum Mode {
    /// The reference server, in a process of its own.
    #[command(hide = true)]
    Bare(bare::Bare),
    /// A conversation's figures, from inside a network namespace.
    #[command(hide = true)]
    Conversation(conversation::Inside),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Serve,
    Fetch,
    Ssh,
    Sx,
    Storm,
    Status,
    Rest,
}

fn main() -> anyhow::Result<ExitCode> {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let cli = Cli::parse();
    match &cli.mode {
        Some(Mode::Bare(bare)) => return bare::run(bare).map(|()| ExitCode::SUCCESS),
        Some(Mode::Conversation(inside)) => return conversation::inside(inside).map(|()| ExitCode::SUCCESS),
        None => {}
    }
    let what = if cli.what.is_empty() { What::value_variants() } else { &cli.what };
    let mut rows = Vec::new();
    for what in what {
        eprintln!("measuring {} …", what.to_possible_value().expect("no value is hidden").get_name());
        rows.extend(measure(*what, cli.quick)?);
    }
    if cli.json {
        rows.iter().try_for_each(|row| serde_json::to_string(row).map(|line| println!("{line}")))?;
    } else {
        print!("{}", table(&rows));
    }
    Ok(if rows.iter().all(Row::is_met) { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn measure(what: What, quick: bool) -> anyhow::Result<Vec<Row>> {
    let rounds = |usual: usize| if quick { 2 } else { usual };
    let work = |usual: usize| if quick { usual / 10 } else { usual };
    match what {
        What::Serve => {
            let extent = serve::Extent { rounds: rounds(7), requests: work(200_000) };
            let mut rows = serve::rows(extent)?;
            rows.push(serve::wrong_key(extent)?);
            Ok(rows)
        }
        What::Fetch => fetch::rows(fetch::Extent { rounds: rounds(7), runs: work(200) }),
        What::Ssh => ssh::rows(fetch::Extent { rounds: rounds(7), runs: work(40) }),
        What::Sx => conversations::rows(fetch::Extent { rounds: rounds(7), runs: work(20) }),
        What::Storm => storm::row(rounds(3)).map(|row| vec![row]),
        What::Status => status::row(rounds(5)).map(|row| vec![row]),
        What::Rest => rest::rows(rounds(5)),
    }
}

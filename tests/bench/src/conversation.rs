//! `sx -p` beside the stock CLI's `exec`: the same prompt, the same answer, the same provider.
//!
//! The stock CLI calls out to its vendor's servers on its own, so all of this runs in a network namespace that has
//! nothing but loopback; its figures come back as one line of JSON.
//!
//! * [`front`]: stands before the provider and notes when what passes. * [`subject`]: the two commands.
//! * [`terminal`]: one run of one of them, at a terminal.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use fake_provider::{Account, FakeProvider, Script, Settings};
use serde::{Deserialize, Serialize};

use self::front::Front;
use self::subject::Subject;
use self::terminal::Run;
use crate::report::{Round, median, sorted};

mod front;
mod subject;
mod terminal;

/// What the model says; its beginning is waited for.
const ANSWER: &str = "Forty-two is the answer.";
const BEGINNING: &str = "Forty-two";

/// Measures inside the namespace.
#[derive(Debug, Args)]
pub(crate) struct Inside {
    /// The stock CLI.
    #[arg(long)]
    stock: PathBuf,
    /// Our command.
    #[arg(long)]
    sx: PathBuf,
    #[arg(long)]
    rounds: usize,
    /// Runs of each program in each round.
    #[arg(long)]
    runs: usize,
}

/// What was measured, by rounds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// From the start of the process until the provider sees its request, in milliseconds.
    pub(crate) start: Vec<Round>,
    /// From the first piece of the answer on its way until the terminal has it, in milliseconds.
    pub(crate) delta: Vec<Round>,
    /// The most memory that it had, in megabytes.
    pub(crate) memory: Vec<Round>,
}

/// Prints a [`Measured`].
pub(crate) fn inside(inside: &Inside) -> anyhow::Result<()> {
    let provider = FakeProvider::start(Settings::default());
    let address = provider.url().strip_prefix("http://").context("plain HTTP")?.parse()?;
    let front = Front::before(address)?;
    let home = tempfile::tempdir()?;
    let ours = Subject::sx(&inside.sx, home.path(), &front, &provider)?;
    let stock = Subject::stock(&inside.stock, home.path(), &front, &provider.login(&Account::default()))?;
    let run = |subject: &Subject| {
        provider.script(Script::message(ANSWER));
        subject.run(&front, BEGINNING)
    };
    // A new home is put in order, and the catalogue of models is fetched.
    run(&ours)?;
    run(&stock)?;
    let mut measured = Measured::default();
    for _ in 0..inside.rounds {
        let (mut of_ours, mut of_stock) = (Vec::new(), Vec::new());
        for _ in 0..inside.runs {
            of_stock.push(run(&stock)?);
            of_ours.push(run(&ours)?);
        }
        let round = |figure: fn(&Run) -> f64| {
            let median_of = |runs: &[Run]| median(&sorted(runs.iter().map(figure)));
            Round { ours: median_of(&of_ours), reference: median_of(&of_stock) }
        };
        measured.start.push(round(|run| run.start.as_secs_f64() * 1e3));
        measured.delta.push(round(|run| run.delta.as_secs_f64() * 1e3));
        measured.memory.push(round(|run| run.peak_bytes as f64 / f64::from(1 << 20)));
    }
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

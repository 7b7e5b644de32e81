//! The passphrase of a backup: out of a file, a descriptor, or from a person.

use std::path::PathBuf;

use clap::Args;
use scorpiox_wire::Secret;

use super::failure::{Exit, Failure};
use super::screen::Screen;
use crate::config::refuse_sample;
use crate::secret_line;

/// Nobody guesses a longer one from a stolen backup by trying what people choose.
const SHORTEST: usize = 12;

// Where the passphrase comes from. (A documentation comment would become the command's help.)
#[derive(Debug, Default, Args)]
pub(super) struct PassphraseOptions {
    /// A file with the passphrase on one line; without any option a terminal is asked
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Read the passphrase from this open descriptor
    #[arg(long, value_name = "N", conflicts_with = "passphrase_file")]
    passphrase_fd: Option<u32>,
}

impl PassphraseOptions {
    /// A new one, asked for twice: one with a typing error would be lost.
    pub(super) fn choose(&self, screen: &mut Screen) -> Result<Secret, Failure> {
        let chosen = match self.given()? {
            Some(given) => given,
            None => {
                let typed = ask(screen, "Passphrase of the backup")?;
                if ask(screen, "The same again")? != typed {
                    return Err(Failure::new(Exit::Failed, "the two are not the same; nothing was done"));
                }
                typed
            }
        };
        if chosen.expose().chars().count() < SHORTEST {
            return Err(Failure::new(
                Exit::Failed,
                format!("a backup's passphrase has at least {SHORTEST} characters"),
            ));
        }
        let sample = refuse_sample("the passphrase", chosen.expose().as_bytes());
        sample.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        Ok(chosen)
    }

    /// The one that was chosen.
    pub(super) fn tell(&self, screen: &mut Screen) -> Result<Secret, Failure> {
        match self.given()? {
            Some(given) => Ok(given),
            None => ask(screen, "Passphrase of the backup"),
        }
    }

    fn given(&self) -> Result<Option<Secret>, Failure> {
        let given = match (&self.passphrase_file, self.passphrase_fd) {
            (Some(file), _) => secret_line::read(file).map(Some),
            (None, Some(number)) => secret_line::read_descriptor(number).map(Some),
            (None, None) => Ok(None),
        };
        given.map_err(|error| Failure::new(Exit::Failed, error.to_string()))
    }
}

fn ask(screen: &mut Screen, question: &str) -> Result<Secret, Failure> {
    if !screen.attended() {
        return Err(Failure::new(Exit::Usage, "there is no terminal to ask for the passphrase")
            .next("add --passphrase-file FILE, or --passphrase-fd N"));
    }
    let typed = screen.ask_hidden(question).filter(|typed| !typed.is_empty());
    typed.map(Secret::new).ok_or_else(|| Failure::new(Exit::Failed, "no passphrase was typed; nothing was done"))
}

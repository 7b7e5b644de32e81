//! A password: typed on a terminal, or out of a file or a descriptor. Never an argument, which everybody could read.

use std::path::PathBuf;

use clap::Args;
use scorpiox_wire::Secret;

use super::failure::{Exit, Failure};
use super::screen::Screen;
use crate::domain::administrator::NewPassword;
use crate::secret_line;

#[derive(Debug, Args)]
pub(super) struct PasswordSource {
    /// A file (not everybody's) with the password on one line; without it, the terminal is asked
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A descriptor that was left open, with the password on one line
    #[arg(long, value_name = "N", conflicts_with = "password_file")]
    password_fd: Option<u32>,
}

impl PasswordSource {
    /// A new password. The terminal is asked twice: one with a typing error would be a lost one.
    pub(super) fn new_password(&self, screen: &mut Screen) -> Result<NewPassword, Failure> {
        let unreadable =
            |error: secret_line::SecretLineError| Failure::new(Exit::Failed, format!("the password: {error}"));
        let text = match (&self.password_file, self.password_fd) {
            (Some(file), _) => secret_line::read(file).map_err(unreadable)?,
            (None, Some(number)) => secret_line::read_descriptor(number).map_err(unreadable)?,
            (None, None) => typed_twice(screen)?,
        };
        NewPassword::parse(text)
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()).next("choose a longer one and try again"))
    }
}

/// One that somebody has already.
pub(super) fn ask(screen: &mut Screen, question: &str) -> Result<Secret, Failure> {
    if !screen.attended() {
        return Err(Failure::new(Exit::Usage, "there is no terminal to ask for the password")
            .next("a program asks with an admin key: --admin-key-file FILE"));
    }
    let typed = screen.ask_hidden(question).filter(|typed| !typed.is_empty());
    typed.map(Secret::new).ok_or_else(|| Failure::new(Exit::Failed, "no password was typed; nothing was changed"))
}

fn typed_twice(screen: &mut Screen) -> Result<Secret, Failure> {
    if !screen.attended() {
        return Err(Failure::new(Exit::Usage, "there is no terminal to ask for the password")
            .next("hand it over with --password-file FILE or --password-fd N"));
    }
    let password = ask(screen, "New password")?;
    // Refused before it has to be typed again.
    NewPassword::parse(password.clone()).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let again = ask(screen, "The same again")?;
    if again == password {
        return Ok(password);
    }
    Err(Failure::new(Exit::Failed, "the two are not the same; nothing was changed"))
}

//! Becoming another command, which finds the token in a descriptor or in a variable.
//!
//! Every descriptor of ours closes by itself when the other program begins (the standard library and rustix open them
//! so), except for the one that is cleared for it here, as the last thing.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

use super::handover::{Handover, Place};
use crate::failure::{Class, Failure};
use crate::settings::catalog::Entry;
use crate::settings::key::Key;
use crate::token::Token;

/// The place for a token, taken before there is one.
pub(super) enum Reserved {
    Stdin(OwnedFd),
    Descriptor(OwnedFd),
    Variable(String),
}

/// A command that only has to be begun.
pub(super) struct Ready {
    command: Command,
    open: Reserved,
}

/// Why a command could not be run, with the exit codes that shells have for it.
pub(super) struct Unrun {
    what: String,
    error: io::Error,
}

impl Reserved {
    /// Takes the place, unless whoever started us has something there.
    pub(super) fn of(place: &Place) -> Result<Self, Failure> {
        Ok(match place {
            Place::Stdin => Self::Stdin(memory::file().map_err(no_descriptor)?),
            Place::Descriptor(number) => Self::Descriptor(at(*number)?),
            Place::Variable(name) => Self::Variable(name.clone()),
        })
    }

    /// Puts the token there, and says what is to be run.
    pub(super) fn fill(self, token: &Token, handover: &Handover) -> Result<Ready, Failure> {
        let (program, arguments) = handover.words.split_first().expect("the command line has a command");
        let mut command = Command::new(program);
        command.args(arguments);
        for key in Key::ALL.iter().filter(|key| Entry::of(**key).is_secret()) {
            command.env_remove(key.as_str());
        }
        if let Some(name) = &handover.account {
            let account_id = token.account_id.as_ref().ok_or_else(no_account)?;
            command.env(name, account_id);
        }
        match &self {
            Self::Stdin(file) | Self::Descriptor(file) => memory::fill(file, token).map_err(no_descriptor)?,
            Self::Variable(name) => {
                command.env(name, token.access_token.expose());
            }
        }
        Ok(Ready { command, open: self })
    }
}

impl Ready {
    /// Comes back only when it cannot be run.
    pub(super) fn become_it(mut self) -> Unrun {
        let opened = match &self.open {
            Reserved::Stdin(file) => rustix::stdio::dup2_stdin(file),
            Reserved::Descriptor(file) => fcntl_setfd(file, FdFlags::empty()),
            Reserved::Variable(_) => Ok(()),
        };
        let error = opened.map_or_else(io::Error::from, |()| self.command.exec());
        Unrun { what: self.command.get_program().to_string_lossy().into_owned(), error }
    }
}

impl Unrun {
    pub(super) fn exit_code(&self) -> u8 {
        if self.error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }
}

impl fmt::Display for Unrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be run: {}", crate::failure::visible(&self.what), self.error)
    }
}

/// A file in memory with exactly this number.
fn at(number: u16) -> Result<OwnedFd, Failure> {
    let file = memory::file().map_err(no_descriptor)?;
    if file.as_raw_fd() == i32::from(number) {
        return Ok(file);
    }
    // The first that is free from there on. Nothing of ours is open yet, so what is not free is inherited.
    let placed = fcntl_dupfd_cloexec(&file, number.into()).map_err(|error| no_descriptor(error.into()))?;
    if placed.as_raw_fd() == i32::from(number) {
        return Ok(placed);
    }
    let message = format!("descriptor {number} is in use by the caller of this command");
    Err(Failure::new(Class::Usage, message).with_hint("name a free one with --fd"))
}

fn no_descriptor(error: io::Error) -> Failure {
    Failure::temporary(format!("there is no descriptor for the token: {error}"))
}

fn no_account() -> Failure {
    Failure::configuration("nobody knows the account of this token").with_hint("leave out --account-env")
}

/// A file that is nowhere but in memory.
#[cfg(target_os = "linux")]
mod memory {
    use std::fs::File;
    use std::io::{self, Seek as _, Write as _};
    use std::os::fd::OwnedFd;

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    use crate::cli::fetchtoken::form::Form;
    use crate::token::Token;

    pub(super) fn file() -> io::Result<OwnedFd> {
        Ok(memfd_create("codex-access-token", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?)
    }

    /// Writes the token, once and for all.
    pub(super) fn fill(file: &OwnedFd, token: &Token) -> io::Result<()> {
        let mut writer = File::from(file.try_clone()?);
        writer.write_all(Form::Raw.of(token).as_bytes())?;
        writer.rewind()?;
        let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        Ok(fcntl_add_seals(file, all)?)
    }
}

/// Elsewhere: a file that has no name any more.
#[cfg(not(target_os = "linux"))]
mod memory {
    use std::fs::{self, File, OpenOptions};
    use std::io::{self, Seek as _, Write as _};
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::OpenOptionsExt as _;

    use crate::cli::fetchtoken::form::Form;
    use crate::token::Token;

    pub(super) fn file() -> io::Result<OwnedFd> {
        let path = std::env::temp_dir().join(format!("codex-access-token-{}", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(&path)?;
        Ok(file.into())
    }

    /// Writes the token.
    pub(super) fn fill(file: &OwnedFd, token: &Token) -> io::Result<()> {
        let mut writer = File::from(file.try_clone()?);
        writer.write_all(Form::Raw.of(token).as_bytes())?;
        writer.rewind()
    }
}

//! `master-key`: put a passphrase around the master key, or take it off. Works on the file; no broker is asked.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use scorpiox_wire::Secret;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::place::Environment;
use super::screen::{Form, Screen};
use crate::config::{Config, Override, SERVICE_DATA, refuse_sample};
use crate::master_key::{self, Argon, KeyFileError};
use crate::secret_line;

/// Put a passphrase around the master key, or take it off
///
/// The broker must not be running. It reads the passphrase from the file that [keys] passphrase_file names
/// (SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE). A passphrase that is lost cannot be replaced: with it the logins are lost.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker master-key wrap --passphrase-file /etc/scorpiox-broker/passphrase")]
pub(super) struct MasterKeyArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Protect the master key by a passphrase
    #[command(
        after_help = "Example:\n  scorpiox-broker master-key wrap --passphrase-file /etc/scorpiox-broker/passphrase"
    )]
    Wrap(KeyArguments),
    /// Remove the passphrase
    #[command(after_help = "Example:\n  scorpiox-broker master-key unwrap --data /var/lib/scorpiox-broker")]
    Unwrap(KeyArguments),
}

#[derive(Debug, Args)]
struct KeyArguments {
    /// A file with the passphrase on one line; without it, a terminal is asked
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The configuration of the broker whose key it is
    #[arg(long, value_name = "FILE", env = "SCORPIOX_BROKER_CONFIG")]
    config: Option<PathBuf>,
    /// The broker's data directory [env: SCORPIOX_BROKER_DATA]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl MasterKeyArguments {
    pub(super) fn json(&self) -> bool {
        let (Verb::Wrap(arguments) | Verb::Unwrap(arguments)) = &self.verb;
        arguments.json
    }

    pub(super) fn run(self, environment: &Environment, screen: &mut Screen) -> Result<(), Failure> {
        match self.verb {
            Verb::Wrap(arguments) => {
                let key = arguments.find(environment)?;
                let passphrase = arguments.passphrase(screen, Asked::Twice)?;
                key.change(|path| master_key::wrap(path, None, &passphrase, Argon::default())).map_err(wrapping)?;
                key.report(screen, true)?;
                if arguments.passphrase_file.is_none() {
                    screen.say("the broker reads it from a file: set SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE");
                }
                Ok(())
            }
            Verb::Unwrap(arguments) => {
                let key = arguments.find(environment)?;
                let passphrase = arguments.passphrase(screen, Asked::Once)?;
                key.change(|path| master_key::unwrap(path, &passphrase)).map_err(of_key)?;
                key.report(screen, false)
            }
        }
    }
}

/// How often a terminal is asked: a new passphrase with a typing error would be a lost one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Once,
    Twice,
}

impl KeyArguments {
    /// The key of the broker that is meant, which is then kept from starting.
    fn find(&self, environment: &Environment) -> Result<Key, Failure> {
        let data = match (&self.config, environment.own_data()) {
            (None, Some(own)) if own.exists() => own,
            _ => PathBuf::from(SERVICE_DATA),
        };
        let options = self.data.iter().map(|data| Override {
            option: "--data",
            setting: ("", "data"),
            value: data.display().to_string(),
        });
        let variables = environment.0.iter().cloned();
        let config = Config::load(self.config.as_deref(), variables, options.collect(), data);
        let config = config.map_err(|error| Failure::new(Exit::Configuration, error.to_string()))?;
        Ok(Key { path: config.master_key_file(), _broker_kept_out: keep_broker_out(&config.data)? })
    }

    fn passphrase(&self, screen: &mut Screen, asked: Asked) -> Result<Secret, Failure> {
        let refused = |text: String| Failure::new(Exit::Failed, text);
        if let Some(file) = &self.passphrase_file {
            return secret_line::read(file).map_err(|error| refused(error.to_string()));
        }
        if !screen.attended() {
            return Err(Failure::new(Exit::Usage, "there is no terminal to ask for the passphrase")
                .next("write it into a file and add --passphrase-file FILE"));
        }
        let none = || refused("no passphrase was typed; nothing was changed".to_owned());
        let typed = screen.ask_hidden("Passphrase").filter(|typed| !typed.is_empty()).ok_or_else(none)?;
        let typed = Secret::new(typed);
        if asked == Asked::Twice {
            let again = Secret::new(screen.ask_hidden("The same again").unwrap_or_default());
            if again != typed {
                return Err(refused("the two are not the same; nothing was changed".to_owned()));
            }
            refuse_sample("the passphrase", typed.expose().as_bytes()).map_err(|error| refused(error.to_string()))?;
        }
        Ok(typed)
    }
}

struct Key {
    path: PathBuf,
    _broker_kept_out: Option<File>,
}

impl Key {
    /// Changes the file and leaves it to whom it belonged: root may do this for a service's user.
    fn change(&self, change: impl FnOnce(&Path) -> Result<(), KeyFileError>) -> Result<(), KeyFileError> {
        let io = |source| KeyFileError::Io { path: self.path.clone(), source };
        let before = fs::metadata(&self.path).ok();
        change(&self.path)?;
        let after = fs::metadata(&self.path).map_err(io)?;
        match before {
            Some(before) if (before.uid(), before.gid()) != (after.uid(), after.gid()) => {
                chown(&self.path, Some(before.uid()), Some(before.gid())).map_err(io)
            }
            Some(_) | None => Ok(()),
        }
    }

    fn report(&self, screen: &mut Screen, wrapped: bool) -> Result<(), Failure> {
        let path = &self.path;
        let state = if wrapped { "is protected by the passphrase" } else { "is not protected by a passphrase" };
        match screen.form() {
            Form::Json => screen.json(&json!({ "master_key_file": path, "wrapped": wrapped })),
            Form::Human => screen.answer(&format!("{} {state} now", path.display())),
        }
    }
}

/// Takes the lock that a running broker holds. Without a lock file there is none to run.
///
/// The file is not made here: if root made it, the service's user could not open it.
fn keep_broker_out(data: &Path) -> Result<Option<File>, Failure> {
    let path = data.join("lock");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::of_file(&path, &error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new(Exit::Failed, format!("the broker of {} is running", data.display()))
                .next("stop it first, and start it again afterwards"))
        }
        Err(TryLockError::Error(error)) => Err(Failure::of_file(&path, &error)),
    }
}

fn of_key(error: KeyFileError) -> Failure {
    match &error {
        KeyFileError::Io { path, source } => Failure::of_file(path, source),
        _ => Failure::new(Exit::Failed, error.to_string()),
    }
}

fn wrapping(error: KeyFileError) -> Failure {
    match error {
        KeyFileError::PassphraseNeeded(path) => {
            Failure::new(Exit::Failed, format!("{} is protected by a passphrase already", path.display()))
                .next("for another one, unwrap it first: scorpiox-broker master-key unwrap")
        }
        error => of_key(error),
    }
}

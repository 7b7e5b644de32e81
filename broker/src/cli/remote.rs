//! A broker that is driven from another machine: where it is, how it is known, and who asks.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use scorpiox_wire::{AdminKey, Secret};

use super::failure::{Exit, Failure};
use super::place::{Environment, Reach};
use super::text::quoted;
use crate::admin_client::{Network, Pin, Trust};
use crate::clock::SharedClock;
use crate::domain::credential::Name;
use crate::secret_line;

const URL: &str = "SCORPIOX_BROKER_URL";
const KEY_FILE: &str = "SCORPIOX_BROKER_ADMIN_KEY_FILE";
const PIN: &str = "SCORPIOX_BROKER_PIN";
const CA_FILE: &str = "SCORPIOX_BROKER_CA_FILE";

// Behind the command. (A documentation comment would become every such command's help.)
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A broker on another machine")]
pub(super) struct Remote {
    /// Its administration over the network, such as https://broker.example:8444 [env: SCORPIOX_BROKER_URL]
    #[arg(long, value_name = "URL", global = true, conflicts_with_all = ["data", "socket"])]
    pub(super) broker: Option<String>,
    /// A file (0600) with an admin key [env: SCORPIOX_BROKER_ADMIN_KEY_FILE]
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) admin_key_file: Option<PathBuf>,
    /// A descriptor that was left open, with an admin key
    #[arg(long, value_name = "N", global = true, conflicts_with = "admin_key_file")]
    pub(super) admin_key_fd: Option<u32>,
    /// Log in as this administrator; the password is asked on the terminal
    #[arg(long, value_name = "NAME", global = true, value_parser = Name::parse,
        conflicts_with_all = ["admin_key_file", "admin_key_fd"])]
    pub(super) admin: Option<Name>,
    /// The SHA-256 of its certificate's public key, sha256:… [env: SCORPIOX_BROKER_PIN]
    #[arg(long, value_name = "PIN", global = true)]
    pub(super) pin: Option<Pin>,
    /// PEM file with the authorities to trust [env: SCORPIOX_BROKER_CA_FILE] [default: those of the system]
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "pin")]
    pub(super) ca_file: Option<PathBuf>,
}

// The same before the command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A broker on another machine, before or behind the command")]
pub(super) struct Early {
    /// Its administration over the network, such as https://broker.example:8444 [env: SCORPIOX_BROKER_URL]
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// A file (0600) with an admin key [env: SCORPIOX_BROKER_ADMIN_KEY_FILE]
    #[arg(long, value_name = "FILE")]
    admin_key_file: Option<PathBuf>,
    /// A descriptor that was left open, with an admin key
    #[arg(long, value_name = "N", conflicts_with = "admin_key_file")]
    admin_key_fd: Option<u32>,
    /// Log in as this administrator; the password is asked on the terminal
    #[arg(long, value_name = "NAME", value_parser = Name::parse, conflicts_with_all = ["admin_key_file", "admin_key_fd"])]
    admin: Option<Name>,
    /// The SHA-256 of its certificate's public key, sha256:… [env: SCORPIOX_BROKER_PIN]
    #[arg(long, value_name = "PIN")]
    pin: Option<Pin>,
    /// PEM file with the authorities to trust [env: SCORPIOX_BROKER_CA_FILE] [default: those of the system]
    #[arg(long, value_name = "FILE", conflicts_with = "pin")]
    ca_file: Option<PathBuf>,
}

impl Early {
    /// For a command that works on this machine only.
    pub(super) fn refuse(&self) -> Result<(), Failure> {
        let is_empty = self.broker.is_none() && self.admin.is_none() && self.pin.is_none() && self.ca_file.is_none();
        if is_empty && self.admin_key_file.is_none() && self.admin_key_fd.is_none() {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Usage,
            "this command works on this machine only; it takes none of --broker, --admin-key-file, --admin-key-fd, --admin, --pin, --ca-file",
        ))
    }

    /// What stood before the command, unless it was said again behind it.
    pub(super) fn complete(self, late: Remote) -> Remote {
        // Who asks is one thing, whichever way it is said; the same for how the broker is known.
        let says_who = late.admin_key_file.is_some() || late.admin_key_fd.is_some() || late.admin.is_some();
        let says_how = late.pin.is_some() || late.ca_file.is_some();
        let who = if says_who { late.clone() } else { self.as_remote() };
        let how = if says_how { late.clone() } else { self.as_remote() };
        Remote {
            broker: late.broker.or(self.broker),
            admin_key_file: who.admin_key_file,
            admin_key_fd: who.admin_key_fd,
            admin: who.admin,
            pin: how.pin,
            ca_file: how.ca_file,
        }
    }

    fn as_remote(&self) -> Remote {
        let Self { broker, admin_key_file, admin_key_fd, admin, pin, ca_file } = self.clone();
        Remote { broker, admin_key_file, admin_key_fd, admin, pin, ca_file }
    }
}

/// Who asks a broker over the network.
#[derive(Debug)]
pub(super) enum Who {
    /// A program, with its key.
    Key(AdminKey),
    /// A person, whose password is to be asked.
    Person(Name),
}

/// A broker over the network, and who asks it.
pub(super) struct Distant {
    pub(super) network: Network,
    /// Whose password is to be asked first.
    pub(super) person: Option<Name>,
}

/// The broker over the network that is meant; none when one on this machine is.
pub(super) fn find(reach: &Reach, environment: &Environment, clock: &SharedClock) -> Result<Option<Distant>, Failure> {
    let remote = &reach.remote;
    let is_local = reach.socket.is_some() || reach.data.is_some();
    let url = remote.broker.as_deref().or_else(|| environment.get(URL).filter(|_| !is_local));
    let Some(url) = url else {
        return if remote.says_something() {
            Err(Failure::new(
                Exit::Usage,
                "an admin key, --admin, --pin and --ca-file are for a broker on another machine",
            )
            .next("name it with --broker URL"))
        } else {
            Ok(None)
        };
    };
    if is_local {
        return Err(Failure::new(
            Exit::Usage,
            "--broker is a broker on another machine, --data and --socket are one on this",
        ));
    }
    let who = remote.who(environment)?;
    let wrong = |error: &dyn std::fmt::Display| Failure::new(Exit::Usage, format!("--broker: {error}"));
    let trust = remote.trust(environment)?;
    let network =
        Network::to(url, &trust, |name| environment.get(name), clock.clone()).map_err(|error| wrong(&error))?;
    Ok(Some(match who {
        Who::Key(key) => Distant { network: network.with_key(key), person: None },
        Who::Person(name) => Distant { network, person: Some(name) },
    }))
}

impl Remote {
    fn says_something(&self) -> bool {
        let who = self.admin_key_file.is_some() || self.admin_key_fd.is_some() || self.admin.is_some();
        who || self.pin.is_some() || self.ca_file.is_some()
    }

    fn who(&self, environment: &Environment) -> Result<Who, Failure> {
        if let Some(name) = &self.admin {
            return Ok(Who::Person(name.clone()));
        }
        let unreadable =
            |error: secret_line::SecretLineError| Failure::new(Exit::NotAllowed, format!("the admin key: {error}"));
        let named = self.admin_key_file.clone().or_else(|| environment.get(KEY_FILE).map(PathBuf::from));
        let (text, place) = match (self.admin_key_fd, named) {
            (Some(number), _) => {
                (secret_line::read_descriptor(number).map_err(unreadable)?, format!("descriptor {number}"))
            }
            (None, Some(file)) => {
                own_alone(&file)?;
                (secret_line::read(&file).map_err(unreadable)?, file.display().to_string())
            }
            (None, None) => {
                return Err(Failure::new(
                    Exit::Usage,
                    "nobody is said to ask: over the network a broker knows an admin key or an administrator",
                )
                .next("add --admin-key-file FILE or --admin NAME"));
            }
        };
        key(&text, &place).map(Who::Key)
    }

    fn trust(&self, environment: &Environment) -> Result<Trust, Failure> {
        if let Some(pin) = self.pin {
            return Ok(Trust::Pin(pin));
        }
        if let Some(file) = &self.ca_file {
            return Ok(Trust::CaFile(file.clone()));
        }
        if let Some(pin) = environment.get(PIN) {
            let pin = pin.parse().map_err(|error| Failure::new(Exit::Usage, format!("{PIN}: {error}")))?;
            return Ok(Trust::Pin(pin));
        }
        Ok(environment.get(CA_FILE).map_or(Trust::System, |file| Trust::CaFile(file.into())))
    }

    /// The options with which a suggested command reaches the same broker.
    pub(super) fn again(&self) -> String {
        let mut options = String::new();
        let mut add = |name: &str, value: String| options.push_str(&format!(" --{name} {value}"));
        if let Some(url) = &self.broker {
            add("broker", quoted(Path::new(url)));
        }
        if let Some(file) = &self.admin_key_file {
            add("admin-key-file", quoted(file));
        }
        if let Some(name) = &self.admin {
            add("admin", name.to_string());
        }
        if let Some(pin) = &self.pin {
            add("pin", pin.to_string());
        }
        if let Some(file) = &self.ca_file {
            add("ca-file", quoted(file));
        }
        options
    }
}

/// A key that others may read is nobody's own.
fn own_alone(file: &Path) -> Result<(), Failure> {
    let metadata = std::fs::metadata(file).map_err(|error| Failure::of_file(file, &error))?;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let path = quoted(file);
    Err(Failure::new(Exit::NotAllowed, format!("the admin key in {path} can be used by others on this machine"))
        .next(format!("chmod 600 {path}")))
}

fn key(text: &Secret, place: &str) -> Result<AdminKey, Failure> {
    AdminKey::parse(text.expose()).map_err(|error| Failure::new(Exit::Usage, format!("{place}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_the_command_beats_what_stands_before_it() {
        let early = Early {
            broker: Some("https://a".into()),
            admin_key_file: Some("/a".into()),
            pin: format!("sha256:{}", "0".repeat(64)).parse().ok(),
            ..Early::default()
        };
        let late = Remote { admin: Some(Name::parse("anna").unwrap()), ..Remote::default() };
        let both = early.clone().complete(late);
        assert_eq!((both.broker.as_deref(), both.admin_key_file), (Some("https://a"), None));
        assert!(both.admin.is_some() && both.pin.is_some());
        let late = Remote { ca_file: Some("/ca".into()), broker: Some("https://b".into()), ..Remote::default() };
        let both = early.complete(late);
        assert_eq!((both.broker.as_deref(), both.pin, both.ca_file.is_some()), (Some("https://b"), None, true));
        assert!(both.admin_key_file.is_some());
    }
}

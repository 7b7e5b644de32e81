//! The ssh source as it is meant: our settings, then what `~/.ssh/config` says, then what ssh takes by default.
//!
//! * [`pattern`]: wildcards. * [`config_file`], [`config_place`]: `~/.ssh/config`. * [`secret_file`]: the password's file.
//! * [`local_user`]: who we are on this machine.

pub mod config_file;
pub mod config_place;
pub mod local_user;
pub mod pattern;
pub mod secret_file;

use std::path::{Path, PathBuf};

use scorpiox_wire::Secret;

use self::config_file::HostOptions;
use super::Surroundings;
use super::written::{Key, Written};
use crate::failure::Failure;
use crate::talk::Talk;

/// The port of ssh.
pub const USUAL_PORT: u16 = 22;
/// What is run on the other machine unless the user says otherwise.
pub const USUAL_COMMAND: &str = "scorpiox-codex-fetchtoken";
/// Private keys that are tried when none is named.
const USUAL_KEYS: &[&str] = &["id_ed25519", "id_ecdsa", "id_rsa"];
const LONGEST_HOST: usize = 255;

/// Which machine has a token, how it is known, and how we log in there.
#[derive(Debug)]
pub struct SshSettings {
    /// As the user calls it: what messages say.
    pub called: String,
    /// The name or address to connect to.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name under which its key is known, when it is another one; then the port does not count.
    pub host_key_alias: Option<String>,
    /// The user there.
    pub user: String,
    /// That user's password, and the passphrase of private keys.
    pub password: Option<Secret>,
    /// Private keys and the agent.
    pub identities: Identities,
    /// Files of known host keys. The first is the one to which a new host is added.
    pub known_hosts: Vec<PathBuf>,
    /// What is run there.
    pub command: FarCommand,
}

/// Keys with which we may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identities {
    /// Files of private keys, in the order of trying.
    pub files: KeyFiles,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
}

/// Where the list of private keys comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFiles {
    /// `CODEX_SSH_KEY_FILE`: it must be there, and no other key is tried.
    Chosen(PathBuf),
    /// `IdentityFile` with `IdentitiesOnly yes`: no other key is tried.
    Only(Vec<PathBuf>),
    /// `IdentityFile`, or the usual files; the agent's other keys are tried too.
    Named(Vec<PathBuf>),
}

/// What is run on the other machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FarCommand {
    /// [`USUAL_COMMAND`]; where it is missing, a token file is read.
    Usual,
    /// `CODEX_SSH_COMMAND`.
    Chosen(String),
}

impl SshSettings {
    /// What the written settings mean.
    pub fn from_written(written: &Written, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Self, Failure> {
        let home = surroundings.absolute_path("HOME");
        let called = host(written)?;
        let options = config_place::read(&called, home.as_deref())?;
        for keyword in &options.passed_over {
            talk.warn(format!("ssh_config: {keyword} is not understood for {called} and passed over"));
        }
        let user = match text(written, Key::SshUser).or_else(|| options.user.clone()) {
            Some(user) => user,
            None => local_user::name(surroundings)?,
        };
        let host = options.host_name.as_ref().map_or_else(|| called.clone(), |name| name.replace("%h", &called));
        Ok(Self {
            port: port(written, &options)?,
            password: password(written, surroundings, talk)?,
            identities: identities(written, surroundings, &options, &host, &user),
            known_hosts: known_hosts(written, surroundings, home.as_deref()),
            command: text(written, Key::SshCommand).map_or(FarCommand::Usual, FarCommand::Chosen),
            host_key_alias: options.host_key_alias,
            called,
            host,
            user,
        })
    }
}

fn text(written: &Written, key: Key) -> Option<String> {
    written.get(key).map(|value| value.text.to_string())
}

fn host(written: &Written) -> Result<String, Failure> {
    let Some(value) = written.get(Key::SshHost) else {
        let failure = Failure::unconfigured("no machine for the ssh source");
        return Err(failure.with_hint("set CODEX_SSH_HOST to the machine that has a token"));
    };
    machine_name(&value.text).map_err(|why| value.wrong(why))
}

/// A name or address, in lower case and without the brackets of an IPv6 address: `vault`, `10.0.0.7`, `::1`.
pub fn machine_name(text: &str) -> Result<String, &'static str> {
    if text.contains('@') {
        return Err("expected a machine alone; write the user into CODEX_SSH_USER");
    }
    let name = text.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(text);
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:%".contains(&byte);
    if name.is_empty() || name.starts_with('-') || name.len() > LONGEST_HOST || !name.bytes().all(is_of_name) {
        return Err("expected the name or address of a machine, which starts with no dash");
    }
    Ok(name.to_ascii_lowercase())
}

fn port(written: &Written, options: &HostOptions) -> Result<u16, Failure> {
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    if let Some(value) = written.get(Key::SshPort) {
        return number(&value.text).ok_or_else(|| value.wrong("is no port: 1 to 65535"));
    }
    let Some(text) = &options.port else { return Ok(USUAL_PORT) };
    number(text).ok_or_else(|| Failure::configuration(format!("ssh_config: Port {text} is no port: 1 to 65535")))
}

fn password(written: &Written, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Option<Secret>, Failure> {
    let Some(value) = written.one_of(Key::SshPass, Key::SshPassFile)? else { return Ok(None) };
    if value.key == Key::SshPass {
        return Ok(Some(Secret::new(value.text.as_str())));
    }
    secret_file::first_line(&value.as_path(&surroundings.directory), talk).map(Some).map_err(|why| value.wrong(why))
}

fn identities(
    written: &Written,
    surroundings: &Surroundings<'_>,
    options: &HostOptions,
    host: &str,
    user: &str,
) -> Identities {
    let home = surroundings.absolute_path("HOME");
    let expand = |text: &String| expanded(text, home.as_deref(), host, user);
    let named: Vec<PathBuf> = options.identity_files.iter().filter_map(expand).collect();
    let usual = || {
        let directory = home.as_ref().map(|home| home.join(".ssh"));
        directory.into_iter().flat_map(|directory| USUAL_KEYS.iter().map(move |name| directory.join(name))).collect()
    };
    let files = match (written.get(Key::SshKeyFile), named.is_empty()) {
        (Some(value), _) => KeyFiles::Chosen(value.as_path(&surroundings.directory)),
        (None, false) if options.identities_only == Some(true) => KeyFiles::Only(named),
        (None, false) => KeyFiles::Named(named),
        (None, true) => KeyFiles::Named(usual()),
    };
    Identities { files, agent: surroundings.absolute_path("SSH_AUTH_SOCK") }
}

fn tilde(text: &str, home: Option<&Path>) -> Option<PathBuf> {
    text.strip_prefix("~/").zip(home).map(|(rest, home)| home.join(rest))
}

/// The tokens of `IdentityFile` that say something without a connection; `None` for `none` and for other tokens.
fn expanded(text: &str, home: Option<&Path>, host: &str, user: &str) -> Option<PathBuf> {
    if text.eq_ignore_ascii_case("none") {
        return None;
    }
    let mut path = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character == '%').then(|| characters.next()) {
            None => path.push(character),
            Some(Some('%')) => path.push('%'),
            Some(Some('h')) => path.push_str(host),
            Some(Some('r')) => path.push_str(user),
            Some(Some('d')) => path.push_str(home?.to_str()?),
            Some(_) => return None,
        }
    }
    let path = tilde(&path, home).unwrap_or_else(|| PathBuf::from(path));
    // OpenSSH starts a relative one at the current directory, which in our case may be anybody's.
    path.is_absolute().then_some(path)
}

fn known_hosts(written: &Written, surroundings: &Surroundings<'_>, home: Option<&Path>) -> Vec<PathBuf> {
    if let Some(value) = written.get(Key::SshKnownHosts) {
        return vec![value.as_path(&surroundings.directory)];
    }
    let of_user =
        home.into_iter().flat_map(|home| ["known_hosts", "known_hosts2"].map(|name| home.join(".ssh").join(name)));
    of_user.chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]).collect()
}

#[cfg(test)]
#[path = "ssh/tests.rs"]
mod tests;

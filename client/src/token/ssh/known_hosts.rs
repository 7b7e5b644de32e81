//! Which host keys are known. Pure; reading the files is in [`super::known_hosts_files`].
//!
//! ```text
//! [@revoked|@cert-authority] NAMES TYPE BASE64 [comment]
//! NAMES   host,[host]:2222,*.example.org,!bad.example.org      or   |1|SALT|HMAC-SHA1(SALT, name)|
//! ```
//!
//! As `sshd(8)` documents them. `@cert-authority` lines say nothing about plain keys, and only plain keys are taken.

use std::path::PathBuf;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::public_key::PublicKey;
use crate::settings::ssh::{USUAL_PORT, pattern};

/// A file's text, with its name for messages.
#[derive(Debug)]
pub struct KnownHostsFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// The name under which a host key is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// `host`, or `[host]:2222` when the port is not the usual one.
    full: String,
    /// `host`, when it is not the same.
    without_port: Option<String>,
}

impl HostName {
    /// Of a host at a port.
    pub fn new(host: &str, port: u16) -> Self {
        let host = host.to_ascii_lowercase();
        if port == USUAL_PORT {
            return Self { full: host, without_port: None };
        }
        Self { full: format!("[{host}]:{port}"), without_port: Some(host) }
    }

    /// `HostKeyAlias`: a name that stands for whichever host and port.
    pub fn alias(alias: &str) -> Self {
        Self { full: alias.to_ascii_lowercase(), without_port: None }
    }

    /// As it stands in a line.
    pub fn as_str(&self) -> &str {
        &self.full
    }
}

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Counts from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}", self.path.display(), self.line)
    }
}

/// What is known of the key that a host showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is this host's.
    Known,
    /// Nobody has said anything about this host.
    Unknown,
    /// Another key of the same type is this host's.
    Changed(Place),
    /// Only keys of other types are this host's.
    OtherTypes(Place),
    /// It was taken back.
    Revoked(Place),
}

/// What the files say about one host.
#[derive(Debug, Default)]
pub struct KnownKeys {
    keys: Vec<KnownKey>,
}

#[derive(Debug)]
struct KnownKey {
    key: PublicKey,
    place: Place,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Trusted,
    /// Stands under the name without its port: enough to be known, never enough to be changed.
    TrustedWithoutPort,
    Revoked,
}

impl KnownKeys {
    /// Of a host, from these files.
    pub fn of(name: &HostName, files: &[KnownHostsFile]) -> Self {
        let mut keys = Vec::new();
        for file in files {
            for (index, line) in file.text.lines().enumerate() {
                let Some((standing, key)) = Line::parse(line).and_then(|line| line.about(name)) else { continue };
                keys.push(KnownKey { key, standing, place: Place { path: file.path.clone(), line: index + 1 } });
            }
        }
        Self { keys }
    }

    /// The types of the keys that are known: the host shall show one of these.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(|known| known.standing == Standing::Trusted).map(|known| known.key.kind())
    }

    /// What is known of this key.
    pub fn judge(&self, shown: &PublicKey) -> Verdict {
        let find = |standing: Standing, same: &dyn Fn(&PublicKey) -> bool| {
            self.keys
                .iter()
                .find(|known| known.standing == standing && same(&known.key))
                .map(|found| found.place.clone())
        };
        let is_it = |key: &PublicKey| key == shown;
        if let Some(place) = find(Standing::Revoked, &is_it) {
            return Verdict::Revoked(place);
        }
        if find(Standing::Trusted, &is_it).is_some() {
            return Verdict::Known;
        }
        if let Some(place) = find(Standing::Trusted, &|key| key.kind() == shown.kind()) {
            return Verdict::Changed(place);
        }
        if let Some(place) = find(Standing::Trusted, &|_| true) {
            return Verdict::OtherTypes(place);
        }
        if find(Standing::TrustedWithoutPort, &is_it).is_some() { Verdict::Known } else { Verdict::Unknown }
    }
}

struct Line<'a> {
    revoked: bool,
    names: &'a str,
    key: PublicKey,
}

impl<'a> Line<'a> {
    /// `None` for comments, certificate authorities, and lines that nobody can read: those trust nothing.
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace();
        let mut names = fields.next()?;
        if names.starts_with('#') {
            return None;
        }
        let revoked = names == "@revoked";
        if revoked {
            names = fields.next()?;
        } else if names.starts_with('@') {
            return None;
        }
        let (kind, key) = (fields.next()?, fields.next()?);
        let key = PublicKey::from_wire(&STANDARD.decode(key).ok()?)?;
        (key.kind() == kind).then_some(Self { revoked, names, key })
    }

    fn about(self, name: &HostName) -> Option<(Standing, PublicKey)> {
        let standing = if self.names_it(&name.full) {
            if self.revoked { Standing::Revoked } else { Standing::Trusted }
        } else if name.without_port.as_ref().is_some_and(|host| self.names_it(host)) {
            if self.revoked { Standing::Revoked } else { Standing::TrustedWithoutPort }
        } else {
            return None;
        };
        Some((standing, self.key))
    }

    fn names_it(&self, name: &str) -> bool {
        match self.names.strip_prefix("|1|") {
            Some(hashed) => is_hash_of(hashed, name).unwrap_or(false),
            None => pattern::any_fits(self.names.split(','), name),
        }
    }
}

/// `SALT|HASH`; `None` when it is neither.
fn is_hash_of(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (STANDARD.decode(salt).ok()?, STANDARD.decode(hash).ok()?);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    Some(hmac::verify(&key, name.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
#[path = "known_hosts_tests.rs"]
mod tests;

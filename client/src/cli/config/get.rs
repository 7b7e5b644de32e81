//! `--get`: the value that holds.

use std::io::{self, IsTerminal as _};

use crate::cli::outcome;
use crate::failure::{Class, Failure, visible_in_full};
use crate::settings::Surroundings;
use crate::settings::catalog::Entry;
use crate::settings::key::Key;
use crate::settings::trust;
use crate::settings::trust::store::TrustedFiles;
use crate::settings::written::Written;
use crate::talk::Talk;

/// Nothing is set, and nothing holds instead.
const NOT_SET: u8 = 1;

pub(super) fn get(key: Key, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<u8, Failure> {
    let entry = Entry::of(key);
    if entry.is_secret() {
        let refused = Failure::new(Class::Usage, format!("{} is a secret and never printed", key.as_str()));
        return Err(refused.with_hint("--dump --show-source says where it stands"));
    }
    let written = Written::gather(surroundings, talk)?;
    let Some(value) = written.get(key) else {
        let Some(default) = entry.default else {
            talk.warn(format!("{} is not set", key.as_str()));
            return Ok(NOT_SET);
        };
        talk.detail(format!("{} is not set: the default holds", key.as_str()));
        return outcome::answer(&format!("{default}\n")).map(|()| 0);
    };
    talk.detail(format!("{} stands in: {}", key.as_str(), value.origin));
    for claim in trust::pending(&written, &TrustedFiles::load(surroundings)?)? {
        if claim.values.iter().any(|claimed| claimed.origin == value.origin) {
            talk.warn(format!("{}: this file is not trusted; {}", value.origin, claim.how_to_trust()));
        }
    }
    // A program gets the value as it is; a person's terminal obeys none of it.
    let text = if io::stdout().is_terminal() { visible_in_full(&value.text) } else { value.text.to_string() };
    outcome::answer(&format!("{text}\n")).map(|()| 0)
}

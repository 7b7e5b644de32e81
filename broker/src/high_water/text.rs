//! The mark as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Mark, Position};
use crate::audit_chain::Link;
use crate::hex;
use crate::seal::{KeyId, Sealer};

const FIRST_LINE: &str = "scorpiox-mark 1";
const PURPOSE: &str = "high-water-mark";

/// Why a text is not this broker's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadError {
    Unreadable(String),
    Foreign,
}

pub(super) fn write(mark: &Mark, instance: &str, sealer: &Sealer) -> String {
    let mut text = format!("{FIRST_LINE}\ninstance {instance}\nkey {}\ncounter {}\n", sealer.names_id(), mark.counter);
    if mark.audit != Link::START {
        writeln!(text, "audit {} {}", mark.audit.seq, *hex::encode(&mark.audit.mac))
            .expect("a string takes every write");
    }
    for (id, Position { epoch, generation }) in &mark.positions {
        writeln!(text, "credential {id} {epoch} {generation}").expect("a string takes every write");
    }
    for (id, Position { epoch, generation }) in &mark.removed {
        writeln!(text, "removed {id} {epoch} {generation}").expect("a string takes every write");
    }
    let mac = sealer.authenticate(PURPOSE, text.as_bytes());
    writeln!(text, "mac {}", *hex::encode(&mac)).expect("a string takes every write");
    text
}

pub(super) fn read(bytes: &[u8], instance: &str, sealer: &Sealer) -> Result<Mark, ReadError> {
    let unreadable = |why: &str| ReadError::Unreadable(why.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable("no text"))?;
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(unreadable("no mark, or one of a later version"));
    }
    // Whose it is comes before the MAC: another broker's mark has another key's.
    let whose = lines.next().and_then(|line| line.strip_prefix("instance ")).ok_or(unreadable("cut off"))?;
    if whose != instance {
        return Err(ReadError::Foreign);
    }
    let key = lines.next().and_then(|line| line.strip_prefix("key ")).ok_or(unreadable("cut off"))?;
    let key: KeyId = key.parse().map_err(|_| unreadable("the key line is damaged"))?;
    if key != sealer.names_id() {
        return Err(ReadError::Unreadable(format!(
            "written under master key {key}, and this is {}",
            sealer.names_id()
        )));
    }
    let signed_length = text.rfind("mac ").ok_or(unreadable("cut off"))?;
    let (signed, mac) = text.split_at(signed_length);
    let mac = mac.strip_prefix("mac ").and_then(|rest| rest.strip_suffix('\n')).and_then(hex::decode_exact::<32>);
    if !mac.is_some_and(|mac| sealer.verify(PURPOSE, signed.as_bytes(), &mac)) {
        return Err(unreadable("it was changed by somebody else or damaged"));
    }
    parse(signed).ok_or(unreadable("its lines are not those of this version"))
}

/// Reads lines that the MAC vouches for.
fn parse(signed: &str) -> Option<Mark> {
    let mut lines = signed.lines().skip(3).peekable();
    let counter = lines.next()?.strip_prefix("counter ")?.parse().ok()?;
    let audit = match lines.next_if(|line| line.starts_with("audit ")) {
        None => Link::START,
        Some(line) => audit_line(line)?,
    };
    let (mut positions, mut removed) = (BTreeMap::new(), BTreeMap::new());
    for line in lines {
        let (word, entry) = line.split_once(' ')?;
        let (id, position) = entry_of(entry)?;
        match word {
            "credential" => positions.insert(id, position),
            "removed" => removed.insert(id, position),
            _ => return None,
        };
    }
    Some(Mark { counter, audit, positions, removed })
}

fn audit_line(line: &str) -> Option<Link> {
    let (seq, mac) = line.strip_prefix("audit ")?.split_once(' ')?;
    Some(Link { seq: seq.parse().ok()?, mac: hex::decode_exact(mac)? })
}

fn entry_of(text: &str) -> Option<(String, Position)> {
    let mut words = text.split(' ');
    let id = words.next()?.to_owned();
    let position = Position { epoch: words.next()?.parse().ok()?, generation: words.next()?.parse().ok()? };
    words.next().is_none().then_some((id, position))
}

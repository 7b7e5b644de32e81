//! An invite: what a person types, once, so that a program of theirs becomes a client.

use std::time::Duration;

use scorpiox_wire::Secret;

use super::letters;

/// How long an invite may be used.
pub const LIFE: Duration = Duration::from_secs(15 * 60);

/// 20 letters are 86 bits.
const LENGTH: usize = 20;
const GROUP: usize = 5;

/// An invite as it is known to the person who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite(Secret);

/// What was typed is no invite of any broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an invite is 20 letters in four groups, like BCDFG-HJKLM-NPQRS-TVWXZ")]
pub struct MalformedInvite;

impl Invite {
    /// From random bytes.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(Secret::new(letters::spell(random, LENGTH)))
    }

    /// As a person typed it.
    pub fn parse(typed: &str) -> Result<Self, MalformedInvite> {
        letters::read(typed, LENGTH).map(|letters| Self(Secret::new(letters))).ok_or(MalformedInvite)
    }

    /// As a person reads it: `BCDFG-HJKLM-NPQRS-TVWXZ`.
    pub fn shown(&self) -> Secret {
        Secret::new(letters::grouped(self.0.expose(), GROUP))
    }

    /// What is recognised again, however it was typed.
    pub fn letters(&self) -> &Secret {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_is_recognised_however_it_is_typed_and_never_shown_by_debug() {
        let invite = Invite::from_random([0xa7; 16]);
        let shown = invite.shown();
        let groups: Vec<&str> = shown.expose().split('-').collect();
        assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 5), "{}", shown.expose());
        for typed in [shown.expose().to_owned(), shown.expose().to_lowercase(), shown.expose().replace('-', " ")] {
            assert_eq!(Invite::parse(&typed), Ok(invite.clone()), "{typed}");
        }
        assert!(!format!("{invite:?}").contains(groups[0]));
        assert_ne!(Invite::from_random([0xa8; 16]), invite);
    }

    #[test]
    fn nineteen_letters_are_no_invite() {
        let shown = Invite::from_random([3; 16]).shown();
        assert_eq!(Invite::parse(&shown.expose()[1..]), Err(MalformedInvite));
    }

    #[test]
    fn an_invite_is_worth_more_than_eighty_bits() {
        assert!(20_f64.log2() * LENGTH as f64 > 80.0);
    }
}

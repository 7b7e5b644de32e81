//! How the logins of a restored broker stand: what was presented to the provider since its backup was made?
//!
//! The high-water mark knows, if it survived the loss: it is raised and synced before a refresh token is presented. If it
//! is lost too, nobody knows; whoever still knows something (a rescue slot, a person who logs in, a client that was given
//! a newer generation) speaks for one login each.

use super::credential::Credential;
use super::recovery::was_ever_armed;
use super::rotation::{Mark, Quarantine, Resting, State};

/// What speaks of the time after the backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The mark survived, and says this of the credential; `None` when it does not know it.
    Mark(Option<Mark>),
    /// The mark survived, and says that the credential was removed.
    Removed,
    /// The mark is lost. This generation stands in the backup; `None` for a credential that was put in since.
    Backup(Option<u64>),
}

/// How a restored login stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its refresh token was not presented since: it is renewed after the promotion.
    Safe,
    /// A renewal was under way and its answer is unknown: it is probed with care, as after any crash.
    InDoubt,
    /// Its refresh token was presented since: it is never presented again, and a person logs in.
    Behind,
    /// It had ended, or was set aside, before.
    Ended,
    /// An administrator removed it since: the backup brought it back.
    Removed,
    /// Nobody knows whether it was presented since.
    Unknown,
}

/// How this credential stands, after the start has replayed the slots and compared it with the mark.
pub fn standing(credential: &Credential, evidence: Evidence) -> Standing {
    let rotation = &credential.rotation;
    match &rotation.state {
        State::Reauth(_) => return Standing::Ended,
        State::Quarantine(Quarantine::BehindMark | Quarantine::BehindWitness | Quarantine::Restored) => {
            return Standing::Behind;
        }
        State::Quarantine(Quarantine::OtherAccount | Quarantine::Damaged) => return Standing::Ended,
        State::Resting(_) | State::Claimed(_) | State::Sent(_) => {}
    }
    let known = match evidence {
        Evidence::Removed => return Standing::Removed,
        Evidence::Mark(Some(mark)) => rotation.epoch >= mark.epoch && rotation.generation >= mark.generation,
        // A mark forgets nobody: one that it does not know was never presented.
        Evidence::Mark(None) => !was_ever_armed(credential),
        Evidence::Backup(reached) => reached.is_none_or(|reached| rotation.generation > reached),
    };
    match &rotation.state {
        _ if !known => Standing::Unknown,
        State::Resting(Resting::InDoubt(_)) | State::Sent(_) => Standing::InDoubt,
        State::Resting(Resting::Idle(_)) | State::Claimed(_) => Standing::Safe,
        State::Reauth(_) | State::Quarantine(_) => Standing::Ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::answer::Ending;
    use crate::domain::credential::{CredentialId, Name, Owner, Pause};
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::rotation::{Doubt, Idle, Reauth, Rotation};

    fn at(generation: u64, epoch: u64, state: State) -> Credential {
        Credential {
            id: CredentialId::from_stored("id".into()),
            name: Name::parse("main").unwrap(),
            owner: Owner { account_id: "a".into(), user_id: None },
            email: None,
            plan_type: None,
            created_at: Timestamp::from_unix(0),
            pause: Pause::None,
            rotation: Rotation { epoch, generation, state },
            tokens: None,
        }
    }

    fn idle() -> State {
        State::Resting(Resting::Idle(Idle::default()))
    }

    fn mark(generation: u64, epoch: u64) -> Evidence {
        Evidence::Mark(Some(Mark { epoch, generation }))
    }

    #[test]
    fn a_mark_that_says_the_same_or_less_makes_a_login_safe_and_one_that_says_more_does_not() {
        assert_eq!(standing(&at(5, 4, idle()), mark(5, 4)), Standing::Safe);
        assert_eq!(standing(&at(5, 4, idle()), mark(4, 3)), Standing::Safe);
        for further in [mark(6, 5), mark(5, 5), mark(6, 4)] {
            assert_eq!(standing(&at(5, 4, idle()), further), Standing::Unknown, "a start sets it aside");
        }
        let behind = State::Quarantine(Quarantine::BehindMark);
        assert_eq!(standing(&at(5, 4, behind), mark(6, 5)), Standing::Behind);
    }

    #[test]
    fn a_login_that_the_mark_does_not_know_was_never_presented_or_is_not_ours_to_present() {
        assert_eq!(standing(&at(1, 0, idle()), Evidence::Mark(None)), Standing::Safe);
        assert_eq!(standing(&at(3, 2, idle()), Evidence::Mark(None)), Standing::Unknown);
    }

    #[test]
    fn without_a_mark_only_what_came_after_the_backup_is_safe() {
        assert_eq!(standing(&at(5, 4, idle()), Evidence::Backup(Some(5))), Standing::Unknown);
        assert_eq!(standing(&at(1, 0, idle()), Evidence::Backup(Some(1))), Standing::Unknown);
        assert_eq!(standing(&at(6, 4, idle()), Evidence::Backup(Some(5))), Standing::Safe, "from a slot, or a login");
        assert_eq!(standing(&at(1, 0, idle()), Evidence::Backup(None)), Standing::Safe, "put in since");
    }

    #[test]
    fn what_was_sent_is_in_doubt_and_what_had_ended_stays_so() {
        let doubt = Doubt { since: 0, why: "crash".into(), probes: 0, refusals: 0, not_before: 0 };
        let in_doubt = State::Resting(Resting::InDoubt(doubt));
        assert_eq!(standing(&at(5, 4, in_doubt.clone()), mark(5, 4)), Standing::InDoubt);
        assert_eq!(standing(&at(5, 4, in_doubt), Evidence::Backup(Some(5))), Standing::Unknown);
        let ended = Reauth { ending: Ending::Expired, fingerprint: Fingerprint::from_bytes([1; 16]), after: None };
        for evidence in [mark(5, 4), Evidence::Backup(Some(5))] {
            assert_eq!(standing(&at(5, 4, State::Reauth(ended.clone())), evidence), Standing::Ended);
            let aside = State::Quarantine(Quarantine::Restored);
            assert_eq!(standing(&at(5, 4, aside), evidence), Standing::Behind);
        }
    }
}

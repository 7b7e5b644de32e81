//! The rotation state machine, pure.
//!
//! ```text
//!            claim            arm              answer
//!  Resting ────────▶ Claimed ─────▶ Sent ──────────────▶ Resting(Idle), Reauth, Quarantine
//!     ▲    ◀──free──    │            │ ──no answer─────▶ Resting(InDoubt)
//!     └────────disarm───┴────────────┘ (proven: nothing was written)
//! ```
//!
//! `Resting` is where a credential may stay: `Idle`, or `InDoubt` after a redemption whose answer is unknown. A doubt
//! outlives the probes that try to end it, so `Claimed` and `Sent` remember what they came from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::Ending;
use super::fingerprint::Fingerprint;
use crate::clock::Timestamp;

/// Durable per credential. `epoch` counts claims and verdicts, `generation` counts token sets; neither ever goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// Claims and verdicts so far.
    pub epoch: u64,
    /// Token sets so far; the first login makes it 1.
    pub generation: u64,
    /// Where it stands.
    pub state: State,
}

/// Where a rotation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing is under way.
    Resting(Resting),
    /// Somebody decided to renew; nothing was sent.
    Claimed(Resting),
    /// From here on the refresh token may have been redeemed.
    Sent(Resting),
    /// The login has ended.
    Reauth(Reauth),
    /// Set aside until a person logs in again.
    Quarantine(Quarantine),
}

/// Where a credential may stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resting {
    /// All is well, or the last attempt failed without harm.
    Idle(Idle),
    /// A redemption was sent and nobody knows what became of it.
    InDoubt(Doubt),
}

/// What is remembered between rotations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// Unknown 400 or 401 in a row; the third is a verdict.
    pub refusals: u32,
    /// Grants in a row whose access token was empty, ended, or no longer-lived than the one before (matrix R11).
    pub weak_grants: u32,
    /// No attempt before this (Unix seconds): set where the wait must survive a restart.
    pub not_before: Option<i64>,
}

/// A redemption whose answer is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// When it began, or was last renewed by a probe without a verdict (Unix seconds).
    pub since: i64,
    /// What happened, for a person.
    pub why: String,
    /// Probes without a verdict so far.
    pub probes: u32,
    /// Unknown 400 or 401 in a row; the third is a verdict.
    pub refusals: u32,
    /// No probe before this (Unix seconds).
    pub not_before: i64,
}

/// A login that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reauth {
    /// How the provider, or time, ended it.
    pub ending: Ending,
    /// The refresh token that the verdict was about: never presented again, nor accepted by an import.
    pub fingerprint: Fingerprint,
    /// What went before, when it explains the ending: `answer lost: connection reset`.
    pub after: Option<String>,
}

/// How far a credential had come, from outside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Claims and verdicts.
    pub epoch: u64,
    /// Token sets.
    pub generation: u64,
}

/// Why a credential was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quarantine {
    /// The database is older than the high-water mark (matrix S2).
    BehindMark,
    /// A client was given a newer generation than the database knows (matrix S2b).
    BehindWitness,
    /// The provider answered with another account's tokens (matrix R10).
    OtherAccount,
    /// A sealed cell does not open (matrix S1).
    Damaged,
    /// The data was restored from a backup, and nobody knows whether the token was presented since.
    Restored,
}

/// More than a credential is renewed in the time that a rollback can have lost.
const LOST_GENERATIONS: u64 = 1000;
/// Waits between probes that bring no verdict.
const PROBE_STEPS: [Duration; 3] =
    [Duration::from_secs(5 * 60), Duration::from_secs(15 * 60), Duration::from_secs(60 * 60)];
/// Unknown 400 and 401 are asked about again after this.
const REFUSAL_STEP: Duration = Duration::from_secs(60 * 60);
/// No wait between attempts is longer.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// So many unknown 400 or 401 in a row are a verdict.
const REFUSALS_FOR_A_VERDICT: u32 = 3;
/// The first wait after a grant that was no improvement; doubles up to an hour.
const WEAK_GRANT_STEP: Duration = Duration::from_secs(60);
const WEAK_GRANT_LIMIT: Duration = Duration::from_secs(60 * 60);

/// A transition was asked for that the state does not have: a bug in the caller, never an event of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such transition from this state")]
pub struct NoTransition;

impl Rotation {
    /// How a credential begins, and begins again when somebody logs in: the next generation under a new epoch.
    pub fn begun(generation: u64, epoch: u64) -> Self {
        Self { epoch, generation, state: State::Resting(Resting::Idle(Idle::default())) }
    }

    /// A renewal is decided: the epoch goes up.
    pub fn claim(&self) -> Result<Self, NoTransition> {
        match &self.state {
            State::Resting(resting) => {
                Ok(Self { epoch: self.epoch + 1, state: State::Claimed(resting.clone()), ..self.clone() })
            }
            State::Claimed(_) | State::Sent(_) | State::Reauth(_) | State::Quarantine(_) => Err(NoTransition),
        }
    }

    /// The request is about to be written.
    pub fn arm(&self) -> Result<Self, NoTransition> {
        match &self.state {
            State::Claimed(before) => Ok(self.with(State::Sent(before.clone()))),
            State::Resting(_) | State::Sent(_) | State::Reauth(_) | State::Quarantine(_) => Err(NoTransition),
        }
    }

    /// Proven: not a byte was written. Back to where it was; a doubt stays a doubt.
    pub fn disarm(&self) -> Result<Self, NoTransition> {
        match &self.state {
            State::Claimed(before) | State::Sent(before) => Ok(self.with(State::Resting(before.clone()))),
            State::Resting(_) | State::Reauth(_) | State::Quarantine(_) => Err(NoTransition),
        }
    }

    /// The process starts: what was claimed is free, what was sent is in doubt.
    pub fn restarted(&self, now: Timestamp, quiet_time: Duration) -> Self {
        match &self.state {
            State::Claimed(before) => self.with(State::Resting(before.clone())),
            State::Sent(before) => {
                self.doubted(before, "the broker stopped before the answer was kept", now, quiet_time)
            }
            State::Resting(Resting::InDoubt(doubt)) => {
                // A calendar that went back must not stretch the wait.
                let since = doubt.since.min(now.as_unix());
                let longest = (now + PROBE_STEPS[2]).as_unix();
                let doubt = Doubt { since, not_before: doubt.not_before.min(longest), ..doubt.clone() };
                self.with(State::Resting(Resting::InDoubt(doubt)))
            }
            State::Resting(Resting::Idle(idle)) => {
                let longest = (now + REFUSAL_STEP).as_unix();
                let idle = Idle { not_before: idle.not_before.map(|at| at.min(longest)), ..*idle };
                self.with(State::Resting(Resting::Idle(idle)))
            }
            State::Reauth(_) | State::Quarantine(_) => self.clone(),
        }
    }

    /// Bytes may have left and no answer came that could be understood.
    pub fn lost(&self, why: &str, now: Timestamp, quiet_time: Duration) -> Result<Self, NoTransition> {
        match &self.state {
            State::Sent(before) => Ok(self.doubted(before, why, now, quiet_time)),
            State::Resting(_) | State::Claimed(_) | State::Reauth(_) | State::Quarantine(_) => Err(NoTransition),
        }
    }

    /// An answer said that the token was not redeemed. That ends a first attempt, but not an older doubt.
    pub fn not_consumed(&self, now: Timestamp, quiet_time: Duration) -> Result<Self, NoTransition> {
        match &self.state {
            State::Sent(Resting::Idle(idle)) => Ok(self.with(State::Resting(Resting::Idle(*idle)))),
            State::Sent(before @ Resting::InDoubt(doubt)) => Ok(self.doubted(before, &doubt.why, now, quiet_time)),
            State::Resting(_) | State::Claimed(_) | State::Reauth(_) | State::Quarantine(_) => Err(NoTransition),
        }
    }

    /// An unknown 400 or 401: after the third, an hour apart, it is a verdict.
    pub fn refused(&self, fingerprint: Fingerprint, why: &str, now: Timestamp) -> Result<Self, NoTransition> {
        let State::Sent(before) = &self.state else { return Err(NoTransition) };
        let again = (now + REFUSAL_STEP).as_unix();
        let refusals = 1 + match before {
            Resting::Idle(idle) => idle.refusals,
            Resting::InDoubt(doubt) => doubt.refusals,
        };
        if refusals >= REFUSALS_FOR_A_VERDICT {
            return self.ended(Ending::RefusedThrice, fingerprint, Some(why.to_owned()));
        }
        let resting = match before {
            Resting::Idle(idle) => Resting::Idle(Idle { refusals, not_before: Some(again), ..*idle }),
            Resting::InDoubt(doubt) => Resting::InDoubt(Doubt { refusals, not_before: again, ..doubt.clone() }),
        };
        Ok(self.with(State::Resting(resting)))
    }

    /// The provider ended the login, or a doubt lasted too long. The epoch goes up, so that a database that loses this
    /// verdict is behind the high-water mark.
    pub fn ended(&self, ending: Ending, fingerprint: Fingerprint, why: Option<String>) -> Result<Self, NoTransition> {
        let after = match &self.state {
            State::Sent(Resting::InDoubt(doubt)) | State::Resting(Resting::InDoubt(doubt)) => {
                Some(format!("answer lost: {}", doubt.why))
            }
            State::Sent(Resting::Idle(_)) => why,
            State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Reauth(_) | State::Quarantine(_) => {
                return Err(NoTransition);
            }
        };
        let state = State::Reauth(Reauth { ending, fingerprint, after });
        Ok(Self { epoch: self.epoch + 1, state, ..self.clone() })
    }

    /// Tokens came back: the next generation. A late answer is welcome while the generation has not moved.
    pub fn granted(&self, weak: bool, now: Timestamp) -> Result<Self, NoTransition> {
        let weak_before = match &self.state {
            State::Sent(Resting::Idle(idle)) => idle.weak_grants,
            State::Sent(Resting::InDoubt(_)) | State::Resting(Resting::InDoubt(_)) | State::Reauth(_) => 0,
            // An answer from a rescue slot may be newer than a database that came back older (matrix S2).
            State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Quarantine(Quarantine::BehindMark) => 0,
            State::Quarantine(_) => return Err(NoTransition),
        };
        let weak_grants = if weak { weak_before + 1 } else { 0 };
        let idle = Idle { refusals: 0, weak_grants, not_before: weak.then(|| weak_wait(weak_grants, now)) };
        Ok(Self { epoch: self.epoch, generation: self.generation + 1, state: State::Resting(Resting::Idle(idle)) })
    }

    /// Sets it aside, from every state.
    ///
    /// What only an answer told raises the epoch, as an ending does: a database that loses it is behind the high-water
    /// mark, and does not present again what that answer consumed. The other causes are found again by whoever found them.
    pub fn quarantined(&self, cause: Quarantine) -> Self {
        let state = State::Quarantine(cause);
        if self.state == state {
            return self.clone();
        }
        let epoch = match cause {
            Quarantine::OtherAccount => self.epoch + 1,
            Quarantine::BehindMark | Quarantine::BehindWitness | Quarantine::Damaged | Quarantine::Restored => {
                self.epoch
            }
        };
        Self { epoch, state, ..self.clone() }
    }

    /// Whether it says that the token was consumed without a successor: the mark must know it too.
    pub fn is_spent(&self) -> bool {
        match &self.state {
            State::Reauth(_) | State::Quarantine(Quarantine::OtherAccount) => true,
            State::Resting(_) | State::Claimed(_) | State::Sent(_) => false,
            State::Quarantine(
                Quarantine::BehindMark | Quarantine::BehindWitness | Quarantine::Damaged | Quarantine::Restored,
            ) => false,
        }
    }

    /// Somebody logged in: the next generation under a new epoch, from every state.
    ///
    /// After a rollback it begins beyond the mark, or the next start would find it behind, and beyond the generations
    /// that clients may have been given in the time that was lost, or each of them would be a witness again.
    pub fn replaced(&self, mark: Option<Mark>) -> Self {
        let mark = mark.unwrap_or(Mark { epoch: self.epoch, generation: self.generation });
        let (epoch, generation) = (self.epoch.max(mark.epoch), self.generation.max(mark.generation));
        let lost = match self.state {
            State::Quarantine(Quarantine::BehindWitness | Quarantine::Restored) => LOST_GENERATIONS,
            State::Quarantine(Quarantine::BehindMark | Quarantine::OtherAccount | Quarantine::Damaged) => 0,
            State::Resting(_) | State::Claimed(_) | State::Sent(_) | State::Reauth(_) => 0,
        };
        Self::begun(generation + 1 + lost, epoch + 1)
    }

    fn with(&self, state: State) -> Self {
        Self { state, ..self.clone() }
    }

    /// A new doubt waits for the quiet time; a probe without a verdict waits for its step.
    fn doubted(&self, before: &Resting, why: &str, now: Timestamp, quiet_time: Duration) -> Self {
        let doubt = match before {
            Resting::Idle(idle) => Doubt {
                since: now.as_unix(),
                why: why.to_owned(),
                probes: 0,
                refusals: idle.refusals,
                not_before: (now + quiet_time).as_unix(),
            },
            Resting::InDoubt(doubt) => {
                let step = PROBE_STEPS[(doubt.probes as usize).min(PROBE_STEPS.len() - 1)];
                Doubt {
                    since: now.as_unix(),
                    why: doubt.why.clone(),
                    probes: doubt.probes + 1,
                    refusals: doubt.refusals,
                    not_before: (now + step.max(quiet_time)).as_unix(),
                }
            }
        };
        self.with(State::Resting(Resting::InDoubt(doubt)))
    }
}

fn weak_wait(weak_grants: u32, now: Timestamp) -> i64 {
    let step = WEAK_GRANT_STEP.saturating_mul(1 << weak_grants.saturating_sub(1).min(10));
    (now + step.min(WEAK_GRANT_LIMIT)).as_unix()
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;

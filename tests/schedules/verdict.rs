//! What became of each login, and whether there was a reason.

use std::fmt;

use fake_provider::{Fate, How, LogEntry, Oracle, Told, Twist};
use scorpiox_broker::domain::answer::Ending;
use scorpiox_broker::domain::credential::Credential;
use scorpiox_broker::domain::rotation::{Quarantine, State};

use super::acts::Deeds;

/// What became of the logins.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    pub(super) schedules: u64,
    pub(super) lives: u64,
    pub(super) requests: u64,
    pub(super) posts: u64,
    pub(super) healthy: u64,
    /// The provider redeemed and the broker was killed before its slot was synced (matrix R4).
    pub(super) lost_before_rescue: u64,
    /// The provider redeemed and its answer never arrived, or told nothing (matrix R7).
    pub(super) lost_on_the_way: u64,
    /// Ended by the provider, not by us.
    pub(super) ended_by_provider: u64,
    /// Set aside because the disk lost writes.
    pub(super) rolled_back: u64,
    /// Set aside because the provider answered with another account's tokens.
    pub(super) other_account: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.lives += other.lives;
        self.requests += other.requests;
        self.posts += other.posts;
        self.healthy += other.healthy;
        self.lost_before_rescue += other.lost_before_rescue;
        self.lost_on_the_way += other.lost_on_the_way;
        self.ended_by_provider += other.ended_by_provider;
        self.rolled_back += other.rolled_back;
        self.other_account += other.other_account;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} schedules, {} lives, {} requests, {} refresh tokens presented",
            self.schedules, self.lives, self.requests, self.posts
        )?;
        writeln!(f, "logins: {} healthy in the end", self.healthy)?;
        writeln!(f, "  lost: {} by a kill before the slot was synced (R4)", self.lost_before_rescue)?;
        writeln!(f, "  lost: {} by an answer that never arrived (R7)", self.lost_on_the_way)?;
        writeln!(f, "  ended by the provider: {}", self.ended_by_provider)?;
        writeln!(f, "  set aside: {} after lost writes, {} for another account", self.rolled_back, self.other_account)
    }
}

/// What a refresh token's text says about itself: family and generation.
pub(super) fn serial_of(refresh_token: &str) -> Option<(u32, u32)> {
    let mut parts = refresh_token.strip_prefix("rt_")?.split('_');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What became of one credential, once all faults have ended and time has passed.
pub(super) fn judge(
    tally: &mut Tally,
    credential: &Credential,
    oracle: &Oracle,
    deeds: &Deeds,
    forgetful: bool,
    jumpy: bool,
) {
    let name = &credential.name;
    let tokens = credential.tokens.as_ref().expect("no cell was damaged");
    let (family, generation) = serial_of(tokens.refresh_token.expose()).expect("a token of the fake provider");
    let history = History::of(oracle, family);
    match &credential.rotation.state {
        State::Resting(_) | State::Claimed(_) | State::Sent(_) => {
            // A refresh token that was obtained is never thrown away.
            let newest = history.newest_delivered();
            assert!(
                forgetful || newest.is_none_or(|newest| newest <= generation),
                "{name}: generation {newest:?} of family {family} reached the broker, and it holds {generation}"
            );
            tally.healthy += 1;
        }
        State::Quarantine(Quarantine::BehindMark | Quarantine::BehindWitness) => {
            assert!(forgetful, "{name} was set aside although the disk kept its word: {:?}", credential.rotation);
            tally.rolled_back += 1;
        }
        State::Quarantine(Quarantine::OtherAccount) => {
            assert!(history.has_another_account(), "{name} was set aside for another account that never came");
            tally.other_account += 1;
        }
        State::Quarantine(Quarantine::Restored) => panic!("{name}: nothing was restored from a backup"),
        State::Quarantine(Quarantine::Damaged) => panic!("{name}: no cell was damaged"),
        State::Reauth(reauth) => {
            let by_provider = deeds.ended_families.contains(&family) || history.has_scripted_end();
            match reauth.ending {
                _ if by_provider => tally.ended_by_provider += 1,
                // A probe that nobody heard either finds its login ended by the probe before it.
                Ending::Reused | Ending::Invalidated if history.has(Fate::Lost) => tally.lost_before_rescue += 1,
                Ending::Reused | Ending::Invalidated if history.has_unheard_redemption() => tally.lost_on_the_way += 1,
                Ending::RefusedThrice if history.unknown_refusals() >= 3 => tally.ended_by_provider += 1,
                Ending::DoubtTooLong if history.has_doubt() => {
                    assert!(jumpy, "{name}: a doubt was given up within hours");
                    tally.lost_on_the_way += 1;
                }
                ending => panic!("{name}: {ending:?} for no reason: {history}"),
            }
        }
    }
}

/// The presentations of one family.
struct History<'a>(Vec<&'a LogEntry>);

impl fmt::Display for History<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| write!(f, "{}: {}; ", entry.begun_at, entry.summary()))
    }
}

impl<'a> History<'a> {
    fn of(oracle: &'a Oracle, family: u32) -> Self {
        let ours = |entry: &&LogEntry| {
            let serial = entry.refresh_token.as_ref().and_then(fake_provider::TokenRef::serial);
            serial.is_some_and(|serial| serial.family == family)
        };
        Self(oracle.refreshes().filter(ours).collect())
    }

    fn any(&self, what: impl Fn(&LogEntry) -> bool) -> bool {
        self.0.iter().any(|entry| what(entry))
    }

    fn has(&self, fate: Fate) -> bool {
        self.any(|entry| entry.fate == fate)
    }

    fn has_unheard_redemption(&self) -> bool {
        self.any(|entry| entry.consumed && (entry.fate != Fate::Delivered || entry.told == Told::Nothing))
    }

    fn has_doubt(&self) -> bool {
        self.any(|entry| entry.fate != Fate::Delivered || entry.told == Told::Nothing)
    }

    fn has_scripted_end(&self) -> bool {
        self.any(|entry| matches!(entry.fault, Some(How::Status { .. })) && entry.told == Told::Ended)
    }

    fn has_another_account(&self) -> bool {
        self.any(another_account)
    }

    fn unknown_refusals(&self) -> usize {
        self.0.iter().filter(|entry| entry.code.as_deref() == Some("something_new")).count()
    }

    /// The newest refresh token that an answer brought to the broker.
    fn newest_delivered(&self) -> Option<u32> {
        let delivered = self.0.iter().filter(|entry| {
            entry.fate == Fate::Delivered && entry.told == Told::Redeemed && entry.consumed && !another_account(entry)
        });
        delivered.filter_map(|entry| entry.granted).map(|serial| serial.generation).max()
    }
}

fn another_account(entry: &LogEntry) -> bool {
    let twisted = |twist: &Twist| matches!(twist, Twist::AnotherAccount(_));
    matches!(&entry.fault, Some(How::Twisted(twists)) if twists.iter().any(twisted))
}

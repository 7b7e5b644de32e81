//! The effects of a renewal, in their order:
//!
//! ```text
//! lock                  one renewal of this file at a time, whoever does it
//! adopt                 an answer that a killed process rescued goes into the file first; nothing is presented for it
//! read again, decide    somebody else may have renewed it meanwhile
//! backup, slot          the file as it is; a place for the answer, so that a full disk is known before
//! connect, arm          "presented" goes on record, synced
//! one POST
//! rescue                the answer, synced
//! save                  the file, replaced as a whole
//! clear                 the record, then the rescued answer
//! ```
//!
//! A kill before `arm` costs nothing. Between `arm` and `rescue` the record says that the answer is unknown: the access
//! token is served while it lives, and the refresh token rests. After `rescue` the next command goes on where this one
//! was ended.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::belonging::{Aside, Place, place};
use super::decision::{Need, Reason, Step, decide, millis};
use super::failpoint::{Point, reach};
use super::journal::{Doubt, Fingerprint, Journal, Record};
use super::reading::{Opened, read_until_whole};
use super::rescue::{Rescue, Rescued};
use crate::auth_file;
use crate::clock::{Clock, Deadline};
use crate::durable_file;
use crate::failure::Failure;
use crate::http::Gate;
use crate::oauth::answer::{Grant, Verdict, classify};
use crate::oauth::call::{NoAnswer, RawAnswer};
use crate::oauth::refresh::Redeem;
use crate::settings::local::CredentialsFile;
use crate::talk::Talk;

const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// How long a refresh token rests when the server could not be reached.
const AFTER_NO_CONNECTION: Duration = Duration::from_secs(10);
/// The same when the server asked for time without saying how much, and the longest that it may ask for.
const AFTER_BUSY: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// So many refusals with a code that nobody knows are a verdict.
const REFUSALS_ARE_A_VERDICT: u32 = 3;

/// Something that renews logins.
pub trait Renewer {
    /// Gets what is needed into the file, if it can be had until the deadline. `seen` is the access token that the
    /// caller has read.
    fn renew(
        &self,
        file: &CredentialsFile,
        need: Need,
        seen: Option<&Secret>,
        deadline: Deadline<'_>,
        talk: &mut Talk,
    ) -> Result<Renewed, Failure>;
}

/// In this process: ended with it.
pub struct Here<'a> {
    /// Where refresh tokens are redeemed.
    pub redeem: &'a dyn Redeem,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Renewer for Here<'_> {
    fn renew(
        &self,
        file: &CredentialsFile,
        need: Need,
        seen: Option<&Secret>,
        deadline: Deadline<'_>,
        talk: &mut Talk,
    ) -> Result<Renewed, Failure> {
        Renewal { file, redeem: self.redeem, clock: self.clock, deadline }.run(need, seen, talk)
    }
}

/// One renewal.
struct Renewal<'a> {
    file: &'a CredentialsFile,
    redeem: &'a dyn Redeem,
    clock: &'a dyn Clock,
    deadline: Deadline<'a>,
}

/// What a renewal ends with.
#[derive(Debug)]
pub struct Renewed {
    /// The file as it is now.
    pub opened: Opened,
    /// Why its refresh token was left alone, or is.
    pub kept: Option<Reason>,
}

/// Whether there is something that only the next renewal can put in its place.
pub fn is_unfinished(file: &CredentialsFile) -> bool {
    Rescue::beside(file.path()).is_there()
}

/// Becomes the only one that writes this file. `Ok(None)`: somebody else is, for longer than there is time.
pub fn lock(path: &Path, clock: &dyn Clock, deadline: Deadline<'_>) -> io::Result<Option<File>> {
    let path = durable_file::beside(path, "lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(durable_file::PRIVATE).open(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if deadline.left().is_zero() => return Ok(None),
            Err(TryLockError::WouldBlock) => clock.pause(BETWEEN_TRIES),
        }
    }
}

impl Renewal<'_> {
    fn run(&self, need: Need, seen: Option<&Secret>, talk: &mut Talk) -> Result<Renewed, Failure> {
        let no_place = |error: io::Error| Reason::NoPlace { why: error.to_string() };
        let _lock = match lock(self.file.path(), self.clock, self.deadline) {
            Ok(Some(lock)) => lock,
            Ok(None) => return self.kept(Reason::UnderWay, talk),
            Err(error) => return self.kept(no_place(error), talk),
        };
        reach(Point::Locked);
        if let Err(error) = self.adopt(talk)? {
            return self.kept(no_place(error), talk);
        }
        let (opened, need) = self.read_again(need, seen, talk)?;
        let record = match self.record() {
            Ok(record) => record,
            Err(error) => return Ok(Renewed { opened, kept: Some(no_place(error)) }),
        };
        match decide(need, &opened.login, &record, self.clock.unix_ms()) {
            Step::Serve => Ok(Renewed { opened, kept: None }),
            Step::Keep(reason) => Ok(Renewed { opened, kept: Some(reason) }),
            Step::Renew => match self.present(&opened, &record, talk)? {
                Ok(()) => self.presented(need, opened.login.access_token.as_ref(), talk),
                Err(reason) => self.kept(reason, talk),
            },
        }
    }

    /// The file, and what is needed of it: a refusal is answered by whoever renewed meanwhile.
    fn read_again(&self, need: Need, seen: Option<&Secret>, talk: &mut Talk) -> Result<(Opened, Need), Failure> {
        let opened = self.read(talk)?;
        let is_another = seen.is_some() && opened.login.access_token.as_ref() != seen;
        Ok((opened, if is_another { Need::Good } else { need }))
    }

    /// What an answer with tokens has come to: perhaps they are not good, or not for this file.
    fn presented(&self, need: Need, before: Option<&Secret>, talk: &mut Talk) -> Result<Renewed, Failure> {
        let (opened, need) = self.read_again(need, before, talk)?;
        let record = self.record().unwrap_or_default();
        let kept = match decide(need, &opened.login, &record, self.clock.unix_ms()) {
            Step::Serve => None,
            Step::Keep(reason) => Some(reason),
            Step::Renew => Some(Reason::JustRenewed),
        };
        Ok(Renewed { opened, kept })
    }

    fn kept(&self, reason: Reason, talk: &mut Talk) -> Result<Renewed, Failure> {
        Ok(Renewed { opened: self.read(talk)?, kept: Some(reason) })
    }

    fn read(&self, talk: &mut Talk) -> Result<Opened, Failure> {
        read_until_whole(self.file, self.clock, talk)
    }

    /// What is on record. A doubt that began in the future, because the clock was set back, begins now; and a rest that
    /// is longer than any that is ever written has ended.
    fn record(&self) -> io::Result<Record> {
        let (record, now_ms) = (self.journal().read()?, self.clock.unix_ms());
        match record {
            Record::Sent(doubt) if doubt.since_ms > now_ms => {
                let restarted = Record::Sent(Doubt { since_ms: now_ms, ..doubt });
                self.journal().write(&restarted)?;
                Ok(restarted)
            }
            Record::Resting { until_ms, .. } if until_ms > now_ms.saturating_add(millis(LONGEST_REST)) => {
                Ok(Record::Clear)
            }
            record => Ok(record),
        }
    }

    fn journal(&self) -> Journal {
        Journal::beside(self.file.path())
    }

    fn rescue(&self) -> Rescue {
        Rescue::beside(self.file.path())
    }

    /// Puts what a killed process rescued into the file.
    fn adopt(&self, talk: &mut Talk) -> Result<io::Result<()>, Failure> {
        if !self.rescue().is_there() {
            return Ok(Ok(()));
        }
        match self.rescue().read() {
            Err(error) => Ok(Err(error)),
            Ok(None) => Ok(self.rescue().clear()),
            Ok(Some(rescued)) => {
                talk.detail("an earlier command was ended during a renewal; its answer was kept");
                self.settle(&rescued, talk)
            }
        }
    }

    /// Presents the refresh token, once.
    fn present(&self, opened: &Opened, record: &Record, talk: &mut Talk) -> Result<Result<(), Reason>, Failure> {
        let refresh_token = opened.login.refresh_token.as_ref().expect("only what is there is presented");
        let fingerprint = Fingerprint::of(refresh_token);
        let no_place = |error: io::Error| Reason::NoPlace { why: error.to_string() };
        let backup = durable_file::beside(self.file.path(), "backup");
        let prepared =
            durable_file::replace(&backup, &opened.bytes, opened.mode).and_then(|()| self.rescue().prepare());
        let slot = match prepared {
            Ok(slot) => slot,
            Err(error) => return Ok(Err(no_place(error))),
        };
        reach(Point::Prepared);
        let earlier = earlier_doubt(record, &fingerprint);
        let sent = Doubt { since_ms: self.clock.unix_ms(), presented: earlier.presented + 1, ..earlier.clone() };
        let armed = Arc::new(Arm { journal: self.journal(), record: Record::Sent(sent.clone()) });
        let within = self.deadline.left();
        let answer = self.redeem.redeem(refresh_token, armed, within);
        reach(Point::Answered);
        let (answer, verdict) = match answer {
            Ok(answer) => {
                let verdict = classify(&answer);
                (answer, verdict)
            }
            Err(no_answer) => return Ok(Err(self.unanswered(no_answer, &earlier, &sent))),
        };
        if !matches!(verdict, Verdict::Granted(_)) {
            return Ok(Err(self.refused(verdict, &earlier, sent)));
        }
        let received_ms = self.clock.unix_ms();
        let rescued = slot.fill(&fingerprint, received_ms, &answer.body);
        if let Err(error) = &rescued {
            talk.warn(format!("the answer of the login server could not be rescued ({error}); it is saved at once"));
        }
        reach(Point::Rescued);
        let answered = Rescued { redeemed: fingerprint, received_ms, body: answer.body };
        let settled = self.settle(&answered, talk)?;
        Ok(settled.map_err(no_place))
    }

    /// Brings a rescued answer home.
    fn settle(&self, rescued: &Rescued, talk: &mut Talk) -> Result<io::Result<()>, Failure> {
        let body = Zeroizing::new(rescued.body.to_vec());
        let answer = RawAnswer { status: 200, retry_after: None, body };
        let Verdict::Granted(grant) = classify(&answer) else { return Ok(self.rescue().clear()) };
        let opened = self.read(talk)?;
        match place(&grant, rescued, &opened) {
            Place::Home => Ok(self.save(&grant, rescued, &opened)),
            Place::AlreadyThere => Ok(self.clear()),
            Place::Aside(why) => self.set_aside(why, rescued, talk),
        }
    }

    fn save(&self, grant: &Grant, rescued: &Rescued, opened: &Opened) -> io::Result<()> {
        let bytes = auth_file::renewed(&opened.bytes, grant, rescued.received_ms).expect("it was just read");
        durable_file::replace(self.file.path(), &bytes, opened.mode)?;
        reach(Point::Saved);
        self.clear()
    }

    fn clear(&self) -> io::Result<()> {
        self.journal().write(&Record::Clear)?;
        reach(Point::Settled);
        self.rescue().clear()
    }

    fn set_aside(&self, why: Aside, rescued: &Rescued, talk: &mut Talk) -> Result<io::Result<()>, Failure> {
        let record = match why {
            Aside::AnotherLogin => Record::Clear,
            Aside::AnotherAccount => {
                Record::Ended { refresh_token: rescued.redeemed.clone(), code: "another_account".into() }
            }
        };
        let aside = self.journal().write(&record).and_then(|()| self.rescue().set_aside(self.file.path()));
        Ok(aside.map(|aside| {
            let (answer, path) = (why.as_str(), aside.display());
            talk.warn(format!("the login server's answer {answer}; it is kept in {path} and not used"));
        }))
    }

    fn unanswered(&self, no_answer: NoAnswer, earlier: &Doubt, sent: &Doubt) -> Reason {
        match no_answer {
            NoAnswer::NotSent(failure) => self.rest(earlier, AFTER_NO_CONNECTION, failure.to_string()),
            NoAnswer::Unknown(_) => self.in_doubt(sent),
        }
    }

    /// What is on record after an answer that brought no tokens.
    fn refused(&self, verdict: Verdict, earlier: &Doubt, mut sent: Doubt) -> Reason {
        match verdict {
            Verdict::Granted(_) | Verdict::Unknown { .. } => self.in_doubt(&sent),
            Verdict::Ended(code) => self.ended(&sent, code.to_owned()),
            Verdict::NotConsumed { retry_after, why } => {
                let rest = retry_after.unwrap_or(AFTER_BUSY).clamp(AFTER_NO_CONNECTION, LONGEST_REST);
                self.rest(earlier, rest, format!("the login server answered {why}"))
            }
            Verdict::Refused { why } => {
                sent.refused += 1;
                if sent.refused >= REFUSALS_ARE_A_VERDICT { self.ended(&sent, why) } else { self.in_doubt(&sent) }
            }
        }
    }

    fn in_doubt(&self, sent: &Doubt) -> Reason {
        self.put_on_record(&Record::Sent(Doubt { since_ms: self.clock.unix_ms(), ..sent.clone() }), sent)
    }

    fn ended(&self, sent: &Doubt, code: String) -> Reason {
        self.put_on_record(&Record::Ended { refresh_token: sent.refresh_token.clone(), code }, sent)
    }

    /// This presentation consumed nothing; an earlier one that is in doubt stays so.
    fn rest(&self, earlier: &Doubt, rest: Duration, why: String) -> Reason {
        let now_ms = self.clock.unix_ms();
        let until_ms = now_ms.saturating_add(millis(rest));
        let record = if earlier.presented > 0 {
            Record::Sent(Doubt { since_ms: now_ms, ..earlier.clone() })
        } else {
            Record::Resting { refresh_token: earlier.refresh_token.clone(), until_ms, why }
        };
        self.put_on_record(&record, earlier)
    }

    fn put_on_record(&self, record: &Record, sent: &Doubt) -> Reason {
        // The place for the answer is given up only when what was decided is safe.
        let written = self.journal().write(record).and_then(|()| self.rescue().clear());
        if let Err(error) = written {
            return Reason::NoPlace { why: error.to_string() };
        }
        match record.about(&sent.refresh_token) {
            None => unreachable!("it was written about this token"),
            Some(record) => super::decision::on_record(record, self.clock.unix_ms()).unwrap_or(Reason::JustRenewed),
        }
    }
}

fn earlier_doubt(record: &Record, refresh_token: &Fingerprint) -> Doubt {
    match record.about(refresh_token) {
        Some(Record::Sent(doubt)) => doubt.clone(),
        Some(Record::Clear | Record::Resting { .. } | Record::Ended { .. }) | None => {
            Doubt { refresh_token: refresh_token.clone(), since_ms: 0, presented: 0, refused: 0 }
        }
    }
}

/// Puts the presentation on record right before it is made.
#[derive(Debug)]
struct Arm {
    journal: Journal,
    record: Record,
}

impl Gate for Arm {
    fn pass(&self) -> io::Result<()> {
        self.journal.write(&self.record)?;
        reach(Point::Armed);
        Ok(())
    }
}

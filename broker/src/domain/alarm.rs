//! What needs a person: the state of the world → conditions.
//!
//! * [`world`]: all that conditions are made of.
//! * [`memory`]: what was told before → what is to be told now.

use std::time::Duration;

use super::credential::Pause;
use super::rotation::{Resting, State};
use super::words::{cause_in_words, counted, ending_in_words};
use crate::clock::Timestamp;
use crate::local_time::LocalTime;

mod memory;
mod world;

pub use memory::{Change, Memory, OVER_AFTER, Standing};
pub use world::{AuditState, CertificateEnd, End, Listener, Login, Whose, World};

/// A certificate that ends sooner than this needs a person.
pub const CERTIFICATE_NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);
/// A client or an admin key that ends sooner than this is told of; and for as long after its end.
pub const END_NOTICE: Duration = Duration::from_secs(7 * 24 * 3600);

macro_rules! whats {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// A kind of condition; its name is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum What {
            $($(#[$doc])* $name,)*
        }

        impl What {
            /// All kinds, in the order in which a person is told.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

whats! {
    /// The high-water mark is missing: nothing is renewed.
    Fenced = "fenced";
    /// Answers with tokens are nowhere but in memory.
    MemoryOnly = "memory_only";
    /// Answers cannot be saved.
    SaveFailing = "save_failing";
    /// The audit cannot be written anywhere: nothing is handed out.
    AuditFailing = "audit_failing";
    /// The audit goes to its spool.
    AuditSpooling = "audit_spooling";
    /// The machine's calendar jumped.
    ClockStepped = "clock_stepped";
    /// No rescue slot is free.
    RescueSlots = "rescue_slots";
    /// A rescue slot cannot be read.
    RescueSlotDamaged = "rescue_slot_damaged";
    /// The certificate has ended: nobody connects.
    CertificateEnded = "certificate_ended";
    /// The certificate ends soon.
    CertificateEnds = "certificate_ends";
    /// Nobody gets a token of this login any more.
    LoginEnded = "login_ended";
    /// The login has ended; its token still works.
    Reauth = "reauth";
    /// The credential was set aside.
    Quarantine = "quarantine";
    /// A renewal's answer is unknown.
    InDoubt = "in_doubt";
    /// Renewing fails or has to wait, and the token's last quarter has begun.
    RenewalFailing = "renewal_failing";
    /// An administrator paused renewing, and the token's last quarter has begun.
    RenewalPaused = "renewal_paused";
    /// The end that an administrator set for a client is near, or was a moment ago.
    ClientEnds = "client_ends";
    /// The end of an admin key is near, or was a moment ago.
    AdminKeyEnds = "admin_key_ends";
}

impl What {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|what| what.as_str() == name)
    }
}

/// The kind and what it is about (a credential's name, a file; empty for the broker itself): the identity of a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The kind.
    pub what: What,
    /// What it is about.
    pub subject: String,
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Which.
    pub key: Key,
    /// In words.
    pub reason: String,
    /// The command that helps.
    pub next: Option<String>,
}

/// Everything that needs a person, most urgent first.
pub fn conditions(world: &World, local: &LocalTime) -> Vec<Condition> {
    let mut found = Found { conditions: Vec::new(), now: world.now, fence: world.fence.as_deref(), local };
    found.broker(world);
    for login in world.logins.iter().filter(|login| login.pause != Pause::All) {
        found.login(login);
    }
    for end in &world.ends {
        found.end(end);
    }
    found.conditions.sort_by(|one, other| one.key.cmp(&other.key));
    found.conditions
}

/// Whether somebody is to be told of an end at this moment.
pub fn is_near(end: Timestamp, now: Timestamp) -> bool {
    now.since(end).max(end.since(now)) <= END_NOTICE
}

struct Found<'a> {
    conditions: Vec<Condition>,
    now: Timestamp,
    fence: Option<&'a str>,
    local: &'a LocalTime,
}

impl Found<'_> {
    fn add(&mut self, what: What, subject: &str, reason: String, next: Option<String>) {
        self.conditions.push(Condition { key: Key { what, subject: subject.to_owned() }, reason, next });
    }

    fn broker(&mut self, world: &World) {
        let space = || Some("free disk space".to_owned());
        if let Some(reason) = &world.fence {
            self.add(What::Fenced, "", reason.clone(), Some("scorpiox-broker promote".into()));
        }
        if world.memory_only > 0 {
            let answers = counted(world.memory_only, "answer with tokens is", "answers with tokens are");
            let reason = format!("{answers} in memory only: do not stop the broker");
            self.add(What::MemoryOnly, "", reason, space());
        }
        if world.unsaved > 0 {
            self.add(
                What::SaveFailing,
                "",
                format!("{} be saved", counted(world.unsaved, "answer cannot", "answers cannot")),
                space(),
            );
        }
        match world.audit {
            AuditState::Writing => {}
            AuditState::Spooling => {
                let reason = "the database does not take the audit; its spool does";
                self.add(What::AuditSpooling, "", reason.into(), None);
            }
            AuditState::Failing => {
                let reason = "neither the database nor the spool takes the audit";
                self.add(What::AuditFailing, "", reason.into(), space());
            }
        }
        if let Some(seconds) = world.clock_stepped {
            let reason = format!("the machine's clock jumped by {seconds} s and is not believed");
            let next = "correct the clock, or send SIGHUP to accept it";
            self.add(What::ClockStepped, "", reason, Some(next.into()));
        }
        // While renewals are under way they hold the slots: many that are due at once are no fault.
        if world.free_slots == 0 && world.in_flight == 0 {
            self.add(What::RescueSlots, "", "no rescue slot is free, so nothing can be renewed".into(), None);
        }
        for (path, reason) in &world.damaged_slots {
            self.add(What::RescueSlotDamaged, path, format!("{path}: {reason}"), None);
        }
        for certificate in &world.certificates {
            self.certificate(*certificate);
        }
    }

    fn certificate(&mut self, CertificateEnd { listener, at }: CertificateEnd) {
        if at > self.now + CERTIFICATE_NOTICE {
            return;
        }
        let moment = self.local.told(at, self.now);
        let (subject, whose, nobody) = match listener {
            Listener::Clients => ("", "client listener", "no client"),
            Listener::Administration => ("administration", "administration", "no administrator"),
        };
        let (what, reason) = if at > self.now {
            (What::CertificateEnds, format!("the certificate of the {whose} ends {moment}"))
        } else {
            let reason = format!("the certificate of the {whose} ended {moment}: {nobody} connects any more");
            (What::CertificateEnded, reason)
        };
        let next = "put a new certificate and key into their files; they are read again within a minute";
        self.add(what, subject, reason, Some(next.into()));
    }

    fn end(&mut self, end: &End) {
        if !is_near(end.at, self.now) {
            return;
        }
        let (what, name, who, lacks, next) = match &end.whose {
            Whose::Client(name) => {
                let next = format!("scorpiox-broker client limit {name} --expires 90d");
                (What::ClientEnds, name, "client", "gets", next)
            }
            // A key is not extended: whoever has found it has it no longer than was meant.
            Whose::AdminKey(name, scopes) => {
                let next = format!(
                    "give its program another one (scorpiox-broker admin key add NAME --scope {scopes} --expires 90d), \
                     then: scorpiox-broker admin key revoke {name}"
                );
                (What::AdminKeyEnds, name, "admin key", "opens", next)
            }
        };
        let moment = self.local.told(end.at, self.now);
        let reason = if end.at > self.now {
            format!("{who} '{name}' ends {moment}")
        } else {
            format!("{who} '{name}' ended {moment} and {lacks} nothing any more")
        };
        self.add(what, name.as_str(), reason, Some(next));
    }

    fn login(&mut self, login: &Login) {
        let name = login.name.as_str();
        let again = Some(format!("scorpiox-broker login --name {name}"));
        let works = self.works(login);
        let (why, next) = match &login.state {
            State::Reauth(reauth) => {
                let why = ending_in_words(reauth);
                if let Some(until) = &works {
                    let reason = format!("'{name}' works until {until} and cannot be renewed: {why}");
                    self.add(What::Reauth, name, reason, again.clone());
                }
                (why, again)
            }
            State::Quarantine(cause) => {
                let why = cause_in_words(*cause).to_owned();
                let until = works.as_ref().map(|until| format!("; it works until {until}")).unwrap_or_default();
                self.add(What::Quarantine, name, format!("'{name}' was set aside: {why}{until}"), again.clone());
                (why, again)
            }
            State::Resting(Resting::InDoubt(doubt))
            | State::Claimed(Resting::InDoubt(doubt))
            | State::Sent(Resting::InDoubt(doubt)) => {
                let until = works.as_ref().map(|until| format!("; it works until {until}")).unwrap_or_default();
                let reason = format!("nobody knows whether '{name}' was renewed ({}){until}", doubt.why);
                let next = match login.pause {
                    Pause::Renewal => resume(name),
                    Pause::None | Pause::All => Some(format!("scorpiox-broker credential refresh {name} --probe")),
                };
                self.add(What::InDoubt, name, reason, next.clone());
                (format!("nobody knows whether it was renewed ({})", doubt.why), next)
            }
            State::Resting(Resting::Idle(_)) | State::Claimed(Resting::Idle(_)) | State::Sent(Resting::Idle(_))
                if login.pause == Pause::Renewal =>
            {
                if let Some(until) = works.as_ref().filter(|_| self.is_late(login)) {
                    let reason =
                        format!("'{name}' works until {until} and is not renewed: an administrator paused that");
                    self.add(What::RenewalPaused, name, reason, resume(name));
                }
                ("an administrator paused its renewal".to_owned(), resume(name))
            }
            State::Resting(Resting::Idle(_)) | State::Claimed(Resting::Idle(_)) | State::Sent(Resting::Idle(_)) => {
                let Some((why, next)) = self.hindrance(login) else { return };
                if let Some(until) = works.as_ref().filter(|_| self.is_late(login)) {
                    let reason = format!("'{name}' works until {until} and could not be renewed so far: {why}");
                    self.add(What::RenewalFailing, name, reason, next.clone());
                }
                (why, next)
            }
        };
        if works.is_none() {
            self.add(What::LoginEnded, name, format!("nobody gets a token of '{name}' any more: {why}"), next);
        }
    }

    /// Why a login with which nothing is wrong is not renewed in time, and the command that helps. One that is due and
    /// about to be renewed, as after a start, has none.
    fn hindrance(&self, login: &Login) -> Option<(String, Option<String>)> {
        if let Some(reason) = self.fence {
            return Some((reason.to_owned(), Some("scorpiox-broker promote".to_owned())));
        }
        let (_, until) = login.life?;
        let held = || {
            let moment = login.not_before.filter(|moment| *moment >= until && *moment > self.now)?;
            Some(format!("it may not be renewed before {}", self.local.told(moment, self.now)))
        };
        let why = login.failing.clone().or_else(held)?;
        Some((why, Some(format!("scorpiox-broker credential show {}", login.name.as_str()))))
    }

    /// Until when the token works, in words; none when it does not.
    fn works(&self, login: &Login) -> Option<String> {
        let (_, until) = login.life?;
        (until > self.now).then(|| self.local.told(until, self.now))
    }

    /// The last quarter of the token's life has begun. Renewals begin at its half.
    fn is_late(&self, login: &Login) -> bool {
        login.life.is_some_and(|(from, until)| self.now.since(from) >= until.since(from) * 3 / 4)
    }
}

/// The command that lets a login be renewed again.
fn resume(name: &str) -> Option<String> {
    Some(format!("scorpiox-broker credential resume {name}"))
}

#[cfg(test)]
#[path = "alarm_tests.rs"]
mod tests;

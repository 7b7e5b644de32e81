//! Looking into the provider's books, and changing what they say: for tests and the control API.

use super::Oracle;
use crate::fault::Endpoint;
use crate::judgement::{self, Counter};
use crate::ledger::{AccessRefusal, Tokens};
use crate::log::LogEntry;
use crate::serial::Serial;

impl Oracle {
    /// Whether a bearer token is good now, and which it is.
    pub fn check_access(&self, access_token: &str, now: i64) -> Result<Serial, AccessRefusal> {
        self.ledger.check_access(access_token, now)
    }

    /// Refuses the access token of this generation from now on. False if there is no such generation.
    pub fn refuse_access(&mut self, serial: Serial) -> bool {
        self.ledger.refuse_access(serial)
    }

    /// Ends a login: from now on each of its refresh tokens is `refresh_token_invalidated`.
    pub fn end_family(&mut self, family: u32) -> bool {
        self.ledger.end_family(family)
    }

    /// Ends the login that a token (refresh or access) belongs to, as a logout does. False if it is not one of ours.
    pub fn revoke(&mut self, token: &str) -> bool {
        let serial = self.ledger.refresh_serial(token).or_else(|| self.ledger.access_serial(token));
        serial.is_some_and(|serial| self.ledger.end_family(serial.family))
    }

    /// The tokens of a generation, as they were issued.
    pub fn tokens(&self, serial: Serial) -> Option<&Tokens> {
        self.ledger.tokens(serial)
    }

    /// The newest generation of each login that is alive.
    pub fn newest(&self) -> Vec<Serial> {
        self.ledger.newest()
    }

    /// Whether the refresh token of this generation has been redeemed or burned.
    pub fn is_redeemed(&self, serial: Serial) -> bool {
        self.ledger.is_redeemed(serial)
    }

    /// Every token ever issued: what must not be found anywhere else.
    pub fn secrets(&self) -> Vec<String> {
        self.ledger.secrets()
    }

    /// Whether a login is alive: it was not ended by reuse, revocation or a test.
    pub fn is_alive(&self, family: u32) -> bool {
        self.ledger.is_alive(family)
    }

    /// Everything that was received, oldest first.
    pub fn log(&self) -> &[LogEntry] {
        self.log.entries()
    }

    /// The redemptions among it.
    pub fn refreshes(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.entries().iter().filter(|entry| entry.endpoint == Endpoint::Refresh)
    }

    /// How many redemptions were asked for.
    pub fn refresh_count(&self) -> usize {
        self.refreshes().count()
    }

    /// The redemptions that took place and whose client was never told: the only ones that may cost a login.
    pub fn lost_redemptions(&self) -> impl Iterator<Item = &LogEntry> {
        self.refreshes().filter(|entry| entry.consumed && entry.ended.is_some() && !entry.settled())
    }

    /// How each refresh token fared that was ever presented.
    pub fn counters(&self) -> Vec<Counter> {
        judgement::counters(self.log())
    }

    /// How this refresh token fared.
    pub fn counter(&self, serial: Serial) -> Option<Counter> {
        self.counters().into_iter().find(|counter| counter.token.serial() == Some(serial))
    }

    /// What a careful client would not have done. See [`judgement::violations`].
    pub fn violations(&self) -> Vec<String> {
        judgement::violations(self.log())
    }
}

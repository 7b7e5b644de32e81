//! The provider without its sockets: takes a request, meets it with a fault or an answer, and writes everything down.
//!
//! A request passes three steps, so that a caller can let others happen in between:
//!
//! ```text
//! begin(request)  it was received        log entry begins, the next fault is taken
//! answer(&begun)  it is decided          tokens are redeemed here, or not
//! finish(id)      its answer has gone    log entry ends: delivered, cut, client gone, lost
//! ```

use crate::account::Account;
use crate::answer::{self, Answer, Reply};
use crate::authorization::Authorizations;
use crate::fault::{Endpoint, Fault};
use crate::ledger::{Ledger, Tokens};
use crate::log::{EntryId, Fate, Log, LogEntry, Told};
use crate::request::Request;
use crate::script::Script;
use crate::serial::TokenRef;
use crate::settings::Settings;
use crate::{backend, distort, oauth};

mod books;

/// The provider's state. Cheap to make; the same seed and the same calls give the same tokens.
#[derive(Debug)]
pub struct Oracle {
    pub(crate) settings: Settings,
    pub(crate) ledger: Ledger,
    pub(crate) authorizations: Authorizations,
    pub(crate) scripts: Vec<Script>,
    faults: Vec<Fault>,
    log: Log,
}

/// A request that has been received and not answered.
#[derive(Debug, Clone)]
#[must_use = "a request that is never finished stays in flight"]
pub struct Begun {
    /// Its entry in the log.
    pub id: EntryId,
    /// The fault that it met. Its delay and hold are the caller's to perform; the rest is in the reply.
    pub fault: Option<Fault>,
    request: Request,
}

impl Oracle {
    /// A provider without logins.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            ledger: Ledger::new(seed),
            authorizations: Authorizations::default(),
            scripts: Vec::new(),
            faults: Vec::new(),
            log: Log::default(),
        }
    }

    /// A new login, without any ceremony: a new family.
    pub fn login(&mut self, account: &Account, now: i64) -> Tokens {
        self.ledger.login(account, &self.settings, now)
    }

    /// A redemption in one step, with the next fault if there is one; a delay or hold does not take time.
    pub fn redeem(&mut self, refresh_token: &str, now: i64) -> Reply {
        self.exchange(Request::refresh(refresh_token), now)
    }

    /// Begins a redemption. See [`Oracle::begin`].
    pub fn present(&mut self, refresh_token: &str, now: i64) -> Begun {
        self.begin(Request::refresh(refresh_token), now)
    }

    /// A request in one step.
    pub fn exchange(&mut self, request: Request, now: i64) -> Reply {
        let begun = self.begin(request, now);
        let reply = self.answer(&begun, now);
        let fate = if reply.whole().is_some() { Fate::Delivered } else { Fate::Cut };
        self.finish(begun.id, fate, now);
        reply
    }

    /// First step: a request was received.
    pub fn begin(&mut self, request: Request, now: i64) -> Begun {
        let endpoint = request.endpoint();
        let fault = self.take_fault(endpoint);
        // A token for revocation is called just `token`.
        let refresh_token = request.field("refresh_token").map(|token| self.name_refresh_token(token));
        let access_token = request.bearer().map(|token| self.name_access_token(token));
        let entry = self.log.begin(endpoint, format!("{} {}", request.method(), request.path()), now);
        entry.received = request.harmless();
        entry.refresh_token = refresh_token;
        entry.access_token = access_token;
        entry.fault = fault.as_ref().map(|fault| fault.how.clone());
        if endpoint == Endpoint::Responses {
            entry.conversation = request.json().cloned();
            entry.headers = request.headers_without_secrets();
        }
        Begun { id: entry.id, fault, request }
    }

    /// Second step: decides it.
    pub fn answer(&mut self, begun: &Begun, now: i64) -> Reply {
        let carries_out = begun.fault.as_ref().is_none_or(Fault::carries_out);
        let true_answer = carries_out.then(|| self.true_answer(begun, now));
        let reply = distort::reply(true_answer, begun.fault.as_ref());
        let entry = self.log.get_mut(begun.id).expect("the entry of a request that was begun");
        if carries_out || reply.whole().is_some() {
            entry.status = Some(reply.answer.status);
            entry.code = reply.answer.code();
        }
        entry.told = distort::told(&reply, begun.fault.as_ref(), entry);
        reply
    }

    fn true_answer(&mut self, begun: &Begun, now: i64) -> Answer {
        let request = &begun.request;
        match request.endpoint() {
            Endpoint::Refresh => self.redemption(begun, now),
            Endpoint::CodeExchange => {
                let (answer, granted) = oauth::exchange_code(self, request, now);
                self.entry(begun.id).granted = granted;
                answer
            }
            Endpoint::Authorize => oauth::authorize(self, request, now),
            Endpoint::Revoke => oauth::revoke(self, request),
            Endpoint::DeviceCode => oauth::device_code(self, request, now),
            Endpoint::DevicePoll => oauth::device_poll(self, request, now),
            Endpoint::DevicePage => oauth::device_page(self, request),
            Endpoint::Models => backend::models(self, request, now),
            Endpoint::Responses => backend::responses(self, request, now),
            Endpoint::Usage => backend::usage(self, request, now),
            Endpoint::Elsewhere => Answer::error(404, "not_found", "there is nothing here"),
        }
    }

    fn redemption(&mut self, begun: &Begun, now: i64) -> Answer {
        let twists = begun.fault.as_ref().map_or(&[][..], Fault::twists);
        let redemption = oauth::redeem(self, &begun.request, twists, now);
        let entry = self.entry(begun.id);
        entry.granted = redemption.granted;
        entry.consumed = redemption.consumed;
        entry.too_early = redemption.too_early;
        redemption.answer
    }

    fn entry(&mut self, id: EntryId) -> &mut LogEntry {
        self.log.get_mut(id).expect("the entry of a request that was begun")
    }

    /// Third step: says what became of the answer. Only the first call for an entry counts.
    pub fn finish(&mut self, id: EntryId, fate: Fate, now: i64) {
        self.log.end(id, fate, now);
    }

    /// Says that the client of this entry never got to keep the answer, although it was sent: it was killed first. One
    /// more presentation of the same token is then no violation.
    pub fn mark_lost(&mut self, id: EntryId) {
        if let Some(entry) = self.log.get_mut(id) {
            entry.fate = Fate::Lost;
        }
    }

    /// [`Oracle::mark_lost`] for the latest redemption; `None` if there was none.
    pub fn mark_last_refresh_lost(&mut self) -> Option<EntryId> {
        let id = self.log.entries().iter().rev().find(|entry| entry.endpoint == Endpoint::Refresh)?.id;
        self.mark_lost(id);
        Some(id)
    }

    /// How it behaves.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How it behaves, to be changed. Tokens that exist keep their life.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Adds a fault behind those that wait.
    pub fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The faults that have not been used up.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Forgets them.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    fn take_fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let at = self.faults.iter().position(|fault| fault.endpoint == endpoint && fault.times > 0)?;
        let fault = &mut self.faults[at];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let taken = fault.clone();
        fault.times -= 1;
        if fault.times == 0 {
            self.faults.remove(at);
        }
        Some(taken)
    }

    /// Adds an answer of the model. Each is played once; when none is left, the model says a friendly sentence.
    pub fn script(&mut self, script: Script) {
        self.scripts.push(script);
    }

    /// Approves the device code with this user code, or all that wait; how many.
    pub fn approve_devices(&mut self, user_code: Option<&str>) -> usize {
        self.authorizations.approve_devices(user_code)
    }

    fn name_refresh_token(&self, token: &str) -> TokenRef {
        self.ledger.refresh_serial(token).map_or_else(|| TokenRef::unknown(token), TokenRef::Issued)
    }

    fn name_access_token(&self, token: &str) -> TokenRef {
        self.ledger.access_serial(token).map_or_else(|| TokenRef::unknown(token), TokenRef::Issued)
    }
}

/// What a whole, undistorted answer to a redemption says.
pub(crate) fn told_truthfully(answer: &Answer, entry: &LogEntry) -> Told {
    match answer.code() {
        Some(code) if (400..500).contains(&answer.status) && answer::is_terminal(&code) => Told::Ended,
        _ if entry.consumed => Told::Redeemed,
        _ => Told::Nothing,
    }
}

//! A person logs in at the provider: the attempt lives here, the person's browser elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scorpiox_wire::admin::{LoginCallback, LoginFlow, LoginRequest, LoginState, LoginView};
use scorpiox_wire::{Code, Problem};

use super::enrolment::random;
use super::{Administrator, Registrar};
use crate::clock::Timestamp;
use crate::domain::credential::{CredentialId, Name};
use crate::provider::login::{
    AuthorizationCode, BrowserLogin, Callback, DEVICE_CODE_LIFE, DeviceCode, LoginError, Poll,
};

/// So many attempts may be open at once; an administrator who needs more has a script that runs wild.
const OPEN: usize = 32;
/// So many are remembered, whether open or ended.
const KNOWN: usize = 8 * OPEN;
/// An attempt that has ended can be asked about for so long.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// Attempts to log in.
#[derive(Default)]
pub struct Logins(Mutex<HashMap<String, Login>>);

struct Login {
    request: LoginRequest,
    view: LoginView,
    stage: Stage,
}

/// Who does the next step.
enum Stage {
    /// The person, on any device.
    Device,
    /// The person, in the browser that was sent away.
    Browser(BrowserLogin),
    /// The broker: the person is done. What the provider gives now is kept.
    Saving,
}

impl Login {
    fn is_open(&self, now: Timestamp) -> bool {
        matches!(self.view.state, LoginState::Pending) && now < Timestamp::from_unix(self.view.expires_at)
    }
}

impl Logins {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Login>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, login: Login, now: Timestamp) -> Result<LoginView, Problem> {
        let mut all = self.all();
        all.retain(|_, known| now < Timestamp::from_unix(known.view.expires_at) + REMEMBERED);
        if all.values().filter(|known| known.is_open(now)).count() >= OPEN {
            return Err(Problem::new(Code::TooMany, "too many logins are under way").with_hint("wait until they end"));
        }
        if all.len() >= KNOWN {
            let ended = all.values().filter(|known| !known.is_open(now));
            let oldest = ended.min_by_key(|known| known.view.expires_at).map(|known| known.view.id.clone());
            oldest.map(|id| all.remove(&id));
        }
        let view = login.view.clone();
        all.insert(view.id.clone(), login);
        Ok(view)
    }

    fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        let all = self.all();
        let open = all.values().filter(|known| known.is_open(now));
        open.map(|known| Timestamp::from_unix(known.view.expires_at)).min()
    }

    fn end(&self, id: &str, state: LoginState) {
        if let Some(login) = self.all().get_mut(id) {
            login.view.state = state;
        }
    }

    /// From here on it is not cancelled any more; false when it was.
    fn begin_saving(&self, id: &str) -> bool {
        let mut all = self.all();
        let login = all.get_mut(id).filter(|login| matches!(login.view.state, LoginState::Pending));
        login.map(|login| login.stage = Stage::Saving).is_some()
    }

    /// Takes out what may be forgotten.
    fn cancel(&self, id: &str) -> Result<Login, Problem> {
        let mut all = self.all();
        let login = all.get(id).ok_or_else(no_login)?;
        if let (Stage::Saving, LoginState::Pending) = (&login.stage, &login.view.state) {
            return Err(Problem::new(
                Code::Conflict,
                "the person has logged in already: the login is being saved and cannot be cancelled any more",
            )
            .with_hint(format!("scorpiox-broker credential show {}", login.request.name)));
        }
        all.remove(id).ok_or_else(no_login)
    }

    fn is_pending(&self, id: &str) -> bool {
        self.all().get(id).is_some_and(|login| matches!(login.view.state, LoginState::Pending))
    }
}

impl Registrar {
    /// Begins a login. The device flow then goes on by itself; the browser flow waits for its callback.
    pub async fn begin_login(
        self: &Arc<Self>,
        by: &Administrator,
        request: LoginRequest,
    ) -> Result<LoginView, Problem> {
        Name::parse(&request.name).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
        let object = format!("credential:{}", request.name);
        let (flow, begun) = match request.flow.clone() {
            LoginFlow::Device => ("device", self.begin_device(by, request).await),
            LoginFlow::Browser { redirect_uri } => ("browser", self.begin_browser(request, &redirect_uri)),
        };
        let outcome = begun.as_ref().err().map_or("ok", |problem| problem.code.as_str());
        self.note(by, "login.begin", &object, outcome, flow).await;
        begun
    }

    /// Remembers how a login ended. One that was good is in the audit already, as the credential's.
    async fn end_login(&self, by: &Administrator, name: &str, id: &str, state: LoginState) {
        if let LoginState::Failed { problem } = &state {
            let object = format!("credential:{name}");
            self.note(by, "login.end", &object, problem.code.as_str(), &problem.message).await;
        }
        self.logins.end(id, state);
    }

    /// When the next of those that are open is over, if nobody finishes one before.
    pub fn until_a_login_ends(&self) -> Duration {
        let now = self.now();
        self.logins.next_end(now).map_or(Duration::from_secs(1), |end| end.since(now))
    }

    /// How a login stands.
    pub fn login(&self, id: &str) -> Result<LoginView, Problem> {
        self.logins.all().get(id).map(|login| login.view.clone()).ok_or_else(no_login)
    }

    /// Forgets an attempt that nobody waits for any more; one that waits for its person ends. One whose person is done
    /// is saved all the same, and the answer says so: what was redeemed would be lost otherwise.
    pub async fn cancel_login(&self, by: &Administrator, id: &str) -> Result<LoginView, Problem> {
        let Login { request, view, .. } = self.logins.cancel(id)?;
        self.note(by, "login.cancel", &format!("credential:{}", request.name), "ok", "").await;
        Ok(view)
    }

    /// The browser came back.
    pub async fn login_callback(
        self: &Arc<Self>,
        by: &Administrator,
        id: &str,
        callback: LoginCallback,
    ) -> Result<LoginView, Problem> {
        let (request, browser) = {
            let mut all = self.logins.all();
            let login = all.get_mut(id).ok_or_else(no_login)?;
            // Taken: a code that was tried once is spent, whatever came of it.
            match std::mem::replace(&mut login.stage, Stage::Saving) {
                Stage::Browser(browser) => (login.request.clone(), browser),
                other => {
                    login.stage = other;
                    let problem = Problem::new(Code::Conflict, "this login does not wait for a browser");
                    return Err(problem.with_hint("begin a new one"));
                }
            }
        };
        let callback = Callback { outcome: Ok(callback.code), state: callback.state };
        let (registrar, by, own_id) = (Arc::clone(self), by.clone(), id.to_owned());
        // In a task of its own: what is redeemed is saved, whether or not whoever asked has hung up.
        let finishing = self.rotator.runtime().spawn(async move {
            let state = match browser.accept(callback) {
                Ok(code) => registrar.finish(&by, &request, &code).await,
                Err(error) => failed(&error),
            };
            registrar.end_login(&by, &request.name, &own_id, state).await;
        });
        if finishing.await.is_err() {
            return Err(Problem::new(Code::Internal, "a bug stopped this login").with_hint("begin a new one"));
        }
        self.login(id)
    }

    async fn begin_device(self: &Arc<Self>, by: &Administrator, request: LoginRequest) -> Result<LoginView, Problem> {
        let device = self.provider.start_device().await.map_err(|error| problem(&error))?;
        let now = self.now();
        let view = LoginView {
            id: id(),
            url: device.verification_url.clone(),
            user_code: Some(device.user_code.clone()),
            expires_at: (now + device.expires_in).as_unix(),
            interval: device.interval.as_secs().max(1),
            state: LoginState::Pending,
        };
        let view = self.logins.open(Login { request: request.clone(), view, stage: Stage::Device }, now)?;
        let (registrar, by, id) = (Arc::clone(self), by.clone(), view.id.clone());
        let until = Timestamp::from_unix(view.expires_at);
        self.rotator.runtime().spawn(async move {
            let state = registrar.poll(&by, &request, &device, until, &id).await;
            registrar.end_login(&by, &request.name, &id, state).await;
        });
        Ok(view)
    }

    fn begin_browser(&self, request: LoginRequest, redirect_uri: &str) -> Result<LoginView, Problem> {
        let browser = self.provider.authorize_url(redirect_uri).map_err(|error| problem(&error))?;
        let now = self.now();
        let view = LoginView {
            id: id(),
            url: browser.url.clone(),
            user_code: None,
            expires_at: (now + DEVICE_CODE_LIFE).as_unix(),
            interval: 1,
            state: LoginState::Pending,
        };
        self.logins.open(Login { request, view, stage: Stage::Browser(browser) }, now)
    }

    /// Asks until the person is done, or their time is up.
    async fn poll(
        &self,
        by: &Administrator,
        request: &LoginRequest,
        device: &DeviceCode,
        until: Timestamp,
        id: &str,
    ) -> LoginState {
        let mut interval = device.interval;
        loop {
            self.parts().timeline.sleep(interval).await;
            if self.now() >= until {
                let problem = Problem::new(Code::RequestTimeout, "nobody typed the code within 15 minutes");
                return LoginState::Failed { problem: problem.with_hint("begin a new login") };
            }
            // A code that is not redeemed ends by itself.
            if !self.logins.is_pending(id) {
                return LoginState::Failed { problem: cancelled() };
            }
            match self.provider.poll_device(device).await {
                Ok(Poll::Ready(code)) if self.logins.begin_saving(id) => {
                    return self.finish(by, request, &code).await;
                }
                Ok(Poll::Ready(_)) => return LoginState::Failed { problem: cancelled() },
                Ok(Poll::SlowDown) => interval += Duration::from_secs(5),
                Ok(Poll::Pending) | Err(LoginError::Unreachable(_)) => {}
                Err(error) => return failed(&error),
            }
        }
    }

    async fn finish(&self, by: &Administrator, request: &LoginRequest, code: &AuthorizationCode) -> LoginState {
        let grant = match self.provider.exchange(code).await {
            Ok(grant) => grant,
            Err(error) => return failed(&error),
        };
        match self.enrol(by, "credential.login", &request.name, &grant, request.replace_account.into()).await {
            Ok(credential) => LoginState::Done { credential: Box::new(credential) },
            Err(problem) => LoginState::Failed { problem },
        }
    }
}

fn id() -> String {
    CredentialId::from_random(random()).as_str().to_owned()
}

fn cancelled() -> Problem {
    Problem::new(Code::Conflict, "an administrator cancelled this login").with_hint("begin a new login")
}

fn no_login() -> Problem {
    Problem::new(Code::NotFound, "there is no such login under way").with_hint("scorpiox-broker login")
}

fn failed(error: &LoginError) -> LoginState {
    LoginState::Failed { problem: problem(error) }
}

pub(super) fn problem(error: &LoginError) -> Problem {
    let code = match error {
        LoginError::Unreachable(_) | LoginError::Failing(_) | LoginError::ChallengePage | LoginError::Unreadable(_) => {
            Code::Unavailable
        }
        LoginError::DeviceLoginDisabled
        | LoginError::Declined
        | LoginError::NoEntitlement
        | LoginError::WrongState
        | LoginError::NotACallback
        | LoginError::BadRedirect
        | LoginError::CodeRefused(_)
        | LoginError::Refused(_)
        | LoginError::Incomplete(_) => Code::BadRequest,
    };
    Problem::new(code, error.to_string())
}

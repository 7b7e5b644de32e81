//! Logging in with a password, over the network.

use std::net::IpAddr;
use std::time::Duration;

use scorpiox_wire::admin::{SessionAnswer, SessionEnded, SessionRequest};
use scorpiox_wire::{Code, Problem};

use super::denials::UNKNOWN;
use super::{Administrator, Registrar, storage};
use crate::administrators::{Administrators, Issued, LoginFailed, Recognised, Stranger};
use crate::domain::login_throttle::TooManyFailures;
use crate::domain::told_refusals::Refused;

/// How long whoever meets a full pool should wait.
const POOL_WAIT: Duration = Duration::from_secs(2);

/// Who wants to log in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The request id in the log.
    pub request_id: String,
    /// The address, for the audit.
    pub address: String,
    /// What its failures are counted under.
    pub counted_as: Option<IpAddr>,
}

/// A login that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRefused {
    /// What the visitor is told.
    pub problem: Problem,
    /// When to come again.
    pub retry_after: Option<Duration>,
}

impl Registrar {
    /// Recognises an admin key or a session's token.
    pub fn recognise(&self, presented: &str) -> Result<Recognised, Stranger> {
        self.administrators.recognise(presented)
    }

    /// Compares the password and begins a session.
    pub async fn log_in(&self, visitor: &Visitor, request: SessionRequest) -> Result<SessionAnswer, LoginRefused> {
        let SessionRequest { name, password } = request;
        match self.administrators.log_in(&name, password, visitor.counted_as).await {
            Ok(issued) => {
                let by = visitor.as_administrator(&name, &issued);
                let detail = format!("session:{}", issued.claims.sid);
                self.note(&by, "admin.login", &by.actor, "ok", &detail).await;
                Ok(self.answer(issued))
            }
            Err(failed) => {
                let known = is_known(&failed, &self.administrators, &name);
                let refused = refused(&failed);
                self.note_refused(visitor, if known { &name } else { UNKNOWN }, refused.problem.code);
                Err(refused)
            }
        }
    }

    /// The session's next token.
    pub async fn renew_session(&self, by: &Administrator) -> Result<SessionAnswer, Problem> {
        let session = by.session.as_ref().ok_or_else(no_session)?;
        let issued = self.administrators.renew(session, by.scopes.clone()).await;
        Ok(self.answer(issued.map_err(|error| storage(&error))?))
    }

    /// Ends the session that asks.
    pub async fn end_session(&self, by: &Administrator) -> Result<SessionEnded, Problem> {
        let session = by.session.as_ref().ok_or_else(no_session)?;
        self.administrators.end_session(session).await.map_err(|error| storage(&error))?;
        self.note(by, "admin.logout", &by.actor, "ok", &format!("session:{}", session.sid)).await;
        Ok(SessionEnded { actor: by.actor.clone(), ended_at: self.now().as_unix() })
    }

    fn note_refused(&self, visitor: &Visitor, name: &str, code: Code) {
        let Visitor { request_id, address, counted_as: _ } = visitor.clone();
        let (actor, object) = (format!("admin:{name}"), format!("admin:{name}"));
        self.note_refused_login(name, Refused { actor, object, outcome: code.as_str(), request_id, address });
    }

    fn answer(&self, issued: Issued) -> SessionAnswer {
        let Issued { token, claims, scopes } = issued;
        SessionAnswer {
            token,
            expires_at: claims.exp,
            expires_in: u64::try_from(claims.exp - claims.iat).unwrap_or(0),
            renewable_until: claims.renewable_until().as_unix(),
            scopes: scopes.to_vec(),
        }
    }
}

impl Visitor {
    fn as_administrator(&self, name: &str, issued: &Issued) -> Administrator {
        Administrator {
            actor: format!("admin:{name}"),
            identity: issued.claims.sub.clone(),
            request_id: self.request_id.clone(),
            address: self.address.clone(),
            scopes: issued.scopes.clone(),
            session: None,
            noted: super::Noted::default(),
        }
    }
}

fn is_known(failed: &LoginFailed, administrators: &Administrators, name: &str) -> bool {
    match failed {
        LoginFailed::Wrong { is_known } => *is_known,
        LoginFailed::TooMany(_) | LoginFailed::Busy(_) | LoginFailed::Store(_) => {
            administrators.account(name).is_some()
        }
    }
}

fn refused(failed: &LoginFailed) -> LoginRefused {
    let told = |code, message: String| Problem::new(code, message);
    match failed {
        LoginFailed::Wrong { is_known: _ } => LoginRefused {
            problem: told(Code::Unauthorized, "no administrator has this name and this password".to_owned())
                .with_hint("on the broker's machine: scorpiox-broker admin password NAME"),
            retry_after: None,
        },
        LoginFailed::TooMany(TooManyFailures(wait)) => LoginRefused {
            problem: told(Code::TooMany, "too many failed logins of this name or from this address".to_owned())
                .with_hint(format!("wait {} s; on the broker's machine no password is needed", wait.as_secs() + 1)),
            retry_after: Some(*wait),
        },
        LoginFailed::Busy(busy) => LoginRefused {
            problem: told(Code::Busy, busy.to_string()).with_hint("try again in a few seconds"),
            retry_after: Some(POOL_WAIT),
        },
        LoginFailed::Store(error) => LoginRefused { problem: storage(error), retry_after: None },
    }
}

fn no_session() -> Problem {
    Problem::new(Code::Conflict, "this request is not part of a session").with_hint("POST /admin/v1/session begins one")
}

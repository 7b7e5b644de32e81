//! A stand-in for the OAuth server and model backend behind a Codex login, with faults on demand.
//!
//! It does what the real servers do to a careless client: a refresh token can be redeemed once, redeeming it again ends
//! the login, and the access token before a rotation may be refused soon after it. And it keeps a log that proves what
//! a client did. It is a library for tests, in two layers, and the program `fake-provider`.
//!
//! * [`Oracle`] is the provider without sockets and clock: `now` is an argument, and equal seeds give equal tokens.
//!   Ten thousand simulated schedules can use ten thousand of them.
//! * [`FakeProvider`] puts one behind HTTP on a thread of its own, with a control API for other processes.
//!
//! ```
//! use fake_provider::{Account, FakeProvider, Fault, How, Settings};
//!
//! let provider = FakeProvider::start(Settings::default());
//! let login = provider.login(&Account::numbered(1));
//! provider.fault(Fault::refresh(How::CutAfter { reset: false, body_bytes: None }));
//! // … a client redeems `login.refresh_token` at `provider.token_url()` and never sees the answer …
//! assert_eq!(provider.refresh_count(), 0);
//! assert!(provider.violations().is_empty());
//! ```
//!
//! Without a socket:
//!
//! ```
//! use fake_provider::{Account, Fate, Oracle, Settings};
//!
//! let mut oracle = Oracle::new(Settings::default(), 7);
//! let login = oracle.login(&Account::default(), 1_000);
//! let begun = oracle.present(login.refresh_token.as_deref().unwrap(), 1_010);
//! let reply = oracle.answer(&begun, 1_011);
//! oracle.finish(begun.id, Fate::Delivered, 1_012);
//! assert_eq!(reply.whole().unwrap().status, 200);
//! ```
//!
//! Endpoints: `/oauth/token` (JSON and form), `/oauth/authorize`, `/oauth/revoke`, `/api/accounts/deviceauth/usercode`
//! and `…/token`, the page `/codex/device`, `/backend-api/codex/models`, `/backend-api/codex/responses`,
//! `/backend-api/wham/usage`. Controls under `/_control/`: see `fake-provider --help`.
//!
//! Files in dependency order:
//!
//! * [`account`], [`settings`]: whose login; how the provider behaves when nothing goes wrong.
//! * [`serial`]: names for tokens that are not the tokens: family 2, generation 5.
//! * `random`, [`jwt`]: reproducible secrets; tokens that look right, or wrong on request.
//! * [`fault`]: what can go wrong, one type for the library and the control API.
//! * [`script`], [`catalog`]: what the model says; which models there are.
//! * [`request`], [`answer`]: what came in; what goes out, and how.
//! * `ledger`, `authorization`: which tokens are worth what; logins that are on their way.
//! * [`log`], [`judgement`]: what happened, in order; what a careful client would not have done.
//! * [`oracle`], with `oauth`, `backend` and `distort`: request → answer → what a fault makes of it; `oracle/books`
//!   looks it all up.
//! * `auth_file`, `clock`: the stock client's file; the machine's clock, moved.
//! * [`server`]: sockets, TLS, holds, cuts and drips; the control API.

pub mod account;
pub mod answer;
mod auth_file;
mod authorization;
mod backend;
pub mod catalog;
mod clock;
mod distort;
pub mod fault;
pub mod judgement;
pub mod jwt;
mod ledger;
pub mod log;
mod oauth;
pub mod oracle;
mod random;
pub mod request;
pub mod script;
pub mod serial;
pub mod server;
pub mod settings;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use answer::{Answer, Delivery, Reply};
pub use fault::{Endpoint, Fault, Hold, How, Twist};
pub use judgement::Counter;
pub use jwt::OddJwt;
pub use ledger::{AccessRefusal, Tokens};
pub use log::{EntryId, Fate, LogEntry, Told};
pub use oracle::{Begun, Oracle};
pub use script::{Script, Step};
pub use serial::{Serial, TokenRef};
pub use server::{Certificate, ConnectionFault, FakeProvider, Listening};
pub use settings::{Approval, RefreshReuse, Settings};

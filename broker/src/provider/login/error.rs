//! What a login can end with, in words that tell the next step.

use crate::provider::dial::CallFailed;

/// Why there is no login. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The provider could not be asked. The same step may be tried again, except for an exchange.
    #[error("the provider did not answer ({0}); check network and proxy, then try again")]
    Unreachable(#[from] CallFailed),
    /// This server has no device login.
    #[error(
        "device login is not enabled: switch it on in ChatGPT under Settings > Security (or ask your workspace's \
         admin), or log in with --browser"
    )]
    DeviceLoginDisabled,
    /// A page for people where an answer should be: something in front of the provider keeps this machine out.
    #[error(
        "the provider answered with a web page: something in front of it does not like this machine's network; try \
         from another network or through a proxy"
    )]
    ChallengePage,
    /// The person, or their workspace, said no.
    #[error("the login was declined on the provider's page; start again when you are ready")]
    Declined,
    /// `missing_codex_entitlement`.
    #[error("this workspace has no access to Codex: choose another workspace, or ask its admin to enable Codex")]
    NoEntitlement,
    /// What came back belongs to another attempt, or was forged.
    #[error("what the browser brought back belongs to another login attempt; start again and use the newest page")]
    WrongState,
    /// What was pasted is no redirect.
    #[error("this is not the address the browser ended at; it looks like http://localhost:1455/auth/callback?code=…")]
    NotACallback,
    /// The browser would be sent somewhere else than to the person's own machine.
    #[error("the redirect URI must be on this machine, like http://localhost:1455/auth/callback")]
    BadRedirect,
    /// The code was not accepted.
    #[error("the provider did not accept the login code ({0}): it was used before or is too old; start again")]
    CodeRefused(String),
    /// It said no for a reason that no step of ours explains.
    #[error("the provider refused the login ({0}); start again, and look at its status page if that does not help")]
    Refused(String),
    /// It could not do it at this moment.
    #[error(
        "the provider could not do it now ({0}); try again later, and look at its status page if that does not help"
    )]
    Failing(String),
    /// The answer lacks something.
    #[error("the provider's answer has no {0}, so this would be no usable login; start again")]
    Incomplete(&'static str),
    /// The answer makes no sense.
    #[error("the provider's answer cannot be read ({0}); is the issuer the right one?")]
    Unreadable(String),
}

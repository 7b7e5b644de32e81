//! The login server: what is said to it, and what its answers mean.
//!
//! * [`server`]: where it is. * [`call`]: one POST to it, bounded in time and size, with what is known when it fails.
//! * [`answer`]: tokens, a refusal, or nothing that settles anything; pure.
//! * [`refresh`]: the redemption of a refresh token. * [`revoke`]: the end of one.
//! * [`device`], [`browser`]: how a person logs in. * [`exchange`]: the code that they bring becomes a login.

pub mod answer;
pub mod browser;
pub mod call;
pub mod device;
pub mod exchange;
pub mod refresh;
pub mod revoke;
pub mod server;

use scorpiox_wire::Secret;

/// The public client id of the stock Codex CLI.
pub const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// Who the stock Codex CLI says it is.
pub const ORIGINATOR: &str = "codex_cli_rs";

/// What a person's consent is worth: exchanged once, for a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The code.
    pub code: Secret,
    /// The PKCE verifier that belongs to it (RFC 7636).
    pub verifier: Secret,
    /// Exactly the one with which the code was obtained.
    pub redirect_uri: String,
}

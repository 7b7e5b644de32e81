//! Where the doors of an OAuth server are.

use super::codex;
use super::dial::{BadEndpoint, Endpoint};

/// An OAuth server of the kind that the stock Codex CLI logs in at, and as whose client we speak to it (*P 2.1*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthServer {
    /// Public client id: `app_EMoamEEZ73f0CkXaXp7hrann`.
    pub client_id: String,
    /// `https://auth.openai.com`, without a slash at its end.
    pub issuer: String,
    /// Redeems refresh tokens and authorization codes.
    pub token: Endpoint,
    /// Ends a login.
    pub revoke: Endpoint,
    /// Begins a device login.
    pub user_code: Endpoint,
    /// Says how a device login stands.
    pub device_token: Endpoint,
}

impl OAuthServer {
    /// The server at this issuer, `https://auth.openai.com`; plain http only on loopback.
    pub fn at(issuer: &str, client_id: &str) -> Result<Self, BadEndpoint> {
        let issuer = issuer.trim().trim_end_matches('/');
        let door = |path: &str| Endpoint::parse(&format!("{issuer}{path}"));
        Ok(Self {
            client_id: client_id.to_owned(),
            issuer: issuer.to_owned(),
            token: door("/oauth/token")?,
            revoke: door("/oauth/revoke")?,
            user_code: door("/api/accounts/deviceauth/usercode")?,
            device_token: door("/api/accounts/deviceauth/token")?,
        })
    }

    /// The server of the stock Codex CLI.
    pub fn stock() -> Self {
        Self::at(codex::ISSUER, codex::CLIENT_ID).expect("the stock issuer is a URL")
    }

    /// The page on which a person types the code of a device login.
    pub fn device_page(&self) -> String {
        format!("{}/codex/device", self.issuer)
    }

    /// The redirect URI with which the code of a device login is redeemed.
    pub(super) fn device_redirect(&self) -> String {
        format!("{}/deviceauth/callback", self.issuer)
    }

    /// The page that a browser login opens.
    pub(super) fn authorize(&self) -> String {
        format!("{}/oauth/authorize", self.issuer)
    }
}

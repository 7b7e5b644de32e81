//! Where the login server is. Its addresses come from the environment or are compiled in, never from a settings file:
//! a refresh token goes there.

use std::ffi::OsString;

use crate::failure::Failure;
use crate::settings::broker_url::BrokerUrl;

/// The login server of the stock Codex CLI.
const ISSUER: &str = "https://auth.openai.com";

/// Addresses of the login server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthServer {
    issuer: BrokerUrl,
    refresh: Option<BrokerUrl>,
    revoke: Option<BrokerUrl>,
}

impl OAuthServer {
    /// The one that the environment names: `CODEX_ISSUER` for everything; `CODEX_REFRESH_TOKEN_URL_OVERRIDE` and
    /// `CODEX_REVOKE_TOKEN_URL_OVERRIDE`, as the stock CLI has them, for one endpoint each.
    pub fn from_environment(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let address = |variable: &str| {
            let Some(text) = environment(variable).filter(|text| !text.is_empty()) else { return Ok(None) };
            let parsed = text.to_str().and_then(|text| BrokerUrl::parse(text).ok());
            let wrong = format!("{variable} (environment): expected an https address, or http on this machine");
            parsed.map(Some).ok_or_else(|| Failure::configuration(wrong))
        };
        let compiled_in = || BrokerUrl::parse(ISSUER).expect("the compiled-in address is one");
        Ok(Self {
            issuer: address("CODEX_ISSUER")?.unwrap_or_else(compiled_in),
            refresh: address("CODEX_REFRESH_TOKEN_URL_OVERRIDE")?,
            revoke: address("CODEX_REVOKE_TOKEN_URL_OVERRIDE")?,
        })
    }

    /// Where refresh tokens are redeemed.
    pub fn refresh(&self) -> BrokerUrl {
        self.refresh.clone().unwrap_or_else(|| self.at("/oauth/token"))
    }

    /// Where codes are exchanged.
    pub fn exchange(&self) -> BrokerUrl {
        self.at("/oauth/token")
    }

    /// Where tokens are revoked: beside the place where they are redeemed.
    pub fn revoke(&self) -> BrokerUrl {
        let beside = || self.refresh.as_ref().map(|refresh| join(refresh, "/oauth/revoke"));
        self.revoke.clone().or_else(beside).unwrap_or_else(|| self.at("/oauth/revoke"))
    }

    /// Where a browser is sent.
    pub fn authorize(&self) -> BrokerUrl {
        self.at("/oauth/authorize")
    }

    /// Where a device login begins.
    pub fn device_code(&self) -> BrokerUrl {
        self.at("/api/accounts/deviceauth/usercode")
    }

    /// Where a device login is asked about.
    pub fn device_poll(&self) -> BrokerUrl {
        self.at("/api/accounts/deviceauth/token")
    }

    /// The page on which a person types the code.
    pub fn device_page(&self) -> BrokerUrl {
        self.at("/codex/device")
    }

    /// The redirect that belongs to a device login; nothing is ever sent there.
    pub fn device_redirect(&self) -> BrokerUrl {
        self.at("/deviceauth/callback")
    }

    fn at(&self, path: &str) -> BrokerUrl {
        join(&self.issuer, path)
    }
}

fn join(base: &BrokerUrl, path: &str) -> BrokerUrl {
    let base = url::Url::parse(base.as_str()).expect("it was parsed before");
    let joined = base.join(path).expect("a path of ours fits behind every host");
    BrokerUrl::parse(joined.as_str()).expect("the same host under the same scheme")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(environment: &[(&str, &str)]) -> Result<OAuthServer, Failure> {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        OAuthServer::from_environment(&lookup)
    }

    #[test]
    fn without_a_word_it_is_the_stock_clients() {
        let server = server(&[("CODEX_ISSUER", "")]).unwrap();
        assert_eq!(server.refresh().as_str(), "https://auth.openai.com/oauth/token");
        assert_eq!(server.revoke().as_str(), "https://auth.openai.com/oauth/revoke");
        assert_eq!(server.device_page().as_str(), "https://auth.openai.com/codex/device");
    }

    #[test]
    fn the_stock_clients_overrides_mean_what_they_mean_there() {
        let overridden = ("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "http://127.0.0.1:7/x/token");
        let issuer = ("CODEX_ISSUER", "https://issuer.example/");
        let server = server(&[overridden, issuer]).unwrap();
        assert_eq!(server.refresh().as_str(), "http://127.0.0.1:7/x/token");
        assert_eq!(server.revoke().as_str(), "http://127.0.0.1:7/oauth/revoke");
        assert_eq!(server.exchange().as_str(), "https://issuer.example/oauth/token");
    }

    #[test]
    fn a_refresh_token_never_travels_in_the_clear() {
        for text in ["http://auth.example/oauth/token", "ftp://x", "auth.example", "https://user@auth.example/"] {
            for variable in ["CODEX_ISSUER", "CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"] {
                assert_eq!(server(&[(variable, text)]).unwrap_err().class.exit_code(), 78, "{variable}={text}");
            }
        }
    }
}

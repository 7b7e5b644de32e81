//! Where the backend is: OpenAI's, unless the environment names another.
//!
//! No settings file may say so: whoever decides this is sent the access token.

use std::ffi::OsString;

use crate::failure::Failure;
use crate::settings::broker_url::{BrokerUrl, MalformedUrl};

/// The variable that names another base: `https://…`, or `http://` on this machine. Default: [`USUAL`].
pub const VARIABLE: &str = "CODEX_BASE_URL";
/// The base of every address: conversations and models lie directly below it.
pub const USUAL: &str = "https://chatgpt.com/backend-api/codex";
/// Usage lies beside this last part of the base.
const CODEX: &str = "/codex";

/// The backend's base address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendAddress {
    base: BrokerUrl,
}

impl BackendAddress {
    /// From the environment.
    pub fn read(environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let Some(text) = environment(VARIABLE).filter(|text| !text.is_empty()) else { return Self::parse(USUAL) };
        let text = text.into_string().map_err(|_| wrong("not UTF-8"))?;
        Self::parse(text.trim())
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let base = BrokerUrl::parse(text).map_err(|error| match error {
            MalformedUrl::NotAnAddress => wrong(&format!("expected an address like {USUAL}")),
            MalformedUrl::Unencrypted | MalformedUrl::UserInfo | MalformedUrl::Query => wrong(&error.to_string()),
        })?;
        Ok(Self { base })
    }

    /// The base, for finding the way.
    pub fn url(&self) -> &BrokerUrl {
        &self.base
    }

    /// Name or address of the host, for people.
    pub fn host(&self) -> &str {
        self.base.host()
    }

    /// Where a conversation is asked for its next answer.
    pub fn responses(&self) -> String {
        format!("{}/responses", self.trimmed())
    }

    /// Where the models are that this client version may use.
    pub fn models(&self, client_version: &str) -> String {
        format!("{}/models?client_version={client_version}", self.trimmed())
    }

    /// Where the plan's limits are.
    pub fn usage(&self) -> String {
        let base = self.trimmed();
        format!("{}/wham/usage", base.strip_suffix(CODEX).unwrap_or(base))
    }

    fn trimmed(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

fn wrong(why: &str) -> Failure {
    Failure::configuration(format!("{VARIABLE} (environment): {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Option<&str>) -> Result<BackendAddress, Failure> {
        BackendAddress::read(&|name| value.filter(|_| name == VARIABLE).map(OsString::from))
    }

    #[test]
    fn every_address_lies_where_the_backend_has_it() {
        for value in [None, Some(""), Some(USUAL), Some("https://chatgpt.com/backend-api/codex/")] {
            let address = read(value).unwrap();
            assert_eq!(address.responses(), "https://chatgpt.com/backend-api/codex/responses");
            assert_eq!(address.usage(), "https://chatgpt.com/backend-api/wham/usage");
            let models = "https://chatgpt.com/backend-api/codex/models?client_version=0.1.2";
            assert_eq!(address.models("0.1.2"), models);
        }
        let elsewhere = read(Some("http://127.0.0.1:8080/v1")).unwrap();
        assert_eq!(elsewhere.responses(), "http://127.0.0.1:8080/v1/responses");
        assert_eq!(elsewhere.usage(), "http://127.0.0.1:8080/v1/wham/usage");
    }

    #[test]
    fn a_token_travels_encrypted_or_not_at_all() {
        for value in ["http://chatgpt.com/backend-api/codex", "chatgpt.com", "https://u:p@chatgpt.com/", "ftp://x/"] {
            let failure = read(Some(value)).unwrap_err();
            assert_eq!(failure.class.exit_code(), 78);
            assert!(failure.to_string().starts_with("CODEX_BASE_URL (environment): "), "{failure}");
        }
    }
}

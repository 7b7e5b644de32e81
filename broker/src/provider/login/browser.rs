//! Browser login: a browser is sent to the provider and comes back (*P 2.2*, *P 2.3*). Pure but for its random bytes.

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::Secret;
use subtle::ConstantTimeEq;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{AuthorizationCode, LoginError};
use crate::provider::CodexProvider;
use crate::provider::dial::Endpoint;

/// The scopes of the stock client.
const SCOPES: &str = "openid profile email offline_access api.connectors.read api.connectors.invoke";
/// What newer pages append to the state (*P 2.3*).
const STATE_SUFFIX: &str = ".onboarding_entrypoint=";

/// A browser login under way. Not `Debug`: the URL holds the state.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserLogin {
    /// The page that the person opens.
    pub url: String,
    /// Comes back with the code and ties it to this attempt.
    pub state: Secret,
    /// The PKCE verifier.
    pub verifier: Secret,
    /// Where the browser comes back to.
    pub redirect_uri: String,
}

/// What the browser brought back, not yet tied to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The code, or why there is none.
    pub outcome: Result<Secret, LoginError>,
    /// The state, as it came.
    pub state: String,
}

impl CodexProvider {
    /// Begins a browser login that comes back to `redirect_uri`, `http://localhost:1455/auth/callback`.
    ///
    /// The stock server knows only the ports 1455 and 1457.
    pub fn authorize_url(&self, redirect_uri: &str) -> Result<BrowserLogin, LoginError> {
        let mut bytes = Zeroizing::new([0; 96]);
        rand::fill(bytes.as_mut_slice()).expect("the machine has a random source");
        let (verifier, state) = bytes.split_at(64);
        self.browser_login(redirect_uri, verifier, state)
    }

    fn browser_login(&self, redirect_uri: &str, verifier: &[u8], state: &[u8]) -> Result<BrowserLogin, LoginError> {
        if !Endpoint::parse(redirect_uri).is_ok_and(|endpoint| endpoint.is_plain_on_loopback()) {
            return Err(LoginError::BadRedirect);
        }
        let verifier = Secret::new(URL_SAFE_NO_PAD.encode(verifier));
        let state = Secret::new(URL_SAFE_NO_PAD.encode(state));
        // The order is the stock client's.
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.server.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", SCOPES)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("id_token_add_organizations", "true")
            .append_pair("codex_cli_simplified_flow", "true")
            .append_pair("state", state.expose())
            .append_pair("originator", self.agent.originator())
            .finish()
            // A form writes a space as a plus; in a URL's query only %20 is beyond doubt.
            .replace('+', "%20");
        let url = format!("{}?{query}", self.server.authorize());
        Ok(BrowserLogin { url, state, verifier, redirect_uri: redirect_uri.to_owned() })
    }
}

impl BrowserLogin {
    /// What to exchange, if the callback belongs to this attempt and brought a code.
    pub fn accept(&self, callback: Callback) -> Result<AuthorizationCode, LoginError> {
        let state = callback.state.split_once(STATE_SUFFIX).map_or(callback.state.as_str(), |(state, _)| state);
        if !bool::from(state.as_bytes().ct_eq(self.state.expose().as_bytes())) {
            return Err(LoginError::WrongState);
        }
        let (verifier, redirect_uri) = (self.verifier.clone(), self.redirect_uri.clone());
        Ok(AuthorizationCode { code: callback.outcome?, verifier, redirect_uri })
    }
}

impl Callback {
    /// Reads the query of the redirect, or the whole address as a person pastes it.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let text = text.trim();
        let query = match Url::parse(text) {
            Ok(url) => url.query().unwrap_or_default().to_owned(),
            Err(_) => text.trim_start_matches('?').to_owned(),
        };
        let member = |name: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let outcome = match (member("error"), member("code")) {
            (Some(error), _) => Err(declined(&error, &member("error_description").unwrap_or_default())),
            (None, Some(code)) => Ok(Secret::new(code)),
            (None, None) => return Err(LoginError::NotACallback),
        };
        Ok(Self { outcome, state: member("state").unwrap_or_default() })
    }
}

fn declined(error: &str, description: &str) -> LoginError {
    let no_entitlement = description.contains("missing_codex_entitlement");
    match error {
        "access_denied" if no_entitlement => LoginError::NoEntitlement,
        "access_denied" => LoginError::Declined,
        other => LoginError::of_code(other),
    }
}

/// RFC 7636 §4.2, S256.
fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::login::tests::given;

    const REDIRECT: &str = "http://localhost:1455/auth/callback";

    fn attempt() -> BrowserLogin {
        given("https://auth.openai.com").browser_login(REDIRECT, &[1; 64], &[2; 32]).unwrap()
    }

    #[test]
    fn the_page_is_asked_for_as_the_stock_client_does() {
        let attempt = attempt();
        let state = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
        let expected = format!(
            "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_test\
             &redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback\
             &scope=openid%20profile%20email%20offline_access%20api.connectors.read%20api.connectors.invoke\
             &code_challenge={}&code_challenge_method=S256&id_token_add_organizations=true\
             &codex_cli_simplified_flow=true&state={state}&originator=codex_cli_rs",
            challenge(&attempt.verifier)
        );
        assert_eq!(attempt.url, expected);
        assert_eq!(attempt.state.expose(), state);
        assert_eq!(attempt.verifier.expose().len(), 86);
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_two_attempts_are_alike() {
        let provider = given("https://auth.openai.com");
        let (first, second) = (provider.authorize_url(REDIRECT).unwrap(), provider.authorize_url(REDIRECT).unwrap());
        assert!(first.state != second.state && first.verifier != second.verifier);
    }

    #[test]
    fn the_browser_is_sent_back_to_this_machine_only() {
        for redirect in ["https://localhost/auth/callback", "http://example.com/auth/callback", "", "localhost:1455"] {
            let outcome = given("https://auth.openai.com").authorize_url(redirect);
            assert_eq!(outcome.err(), Some(LoginError::BadRedirect), "{redirect}");
        }
    }

    #[test]
    fn what_the_browser_brings_back_is_tied_to_its_attempt() {
        let attempt = attempt();
        let state = attempt.state.expose();
        let code = Ok("a c/1");
        let cases = [
            (format!("code=a+c%2F1&state={state}"), code.clone()),
            (format!("?state={state}&code=a+c%2F1"), code.clone()),
            (format!(" {REDIRECT}?code=a%20c/1&state={state}#x\n"), code.clone()),
            (format!("code=a+c%2F1&state={state}.onboarding_entrypoint=life_sciences"), code),
            ("code=a".into(), Err(LoginError::WrongState)),
            ("code=a&state=".into(), Err(LoginError::WrongState)),
            (format!("code=a&state={}", &state[1..]), Err(LoginError::WrongState)),
            (format!("code=a&state={state}x"), Err(LoginError::WrongState)),
            (format!("code=a&state=x.onboarding_entrypoint={state}"), Err(LoginError::WrongState)),
            ("error=access_denied&state=x".into(), Err(LoginError::WrongState)),
            (format!("error=access_denied&state={state}"), Err(LoginError::Declined)),
            (format!("error=access_denied&code=a&state={state}"), Err(LoginError::Declined)),
            (
                format!("error=access_denied&error_description=x+missing_codex_entitlement&state={state}"),
                Err(LoginError::NoEntitlement),
            ),
            (format!("error=server_error&state={state}"), Err(LoginError::Refused("server_error".into()))),
            (format!("error=a%0Ab&state={state}"), Err(LoginError::Refused("an unknown code".into()))),
            (format!("state={state}"), Err(LoginError::NotACallback)),
            (REDIRECT.into(), Err(LoginError::NotACallback)),
            (String::new(), Err(LoginError::NotACallback)),
        ];
        for (text, expected) in cases {
            let outcome = Callback::parse(&text).and_then(|callback| attempt.accept(callback));
            assert_eq!(outcome.as_ref().map(|code| code.code.expose()), expected.as_ref().copied(), "{text}");
        }
    }
}

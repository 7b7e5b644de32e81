//! Browser login: a browser is sent to the login server and comes back. Pure but for its random bytes.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::Secret;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::answer::printable;
use super::server::OAuthServer;
use super::{AuthorizationCode, CLIENT_ID, ORIGINATOR};
use crate::failure::Failure;

/// The scopes of the stock client.
const SCOPES: &str = "openid profile email offline_access api.connectors.read api.connectors.invoke";
/// What newer pages append to the state.
const STATE_SUFFIX: &str = ".onboarding_entrypoint=";
/// Where the browser comes back to, behind host and port.
pub const CALLBACK_PATH: &str = "/auth/callback";

/// A browser login under way. Not `Debug`: the page's address holds the state.
pub struct BrowserLogin {
    /// The page that the person opens.
    pub url: String,
    state: Secret,
    verifier: Secret,
    redirect_uri: String,
}

/// What a browser brought back.
#[derive(Debug, PartialEq, Eq)]
pub enum Brought {
    /// A code to exchange.
    Code(AuthorizationCode),
    /// The page said no.
    Declined(Failure),
    /// It belongs to another attempt, or was forged, or is no redirect at all: nothing has happened.
    Nothing(&'static str),
}

impl BrowserLogin {
    /// Begins a login that comes back to this port. The server knows only 1455 and 1457.
    pub fn begin(server: &OAuthServer, port: u16) -> Self {
        let mut bytes = Zeroizing::new([0; 96]);
        rand::fill(bytes.as_mut_slice()).expect("the machine has a random source");
        let (verifier, state) = bytes.split_at(64);
        Self::of(server, port, verifier, state)
    }

    fn of(server: &OAuthServer, port: u16, verifier: &[u8], state: &[u8]) -> Self {
        let verifier = Secret::new(URL_SAFE_NO_PAD.encode(verifier));
        let state = Secret::new(URL_SAFE_NO_PAD.encode(state));
        let redirect_uri = format!("http://localhost:{port}{CALLBACK_PATH}");
        // The order is the stock client's.
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", CLIENT_ID)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("scope", SCOPES)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("id_token_add_organizations", "true")
            .append_pair("codex_cli_simplified_flow", "true")
            .append_pair("state", state.expose())
            .append_pair("originator", ORIGINATOR)
            .finish()
            // A form writes a space as a plus; in a URL's query only %20 is beyond doubt.
            .replace('+', "%20");
        Self { url: format!("{}?{query}", server.authorize().as_str()), state, verifier, redirect_uri }
    }

    /// Reads the query of a redirect, or its whole address as a person pastes it.
    pub fn read(&self, text: &str) -> Brought {
        let text = text.trim();
        let query = match Url::parse(text) {
            Ok(url) => Zeroizing::new(url.query().unwrap_or_default().to_owned()),
            Err(_) => Zeroizing::new(text.trim_start_matches('?').to_owned()),
        };
        let member = |name: &str| {
            let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let (error, code) = (member("error"), member("code"));
        if error.is_none() && code.is_none() {
            return Brought::Nothing("this is not the address the browser ended at: it begins with http://localhost:");
        }
        if !self.is_of_this_attempt(&member("state").unwrap_or_default()) {
            return Brought::Nothing("this belongs to another login attempt; use the page shown last");
        }
        match (error, code) {
            (Some(error), _) => Brought::Declined(declined(&error, &member("error_description").unwrap_or_default())),
            (None, code) => Brought::Code(AuthorizationCode {
                code: Secret::new(code.unwrap_or_default()),
                verifier: self.verifier.clone(),
                redirect_uri: self.redirect_uri.clone(),
            }),
        }
    }

    fn is_of_this_attempt(&self, state: &str) -> bool {
        let state = state.split_once(STATE_SUFFIX).map_or(state, |(state, _)| state);
        constant_time::verify_slices_are_equal(state.as_bytes(), self.state.expose().as_bytes()).is_ok()
    }
}

fn declined(error: &str, description: &str) -> Failure {
    match error {
        "access_denied" if description.contains("missing_codex_entitlement") => {
            let failure = Failure::person_must_act("this workspace has no access to Codex");
            failure.with_hint("choose another workspace, or ask its admin to enable Codex")
        }
        "access_denied" => {
            Failure::person_must_act("the login was declined on the page").with_hint("log in again when you are ready")
        }
        other => {
            let code = printable(other).unwrap_or("an unknown code");
            Failure::person_must_act(format!("the login server refused the login ({code})")).with_hint("log in again")
        }
    }
}

/// RFC 7636 section 4.2, S256.
fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> BrowserLogin {
        let server = OAuthServer::from_environment(&|_| None).unwrap();
        BrowserLogin::of(&server, 1455, &[1; 64], &[2; 32])
    }

    #[test]
    fn the_page_is_asked_for_as_the_stock_client_does() {
        let attempt = attempt();
        let state = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";
        let expected = format!(
            "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann\
             &redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback\
             &scope=openid%20profile%20email%20offline_access%20api.connectors.read%20api.connectors.invoke\
             &code_challenge={}&code_challenge_method=S256&id_token_add_organizations=true\
             &codex_cli_simplified_flow=true&state={state}&originator=codex_cli_rs",
            challenge(&attempt.verifier)
        );
        assert_eq!(attempt.url, expected);
        assert_eq!(attempt.verifier.expose().len(), 86);
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn what_the_browser_brings_back_is_tied_to_its_attempt() {
        let attempt = attempt();
        let state = attempt.state.expose();
        let good = [
            format!("code=a+c%2F1&state={state}"),
            format!("?state={state}&code=a+c%2F1"),
            format!(" http://localhost:1455/auth/callback?code=a%20c/1&state={state}#x\n"),
            format!("code=a+c%2F1&state={state}.onboarding_entrypoint=life_sciences"),
        ];
        for text in good {
            let Brought::Code(code) = attempt.read(&text) else { panic!("{text}") };
            assert_eq!((code.code.expose(), code.verifier.clone()), ("a c/1", attempt.verifier.clone()));
        }
        let nothing = [
            "code=a".to_owned(),
            "code=a&state=".into(),
            format!("code=a&state={}", &state[1..]),
            format!("code=a&state={state}x"),
            format!("code=a&state=x.onboarding_entrypoint={state}"),
            "error=access_denied&state=x".into(),
            format!("state={state}"),
            "http://localhost:1455/auth/callback".into(),
            String::new(),
        ];
        for text in nothing {
            assert!(matches!(attempt.read(&text), Brought::Nothing(_)), "{text}");
        }
        let says = |text: &str| match attempt.read(&format!("{text}&state={state}")) {
            Brought::Declined(failure) => failure.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        assert!(says("error=access_denied&code=a").contains("declined on the page"));
        assert!(says("error=access_denied&error_description=missing_codex_entitlement").contains("workspace"));
        assert!(says("error=a%0Ab").contains("an unknown code"));
    }

    #[test]
    fn no_two_attempts_are_alike() {
        let server = OAuthServer::from_environment(&|_| None).unwrap();
        let (first, second) = (BrowserLogin::begin(&server, 1455), BrowserLogin::begin(&server, 1455));
        assert!(first.state != second.state && first.verifier != second.verifier);
    }
}

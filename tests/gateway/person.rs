//! What a person's browser and their program send, byte by byte.

use std::collections::HashMap;

use scorpiox_tests::process::Team;
use scorpiox_tests::process::http::{Reply, Request};
use serde_json::{Value, json};

/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Where the stock CLI listens when its configuration says 18455.
pub(crate) const REDIRECT: &str = "http://127.0.0.1:18455/callback";

/// A person before the page.
pub(crate) struct Person<'a> {
    /// Whose broker.
    pub(crate) team: &'a Team,
    /// The hidden field.
    pub(crate) form: String,
}

/// The request as the stock CLI 0.169.0 makes it.
pub(crate) fn target(state: &str) -> String {
    with(&[("state", state)])
}

/// The same with other parameters; an empty value takes one away.
pub(crate) fn with(others: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", "codex"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ];
    for (name, value) in others {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    parameters.retain(|(_, value)| !value.is_empty());
    format!("/oauth/authorize?{}", encoded(&parameters))
}

impl<'a> Person<'a> {
    /// Opens what the program printed.
    pub(crate) fn asked(team: &'a Team, state: &str) -> Self {
        let page = team.broker().get(&target(state));
        assert_eq!(page.status, 200, "{}", page.text());
        Self { team, form: hidden(&page) }
    }

    /// Types an invite and sends the form.
    pub(crate) fn shows(&self, invite: &str) -> Reply {
        self.sends(&[("request", &self.form), ("invite", invite), ("answer", "accept")], &[])
    }

    /// Sends a form.
    pub(crate) fn sends(&self, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        post(self.team, "/oauth/authorize", fields, headers)
    }
}

/// The hidden field of a page's form.
pub(crate) fn hidden(page: &Reply) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("no form: {text}"));
    rest.split_once('"').expect("an attribute ends").0.to_owned()
}

/// An invite as an administrator gets it.
pub(crate) fn invite(team: &Team, client: &str, credential: Option<&str>) -> String {
    let issued =
        team.admin().ask("POST", &format!("/clients/{client}/invite"), Some(json!({"credential": credential})));
    assert_eq!(issued.status, 200, "{}", issued.text());
    issued.json::<Value>()["invite"].as_str().unwrap().to_owned()
}

/// A client of `main` that has signed in: what its program was given.
pub(crate) fn signed_in(team: &Team, client: &str) -> Value {
    signed_in_with(team, client, "main")
}

/// The same with another credential.
pub(crate) fn signed_in_with(team: &Team, client: &str, credential: &str) -> Value {
    let invite = invite(team, client, Some(credential));
    let granted = redeem(team, &code_for(team, &invite), VERIFIER, REDIRECT);
    assert_eq!(granted.status, 200, "{}", granted.text());
    granted.json()
}

/// The code that an invite brings.
pub(crate) fn code_for(team: &Team, invite: &str) -> String {
    let answer = Person::asked(team, "s").shows(invite);
    assert_eq!(answer.status, 303, "{}", answer.text());
    query_of(answer.header("location").unwrap())["code"].clone()
}

/// The program redeems a code.
pub(crate) fn redeem(team: &Team, code: &str, verifier: &str, redirect: &str) -> Reply {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "codex"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", verifier),
    ];
    post(team, "/oauth/token", &fields, &[])
}

/// The program comes back.
pub(crate) fn renew(team: &Team, stand_in: &str) -> Reply {
    let fields = [("grant_type", "refresh_token"), ("client_id", "codex"), ("refresh_token", stand_in)];
    post(team, "/oauth/token", &fields, &[])
}

/// A form.
pub(crate) fn post(team: &Team, target: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend(headers);
    let body = Some(encoded(fields));
    team.broker().ask(&Request { method: "POST", target, headers: &all, body })
}

/// The parameters of an address.
pub(crate) fn query_of(address: &str) -> HashMap<String, String> {
    let address = url::Url::parse(address).expect("an address");
    address.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

//! The code becomes a login (*P 2.4*).

use scorpiox_wire::Secret;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{AuthorizationCode, LoginError};
use crate::domain::answer::{TokenGrant, Verdict};
use crate::provider::dial::Payload;
use crate::provider::{CodexProvider, RawAnswer, codex};

impl CodexProvider {
    /// Redeems the code. The answer is all there is: if it gets lost the person logs in again.
    ///
    /// The grant has all three tokens and an account, which the stock client and we need.
    pub async fn exchange(&self, code: &AuthorizationCode) -> Result<TokenGrant, LoginError> {
        let payload = Payload::Form(encode(&self.server.client_id, code));
        let answer = self.dialer.call(&self.server.token, &self.agent, payload).await?;
        login(&answer)
    }
}

fn encode(client_id: &str, code: &AuthorizationCode) -> Zeroizing<Vec<u8>> {
    let AuthorizationCode { code, verifier, redirect_uri } = code;
    // A form makes at most three bytes of one; a text that grew would leave copies behind.
    let room = 120 + 3 * (client_id.len() + code.expose().len() + verifier.expose().len() + redirect_uri.len());
    let body = form_urlencoded::Serializer::new(String::with_capacity(room))
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", code.expose())
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("client_id", client_id)
        .append_pair("code_verifier", verifier.expose())
        .finish();
    Zeroizing::new(body.into_bytes())
}

fn login(answer: &RawAnswer) -> Result<TokenGrant, LoginError> {
    match codex::classify(answer) {
        Verdict::Granted(grant) => complete(*grant),
        Verdict::Ended(_) => Err(LoginError::CodeRefused(codex::described(answer))),
        Verdict::Unknown { why } if (200..=299).contains(&answer.status) => Err(LoginError::Unreadable(why)),
        Verdict::NotConsumed { .. } | Verdict::Refused { .. } | Verdict::Unknown { .. } => {
            Err(LoginError::of_refusal(answer))
        }
    }
}

fn complete(grant: TokenGrant) -> Result<TokenGrant, LoginError> {
    let present = |token: &Option<Secret>| token.as_ref().is_some_and(|token| !token.is_empty());
    let parts = [
        ("access token", !grant.access_token.is_empty()),
        ("refresh token", present(&grant.refresh_token)),
        ("id token", present(&grant.id_token)),
        ("ChatGPT account", grant.identity.account_id.is_some()),
    ];
    match parts.into_iter().find(|(_, is_there)| !is_there) {
        Some((missing, _)) => Err(LoginError::Incomplete(missing)),
        None => Ok(grant),
    }
}

impl LoginError {
    /// A refusal by status and code; the provider's own text is not repeated.
    pub(super) fn of_refusal(answer: &RawAnswer) -> Self {
        if answer.status == 403 && answer.body.trim_ascii_start().starts_with(b"<") {
            return Self::ChallengePage;
        }
        match answer.status {
            429 | 500..=599 => Self::Failing(codex::described(answer)),
            _ => Self::Refused(codex::described(answer)),
        }
    }

    /// A refusal by a code that came through the browser.
    pub(super) fn of_code(code: &str) -> Self {
        let code = if codex::is_printable_code(code) { code } else { "an unknown code" };
        Self::Refused(code.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::clock::Timestamp;

    fn answer(status: u16, body: &str) -> RawAnswer {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        RawAnswer { status, retry_after: None, date: None, received_at: Timestamp::default(), body }
    }

    fn id_token() -> String {
        let claims = json!({"https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}}).to_string();
        format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_exchange_is_this_form() {
        let code = AuthorizationCode {
            code: Secret::new("a c"),
            verifier: Secret::new("v-_"),
            redirect_uri: "http://localhost:1455/auth/callback".into(),
        };
        let expected = "grant_type=authorization_code&code=a+c\
                        &redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback\
                        &client_id=app_test&code_verifier=v-_";
        assert_eq!(std::str::from_utf8(&encode("app_test", &code)).unwrap(), expected);
    }

    #[test]
    fn a_login_has_all_three_tokens_and_an_account() {
        let whole = json!({"access_token": "a", "refresh_token": "r", "id_token": id_token()});
        let grant = login(&answer(200, &whole.to_string())).unwrap();
        assert_eq!(grant.identity.account_id.as_deref(), Some("acc-1"));
        for (member, missing) in
            [("access_token", "access token"), ("refresh_token", "refresh token"), ("id_token", "id token")]
        {
            for nothing in [json!(null), json!("")] {
                let mut part = whole.clone();
                part[member] = nothing;
                assert_eq!(login(&answer(200, &part.to_string())), Err(LoginError::Incomplete(missing)));
            }
        }
        let mut nobodys = whole;
        nobodys["id_token"] = json!("opaque");
        assert_eq!(login(&answer(200, &nobodys.to_string())), Err(LoginError::Incomplete("ChatGPT account")));
    }

    #[test]
    fn a_refused_exchange_says_what_a_person_can_do() {
        let cases = [
            (400, r#"{"error":"invalid_grant"}"#, "400 with code invalid_grant): it was used before or is too old"),
            (400, r#"{"error":{"code":"bad_thing","message":"m"}}"#, "refused the login (400 with code bad_thing)"),
            (401, "", "refused the login (401 without a code)"),
            (429, "{}", "could not do it now (429 without a code)"),
            (502, "", "could not do it now (502 without a code)"),
            (502, "<html>", "could not do it now (502 without a code)"),
            (403, " <!DOCTYPE html>", "answered with a web page"),
            (200, "<html>", "cannot be read (200 with an answer that is no JSON object)"),
            (200, "{}", "cannot be read (200 with an answer without tokens)"),
        ];
        for (status, body, expected) in cases {
            let error = login(&answer(status, body)).unwrap_err().to_string();
            assert!(error.contains(expected), "{status} {body}: {error}");
        }
    }
}

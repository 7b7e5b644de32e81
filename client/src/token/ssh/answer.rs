//! What the other machine said: one JSON line of `scorpiox-codex-fetchtoken`, or a credential's file. Pure.
//!
//! ```json
//! {"access_token":"eyJ…","expires_at":1700000900,"account_id":"6f0c1a2b","source":"remote"}
//! {"tokens":{"access_token":"eyJ…","refresh_token":"…","account_id":"6f0c1a2b"},"last_refresh":"…"}
//! ```
//!
//! A refresh token or an id_token in it is passed over by the parser: nothing here has a place for one.

use scorpiox_wire::Secret;
use serde::Deserialize;

use crate::failure::Failure;
use crate::token::claims::UnverifiedClaims;
use crate::token::plain::tag_of;
use crate::token::{AccessToken, Fetched, SourceName, Token, account_id};

#[derive(Deserialize)]
struct Answer {
    access_token: Option<Secret>,
    expires_at: Option<i64>,
    account_id: Option<String>,
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<Secret>,
    account_id: Option<String>,
}

/// The token in what `host` said, at this time (Unix seconds).
pub fn read(output: &[u8], host: &str, now: i64) -> Result<Fetched, Failure> {
    let wrong =
        |why: &str| Failure::configuration(format!("what {host} said {why}")).with_hint("check CODEX_SSH_COMMAND");
    let answer = parse(output).ok_or_else(|| wrong("is no token's JSON"))?;
    let tokens = answer.tokens.unwrap_or(Tokens { access_token: None, account_id: None });
    let text = answer.access_token.or(tokens.access_token).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| wrong("holds no access token"))?;
    let access_token =
        AccessToken::parse(&text).ok_or_else(|| wrong("holds a token with characters that no token has"))?;
    let claims = UnverifiedClaims::of(access_token.expose());
    let expires_at = answer.expires_at.or(claims.expires_at);
    if expires_at.is_some_and(|end| end <= now) {
        let failure = Failure::person_must_act(format!("the token on {host} has expired"));
        return Err(failure.with_hint("run codex or scorpiox-codex-login there"));
    }
    let account = answer.account_id.or(tokens.account_id).or(claims.account_id);
    let tag = tag_of(&access_token);
    let token = Token {
        access_token,
        expires_at,
        account_id: account.as_deref().and_then(account_id),
        source: SourceName::Ssh,
    };
    Ok(Fetched { token, tag: Some(tag) })
}

/// All of it, or its last line: a shell's start files may have said something before.
fn parse(output: &[u8]) -> Option<Answer> {
    let last = output.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(output).or_else(|_| serde_json::from_slice(last)).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn jwt(end: i64) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{end}}}"#)))
    }

    fn token(output: &str) -> Result<Token, String> {
        read(output.as_bytes(), "vault", NOW).map(|fetched| fetched.token).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_line_of_ours_and_a_credentials_file_are_understood() {
        let ours = r#"{"access_token":"eyJ.x.y","expires_at":1700000900,"account_id":"a1","source":"remote"}"#;
        let found = token(ours).unwrap();
        assert_eq!((found.access_token.expose(), found.expires_at), ("eyJ.x.y", Some(1_700_000_900)));
        assert_eq!((found.account_id.as_deref(), found.source), (Some("a1"), SourceName::Ssh));
        let noisy = format!("Welcome!\nlast login: today\n{ours}\n\n");
        assert_eq!(token(&noisy).unwrap(), found);

        let access = jwt(NOW + 60);
        let file = format!(
            "{{\n \"OPENAI_API_KEY\": null, \"tokens\": {{\"id_token\": \"i.i.i\", \"access_token\": \"{access}\",\n \
             \"refresh_token\": \"rt_1\", \"account_id\": \"a2\"}}, \"last_refresh\": \"2026-01-01T00:00:00Z\"}}"
        );
        let found = token(&file).unwrap();
        assert_eq!((found.expires_at, found.account_id.as_deref()), (Some(NOW + 60), Some("a2")));
        assert!(!serde_json::to_string(&found).unwrap().contains("rt_1"));
        assert_eq!(token(r#"{"access_token":"opaque"}"#).unwrap().expires_at, None);
    }

    #[test]
    fn what_is_no_good_token_is_said_and_not_repeated() {
        let cases = [
            ("", "is no token's JSON"),
            ("secretword", "is no token's JSON"),
            ("{}", "holds no access token"),
            (r#"{"tokens":null}"#, "holds no access token"),
            (r#"{"access_token":""}"#, "holds no access token"),
            (r#"{"access_token":"secretword\n"}"#, "characters"),
        ];
        for (output, expected) in cases {
            let line = token(output).unwrap_err();
            assert!(line.contains(expected) && !line.contains("secretword"), "{output}: {line}");
        }
    }

    #[test]
    fn a_token_that_has_ended_is_none() {
        for output in [format!(r#"{{"access_token":"{}"}}"#, jwt(NOW)), r#"{"access_token":"a","expires_at":1}"#.into()]
        {
            let failure = read(output.as_bytes(), "vault", NOW).unwrap_err();
            assert_eq!(failure.class.exit_code(), 69);
        }
    }

    #[test]
    fn two_tokens_have_two_names_and_neither_shows_its_token() {
        let name =
            |text: &str| read(format!(r#"{{"access_token":"{text}"}}"#).as_bytes(), "v", NOW).unwrap().tag.unwrap();
        assert_ne!(name("one"), name("two"));
        assert_eq!(name("one").to_string().parse(), Ok(name("one")));
    }
}

//! What an endpoint gives that is no broker: the credential's JSON as it lies in a file, or a bare token. Pure.
//!
//! ```json
//! {"tokens":{"access_token":"eyJ…","refresh_token":"…","account_id":"6f0c1a2b"},"last_refresh":"…"}
//! {"access_token":"eyJ…","expires_in":900}
//! ```
//!
//! A refresh token or an id token in it is passed over by the parser: nothing here has a place for one. Such an
//! endpoint does not name its tokens, so each gets a name made of the token itself, and it cannot be told that one was
//! refused: it can only be asked again.

use scorpiox_wire::{Secret, TokenAnswer, TokenTag};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::AccessToken;
use super::claims::UnverifiedClaims;
use crate::failure::Failure;

/// How long an answer holds without asking again …
const LONGEST_FRESH: i64 = 300;
/// … and how long before its token's end it is asked about at the latest: below that the stock CLI has no peace.
const KEPT_BEFORE_THE_END: i64 = 360;
/// No broker counts from zero, so this marks a name that was made here.
const NO_GENERATION: u64 = 0;
/// Stands for an end that nobody knows.
pub const UNKNOWN_END: i64 = 0;

#[derive(Deserialize)]
struct Body {
    access_token: Option<Secret>,
    expires_at: Option<i64>,
    expires_in: Option<i64>,
    account_id: Option<String>,
    tokens: Option<Tokens>,
    // Only brokers count: an answer of theirs that does not hold together is no plain one.
    generation: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<Secret>,
    account_id: Option<String>,
}

/// A token as a plain endpoint gives it.
#[derive(Debug, PartialEq, Eq)]
pub struct PlainToken {
    access_token: Secret,
    end: End,
    account_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    At(i64),
    In(i64),
    Unknown,
}

impl PlainToken {
    /// `None` when the body is neither a credential's JSON nor a bare token's.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let body: Body = serde_json::from_slice(body).ok()?;
        if body.generation.is_some() {
            return None;
        }
        let tokens = body.tokens.unwrap_or(Tokens { access_token: None, account_id: None });
        let access_token = body.access_token.or(tokens.access_token).filter(|token| !token.is_empty())?;
        let claims = UnverifiedClaims::of(access_token.expose());
        let end = match (body.expires_at, body.expires_in, claims.expires_at) {
            (Some(at), _, _) => End::At(at),
            (None, Some(seconds), _) => End::In(seconds),
            (None, None, Some(at)) => End::At(at),
            (None, None, None) => End::Unknown,
        };
        Some(Self { access_token, end, account_id: body.account_id.or(tokens.account_id).or(claims.account_id) })
    }

    /// In a broker's words, as of `now` (Unix seconds).
    pub fn into_answer(self, now: i64) -> Result<TokenAnswer, Failure> {
        let wrong = || Failure::temporary("the answer holds an access token with characters that no token has");
        let access_token = AccessToken::parse(&self.access_token).ok_or_else(wrong)?;
        let (expires_at, expires_in) = match self.end {
            End::At(at) => (at, at.saturating_sub(now)),
            End::In(seconds) => (now.saturating_add(seconds), seconds),
            End::Unknown => (UNKNOWN_END, LONGEST_FRESH),
        };
        if expires_in <= 0 {
            let failure = Failure::person_must_act("the endpoint gave a token that has ended");
            return Err(failure.with_hint("log in again where it keeps its login"));
        }
        let fresh = match self.end {
            End::Unknown => LONGEST_FRESH,
            End::At(_) | End::In(_) => (expires_in - KEPT_BEFORE_THE_END).clamp(0, LONGEST_FRESH),
        };
        let tag = tag_of(&access_token);
        Ok(TokenAnswer {
            access_token: self.access_token,
            token_type: "Bearer".to_owned(),
            expires_at,
            expires_in,
            revalidate_at: expires_at.saturating_sub(expires_in).saturating_add(fresh),
            account_id: self.account_id.unwrap_or_default(),
            plan_type: None,
            credential: tag.credential,
            generation: tag.generation,
            renewable: true,
        })
    }
}

/// A name for a token whose own name we do not know, so that it can be told from the next one. It does not show the
/// token.
pub fn tag_of(token: &AccessToken) -> TokenTag {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.expose().as_bytes());
    let credential = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    TokenTag { credential, generation: NO_GENERATION }
}

/// True when a name was made here, so that it means nothing to whoever gave the token.
pub fn is_made_here(tag: &TokenTag) -> bool {
    tag.generation == NO_GENERATION
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn answer(body: &str) -> TokenAnswer {
        PlainToken::parse(body.as_bytes()).unwrap().into_answer(NOW).unwrap()
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_credentials_file_and_a_bare_token_are_understood() {
        let access = jwt(r#"{"exp":1700000900,"https://api.openai.com/auth":{"chatgpt_account_id":"a2"}}"#);
        let file = format!(
            r#"{{"OPENAI_API_KEY":null,"tokens":{{"id_token":"i.i.i","access_token":"{access}","refresh_token":"rt_1",
               "account_id":"a1"}},"last_refresh":"2026-01-01T00:00:00Z"}}"#
        );
        let found = answer(&file);
        assert_eq!((found.access_token.expose(), found.account_id.as_str()), (access.as_str(), "a1"));
        assert_eq!((found.expires_at, found.expires_in), (1_700_000_900, 900));
        let kept = serde_json::to_string(&found).unwrap();
        assert!(!kept.contains("rt_1") && !kept.contains("i.i.i"));
        let bare = answer(&format!(r#"{{"access_token":"{access}"}}"#));
        assert_eq!((bare.expires_at, bare.account_id.as_str()), (1_700_000_900, "a2"));
        assert_eq!(answer(r#"{"access_token":"x","expires_in":900}"#).expires_at, NOW + 900);
        assert_eq!(answer(r#"{"access_token":"x","expires_at":1700000600,"expires_in":1}"#).expires_in, 600);
    }

    #[test]
    fn an_answer_holds_five_minutes_and_not_into_the_tokens_last_six() {
        for (expires_in, fresh) in [(86_400, 300), (660, 300), (500, 140), (360, 0), (10, 0)] {
            let found = answer(&format!(r#"{{"access_token":"x","expires_in":{expires_in}}}"#));
            assert_eq!(found.revalidate_at - NOW, fresh, "{expires_in}");
        }
        let unknown = answer(r#"{"access_token":"opaque"}"#);
        assert_eq!((unknown.expires_at, unknown.expires_in, unknown.revalidate_at), (UNKNOWN_END, 300, 0));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for body in ["", "[]", "{}", "<html>", r#"{"access_token":""}"#, r#"{"access_token":7}"#, r#"{"tokens":{}}"#] {
            assert_eq!(PlainToken::parse(body.as_bytes()), None, "{body}");
        }
        assert_eq!(PlainToken::parse(br#"{"access_token":"x","generation":7}"#), None, "a broker's, and broken");
        for (body, exit_code) in [
            (r#"{"access_token":"a b"}"#, 75),
            (r#"{"access_token":"x","expires_in":0}"#, 69),
            (r#"{"access_token":"x","expires_at":1}"#, 69),
        ] {
            let failure = PlainToken::parse(body.as_bytes()).unwrap().into_answer(NOW).unwrap_err();
            assert_eq!(failure.class.exit_code(), exit_code, "{body}");
        }
    }

    #[test]
    fn two_tokens_have_two_names_and_neither_shows_its_token() {
        let name = |text: &str| answer(&format!(r#"{{"access_token":"{text}"}}"#)).tag();
        assert_ne!(name("one"), name("two"));
        assert_eq!(name("one").to_string().parse(), Ok(name("one")));
        assert!(is_made_here(&name("one")) && !name("one").to_string().contains("one"));
    }
}

//! What an HTTP answer means for the caller. Pure.

use std::time::Duration;

use scorpiox_wire::{Code, Problem, TokenAnswer, TokenTag};

use super::AccessToken;
use super::plain::PlainToken;
use crate::failure::{Class, Failure};

/// An HTTP answer, already bounded.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its `Retry-After`, in seconds (a date is not understood and counts as absent).
    pub retry_after: Option<Duration>,
    /// Its body; it may hold a token.
    pub body: zeroize::Zeroizing<Vec<u8>>,
}

/// What it means.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A good token.
    Token(Box<TokenAnswer>),
    /// The token that we have still holds.
    Unchanged,
    /// The broker decided against us: what the cache holds no longer counts.
    Refused(Failure),
    /// The broker could not decide: what the cache holds still counts.
    Undecided(Failure),
}

/// What was asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The token that the question named as ours.
    pub have: Option<&'a TokenTag>,
    /// The token that the provider refused, whether or not the question could name it.
    pub refused: Option<&'a TokenTag>,
    /// When, in Unix seconds.
    pub at: i64,
}

/// Reads an answer.
pub fn read(answer: &HttpAnswer, asked: &Asked<'_>) -> Meaning {
    match answer.status {
        200 => token(&answer.body, asked),
        304 if asked.have.is_some() => Meaning::Unchanged,
        _ => refusal(answer),
    }
}

fn token(body: &[u8], asked: &Asked<'_>) -> Meaning {
    let broken = |why: &str| Meaning::Undecided(Failure::temporary(format!("the broker's answer {why}")));
    let Ok(answer) = serde_json::from_slice::<TokenAnswer>(body) else {
        return PlainToken::parse(body).map_or_else(|| broken("is not a token's JSON"), |token| plain(token, asked));
    };
    if AccessToken::parse(&answer.access_token).is_none() {
        return broken("holds an access token with characters that no token has");
    }
    if answer.expires_in <= 0 {
        return broken("holds an access token that has ended");
    }
    let tag = answer.tag();
    if tag.to_string().parse().as_ref() != Ok(&tag) {
        return broken("names its credential in no known way");
    }
    Meaning::Token(Box::new(answer))
}

/// An endpoint that is no broker cannot be told that a token was refused; so when it gives the same again, there is no
/// other to be had.
fn plain(token: PlainToken, asked: &Asked<'_>) -> Meaning {
    match token.into_answer(asked.at) {
        Ok(answer) if asked.refused == Some(&answer.tag()) => {
            let failure = Failure::temporary("the endpoint gave the refused token again");
            Meaning::Undecided(failure.with_hint("it must be renewed where the endpoint has it from"))
        }
        Ok(answer) => Meaning::Token(Box::new(answer)),
        Err(failure) => Meaning::Undecided(failure),
    }
}

/// Why an answer is none, where a status other than 200 can be nothing else.
pub fn failure(answer: &HttpAnswer) -> Failure {
    match refusal(answer) {
        Meaning::Refused(failure) | Meaning::Undecided(failure) => failure,
        Meaning::Token(_) | Meaning::Unchanged => unreachable!("a refusal holds no token"),
    }
}

fn refusal(answer: &HttpAnswer) -> Meaning {
    let problem = serde_json::from_slice::<Problem>(&answer.body).ok();
    let code = problem.as_ref().map(|problem| problem.code);
    let class = class(answer.status, code);
    let failure = match problem {
        Some(Problem { code, message, hint }) => {
            let failure = Failure::new(class, format!("{message} ({code})"));
            if let Some(hint) = hint { failure.with_hint(hint) } else { failure }
        }
        None => Failure::new(class, format!("the broker answered with status {}", answer.status)),
    };
    let failure = failure.with_retry_after(answer.retry_after);
    let failure = if nobody_was_there(answer.status, code) { failure.absent() } else { failure };
    match class {
        Class::KeyOrGrant => Meaning::Refused(with_default_hint(failure, answer.status)),
        Class::PersonMustAct => Meaning::Refused(failure),
        Class::Usage | Class::Temporary | Class::Configuration => {
            Meaning::Undecided(with_default_hint(failure, answer.status))
        }
    }
}

/// A gateway that finds no broker behind it, or a broker that is just starting or stopping: neither has looked at the
/// key.
fn nobody_was_there(status: u16, code: Option<Code>) -> bool {
    code == Some(Code::Unavailable) || (matches!(status, 502..=504) && code.is_none())
}

/// The one table from what a broker says to what the caller can do.
fn class(status: u16, code: Option<Code>) -> Class {
    match (status, code) {
        (401 | 403, _) => Class::KeyOrGrant,
        (_, Some(Code::Unauthorized | Code::Forbidden)) => Class::KeyOrGrant,
        (_, Some(Code::ReauthRequired | Code::Quarantined | Code::Paused)) => Class::PersonMustAct,
        (
            _,
            Some(
                Code::TooSoon
                | Code::BackingOff
                | Code::Busy
                | Code::AuditUnavailable
                | Code::Unavailable
                | Code::Internal
                | Code::TooMany
                | Code::RequestTimeout,
            ),
        ) => Class::Temporary,
        (
            _,
            Some(
                Code::BadRequest
                | Code::NotFound
                | Code::MethodNotAllowed
                | Code::TooLarge
                | Code::UnsupportedMediaType
                | Code::IdempotencyMismatch
                | Code::InProgress
                | Code::OutcomeUnknown
                | Code::HeadersTooLarge
                | Code::Conflict,
            ),
        ) => Class::Configuration,
        (409, Some(Code::Unknown) | None) => Class::PersonMustAct,
        (407 | 408 | 425 | 429, Some(Code::Unknown) | None) => Class::Temporary,
        (300..=499, Some(Code::Unknown) | None) => Class::Configuration,
        (_, Some(Code::Unknown) | None) => Class::Temporary,
    }
}

fn with_default_hint(failure: Failure, status: u16) -> Failure {
    match status {
        401 | 403 => failure.or_hint("check the key and its grant: scorpiox-broker client list"),
        404 => failure.or_hint("CODEX_REMOTE_URL should end in /codex"),
        300..=399 => failure.or_hint("a redirect is never followed: set CODEX_REMOTE_URL to the final address"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::super::cache::tests::answer as token_answer;
    use super::*;

    fn http(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, retry_after: None, body: body.as_bytes().to_vec().into() }
    }

    fn failure(status: u16, body: &str) -> (bool, u8, String) {
        match read(&http(status, body), &Asked::default()) {
            Meaning::Refused(failure) => (true, failure.class.exit_code(), failure.to_string()),
            Meaning::Undecided(failure) => (false, failure.class.exit_code(), failure.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_code_of_the_broker_has_its_exit_code() {
        for code in Code::ALL {
            let body = format!(r#"{{"code":"{code}","message":"m","hint":"h"}}"#);
            let (refused, exit_code, line) = failure(code.status(), &body);
            let expected = match code.status() {
                401 | 403 => (true, 77),
                // Of the administration: a token request is never answered with them.
                409 if matches!(code, Code::Conflict | Code::InProgress | Code::OutcomeUnknown) => (false, 78),
                409 => (true, 69),
                408 | 429 | 500..=599 => (false, 75),
                _ => (false, 78),
            };
            assert_eq!((refused, exit_code), expected, "{code}");
            assert!(line.starts_with(&format!("m ({code}); ")), "{line}");
        }
    }

    #[test]
    fn an_answer_that_is_not_the_brokers_goes_by_its_status() {
        let html = "<html><body>Sign in</body></html>";
        let cases = [
            (301, false, 78),
            (304, false, 78),
            (401, true, 77),
            (403, true, 77),
            (404, false, 78),
            (407, false, 75),
            (409, true, 69),
            (429, false, 75),
            (500, false, 75),
            (502, false, 75),
        ];
        for (status, refused, exit_code) in cases {
            let (is_refused, code, line) = failure(status, html);
            assert_eq!((is_refused, code), (refused, exit_code), "{status}");
            assert!(!line.contains("html"), "{line}");
        }
        assert_eq!(failure(409, r#"{"code":"brand_new","message":"m"}"#).1, 69);
    }

    #[test]
    fn only_a_good_token_is_a_token() {
        let good = serde_json::to_string(&token_answer(7)).unwrap();
        assert_eq!(read(&http(200, &good), &Asked::default()), Meaning::Token(Box::new(token_answer(7))));
        let broken = [
            good.replace("token-7", "a\\u001b[31mb"),
            good.replace("token-7", ""),
            good.replace(r#""expires_in":900"#, r#""expires_in":0"#),
            good.replace(r#""credential":"c1""#, r#""credential":"../x""#),
            good[..good.len() - 1].to_owned(),
            "<html></html>".to_owned(),
            String::new(),
        ];
        for body in broken {
            assert_eq!(failure(200, &body).1, 75, "{body}");
        }
    }

    #[test]
    fn not_modified_counts_only_for_a_token_that_we_named() {
        let tag = token_answer(7).tag();
        assert_eq!(read(&http(304, ""), &Asked { have: Some(&tag), ..Asked::default() }), Meaning::Unchanged);
    }
}

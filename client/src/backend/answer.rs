//! What an answer of the backend means for the caller. Pure.

use std::time::Duration;

use zeroize::Zeroizing;

use super::renewal::Sent;
use crate::failure::Failure;
use crate::model::refusal::Refused;

/// An HTTP answer, already bounded.
#[derive(Debug, Default)]
pub struct BackendAnswer {
    /// Its status.
    pub status: u16,
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Retry-After`, in seconds.
    pub retry_after: Option<Duration>,
    /// Its body.
    pub body: Zeroizing<Vec<u8>>,
}

/// A good answer to a GET.
#[derive(Debug, PartialEq, Eq)]
pub enum Good {
    /// 200.
    New {
        /// The body.
        body: String,
        /// Its `ETag`.
        etag: Option<String>,
    },
    /// 304: what the caller named still holds.
    Unchanged,
}

/// Reads an answer. `host` gave it.
pub fn read(answer: BackendAnswer, host: &str) -> Result<Sent<Good>, Failure> {
    match answer.status {
        200 => text(answer, host).map(Sent::Answered),
        304 => Ok(Sent::Answered(Good::Unchanged)),
        401 => Ok(Sent::TokenRefused(refusal(&answer))),
        _ => Err(refusal(&answer)),
    }
}

fn text(mut answer: BackendAnswer, host: &str) -> Result<Good, Failure> {
    let body = String::from_utf8(std::mem::take(&mut *answer.body));
    let body = body.map_err(|_| Failure::temporary(format!("the answer of {host} is not UTF-8")))?;
    Ok(Good::New { body, etag: answer.etag })
}

/// Why the backend did not do what was asked, in its own words where it has some.
fn refusal(answer: &BackendAnswer) -> Failure {
    let BackendAnswer { status, retry_after, ref body, .. } = *answer;
    let fault = Refused { status, retry_after, body }.fault();
    let setting = |hint| Failure::configuration(fault.to_string()).with_hint(hint);
    match status {
        400 | 404 => setting("is CODEX_BASE_URL right, and CODEX_CLIENT_VERSION new enough?"),
        300..=399 => setting("a redirect is never followed"),
        _ => Failure::from(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> BackendAnswer {
        BackendAnswer { status, body: body.as_bytes().to_vec().into(), ..BackendAnswer::default() }
    }

    #[test]
    fn every_refusal_has_its_exit_code_and_words() {
        let page = "<html>Just a moment</html>";
        let workspace = r#"{"detail":{"code":"invalid_workspace_selected"}}"#;
        let limit = r#"{"error":{"type":"x","message":"Slow down.","code":"slow_down"}}"#;
        let cases = [
            (
                400,
                r#"{"detail":"requires a newer version"}"#,
                78,
                "the backend answers 400: requires a newer version; ",
            ),
            (403, page, 75, "the backend answers 403"),
            (403, workspace, 69, "the backend answers 403: invalid_workspace_selected"),
            (404, page, 78, "the backend answers 404; "),
            (301, "", 78, "the backend answers 301; a redirect"),
            (429, limit, 75, "the backend answers 429: Slow down."),
            (500, page, 75, "the backend answers 500"),
            (503, "{", 75, "the backend answers 503"),
        ];
        for (status, body, exit_code, begins) in cases {
            let failure = read(answer(status, body), "b").unwrap_err();
            assert_eq!(failure.class.exit_code(), exit_code, "{status}");
            assert!(failure.to_string().starts_with(begins), "{failure}");
            assert!(!failure.to_string().contains('<'), "{failure}");
        }
    }

    #[test]
    fn only_401_means_the_token() {
        let body = r#"{"error":{"message":"expired","code":"token_expired"}}"#;
        let Ok(Sent::TokenRefused(failure)) = read(answer(401, body), "b") else { panic!("the token was refused") };
        assert_eq!(failure.class.exit_code(), 69);
        assert!(failure.to_string().starts_with("the backend answers 401: expired; "), "{failure}");
    }

    #[test]
    fn retry_after_is_kept() {
        let busy = BackendAnswer { retry_after: Some(Duration::from_secs(7)), ..answer(429, "") };
        assert_eq!(read(busy, "b").unwrap_err().retry_after, Some(Duration::from_secs(7)));
    }
}

//! An answer while it comes in, bounded.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{DATE, HeaderName, RETRY_AFTER};
use serde::de::IgnoredAny;
use time::PrimitiveDateTime;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::provider::RawAnswer;

/// No answer that we want is longer.
pub(super) const LONGEST_BODY: usize = 64 * 1024;

/// What has arrived so far.
pub(super) struct Incoming {
    head: Option<Head>,
    body: Zeroizing<Vec<u8>>,
}

struct Head {
    status: u16,
    date: Option<Timestamp>,
    retry_after: Option<RetryAfter>,
}

enum RetryAfter {
    Span(Duration),
    Moment(Timestamp),
}

/// The body is longer than [`LONGEST_BODY`].
pub(super) struct TooLong;

impl Incoming {
    pub(super) fn nothing() -> Self {
        // As large as it may become: a vector that grew would leave copies of tokens behind.
        Self { head: None, body: Zeroizing::new(Vec::with_capacity(LONGEST_BODY)) }
    }

    pub(super) fn take_head(&mut self, status: hyper::StatusCode, headers: &HeaderMap) {
        self.head = Some(Head {
            status: status.as_u16(),
            date: text(headers, &DATE).and_then(http_date),
            retry_after: text(headers, &RETRY_AFTER).and_then(retry_after),
        });
    }

    /// The body stays as it came. We asked for no encoding, so an encoded one is not readable, and never inflated.
    pub(super) fn take_body(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let room = LONGEST_BODY - self.body.len();
        self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room { Err(TooLong) } else { Ok(()) }
    }

    /// The answer after its proper end.
    pub(super) fn complete(self, received_at: Timestamp) -> Option<RawAnswer> {
        let Head { status, date, retry_after } = self.head?;
        let retry_after = retry_after.map(|when| match when {
            RetryAfter::Span(span) => span,
            // Both moments are the provider's, if it says what time it has.
            RetryAfter::Moment(moment) => moment.since(date.unwrap_or(received_at)),
        });
        Some(RawAnswer { status, retry_after, date, received_at, body: self.body })
    }

    /// The answer after a cut, if nothing is missing: a JSON object says itself where it ends. To throw it away because
    /// a final chunk or a close did not follow would lose the login.
    pub(super) fn complete_object(self, received_at: Timestamp) -> Option<RawAnswer> {
        let is_object = self.body.trim_ascii_start().starts_with(b"{");
        let whole = is_object && serde_json::from_slice::<IgnoredAny>(&self.body).is_ok();
        if whole { self.complete(received_at) } else { None }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn retry_after(text: &str) -> Option<RetryAfter> {
    match text.parse() {
        Ok(seconds) => Some(RetryAfter::Span(Duration::from_secs(seconds))),
        Err(_) => http_date(text).map(RetryAfter::Moment),
    }
}

/// RFC 9110 §5.6.7, the one form that is still written: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let moment = PrimitiveDateTime::parse(text, &format).ok()?;
    Some(Timestamp::from_unix(moment.assume_utc().unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use hyper::header::HeaderValue;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(784_111_777);

    fn answer(headers: &[(HeaderName, &'static str)]) -> RawAnswer {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect::<HeaderMap>();
        let mut incoming = Incoming::nothing();
        incoming.take_head(StatusCode::TOO_MANY_REQUESTS, &headers);
        incoming.complete(NOW).unwrap()
    }

    #[test]
    fn retry_after_is_a_span_in_either_notation() {
        let cases = [
            ("120", Some(120)),
            ("0", Some(0)),
            ("99999999999", Some(99_999_999_999)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(answer(&[(RETRY_AFTER, text)]).retry_after, seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_retry_after_date_counts_from_the_providers_own_date() {
        let answer = answer(&[(RETRY_AFTER, "Sun, 06 Nov 1994 09:00:30 GMT"), (DATE, "Sun, 06 Nov 1994 09:00:00 GMT")]);
        assert_eq!(answer.retry_after, Some(Duration::from_secs(30)));
        assert_eq!(answer.date, Some(NOW + Duration::from_secs(623)));
    }

    #[test]
    fn only_a_whole_object_survives_a_cut() {
        let cases: [(&[u8], bool); 8] = [
            (br#"{"access_token":"a"}"#, true),
            (b" {}\r\n", true),
            (br#"{"access_token":"a""#, false),
            (br#"{"a":1}{"#, false),
            (b"", false),
            (b"429", false),
            (b"\"text\"", false),
            (b"<html>", false),
        ];
        for (body, survives) in cases {
            let mut incoming = Incoming::nothing();
            incoming.take_head(StatusCode::OK, &HeaderMap::new());
            assert!(incoming.take_body(body).is_ok());
            assert_eq!(incoming.complete_object(NOW).is_some(), survives, "{}", body.escape_ascii());
        }
        let mut headless = Incoming::nothing();
        assert!(headless.take_body(b"{}").is_ok());
        assert!(headless.complete_object(NOW).is_none());
    }
}

//! A notice posted to a URL, signed as Standard Webhooks says (<https://www.standardwebhooks.com>): HMAC-SHA-256 over
//! `id.timestamp.body`.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::Notice;
use super::sink::Undelivered;
use crate::clock::Timestamp;
use crate::provider::dial::{BadEndpoint, CallFailed, Dialer, Endpoint};

/// A shorter key could be guessed.
const SHORTEST_KEY: usize = 16;

/// Where notices are posted.
pub struct Webhook {
    dialer: Dialer,
    endpoint: Endpoint,
    key: Option<SigningKey>,
}

/// What signs.
pub struct SigningKey(hmac::Key);

/// A signing key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// `whsec_` is followed by something else than base64.
    #[error("what follows whsec_ is no base64")]
    NoBase64,
    /// Too short.
    #[error("a signing key has at least {SHORTEST_KEY} bytes; make one with: openssl rand -base64 32")]
    Short,
}

impl SigningKey {
    /// `whsec_` and base64, or any text.
    pub fn parse(secret: &Secret) -> Result<Self, BadKey> {
        let text = secret.expose();
        let bytes = Zeroizing::new(match text.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| BadKey::NoBase64)?,
            None => text.as_bytes().to_vec(),
        });
        if bytes.len() < SHORTEST_KEY {
            return Err(BadKey::Short);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The value of `webhook-signature`.
    fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{id}.{}.{body}", at.as_unix()).as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

impl Webhook {
    /// `url` may be a secret itself: it is never told, only its host is.
    pub fn new(dialer: Dialer, url: &Secret, key: Option<SigningKey>) -> Result<Self, BadEndpoint> {
        Ok(Self { dialer, endpoint: Endpoint::parse(url.expose())?, key })
    }

    /// The host, for people.
    pub fn host(&self) -> String {
        self.endpoint.to_string()
    }

    /// Posts it. Only 2xx means that it was taken; a redirect is not followed.
    pub async fn deliver(&self, notice: &Notice, now: Timestamp) -> Result<(), Undelivered> {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", notice.id.clone()),
            ("webhook-timestamp", now.as_unix().to_string()),
        ];
        if let Some(key) = &self.key {
            headers.push(("webhook-signature", key.sign(&notice.id, now, &notice.body)));
        }
        match self.dialer.notify(&self.endpoint, &headers, notice.body.clone().into_bytes()).await {
            Ok(answer) => verdict(answer.status, &self.endpoint.to_string()),
            Err(CallFailed::Unsent(unsent)) => Err(Undelivered::Failed(unsent.0)),
            Err(CallFailed::NoAnswer(why)) => Err(Undelivered::Failed(format!("{}: {why}", self.endpoint))),
        }
    }
}

/// 408 and 429 say nothing about the notice, any other 4xx does.
fn verdict(status: u16, who: &str) -> Result<(), Undelivered> {
    match status {
        200..300 => Ok(()),
        300..400 => Err(Undelivered::Failed(format!("{who} answered {status}, and redirects are not followed"))),
        400..500 if status != 408 && status != 429 => Err(Undelivered::Refused(format!("{who} answered {status}"))),
        _ => Err(Undelivered::Failed(format!("{who} answered {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute_too() {
        // The example of the Standard Webhooks specification's reference libraries.
        let key = SigningKey::parse(&Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let at = Timestamp::from_unix(1_614_265_330);
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_status_says_whether_it_is_about_the_notice() {
        let refused = |status| matches!(verdict(status, "w"), Err(Undelivered::Refused(_)));
        let failed = |status| matches!(verdict(status, "w"), Err(Undelivered::Failed(_)));
        assert!([200, 204, 299].iter().all(|status| verdict(*status, "w").is_ok()));
        assert!([400, 401, 404, 410, 413, 422, 499].into_iter().all(refused));
        assert!([100, 302, 408, 429, 500, 503].into_iter().all(failed));
    }

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        assert_eq!(SigningKey::parse(&Secret::new("fifteen-letters")).err(), Some(BadKey::Short));
        assert_eq!(SigningKey::parse(&Secret::new("whsec_c2hvcnQ=")).err(), Some(BadKey::Short));
        assert_eq!(SigningKey::parse(&Secret::new("whsec_no base64")).err(), Some(BadKey::NoBase64));
        assert!(SigningKey::parse(&Secret::new("sixteen-letters-")).is_ok());
    }
}

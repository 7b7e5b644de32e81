//! Proof key for code exchange (RFC 7636): who redeems a code is who asked for it.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What was asked with: `S256` of a verifier that only the asker knows. The method `plain` is refused, because it shows
/// the verifier to whoever sees the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge([u8; 32]);

/// Why a challenge is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedChallenge {
    /// There is none, or it is of another method.
    #[error("code_challenge_method must be S256")]
    Method,
    /// It is no SHA-256.
    #[error("code_challenge must be the base64url of a SHA-256, 43 characters")]
    Text,
}

impl Challenge {
    /// Reads the two parameters.
    pub fn parse(text: &str, method: Option<&str>) -> Result<Self, MalformedChallenge> {
        if method != Some("S256") {
            return Err(MalformedChallenge::Method);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or(MalformedChallenge::Text)
    }

    /// As it was written.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Whether this verifier (43 to 128 unreserved characters) is the one.
    pub fn is_met_by(self, verifier: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(plain);
        let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
        well_formed && aws_lc_rs::constant_time::verify_slices_are_equal(hash.as_ref(), &self.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_rfcs_own_verifier_meets_its_challenge_and_no_other_does() {
        let challenge = Challenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert!(challenge.is_met_by(VERIFIER));
        assert_eq!(challenge.to_text(), CHALLENGE);
        let other = VERIFIER.replace('d', "e");
        for verifier in [&other, "", &VERIFIER[1..], CHALLENGE, &"a".repeat(129), &format!("{VERIFIER} ")] {
            assert!(!challenge.is_met_by(verifier), "{verifier}");
        }
    }

    #[test]
    fn plain_and_no_method_at_all_are_refused() {
        for method in [None, Some("plain"), Some("s256"), Some("")] {
            assert_eq!(Challenge::parse(CHALLENGE, method), Err(MalformedChallenge::Method), "{method:?}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in ["", "abc", &CHALLENGE[1..], &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+")] {
            assert_eq!(Challenge::parse(text, Some("S256")), Err(MalformedChallenge::Text), "{text}");
        }
    }
}

//! A broker is known by its public key: the handshake's signature proves that it has the private one; who signed the
//! certificate, its name and its dates add nothing to that.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::hex;

/// SHA-256 of a certificate's `SubjectPublicKeyInfo`, written `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// The text is no [`Pin`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pin is sha256: and 64 hexadecimal digits, as 'scorpiox-broker admin key add' prints it")]
pub struct BadPin;

impl FromStr for Pin {
    type Err = BadPin;

    fn from_str(text: &str) -> Result<Self, BadPin> {
        let digits = text.strip_prefix("sha256:").ok_or(BadPin)?;
        hex::decode_exact(&digits.to_ascii_lowercase()).map(Self).ok_or(BadPin)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", *hex::encode(&self.0))
    }
}

/// Accepts exactly the certificates with the pinned public key.
#[derive(Debug)]
pub(super) struct Pinned {
    pin: Pin,
    /// What was met instead: the TLS library's error does not say it in words.
    met: OnceLock<Pin>,
    provider: CryptoProvider,
}

impl Pinned {
    pub(super) fn to(pin: Pin) -> Arc<Self> {
        Arc::new(Self { pin, met: OnceLock::new(), provider: rustls::crypto::aws_lc_rs::default_provider() })
    }
}

impl Pinned {
    /// The key that was met in place of the pinned one.
    pub(super) fn met(&self) -> Option<Pin> {
        self.met.get().copied()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let public_key = ParsedCertificate::try_from(leaf)?.subject_public_key_info();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &public_key);
        let seen = Pin(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"));
        if seen == self.pin {
            return Ok(ServerCertVerified::assertion());
        }
        // The first one is told; whoever answers with several keys is not the broker either.
        let _ = self.met.set(seen);
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_sha256_and_64_digits() {
        let text = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(text.parse::<Pin>().unwrap().to_string(), text);
        assert_eq!(text.to_ascii_uppercase().replace("SHA", "sha").parse::<Pin>().unwrap().to_string(), text);
        for wrong in ["", "sha256:", &text[..70], &text[7..], &format!("{text}0"), &text.replace('f', "g")] {
            assert_eq!(wrong.parse::<Pin>(), Err(BadPin), "{wrong}");
        }
    }
}

//! The certificate of a broker that nobody gave one.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::CertificateError;
use crate::clock::Timestamp;
use crate::durable_file;

/// Ten years: clients pin the key, so an early end would add no safety and one outage.
const LIFE: Duration = Duration::days(3650);
/// Clients whose clock is a little behind accept it too.
const HEAD_START: Duration = Duration::days(1);

/// The certificate and key of `directory`, made for `host`, `localhost` and the loopback addresses if they are not there.
///
/// What is there is kept, whatever its names: clients have pinned its key. Both files are 0600 and on disk when this
/// returns, the key first, so that a stop in between leads to the same key.
pub fn self_signed(host: &str, directory: &Path, now: Timestamp) -> Result<(PathBuf, PathBuf), CertificateError> {
    let (certificate, key) = (directory.join("tls-certificate.pem"), directory.join("tls-key.pem"));
    if !certificate.exists() {
        let pair = key_pair(&key)?;
        let pem = issue(host, &pair, now).map_err(|error| content(&certificate, &error))?;
        durable_file::create_new(&certificate, pem.as_bytes()).map_err(|source| file(&certificate, source))?;
    }
    Ok((certificate, key))
}

fn key_pair(path: &Path) -> Result<KeyPair, CertificateError> {
    if path.exists() {
        let pem = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|source| file(path, source))?;
        return KeyPair::from_pem(&pem).map_err(|error| content(path, &error));
    }
    let pair = KeyPair::generate().map_err(|error| content(path, &error))?;
    let pem = Zeroizing::new(pair.serialize_pem());
    durable_file::create_new(path, pem.as_bytes()).map_err(|source| file(path, source))?;
    Ok(pair)
}

fn issue(host: &str, pair: &KeyPair, now: Timestamp) -> Result<String, rcgen::Error> {
    let mut names: Vec<String> = vec![host.to_owned()];
    names.extend(["localhost", "127.0.0.1", "::1"].into_iter().filter(|name| *name != host).map(str::to_owned));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, format!("scorpiox-broker {host}"));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = OffsetDateTime::from_unix_timestamp(now.as_unix()).map_err(|_| rcgen::Error::Time)?;
    params.not_before = now - HEAD_START;
    params.not_after = now + LIFE;
    Ok(params.self_signed(pair)?.pem())
}

fn file(path: &Path, source: std::io::Error) -> CertificateError {
    CertificateError::File { path: path.to_owned(), source }
}

fn content(path: &Path, error: &rcgen::Error) -> CertificateError {
    CertificateError::Content { path: path.to_owned(), reason: error.to_string() }
}

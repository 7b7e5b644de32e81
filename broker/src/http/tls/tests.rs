use std::os::unix::fs::MetadataExt;

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn made(host: &str) -> (tempfile::TempDir, Arc<ReloadableCertificate>) {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = self_signed(host, directory.path(), NOW).unwrap();
    let loaded = ReloadableCertificate::load(certificate, key).unwrap();
    (directory, loaded)
}

#[test]
fn the_self_signed_certificate_lasts_ten_years_and_its_key_is_private() {
    let (directory, certificate) = made("broker.example");
    assert_eq!(certificate.ends_at().as_unix(), NOW.as_unix() + 3650 * 86400);
    assert_eq!(std::fs::metadata(directory.path().join("tls-key.pem")).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn the_pin_is_the_hash_of_the_public_key_info() {
    let (directory, certificate) = made("broker.example");
    let pem = std::fs::read_to_string(directory.path().join("tls-key.pem")).unwrap();
    // An independent reading: rcgen writes the SubjectPublicKeyInfo of the pair itself.
    let pair = rcgen::KeyPair::from_pem(&pem).unwrap();
    let expected = pin_of(&rcgen::PublicKeyData::subject_public_key_info(&pair));
    assert_eq!(certificate.pin(), expected);
    assert_eq!(certificate.pin().len(), "sha256:".len() + 64);
}

#[test]
fn a_second_start_keeps_the_key_that_clients_have_pinned() {
    let (directory, certificate) = made("broker.example");
    std::fs::remove_file(directory.path().join("tls-certificate.pem")).unwrap();
    let (again, key) = self_signed("other.example", directory.path(), NOW).unwrap();
    assert_eq!(ReloadableCertificate::load(again, key).unwrap().pin(), certificate.pin());
}

#[test]
fn a_reload_takes_what_is_new_and_keeps_the_old_when_the_new_is_bad() {
    let (directory, certificate) = made("broker.example");
    let (other, _) = made("broker.example");
    let copy = |name: &str| std::fs::copy(other.path().join(name), directory.path().join(name)).unwrap();
    let before = certificate.pin();
    assert_eq!(certificate.reload().unwrap(), Reload::Unchanged);

    copy("tls-certificate.pem");
    let error = certificate.reload().unwrap_err().to_string();
    assert!(error.contains("tls-key.pem: cannot be used with the certificate"), "{error}");
    assert_eq!(certificate.pin(), before, "a certificate whose key is missing is not served");

    copy("tls-key.pem");
    assert_eq!(certificate.reload().unwrap(), Reload::Replaced);
    assert_ne!(certificate.pin(), before);

    let after = certificate.pin();
    for (name, text) in [("tls-certificate.pem", "nonsense"), ("tls-certificate.pem", "")] {
        std::fs::write(directory.path().join(name), text).unwrap();
        assert!(certificate.reload().is_err());
    }
    std::fs::remove_file(directory.path().join("tls-certificate.pem")).unwrap();
    assert!(certificate.reload().is_err());
    assert_eq!(certificate.pin(), after);
}

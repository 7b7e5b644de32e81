//! The keys and hashed names were made by OpenSSH's `ssh-keygen`.

use super::*;

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFstjVqOO9WNR9FcYavwTdFtF/JoDnqN3OdHSps6C5CQ";
const ANOTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO2DI5IeLNWFOew6tPS4tf2Lc6mAwuuNhjyrAr576raQ";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAYOFSHOAcvfPyAbnxOYZg+y3AGP+2G3X1zmpSw6JXIXLcZot5DxOY4Kx61FNbMdzie+1bURkRSw01dx0aNe9I0=";
/// `vault` and `[vault]:2222`.
const HASHED: &str = "|1|erZI8DAymXzpUzP+2IzzoSB7vUA=|My+igZpzI436N5gT+53Os9xE6Cw=";
const HASHED_WITH_PORT: &str = "|1|cDUXu2kr1issdEwtcG5xcWH4gPc=|XqEA/VtD/TuWOFQA+OGF48Hksao=";

fn key(line: &str) -> PublicKey {
    PublicKey::from_wire(&STANDARD.decode(line.split(' ').nth(1).unwrap()).unwrap()).unwrap()
}

fn known(text: &str, name: &HostName) -> KnownKeys {
    KnownKeys::of(name, &[KnownHostsFile { path: "/kh".into(), text: text.to_owned() }])
}

fn verdict(text: &str, host: &str, port: u16, shown: &str) -> Verdict {
    known(text, &HostName::new(host, port)).judge(&key(shown))
}

fn at(line: usize) -> Place {
    Place { path: "/kh".into(), line }
}

#[test]
fn a_fingerprint_is_what_ssh_keygen_says() {
    assert_eq!(key(ED25519).fingerprint(), "SHA256:8Ncagy0Yrl1cJfStBo9BFM3zgqL8hvVNd98Y44th13Q");
}

#[test]
fn a_name_is_found_in_each_of_its_forms() {
    let cases = [
        ("vault", "vault", 22),
        ("other,vault", "vault", 22),
        ("VAULT", "vault", 22),
        ("*.example.org", "a.example.org", 22),
        ("10.0.0.?", "10.0.0.7", 22),
        ("[vault]:2222", "vault", 2222),
        ("[*.example.org]:2222", "a.example.org", 2222),
        (HASHED, "vault", 22),
        (HASHED_WITH_PORT, "vault", 2222),
        ("vault", "vault", 2222),
        (HASHED, "vault", 2222),
    ];
    for (names, host, port) in cases {
        assert_eq!(verdict(&format!("{names} {ED25519} remark"), host, port, ED25519), Verdict::Known, "{names}");
    }
}

#[test]
fn what_is_not_about_the_host_leaves_it_unknown() {
    let lines = [
        String::new(),
        format!("# vault {ED25519}"),
        format!("#vault {ED25519}"),
        format!("other {ED25519}"),
        format!("[vault]:2222 {ED25519}"),
        format!("*,!vault {ED25519}"),
        format!("{HASHED_WITH_PORT} {ED25519}"),
        format!("|1|AAAA {ED25519}"),
        format!("@cert-authority vault {ED25519}"),
        format!("@something vault {ED25519}"),
        "vault ssh-ed25519".to_owned(),
        "vault ssh-ed25519 !!!".to_owned(),
        format!("vault ssh-rsa {}", ED25519.split(' ').nth(1).unwrap()),
        // SSH 1.
        "vault 2048 65537 1234567890".to_owned(),
    ];
    for line in lines {
        assert_eq!(verdict(&line, "vault", 22, ED25519), Verdict::Unknown, "{line}");
    }
}

#[test]
fn another_key_of_the_same_type_is_a_change_and_names_its_line() {
    let text = format!("# first\nvault {ECDSA}\nvault {ANOTHER}\n");
    assert_eq!(verdict(&text, "vault", 22, ED25519), Verdict::Changed(at(3)));
    assert_eq!(verdict(&text, "vault", 22, ECDSA), Verdict::Known);
    assert_eq!(verdict(&format!("{HASHED} {ANOTHER}"), "vault", 22, ED25519), Verdict::Changed(at(1)));
    let both = format!("vault {ANOTHER}\n*  {ED25519}");
    assert_eq!(verdict(&both, "vault", 22, ED25519), Verdict::Known, "a host may have two while it changes them");
}

#[test]
fn a_key_of_a_type_that_nobody_knows_is_not_taken_for_one_that_is_known() {
    assert_eq!(verdict(&format!("vault {ECDSA}"), "vault", 22, ED25519), Verdict::OtherTypes(at(1)));
    let name = HostName::new("vault", 22);
    let text = format!("vault {ECDSA}\n@revoked vault {ED25519}\nother {ED25519}");
    assert_eq!(known(&text, &name).types().collect::<Vec<_>>(), ["ecdsa-sha2-nistp256"]);
}

#[test]
fn a_revoked_key_is_refused_wherever_it_stands() {
    for text in [format!("vault {ED25519}\n@revoked * {ED25519}"), format!("@revoked vault {ED25519}\nvault {ED25519}")]
    {
        assert!(matches!(verdict(&text, "vault", 22, ED25519), Verdict::Revoked(_)), "{text}");
        assert!(matches!(verdict(&text, "vault", 2222, ED25519), Verdict::Revoked(_)), "{text}");
    }
    assert_eq!(verdict(&format!("@revoked vault {ED25519}"), "vault", 22, ANOTHER), Verdict::Unknown);
}

#[test]
fn a_key_under_the_name_without_its_port_is_known_but_never_a_change() {
    assert_eq!(verdict(&format!("vault {ANOTHER}"), "vault", 2222, ED25519), Verdict::Unknown);
    let text = format!("vault {ED25519}\n[vault]:2222 {ANOTHER}");
    assert_eq!(verdict(&text, "vault", 2222, ED25519), Verdict::Changed(at(2)));
}

#[test]
fn the_line_to_add_makes_the_host_known() {
    for (host, port) in [("vault", 22), ("127.0.0.1", 2222), ("::1", 22), ("::1", 2222)] {
        let name = HostName::new(host, port);
        let line = key(ECDSA).line(name.as_str());
        assert_eq!(known(&line, &name).judge(&key(ECDSA)), Verdict::Known, "{line}");
    }
}

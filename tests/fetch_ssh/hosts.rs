//! Which machine is the right one: decided by its key, before anything is said to it.

use std::fs;
use std::process::Command;

use scorpiox_tests::ssh::{Kind, Plan};

use super::Laptop;

#[test]
fn hosts_with_each_type_of_key_are_known() {
    for kind in [Kind::Ed25519, Kind::Ecdsa, Kind::Rsa] {
        let Some(laptop) = Laptop::with_key(&Plan::default().host_keys(&[kind])) else { return };
        laptop.gets_token();
    }
}

#[test]
fn a_host_that_has_other_keys_too_shows_the_one_that_is_known() {
    let plan = Plan::default().host_keys(&[Kind::Ed25519, Kind::Ecdsa, Kind::Rsa]);
    let Some(laptop) = Laptop::with_key(&plan) else { return };
    let lines = laptop.sshd.known_hosts();
    for line in lines.lines() {
        laptop.known_hosts(line);
        laptop.gets_token();
    }
}

#[test]
fn a_hashed_line_is_known_and_so_is_a_wildcard() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    let file = laptop.path(".ssh/known_hosts");
    let hashed = Command::new("ssh-keygen").arg("-q").arg("-H").arg("-f").arg(&file).output().unwrap();
    assert!(hashed.status.success() && fs::read_to_string(&file).unwrap().starts_with("|1|"));
    laptop.gets_token();
    laptop.known_hosts(&laptop.sshd.known_hosts().replace("[127.0.0.1]", "[127.0.0.*]"));
    laptop.gets_token();
}

#[test]
fn an_unknown_host_is_refused_with_its_fingerprint_and_the_line_that_makes_it_known() {
    for kind in [Kind::Ed25519, Kind::Rsa] {
        let Some(laptop) = Laptop::with_key(&Plan::default().host_keys(&[kind])) else { return };
        let line = laptop.sshd.known_hosts();
        let shown = laptop.sshd.path("host_key_0.pub");
        let fingerprint = Command::new("ssh-keygen").arg("-lf").arg(shown).output().unwrap();
        let fingerprint = String::from_utf8(fingerprint.stdout).unwrap();
        let fingerprint = fingerprint.split(' ').nth(1).unwrap();
        fs::remove_file(laptop.path(".ssh/known_hosts")).unwrap();
        let file = laptop.path(".ssh/known_hosts");
        laptop.is_refused(78, &["127.0.0.1 is unknown", fingerprint, line.trim(), file.to_str().unwrap()]);
        assert_eq!(laptop.sshd.attempts(), 0);
        laptop.known_hosts(&line);
        laptop.gets_token();
    }
}

#[test]
fn a_changed_host_key_is_refused_before_any_attempt_to_log_in() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    let laptop = laptop.with("CODEX_SSH_PASS", "hunter2");
    let other = laptop.key(Kind::Ed25519, "other", "");
    laptop.known_hosts(&format!("# a remark\n[127.0.0.1]:{} {}\n", laptop.sshd.port(), other.public));
    laptop.is_refused(77, &["HAS CHANGED", ".ssh/known_hosts, line 2", "SHA256:"]);
    let other = laptop.key(Kind::Rsa, "another", "");
    laptop.known_hosts(&format!("[127.0.0.1]:{} {}\n", laptop.sshd.port(), other.public));
    laptop.is_refused(77, &["HAS CHANGED", "of another type"]);
    assert_eq!(laptop.sshd.attempts(), 0, "{}", laptop.sshd.log());
}

#[test]
fn a_revoked_host_key_is_refused_although_it_is_known() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    let known = laptop.sshd.known_hosts();
    laptop.known_hosts(&format!("{known}@revoked * {}", known.split_once(' ').unwrap().1));
    laptop.is_refused(77, &["was revoked", "line 2"]);
    assert_eq!(laptop.sshd.attempts(), 0);
}

#[test]
fn only_the_chosen_file_of_known_hosts_counts() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    fs::write(laptop.path("mine"), laptop.sshd.known_hosts()).unwrap();
    laptop.known_hosts("");
    let mine = laptop.path("mine");
    let laptop = laptop.with("CODEX_SSH_KNOWN_HOSTS", mine.to_str().unwrap());
    laptop.gets_token();
    fs::write(laptop.path("mine"), "").unwrap();
    laptop.known_hosts(&laptop.sshd.known_hosts());
    laptop.is_refused(78, &["/mine: "]);
}

#[test]
fn the_users_ssh_config_leads_to_the_host() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    fs::rename(laptop.path(".ssh/id_ed25519"), laptop.path(".ssh/vault-key")).unwrap();
    let port = laptop.sshd.port();
    let config = format!("Host vault\n HostName 127.0.0.1\n Port {port}\n User ann\n IdentityFile ~/.ssh/vault-key\n");
    fs::write(laptop.path(".ssh/config"), config).unwrap();
    let machine = laptop.machine.without("CODEX_SSH_PORT").without("CODEX_SSH_USER").with("CODEX_SSH_HOST", "vault");
    Laptop { machine, sshd: laptop.sshd }.gets_token();
}

//! How we log in: each way once.

use scorpiox_tests::ssh::{Agent, Kind, PASSWORD, Plan};

use super::Laptop;

#[test]
fn a_password_from_the_settings_or_from_a_file_logs_in() {
    let Some(laptop) = Laptop::of(&Plan::default().option("PasswordAuthentication yes")) else { return };
    let file = laptop.secret_file("pw", &format!("{PASSWORD}\n"));
    let laptop = laptop.with("CODEX_SSH_PASS", PASSWORD);
    laptop.gets_token();
    let laptop = laptop.with("CODEX_SSH_PASS", "").with("CODEX_SSH_PASS_FILE", &file);
    laptop.gets_token();
}

#[test]
fn the_password_answers_a_single_hidden_question() {
    let Some(laptop) = Laptop::of(&Plan::default().option("KbdInteractiveAuthentication yes")) else { return };
    laptop.with("CODEX_SSH_PASS", PASSWORD).gets_token();
}

#[test]
fn a_wrong_password_is_tried_exactly_once() {
    let both = Plan::default().option("PasswordAuthentication yes").option("KbdInteractiveAuthentication yes");
    let questions = Plan::default().option("KbdInteractiveAuthentication yes");
    for plan in [both, questions] {
        let Some(laptop) = Laptop::of(&plan) else { return };
        let laptop = laptop.with("CODEX_SSH_PASS", "hunter2");
        let line = laptop.is_refused(77, &["did not let ann in", "password"]);
        assert!(!line.contains("hunter2"), "{line}");
        assert_eq!(laptop.sshd.awaited_attempts(), 1, "{}", laptop.sshd.log());
    }
}

#[test]
fn keys_of_each_type_log_in() {
    for (kind, name) in [(Kind::Ed25519, "id_ed25519"), (Kind::Ecdsa, "id_ecdsa"), (Kind::Rsa, "id_rsa")] {
        let Some(laptop) = Laptop::of(&Plan::default()) else { return };
        laptop.sshd.authorize(&laptop.key(kind, &format!(".ssh/{name}"), ""));
        laptop.gets_token();
    }
}

#[test]
fn an_encrypted_key_is_opened_by_the_password() {
    let Some(laptop) = Laptop::of(&Plan::default()) else { return };
    let key = laptop.key(Kind::Ed25519, "locked", "open sesame");
    laptop.sshd.authorize(&key);
    let locked = laptop.path("locked");
    let laptop = laptop.with("CODEX_SSH_KEY_FILE", locked.to_str().unwrap());
    laptop.is_refused(78, &["needs a passphrase"]);
    let laptop = laptop.with("CODEX_SSH_PASS", "wrong");
    laptop.is_refused(78, &["cannot be opened"]);
    assert_eq!(laptop.sshd.attempts(), 0);
    laptop.with("CODEX_SSH_PASS", "open sesame").gets_token();
}

#[test]
fn a_real_agent_signs() {
    for kind in [Kind::Ed25519, Kind::Rsa, Kind::Ecdsa] {
        let Some(laptop) = Laptop::of(&Plan::default()) else { return };
        let agent = Agent::start(laptop.sshd.path("").as_path());
        let key = laptop.key(kind, "in-agent", "");
        agent.add(&key);
        std::fs::remove_file(&key.path).unwrap();
        laptop.sshd.authorize(&key);
        laptop.with("SSH_AUTH_SOCK", agent.socket()).gets_token();
    }
}

#[test]
fn a_key_that_the_server_does_not_know_is_shown_once() {
    let Some(laptop) = Laptop::of(&Plan::default()) else { return };
    laptop.key(Kind::Ed25519, ".ssh/id_ed25519", "");
    laptop.is_refused(77, &["did not let ann in", "id_ed25519"]);
    assert_eq!(laptop.sshd.awaited_attempts(), 1, "{}", laptop.sshd.log());
}

#[test]
fn with_nothing_to_log_in_with_the_settings_are_named() {
    let Some(laptop) = Laptop::of(&Plan::default()) else { return };
    laptop.is_refused(78, &["nothing to log in with", "publickey", "CODEX_SSH_KEY_FILE"]);
}

#[test]
fn no_secret_stands_in_what_is_said() {
    let Some(laptop) = Laptop::of(&Plan::default().option("PasswordAuthentication yes")) else { return };
    let laptop = laptop.with("CODEX_SSH_PASS", PASSWORD);
    let fetched = laptop.machine.run(&["--verbose"]);
    assert_eq!(fetched.code, 0, "{fetched:?}");
    assert!(!fetched.stderr.contains(PASSWORD) && !fetched.stderr.contains("far-token"), "{fetched:?}");
    assert!(fetched.stderr.contains("logged in at 127.0.0.1 with password"), "{fetched:?}");
}

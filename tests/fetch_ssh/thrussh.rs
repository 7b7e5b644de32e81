//! The same over thrussh, where it can; what it cannot do it says.

use scorpiox_tests::component;
use scorpiox_tests::ssh::{Agent, Kind, PASSWORD, Plan};

use super::{LINE, Laptop};

const COMMAND: &str = "scorpiox-codex-fetchtoken";

/// `None` without the program or the server; that was said.
fn laptop(plan: &Plan) -> Option<Laptop> {
    let program = component::require("thrussh")?;
    let Laptop { machine, sshd } = Laptop::of(plan)?;
    Some(Laptop { machine: machine.with_program(&program), sshd })
}

fn with_key(plan: &Plan) -> Option<Laptop> {
    let laptop = laptop(plan)?;
    laptop.sshd.authorize(&laptop.key(Kind::Ed25519, ".ssh/id_ed25519", ""));
    Some(laptop)
}

#[test]
fn a_key_an_encrypted_key_and_an_agent_log_in() {
    let Some(laptop) = with_key(&Plan::default()) else { return };
    laptop.gets_token();
    let locked = laptop.key(Kind::Ed25519, "locked", "open sesame");
    laptop.sshd.authorize(&locked);
    let path = laptop.path("locked");
    let laptop = laptop.with("CODEX_SSH_KEY_FILE", path.to_str().unwrap()).with("CODEX_SSH_PASS", "open sesame");
    laptop.gets_token();
    let laptop = laptop.with("CODEX_SSH_KEY_FILE", "").with("CODEX_SSH_PASS", "");
    let agent = Agent::start(laptop.sshd.path("").as_path());
    let key = laptop.key(Kind::Ed25519, "in-agent", "");
    agent.add(&key);
    std::fs::remove_file(&key.path).unwrap();
    laptop.sshd.authorize(&key);
    laptop.with("SSH_AUTH_SOCK", agent.socket()).gets_token();
}

#[test]
fn a_password_logs_in_and_a_wrong_one_is_tried_once() {
    let Some(laptop) = laptop(&Plan::default().option("PasswordAuthentication yes")) else { return };
    let laptop = laptop.with("CODEX_SSH_PASS", "hunter2");
    laptop.is_refused(77, &["did not let ann in", "password"]);
    assert_eq!(laptop.sshd.awaited_attempts(), 1, "{}", laptop.sshd.log());
    laptop.with("CODEX_SSH_PASS", PASSWORD).gets_token();
}

#[test]
fn the_host_key_decides_before_any_attempt_to_log_in() {
    let Some(laptop) = with_key(&Plan::default()) else { return };
    let known = laptop.sshd.known_hosts();
    laptop.known_hosts("");
    laptop.is_refused(78, &["127.0.0.1 is unknown", known.trim()]);
    let other = laptop.key(Kind::Ed25519, "other", "");
    laptop.known_hosts(&format!("[127.0.0.1]:{} {}\n", laptop.sshd.port(), other.public));
    laptop.is_refused(77, &["HAS CHANGED", "line 1"]);
    laptop.known_hosts(&format!("{known}@revoked * {}", known.split_once(' ').unwrap().1));
    laptop.is_refused(77, &["was revoked"]);
    assert_eq!(laptop.sshd.attempts(), 0, "{}", laptop.sshd.log());
}

#[test]
fn what_it_cannot_do_is_said() {
    for kind in [Kind::Rsa, Kind::Ecdsa] {
        let Some(laptop) = with_key(&Plan::default().host_keys(&[kind])) else { return };
        laptop.is_refused(78, &["built with thrussh, which knows ed25519 keys only"]);
    }
    let Some(laptop) = laptop(&Plan::default()) else { return };
    laptop.sshd.authorize(&laptop.key(Kind::Ecdsa, ".ssh/id_ecdsa", ""));
    laptop.is_refused(78, &["id_ecdsa", "built with thrussh"]);
}

#[test]
fn output_is_bounded_and_counts_only_with_an_exit_status() {
    let Some(laptop) = with_key(&Plan::default()) else { return };
    laptop.sshd.install(COMMAND, "exec cat /dev/zero");
    laptop.is_refused(78, &["64 KiB"]);
    laptop.sshd.install(COMMAND, &format!("echo '{LINE}'; kill -9 $PPID $$"));
    laptop.is_refused(75, &["does not count"]);
    laptop.sshd.install(COMMAND, "exec sleep 15");
    laptop.is_refused(75, &["took longer than 3.5 s"]);
}

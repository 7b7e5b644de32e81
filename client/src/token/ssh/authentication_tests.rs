use std::path::PathBuf;

use scorpiox_wire::Secret;

use super::super::fake_session::FakeSession;
use super::super::key_file::tests::openssh_key;
use super::*;
use crate::settings::ssh::{FarCommand, Identities};

use Method::{KeyboardInteractive, Password, PublicKey as Keys};

/// A home directory with keys; none is a real one, which nobody here looks at.
struct Home(tempfile::TempDir);

impl Home {
    fn new(keys: &[(&str, &str)]) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let home = Self(tempfile::tempdir().unwrap());
        for (name, text) in keys {
            std::fs::write(home.path(name), text).unwrap();
            std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self, files: KeyFiles, password: Option<&str>) -> SshSettings {
        SshSettings {
            called: "vault".into(),
            host: "vault".into(),
            port: 22,
            host_key_alias: None,
            user: "ann".into(),
            password: password.map(Secret::new),
            identities: Identities { files, agent: Some("/agent".into()) },
            known_hosts: Vec::new(),
            command: FarCommand::Usual,
        }
    }
}

fn agent_key(kind: &str) -> PublicKey {
    let mut wire = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    wire.extend_from_slice(kind.as_bytes());
    wire.push(7);
    PublicKey::from_wire(&wire).unwrap()
}

/// What was tried, and the message when nothing helped.
fn run(session: &mut FakeSession, settings: &SshSettings) -> (Vec<String>, Option<(u8, String)>) {
    let outcome = log_in(session, settings, &mut Talk::default());
    let failure = outcome.err().map(|trouble| {
        let name = super::super::known_hosts::HostName::new("vault", 22);
        let failure = trouble.into_failure(settings, &name, std::time::Duration::from_secs(10));
        (failure.class.exit_code(), failure.to_string())
    });
    (std::mem::take(&mut session.attempts), failure)
}

#[test]
fn keys_go_before_the_agent_and_the_agent_before_the_password() {
    let home = Home::new(&[("a", "x"), ("b", "x")]);
    let settings = home.settings(KeyFiles::Named(vec![home.path("a"), home.path("gone")]), Some("pw"));
    let mut session = FakeSession { agent: vec![agent_key("k1")], takes: "password pw".into(), ..Default::default() };
    let expected = ["file a with passphrase", "agent k1", "password pw"];
    assert_eq!(run(&mut session, &settings), (expected.map(str::to_owned).to_vec(), None));
}

#[test]
fn only_what_the_server_takes_is_tried() {
    let home = Home::new(&[("a", "x")]);
    let settings = home.settings(KeyFiles::Named(vec![home.path("a")]), Some("pw"));
    let cases = [
        (vec![Password], vec!["password pw"]),
        (vec![Keys], vec!["file a with passphrase"]),
        (vec![KeyboardInteractive], vec!["questions pw"]),
        (vec![Password, KeyboardInteractive], vec!["password pw"]),
        (vec![], vec![]),
    ];
    for (offered, expected) in cases {
        let mut session = FakeSession { offered: Some(offered.clone()), ..Default::default() };
        let (attempts, failure) = run(&mut session, &settings);
        assert_eq!(attempts, expected, "{offered:?}: a refused password is not tried again by another method");
        assert_eq!(failure.unwrap().0, if expected.is_empty() { 78 } else { 77 }, "{offered:?}");
    }
}

#[test]
fn no_more_than_three_keys_are_shown() {
    let home = Home::new(&[]);
    let settings = home.settings(KeyFiles::Named(Vec::new()), Some("pw"));
    let agent = ["k1", "k2", "k3", "k4", "k5"].map(agent_key).to_vec();
    let mut session = FakeSession { agent, takes: "password pw".into(), ..Default::default() };
    assert_eq!(run(&mut session, &settings).0, ["agent k1", "agent k2", "agent k3", "password pw"]);
}

#[test]
fn a_server_that_hangs_up_after_a_refusal_has_refused() {
    let home = Home::new(&[]);
    let settings = home.settings(KeyFiles::Named(Vec::new()), Some("pw"));
    let agent = vec![agent_key("k1")];
    let mut session = FakeSession { agent: agent.clone(), hangs_up_at: Some(2), ..Default::default() };
    let (code, line) = run(&mut session, &settings).1.unwrap();
    assert!(code == 77 && line.contains("password (closed)"), "{line}");
    let mut session = FakeSession { agent, hangs_up_at: Some(1), ..Default::default() };
    assert_eq!(run(&mut session, &settings).1.unwrap().0, 75, "nothing was refused yet: the line may be cut");
}

#[test]
fn a_chosen_key_is_the_only_one_and_must_be_there() {
    let home = Home::new(&[("a", "x")]);
    let mut session = FakeSession { agent: vec![agent_key("k1")], ..Default::default() };
    let (attempts, failure) = run(&mut session, &home.settings(KeyFiles::Chosen(home.path("a")), None));
    assert_eq!(attempts, ["file a"]);
    assert_eq!(failure.unwrap().0, 77);
    let (attempts, failure) = run(&mut session, &home.settings(KeyFiles::Chosen(home.path("gone")), None));
    assert!(attempts.is_empty());
    let (code, line) = failure.unwrap();
    assert!(code == 78 && line.starts_with("CODEX_SSH_KEY_FILE") && line.contains("gone"), "{line}");
}

#[test]
fn a_locked_key_is_opened_by_the_agent_that_holds_it_or_by_the_password() {
    let public = agent_key("k2");
    let home = Home::new(&[("locked", &openssh_key("aes256-ctr", public.as_wire()))]);

    let mut session = FakeSession { agent: vec![agent_key("k1"), public], ..Default::default() };
    let chosen = || KeyFiles::Chosen(home.path("locked"));
    assert_eq!(run(&mut session, &home.settings(chosen(), None)).0, ["agent k2"]);
    session.agent.clear();
    let (attempts, failure) = run(&mut session, &home.settings(chosen(), Some("secret")));
    assert_eq!(attempts, ["file locked with passphrase"], "what opened a key is no password for the server");
    assert!(failure.unwrap().1.contains("passphrase of key"));
    let (attempts, failure) = run(&mut session, &home.settings(chosen(), None));
    let (code, line) = failure.unwrap();
    assert!(attempts.is_empty() && code == 78 && line.contains("needs a passphrase"), "{line}");
}

#[test]
fn nothing_to_log_in_with_says_what_the_server_takes() {
    let home = Home::new(&[]);
    let mut session = FakeSession { offered: Some(vec![Keys, KeyboardInteractive]), ..Default::default() };
    let (_, failure) = run(&mut session, &home.settings(KeyFiles::Named(Vec::new()), None));
    let (code, line) = failure.unwrap();
    assert!(
        code == 78 && line.contains("publickey, keyboard-interactive") && line.contains("CODEX_SSH_KEY_FILE"),
        "{line}"
    );
}

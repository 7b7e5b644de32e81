use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;

const KEY: &str = "3a1f5c77e2d5b640d4039ab6c2e8f1005b77aa31c9de402f8816f0349be72d51";

fn key() -> MasterKey {
    MasterKey::from_bytes(hex::decode_exact(KEY).unwrap())
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn program(&self, script: &str) -> KeySource {
        let path = self.0.path().join("key-service");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        KeySource::Command(vec![path.display().to_string(), "an argument".to_owned()])
    }

    fn credential(&self, content: &str) -> KeySource {
        let path = self.0.path().join("master-key");
        fs::write(&path, content).unwrap();
        KeySource::Credential(path)
    }
}

#[test]
fn a_credential_is_a_key_file_or_its_digits() {
    let bench = Bench::new();
    let file = key_file::text(Kind::Master, &Zeroizing::new(*key().expose()), None);
    for content in [KEY, &format!("{KEY}\n"), &file] {
        assert_eq!(bench.credential(content).load(None).unwrap().key_id(), key().key_id());
    }
    for content in ["", "3a1f", &"ab".repeat(32), &"00".repeat(32), &KEY.repeat(2)] {
        assert!(bench.credential(content).load(None).is_err(), "{content}");
    }
    let none = KeySource::Credential(bench.0.path().join("none"));
    assert!(matches!(none.load(None), Err(KeySourceError::Key(KeyFileError::Missing(_)))));
}

#[test]
fn a_wrapped_key_needs_its_passphrase_wherever_it_comes_from() {
    let bench = Bench::new();
    let passphrase = Secret::new("gone fishing 7");
    let cheap = Argon { memory_kib: 8, rounds: 1, lanes: 1 };
    let wrapped = key_file::text(Kind::Master, &Zeroizing::new(*key().expose()), Some((&passphrase, cheap)));
    let source = bench.credential(&wrapped);
    assert_eq!(source.load(Some(&passphrase)).unwrap().key_id(), key().key_id());
    assert!(matches!(source.load(None), Err(KeySourceError::Key(KeyFileError::PassphraseNeeded(_)))));
}

#[test]
fn a_command_is_given_its_arguments_and_nothing_of_ours() {
    let bench = Bench::new();
    let seen = bench.0.path().join("seen");
    let source = bench.program(&format!("{{ echo \"$1\"; pwd; env; }} > {}\necho {KEY}", seen.display()));
    assert_eq!(source.load(None).unwrap().key_id(), key().key_id());
    let seen = fs::read_to_string(seen).unwrap();
    let mut lines: Vec<_> = seen.lines().filter(|line| !line.starts_with("_=") && !line.starts_with("PWD=")).collect();
    lines.retain(|line| !line.starts_with("OLDPWD") && !line.starts_with("SHLVL"));
    assert_eq!(lines, ["an argument", "/", "PATH=/usr/local/bin:/usr/bin:/bin"]);
}

#[test]
fn a_command_that_fails_is_told_with_its_code_and_its_words_though_it_printed_a_key() {
    let bench = Bench::new();
    let error = bench.program(&format!("echo {KEY}; echo 'access denied' >&2; exit 3")).load(None).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("exit code 3") && text.contains("access denied") && !text.contains(KEY), "{text}");
    let killed = bench.program("kill -9 $$").load(None).unwrap_err();
    assert!(killed.to_string().contains("signal 9"), "{killed}");
    let none = KeySource::Command(vec![bench.0.path().join("none").display().to_string()]);
    assert!(matches!(none.load(None), Err(KeySourceError::Command(CommandError::Start { .. }))));
}

#[test]
fn a_command_may_print_a_key_and_no_more() {
    let bench = Bench::new();
    let endless = bench.program("while :; do echo 0123456789abcdef; done").load(None).unwrap_err();
    assert!(matches!(endless, KeySourceError::Command(CommandError::TooMuch { .. })), "{endless}");
    let talkative =
        bench.program(&format!("i=0; while [ $i -lt 20000 ]; do echo talk >&2; i=$((i+1)); done; echo {KEY}"));
    assert_eq!(talkative.load(None).unwrap().key_id(), key().key_id());
    assert!(bench.program("echo nothing of use").load(None).is_err());
}

/// Runs a script that does not end and writes the number of a process that it started into the file `started`.
fn started_by_one_that_does_not_end(bench: &Bench, script: &str) -> i32 {
    let KeySource::Command(words) = bench.program(script) else { unreachable!() };
    // A machine with much to do may need longer to start them.
    let started = [1, 4, 16].into_iter().find_map(|seconds| {
        let error = command::ask_within(&words, Duration::from_secs(seconds)).unwrap_err();
        assert!(matches!(error, CommandError::TooSlow { .. }), "{error}");
        fs::read_to_string(bench.0.path().join("started")).ok().filter(|text| text.ends_with('\n'))
    });
    started.expect("it started its child").trim().parse().unwrap()
}

/// A dead process may still be listed until somebody collects it.
fn lives(process: i32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|state| !state.contains(") Z "))
}

#[test]
fn a_command_that_does_not_end_is_killed_with_all_that_it_started() {
    let bench = Bench::new();
    let file = bench.0.path().join("started");
    let child =
        started_by_one_that_does_not_end(&bench, &format!("sleep 60 & echo $! > {}; exec sleep 60", file.display()));
    // It was told to end; it may take a moment.
    let gone = (0..2_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !lives(child)
    });
    assert!(gone, "the command's own child lives on");
}

#[test]
fn what_a_command_left_behind_with_its_pipes_open_is_not_waited_for() {
    let bench = Bench::new();
    let file = bench.0.path().join("started");
    let script = format!("setsid sh -c 'echo $$ > {}; exec sleep 60' & echo {KEY}; wait", file.display());
    let left = started_by_one_that_does_not_end(&bench, &script);
    // It is in a group of its own, so it lives: whoever waits for it comes too late for this.
    assert!(lives(left), "it was waited for");
    let left = rustix::process::Pid::from_raw(left).unwrap();
    rustix::process::kill_process(left, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn a_credential_needs_a_service_manager() {
    let sources = crate::config::Sources {
        environment: vec![("SCORPIOX_BROKER_KEYS_MASTER_KEY_CREDENTIAL".into(), "master-key".into())],
        data: "/d".into(),
        ..Default::default()
    };
    let config = Config::read(&sources).unwrap();
    assert!(matches!(KeySource::of(&config, None), Err(KeySourceError::NoCredentials)));
    let source = KeySource::of(&config, Some("/run/credentials/x".into())).unwrap();
    assert_eq!(source, KeySource::Credential("/run/credentials/x/master-key".into()));
}

#[test]
fn only_a_file_can_be_given_another_key() {
    let bench = Bench::new();
    assert!(!bench.credential(KEY).put(&key(), None).unwrap());
    let file = KeySource::File(bench.0.path().join("master.key"));
    assert!(file.put(&key(), None).unwrap());
    assert_eq!(file.load(None).unwrap().key_id(), key().key_id());
}

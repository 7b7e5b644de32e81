//! What works on files of this machine: `check-config`, `master-key`, and the configuration of `up` and `serve`.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use scorpiox_wire::Secret;
use serde_json::json;
use tempfile::TempDir;

use super::harness::Person;
use crate::master_key;

fn config(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("broker.toml");
    fs::write(&file, text).unwrap();
    (directory, file)
}

#[test]
fn a_good_configuration_is_told_in_a_line() {
    let (_directory, file) = config("listen = \"127.0.0.1:9443\"\nname = \"broker.example\"\n");
    let path = file.to_str().unwrap();
    let seen = Person::default().runs(&["check-config", "--config", path]);
    let expected =
        format!("{path} is good: data in /var/lib/scorpiox-broker, clients at https://broker.example:9443\n");
    assert_eq!((seen.code, seen.stdout), (0, expected));
    let seen = Person::default().runs(&["check-config", "--config", path, "--json"]);
    assert_eq!(seen.json(), json!({ "valid": true, "faults": [] }));
}

#[test]
fn everything_that_is_wrong_is_named_with_its_line() {
    let (_directory, file) = config("listen = 7\nspeed = 9\n");
    let path = file.to_str().unwrap();
    let person = Person::default().with_variable("SCORPIOX_BROKER_SPEED", "9");
    for line in [&["check-config", "--config", path][..], &["serve", "--config", path]] {
        let seen = person.runs(line);
        assert_eq!((seen.code, seen.stdout.as_str()), (78, ""), "{line:?}");
        for part in [":1: ", ":2: there is no setting speed", "SCORPIOX_BROKER_SPEED: "] {
            assert!(seen.stderr.contains(part), "{part}: {}", seen.stderr);
        }
    }
    let seen = person.runs(&["check-config", "--config", path, "--json"]);
    assert_eq!((seen.code, seen.json()["faults"].as_array().unwrap().len()), (78, 3));
    assert_eq!(Person::default().runs(&["serve", "--config", "/nowhere/broker.toml"]).code, 78);
}

#[test]
fn up_needs_a_place_and_checks_what_was_typed() {
    let seen = Person::default().runs(&["up"]);
    assert_eq!(seen.code, 78);
    assert!(seen.stderr.contains("up --data DIR"), "{}", seen.stderr);
    let person = Person::default().with_variable("HOME", "/home/anna");
    let seen = person.runs(&["up", "--listen", "everywhere"]);
    assert_eq!(seen.code, 78);
    assert!(seen.stderr.contains("--listen: "), "{}", seen.stderr);
}

struct Keys {
    data: TempDir,
    passphrase: PathBuf,
}

impl Keys {
    fn made() -> Self {
        let data = tempfile::tempdir().unwrap();
        master_key::create(&data.path().join("master.key")).unwrap();
        let passphrase = data.path().join("passphrase");
        fs::write(&passphrase, "gone fishing 7\n").unwrap();
        fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
        Self { data, passphrase }
    }

    fn file(&self) -> PathBuf {
        self.data.path().join("master.key")
    }

    fn is_wrapped(&self) -> bool {
        master_key::load(&self.file(), None).is_err()
    }

    fn opens_with(&self, passphrase: &str) -> bool {
        master_key::load(&self.file(), Some(&Secret::new(passphrase))).is_ok()
    }

    fn options<'a>(&'a self, verb: &'a str) -> Vec<&'a str> {
        vec!["master-key", verb, "--data", text(self.data.path())]
    }

    fn with_file<'a>(&'a self, verb: &'a str) -> Vec<&'a str> {
        [self.options(verb), vec!["--passphrase-file", text(&self.passphrase)]].concat()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_master_key_is_wrapped_and_unwrapped_by_a_passphrase_from_a_file() {
    let keys = Keys::made();
    let seen = Person::default().runs(&keys.with_file("wrap"));
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stdout.ends_with("is protected by the passphrase now\n"), "{}", seen.stdout);
    assert!(keys.is_wrapped() && keys.opens_with("gone fishing 7"));
    let seen = Person::default().runs(&keys.with_file("wrap"));
    assert_eq!(seen.code, 1);
    assert!(seen.stderr.contains("already") && seen.stderr.contains("unwrap"), "{}", seen.stderr);
    let seen = Person::default().runs(&[keys.with_file("unwrap"), vec!["--json"]].concat());
    assert_eq!(seen.json(), json!({ "master_key_file": keys.file(), "wrapped": false }));
    assert!(!keys.is_wrapped());
}

#[test]
fn a_person_types_a_new_passphrase_twice() {
    let keys = Keys::made();
    for typed in ["gone fishing 7\ngone fishing 8\n", "\n", "", "change-me\nchange-me\n", "gone fishing 7\n"] {
        assert_eq!(Person::answering(typed).runs(&keys.options("wrap")).code, 1, "{typed:?}");
        assert!(!keys.is_wrapped());
    }
    let seen = Person::answering("gone fishing 7\ngone fishing 7\n").runs(&keys.options("wrap"));
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stderr.contains("SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE"), "{}", seen.stderr);
    assert!(keys.opens_with("gone fishing 7"));
    assert_eq!(Person::answering("wrong\n").runs(&keys.options("unwrap")).code, 1);
    assert!(keys.is_wrapped());
    assert_eq!(Person::answering("gone fishing 7\n").runs(&keys.options("unwrap")).code, 0);
    assert!(!keys.is_wrapped());
}

#[test]
fn without_a_terminal_and_a_file_there_is_no_passphrase() {
    let keys = Keys::made();
    let seen = Person::default().runs(&keys.options("wrap"));
    assert_eq!(seen.code, 2);
    assert!(seen.stderr.contains("--passphrase-file FILE"), "{}", seen.stderr);
    assert!(!keys.is_wrapped());
}

#[test]
fn the_key_of_a_running_broker_is_left_alone() {
    let keys = Keys::made();
    let lock = File::create(keys.data.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let seen = Person::default().runs(&keys.with_file("wrap"));
    assert_eq!(seen.code, 1);
    assert!(seen.stderr.contains("is running") && !keys.is_wrapped(), "{}", seen.stderr);
    lock.unlock().unwrap();
    assert_eq!(Person::default().runs(&keys.with_file("wrap")).code, 0);
}

#[test]
fn a_key_that_root_wraps_still_belongs_to_the_services_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out: only root can work on another user's key");
        return;
    }
    let keys = Keys::made();
    std::os::unix::fs::chown(keys.file(), Some(4711), Some(4712)).unwrap();
    assert_eq!(Person::default().runs(&keys.with_file("wrap")).code, 0);
    let wrapped = fs::metadata(keys.file()).unwrap();
    assert_eq!((wrapped.uid(), wrapped.gid(), wrapped.mode() & 0o777), (4711, 4712, 0o600));
}

#[test]
fn a_key_that_is_elsewhere_is_found_through_the_configuration() {
    let keys = Keys::made();
    let (_directory, file) = config(&format!("[keys]\nmaster_key_file = {:?}\n", keys.file()));
    let config = text(&file);
    let line = ["master-key", "wrap", "--config", config, "--passphrase-file", text(&keys.passphrase)];
    let seen = Person::default().runs(&line);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(keys.is_wrapped());
    assert_eq!(Person::default().runs(&["master-key", "wrap", "--data", "/nowhere"]).code, 2);
}

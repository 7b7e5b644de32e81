use std::ffi::OsString;
use std::fs;

use super::*;
use crate::talk::Talk;

/// A machine with these files, each path starting at its root.
struct Machine(tempfile::TempDir);

impl Machine {
    fn with(files: &[&str]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for file in files {
            let path = machine.path(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn read(&self, environment: &[(&str, &str)]) -> Result<LocalSettings, Failure> {
        let lookup = |name: &str| match environment.iter().find(|(key, _)| *key == name) {
            Some((_, value)) => Some(OsString::from(value)),
            None => (name == "HOME").then(|| self.0.path().as_os_str().to_owned()),
        };
        let directory = self.0.path().to_owned();
        let surroundings = Surroundings { environment: &lookup, directory, program_directory: None };
        let written = Written::put_together(&[], &lookup, &mut Talk::default())?;
        LocalSettings::from_written(&written, &surroundings)
    }

    fn file(&self, environment: &[(&str, &str)]) -> CredentialsFile {
        self.read(environment).unwrap().file
    }
}

#[test]
fn ours_comes_before_the_stock_clients() {
    let machine = Machine::with(&[]);
    assert_eq!(machine.file(&[]), CredentialsFile::Stock(machine.path(".codex/auth.json")));
    let machine = Machine::with(&[".config/scorpiox/codex-auth.json", ".codex/auth.json"]);
    assert_eq!(machine.file(&[]), CredentialsFile::Ours(machine.path(".config/scorpiox/codex-auth.json")));
}

#[test]
fn an_account_has_its_own_file_whether_or_not_it_exists() {
    let machine = Machine::with(&[".config/scorpiox/codex-auth.json"]);
    let ours = CredentialsFile::Ours(machine.path(".config/scorpiox/codex-auth-work.json"));
    assert_eq!(machine.file(&[("CODEX_ACCOUNT", "work")]), ours);
    for name in ["../x", "a.b", "a b", "é", &"x".repeat(65)] {
        assert!(machine.read(&[("CODEX_ACCOUNT", name)]).is_err(), "{name}");
    }
    let both = machine.read(&[("CODEX_ACCOUNT", "work"), ("CODEX_CREDENTIALS_FILE", "x")]).unwrap_err();
    assert_eq!(both.class.exit_code(), 78, "{both}");
}

#[test]
fn a_named_file_is_what_it_is_whoever_names_it() {
    let machine = Machine::with(&[".config/scorpiox/codex-auth-a.json", ".codex/auth.json", "x/auth.json"]);
    std::os::unix::fs::symlink(".codex", machine.path("link")).unwrap();
    let named = |path: &str| machine.file(&[("CODEX_CREDENTIALS_FILE", path)]);
    let at = |path: &str| machine.path(path);
    assert_eq!(named("x/auth.json"), CredentialsFile::Chosen(at("x/auth.json")));
    assert_eq!(named(".codex/auth.json"), CredentialsFile::Stock(at(".codex/auth.json")));
    assert_eq!(named("link/auth.json"), CredentialsFile::Stock(at("link/auth.json")));
    let ours = ".config/scorpiox/codex-auth-a.json";
    assert_eq!(named(ours), CredentialsFile::Ours(at(ours)));
    for not_ours in [".config/scorpiox/codex-auth-.json", ".config/scorpiox/codex-authx.json", "codex-auth.json"] {
        assert_eq!(named(not_ours), CredentialsFile::Chosen(at(not_ours)));
    }
    let elsewhere = machine.file(&[("CODEX_HOME", machine.path("x").to_str().unwrap())]);
    assert_eq!(elsewhere, CredentialsFile::Stock(at("x/auth.json")));
}

#[test]
fn only_ours_is_renewed_unless_the_user_says_so() {
    let machine = Machine::with(&[".config/scorpiox/codex-auth-a.json"]);
    let cases: [(&[(&str, &str)], RenewedBy); 5] = [
        (&[], RenewedBy::Others),
        (&[("CODEX_CREDENTIALS_FILE", "x")], RenewedBy::Others),
        (&[("CODEX_LOCAL_RENEW", "0")], RenewedBy::Others),
        (&[("CODEX_LOCAL_RENEW", "1")], RenewedBy::Us),
        (&[("CODEX_LOCAL_RENEW", "0"), ("CODEX_ACCOUNT", "a")], RenewedBy::Us),
    ];
    for (environment, renewed_by) in cases {
        assert_eq!(machine.read(environment).unwrap().renewed_by, renewed_by, "{environment:?}");
    }
    assert!(machine.read(&[("CODEX_LOCAL_RENEW", "yes")]).is_err());
}

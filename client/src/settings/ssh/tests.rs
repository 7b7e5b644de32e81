use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A machine with a home directory.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new(ssh_config: &str) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        fs::create_dir(machine.path(".ssh")).unwrap();
        fs::write(machine.path(".ssh/config"), ssh_config).unwrap();
        machine
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn meant(&self, environment: &[(&str, &str)]) -> Result<(SshSettings, Vec<String>), Failure> {
        let lookup = |name: &str| match name {
            "HOME" => Some(self.0.path().into()),
            _ => environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)),
        };
        let surroundings = Surroundings { environment: &lookup, directory: "/here".into(), program_directory: None };
        let mut talk = Talk::default();
        let written = Written::gather(&surroundings, &mut talk)?;
        let settings = SshSettings::from_written(&written, &surroundings, &mut talk)?;
        Ok((settings, talk.lines(false).map(str::to_owned).collect()))
    }

    fn refusal(&self, environment: &[(&str, &str)]) -> String {
        let failure = self.meant(environment).unwrap_err();
        assert_eq!(failure.class.exit_code(), 78);
        failure.to_string()
    }
}

const HOST: (&str, &str) = ("CODEX_SSH_HOST", "vault");

#[test]
fn a_host_alone_is_enough() {
    let machine = Machine::new("");
    let (settings, remarks) = machine.meant(&[HOST]).unwrap();
    assert_eq!((settings.host.as_str(), settings.port, settings.command), ("vault", 22, FarCommand::Usual));
    let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| machine.path(".ssh").join(name));
    assert_eq!(settings.identities.files, KeyFiles::Named(usual.to_vec()));
    assert_eq!(settings.known_hosts[0], machine.path(".ssh/known_hosts"));
    assert!(!settings.user.is_empty() && settings.password.is_none() && remarks.is_empty());
}

#[test]
fn the_users_ssh_config_fills_in_and_our_settings_beat_it() {
    let text = "Host vault\nHostName %h.example.org\nPort 2222\nUser ann\nIdentityFile ~/.ssh/%r-key\nIdentityFile none\n\
                IdentityFile rel\nProxyJump door\n";
    let machine = Machine::new(text);
    let (settings, remarks) = machine.meant(&[HOST]).unwrap();
    assert_eq!((settings.called.as_str(), settings.host.as_str()), ("vault", "vault.example.org"));
    assert_eq!((settings.port, settings.user.as_str()), (2222, "ann"));
    assert_eq!(settings.identities.files, KeyFiles::Named(vec![machine.path(".ssh/ann-key")]));
    assert!(remarks[0].contains("ProxyJump"), "{remarks:?}");

    let key = machine.path("k");
    let key_file = ("CODEX_SSH_KEY_FILE", key.to_str().unwrap());
    let ours = [HOST, ("CODEX_SSH_PORT", "3"), ("CODEX_SSH_USER", "bob"), key_file];
    let (settings, _) = machine.meant(&ours).unwrap();
    assert_eq!((settings.port, settings.user.as_str()), (3, "bob"));
    assert_eq!(settings.identities.files, KeyFiles::Chosen(machine.path("k")));
}

#[test]
fn files_that_are_included_count() {
    let machine = Machine::new("Include conf.d/*.conf\nHost vault\nPort 9\n");
    fs::create_dir(machine.path(".ssh/conf.d")).unwrap();
    fs::write(machine.path(".ssh/conf.d/a.conf"), "Host vault\nPort 7\nIdentityFile /k\nIdentitiesOnly yes\n").unwrap();
    fs::write(machine.path(".ssh/conf.d/b.txt"), "Host vault\nUser nobody\n").unwrap();
    let (settings, _) = machine.meant(&[HOST, ("CODEX_SSH_USER", "ann")]).unwrap();
    assert_eq!(settings.port, 7);
    assert_eq!(settings.identities.files, KeyFiles::Only(vec!["/k".into()]));
}

#[test]
fn an_ssh_config_that_everybody_may_change_decides_nothing() {
    let machine = Machine::new("");
    fs::set_permissions(machine.path(".ssh/config"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(machine.refusal(&[HOST]).contains("chmod 600"));
}

#[test]
fn what_is_no_machine_or_port_is_refused_by_name() {
    let machine = Machine::new("");
    assert!(machine.refusal(&[]).contains("set CODEX_SSH_HOST"));
    assert!(machine.refusal(&[("CODEX_SSH_HOST", "ann@vault")]).contains("CODEX_SSH_USER"));
    for host in ["-oProxyCommand=x", "a b", "a/b", "a;b", "*"] {
        assert!(machine.refusal(&[("CODEX_SSH_HOST", host)]).contains("name or address"), "{host}");
    }
    for port in ["0", "65536", "ssh"] {
        assert!(machine.refusal(&[HOST, ("CODEX_SSH_PORT", port)]).contains("no port"), "{port}");
    }
    let (settings, _) = machine.meant(&[("CODEX_SSH_HOST", "[::1]")]).unwrap();
    assert_eq!(settings.host, "::1");
}

#[test]
fn a_password_file_is_one_line_and_private() {
    let machine = Machine::new("");
    let path = machine.path("pw");
    fs::write(&path, " pass word \nsecond\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let file = ("CODEX_SSH_PASS_FILE", path.to_str().unwrap());
    let (settings, _) = machine.meant(&[HOST, file]).unwrap();
    assert_eq!(settings.password.unwrap().expose(), " pass word ");
    let both = machine.refusal(&[HOST, file, ("CODEX_SSH_PASS", "hunter2")]);
    assert!(both.contains("remove one of the two") && !both.contains("hunter2"), "{both}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(machine.refusal(&[HOST, file]).contains("chmod 600"));
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(machine.refusal(&[HOST, file]).contains("no first line"));
}

#[test]
fn debug_shows_no_password() {
    let (settings, _) = Machine::new("").meant(&[HOST, ("CODEX_SSH_PASS", "hunter2")]).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}

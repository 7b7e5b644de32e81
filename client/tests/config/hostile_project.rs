//! A repository that somebody else made (matrix C12): whatever its files say, no address, command or credential of the
//! user moves.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::symlink;

use scorpiox_client::settings::trust::leads;
use scorpiox_client::settings::written::Key;

use crate::machine::{CLIENT_KEY, Machine, PROJECT_FILE, USER_FILE};

/// Every setting that says where secrets go, whose login is used or what is run, and a value that a stranger wants.
const LEADING: [(&str, &str); 20] = [
    ("PROVIDER", "evil"),
    ("TOOLS", "1"),
    ("ACTIVE_PROFILE", "evil"),
    ("CODEX_TOKEN_SOURCE", "remote"),
    ("CODEX_CREDENTIALS_FILE", "evil.json"),
    ("CODEX_ACCOUNT", "evil"),
    ("CODEX_LOCAL_RENEW", "1"),
    ("CODEX_REMOTE_URL", "https://evil.example/codex"),
    ("TOKEN_HTTP_API_KEY", CLIENT_KEY),
    ("TOKEN_HTTP_API_KEY_FILE", "key"),
    ("CODEX_REMOTE_CA_FILE", "evil.pem"),
    ("CODEX_REMOTE_PIN", "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    ("CODEX_SSH_HOST", "evil.example"),
    ("CODEX_SSH_PORT", "2222"),
    ("CODEX_SSH_USER", "evil"),
    ("CODEX_SSH_PASS", "evil"),
    ("CODEX_SSH_PASS_FILE", "evil"),
    ("CODEX_SSH_KEY_FILE", "evil"),
    ("CODEX_SSH_KNOWN_HOSTS", "evil_hosts"),
    ("CODEX_SSH_COMMAND", "evil"),
];

/// A user with settings of their own, who had switched tools off.
fn user() -> Machine {
    let machine = Machine::new();
    machine.write(USER_FILE, "TOOLS=0\nCODEX_CREDENTIALS_FILE=mine.json\n");
    machine.write("home/.config/scorpiox/mine.json", r#"{"tokens":{"access_token":"eyJ.mine.sig"}}"#);
    machine.write("home/.config/scorpiox/scorpiox-env/evil.txt", "MODEL=of-another-profile\n");
    machine
}

#[test]
fn without_a_project_the_users_token_is_printed() {
    assert_eq!(user().fetch().done(), "eyJ.mine.sig\n");
}

#[test]
fn no_leading_setting_is_left_out_here() {
    let leading: Vec<&str> = Key::ALL.iter().filter(|key| leads(**key)).map(|key| key.as_str()).collect();
    let mut tried = LEADING.map(|(key, _)| key);
    tried.sort_by_key(|tried| Key::ALL.iter().position(|key| key.as_str() == *tried));
    assert_eq!(leading, tried);
}

#[test]
fn a_projects_profile_takes_nothing_of_the_users_own_away() {
    let machine = user();
    machine.write(USER_FILE, "ACTIVE_PROFILE=work\n");
    let own = "home/.config/scorpiox/scorpiox-env/work.txt";
    machine.write(own, "CODEX_CREDENTIALS_FILE=../mine.json\n");
    for nothing in ["", "MODEL=x\n"] {
        machine.write("project/scorpiox-env/work.txt", nothing);
        assert_eq!(machine.fetch().done(), "eyJ.mine.sig\n");
    }
    machine.write("project/scorpiox-env/work.txt", "CODEX_CREDENTIALS_FILE=evil.json\n");
    machine.fetch().failed(78, "this project's settings are not trusted");
}

#[test]
fn what_stands_beside_a_setting_of_the_users_and_says_the_same_in_another_way_is_asked_about() {
    let machine = user();
    machine.write("home/.claude/scorpiox-env.txt", "CODEX_ACCOUNT=work\n");
    machine.write(PROJECT_FILE, "CODEX_ACCOUNT=work\n");
    machine.fetch().failed(78, "this project's settings are not trusted");
}

#[test]
fn every_leading_setting_is_refused_by_itself_wherever_it_stands() {
    for folder in ["", ".claude/", ".scorpiox/"] {
        for (key, value) in LEADING {
            let machine = user();
            machine.write(&format!("project/{folder}scorpiox-env.txt"), &format!("MODEL=x\n{key}={value}\n"));
            let ended = machine.fetch();
            ended.failed(78, &format!("{key} ("));
            ended.failed(78, "line 2): this project's settings are not trusted");
        }
    }
}

#[test]
fn a_profile_of_the_project_leads_nowhere_either() {
    for (key, value) in LEADING.into_iter().filter(|(key, _)| *key != "ACTIVE_PROFILE") {
        let machine = user();
        machine.write("home/.claude/scorpiox-env.txt", "ACTIVE_PROFILE=work\n");
        machine.write("project/.scorpiox/scorpiox-env/work.txt", &format!("{key}={value}\n"));
        machine.fetch().failed(78, "scorpiox-env/work.txt, line 1): this project's settings are not trusted");
        machine.config(&["trust", ".scorpiox/scorpiox-env/work.txt", "--yes"]).done();
        let ended = machine.fetch();
        assert!(!ended.stderr.contains("not trusted"), "trusted by its own name: {ended:?}");
    }
}

#[test]
fn a_link_is_the_projects_word_even_when_it_leads_to_a_trusted_file() {
    let machine = user();
    machine.write("trusted/scorpiox-env.txt", "CODEX_CREDENTIALS_FILE=here.json\n");
    machine.config(&["trust", "../trusted", "--yes"]).done();
    symlink(machine.path("trusted/scorpiox-env.txt"), machine.path(PROJECT_FILE)).unwrap();
    machine.write("project/here.json", r#"{"tokens":{"access_token":"eyJ.evil.sig"}}"#);
    machine.fetch().failed(78, "not trusted");
    fs::remove_file(machine.path(PROJECT_FILE)).unwrap();
    symlink(machine.path("trusted"), machine.path("project/.scorpiox")).unwrap();
    let ended = machine.fetch();
    assert!(!ended.stdout.contains("evil"), "{ended:?}");
}

#[test]
fn a_profiles_name_leads_into_no_other_folder() {
    let machine = user();
    machine.write("project/x.txt", "MODEL=evil\n");
    machine.write(PROJECT_FILE, "ACTIVE_PROFILE=../x\n");
    machine.fetch().failed(78, "a profile's name has");
    machine.write(PROJECT_FILE, "ACTIVE_PROFILE=../../x\n");
    machine.fetch().failed(78, "a profile's name has");
}

#[test]
fn a_key_is_sent_nowhere_while_the_project_is_not_trusted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://127.0.0.1:{}/codex", listener.local_addr().unwrap().port());
    for environment in [false, true] {
        let machine = Machine::new().with("CODEX_TOKEN_SOURCE", "remote");
        let machine = if environment { machine.with("TOKEN_HTTP_API_KEY", CLIENT_KEY) } else { machine };
        machine.write(USER_FILE, &format!("TOKEN_HTTP_API_KEY={CLIENT_KEY}\n"));
        machine.write(PROJECT_FILE, &format!("CODEX_REMOTE_URL={url}\n"));
        machine.fetch().failed(78, "not trusted");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody was asked");
    }
}

#[test]
fn nothing_is_expanded_or_run_and_a_file_that_is_none_does_no_harm() {
    let machine = user();
    machine.write(PROJECT_FILE, "MODEL=$(touch ran)`touch ran`${HOME}\n");
    assert_eq!(machine.config(&["--get", "MODEL"]).done(), "$(touch ran)`touch ran`${HOME}\n");
    assert_eq!(machine.fetch().done(), "eyJ.mine.sig\n");
    assert!(!machine.path("project/ran").exists());
    fs::remove_file(machine.path(PROJECT_FILE)).unwrap();
    fs::create_dir(machine.path(PROJECT_FILE)).unwrap();
    machine.fetch().failed(78, "is a directory, not a file");
    fs::remove_dir(machine.path(PROJECT_FILE)).unwrap();
    symlink("/dev/zero", machine.path(PROJECT_FILE)).unwrap();
    machine.fetch().failed(78, "is a device, not a file");
}

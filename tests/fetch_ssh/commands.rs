//! What is run on the other machine, and what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use scorpiox_tests::process::{FetchToken, Team, binaries};
use scorpiox_tests::ssh::Plan;

use super::{LINE, Laptop};

const COMMAND: &str = "scorpiox-codex-fetchtoken";

#[test]
fn a_brokers_client_on_the_other_machine_gives_its_token() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    let team = Team::new();
    team.given_a_login("main");
    let far = team.given_a_client("vault");
    let settings = format!("CODEX_TOKEN_SOURCE=remote CODEX_REMOTE_URL={} TOKEN_HTTP_API_KEY={}", far.url, far.key.0);
    laptop.sshd.install(COMMAND, &format!("{settings} exec {} \"$@\"", binaries::fetchtoken().display()));
    let fetched = laptop.machine.run(&[]);
    assert_eq!(fetched.token(), team.issued().access_token);
    assert!(fetched.stdout.contains(r#""source":"ssh""#), "{fetched:?}");

    team.admin().revoke("vault").unwrap();
    laptop.sshd.install(
        COMMAND,
        &format!("{settings} XDG_CACHE_HOME=/nowhere exec {} \"$@\"", binaries::fetchtoken().display()),
    );
    laptop.is_refused(77, &["on 127.0.0.1 (exit code 77)"]);
    assert!(team.provider.violations().is_empty());
}

#[test]
fn without_our_command_the_token_file_is_read_and_its_refresh_token_dropped() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    fs::remove_file(laptop.sshd.path("bin").join(COMMAND)).unwrap();
    laptop.is_refused(78, &["has neither scorpiox-codex-fetchtoken nor a token file"]);

    let credential = |token: &str| {
        let tokens =
            format!(r#"{{"id_token":"i.d.t","access_token":"{token}","refresh_token":"rt_secret","account_id":"a9"}}"#);
        format!("{{\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {tokens}\n}}\n")
    };
    fs::create_dir(laptop.sshd.home().join(".codex")).unwrap();
    fs::write(laptop.sshd.home().join(".codex/auth.json"), credential("stock-token")).unwrap();
    let fetched = laptop.machine.run(&["--verbose"]);
    assert_eq!(fetched.token(), "stock-token");
    assert!(!format!("{fetched:?}").contains("rt_secret") && !format!("{fetched:?}").contains("i.d.t"));

    fs::create_dir_all(laptop.sshd.home().join(".config/scorpiox")).unwrap();
    fs::write(laptop.sshd.home().join(".config/scorpiox/codex-auth.json"), credential("our-token")).unwrap();
    assert_eq!(laptop.machine.run(&["--raw"]).token(), "our-token");
    assert!(!laptop.path(".cache").exists(), "nothing is kept");
}

#[test]
fn the_chosen_command_is_run_as_it_is() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    laptop.sshd.install("mint", &format!("test \"$1\" = 'two words' && echo '{LINE}'"));
    let laptop = laptop.with("CODEX_SSH_COMMAND", "mint 'two words'");
    laptop.gets_token();
    let laptop = laptop.with("CODEX_SSH_COMMAND", "not-there");
    laptop.is_refused(78, &["exit code 127"]);
}

#[test]
fn a_refusal_reaches_the_other_side() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    laptop.sshd.install(COMMAND, r#"[ "$1" = --refused ] && t=next || t=first; echo "{\"access_token\":\"$t\"}""#);
    assert_eq!(laptop.machine.run(&["--raw"]).token(), "first");
    assert_eq!(laptop.machine.run(&["--raw", "--refused"]).token(), "next");
}

#[test]
fn output_counts_only_with_an_exit_status() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    laptop.sshd.install(COMMAND, &format!("echo '{LINE}'; kill -9 $PPID $$"));
    laptop.is_refused(75, &["was killed", "KILL", "does not count"]);
    laptop.sshd.install(COMMAND, &format!("echo '{LINE}'; kill -9 $$"));
    laptop.is_refused(75, &["exit code 137"]);
}

#[test]
fn more_than_sixty_four_kilobytes_are_no_token() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    laptop.sshd.install(COMMAND, "exec cat /dev/zero");
    laptop.is_refused(78, &["64 KiB", "CODEX_SSH_COMMAND"]);
    laptop.sshd.install(COMMAND, &format!("head -c 10000000 /dev/zero >&2; echo '{LINE}'"));
    laptop.gets_token();
}

#[test]
fn noise_before_the_line_does_not_hide_it() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    laptop.sshd.install(COMMAND, &format!("echo Welcome; echo; echo '{LINE}'"));
    laptop.gets_token();
}

#[test]
fn a_program_that_cannot_be_run_counts_as_missing() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    let path = laptop.sshd.path("bin").join(COMMAND);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    laptop.is_refused(78, &["has neither"]);
}

#[test]
fn the_next_source_is_asked_when_the_host_is_away_and_never_when_it_refuses() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    let auth = laptop.secret_file("auth.json", r#"{"tokens":{"access_token":"local-token"}}"#);
    let laptop = laptop.with("CODEX_TOKEN_SOURCE", "ssh,local").with("CODEX_CREDENTIALS_FILE", &auth);
    laptop.sshd.install(COMMAND, "echo 'scorpiox-codex-fetchtoken: revoked' >&2; exit 77");
    let refused = laptop.machine.run(&["--raw"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (77, ""), "{refused:?}");
    laptop.known_hosts(&laptop.sshd.known_hosts().replace("ssh-ed25519 AAAA", "ssh-ed25519 AAAAB"));
    assert_eq!(laptop.machine.run(&["--raw"]).code, 78, "an unknown host is no reason to go on");
    let away = FetchToken::bare().with("CODEX_TOKEN_SOURCE", "ssh,local").with("CODEX_CREDENTIALS_FILE", &auth);
    let away = away.with("CODEX_SSH_HOST", "127.0.0.1").with("CODEX_SSH_PORT", "1").run(&["--raw"]);
    assert_eq!(away.token(), "local-token");
    assert!(away.stderr.contains("cannot be reached"), "{away:?}");
}

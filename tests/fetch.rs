//! `scorpiox-codex-fetchtoken` against a real broker: one request for many, an outage that nobody notices, and nothing
//! on standard output unless it is a good token.

use std::fs;
use std::process::Command;
use std::time::Duration;

use fake_provider::{Fault, Hold, How, Settings};
use scorpiox_tests::process::{Client, FetchToken, Plan, Team, binaries, patience};

/// The log counts the requests that the broker answered.
fn counting(plan: Plan) -> Plan {
    plan.with("SCORPIOX_BROKER_LOG_LEVEL", "info,scorpiox_broker=debug")
}

fn a_team(plan: impl FnOnce(Plan) -> Plan) -> (Team, Client) {
    let team = Team::with(Settings::default(), |usual| plan(counting(usual)));
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

fn cached_files(machine: &FetchToken) -> usize {
    let files = fs::read_dir(machine.cache()).map(|entries| entries.filter_map(Result::ok).collect::<Vec<_>>());
    let names = files.unwrap_or_default().into_iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".json")).count()
}

#[test]
fn the_command_prints_the_token_that_the_provider_issued() {
    let (team, laptop) = a_team(Plan::encrypted);
    let machine = FetchToken::of(&laptop);
    let fetched = machine.run(&[]);
    assert_eq!((fetched.stdout.lines().count(), fetched.stderr.as_str()), (1, ""), "{fetched:?}");
    let line: serde_json::Value = serde_json::from_str(&fetched.stdout).unwrap();
    let issued = team.issued();
    assert_eq!(line["access_token"], issued.access_token);
    assert_eq!(line["expires_at"], issued.expires_at);
    assert_eq!(line["account_id"], issued.account.account_id);
    assert_eq!(line["source"], "remote");
    assert_eq!(machine.run(&["--raw"]).stdout, format!("{}\n", issued.access_token));
    assert_eq!(team.broker().answered("/codex"), 1, "the second one came from the cache");
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn the_right_pin_or_the_right_certificate_and_nothing_else_opens_the_connection() {
    let (team, laptop) = a_team(Plan::encrypted);
    let stranger = Team::with(Settings::default(), Plan::encrypted);
    stranger.given_a_login("main");
    let foreign_pin = stranger.given_a_client("x").pin.unwrap();
    let own = |team: &Team| team.data().join("tls/tls-certificate.pem").to_str().unwrap().to_owned();
    let unpinned = || FetchToken::of(&laptop).without("CODEX_REMOTE_PIN");
    FetchToken::of(&laptop).run(&[]).token();
    unpinned().with("CODEX_REMOTE_CA_FILE", &own(&team)).run(&[]).token();
    let asked = team.broker().answered("/codex");
    for machine in [
        FetchToken::of(&laptop).with("CODEX_REMOTE_PIN", &foreign_pin),
        unpinned().with("CODEX_REMOTE_CA_FILE", &own(&stranger)),
        unpinned(),
    ] {
        let refused = machine.run(&[]);
        assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
    assert_eq!(team.broker().answered("/codex"), asked, "no key was sent");
}

#[test]
fn fifty_at_once_with_a_cold_cache_make_one_request() {
    let (team, laptop) = a_team(|plan| plan);
    let machine = FetchToken::of(&laptop);
    let running: Vec<_> = (0..50).map(|_| machine.command(&["--raw"]).spawn().unwrap()).collect();
    let expected = format!("{}\n", team.issued().access_token);
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    }
    assert_eq!(team.broker().answered("/codex"), 1);
    let counted = team.admin().audit_of("token.first");
    assert_eq!(counted.len(), 1);
}

/// Whether one of its processes is asking.
fn is_locked(machine: &FetchToken) -> bool {
    let entries = fs::read_dir(machine.cache()).into_iter().flatten().filter_map(Result::ok);
    let locks = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".lock"));
    locks.filter_map(|entry| fs::File::open(entry.path()).ok()).any(|file| file.try_lock().is_err())
}

#[test]
fn whoever_waits_goes_on_when_the_holder_of_the_lock_is_killed() {
    let team = Team::with(Settings::default(), counting);
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    let machine = FetchToken::of(&laptop);
    let mut holder = machine.command(&["--raw"]).spawn().unwrap();
    patience::until("a lock that is held", || is_locked(&machine).then_some(()));
    team.provider.wait_for_held(1);
    let waiting = machine.command(&["--raw"]).spawn().unwrap();
    // That it waits cannot be seen from outside; it has three seconds for it.
    std::thread::sleep(Duration::from_millis(300));
    holder.kill().unwrap();
    holder.wait().unwrap();
    team.provider.release();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{}\n", team.issued().access_token), "{output:?}");
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn an_outage_is_not_noticed_until_the_token_ends() {
    let life = Settings { access_token_life_s: 66, ..Settings::default() };
    // Asked again at once, so that each call notices that the broker is away; the token lasts six seconds.
    let mut team = Team::with(life, |plan| counting(plan).with("SCORPIOX_BROKER_SERVE_REVALIDATE_AFTER", "0s"));
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let machine = FetchToken::of(&laptop);
    let token = machine.run(&["--raw"]).token();
    let never_asked = FetchToken::of(&laptop);
    team.kill_9();
    let fetched = machine.run(&["--raw"]);
    assert_eq!((fetched.token(), fetched.stderr.lines().count()), (token, 1), "{fetched:?}");
    never_asked.run(&["--raw"]).assert_refused(75);
    std::thread::sleep(Duration::from_secs(7));
    machine.run(&["--raw"]).assert_refused(75);
}

#[test]
fn a_failure_is_remembered_for_a_moment_and_then_asked_about_again() {
    let (mut team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_LISTEN", "127.0.0.1:0"));
    let port = team.broker().address().port();
    team.kill_9();
    let machine = FetchToken::of(&laptop);
    machine.run(&["--raw"]).assert_refused(75);
    team.change(|plan| plan.with("SCORPIOX_BROKER_LISTEN", &format!("127.0.0.1:{port}")));
    team.start();
    for _ in 0..5 {
        machine.run(&["--raw"]).assert_refused(75);
    }
    assert_eq!(team.broker().answered("/codex"), 0, "no traffic meanwhile");
    patience::until("another attempt", || (machine.run(&["--raw"]).code == 0).then_some(()));
}

#[test]
fn a_refused_key_takes_its_token_with_it() {
    type Refuse = fn(&Team);
    let refusals: [(Refuse, i32); 2] = [
        (|team| drop(team.admin().revoke("laptop").unwrap()), 77),
        (|team| drop(team.admin().remove("main").unwrap()), 77),
    ];
    for (refuse, code) in refusals {
        let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_SERVE_REVALIDATE_AFTER", "0s"));
        let machine = FetchToken::of(&laptop);
        machine.run(&[]).token();
        let token = team.issued().access_token;
        refuse(&team);
        machine.run(&[]).assert_refused(code);
        let kept = scorpiox_tests::process::snapshot::files(&machine.cache());
        assert!(kept.iter().all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains(&token)), "deleted");
        assert_eq!(cached_files(&machine), 0);
    }
}

#[test]
fn what_only_a_person_can_mend_has_its_own_exit_code_and_hint() {
    let (team, laptop) = a_team(|plan| plan);
    team.admin().pause("main").unwrap();
    let refused = FetchToken::of(&laptop).run(&[]);
    refused.assert_refused(69);
    assert!(refused.stderr.contains("credential resume main"), "{refused:?}");
    team.admin().resume("main").unwrap();
    team.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    team.admin().refresh("main").unwrap_err();
    let machine = FetchToken::of(&laptop);
    let fetched = machine.run(&["--raw"]);
    assert_eq!(fetched.token(), team.fetch(&laptop.key).access_token.expose());
    assert!(fetched.stderr.contains("log in"), "{fetched:?}");
    let refused = machine.run(&["--raw", "--refused"]);
    refused.assert_refused(69);
    assert!(refused.stderr.contains("scorpiox-broker login --name main"), "{refused:?}");
}

#[test]
fn a_key_of_the_wrong_shape_or_for_nowhere_is_a_configuration_and_never_sent() {
    let (team, laptop) = a_team(|plan| plan);
    FetchToken::of(&laptop).with("TOKEN_HTTP_API_KEY", &laptop.key.0[..60]).run(&[]).assert_refused(78);
    FetchToken::of(&laptop).without("CODEX_REMOTE_URL").run(&[]).assert_refused(78);
    FetchToken::of(&laptop).run(&["--wrong"]).assert_refused(64);
    assert_eq!(team.broker().answered("/codex"), 0);
    FetchToken::of(&laptop)
        .with("CODEX_REMOTE_URL", &format!("{}/other", team.broker().url()))
        .run(&[])
        .assert_refused(78);
    let keyless = FetchToken::of(&laptop).without("TOKEN_HTTP_API_KEY").run(&[]);
    keyless.assert_refused(77);
    assert!(keyless.stderr.contains("no key was sent: set TOKEN_HTTP_API_KEY"), "{keyless:?}");
}

#[test]
fn asking_again_is_a_refusal_only_with_the_flag_and_the_same_parent() {
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "1s"));
    let machine = FetchToken::of(&laptop);
    let command = binaries::fetchtoken().to_str().unwrap().to_owned();
    // A shell is the parent; the last command keeps it from becoming the program itself.
    let shell = |script: &str| {
        let mut shell = Command::new("/bin/sh");
        let plain = machine.command(&[]);
        let variables = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
        shell.arg("-c").arg(script).env_clear().envs(variables).env("FETCH", &command);
        let output = shell.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let first = team.issued().access_token;
    std::thread::sleep(Duration::from_secs(2));
    let often = shell("for i in 1 2 3 4 5; do \"$FETCH\" --raw; done; true");
    assert_eq!(often, format!("{first}\n").repeat(5));
    for _ in 0..3 {
        assert_eq!(shell("\"$FETCH\" --raw --repeat-means-refused; true"), format!("{first}\n"));
    }
    assert_eq!(team.provider.refresh_count(), 0);
    let repeated = shell("for i in 1 2 3 4 5; do \"$FETCH\" --raw --repeat-means-refused; done; true");
    assert_eq!(team.provider.refresh_count(), 1);
    let second = team.issued().access_token;
    // The third call comes too soon for another renewal: no token is better than one that was refused.
    assert_eq!(repeated, format!("{first}\n{second}\n"));
    assert_eq!(machine.run(&["--raw"]).token(), second, "another parent is served");
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

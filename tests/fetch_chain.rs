//! Several sources, the first of them a real broker: what it refuses no other source gives, and a revoked key brings
//! nothing more, however many ask.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fake_provider::{Fault, Hold, How, Settings};
use scorpiox_tests::process::{Client, FetchToken, Plan, Team, patience, snapshot};

/// Each call asks the broker, so that its word is heard at once.
fn asked_each_time(plan: Plan) -> Plan {
    plan.with("SCORPIOX_BROKER_SERVE_REVALIDATE_AFTER", "0s")
}

fn a_team(settings: Settings) -> (Team, Client) {
    let team = Team::with(settings, asked_each_time);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

/// A machine that asks the broker, and in its place a file with another account's token.
fn broker_then_file(client: &Client) -> FetchToken {
    let machine = FetchToken::of(client);
    let file = machine.home().join("auth.json");
    fs::write(&file, r#"{"tokens":{"access_token":"of-the-file","account_id":"a1"}}"#).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let path = file.to_str().unwrap().to_owned();
    machine.with("CODEX_TOKEN_SOURCE", "remote,local").with("CODEX_CREDENTIALS_FILE", &path)
}

fn holds(machine: &FetchToken, token: &str) -> bool {
    snapshot::files(&machine.cache()).iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(token))
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_key_revoked_while_fifty_fetch_brings_not_one_token_more() {
    let (team, laptop) = a_team(Settings::default());
    let machine = broker_then_file(&laptop);
    let token = team.issued().access_token;
    let (revoked, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let (before, after, refused) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    // Read before the command starts: what started afterwards has no excuse.
                    let late = revoked.load(Ordering::SeqCst);
                    let fetched = machine.run(&["--raw"]);
                    let counter = match (fetched.code, late) {
                        (77, _) if fetched.stdout.is_empty() => &refused,
                        (_, false) => &before,
                        (_, true) => &after,
                    };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Also when something below panics: the threads must end, or the test never does.
        let _stop = SetWhenDropped(&stop);
        let loaded =
            |counter: &AtomicU64| patience::until("load", || (counter.load(Ordering::SeqCst) > 150).then_some(()));
        loaded(&before);
        team.admin().revoke("laptop").unwrap();
        revoked.store(true, Ordering::SeqCst);
        loaded(&refused);
    });
    assert_eq!(after.load(Ordering::SeqCst), 0);
    assert!(!holds(&machine, &token), "what was cached is deleted");
}

#[test]
fn a_revoked_key_does_not_get_around_the_broker() {
    let (team, laptop) = a_team(Settings::default());
    let machine = broker_then_file(&laptop);
    machine.run(&["--raw"]).token();
    team.admin().revoke("laptop").unwrap();
    for _ in 0..3 {
        let fetched = machine.run(&["--raw"]);
        fetched.assert_refused(77);
        assert!(fetched.stderr.starts_with("scorpiox-codex-fetchtoken: remote: "), "{fetched:?}");
    }
    assert!(!holds(&machine, &team.issued().access_token));
}

#[test]
fn a_key_revoked_while_its_command_waits_for_a_renewal_brings_nothing() {
    let team = Team::new();
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    let machine = FetchToken::of(&laptop);
    let waiting: Vec<_> = (0..5).map(|_| machine.command(&["--raw"]).spawn().unwrap()).collect();
    team.provider.wait_for_held(1);
    team.admin().revoke("laptop").unwrap();
    team.provider.release();
    for child in waiting {
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(77), 0), "{output:?}");
    }
}

#[test]
fn the_file_stands_in_for_a_broker_that_is_away_once_its_token_has_ended() {
    let life = Settings { access_token_life_s: 66, ..Settings::default() };
    let (mut team, laptop) = a_team(life);
    let machine = broker_then_file(&laptop);
    let token = machine.run(&["--raw"]).token();
    team.kill_9();
    let fetched = machine.run(&["--raw"]);
    assert_eq!(fetched.token(), token, "{fetched:?}");
    assert!(fetched.stderr.contains("the token it gave earlier works"), "{fetched:?}");
    // The broker's answer says six seconds: it keeps a minute of the token's life to itself.
    std::thread::sleep(std::time::Duration::from_secs(7));
    let fetched = machine.run(&["--raw"]);
    assert_eq!(fetched.token(), "of-the-file", "{fetched:?}");
    assert_eq!(fetched.stderr.lines().count(), 1, "{fetched:?}");
    assert!(fetched.stderr.contains("this token is from local, because remote: cannot reach"), "{fetched:?}");
}

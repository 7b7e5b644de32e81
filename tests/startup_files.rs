//! What a start makes, needs and refuses: keys, mark, database, lock.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fake_provider::{Account, Settings};
use scorpiox_tests::process::{Client, Database, Snapshot, Team, snapshot};
use scorpiox_wire::Code;
use scorpiox_wire::admin::Health;

fn a_team_with_a_login() -> (Team, Client) {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

#[test]
fn the_first_start_makes_what_it_says_and_keeps_it_to_itself() {
    let mut team = Team::not_started(Settings::default(), |plan| plan.encrypted());
    team.start();
    let said = team.broker().stdout();
    for what in ["data directory", "master key", "pepper", "database", "high-water mark", "rescue slots", "certificate"]
    {
        let line = said.lines().find(|line| line.starts_with("created") && line.contains(what));
        let path = line.and_then(|line| line.split_whitespace().last()).unwrap_or_else(|| panic!("{what}:\n{said}"));
        assert!(Path::new(path).exists(), "{line:?}");
    }
    let next = said.lines().find(|line| line.starts_with("next")).unwrap();
    assert!(next.contains("scorpiox-broker login --name main"), "{said}");
    let made = Snapshot::of(team.data());
    for (path, found) in &made.0 {
        let directory = team.data().join(path).is_dir();
        assert_eq!(found.mode, if directory { 0o700 } else { 0o600 }, "{}", path.display());
    }
    let mut top: Vec<String> = made.names().into_iter().filter(|name| !name.contains('/')).collect();
    top.retain(|name| !name.starts_with("broker.db-"));
    let expected = ["admin.sock", "audit-spool", "broker.db", "high-water", "identity", "lock", "master.key"];
    assert_eq!(top, [expected.as_slice(), &["pepper.key", "rescue", "tls"]].concat());

    team.given_a_login("main");
    let keys = |team: &Team| {
        ["master.key", "pepper.key", "tls/tls-key.pem"].map(|name| fs::read(team.data().join(name)).unwrap())
    };
    let before = keys(&team);
    team.restart();
    let said = team.broker().stdout();
    assert!(!said.contains("created") && said.contains("scorpiox-broker status"), "{said}");
    assert!(keys(&team) == before, "a second start keeps the keys");
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    let team = Team::not_started(Settings::default(), |plan| plan);
    fs::create_dir(team.data()).unwrap();
    fs::set_permissions(team.data(), Permissions::from_mode(0o755)).unwrap();
    let ended = team.start_in_vain();
    assert!(ended.stderr.contains("chmod 700"), "{}", ended.stderr);
    assert_eq!(Snapshot::of(team.data()).names(), [""; 0]);
}

/// Starts in vain and returns what was said; nothing below the data directory is touched.
fn refuses_and_changes_nothing(team: &Team, why: &str) -> String {
    let before = Snapshot::of(team.data());
    let ended = team.start_in_vain();
    assert_eq!(Snapshot::of(team.data()), before, "{why}");
    assert_eq!(ended.stdout, "", "{why}");
    ended.stderr
}

/// The ids in the file that says what belongs together: instance, master key, pepper.
fn identity(team: &Team) -> Vec<String> {
    let text = fs::read_to_string(team.data().join("identity")).unwrap();
    text.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_wrong_or_missing_key_is_named_and_nothing_is_changed() {
    let (mut team, laptop) = a_team_with_a_login();
    // Killed, so that a log of the database waits to be replayed: not even that may happen.
    team.kill_9();
    assert!(fs::metadata(team.data().join("broker.db-wal")).unwrap().len() > 0);
    let mut stranger = Team::new();
    stranger.stop();
    for (file, place) in [("master.key", 1), ("pepper.key", 2)] {
        let needed = identity(&team)[place].clone();
        let path = team.data().join(file);
        let own = fs::read(&path).unwrap();

        fs::remove_file(&path).unwrap();
        let said = refuses_and_changes_nothing(&team, "missing");
        assert!(said.contains(&needed) && said.contains(path.to_str().unwrap()), "{said}");

        fs::write(&path, fs::read(stranger.data().join(file)).unwrap()).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let said = refuses_and_changes_nothing(&team, "another one");
        assert!(said.contains(&needed) && said.contains(&identity(&stranger)[place]), "{said}");

        fs::write(&path, &own[..own.len() / 2]).unwrap();
        refuses_and_changes_nothing(&team, "cut");
        fs::write(&path, &own).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let said = refuses_and_changes_nothing(&team, "open to everybody");
        assert!(said.contains("chmod"), "{said}");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    team.start();
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_wrong_passphrase_changes_nothing_and_the_right_one_opens() {
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    let file = team.path("passphrase");
    let write = |text: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    };
    write("a-kettle-sings-at-noon\n");
    team.change(|plan| plan.with("SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE", file.to_str().unwrap()));
    team.start();
    team.given_a_login("main");
    team.stop();
    write("a-kettle-sings-at-nine\n");
    let said = refuses_and_changes_nothing(&team, "wrong passphrase");
    assert!(said.contains("passphrase") && !said.contains("kettle"), "{said}");
    write("a-kettle-sings-at-noon\n");
    team.start();
    assert_eq!(team.admin().credential("main").health, Health::Good);
}

#[test]
fn a_secret_out_of_the_documentation_is_refused() {
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    let file = team.path("passphrase");
    team.change(|plan| plan.with("SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE", file.to_str().unwrap()));
    for sample in ["correct horse battery staple", "change-me", "changeme", "replace-this-passphrase", "Change-Me"] {
        fs::write(&file, sample).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let said = team.start_in_vain().stderr;
        assert!(said.contains("sample"), "{sample}: {said}");
    }
    assert!(!team.data().join("master.key").exists());
    team.change(|plan| {
        plan.without("SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE")
            .with("SCORPIOX_BROKER_PROVIDER_PROXY", "http://user:password@proxy.example:3128")
    });
    let said = team.start_in_vain().stderr;
    assert!(said.contains("sample"), "{said}");
    // A key of nothing but zeros, in the form in which keys are kept.
    team.change(|plan| plan.without("SCORPIOX_BROKER_PROVIDER_PROXY"));
    team.start();
    team.stop();
    let path = team.data().join("master.key");
    let text = fs::read_to_string(&path).unwrap();
    let secret = text.lines().find_map(|line| line.strip_prefix("key ")).unwrap();
    fs::write(&path, text.replace(secret, &"0".repeat(64))).unwrap();
    let said = refuses_and_changes_nothing(&team, "a key of zeros");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_second_broker_on_the_same_directory_ends_with_a_clear_text() {
    let (team, laptop) = a_team_with_a_login();
    let ended = team.start_in_vain();
    assert!(ended.stderr.contains("another broker is running"), "{}", ended.stderr);
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    assert!(team.admin().refresh("main").unwrap().renewed);
}

#[test]
fn a_damaged_cell_sets_aside_its_credential_alone() {
    let swap_columns =
        "UPDATE credentials SET access_token_sealed = refresh_token_sealed WHERE name = 'main'".to_owned();
    let from_another_row = "UPDATE credentials SET refresh_token_sealed = \
        (SELECT refresh_token_sealed FROM credentials WHERE name = 'other') WHERE name = 'main'"
        .to_owned();
    for damage in ["access_token_sealed", "refresh_token_sealed", &swap_columns, &from_another_row] {
        let (mut team, laptop) = a_team_with_a_login();
        team.given_a_login_of("other", &Account::numbered(2));
        let bystander = team.given_a_client_of("bystander", "other");
        team.stop();
        let mut database = Database::of(team.data());
        match damage.split_once(' ') {
            Some(_) => assert_eq!(database.execute(damage), 1),
            None => database.flip_a_bit("credentials", damage, "name = 'main'"),
        }
        drop(database);
        team.start();
        let credential = team.admin().credential("main");
        assert_eq!(credential.health, Health::Quarantine, "{damage}");
        assert!(credential.next.unwrap().contains("login --name main"), "{damage}");
        assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::Quarantined);
        let reply = team.ask(&laptop.key);
        assert!(reply.status == 409 || !reply.json::<scorpiox_wire::TokenAnswer>().renewable, "{damage}");
        assert_eq!(team.fetch(&bystander.key).generation, 1);
        assert!(team.admin().refresh("other").unwrap().renewed);
        assert_eq!(team.provider.refresh_count(), 1, "{damage}");
        team.given_a_login("main");
        assert!(team.fetch(&laptop.key).renewable, "a login mends it");
    }
}

/// The database's files, put aside or back.
fn is_database(name: &str) -> bool {
    name.starts_with("broker.db")
}

#[test]
fn an_older_copy_of_the_database_renews_nothing() {
    let (mut team, laptop) = a_team_with_a_login();
    team.admin().refresh("main").unwrap();
    team.stop();
    let backup = team.path("backup");
    snapshot::copy_files(team.data(), &backup, is_database);
    team.start();
    team.given_longer_tokens();
    assert_eq!(team.admin().refresh("main").unwrap().credential.generation, 3);
    team.stop();
    snapshot::copy_files(&backup, team.data(), is_database);
    team.start();
    let credential = team.admin().credential("main");
    assert_eq!((credential.health, credential.generation), (Health::Quarantine, 2));
    team.broker().wait_for_log("QUARANTINE");
    assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::Quarantined);
    let token = team.fetch(&laptop.key);
    assert!(!token.renewable, "what has not expired is served");
    team.restart();
    assert_eq!(team.admin().credential("main").health, Health::Quarantine);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (2, 0));
    assert!(team.admin().verify_audit().first_bad.is_some(), "the audit lost its end and says so");
}

#[test]
fn a_copy_from_before_a_failed_attempt_is_older_though_its_generation_is_the_same() {
    let (mut team, _) = a_team_with_a_login();
    team.admin().refresh("main").unwrap();
    team.stop();
    let backup = team.path("backup");
    snapshot::copy_files(team.data(), &backup, is_database);
    team.start();
    // Redeemed, and the answer lost: what the copy holds may be spent.
    team.provider.fault(fake_provider::Fault::refresh(fake_provider::How::CutAfter { reset: true, body_bytes: None }));
    team.admin().refresh("main").unwrap_err();
    team.stop();
    snapshot::copy_files(&backup, team.data(), is_database);
    team.start();
    assert_eq!(team.admin().credential("main").health, Health::Quarantine);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (2, 0));
}

#[test]
fn a_lost_or_cut_write_ahead_log_renews_nothing() {
    for keep in [0, 40] {
        let (mut team, _) = a_team_with_a_login();
        team.restart();
        team.admin().refresh("main").unwrap();
        team.kill_9();
        let log = team.data().join("broker.db-wal");
        let length = fs::metadata(&log).unwrap().len();
        fs::File::options().write(true).open(&log).unwrap().set_len(length * keep / 100).unwrap();
        let _ = fs::remove_file(team.data().join("broker.db-shm"));
        team.start();
        let credential = team.admin().credential("main");
        assert_eq!(credential.health, Health::Quarantine, "{keep} %: {credential:?}");
        assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::Quarantined);
        assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
    }
}

#[test]
fn without_its_mark_a_broker_serves_and_renews_nothing_until_it_is_promoted() {
    let mut stranger = Team::new();
    stranger.given_a_login("main");
    stranger.admin().refresh("main").unwrap();
    stranger.stop();
    let foreign = fs::read(stranger.data().join("high-water")).unwrap();
    for mark in [None, Some(b"nonsense".to_vec()), Some(foreign)] {
        let (mut team, laptop) = a_team_with_a_login();
        team.admin().refresh("main").unwrap();
        team.stop();
        let path = team.data().join("high-water");
        match &mark {
            None => fs::remove_file(&path).unwrap(),
            Some(bytes) => fs::write(&path, bytes).unwrap(),
        }
        team.start();
        assert_eq!(team.admin().degraded(), ["fenced"], "{mark:?}");
        assert_eq!(team.fetch(&laptop.key).generation, 2);
        assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::Unavailable);
        team.restart();
        assert_eq!(team.admin().degraded(), ["fenced"], "a restart does not promote");
        assert_eq!(team.provider.refresh_count(), 1);
        team.admin().promote().unwrap();
        team.given_longer_tokens();
        assert!(team.admin().refresh("main").unwrap().renewed);
        team.restart();
        assert_eq!(team.admin().degraded(), [""; 0]);
        assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (2, 0));
    }
}

#[test]
fn without_its_database_or_identity_a_broker_does_not_begin_anew() {
    let (mut team, _) = a_team_with_a_login();
    team.stop();
    for name in ["broker.db", "identity"] {
        let (path, aside) = (team.data().join(name), team.path("aside"));
        fs::rename(&path, &aside).unwrap();
        let said = refuses_and_changes_nothing(&team, name);
        assert!(said.contains("restore"), "{said}");
        fs::rename(&aside, &path).unwrap();
    }
    team.start();
    assert_eq!(team.admin().credential("main").health, Health::Good);
}

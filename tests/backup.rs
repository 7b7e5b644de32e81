//! A backup of a broker that serves, its directory lost, and back: with real processes.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use fake_provider::Account;
use scorpiox_tests::process::Team;
use scorpiox_tests::process::renewing::Renewing;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{Health, LoginStanding};

/// The identity of somebody who is not on the broker's machine.
struct Keeper {
    identity: PathBuf,
    recipient: String,
}

impl Keeper {
    fn of(team: &Team) -> Self {
        use age::secrecy::ExposeSecret as _;
        let identity = age::x25519::Identity::generate();
        let path = team.path("identity.txt");
        fs::write(&path, identity.to_string().expose_secret()).unwrap();
        Self { identity: path, recipient: identity.to_public().to_string() }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(team: &Team, arguments: &[&str]) -> Output {
    team.plan().command(arguments).output().unwrap()
}

fn done(output: &Output) -> String {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

/// A broker with three logins: one is renewed after the backup, one before, one is put in after it.
fn a_team_that_lost_its_directory(mark: bool) -> (Team, Keeper, PathBuf, scorpiox_tests::process::Client) {
    let mut team = Team::not_started(fake_provider::Settings::default(), |plan| plan);
    let mark_file = team.path("high-water");
    if mark {
        team.change(|plan| plan.with("SCORPIOX_BROKER_ROTATION_HIGH_WATER_FILE", text(&mark_file)));
    }
    team.start();
    let keeper = Keeper::of(&team);
    for (number, name) in [(1, "used"), (2, "unused")] {
        team.given_a_login_of(name, &Account::numbered(number));
        assert!(team.admin().refresh(name).unwrap().renewed);
    }
    let laptop = team.given_a_client_of("laptop", "used");
    let file = team.path("broker.age");
    let said = done(&run(&team, &["backup", text(&file), "--recipient", &keeper.recipient]));
    assert!(said.contains("is written"), "{said}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    team.given_longer_tokens();
    assert!(team.admin().refresh("used").unwrap().renewed);
    team.given_a_login_of("later", &Account::numbered(3));
    team.admin().refresh("later").unwrap();
    team.kill_9();
    fs::remove_dir_all(team.data()).unwrap();
    (team, keeper, file, laptop)
}

fn restore(team: &Team, keeper: &Keeper, file: &Path) {
    let said = done(&run(
        team,
        &["restore", text(file), "--data", text(team.data()), "--identity-file", text(&keeper.identity)],
    ));
    assert!(said.contains("with 2 logins") && said.contains("promote --check"), "{said}");
}

fn standings(team: &Team) -> Vec<(String, LoginStanding)> {
    team.admin().promotion().logins.into_iter().map(|login| (login.name, login.standing)).collect()
}

#[test]
fn a_restored_broker_serves_renews_nothing_and_tells_exactly_which_login_needs_a_person() {
    let (mut team, keeper, file, laptop) = a_team_that_lost_its_directory(true);
    let posts = team.provider.refresh_count();
    restore(&team, &keeper, &file);
    team.start();
    assert!(team.admin().degraded().contains(&"fenced".to_owned()));
    assert_eq!(team.fetch(&laptop.key).generation, 2, "the token of the backup is served while it lasts");
    assert_eq!(team.admin().refresh("unused").unwrap_err().code, Code::Unavailable, "nothing is renewed");
    let expected = [("unused", LoginStanding::Safe), ("used", LoginStanding::Behind)];
    assert_eq!(standings(&team), expected.map(|(name, standing)| (name.to_owned(), standing)));
    let said = done(&run(&team, &["promote", "--check"]));
    assert!(said.contains("1 need a person:") && said.contains("login --name used"), "{said}");
    assert!(said.contains("1 more login was put in after the backup and lost: log in again"), "{said}");
    let lost = team.admin().promotion().lost_logins.expect("the mark knows them");
    assert!(matches!(&lost[..], [id] if said.contains(id)), "{lost:?}: {said}");
    team.restart();
    assert!(team.admin().degraded().contains(&"fenced".to_owned()), "a restart does not promote");

    done(&run(&team, &["promote", "--yes"]));
    team.given_longer_tokens();
    assert!(team.admin().refresh("unused").unwrap().renewed);
    assert_eq!(team.admin().refresh("used").unwrap_err().code, Code::Quarantined);
    assert_eq!(team.provider.refresh_count(), posts + 1);
    team.restart();
    assert!(!team.admin().degraded().contains(&"fenced".to_owned()));
    team.given_a_login_of("used", &Account::numbered(1));
    assert_eq!(team.admin().credential("used").health, Health::Good);
    assert!(team.fetch(&laptop.key).generation > 3, "no generation is given twice");
    assert_eq!(team.provider.violations().len(), 0);
}

#[test]
fn the_audit_of_a_restored_broker_is_whole_after_its_promotion_and_is_anchored_anew() {
    let mut team = Team::not_started(fake_provider::Settings::default(), |plan| plan);
    let (mark, anchors) = (team.path("high-water"), team.path("anchors"));
    team.change(|plan| {
        plan.with("SCORPIOX_BROKER_ROTATION_HIGH_WATER_FILE", text(&mark))
            .with("SCORPIOX_BROKER_AUDIT_ANCHOR_FILE", text(&anchors))
    });
    team.start();
    let keeper = Keeper::of(&team);
    for (number, name) in [(1, "used"), (2, "unused")] {
        team.given_a_login_of(name, &Account::numbered(number));
    }
    let file = team.path("broker.age");
    done(&run(&team, &["backup", text(&file), "--recipient", &keeper.recipient]));
    for _ in 0..10 {
        team.admin().pause("used").unwrap();
        team.admin().resume("used").unwrap();
    }
    // Its stop writes the mark and an anchor: both tell of entries that the backup does not have.
    team.stop();
    fs::remove_dir_all(team.data()).unwrap();
    restore(&team, &keeper, &file);
    team.start();
    assert!(team.admin().verify_audit().reason.is_some(), "the anchors tell of more than is there");
    done(&run(&team, &["promote", "--yes"]));
    let verdict = team.admin().verify_audit();
    assert_eq!((verdict.reason.as_deref(), verdict.anchors), (None, 0), "{verdict:?}");
    assert!(verdict.entries < 20, "it is still behind the old anchor: {verdict:?}");
    team.restart();
    let verdict = team.admin().verify_audit();
    assert_eq!((verdict.reason.as_deref(), verdict.anchors), (None, 1), "{verdict:?}");
    let again = done(&run(&team, &["promote"]));
    assert!(again.contains("nothing to promote"), "without a question: {again}");
}

#[test]
fn without_a_mark_nothing_is_presented_unless_somebody_says_so() {
    let (mut team, keeper, file, _) = a_team_that_lost_its_directory(false);
    let posts = team.provider.refresh_count();
    restore(&team, &keeper, &file);
    team.start();
    assert!(standings(&team).iter().all(|(_, standing)| *standing == LoginStanding::Unknown));
    assert_eq!(team.admin().promotion().lost_logins, None);
    let said = done(&run(&team, &["promote", "--check"]));
    assert!(said.contains("are lost, and without the high-water mark nobody knows how many"), "{said}");
    done(&run(&team, &["promote", "--yes"]));
    for name in ["used", "unused"] {
        assert_eq!(team.admin().refresh(name).unwrap_err().code, Code::Quarantined, "{name}");
    }
    assert_eq!(team.provider.refresh_count(), posts);

    team.stop();
    fs::remove_dir_all(team.data()).unwrap();
    restore(&team, &keeper, &file);
    team.start();
    done(&run(&team, &["promote", "--yes", "--try-unknown"]));
    team.given_longer_tokens();
    assert!(team.admin().refresh("unused").unwrap().renewed, "what was not used goes on");
    assert!(team.admin().refresh("used").is_err());
    assert_eq!(team.admin().credential("used").health, Health::Reauth, "one post tells");
}

#[test]
fn a_backup_while_logins_are_renewed_is_good_and_has_each_as_it_was_then_or_later() {
    let mut team = Team::new();
    let keeper = Keeper::of(&team);
    let renewing = Renewing::of(&team, 4);
    let file = team.path("broker.age");
    let generations = |team: &Team| -> Vec<u64> {
        renewing.names.iter().map(|name| team.admin().credential(name).generation).collect()
    };
    let (before, said) = renewing.meanwhile(&team, || {
        let before = generations(&team);
        (before, done(&run(&team, &["backup", text(&file), "--recipient", &keeper.recipient])))
    });
    assert!(said.contains("is written"), "{said}");
    let after = generations(&team);
    team.kill_9();
    fs::remove_dir_all(team.data()).unwrap();
    let restored = ["restore", text(&file), "--data", text(team.data()), "--identity-file", text(&keeper.identity)];
    assert!(done(&run(&team, &restored)).contains("with 4 logins"));
    let posts = team.provider.refresh_count();
    team.start();
    assert!(team.admin().degraded().contains(&"fenced".to_owned()));
    for ((restored, before), after) in generations(&team).into_iter().zip(before).zip(after) {
        assert!((before..=after).contains(&restored), "{before} <= {restored} <= {after}");
    }
    assert_eq!(team.provider.refresh_count(), posts, "nothing is presented behind the fence");
    assert!(renewing.names.iter().all(|name| team.admin().credential(name).serving));
    assert_eq!(team.provider.violations(), Vec::<String>::new());
}

#[test]
fn a_backup_is_checked_and_what_is_no_good_keeps_the_old_file() {
    let team = Team::new();
    team.given_a_login("main");
    let (file, phrase) = (team.path("broker.age"), team.path("passphrase"));
    fs::write(&phrase, "gone fishing in a teapot\n").unwrap();
    fs::set_permissions(&phrase, Permissions::from_mode(0o600)).unwrap();
    let made = done(&run(&team, &["backup", text(&file), "--passphrase-file", text(&phrase)]));
    assert!(made.contains("is good") && made.contains("1 login,"), "it was opened again: {made}");
    let checked = done(&run(&team, &["backup", "--check", text(&file), "--passphrase-file", text(&phrase)]));
    assert!(checked.contains("is good"), "{checked}");

    let good = fs::read(&file).unwrap();
    let wrong = run(&team, &["backup", text(&file), "--recipient", "age1nobody"]);
    assert_eq!(wrong.status.code(), Some(2));
    let unasked = run(&team, &["backup", text(&file)]);
    assert_eq!(unasked.status.code(), Some(2), "there is no terminal to ask");
    assert_eq!(fs::read(&file).unwrap(), good);
    let mut damaged = good;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&file, damaged).unwrap();
    let noticed = run(&team, &["backup", "--check", text(&file), "--passphrase-file", text(&phrase)]);
    assert_eq!(noticed.status.code(), Some(1));
    let there = run(&team, &["restore", text(&file), "--data", text(team.data()), "--passphrase-file", text(&phrase)]);
    assert!(String::from_utf8_lossy(&there.stderr).contains("not empty"));
    assert_eq!(team.admin().audit_of("broker.backup").len(), 1);
}

#[test]
fn a_backup_comes_over_standard_output_and_goes_back_in_over_standard_input() {
    let team = Team::new();
    team.given_a_login("main");
    let keeper = Keeper::of(&team);
    let output = run(&team, &["backup", "-", "--recipient", &keeper.recipient]);
    assert!(output.status.success(), "{output:?}");
    let back = team.path("back");
    let arguments = ["restore", "/dev/stdin", "--data", text(&back), "--identity-file", text(&keeper.identity)];
    let mut restore = team.plan().command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    restore.stdin.take().unwrap().write_all(&output.stdout).unwrap();
    assert!(restore.wait().unwrap().success());
    assert!(back.join("broker.db").exists() && back.join("master.key").exists());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("KiB are written"), "{told}");
}

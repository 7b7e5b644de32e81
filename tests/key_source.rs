//! Where the master key comes from at a start: a passphrase on a descriptor, a credential of the service's manager.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use scorpiox_tests::process::{Client, Database, Team, binaries};
use scorpiox_wire::admin::{Health, RekeyRequest};

const PASSPHRASE: &str = "a-kettle-sings-at-noon";
const KEY: &str = "3a1f5c77e2d5b640d4039ab6c2e8f1005b77aa31c9de402f8816f0349be72d51";

/// A program that gives `serve` its passphrase through a pipe, and is the broker otherwise.
fn giving(team: &mut Team, passphrase: &str) {
    let (program, broker) = (team.path("given"), binaries::broker());
    let script = format!(
        "#!/bin/sh\ncase $1 in\nserve) exec {0} \"$@\" --passphrase-fd 3 3<<END\n{passphrase}\nEND\n;;\nesac\n\
         exec {0} \"$@\"\n",
        broker.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    let configuration = team.path("scorpiox-broker.toml");
    fs::write(&configuration, "").unwrap();
    team.change(|plan| plan.wrapped(&program).serve(&configuration));
}

fn a_team_with_logins(team: &Team) -> Client {
    team.given_a_login("main");
    team.given_a_client("laptop")
}

fn serves_and_renews(team: &Team, laptop: &Client) {
    team.fetch(&laptop.key);
    team.given_longer_tokens();
    assert!(team.admin().refresh("main").unwrap().renewed);
    assert_eq!(team.provider.violations().len(), 0);
}

fn is_wrapped(file: &Path) -> bool {
    !fs::read_to_string(file).unwrap().lines().any(|line| line.starts_with("key "))
}

#[test]
fn a_passphrase_on_a_descriptor_opens_the_key_also_after_it_was_changed_and_no_other_does() {
    let mut team = Team::not_started(fake_provider::Settings::default(), |plan| plan);
    giving(&mut team, PASSPHRASE);
    team.start();
    let laptop = a_team_with_logins(&team);
    let key = team.data().join("master.key");
    assert!(is_wrapped(&key), "a first start wraps the key that it makes");
    team.restart();
    serves_and_renews(&team, &laptop);

    let view = team.admin().rekey(&RekeyRequest::default()).unwrap();
    assert!(is_wrapped(&key), "under the same passphrase");
    team.restart();
    serves_and_renews(&team, &laptop);
    assert_eq!(team.admin().rekeying().key_id, view.key_id);
    team.stop();

    let before = fs::read(team.data().join("broker.db")).unwrap();
    giving(&mut team, "a-kettle-sings-at-nine");
    let ended = team.start_in_vain();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("passphrase") && !ended.stderr.contains("kettle"), "{}", ended.stderr);
    assert_eq!(fs::read(team.data().join("broker.db")).unwrap(), before);
    giving(&mut team, PASSPHRASE);
    team.start();
    serves_and_renews(&team, &laptop);
}

/// A directory as Kubernetes mounts a secret: the file is a link through a link, so that all change at once.
fn mounted(team: &Team, mode: u32) -> std::path::PathBuf {
    let place = team.path(&format!("credentials-{mode:o}"));
    let version = place.join("..2026_01_01_00_00_00.1");
    fs::create_dir_all(&version).unwrap();
    fs::write(version.join("master-key"), KEY).unwrap();
    fs::set_permissions(version.join("master-key"), Permissions::from_mode(mode)).unwrap();
    symlink("..2026_01_01_00_00_00.1", place.join("..data")).unwrap();
    symlink("..data/master-key", place.join("master-key")).unwrap();
    place
}

#[test]
fn a_credential_behind_links_starts_a_new_broker_that_keeps_no_key_of_its_own() {
    let mut team = Team::not_started(fake_provider::Settings::default(), |plan| {
        plan.with("SCORPIOX_BROKER_KEYS_MASTER_KEY_CREDENTIAL", "master-key")
    });
    let first = mounted(&team, 0o400);
    team.change(|plan| plan.with("CREDENTIALS_DIRECTORY", first.to_str().unwrap()));
    team.start();
    let laptop = a_team_with_logins(&team);
    serves_and_renews(&team, &laptop);
    assert!(!team.data().join("master.key").exists());
    // As Kubernetes gives it to a pod with an fsGroup.
    let second = mounted(&team, 0o440);
    team.change(|plan| plan.with("CREDENTIALS_DIRECTORY", second.to_str().unwrap()));
    team.restart();
    serves_and_renews(&team, &laptop);
    assert_eq!(team.admin().credential("main").health, Health::Good);
    team.stop();
    let keys: Vec<String> = Database::of(team.data())
        .column("SELECT DISTINCT lower(hex(substr(refresh_token_sealed, 2, 8))) FROM credentials");
    assert_eq!(keys.len(), 1);
}

//! Another master key while the broker serves, and a stop at every step of it (S3, S4); where the key may come from.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use scorpiox_tests::process::renewing::Renewing;
use scorpiox_tests::process::{Client, Database, Team};
use scorpiox_wire::admin::{Health, RekeyRequest, RekeyView};

const ANOTHER_KEY: &str = "3a1f5c77e2d5b640d4039ab6c2e8f1005b77aa31c9de402f8816f0349be72d51";

fn a_team_with_logins() -> (Team, Client) {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

/// The master key that the broker's file names.
fn key_in_file(team: &Team) -> String {
    let text = fs::read_to_string(team.data().join("master.key")).unwrap();
    text.lines().find_map(|line| line.strip_prefix("id ")).unwrap().to_owned()
}

/// The keys under which the cells of the database are sealed, while no broker runs.
fn keys_of_cells(team: &Team) -> Vec<String> {
    Database::of(team.data()).column(
        "SELECT DISTINCT lower(hex(substr(cell, 2, 8))) FROM (SELECT access_token_sealed AS cell FROM credentials \
         UNION SELECT refresh_token_sealed FROM credentials UNION SELECT key_sealed FROM session_keys \
         UNION SELECT answer_sealed FROM kept_answers)",
    )
}

/// Whether anything in the database's files is sealed under that key: each sealed cell has the key's id in the clear.
fn is_in_files(team: &Team, key_id: &str) -> bool {
    let id: Vec<u8> =
        (0..key_id.len()).step_by(2).map(|at| u8::from_str_radix(&key_id[at..at + 2], 16).unwrap()).collect();
    let files = ["broker.db", "broker.db-wal"].map(|name| fs::read(team.data().join(name)).unwrap());
    files.iter().any(|file| file.windows(id.len()).any(|bytes| bytes == id))
}

fn serves_and_renews(team: &Team, laptop: &Client) {
    team.fetch(&laptop.key);
    team.given_longer_tokens();
    assert!(team.admin().refresh("main").unwrap().renewed);
    assert!(team.admin().verify_audit().first_bad.is_none(), "the audit's chain holds across keys");
    assert_eq!(team.provider.violations().len(), 0);
}

#[test]
fn everything_is_sealed_anew_and_the_old_key_opens_nothing() {
    let (mut team, laptop) = a_team_with_logins();
    let old = fs::read(team.data().join("master.key")).unwrap();
    let old_id = key_in_file(&team);
    // Rows that were rewritten leave free pages and old frames of the log behind.
    for _ in 0..3 {
        serves_and_renews(&team, &laptop);
    }
    assert!(is_in_files(&team, &old_id));
    let view: RekeyView = team.admin().rekey(&RekeyRequest::default()).unwrap();
    assert_eq!((view.replaces, view.damaged, view.next), (None, 0, None));
    assert!(view.moved >= 2, "{}", view.moved);
    assert_ne!(view.key_id, old_id);
    serves_and_renews(&team, &laptop);
    assert!(!is_in_files(&team, &old_id), "neither in a free page nor in the log");
    team.stop();
    assert_eq!(key_in_file(&team), view.key_id);
    assert_eq!(keys_of_cells(&team), std::slice::from_ref(&view.key_id));

    let new = fs::read(team.data().join("master.key")).unwrap();
    fs::write(team.data().join("master.key"), old).unwrap();
    let ended = team.start_in_vain();
    assert!(ended.stderr.contains(&view.key_id) && ended.stderr.contains("Nothing was changed"), "{}", ended.stderr);
    fs::write(team.data().join("master.key"), new).unwrap();
    team.start();
    serves_and_renews(&team, &laptop);
    let again = team.admin().rekey(&RekeyRequest::default()).unwrap();
    assert_ne!(again.key_id, view.key_id);
    team.restart();
    serves_and_renews(&team, &laptop);
}

#[test]
fn s4_a_broker_that_is_killed_at_any_step_goes_on_at_its_next_start() {
    for point in ["rekey_begun", "rekey_batch", "rekey_moved", "rekey_key_written", "rekey_settled"] {
        let (mut team, laptop) = a_team_with_logins();
        let old_id = key_in_file(&team);
        team.stop();
        team.change(|plan| plan.with("SCORPIOX_FAILPOINTS", &format!("{point}=kill")));
        team.start();
        // It is cut off in the middle of its answer.
        let cut_off = team.plan().command(&["rekey"]).output().unwrap();
        assert!(!cut_off.status.success(), "{point}");
        team.await_end();
        team.change(|plan| plan.without("SCORPIOX_FAILPOINTS"));
        team.start();
        team.broker().wait_for_log("the key that was replaced is not needed any more");
        serves_and_renews(&team, &laptop);
        let status = team.admin().rekeying();
        assert_eq!(status.replaces, None, "{point}");
        team.stop();
        let new_id = key_in_file(&team);
        assert_ne!(new_id, old_id, "{point}");
        assert_eq!(keys_of_cells(&team), [new_id], "{point}");
        team.start();
        serves_and_renews(&team, &laptop);
    }
}

#[test]
fn a_change_while_logins_are_renewed_loses_none_of_them_and_leaves_nothing_under_the_old_key() {
    let mut team = Team::new();
    let renewing = Renewing::of(&team, 4);
    let laptop = team.given_a_client_of("laptop", &renewing.names[0]);
    let view = renewing.meanwhile(&team, || team.admin().rekey(&RekeyRequest::default()).unwrap());
    assert_eq!(view.damaged, 0);
    for name in &renewing.names {
        assert_eq!(team.admin().credential(name).health, Health::Good, "{name}");
    }
    team.restart();
    team.fetch(&laptop.key);
    for name in &renewing.names {
        team.given_longer_tokens();
        assert!(team.admin().refresh(name).unwrap().renewed, "{name}");
    }
    team.stop();
    assert_eq!(keys_of_cells(&team), [view.key_id]);
    assert_eq!(team.provider.violations(), Vec::<String>::new());
}

#[test]
fn s3_a_directory_that_lost_its_key_ring_after_a_change_starts_no_broker_and_is_left_as_it_is() {
    let (mut team, laptop) = a_team_with_logins();
    team.admin().rekey(&RekeyRequest::default()).unwrap();
    refused_without_its_ring(&mut team);
    serves_and_renews(&team, &laptop);
}

#[test]
fn s3_during_a_change_either_key_is_refused_without_the_ring() {
    for point in ["rekey_batch", "rekey_key_written"] {
        let (mut team, laptop) = a_team_with_logins();
        team.stop();
        team.change(|plan| plan.with("SCORPIOX_FAILPOINTS", &format!("{point}=kill")));
        team.start();
        assert!(!team.plan().command(&["rekey"]).output().unwrap().status.success(), "{point}");
        team.await_end();
        team.change(|plan| plan.without("SCORPIOX_FAILPOINTS"));
        refused_without_its_ring(&mut team);
        team.broker().wait_for_log("the key that was replaced is not needed any more");
        serves_and_renews(&team, &laptop);
    }
}

/// Its ring is missing, then it is put back.
fn refused_without_its_ring(team: &mut Team) {
    if team.is_running() {
        team.stop();
    }
    let (ring, elsewhere) = (team.data().join("key-ring"), team.path("key-ring"));
    fs::rename(&ring, &elsewhere).unwrap();
    // After a kill SQLite itself may empty its log into the file, so what the file says is compared.
    let content = || Database::of(team.data()).column::<String>("SELECT key || value FROM meta ORDER BY key");
    let before = (keys_of_cells(team), content());
    let ended = team.start_in_vain();
    assert!(ended.stderr.contains("key-ring") && ended.stderr.contains("Nothing was changed"), "{}", ended.stderr);
    assert_eq!((keys_of_cells(team), content()), before);
    assert!(!ring.exists());
    fs::rename(&elsewhere, &ring).unwrap();
    team.start();
}

#[test]
fn a_key_of_a_service_is_changed_in_two_steps_and_either_key_starts_the_broker_between_them() {
    let (mut team, laptop) = a_team_with_logins();
    team.stop();
    // What the key service prints is what stood in the file.
    let place = team.path("service");
    fs::create_dir(&place).unwrap();
    let program = place.join("unwrap-key");
    fs::rename(team.data().join("master.key"), place.join("key")).unwrap();
    let script = format!("#!/bin/sh\nexec cat {}\n", place.join("key").display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    team.change(|plan| plan.with("SCORPIOX_BROKER_KEYS_MASTER_KEY_COMMAND", &program.display().to_string()));
    team.start();
    serves_and_renews(&team, &laptop);

    let refused = team.admin().rekey(&RekeyRequest::default()).unwrap_err();
    assert!(refused.hint.unwrap_or_default().contains("--new-key-file"));
    let next = place.join("next");
    fs::write(&next, ANOTHER_KEY).unwrap();
    let request = RekeyRequest { new_key_file: Some(next.display().to_string()) };
    let view = team.admin().rekey(&request).unwrap();
    assert!(view.next.unwrap().contains(&view.key_id), "a person gives the service the key");
    // The service still has the old one.
    team.restart();
    serves_and_renews(&team, &laptop);
    let old = fs::read(place.join("key")).unwrap();
    fs::rename(&next, place.join("key")).unwrap();
    team.restart();
    team.broker().wait_for_log("the key that was replaced is not needed any more");
    serves_and_renews(&team, &laptop);
    assert_eq!(team.admin().rekeying().replaces, None);
    team.stop();
    fs::write(place.join("key"), old).unwrap();
    let ended = team.start_in_vain();
    assert!(ended.stderr.contains(&view.key_id), "{}", ended.stderr);
}

#[test]
fn s3_a_source_that_gives_no_key_starts_nothing_and_writes_nothing() {
    let (mut team, _) = a_team_with_logins();
    team.stop();
    fs::remove_file(team.data().join("master.key")).unwrap();
    let before = fs::read(team.data().join("broker.db")).unwrap();
    team.change(|plan| plan.with("SCORPIOX_BROKER_KEYS_MASTER_KEY_COMMAND", "/bin/false"));
    assert!(team.start_in_vain().stderr.contains("exit code 1"));
    team.change(|plan| {
        plan.without("SCORPIOX_BROKER_KEYS_MASTER_KEY_COMMAND")
            .with("SCORPIOX_BROKER_KEYS_MASTER_KEY_CREDENTIAL", "key")
    });
    assert!(team.start_in_vain().stderr.contains("CREDENTIALS_DIRECTORY"));
    let credentials = team.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("key"), ANOTHER_KEY).unwrap();
    team.change(|plan| plan.with("CREDENTIALS_DIRECTORY", &credentials.display().to_string()));
    let ended = team.start_in_vain();
    assert!(ended.stderr.contains("but this data needs the key with id"), "{}", ended.stderr);
    assert_eq!(fs::read(team.data().join("broker.db")).unwrap(), before);
    assert!(!team.data().join("master.key").exists());
}

#[test]
fn a_login_whose_cell_is_damaged_stops_no_change_of_the_key() {
    let (mut team, _) = a_team_with_logins();
    team.stop();
    Database::of(team.data()).execute("UPDATE credentials SET id_token_sealed = substr(id_token_sealed, 1, 20)");
    team.start();
    assert_eq!(team.admin().credential("main").health, Health::Quarantine);
    let view = team.admin().rekey(&RekeyRequest::default()).unwrap();
    assert_eq!((view.damaged, view.replaces), (1, None));
}

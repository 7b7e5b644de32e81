//! The audit: written before a token leaves, whatever becomes of the disk, and whole or known not to be.

use scorpiox_tests::process::{Client, Crowd, Database, Team, patience};
use scorpiox_wire::Code;
use scorpiox_wire::admin::AuditVerdict;
use serde_json::Value;

fn a_team() -> (Team, Client) {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

fn whole(verdict: &AuditVerdict) -> bool {
    verdict.first_bad.is_none()
}

#[test]
fn a_database_that_takes_nothing_sends_the_audit_to_its_spool_and_tokens_go_on() {
    let (mut team, laptop) = a_team();
    let mut intruder = Database::of(team.data());
    intruder.lock();
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    assert_eq!(team.admin().degraded(), ["audit_spooling"]);
    assert!(intruder.column::<String>("SELECT action FROM audit WHERE action = 'token.first'").is_empty());
    // What was promised survives a kill while it is in the spool only.
    team.kill_9();
    intruder.unlock();
    drop(intruder);
    team.start();
    patience::until("an empty spool", || (team.admin().audit_of("token.first").len() == 1).then_some(()));
    assert!(whole(&team.admin().verify_audit()));
    // The line is in the database a moment before the spool is cleared.
    patience::until("nothing degraded", || team.admin().degraded().is_empty().then_some(()));
}

#[test]
fn without_database_and_spool_not_one_byte_of_a_token_leaves() {
    let (team, laptop) = a_team();
    let desktop = team.given_a_client("desktop");
    let token = team.fetch(&desktop.key);
    let mut intruder = Database::of(team.data());
    intruder.lock();
    std::fs::remove_file(team.data().join("audit-spool")).unwrap();
    for reply in Crowd::asking(team.broker(), &[&laptop.key], 20).answers() {
        assert_eq!(reply.problem().code, Code::AuditUnavailable);
        assert!(reply.header("retry-after").is_some());
        assert!(!reply.text().contains("eyJ"), "{}", reply.text());
    }
    let ready = team.broker().get("/readyz");
    assert_eq!((ready.status, ready.json::<Value>()["serving"].clone()), (503, Value::Bool(false)));
    // Who was written down before this goes on, the repeat is counted.
    assert_eq!(team.fetch(&desktop.key).access_token, token.access_token);
    intruder.unlock();
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    assert_eq!(team.broker().get("/readyz").status, 200);
    let first = team.admin().audit_of("token.first");
    assert_eq!(first.iter().filter(|entry| entry.actor == "client:laptop").count(), 1, "{first:?}");
    assert!(whole(&team.admin().verify_audit()));
}

#[test]
fn each_first_hand_out_of_a_generation_is_one_line_and_repeats_are_counted() {
    let (mut team, laptop) = a_team();
    for _ in 0..3 {
        let agent = [("user-agent", "codex/1.0 \u{202e}evil")];
        assert_eq!(team.ask_with(&laptop.key, "/codex", &agent).status, 200);
    }
    team.admin().refresh("main").unwrap();
    team.fetch(&laptop.key);
    let first = team.admin().audit_of("token.first");
    let objects: Vec<&str> = first.iter().map(|entry| entry.object.as_str()).collect();
    assert_eq!(objects, ["credential:main generation:1", "credential:main generation:2"]);
    for entry in &first {
        assert_eq!((entry.actor.as_str(), entry.address.as_str()), ("client:laptop", "127.0.0.1"));
        assert!(!entry.request_id.is_empty() && !entry.detail.contains(char::is_control), "{entry:?}");
    }
    team.restart();
    let counts = Database::of(team.data()).column::<i64>("SELECT count FROM handouts ORDER BY generation");
    assert_eq!(counts, [3, 1]);
}

#[test]
fn an_audit_that_was_edited_reordered_or_cut_says_where() {
    let edits = [
        ("UPDATE audit SET actor = 'client:nobody' WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("UPDATE audit SET seq = seq * 10 WHERE seq IN (2, 3)", 2),
        ("DELETE FROM audit WHERE seq >= 4", 4),
    ];
    for (edit, at) in edits {
        let (mut team, laptop) = a_team();
        team.fetch(&laptop.key);
        team.admin().refresh("main").unwrap();
        team.given_a_client("desktop");
        assert!(team.admin().audit().len() >= 5 && whole(&team.admin().verify_audit()));
        team.stop();
        Database::of(team.data()).execute(edit);
        team.start();
        let verdict = team.admin().verify_audit();
        assert_eq!(verdict.first_bad, Some(at), "{edit}: {verdict:?}");
    }
}

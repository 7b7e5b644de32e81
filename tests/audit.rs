//! The audit: written before a token leaves, whatever becomes of the disk, and whole or known not to be.

use fake_provider::{Fault, How, Settings};
use scorpiox_tests::process::{Client, Crowd, Database, Reply, Team, patience};
use scorpiox_wire::Code;
use scorpiox_wire::admin::{AuditVerdict, Holder, LoginFlow, LoginState, Page, PruneAnswer};
use serde_json::{Value, json};

fn a_team() -> (Team, Client) {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

fn whole(verdict: &AuditVerdict) -> bool {
    verdict.reason.is_none()
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
fn a_broker_that_could_write_nothing_is_ready_again_though_nobody_asks_it_for_anything() {
    let (team, laptop) = a_team();
    let mut intruder = Database::of(team.data());
    intruder.lock();
    std::fs::remove_file(team.data().join("audit-spool")).unwrap();
    assert_eq!(team.ask(&laptop.key).problem().code, Code::AuditUnavailable);
    assert_eq!(team.broker().get("/readyz").status, 503);
    intruder.unlock();
    patience::until("a broker that is ready", || (team.broker().get("/readyz").status == 200).then_some(()));
    assert!(team.admin().audit_of("token.first").is_empty(), "nothing was written but to see that it can be");
    assert_eq!(team.fetch(&laptop.key).generation, 1);
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

/// An anchor after each entry.
fn an_anchored_team() -> (Team, Client) {
    let team = Team::with(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_AUDIT_ANCHOR_ENTRIES", "1"));
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    team.fetch(&laptop.key);
    (team, laptop)
}

fn anchors(team: &Team) -> u64 {
    team.admin().verify_audit().anchors
}

#[test]
fn an_audit_that_was_cut_off_below_its_newest_anchor_is_found_out_though_the_mark_was_cut_too() {
    let (mut team, _) = an_anchored_team();
    patience::until("an anchor", || (anchors(&team) > 0).then_some(()));
    team.stop();
    // The anchor of the stop covers all; an older mark fits the shorter audit.
    Database::of(team.data()).execute("DELETE FROM audit WHERE seq > 1");
    std::fs::remove_file(team.data().join("high-water")).unwrap();
    team.start();
    let verdict = team.admin().verify_audit();
    assert_eq!(verdict.first_bad, Some(2), "{verdict:?}");
    assert!(verdict.reason.unwrap().contains("cut off"));
}

#[test]
fn an_anchor_file_that_is_missing_foreign_changed_or_older_is_told_and_never_replaced_by_itself() {
    type Harm = fn(&std::path::Path, &str);
    let harms: [(Harm, &str); 4] = [
        (|file, _| std::fs::remove_file(file).unwrap(), "missing"),
        (|file, text| std::fs::write(file, text.replace("instance ", "instance x")).unwrap(), "another broker"),
        (|file, text| std::fs::write(file, text.replace("\n1 ", "\n2 ")).unwrap(), "cannot be trusted"),
        (
            |file, text| {
                std::fs::write(file, text.lines().take(3).map(|l| format!("{l}\n")).collect::<String>()).unwrap()
            },
            "older copy",
        ),
    ];
    for (harm, told) in harms {
        let (mut team, laptop) = an_anchored_team();
        patience::until("two anchors", || (anchors(&team) > 1).then_some(()));
        team.stop();
        let file = team.data().join("audit-anchors");
        let text = std::fs::read_to_string(&file).unwrap();
        harm(&file, &text);
        let harmed = std::fs::read_to_string(&file).ok();
        team.start();
        team.admin().refresh("main").unwrap();
        team.fetch(&laptop.key);
        let verdict = team.admin().verify_audit();
        assert!(verdict.reason.as_ref().is_some_and(|reason| reason.contains(told)), "{told}: {verdict:?}");
        assert_eq!(std::fs::read_to_string(&file).ok(), harmed, "{told}");
        let begun: AuditVerdict = team.admin().ask("POST", "/audit/begin-anchors", None).result().unwrap();
        assert!(whole(&begun), "{begun:?}");
        assert_eq!(team.admin().audit_of("audit.begin_anchors").len(), 1);
        team.restart();
        assert!(whole(&team.admin().verify_audit()) && anchors(&team) > 0);
    }
}

fn prune(team: &Team, before: i64) -> Reply {
    team.admin().ask("POST", "/audit/prune", Some(json!({ "before": before })))
}

#[test]
fn old_entries_go_in_exchange_for_a_checkpoint_and_the_rest_is_still_proved() {
    let (mut team, laptop) = an_anchored_team();
    assert_eq!(prune(&team, 0).result::<PruneAnswer>().unwrap().removed, 0);
    let newest = team.admin().audit().last().unwrap().seq;
    let answer: PruneAnswer = prune(&team, i64::MAX).result().unwrap();
    assert_eq!(answer.removed, newest - 1, "the newest entry stays");
    team.fetch(&laptop.key);
    team.restart();
    let verdict = team.admin().verify_audit();
    assert!(whole(&verdict) && verdict.removed == newest - 1, "{verdict:?}");
    assert_eq!(team.admin().audit()[0].seq, newest);
    assert_eq!(team.admin().audit_of("audit.prune").len(), 1);
    // Once more, onto the checkpoint that is there.
    assert!(prune(&team, i64::MAX).result::<PruneAnswer>().unwrap().removed > 0);
    assert!(whole(&team.admin().verify_audit()));
}

#[test]
fn hand_outs_of_ended_tokens_go_with_the_entries_and_those_of_good_ones_stay() {
    let (team, laptop) = an_anchored_team();
    // The provider's answer confirms the date.
    team.admin().refresh("main").unwrap();
    team.fetch(&laptop.key);
    team.admin().refresh("main").unwrap();
    team.fetch(&laptop.key);
    let mut database = Database::of(team.data());
    database.execute("UPDATE handouts SET expires_at = 1 WHERE generation = 1");
    prune(&team, i64::MAX).result::<PruneAnswer>().unwrap();
    assert_eq!(database.column::<i64>("SELECT generation FROM handouts ORDER BY generation"), [2, 3]);
}

#[test]
fn a_forged_checkpoint_a_removed_one_and_a_gap_behind_it_are_noticed() {
    for (edit, at) in [
        ("UPDATE audit_checkpoint SET count = 1", None),
        ("UPDATE audit_checkpoint SET seq = seq + 1", None),
        ("DELETE FROM audit_checkpoint", Some(1)),
    ] {
        let (mut team, _) = an_anchored_team();
        prune(&team, i64::MAX).result::<PruneAnswer>().unwrap();
        team.given_a_client("desktop");
        team.stop();
        Database::of(team.data()).execute(edit);
        team.start();
        let verdict = team.admin().verify_audit();
        assert!(!whole(&verdict) && verdict.first_bad == at, "{edit}: {verdict:?}");
        let before = team.admin().audit();
        assert_eq!(prune(&team, i64::MAX).problem().code, Code::Conflict, "{edit}");
        let after = team.admin().audit();
        assert!(after.starts_with(&before), "{edit}: a refusal removes nothing");
        assert_eq!(after.last().unwrap().outcome, "conflict");
    }
}

#[test]
fn whoever_still_holds_a_token_is_named_revoked_or_not() {
    let (team, laptop) = a_team();
    let desktop = team.given_a_client("desktop");
    team.given_a_client("idle");
    let first = team.fetch(&laptop.key);
    team.fetch(&desktop.key);
    team.given_longer_tokens();
    team.admin().refresh("main").unwrap();
    let second = team.fetch(&laptop.key);
    team.admin().revoke("desktop").unwrap();
    let page: Page<Holder> = team.admin().ask("GET", "/credentials/main/holders", None).result().unwrap();
    let told: Vec<_> = page.items.iter().map(|h| (h.client.as_str(), h.generation, h.tokens, h.until)).collect();
    assert_eq!(told, [("desktop", 1, 1, first.expires_at), ("laptop", 2, 2, second.expires_at)]);
    assert!(page.items[0].revoked_at.is_some() && page.items[1].revoked_at.is_none());
    // What a revocation says is the last end of all that it holds.
    let revoked = team.admin().revoke("laptop").unwrap();
    assert_eq!(revoked.client.holds_until, Some(second.expires_at.max(first.expires_at)));
    assert_eq!(team.admin().ask("GET", "/credentials/none/holders", None).problem().code, Code::NotFound);
}

/// Who asked for the rotations of which outcome, oldest first.
fn rotations(team: &Team) -> Vec<(String, String)> {
    team.admin()
        .audit_of("credential.rotate")
        .into_iter()
        .inspect(|entry| assert_eq!((entry.actor.as_str(), entry.object.as_str()), ("broker", "credential:main")))
        .map(|entry| (entry.outcome, entry.detail))
        .collect()
}

#[test]
fn each_rotation_that_ended_is_a_line_that_says_who_asked_for_it() {
    let (team, laptop) = a_team();
    team.admin().refresh("main").unwrap();
    let [(outcome, detail)] = &rotations(&team)[..] else { panic!("{:?}", rotations(&team)) };
    assert_eq!(outcome, "ok");
    assert!(detail.starts_with("generation 2; asked for by admin:uid="), "{detail}");
    let by_admin = team.admin().audit_of("credential.refresh").remove(0);
    let line = team.admin().audit_of("credential.rotate").remove(0);
    assert_eq!((line.request_id, line.address), (by_admin.request_id, by_admin.address));
    // Ahead of the first hand-out that it made possible.
    team.fetch(&laptop.key);
    assert!(line.seq < team.admin().audit_of("token.first").remove(0).seq);
}

#[test]
fn a_rotation_that_a_refusal_caused_names_the_client() {
    let team = Team::with(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s"));
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let tag = team.fetch(&laptop.key).tag();
    assert_eq!(team.refuse(&laptop.key, &tag).status, 200);
    let line = team.admin().audit_of("credential.rotate").remove(0);
    assert_eq!((line.outcome.as_str(), line.detail.as_str()), ("ok", "generation 2; asked for by client:laptop"));
    let refusal = team.admin().audit_of("token.refused").remove(0);
    assert_eq!((line.request_id, line.address.as_str()), (refusal.request_id, "127.0.0.1"));
}

#[test]
fn a_doubt_is_a_line_and_failures_that_repeat_are_one() {
    let (mut team, _) = a_team();
    team.provider.fault(Fault::refresh(How::CutBefore { reset: true }));
    assert!(team.admin().refresh("main").is_err());
    patience::until("the line of the doubt", || rotations(&team).pop());
    let [(outcome, detail)] = &rotations(&team)[..] else { panic!("{:?}", rotations(&team)) };
    assert_eq!(outcome, "in_doubt");
    assert!(detail.starts_with("generation 1; asked for by admin:uid="), "{detail}");
    // Once more, without a verdict again: that is no news.
    team.provider.fault(Fault::refresh(How::CutBefore { reset: true }));
    assert!(team.admin().ask("POST", "/credentials/main/refresh", Some(json!({ "probe": true }))).status >= 400);
    team.restart();
    assert_eq!(rotations(&team).len(), 1);
    assert!(whole(&team.admin().verify_audit()));
}

#[test]
fn each_deed_of_an_administrator_is_a_line_with_who_what_and_from_where() {
    let (team, laptop) = a_team();
    let admin = team.admin();
    let redirect_uri = "http://localhost:1455/auth/callback".to_owned();
    let login = admin.begin_login("second", LoginFlow::Browser { redirect_uri }, false).unwrap();
    assert!(matches!(admin.login_callback(&login.id, "code", "wrong").unwrap().state, LoginState::Failed { .. }));
    admin.refresh("main").unwrap();
    admin.pause_renewal("main").unwrap();
    admin.pause("main").unwrap();
    assert_eq!(team.ask(&laptop.key).status, 409);
    admin.resume("main").unwrap();
    admin.ask("PUT", "/clients/laptop/limits", Some(json!({ "requests_per_minute": 60 })));
    for verb in ["pause", "resume", "rotate-key"] {
        admin.ask("POST", &format!("/clients/laptop/{verb}"), None);
    }
    admin.revoke("laptop").unwrap();
    admin.remove("main").unwrap();
    // A refusal is written behind its answer.
    patience::until("the refusal", || (admin.audit_of("token.denied").len() == 1).then_some(()));
    let told: Vec<(String, String, String)> = admin
        .audit()
        .into_iter()
        .filter(|entry| entry.actor.starts_with("admin:uid="))
        .inspect(|entry| assert!(entry.address == "unix" && !entry.request_id.is_empty(), "{entry:?}"))
        .map(|entry| (entry.action, entry.object, entry.outcome))
        .collect();
    let told: Vec<_> = told.iter().map(|(a, o, r)| (a.as_str(), o.as_str(), r.as_str())).collect();
    let expected = [
        ("credential.import", "credential:main", "ok"),
        ("client.create", "client:laptop", "ok"),
        ("login.begin", "credential:second", "ok"),
        ("login.end", "credential:second", "bad_request"),
        ("credential.refresh", "credential:main", "ok"),
        ("credential.pause_renewal", "credential:main", "ok"),
        ("credential.pause", "credential:main", "ok"),
        ("credential.resume", "credential:main", "ok"),
        ("client.limit", "client:laptop", "ok"),
        ("client.pause", "client:laptop", "ok"),
        ("client.resume", "client:laptop", "ok"),
        ("client.rotate_key", "client:laptop", "ok"),
        ("client.revoke", "client:laptop", "ok"),
        ("credential.remove", "credential:main", "ok"),
    ];
    assert_eq!(told, expected);
}

//! `credential`, `status`, `promote`.

use serde_json::json;

use super::harness::{Broker, NOW, Person, changed, main_credential, page, status};
use crate::cli::screen::Terminals;

#[test]
fn the_list_shows_each_login_and_what_helps() {
    let ended = json!({
        "name": "old", "health": "reauth", "reason": "the provider says: refresh_token_expired",
        "next": "scorpiox-broker login --name old", "email": null, "serving": false, "renew_at": null,
        "expires_at": NOW - 5, "clients": 1,
    });
    let views = page([main_credential(), changed(main_credential(), ended)]);
    let broker = Broker::scripted([(200, views.clone()), (200, views.clone())]);
    let seen = broker.runs(&["credential", "list"]);
    let expected = "\
NAME  HEALTH  SERVED  ACCOUNT                 GENERATION  TOKEN ENDS                        RENEWAL                           CLIENTS
main  good    yes     anna@example.com, team  7           in 3 d (2026-11-25 12:00:00 UTC)  in 2 h (2026-11-22 14:00:00 UTC)  2
old   reauth  no      6f0c1a2b, team          7           5 s ago (2026-11-22 11:59:55 UTC)  none planned                      1

old: the provider says: refresh_token_expired
  next: scorpiox-broker login --name old --data DATA
";
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&seen.stdout), squeeze(expected));
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    assert_eq!(broker.runs(&["credential", "list", "--json"]).json(), views["items"]);
    assert_eq!(broker.asked(), ["GET /admin/v1/credentials?limit=1000"; 2]);
}

#[test]
fn no_login_yet_names_the_next_command() {
    let broker = Broker::scripted([(200, page([])), (200, page([]))]);
    let seen = broker.runs(&["credential", "list"]);
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""));
    assert_eq!(seen.stderr, "there is no login yet\n  next: scorpiox-broker login --data DATA\n");
    assert_eq!(broker.runs(&["credential", "list", "--json"]).stdout, "[]\n");
}

#[test]
fn show_names_the_reason_and_the_next_command() {
    let doubt = json!({ "health": "in_doubt", "reason": "answer lost", "next": "scorpiox-broker credential refresh main --probe" });
    let view = changed(main_credential(), doubt);
    let broker = Broker::scripted([(200, view.clone()), (200, view.clone())]);
    let seen = broker.runs(&["credential", "show", "main"]);
    for line in [
        "health      in_doubt\n",
        "why         answer lost\n",
        "next        scorpiox-broker credential refresh main --probe --data DATA\n",
        "token ends  in 3 d (2026-11-25 12:00:00 UTC)\n",
        "obtained    1 min ago (2026-11-22 11:59:00 UTC)\n",
    ] {
        assert!(seen.stdout.contains(line), "{line}{}", seen.stdout);
    }
    assert_eq!(broker.runs(&["credential", "show", "main", "--json"]).json(), view);
    assert_eq!(broker.asked(), ["GET /admin/v1/credentials/main"; 2]);
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let terminal = Terminals { stdin: true, stdout: true, stderr: true, colour: true };
    for (terminals, coloured) in [
        (terminal, true),
        (Terminals { colour: false, ..terminal }, false),
        (Terminals { stdout: false, ..terminal }, false),
    ] {
        let broker = Broker::scripted([(200, page([main_credential()]))]);
        let seen = broker.serves(&Person { terminals, ..Person::default() }, &["credential", "list"]);
        assert_eq!(seen.stdout.contains("\u{1b}[32mgood\u{1b}[0m"), coloured, "{terminals:?}");
        assert_eq!(seen.stdout.contains('\u{1b}'), coloured, "{terminals:?}");
    }
}

#[test]
fn refresh_says_whether_it_renewed() {
    let renewed = json!({ "renewed": true, "credential": main_credential() });
    let broker = Broker::scripted([(200, renewed.clone()), (200, renewed.clone())]);
    let seen = broker.runs(&["credential", "refresh", "main"]);
    assert_eq!(seen.code, 0);
    assert!(seen.stdout.starts_with("main was renewed\n"), "{}", seen.stdout);
    assert_eq!(broker.runs(&["credential", "refresh", "main", "--probe", "--json"]).json(), renewed);
    assert_eq!(
        broker.asked(),
        [
            r#"POST /admin/v1/credentials/main/refresh {"probe":false}"#,
            r#"POST /admin/v1/credentials/main/refresh {"probe":true}"#,
        ]
    );
}

#[test]
fn a_refresh_that_did_not_renew_is_no_success() {
    for (health, exit) in [("backing_off", 75), ("in_doubt", 75), ("reauth", 1), ("quarantine", 1), ("paused", 1)] {
        let state = json!({ "health": health, "reason": "because", "next": "scorpiox-broker status" });
        let answer = json!({ "renewed": false, "credential": changed(main_credential(), state) });
        let seen = Broker::scripted([(200, answer)]).runs(&["credential", "refresh", "main"]);
        assert_eq!(seen.code, exit, "{health}");
        assert!(
            seen.stderr.contains("main was not renewed: because\n  next: scorpiox-broker status"),
            "{}",
            seen.stderr
        );
    }
}

#[test]
fn pause_and_resume_say_what_follows() {
    let paused = changed(main_credential(), json!({ "health": "paused", "serving": false }));
    let broker = Broker::scripted([(200, paused.clone()), (200, paused), (200, main_credential())]);
    let seen = broker.runs(&["credential", "pause", "main"]);
    assert_eq!(
        seen.stdout,
        "main is neither handed out nor renewed until: scorpiox-broker credential resume main --data DATA\n"
    );
    let seen = broker.runs(&["credential", "pause", "main", "--renewal-only"]);
    assert!(seen.stdout.starts_with("main is not renewed until: "), "{}", seen.stdout);
    assert_eq!(broker.runs(&["credential", "resume", "main", "--json"]).json(), main_credential());
    assert_eq!(
        broker.asked(),
        [
            r#"POST /admin/v1/credentials/main/pause {"renewal_only":false}"#,
            r#"POST /admin/v1/credentials/main/pause {"renewal_only":true}"#,
            "POST /admin/v1/credentials/main/resume",
        ]
    );
}

#[test]
fn nothing_is_removed_without_a_yes() {
    let view = (200, main_credential());
    let broker = Broker::scripted([view.clone(), view.clone(), view.clone()]);
    let seen = broker.serves(&Person::answering("n\n"), &["credential", "remove", "main"]);
    assert_eq!(seen.code, 1);
    assert!(
        seen.stderr.contains("anna@example.com, team) and its refresh token, and leave 2 clients"),
        "{}",
        seen.stderr
    );
    assert_eq!(broker.serves(&Person::answering(""), &["credential", "remove", "main"]).code, 1);
    let seen = broker.runs(&["credential", "remove", "main"]);
    assert_eq!(seen.code, 2);
    assert!(seen.stderr.contains("add --yes"), "{}", seen.stderr);
    assert_eq!(broker.asked(), ["GET /admin/v1/credentials/main"; 3]);
}

#[test]
fn a_yes_removes() {
    let view = (200, main_credential());
    let broker = Broker::scripted([view.clone(), view.clone(), view.clone()]);
    let seen = broker.serves(&Person::answering("y\n"), &["credential", "remove", "main"]);
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "main was removed; 2 clients had it\n"));
    assert_eq!(broker.runs(&["credential", "remove", "main", "--yes", "--json"]).json()["upstream"], "left");
    assert_eq!(
        broker.asked(),
        ["GET /admin/v1/credentials/main", "DELETE /admin/v1/credentials/main", "DELETE /admin/v1/credentials/main",]
    );
}

#[test]
fn status_names_what_is_wrong_and_what_helps() {
    let broker = Broker::scripted([
        (200, status()),
        (
            200,
            changed(
                status(),
                json!({ "credentials": [], "health": {"good": 0, "backing_off": 0,
        "in_doubt": 0, "reauth": 0, "quarantine": 0, "paused": 0} }),
            ),
        ),
    ]);
    let seen = broker.runs(&["status"]);
    for part in [
        "serving      yes\nrenewing     no\n",
        "started      1 h ago (2026-11-22 11:00:00 UTC)\n",
        "clients use  https://broker.example:8443/codex\n",
        "certificate  ends in 90 d (",
        "\nfenced: the high-water mark is missing\n  next: scorpiox-broker promote --data DATA\n",
        "\nmain  good ",
    ] {
        assert!(seen.stdout.contains(part), "{part}\n{}", seen.stdout);
    }
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    let seen = broker.runs(&["status"]);
    assert!(seen.stdout.ends_with("no login yet\n  next: scorpiox-broker login --data DATA\n"), "{}", seen.stdout);
}

fn prospect() -> serde_json::Value {
    let login =
        |name: &str, standing: &str, next: Option<&str>| json!({ "name": name, "standing": standing, "next": next });
    json!({ "fenced": "the data was restored", "restored_from": 1_795_000_000, "lost_logins": ["c-7f", "c-80"], "logins": [
        login("a", "safe", None),
        login("b", "behind", Some("scorpiox-broker login --name b")),
        login("c", "unknown", Some("scorpiox-broker login --name c")),
    ] })
}

#[test]
fn promote_says_what_it_will_do_and_asks() {
    let looks = (200, prospect());
    let broker = Broker::scripted([
        looks.clone(),
        looks.clone(),
        looks.clone(),
        (200, status()),
        looks.clone(),
        (200, status()),
    ]);
    let unasked = broker.runs(&["promote"]);
    assert_eq!(unasked.code, 2);
    assert!(unasked.stderr.contains("2 need a person:"), "{}", unasked.stderr);
    assert_eq!(broker.serves(&Person::answering("no\n"), &["promote"]).code, 1);
    assert_eq!(broker.asked(), ["GET /admin/v1/promote"; 2], "nothing was changed");
    assert_eq!(broker.serves(&Person::answering("yes\n"), &["promote"]).code, 0);
    assert_eq!(broker.runs(&["promote", "--yes", "--try-unknown", "--json"]).json(), status());
    let post = |unknown| format!("POST /admin/v1/promote {{\"unknown\":\"{unknown}\"}}");
    let look = "GET /admin/v1/promote".to_owned();
    let (aside, tried) = (post("set_aside"), post("try"));
    assert_eq!(broker.asked(), [look.clone(), look.clone(), look.clone(), aside, look, tried]);
}

#[test]
fn where_nothing_is_fenced_a_promotion_asks_and_changes_nothing() {
    let unfenced = (200, json!({ "fenced": null, "restored_from": null, "lost_logins": [], "logins": [] }));
    let broker = Broker::scripted([unfenced.clone(), (200, status()), unfenced, (200, status())]);
    let seen = broker.runs(&["promote"]);
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    assert_eq!(seen.stdout, "the broker is not fenced: there is nothing to promote\n");
    assert_eq!(broker.runs(&["promote", "--json"]).json(), status());
    assert!(broker.asked().iter().all(|asked| asked.starts_with("GET ")), "{:?}", broker.asked());
}

#[test]
fn a_look_before_a_promotion_names_each_login_that_needs_a_person() {
    let broker = Broker::scripted([(200, prospect()), (200, prospect())]);
    let seen = broker.runs(&["promote", "--check"]);
    for part in [
        "fenced: the data was restored\n",
        "clients that were revoked and logins that were paused are back",
        "b      behind    not renewed: its refresh token was used since",
        "2 more logins were put in after the backup and lost: log in again",
        "by its id: c-7f, c-80)",
        "2 need a person:\n  next: scorpiox-broker login --name b --data DATA\n  next: scorpiox-broker login --name c",
    ] {
        assert!(seen.stdout.contains(part), "{part}\n{}", seen.stdout);
    }
    assert_eq!(broker.runs(&["promote", "--check", "--json"]).json(), prospect());
    assert_eq!(broker.runs(&["promote", "--check", "--yes"]).code, 2, "to look is not to do");
    assert_eq!(broker.asked(), ["GET /admin/v1/promote"; 2]);
}

#[test]
fn without_a_mark_nobody_knows_what_is_lost_and_that_is_said() {
    let unknown = changed(prospect(), json!({ "lost_logins": null }));
    let broker = Broker::scripted([(200, unknown)]);
    let seen = broker.runs(&["promote", "--check"]);
    assert!(seen.stdout.contains("nobody knows how many"), "{}", seen.stdout);
}

#[test]
fn of_more_logins_than_a_page_the_status_counts_all_and_lists_those_that_are_not_well() {
    let ended = changed(main_credential(), json!({ "name": "old", "health": "reauth" }));
    let many = changed(
        status(),
        json!({ "health": { "good": 998, "backing_off": 0, "in_doubt": 1, "reauth": 1,
        "quarantine": 0, "paused": 0 }, "credentials": [ended] }),
    );
    let broker = Broker::scripted([(200, many)]);
    let seen = broker.runs(&["status"]);
    assert!(seen.stdout.contains("1000 logins: 998 good, 1 in doubt, 1 ended\n"), "{seen:?}");
    assert!(seen.stdout.contains("\nold "), "{seen:?}");
}

#[test]
fn a_login_that_could_not_be_ended_at_the_provider_is_a_failure_though_it_is_removed() {
    let failed = json!({ "upstream": "failed",
        "upstream_problem": { "code": "unavailable", "message": "the provider is down", "hint": "end it yourself" } });
    let mut ended = main_credential();
    ended["upstream"] = json!("revoked");
    let mut kept = main_credential();
    kept.as_object_mut().unwrap().extend(failed.as_object().unwrap().clone());
    let broker = Broker::scripted([(200, ended), (200, kept)]);
    let remove = ["credential", "remove", "main", "--yes", "--revoke"];
    let seen = broker.runs(&remove);
    assert_eq!(
        (seen.code, seen.stdout.as_str()),
        (0, "main was removed, and its login ended at the provider; 2 clients had it\n")
    );
    let seen = broker.runs(&remove);
    assert_eq!(seen.code, 1);
    assert!(seen.stderr.contains("is removed here") && seen.stderr.contains("next: end it yourself"), "{seen:?}");
    assert_eq!(broker.asked(), ["DELETE /admin/v1/credentials/main?revoke_upstream=true"; 2]);
}

//! `client`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::harness::{Broker, NOW, changed, laptop, page};

const KEY: &str = "sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4";

fn issued() -> Value {
    json!({
        "client": laptop(), "key": KEY, "url": "https://broker.example:8443/codex", "pin": "sha256:0123",
    })
}

#[test]
fn a_new_client_gets_a_block_that_is_ready_to_paste() {
    let broker = Broker::scripted([(200, issued()), (200, issued())]);
    let seen = broker.runs(&["client", "add", "laptop-anna", "--credential", "main"]);
    let expected = format!(
        "CODEX_TOKEN_SOURCE=remote\nCODEX_REMOTE_URL=https://broker.example:8443/codex\n\
         CODEX_REMOTE_PIN=sha256:0123\nTOKEN_HTTP_API_KEY={KEY}\n"
    );
    assert_eq!((seen.code, seen.stdout), (0, expected));
    assert!(!seen.stderr.contains(KEY) && seen.stderr.contains("shown this once"), "{}", seen.stderr);
    let seen = broker.runs(&["client", "add", "laptop-anna", "--credential", "main", "--json"]);
    assert_eq!((seen.json(), seen.stderr.as_str()), (issued(), ""));
    assert_eq!(broker.asked(), [r#"POST /admin/v1/clients {"name":"laptop-anna","credential":"main"}"#; 2]);
}

#[test]
fn without_tls_there_is_no_pin() {
    let broker = Broker::scripted([(200, changed(issued(), json!({ "pin": null })))]);
    assert!(!broker.runs(&["client", "rotate-key", "laptop-anna"]).stdout.contains("PIN"));
    assert_eq!(broker.asked(), ["POST /admin/v1/clients/laptop-anna/rotate-key"]);
}

#[test]
fn a_key_file_is_private_and_the_key_is_nowhere_else() {
    for json in [false, true] {
        let broker = Broker::scripted([(200, issued())]);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ci.key");
        let path = file.to_str().unwrap();
        let mut line = vec!["client", "add", "ci", "--credential", "main", "--key-file", path];
        line.extend(json.then_some("--json"));
        let seen = broker.runs(&line);
        assert_eq!(seen.code, 0, "{seen:?}");
        assert!(!seen.stdout.contains(KEY) && !seen.stderr.contains(KEY));
        if json {
            assert_eq!((&seen.json()["key_file"], &seen.json()["key"]), (&path.into(), &Value::Null));
        } else {
            assert!(seen.stdout.ends_with(&format!("\nTOKEN_HTTP_API_KEY_FILE={path}\n")), "{}", seen.stdout);
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{KEY}\n"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn no_key_is_made_when_it_could_not_be_kept() {
    let broker = Broker::scripted([]);
    let directory = tempfile::tempdir().unwrap();
    let taken = directory.path().join("taken");
    fs::write(&taken, "mine").unwrap();
    for path in [taken.clone(), directory.path().join("no/such/directory")] {
        let seen = broker.runs(&["client", "add", "ci", "--credential", "main", "--key-file", path.to_str().unwrap()]);
        assert_eq!(seen.code, 1, "{seen:?}");
    }
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
    assert!(broker.asked().is_empty());
}

#[test]
fn a_refused_client_leaves_no_key_file_behind() {
    let broker = Broker::scripted([(409, json!({ "code": "conflict", "message": "there is a client 'ci'" }))]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ci.key");
    let seen = broker.runs(&["client", "add", "ci", "--credential", "main", "--key-file", file.to_str().unwrap()]);
    assert_eq!(seen.code, 1);
    assert!(!file.exists());
}

#[test]
fn the_list_shows_who_holds_a_token() {
    let revoked = json!({
        "name": "old", "revoked_at": NOW - 3_600, "last_seen_at": null, "holds_until": null, "generation": null,
    });
    let views = page([laptop(), changed(laptop(), revoked)]);
    let broker = Broker::scripted([(200, views.clone()), (200, views.clone()), (200, page([]))]);
    let seen = broker.runs(&["client", "list"]);
    let lines: Vec<_> = seen.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "NAME KEY CREDENTIAL STATE LAST TOKEN HOLDS A TOKEN UNTIL LIMITS",
            "laptop-anna 7f3k9q2m1c0d main good 5 min ago (2026-11-22 11:55:00 UTC) in 1 h (2026-11-22 13:00:00 UTC)",
            "old 7f3k9q2m1c0d main revoked 1 h ago (2026-11-22 11:00:00 UTC) never holds none",
        ]
    );
    assert_eq!(broker.runs(&["client", "list", "--json"]).json(), views["items"]);
    let seen = broker.runs(&["client", "list"]);
    assert_eq!((seen.code, seen.stdout.as_str()), (0, ""));
    assert!(seen.stderr.contains("next: scorpiox-broker client add NAME --credential NAME --data DATA"));
}

#[test]
fn a_revocation_says_how_long_the_token_still_works() {
    let revoked = |changes, rotated| json!({ "client": changed(laptop(), changes), "rotated": rotated });
    for (answer, line, exit, expected) in [
        (
            revoked(json!({}), false),
            &["client", "revoke", "laptop-anna"][..],
            0,
            "laptop-anna is revoked; the token that it holds works until it ends, in 1 h (2026-11-22 13:00:00 UTC)\n  \
             to end it sooner: scorpiox-broker credential refresh main --data DATA\n",
        ),
        (
            revoked(json!({ "holds_until": NOW - 1 }), false),
            &["client", "revoke", "laptop-anna"],
            0,
            "laptop-anna is revoked and holds no token\n",
        ),
        (
            revoked(json!({}), true),
            &["client", "revoke", "laptop-anna", "--rotate"],
            0,
            "laptop-anna is revoked; main was renewed, so the token that it holds ends soon\n",
        ),
        (
            revoked(json!({}), false),
            &["client", "revoke", "laptop-anna", "--rotate"],
            1,
            "laptop-anna is revoked; the token that it holds works until it ends, in 1 h (2026-11-22 13:00:00 UTC)\n",
        ),
    ] {
        let broker = Broker::scripted([(200, answer.clone()), (200, answer.clone())]);
        let seen = broker.runs(line);
        assert_eq!((seen.code, seen.stdout.as_str()), (exit, expected), "{line:?}");
        let with_json: Vec<_> = line.iter().copied().chain(["--json"]).collect();
        assert_eq!(broker.runs(&with_json).json(), answer);
        let body = format!(r#"{{"rotate":{}}}"#, line.contains(&"--rotate"));
        assert_eq!(broker.asked(), [&*format!("POST /admin/v1/clients/laptop-anna/revoke {body}"); 2]);
    }
}

#[test]
fn a_client_is_limited_by_what_is_typed_and_keeps_the_rest() {
    let had =
        json!({ "requests_per_minute": 5, "handouts_per_hour": null, "allow": ["10.0.0.0/8"], "expires_at": null });
    let view = changed(laptop(), json!({ "limits": had }));
    let broker = Broker::scripted([(200, view.clone()), (200, view)]);
    let line = ["client", "limit", "laptop-anna", "--handouts-per-hour", "unlimited", "--expires", "2027-01-31"];
    let seen = broker.runs(&line);
    assert_eq!(seen.code, 0, "{seen:?}");
    let sent = r#"{"requests_per_minute":5,"handouts_per_hour":0,"allow":["10.0.0.0/8"],"expires_at":1801353600}"#;
    let asked = ["GET /admin/v1/clients/laptop-anna", &format!("PUT /admin/v1/clients/laptop-anna/limits {sent}")]
        .map(str::to_owned);
    assert_eq!(broker.asked(), asked);
    assert!(seen.stdout.contains("requests 5 in a minute; from 10.0.0.0/8"), "{}", seen.stdout);
}

#[test]
fn limits_that_say_nothing_or_nonsense_ask_nothing_of_the_broker() {
    let broker = Broker::scripted([]);
    for rest in [
        &[][..],
        &["--requests-per-minute", "0"],
        &["--allow", "10.0.0.0/33"],
        &["--expires", "soon"],
        &["--allow", "10.0.0.0/8", "--allow-anywhere"],
    ] {
        let line: Vec<&str> = ["client", "limit", "laptop-anna"].iter().chain(rest).copied().collect();
        assert_eq!(broker.runs(&line).code, 2, "{rest:?}");
    }
    assert!(broker.asked().is_empty());
}

#[test]
fn a_clients_state_is_the_first_that_keeps_it_out() {
    let limits = json!({ "requests_per_minute": null, "handouts_per_hour": null, "allow": [], "expires_at": NOW - 60 });
    let expired = changed(laptop(), json!({ "limits": limits }));
    let paused = changed(expired.clone(), json!({ "paused_at": NOW - 60 }));
    let revoked = changed(paused.clone(), json!({ "revoked_at": NOW - 60 }));
    for (view, word) in [(laptop(), "good"), (expired, "expired"), (paused, "paused"), (revoked, "revoked")] {
        let seen = Broker::scripted([(200, view)]).runs(&["client", "show", "laptop-anna"]);
        let state = seen.stdout.lines().find(|line| line.starts_with("state")).unwrap_or_default();
        assert!(state.contains(word), "{word}: {}", seen.stdout);
    }
}

#[test]
fn a_pause_says_how_it_is_ended() {
    let broker = Broker::scripted([(200, laptop()), (200, laptop())]);
    let seen = broker.runs(&["client", "pause", "laptop-anna"]);
    assert!(seen.code == 0 && seen.stdout.contains("scorpiox-broker client resume laptop-anna"), "{seen:?}");
    assert_eq!(broker.runs(&["client", "resume", "laptop-anna"]).code, 0);
    let asked = ["pause", "resume"].map(|verb| format!("POST /admin/v1/clients/laptop-anna/{verb}"));
    assert_eq!(broker.asked(), asked);
}

//! Finding the broker, and brokers that answer in strange ways.

use std::io::Write;
use std::os::unix::net::UnixListener;

use serde_json::json;

use super::harness::{Broker, Person, status};

#[test]
fn nobody_there_is_69_and_names_what_was_tried() {
    let home = tempfile::tempdir().unwrap();
    let person = Person::default().with_variable("XDG_DATA_HOME", home.path().to_str().unwrap());
    let seen = person.runs(&["status", "--data", "/nowhere"]);
    assert_eq!(seen.code, 69);
    assert!(seen.stderr.contains("/nowhere/admin.sock"), "{}", seen.stderr);
    assert!(seen.stderr.contains("next: start one with 'scorpiox-broker up --data /nowhere'"), "{}", seen.stderr);
}

#[test]
fn a_socket_that_a_dead_broker_left_is_69() {
    let data = tempfile::tempdir().unwrap();
    drop(UnixListener::bind(data.path().join("admin.sock")).unwrap());
    let seen = Person::default().runs(&["credential", "list", "--data", data.path().to_str().unwrap()]);
    assert_eq!((seen.code, seen.stdout.as_str()), (69, ""));
    assert!(seen.stderr.contains("no broker answers at"), "{}", seen.stderr);
}

#[test]
fn the_variables_name_the_broker_too() {
    for variable in ["SCORPIOX_BROKER_DATA", "SCORPIOX_BROKER_ADMIN_SOCKET"] {
        let broker = Broker::scripted([(200, status())]);
        let path = if variable.ends_with("DATA") { broker.data.path().to_owned() } else { broker.socket() };
        let seen = Person::default().with_variable(variable, path.to_str().unwrap()).runs(&["status", "--json"]);
        assert_eq!((seen.code, seen.json()), (0, status()), "{variable}");
    }
}

#[test]
fn a_refusal_is_told_with_its_next_step_and_ends_as_documented() {
    for (code, status, exit) in [
        ("not_found", 404, 1),
        ("conflict", 409, 1),
        ("reauth_required", 409, 1),
        ("internal", 500, 1),
        ("forbidden", 403, 77),
        ("too_soon", 503, 75),
        ("busy", 503, 75),
        ("something_new", 503, 75),
        ("something_new", 409, 1),
    ] {
        let refusal = json!({ "code": code, "message": "no \u{1b}[2J", "hint": "scorpiox-broker status" });
        let seen = Broker::scripted([(status, refusal.clone())]).runs(&["credential", "show", "main"]);
        assert_eq!((seen.code, seen.stdout.as_str()), (exit, ""), "{code} {status}");
        assert_eq!(seen.stderr, "scorpiox-broker: no \\u{1b}[2J\n  next: scorpiox-broker status --data DATA\n");
        let seen = Broker::scripted([(status, refusal)]).runs(&["credential", "show", "main", "--json"]);
        assert_eq!((seen.code, &seen.problem()["message"]), (exit, &"no \u{1b}[2J".into()), "{code} {status}");
    }
}

#[test]
fn an_answer_that_makes_no_sense_is_not_shown() {
    for (status, answer) in [(200, json!({ "access_token": "eyJ" })), (200, json!("eyJ")), (500, json!(["eyJ"]))] {
        let seen = Broker::scripted([(status, answer)]).runs(&["credential", "show", "main"]);
        assert_eq!(seen.code, 1);
        assert!(seen.stderr.contains("not understood") && !seen.stderr.contains("eyJ"), "{}", seen.stderr);
    }
}

#[test]
fn a_broker_that_goes_away_in_mid_answer_leaves_it_unknown() {
    let data = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(data.path().join("admin.sock")).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[");
    });
    let seen = Person::default().runs(&["client", "rotate-key", "x", "--data", data.path().to_str().unwrap()]);
    assert_eq!((seen.code, seen.stdout.as_str()), (1, ""));
    assert!(seen.stderr.contains("whether it was done is unknown"), "{}", seen.stderr);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let person = Person { stdout_closed: true, ..Person::default() };
    let broker = Broker::scripted([(200, status())]);
    let seen = broker.serves(&person, &["status"]);
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    assert_eq!(person.runs(&["--help"]).code, 0);
}

//! The broker's answers, the cache, and every exit code (matrix C3).

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use crate::machine::{Machine, finish_in_time, key};
use crate::stub_broker::{StubBroker, not_modified, problem, response, token, token_text};

#[test]
fn the_answer_is_one_json_line() {
    let broker = StubBroker::start(|_, _| token(7));
    let ended = Machine::for_broker(&broker).run(&[]);
    let token = token_text(7);
    let line = format!(
        "{{\"access_token\":\"{token}\",\"expires_at\":1900000900,\"account_id\":\"a1\",\"source\":\"remote\"}}\n"
    );
    assert_eq!((ended.code, ended.stdout, ended.stderr), (Some(0), line, String::new()));
}

#[test]
fn the_cache_is_private_and_saves_requests_until_it_is_stale() {
    let broker = StubBroker::start(|number, _| if number == 0 { token(7) } else { not_modified() });
    let machine = Machine::for_broker(&broker);
    machine.raw().gave(7);
    machine.raw().gave(7);
    assert_eq!(broker.count(), 1);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&machine.cache()), mode(&machine.cached(".token")[0])), (0o700, 0o600));
    machine.let_seconds_pass(301);
    machine.raw().gave(7);
    machine.raw().gave(7);
    assert_eq!(broker.count(), 2);
    assert_eq!(broker.asked()[1].if_none_match.as_deref(), Some("\"c1.7\""));
}

#[test]
fn a_broker_that_is_down_is_not_noticed_until_the_token_ends() {
    let machine = machine_whose_broker_has_gone();
    machine.let_seconds_pass(600);
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("the token it gave earlier works for another 4 min"), "{ended:?}");
    machine.let_seconds_pass(300);
    machine.raw().failed(75, "cannot reach");
}

/// Its broker answered once, then its port was closed.
fn machine_whose_broker_has_gone() -> Machine {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/codex", listener.local_addr().unwrap());
    let once = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(&token(7)).unwrap();
    });
    let machine = Machine::new()
        .with("CODEX_TOKEN_SOURCE", "remote")
        .with("CODEX_REMOTE_URL", url)
        .with("TOKEN_HTTP_API_KEY", key("000000000001", 'A'));
    machine.raw().gave(7);
    once.join().unwrap();
    machine
}

#[test]
fn each_refusal_has_its_exit_code_and_empties_the_cache() {
    for (status, code, exit_code) in [
        (401, "unauthorized", 77),
        (403, "forbidden", 77),
        (409, "reauth_required", 69),
        (409, "quarantined", 69),
        (409, "paused", 69),
    ] {
        let broker = StubBroker::start(move |number, _| if number == 0 { token(7) } else { problem(status, code, "") });
        let machine = Machine::for_broker(&broker);
        machine.raw().gave(7);
        machine.let_seconds_pass(301);
        machine.raw().failed(exit_code, &format!("what happened ({code}); what to do"));
        assert!(machine.cached(".token").is_empty(), "{code}");
    }
}

#[test]
fn a_broker_that_cannot_answer_now_is_75_and_a_wrong_address_78() {
    for (status, code, exit_code) in [
        (503, "busy", 75),
        (503, "backing_off", 75),
        (503, "audit_unavailable", 75),
        (503, "too_soon", 75),
        (429, "too_many", 75),
        (500, "internal", 75),
        (404, "not_found", 78),
        (400, "bad_request", 78),
    ] {
        let broker = StubBroker::start(move |_, _| problem(status, code, ""));
        Machine::for_broker(&broker).raw().failed(exit_code, code);
    }
}

#[test]
fn a_redirect_is_never_followed() {
    let elsewhere = StubBroker::start(|_, _| token(7));
    let location = format!("Location: {}\r\n", elsewhere.url());
    for status in [301, 302, 307, 308] {
        let location = location.clone();
        let broker = StubBroker::start(move |_, _| response(status, &location, ""));
        Machine::for_broker(&broker).raw().failed(78, "a redirect is never followed");
    }
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn a_key_that_was_replaced_under_the_same_id_is_not_served_what_the_old_one_got() {
    let broker = StubBroker::start(|number, _| if number == 0 { token(7) } else { problem(401, "unauthorized", "") });
    let machine = Machine::for_broker(&broker);
    machine.raw().gave(7);
    let machine = machine.with("TOKEN_HTTP_API_KEY", key("000000000001", 'B'));
    machine.raw().failed(77, "unauthorized");
}

#[test]
fn a_failure_is_remembered_for_a_moment_and_says_the_same_each_time() {
    let broker = StubBroker::start(|_, _| problem(503, "busy", "Retry-After: 2\r\n"));
    let machine = Machine::for_broker(&broker);
    let first = machine.raw();
    first.failed(75, "busy");
    for _ in 0..25 {
        assert_eq!(machine.raw(), first);
    }
    assert_eq!(broker.count(), 1);
    machine.let_seconds_pass(2);
    machine.raw().failed(75, "busy");
    assert_eq!(broker.count(), 2);
    let mended = StubBroker::start(|_, _| token(7));
    machine.with("CODEX_REMOTE_URL", mended.url()).raw().gave(7);
}

#[test]
fn verbose_tells_the_story_and_no_secret() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker);
    let ended = machine.run(&["--raw", "--verbose"]);
    ended.gave(7);
    assert!(ended.stderr.contains("asking http://127.0.0.1"), "{ended:?}");
    assert!(machine.run(&["--raw", "--verbose"]).stderr.contains("from the cache"));
    assert!(!ended.stderr.contains("AAAA") && !ended.stderr.contains("token-of"), "{ended:?}");
}

#[test]
fn a_hostile_message_reaches_no_terminal() {
    let body = r#"{"code":"busy","message":"\u001b]52;c;eA==\u0007\r\nfake line \u202e","hint":"x"}"#;
    let broker = StubBroker::start(move |_, _| response(503, "", body));
    let ended = Machine::for_broker(&broker).raw();
    ended.failed(75, "?]52;c;eA==???fake line ?");
    assert!(ended.stderr.trim_end().chars().all(|c| c.is_ascii_graphic() || c == ' '), "{ended:?}");
}

#[test]
fn bytes_other_than_visible_ascii_are_never_printed() {
    for text in ["a\\u001b[31mb", "a\\nb", "a b", "\\u00e9", ""] {
        let good = String::from_utf8(token(7)).unwrap();
        let body = good.split_once("\r\n\r\n").unwrap().1.replace(&token_text(7), text);
        let broker = StubBroker::start(move |_, _| response(200, "", &body));
        Machine::for_broker(&broker).raw().failed(75, "characters that no token has");
    }
}

#[test]
fn an_answer_or_an_error_comes_within_the_stock_clients_patience() {
    let broker = StubBroker::start(|_, _| {
        thread::sleep(Duration::from_secs(30));
        Vec::new()
    });
    let machine = Machine::for_broker(&broker);
    finish_in_time(machine.start(&["--raw"])).failed(75, "did not answer in time");
}

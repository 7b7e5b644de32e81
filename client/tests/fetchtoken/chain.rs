//! Several sources in their order (matrix C14).

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;

use crate::machine::{Ended, Machine, finish_in_time, key};
use crate::stub_broker::{StubBroker, problem, token};

/// A port at which nobody listens.
fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A broker at this address, then the local file.
fn remote_then_local(address: &str) -> Machine {
    let machine = Machine::new()
        .with("CODEX_TOKEN_SOURCE", "remote,local")
        .with("CODEX_REMOTE_URL", address)
        .with("TOKEN_HTTP_API_KEY", key("000000000001", 'A'))
        .with("CODEX_CREDENTIALS_FILE", "auth.json");
    local_token(&machine, "of-the-file");
    machine
}

fn local_token(machine: &Machine, token: &str) {
    let text = format!(r#"{{"tokens":{{"access_token":"{token}","account_id":"a1"}}}}"#);
    let path = machine.path("project/auth.json");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
}

#[track_caller]
fn fell_back(ended: &Ended, because: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "of-the-file\n"), "{ended:?}");
    let begins = "scorpiox-codex-fetchtoken: this token is from local, because remote: ";
    assert!(ended.stderr.starts_with(begins) && ended.stderr.contains(because), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

#[test]
fn the_first_that_answers_is_the_only_one_and_the_line_says_which() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = remote_then_local(&broker.url());
    let ended = machine.run(&[]);
    assert!(ended.stdout.contains(r#""source":"remote""#) && ended.stderr.is_empty(), "{ended:?}");
    let ended = machine.with("CODEX_TOKEN_SOURCE", "local , remote").run(&[]);
    assert!(ended.stdout.contains(r#""source":"local""#) && ended.stderr.is_empty(), "{ended:?}");
    assert_eq!(broker.count(), 1);
}

#[test]
fn in_place_of_a_broker_that_is_away_the_next_source_is_asked() {
    let machine = remote_then_local(&format!("http://{}/codex", closed_port()));
    fell_back(&machine.raw(), "cannot reach 127.0.0.1");
    fell_back(&machine.raw(), "cannot reach 127.0.0.1");
    let ended = machine.run(&["--verbose"]);
    assert!(ended.stdout.contains(r#""source":"local""#), "{ended:?}");
    for source in ["asking remote, for at most", "asking local, for at most"] {
        assert!(ended.stderr.contains(source), "{ended:?}");
    }
}

#[test]
fn in_place_of_a_source_that_is_not_set_up_the_next_is_asked() {
    let machine = remote_then_local("");
    fell_back(&machine.raw(), "no address of a broker");
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker).with("CODEX_TOKEN_SOURCE", "local,remote");
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("this token is from remote, because local: "), "{ended:?}");
    assert!(ended.stderr.contains("auth.json does not exist"), "{ended:?}");
}

#[test]
fn a_gateway_without_a_broker_behind_it_is_a_broker_that_is_away() {
    for (status, body) in [(502, "<html>"), (503, ""), (504, "gone"), (503, r#"{"code":"unavailable","message":"m"}"#)]
    {
        let broker = StubBroker::start(move |_, _| crate::stub_broker::response(status, "", body));
        fell_back(&remote_then_local(&broker.url()).raw(), "");
    }
}

#[test]
fn a_refusal_is_not_got_around() {
    for (status, code, exit_code) in [
        (401, "unauthorized", 77),
        (403, "forbidden", 77),
        (409, "reauth_required", 69),
        (409, "paused", 69),
        (503, "audit_unavailable", 75),
        (429, "too_many", 75),
        (404, "not_found", 78),
    ] {
        let broker = StubBroker::start(move |_, _| problem(status, code, ""));
        let machine = remote_then_local(&broker.url());
        for _ in 0..2 {
            machine.raw().failed_in_turn(exit_code, &[("remote", code)]);
        }
    }
}

#[test]
fn a_setting_that_is_wrong_is_not_got_around() {
    let machine = remote_then_local("http://b.example/codex");
    machine.raw().failed_in_turn(78, &[("remote", "use https")]);
    let machine = remote_then_local("https://b.example/codex").with("TOKEN_HTTP_API_KEY", "sxk_cutoff");
    machine.raw().failed_in_turn(78, &[("remote", "TOKEN_HTTP_API_KEY (environment)")]);
    let machine = machine.with("CODEX_TOKEN_SOURCE", "local,remote");
    fs::write(machine.path("project/auth.json"), "").unwrap();
    machine.raw().failed_in_turn(78, &[("local", "is empty")]);
}

#[test]
fn when_all_fail_each_has_its_line_and_the_first_one_decides_the_exit_code() {
    let machine = remote_then_local(&format!("http://{}/codex", closed_port()));
    fs::remove_file(machine.path("project/auth.json")).unwrap();
    machine.raw().failed_in_turn(75, &[("remote", "cannot reach"), ("local", "does not exist")]);
    let machine = machine.with("CODEX_TOKEN_SOURCE", "local,remote");
    machine.raw().failed_in_turn(78, &[("local", "does not exist"), ("remote", "cannot reach")]);
}

#[test]
fn a_cached_token_goes_before_the_next_source() {
    let broker = StubBroker::start(|number, _| if number == 0 { token(7) } else { problem(503, "unavailable", "") });
    let machine = remote_then_local(&broker.url());
    machine.raw().gave(7);
    machine.let_seconds_pass(600);
    let ended = machine.raw();
    ended.gave(7);
    assert!(ended.stderr.contains("the token it gave earlier works"), "{ended:?}");
    machine.let_seconds_pass(300);
    fell_back(&machine.raw(), "what happened");
}

#[test]
fn a_source_that_accepts_and_says_nothing_leaves_time_for_the_next() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let machine = remote_then_local(&format!("http://{}/codex", silent.local_addr().unwrap()));
    fell_back(&finish_in_time(machine.start(&["--raw"])), "did not answer in time");
    let machine = remote_then_local(&format!("https://{}/codex", silent.local_addr().unwrap()));
    fell_back(&finish_in_time(machine.start(&["--raw"])), "did not answer in time");
}

#[test]
fn a_refused_token_is_replaced_by_the_source_that_gave_it() {
    let broker = StubBroker::start(|_, asked| match asked.target() {
        "/codex" => token(7),
        _ => problem(503, "unavailable", ""),
    });
    let machine = remote_then_local(&broker.url());
    machine.raw().gave(7);
    let refused = machine.run(&["--raw", "--refused"]);
    refused.failed_in_turn(75, &[("remote", "unavailable")]);
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7"]);
    let away = machine.with("CODEX_REMOTE_URL", format!("http://{}/codex", closed_port()));
    fell_back(&away.raw(), "cannot reach");
    away.run(&["--raw", "--refused"]).failed_in_turn(69, &[("local", "is not ours to renew")]);
}

#[test]
fn a_repeated_call_refuses_what_its_own_source_gave() {
    let broker = StubBroker::start(|_, asked| match asked.target() {
        "/codex?refused=c1.7" => token(8),
        _ => token(7),
    });
    let machine = remote_then_local(&broker.url());
    for generation in [7, 8] {
        machine.run(&["--raw", "--repeat-means-refused"]).gave(generation);
    }
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7"]);
}

#[test]
fn a_list_that_cannot_be_read_is_named_with_its_line() {
    let machine = Machine::new();
    for (text, says) in [
        ("remot", "expected local, remote or ssh"),
        ("remote,", "expected local, remote or ssh"),
        ("remote,remote", "remote stands there twice"),
    ] {
        machine.settings_file(format!("CODEX_TOKEN_SOURCE={text}\n"));
        machine.raw().failed(78, &format!("scorpiox-env.txt, line 1): {says}"));
    }
}

#[test]
fn without_a_choice_a_configured_broker_is_hinted_at() {
    let machine = Machine::new().with("CODEX_REMOTE_URL", "https://b.example/codex");
    machine.raw().failed(78, "CODEX_REMOTE_URL is set, so set CODEX_TOKEN_SOURCE=remote too");
}

/// A listener whose queue is full: the system drops what else wants to connect, as a host behind a wall does.
struct BlackHole {
    listener: TcpListener,
    _waiting: Vec<std::net::TcpStream>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let patience = std::time::Duration::from_millis(200);
        let waiting = std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&address, patience).ok());
        let _waiting = waiting.take(16).collect();
        Self { listener, _waiting }
    }
}

#[test]
fn a_connection_that_never_comes_about_leaves_time_for_the_next() {
    let hole = BlackHole::new();
    let machine = remote_then_local(&format!("http://{}/codex", hole.listener.local_addr().unwrap()));
    fell_back(&finish_in_time(machine.start(&["--raw"])), "did not answer in time");
}

#[test]
fn what_stands_behind_the_source_that_answers_is_not_even_looked_at() {
    let machine = remote_then_local("https://b.example/codex").with("CODEX_TOKEN_SOURCE", "local,remote");
    let machine = machine.with("TOKEN_HTTP_API_KEY", "").with("TOKEN_HTTP_API_KEY_FILE", "key");
    // Who reads it warns that others can read it too.
    let path = machine.path("project/key");
    fs::write(&path, key("000000000001", 'A')).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let ended = machine.raw();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "of-the-file\n", ""));
}

#[test]
fn sources_that_are_all_silent_leave_time_for_the_last_and_one_line_names_them() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let machine = remote_then_local(&format!("http://{address}/codex"))
        .with("CODEX_TOKEN_SOURCE", "remote,ssh,local")
        .with("CODEX_SSH_HOST", address.ip().to_string())
        .with("CODEX_SSH_PORT", address.port().to_string())
        .with("CODEX_SSH_USER", "anna")
        .with("CODEX_SSH_PASS", "hush");
    let ended = finish_in_time(machine.start(&["--raw"]));
    fell_back(&ended, "127.0.0.1 did not answer in time; ssh: 127.0.0.1");
    fs::remove_file(machine.path("project/auth.json")).unwrap();
    let failed = finish_in_time(machine.start(&["--raw"]));
    failed.failed_in_turn(75, &[("remote", "not answer"), ("ssh", "not answer"), ("local", "does not exist")]);
}

#[test]
fn the_command_line_names_other_sources_than_the_settings() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = remote_then_local(&broker.url());
    assert_eq!(machine.run(&["--raw", "--source", "local"]).stdout, "of-the-file\n");
    let machine = machine.with("CODEX_TOKEN_SOURCE", "local");
    machine.run(&["--raw", "--source=remote,local"]).gave(7);
    // As the product spells it from which the settings come.
    machine.run(&["-remote", "--raw"]).gave(7);
    assert_eq!(machine.run(&["-config", "--raw"]).stdout, "of-the-file\n");
    machine.run(&["--source", "remot"]).failed(64, "--source");
    assert_eq!(broker.count(), 1);
}

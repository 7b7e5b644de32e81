//! The remote source against an HTTP endpoint that is no broker: it answers with a credential's JSON.

use std::fs;

use crate::machine::{Machine, key};
use crate::stub_broker::{StubBroker, problem, response, token};

/// No JWT, so that only the JSON says when it ends.
fn bare(token: &str) -> Vec<u8> {
    response(200, "", &format!(r#"{{"access_token":"{token}","expires_in":900,"account_id":"a1"}}"#))
}

fn credentials_file(token: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"OPENAI_API_KEY":null,"tokens":{{"id_token":"secret.id.token","access_token":"{token}","refresh_token":"rt_secret","account_id":"a1"}},"last_refresh":"2026-01-01T00:00:00Z"}}"#
    );
    response(200, "", &body)
}

fn keyless(endpoint: &StubBroker) -> Machine {
    Machine::for_broker(endpoint).with("TOKEN_HTTP_API_KEY", "")
}

#[test]
fn the_credentials_file_of_an_endpoint_gives_its_token_and_nothing_else() {
    let endpoint = StubBroker::start(|_, _| credentials_file("eyJ.x.y"));
    let machine = keyless(&endpoint);
    let ended = machine.run(&[]);
    let line = "{\"access_token\":\"eyJ.x.y\",\"expires_at\":null,\"account_id\":\"a1\",\"source\":\"remote\"}\n";
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), line, ""));
    for entry in fs::read_dir(machine.cache()).unwrap() {
        let kept = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!kept.contains("rt_secret") && !kept.contains("secret.id"), "{kept}");
    }
    assert_eq!(endpoint.asked()[0].authorization, None);
    assert!(machine.run(&["--verbose"]).stderr.contains("from the cache"));
}

#[test]
fn an_answer_without_a_name_is_cached_for_five_minutes_and_asked_for_as_if_anew() {
    let endpoint = StubBroker::start(|number, _| bare(&format!("token-{number}")));
    let machine = keyless(&endpoint);
    for _ in 0..3 {
        assert_eq!(machine.raw().stdout, "token-0\n");
    }
    machine.let_seconds_pass(301);
    assert_eq!(machine.raw().stdout, "token-1\n");
    assert_eq!(endpoint.targets(), ["/codex", "/codex"]);
    assert!(endpoint.asked().iter().all(|asked| asked.if_none_match.is_none()));
}

#[test]
fn an_endpoint_that_is_away_is_not_noticed_until_the_token_ends() {
    let endpoint = StubBroker::start(|number, _| if number == 0 { bare("t") } else { response(502, "", "") });
    let machine = keyless(&endpoint);
    machine.raw();
    machine.let_seconds_pass(600);
    assert_eq!(machine.raw().stdout, "t\n");
    machine.let_seconds_pass(300);
    machine.raw().failed(75, "status 502");
}

#[test]
fn a_refused_token_is_asked_for_anew_once() {
    let endpoint = StubBroker::start(|number, _| bare(&format!("token-{}", number.min(1))));
    let machine = keyless(&endpoint);
    assert_eq!(machine.raw().stdout, "token-0\n");
    assert_eq!(machine.run(&["--raw", "--refused"]).stdout, "token-1\n");
    for _ in 0..5 {
        machine.run(&["--raw", "--refused"]).failed(75, "gave the refused token again");
    }
    assert_eq!(endpoint.targets(), ["/codex", "/codex", "/codex"]);
    assert_eq!(machine.raw().stdout, "token-1\n", "who does not refuse it still gets it");
}

#[test]
fn the_key_of_another_product_is_sent_as_it_is_and_a_brokers_only_whole() {
    let endpoint = StubBroker::start(|_, _| bare("t"));
    let machine = Machine::for_broker(&endpoint).with("TOKEN_HTTP_API_KEY", "k-0123");
    assert_eq!(machine.raw().stdout, "t\n");
    assert_eq!(endpoint.asked()[0].authorization.as_deref(), Some("Bearer k-0123"));
    let cut = key("000000000001", 'A')[..40].to_owned();
    machine.with("TOKEN_HTTP_API_KEY", cut).raw().failed(78, "TOKEN_HTTP_API_KEY (environment): ");
    assert_eq!(endpoint.count(), 1);
}

#[test]
fn without_a_key_a_refusal_says_so_and_verbose_says_it_before() {
    let endpoint = StubBroker::start(|_, _| problem(401, "unauthorized", ""));
    let machine = keyless(&endpoint);
    machine.raw().failed(77, "no key was sent: set TOKEN_HTTP_API_KEY");
    let told = Machine::for_broker(&endpoint).with("TOKEN_HTTP_API_KEY", "").run(&["--verbose"]);
    assert!(told.stderr.contains("no key is set, so none is sent"), "{told:?}");
    let endpoint = StubBroker::start(|_, _| token(7));
    keyless(&endpoint).raw().gave(7);
}

#[test]
fn the_default_address_is_nobodys_choice_so_it_is_not_asked() {
    let machine = Machine::new().with("CODEX_TOKEN_SOURCE", "remote");
    machine.raw().failed(78, "set CODEX_REMOTE_URL");
}

#[test]
fn an_endpoint_whose_token_has_ended_is_no_source_of_one() {
    let endpoint = StubBroker::start(|_, _| response(200, "", r#"{"access_token":"t","expires_at":1}"#));
    keyless(&endpoint).raw().failed(69, "gave a token that has ended");
}

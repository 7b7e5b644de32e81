//! `login`, with a code and through a browser.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Broker, NOW, Person, changed, main_credential};
use crate::cli::screen::Terminals;

const STATE: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

fn pending() -> Value {
    json!({
        "id": "l1", "url": "https://auth.example/codex/device", "user_code": "ABCD-EFGH", "expires_at": NOW + 900,
        "interval": 5, "state": "pending",
    })
}

fn done() -> Value {
    changed(pending(), json!({ "state": "done", "credential": changed(main_credential(), json!({ "clients": 0 })) }))
}

fn failed(code: &str) -> Value {
    let problem = json!({ "code": code, "message": "the login was declined", "hint": "scorpiox-broker login" });
    changed(pending(), json!({ "state": "failed", "problem": problem }))
}

#[test]
fn a_code_is_shown_and_the_end_is_waited_for() {
    let broker = Broker::scripted([
        (200, pending()),
        (200, pending()),
        (503, json!({ "code": "busy", "message": "later" })),
        (200, done()),
    ]);
    let seen = broker.runs(&["login"]);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stderr.contains("\n  https://auth.example/codex/device\n"), "{}", seen.stderr);
    assert!(seen.stderr.contains("within 15 min") && seen.stderr.contains("\n  ABCD-EFGH\n"), "{}", seen.stderr);
    assert!(!seen.stderr.contains('\r'), "progress is for terminals");
    assert_eq!(
        seen.stdout,
        "main: logged in as anna@example.com, team, generation 7\n  \
         next: scorpiox-broker client add NAME --credential main --data DATA\n"
    );
    assert_eq!(
        broker.asked(),
        [
            r#"POST /admin/v1/logins {"name":"main","flow":"device","replace_account":false}"#,
            "GET /admin/v1/logins/l1",
            "GET /admin/v1/logins/l1",
            "GET /admin/v1/logins/l1",
        ]
    );
}

#[test]
fn a_terminal_shows_progress_and_is_left_clean() {
    let broker = Broker::scripted([(200, pending()), (200, pending()), (200, done())]);
    let seen = broker.serves(&Person::answering(""), &["login"]);
    assert!(seen.stderr.contains("\r\u{1b}[Kwaiting for you to finish on that page, 15 min left"), "{}", seen.stderr);
    assert!(seen.stderr.contains("14 min 55 s left") && seen.stderr.ends_with("\r\u{1b}[K"), "{}", seen.stderr);
}

#[test]
fn json_has_a_line_for_the_page_and_one_for_the_end() {
    let broker = Broker::scripted([(200, pending()), (200, pending()), (200, done())]);
    let seen = broker.runs(&["login", "--name", "team", "--replace-account", "--json"]);
    let lines: Vec<Value> = seen.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((seen.code, lines, seen.stderr.as_str()), (0, vec![pending(), done()], ""));
    assert_eq!(broker.asked()[0], r#"POST /admin/v1/logins {"name":"team","flow":"device","replace_account":true}"#);
}

#[test]
fn a_login_that_fails_says_why() {
    for (code, exit) in [("bad_request", 1), ("request_timeout", 1), ("unavailable", 75)] {
        let broker = Broker::scripted([(200, pending()), (200, failed(code)), (200, pending()), (200, failed(code))]);
        let seen = broker.runs(&["login"]);
        assert_eq!((seen.code, seen.stdout.as_str()), (exit, ""), "{code}");
        assert!(seen.stderr.ends_with("the login was declined\n  next: scorpiox-broker login --data DATA\n"));
        let seen = broker.runs(&["login", "--json"]);
        assert_eq!((seen.code, seen.stdout.lines().count(), &seen.problem()["code"]), (exit, 2, &code.into()));
    }
}

#[test]
fn an_attempt_that_the_broker_forgot_to_end_is_left() {
    let broker = Broker::answering(Box::new(|_| (200, pending())));
    let seen = broker.runs(&["login"]);
    assert_eq!(seen.code, 1);
    assert!(seen.stderr.contains("the time for this login is over"), "{}", seen.stderr);
}

/// What a browser does that is sent to these targets, one after the other; `{state}` is the attempt's own, and the empty
/// target a connection on which nothing is said.
struct Browser {
    targets: Vec<String>,
    pages: (mpsc::Sender<String>, mpsc::Receiver<String>),
}

impl Browser {
    fn going_to(targets: &[&str]) -> Self {
        Self {
            targets: targets.iter().map(|target| target.replace("{state}", STATE)).collect(),
            pages: mpsc::channel(),
        }
    }

    /// A broker whose login page is opened by this browser, and which answers the callback with `end`.
    fn with_broker(&self, end: Value) -> Broker {
        let (targets, pages) = (self.targets.clone(), self.pages.0.clone());
        Broker::answering(Box::new(move |request| {
            if !request.starts_with("POST /admin/v1/logins {") {
                return (200, end.clone());
            }
            let redirect = request.split(r#""redirect_uri":"http://localhost:"#).nth(1).expect("a redirect URI");
            let (port, rest) = redirect.split_once('/').unwrap();
            assert!(rest.starts_with(r#"auth/callback""#), "{rest}");
            let port: u16 = port.parse().unwrap();
            let (targets, pages) = (targets.clone(), pages.clone());
            std::thread::spawn(move || {
                let mut silent = Vec::new();
                for target in targets {
                    if target.is_empty() {
                        silent.push(TcpStream::connect(("127.0.0.1", port)).unwrap());
                    } else if pages.send(get(port, &target)).is_err() {
                        return;
                    }
                }
            });
            let url = format!("https://auth.example/oauth/authorize?client_id=app&state={STATE}&originator=x");
            (200, changed(pending(), json!({ "url": url, "user_code": null })))
        }))
    }

    /// The first pages that it got.
    fn pages(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.pages.1.recv_timeout(Duration::from_secs(20)).unwrap()).collect()
    }
}

/// A raw request, in pieces, as a network delivers it.
fn get(port: u16, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    for piece in [format!("GET {target} HT"), "TP/1.1\r\nHost: localhost\r\n".to_owned(), "\r\n".to_owned()] {
        // The other side may have hung up.
        let _ = stream.write_all(piece.as_bytes());
    }
    let mut page = String::new();
    let _ = stream.read_to_string(&mut page);
    page
}

fn patient() -> Person {
    // A quarter of an hour of looking every 5 seconds: long enough for a thread of this test, too short to hang.
    Person { pace: Duration::from_millis(100), ..Person::default() }
}

#[test]
fn the_browser_comes_back_with_the_code() {
    let browser = Browser::going_to(&["/favicon.ico", "/auth/callback?code=ac_1%2F2&state={state}"]);
    let broker = browser.with_broker(done());
    let seen = broker.serves(&patient(), &["login", "--browser"]);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stdout.starts_with("main: logged in as "), "{}", seen.stdout);
    assert!(seen.stderr.contains("\n  https://auth.example/oauth/authorize?"), "{}", seen.stderr);
    assert!(!seen.stderr.contains("ac_1"), "{}", seen.stderr);
    let expected = format!(r#"POST /admin/v1/logins/l1/callback {{"code":"ac_1/2","state":"{STATE}"}}"#);
    assert_eq!(broker.asked()[1..], [expected]);
    assert!(browser.pages(1)[0].starts_with("HTTP/1.1 404 "));
}

#[test]
fn the_page_says_that_it_can_be_closed_and_leads_nowhere() {
    let browser = Browser::going_to(&["/auth/callback?state={state}.onboarding_entrypoint=life_sciences&code=ac_1"]);
    let broker = browser.with_broker(done());
    assert_eq!(broker.serves(&patient(), &["login", "--browser"]).code, 0);
    let pages = browser.pages(1);
    assert!(pages[0].starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/html"), "{pages:?}");
    assert!(pages[0].contains("this page can be closed") && !pages[0].contains("href") && !pages[0].contains("ac_1"));
    assert!(broker.asked()[1].contains("onboarding_entrypoint"), "the broker judges what came, as it came");
}

#[test]
fn what_belongs_to_another_attempt_does_not_end_this_one() {
    let browser = Browser::going_to(&[
        "/auth/callback?code=forged&state=other",
        "/auth/callback?code=forged&state={state}x",
        "/auth/callback?error=access_denied&state=other",
        "/auth/callback",
        "/success?code=forged&state={state}",
        "/auth/callback?code=ac_1&state={state}",
    ]);
    let broker = browser.with_broker(done());
    assert_eq!(broker.serves(&patient(), &["login", "--browser"]).code, 0);
    assert!(broker.asked()[1].contains(r#""code":"ac_1""#), "{:?}", broker.asked());
    let statuses: Vec<_> = browser.pages(5).iter().map(|page| page[9..12].to_owned()).collect();
    assert_eq!(statuses, ["400", "400", "400", "400", "404"]);
}

#[test]
fn a_no_on_the_page_ends_the_login_here() {
    for (target, reason) in [
        ("/auth/callback?error=access_denied&state={state}", "declined"),
        (
            "/auth/callback?error=access_denied&error_description=missing_codex_entitlement&state={state}",
            "no access to Codex",
        ),
        ("/cancel", "another program asked for the port"),
    ] {
        let browser = Browser::going_to(&[target]);
        let broker = browser.with_broker(done());
        let seen = broker.serves(&patient(), &["login", "--browser"]);
        assert_eq!((seen.code, seen.stdout.as_str()), (1, ""), "{target}");
        assert!(seen.stderr.contains(reason), "{reason}: {}", seen.stderr);
        assert_eq!(broker.asked().len(), 1);
    }
}

#[test]
fn a_silent_and_a_babbling_connection_hold_nobody_up() {
    let browser =
        Browser::going_to(&["", "", &format!("/{}", "x".repeat(100_000)), "/auth/callback?code=ac_1&state={state}"]);
    let broker = browser.with_broker(done());
    let seen = broker.serves(&patient(), &["login", "--browser"]);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(browser.pages(1)[0], "");
}

#[test]
fn the_address_or_the_code_may_be_pasted() {
    for typed in [
        format!("\nhttp://localhost:1455/auth/callback?code=ac_1&state={STATE}\n"),
        format!("nonsense!\nhttp://localhost:1455/auth/callback?code=forged&state=other\ncode=ac_1&state={STATE}\n"),
        "  ac_1 \n".to_owned(),
    ] {
        let broker = Browser::going_to(&[]).with_broker(done());
        let person = Person {
            types: typed.clone(),
            terminals: Terminals { stdin: true, stderr: true, ..Terminals::default() },
            ..patient()
        };
        let seen = broker.serves(&person, &["login", "--browser"]);
        assert_eq!(seen.code, 0, "{typed}: {seen:?}");
        let expected = format!(r#"POST /admin/v1/logins/l1/callback {{"code":"ac_1","state":"{STATE}"}}"#);
        assert_eq!(broker.asked()[1..], [expected], "{typed}");
        assert_eq!(seen.stderr.contains("another login attempt"), typed.contains("other"), "{}", seen.stderr);
    }
}

#[test]
fn a_browser_that_never_comes_back_is_not_waited_for_for_ever() {
    let seen = Browser::going_to(&[]).with_broker(done()).runs(&["login", "--browser"]);
    assert_eq!(seen.code, 1);
    assert!(seen.stderr.contains("the time for this login is over"), "{}", seen.stderr);
}

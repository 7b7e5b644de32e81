//! What a page says to a browser, and where it never leads.

use scorpiox_tests::process::http::Reply;

use super::given_a_team;
use super::person::{Person, hidden, invite, post, query_of, target, with};

fn assert_guarded(reply: &Reply) {
    let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{:?}", reply.headers));
    assert!(policy.contains("frame-ancestors 'none'") && policy.starts_with("default-src 'none'; "), "{policy}");
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert!(!reply.text().contains("<script"), "{}", reply.text());
}

#[test]
fn no_page_can_be_framed_kept_or_scripted() {
    let team = given_a_team();
    let person = Person::asked(&team, "s");
    assert_guarded(&team.broker().get(&target("s")));
    assert_guarded(&team.broker().get("/oauth/device"));
    assert_guarded(&team.broker().get("/oauth/authorize"));
    assert_guarded(&team.broker().get(&with(&[("response_type", "token")])));
    assert_guarded(&person.shows("wrong"));
    assert_guarded(&person.shows(&invite(&team, "anna", Some("main"))));
}

#[test]
fn a_browser_is_sent_to_loopback_and_nowhere_else() {
    let team = given_a_team();
    for redirect in [
        "https://example.com/",
        "http://127.0.0.1@example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1:1\\@example.com/",
        "//example.com",
        "javascript:alert(1)",
        "http://[::ffff:127.0.0.1]/",
    ] {
        let page = team.broker().get(&with(&[("redirect_uri", redirect)]));
        assert_eq!((page.status, page.header("location")), (400, None), "{redirect}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
    }
    let page = team.broker().get(&with(&[("client_id", "<b>x")]));
    assert_eq!((page.status, page.header("location")), (400, None));
}

#[test]
fn other_faults_go_back_to_the_program() {
    let team = given_a_team();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
    ] {
        let reply = team.broker().get(&with(&[(name, value), ("state", "s7")]));
        assert_eq!(reply.status, 303, "{name}");
        let parameters = query_of(reply.header("location").unwrap());
        assert_eq!((parameters["error"].as_str(), parameters["state"].as_str()), (error, "s7"));
        assert_eq!(parameters["iss"], team.broker().url());
    }
}

#[test]
fn a_person_may_say_no() {
    let team = given_a_team();
    let person = Person::asked(&team, "s7");
    let reply = person.sends(&[("request", &person.form), ("answer", "refuse")], &[]);
    assert_eq!(reply.status, 303);
    let parameters = query_of(reply.header("location").unwrap());
    assert_eq!((parameters["error"].as_str(), parameters["state"].as_str()), ("access_denied", "s7"));
    assert!(!parameters.contains_key("code"));
}

#[test]
fn only_our_own_page_can_send_its_form() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let person = Person::asked(&team, "s");
    let fields = [("request", person.form.as_str()), ("invite", invite.as_str())];
    for site in ["cross-site", "same-site"] {
        let reply = person.sends(&fields, &[("sec-fetch-site", site)]);
        assert_eq!((reply.status, reply.header("location")), (403, None), "{site}");
    }
    let device = hidden(&team.broker().get("/oauth/device"));
    let changed = person.form.replacen('W', "X", 1);
    for form in ["", "x.y", device.as_str(), changed.as_str()] {
        let reply = person.sends(&[("request", form), ("invite", &invite)], &[]);
        assert_eq!((reply.status, reply.header("location")), (400, None), "{form}");
        let other = post(&team, "/oauth/device", &[("request", &person.form), ("invite", &invite)], &[]);
        assert_eq!(other.status, 400);
    }
    assert_eq!(person.sends(&fields, &[("sec-fetch-site", "same-origin")]).status, 303, "the invite was not used up");
}

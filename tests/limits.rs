//! Limits of one client, and of an address that presents wrong keys (H4, H5).

use fake_provider::Settings;
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::{Client, Database, Key, Plan, Reply, Team};
use scorpiox_wire::Code;
use scorpiox_wire::admin::{ClientLimits, ClientView};
use scorpiox_wire::stock::{AuthFile, Granted};
use serde_json::{Value, json};

const FROM: &str = "x-forwarded-for";

fn a_team(plan: impl FnOnce(Plan) -> Plan) -> (Team, Client) {
    // The machine of the test is a proxy, so that it can be anywhere.
    let plan = |usual: Plan| plan(usual.with("SCORPIOX_BROKER_LIMITS_TRUSTED_PROXIES", "127.0.0.0/8"));
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

fn limit(team: &Team, name: &str, limits: &ClientLimits) -> ClientView {
    let reply = team.admin().ask("PUT", &format!("/clients/{name}/limits"), Some(json!(limits)));
    reply.result().unwrap_or_else(|problem| panic!("{problem:?}"))
}

fn change(team: &Team, name: &str, verb: &str) -> ClientView {
    team.admin().ask("POST", &format!("/clients/{name}/{verb}"), None).result().unwrap()
}

fn refused(reply: &Reply, code: Code, about: &str) {
    let problem = reply.problem();
    assert_eq!(problem.code, code, "{problem:?}");
    assert!(problem.message.contains(about) && problem.hint.is_some(), "{problem:?}");
    assert!(!reply.text().contains("eyJ"), "{}", reply.text());
    assert_eq!(reply.header("retry-after").is_some(), code == Code::TooMany, "{problem:?}");
}

#[test]
fn a_paused_client_gets_nothing_from_its_very_next_request_and_goes_on_when_it_is_resumed() {
    let (mut team, laptop) = a_team(|plan| plan);
    let desktop = team.given_a_client("desktop");
    team.fetch(&laptop.key);
    assert!(change(&team, "laptop", "pause").paused_at.is_some());
    refused(&team.ask(&laptop.key), Code::Forbidden, "paused");
    team.fetch(&desktop.key);
    team.restart();
    refused(&team.ask(&laptop.key), Code::Forbidden, "paused");
    // Another key does not get around it.
    let rotated: Client = team.admin().rotate_key("laptop").unwrap().into();
    refused(&team.ask(&rotated.key), Code::Forbidden, "paused");
    assert_eq!(change(&team, "laptop", "resume").paused_at, None);
    team.fetch(&rotated.key);
    let actions: Vec<String> = team.admin().audit().into_iter().map(|entry| entry.action).collect();
    for action in ["client.pause", "client.resume", "token.denied"] {
        assert!(actions.iter().any(|known| known == action), "{action} in {actions:?}");
    }
}

#[test]
fn a_clients_requests_and_tokens_are_counted_apart_and_unchanged_answers_are_no_tokens() {
    let (team, laptop) = a_team(|plan| plan);
    let limits = ClientLimits { handouts_per_hour: Some(2), ..ClientLimits::default() };
    assert_eq!(limit(&team, "laptop", &limits).limits, limits);
    let etag = team.ask(&laptop.key).header("etag").unwrap().to_owned();
    for _ in 0..5 {
        assert_eq!(team.ask_with(&laptop.key, "/codex", &[("if-none-match", &etag)]).status, 304);
    }
    team.fetch(&laptop.key);
    refused(&team.ask(&laptop.key), Code::TooMany, "2 times in an hour");
    assert_eq!(team.ask_with(&laptop.key, "/codex", &[("if-none-match", &etag)]).status, 304, "a cache lives on");
    // What was taken is taken, whatever its key and whatever else is said.
    let rotated: Client = team.admin().rotate_key("laptop").unwrap().into();
    refused(&team.ask(&rotated.key), Code::TooMany, "2 times in an hour");
    let limits = ClientLimits { requests_per_minute: Some(1), handouts_per_hour: Some(0), ..limits };
    limit(&team, "laptop", &limits);
    let replies: Vec<Reply> = (0..2).map(|_| team.ask(&rotated.key)).collect();
    assert_eq!(replies[1].status, 429, "{}", replies[1].text());
    refused(&replies[1], Code::TooMany, "1 times in a minute");
    // Another client has its own.
    team.fetch(&team.given_a_client("desktop").key);
    let denied = team.admin().audit_of("token.denied");
    assert_eq!(denied.len(), 1, "one line in a minute, however often it asks: {denied:?}");
    assert_eq!((denied[0].actor.as_str(), denied[0].outcome.as_str()), ("client:laptop", "too_many"));
}

#[test]
fn the_usual_limits_hold_for_a_client_without_its_own_and_the_file_sets_them() {
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_LIMITS_CLIENT_HANDOUTS_PER_HOUR", "3"));
    (0..3).for_each(|_| drop(team.fetch(&laptop.key)));
    refused(&team.ask(&laptop.key), Code::TooMany, "3 times in an hour");
    let unlimited = ClientLimits { handouts_per_hour: Some(0), ..ClientLimits::default() };
    limit(&team, "laptop", &unlimited);
    (0..10).for_each(|_| drop(team.fetch(&laptop.key)));
}

#[test]
fn a_key_is_good_from_its_networks_only_and_behind_trusted_proxies_the_client_counts() {
    let (mut team, laptop) = a_team(|plan| plan);
    let allow = vec!["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()];
    limit(&team, "laptop", &ClientLimits { allow, ..ClientLimits::default() });
    for (from, allowed) in [
        ("10.1.2.3", true),
        ("192.0.2.1, 10.1.2.3", true),
        ("2001:db8::7", true),
        ("192.0.2.1", false),
        ("10.1.2.3, 192.0.2.1", false),
        ("", false),
    ] {
        let reply = team.ask_with(&laptop.key, "/codex", &[(FROM, from)]);
        assert_eq!(reply.status == 200, allowed, "{from}: {}", reply.text());
        if !allowed {
            refused(&reply, Code::Forbidden, "may not be used from");
        }
    }
    team.change(|plan| plan.without("SCORPIOX_BROKER_LIMITS_TRUSTED_PROXIES"));
    team.restart();
    refused(&team.ask_with(&laptop.key, "/codex", &[(FROM, "10.1.2.3")]), Code::Forbidden, "127.0.0.1");
    for wrong in ["10.0.0.0/33", "example.org", ""] {
        let body = json!({ "allow": [wrong] });
        let reply = team.admin().ask("PUT", "/clients/laptop/limits", Some(body));
        assert_eq!(reply.problem().code, Code::BadRequest, "{wrong}");
    }
    let body = json!({ "allow": vec!["10.0.0.1"; 65] });
    assert_eq!(team.admin().ask("PUT", "/clients/laptop/limits", Some(body)).problem().code, Code::BadRequest);
    let unchanged = team.admin().clients().remove(0).limits.allow;
    assert_eq!(unchanged, ["10.0.0.0/8", "2001:db8::/32"], "a refusal changes nothing");
}

#[test]
fn a_client_whose_time_is_over_gets_a_403_that_says_since_when_and_what_helps() {
    let (team, laptop) = a_team(|plan| plan);
    team.fetch(&laptop.key);
    let ended = ClientLimits { expires_at: Some(1_700_000_000), ..ClientLimits::default() };
    limit(&team, "laptop", &ended);
    let reply = team.ask(&laptop.key);
    refused(&reply, Code::Forbidden, "2023-11-14 22:13:20 UTC");
    assert!(reply.problem().hint.unwrap().contains("client limit NAME --expires"));
    limit(&team, "laptop", &ClientLimits { expires_at: Some(i64::MAX), ..ended });
    team.fetch(&laptop.key);
}

#[test]
fn limits_that_cannot_be_read_keep_the_broker_from_serving_more_than_was_allowed() {
    let (mut team, laptop) = a_team(|plan| plan);
    limit(&team, "laptop", &ClientLimits { allow: vec!["10.0.0.0/8".into()], ..ClientLimits::default() });
    team.stop();
    Database::of(team.data()).execute("UPDATE clients SET networks = 'x'");
    assert!(team.start_in_vain().stderr.contains("clients.networks"));
    Database::of(team.data()).execute("UPDATE clients SET networks = '127.0.0.0/8'");
    team.start();
    team.fetch(&laptop.key);
}

#[test]
fn a_flood_of_wrong_keys_slows_its_address_and_never_the_good_keys_behind_it() {
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_LIMITS_FAILURES_PER_MINUTE", "5"));
    let wrong = Key("sxk_000000000000_wrong".to_owned());
    let from = |key: &Key, address: &str| team.ask_with(key, "/codex", &[(FROM, address)]);
    let statuses: Vec<u16> = (0..7).map(|_| from(&wrong, "198.51.100.1").status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    refused(&from(&wrong, "198.51.100.1"), Code::TooMany, "wrong keys");
    assert_eq!(from(&wrong, "198.51.100.2").status, 401, "its neighbour is not slowed");
    assert_eq!(from(&laptop.key, "198.51.100.1").status, 200, "nor is a good key");
    assert!(team.admin().audit().iter().all(|entry| entry.action != "token.denied"), "and it writes nothing");
}

/// As a stock client renews.
fn renew(team: &Team, stand_in: &str, address: &str) -> Reply {
    let body = json!({ "grant_type": "refresh_token", "refresh_token": stand_in }).to_string();
    let headers = [(FROM, address), ("content-type", "application/json")];
    team.broker().ask(&Request { method: "POST", target: "/oauth/token", headers: &headers, body: Some(body) })
}

#[test]
fn a_stand_in_obeys_the_limits_of_its_client_and_is_as_good_as_before_when_they_are_lifted() {
    let (team, laptop) = a_team(|plan| plan);
    let file: AuthFile = team.ask_with(&laptop.key, "/codex/auth.json", &[]).json();
    let renew = || renew(&team, file.tokens.refresh_token.expose(), "192.0.2.1");
    let refused = |status: u16, code: &str, about: &str| {
        let reply = renew();
        let error: Value = reply.json();
        assert_eq!((reply.status, &error["error"]["code"]), (status, &json!(code)), "{error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(about), "{error}");
        assert_eq!(reply.header("retry-after").is_some(), status == 429, "{error}");
        assert!(!reply.text().contains("eyJ") && !reply.text().contains("sxr_"), "{error}");
    };
    let unlimited = ClientLimits { requests_per_minute: Some(0), handouts_per_hour: Some(0), ..Default::default() };
    let given_again = || {
        limit(&team, "laptop", &unlimited);
        let granted: Granted = renew().json();
        assert_eq!(granted.refresh_token, file.tokens.refresh_token);
    };
    limit(&team, "laptop", &ClientLimits { allow: vec!["10.0.0.0/8".into()], ..unlimited.clone() });
    refused(403, "access_denied", "may not be used from 192.0.2.1");
    given_again();
    limit(&team, "laptop", &ClientLimits { expires_at: Some(1_700_000_000), ..unlimited.clone() });
    refused(403, "access_denied", "ended on");
    given_again();
    change(&team, "laptop", "pause");
    refused(403, "access_denied", "paused");
    change(&team, "laptop", "resume");
    given_again();
    for (limits, about) in [
        (ClientLimits { handouts_per_hour: Some(1), ..unlimited.clone() }, "1 times in an hour"),
        (ClientLimits { requests_per_minute: Some(1), ..unlimited.clone() }, "1 times in a minute"),
    ] {
        limit(&team, "laptop", &limits);
        // The first one may be had.
        let _ = renew();
        refused(429, "too_many", about);
        given_again();
    }
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_flood_of_refresh_tokens_that_nobody_issued_counts_as_wrong_keys_and_never_slows_a_good_one() {
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_LIMITS_FAILURES_PER_MINUTE", "5"));
    let file: AuthFile = team.ask_with(&laptop.key, "/codex/auth.json", &[]).json();
    let good = file.tokens.refresh_token.expose();
    let renew = |stand_in: &str, address: &str| renew(&team, stand_in, address);
    let forged = format!("{}AAA", &good[..good.len() - 3]);
    let statuses: Vec<u16> = [forged.as_str(), "rt_1", "x", "sxr_1", "rt_2", forged.as_str(), "rt_3"]
        .map(|stand_in| renew(stand_in, "198.51.100.1").status)
        .into();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let slowed = renew(&forged, "198.51.100.1");
    assert!(slowed.header("retry-after").is_some() && slowed.text().contains("\"too_many\""), "{}", slowed.text());
    let wrong = Key("sxk_000000000000_wrong".to_owned());
    assert_eq!(team.ask_with(&wrong, "/codex", &[(FROM, "198.51.100.1")]).status, 429, "they are counted together");
    assert_eq!(renew(&forged, "198.51.100.2").status, 401, "its neighbour is not slowed");
    assert_eq!(renew(good, "198.51.100.1").status, 200, "nor is a good one");
}

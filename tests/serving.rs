//! A token request, and what it is answered.

use std::collections::BTreeSet;

use fake_provider::{Fault, Hold, How, Settings};
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::{Client, Crowd, Reply, Team, patience};
use scorpiox_wire::admin::Health;
use scorpiox_wire::{Code, TokenAnswer};
use serde_json::{Value, json};

fn a_team_with_a_login() -> (Team, Client) {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

/// The next redemption waits at the provider, redeemed and not answered.
fn hold_the_answer() -> Fault {
    Fault::refresh(How::Plain).hold(Hold::BeforeAnswering)
}

#[test]
fn the_answer_says_what_a_client_needs_and_nothing_else() {
    let (team, laptop) = a_team_with_a_login();
    let reply = team.ask(&laptop.key);
    let body: Value = reply.json();
    let fields: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "access_token",
        "token_type",
        "expires_at",
        "expires_in",
        "revalidate_at",
        "account_id",
        "plan_type",
        "credential",
        "generation",
        "renewable",
    ];
    assert_eq!(fields, BTreeSet::from(expected));
    let token: TokenAnswer = reply.json();
    let issued = team.issued();
    assert_eq!(token.access_token.expose(), issued.access_token);
    assert_eq!((token.expires_at, token.account_id.as_str()), (issued.expires_at, issued.account.account_id.as_str()));
    assert_eq!((token.token_type.as_str(), token.plan_type.as_deref()), ("Bearer", Some("plus")));
    assert_eq!((token.generation, token.renewable), (1, true));
    let now = team.provider.now();
    assert!((token.expires_at - now - token.expires_in).abs() < 60, "{token:?}");
    assert!((token.revalidate_at - now - 300).abs() < 60, "{token:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("etag"), Some(token.tag().to_etag().as_str()));
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_client_that_has_the_current_token_is_told_so_without_it() {
    let (team, laptop) = a_team_with_a_login();
    let token = team.fetch(&laptop.key);
    let known = token.tag().to_etag();
    let reply = team.ask_with(&laptop.key, "/codex", &[("if-none-match", &known)]);
    assert_eq!((reply.status, reply.body.len(), reply.header("etag")), (304, 0, Some(known.as_str())));
    for other in ["\"0000.1\"", "*", "\"nonsense\""] {
        let reply = team.ask_with(&laptop.key, "/codex", &[("if-none-match", other)]);
        assert_eq!(reply.json::<TokenAnswer>().access_token, token.access_token, "{other}");
    }
    team.admin().refresh("main").unwrap();
    let reply = team.ask_with(&laptop.key, "/codex", &[("if-none-match", &known)]);
    assert_eq!(reply.json::<TokenAnswer>().generation, 2);
}

#[test]
fn two_hundred_who_ask_for_an_expired_token_cost_one_exchange() {
    let team = Team::new();
    team.provider.fault(hold_the_answer());
    team.given_an_expired_login("main");
    let clients: Vec<Client> = (0..4).map(|n| team.given_a_client(&format!("client{n}"))).collect();
    let keys: Vec<_> = clients.iter().map(|client| &client.key).collect();
    let mut crowd = Crowd::asking(team.broker(), &keys, 200);
    team.provider.wait_for_held(1);
    assert_eq!(team.broker().get("/healthz").status, 200);
    assert_eq!(crowd.answered(), 0);
    team.provider.release();
    for reply in crowd.answers() {
        assert_eq!(reply.json::<TokenAnswer>().generation, 2, "{}", reply.text());
    }
    assert_eq!(team.provider.refresh_count(), 1);
    assert_eq!(team.admin().audit_of("token.first").len(), clients.len());
    assert_eq!(team.provider.violations(), [""; 0]);
}

#[test]
fn a_failure_that_did_no_harm_is_shared_and_tried_again_once_per_step() {
    let team = Team::new();
    let too_many = |times| Fault::refresh_status(429, json!({"error": "slow down"})).times(times);
    team.provider.fault(too_many(1).hold(Hold::BeforeAnswering));
    team.provider.fault(too_many(1));
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    let crowd = Crowd::asking(team.broker(), &[&laptop.key], 200);
    team.provider.wait_for_held(1);
    team.provider.release();
    let backing_off = |replies: Vec<Reply>| {
        for reply in replies {
            assert_eq!(reply.problem().code, Code::BackingOff, "{}", reply.text());
            let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=15).contains(&seconds), "{seconds}");
        }
    };
    backing_off(crowd.answers());
    assert_eq!(team.provider.refresh_count(), 1);
    // Whoever asks meanwhile is told at once; the second step comes by itself and fails too, the third one works.
    for presented in [2, 3] {
        backing_off(Crowd::asking(team.broker(), &[&laptop.key], 20).answers());
        team.provider.wait_until(|oracle| oracle.refresh_count() == presented);
    }
    patience::until("generation 2", || {
        team.ask(&laptop.key).result::<TokenAnswer>().ok().filter(|token| token.generation == 2)
    });
    assert_eq!(team.provider.refresh_count(), 3);
    assert_eq!(team.provider.violations(), [""; 0]);
}

#[test]
fn a_client_that_goes_away_does_not_stop_the_rotation_it_waited_for() {
    let mut team = Team::new();
    team.provider.fault(hold_the_answer());
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    let crowd = Crowd::asking(team.broker(), &[&laptop.key], 5);
    team.provider.wait_for_held(1);
    drop(crowd);
    team.provider.release();
    patience::until("generation 2", || (team.admin().credential("main").generation == 2).then_some(()));
    team.kill_9();
    team.start();
    assert_eq!(team.fetch(&laptop.key).generation, 2);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn who_may_wait_no_longer_is_told_to_come_again_and_the_rotation_goes_on() {
    let team = Team::with(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_LIMITS_WAIT", "300ms"));
    team.provider.fault(hold_the_answer());
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    let began = patience::now();
    let reply = team.ask(&laptop.key);
    assert_eq!((reply.problem().code, reply.header("retry-after")), (Code::Busy, Some("1")));
    assert!(began.elapsed().as_secs() < 10, "the request's own limit is 15 seconds");
    team.provider.wait_for_held(1);
    team.provider.release();
    patience::until("generation 2", || (team.admin().credential("main").generation == 2).then_some(()));
    assert_eq!(team.fetch(&laptop.key).generation, 2);
    assert_eq!(team.provider.refresh_count(), 1);
}

#[test]
fn a_token_that_lasts_is_served_while_its_successor_is_fetched() {
    let (team, laptop) = a_team_with_a_login();
    team.provider.fault(hold_the_answer());
    let admin = team.admin();
    std::thread::scope(|scope| {
        let refreshed = scope.spawn(|| admin.refresh("main").unwrap());
        team.provider.wait_for_held(1);
        assert_eq!(team.fetch(&laptop.key).generation, 1);
        team.provider.release();
        assert!(refreshed.join().unwrap().renewed);
    });
    assert_eq!(team.fetch(&laptop.key).generation, 2);
}

#[test]
fn strangers_get_one_and_the_same_answer() {
    let (team, laptop) = a_team_with_a_login();
    let (revoked, replaced) = (team.given_a_client("revoked"), team.given_a_client("replaced"));
    team.admin().revoke("revoked").unwrap();
    team.admin().rotate_key("replaced").unwrap();
    // A good shape whose id nobody has; one whose id is known and whose secret is another's.
    let parse = |client: &Client| scorpiox_wire::ClientKey::parse(&client.key.0).unwrap();
    let secret = |client: &Client| scorpiox_wire::Secret::new(&client.key.0[17..60]);
    let unknown = scorpiox_wire::ClientKey::compose("000000000000", &secret(&laptop)).unwrap();
    let mixed = scorpiox_wire::ClientKey::compose(parse(&laptop).id(), &secret(&revoked)).unwrap();
    let bearer = |key: &str| format!("Bearer {key}");
    let strangers = [
        bearer(&revoked.key.0),
        bearer(&replaced.key.0),
        bearer(unknown.expose()),
        bearer(mixed.expose()),
        bearer(&laptop.key.0[1..]),
        bearer(&laptop.key.0.to_uppercase()),
        bearer(""),
        laptop.key.0.clone(),
        format!("Basic {}", laptop.key.0),
        String::new(),
    ];
    let nobody = team.broker().get("/codex");
    assert_eq!((nobody.problem().code, nobody.header("www-authenticate")), (Code::Unauthorized, Some("Bearer")));
    for header in &strangers {
        let request = Request { target: "/codex", headers: &[("authorization", header)], ..Request::default() };
        let reply = team.broker().ask(&request);
        assert_eq!((reply.status, reply.text()), (401, nobody.text()), "{header}");
        let names =
            |reply: &Reply| -> BTreeSet<String> { reply.headers.iter().map(|(name, _)| name.clone()).collect() };
        assert_eq!(names(&reply), names(&nobody), "{header}");
    }
    assert_eq!(team.fetch(&laptop.key).generation, 1);
}

#[test]
fn a_client_without_a_login_is_forbidden_whether_or_not_one_exists() {
    let (team, laptop) = a_team_with_a_login();
    team.admin().remove("main").unwrap();
    let removed = team.ask(&laptop.key);
    assert_eq!(removed.problem().code, Code::Forbidden);
    team.given_a_login("main");
    assert_eq!(team.ask(&laptop.key).text(), removed.text(), "a namesake is another login");
}

#[test]
fn a_paused_login_serves_nothing_and_one_that_only_rests_serves_on() {
    let (team, laptop) = a_team_with_a_login();
    let admin = team.admin();
    assert!(!admin.pause("main").unwrap().serving);
    let problem = team.ask(&laptop.key).problem();
    assert_eq!(problem.code, Code::Paused);
    assert!(problem.hint.unwrap().contains("credential resume main"));
    assert_eq!(admin.refresh("main").unwrap_err().code, Code::Paused);
    assert!(admin.pause_renewal("main").unwrap().serving);
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    assert_eq!(admin.refresh("main").unwrap_err().code, Code::Paused);
    assert_eq!(admin.resume("main").unwrap().health, Health::Good);
    assert!(admin.refresh("main").unwrap().renewed);
    assert_eq!(team.fetch(&laptop.key).generation, 2);
    assert_eq!(team.provider.refresh_count(), 1);
}

#[test]
fn a_pause_outlives_a_restart() {
    let (mut team, laptop) = a_team_with_a_login();
    team.admin().pause("main").unwrap();
    team.kill_9();
    team.start();
    assert_eq!(team.ask(&laptop.key).problem().code, Code::Paused);
}

#[test]
fn a_login_that_has_ended_is_served_until_its_token_ends() {
    for code in ["refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated"] {
        // The token is younger than a refusal may renew: what has ended is not "too soon".
        let (team, laptop) = a_team_with_a_login();
        team.provider.fault(Fault::refresh_code(401, code));
        assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::Unavailable);
        let credential = team.admin().credential("main");
        assert_eq!(credential.health, Health::Reauth, "{credential:?}");
        assert!(credential.next.unwrap().contains("login --name main"));
        let token = team.fetch(&laptop.key);
        assert_eq!((token.generation, token.renewable), (1, false));
        // Only who has just met a refusal is turned away.
        let refused = team.refuse(&laptop.key, &token.tag());
        assert_eq!((refused.status, refused.problem().code), (409, Code::ReauthRequired));
        assert_eq!(team.fetch(&laptop.key).generation, 1);
        assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::ReauthRequired);
        assert_eq!(team.provider.refresh_count(), 1);
    }
}

#[test]
fn a_login_and_a_token_that_have_both_ended_need_a_person() {
    let team = Team::new();
    team.provider.fault(Fault::refresh_code(400, "refresh_token_expired"));
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    team.provider.wait_until(|oracle| oracle.refresh_count() == 1);
    let problem = patience::until("the verdict", || {
        Some(team.ask(&laptop.key).problem()).filter(|problem| problem.code != Code::Busy)
    });
    assert_eq!(problem.code, Code::ReauthRequired);
    assert!(problem.hint.unwrap().contains("scorpiox-broker login --name main"));
    assert_eq!(team.provider.refresh_count(), 1);
}

#[test]
fn readiness_says_what_does_not_work_and_names_nobody() {
    let (team, _) = a_team_with_a_login();
    assert_eq!(team.broker().get("/healthz").text(), "ok\n");
    let ready: Value = team.broker().get("/readyz").json();
    assert_eq!(ready, json!({"serving": true, "renewing": true, "degraded": []}));
    team.provider.fault(Fault::refresh(How::CutAfter { reset: false, body_bytes: None }));
    team.admin().refresh("main").unwrap_err();
    let ready = team.broker().get("/readyz");
    assert_eq!(ready.json::<Value>(), json!({"serving": true, "renewing": true, "degraded": ["in_doubt"]}));
}

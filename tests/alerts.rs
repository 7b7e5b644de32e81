//! Somebody is told what needs a person: once, in order, also across a restart, and signed.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_provider::{Account, Fault, Settings};
use scorpiox_tests::process::posted::{self, Posted};
use scorpiox_tests::process::{Database, Plan, Team, patience};
use scorpiox_wire::admin::Health;
use scorpiox_wire::{Code, TokenTag};
use serde_json::{Value, json};

const KEY: &str = "a-key-that-is-long-enough";

/// The webhook's receiver.
struct Listener(posted::Listener);

impl Listener {
    /// Answers with the statuses in turn, then with 204.
    fn answering(statuses: &'static [u16]) -> Self {
        let mut statuses = statuses.iter();
        Self(posted::Listener::answering(move || {
            let status = statuses.next().copied().unwrap_or(204);
            let location = if status == 302 { "location: http://127.0.0.1:1/\r\n" } else { "" };
            format!("HTTP/1.1 {status} X\r\n{location}content-length: 0\r\n\r\n")
        }))
    }

    fn url(&self) -> String {
        format!("{}/hook?token=canary", self.0.origin)
    }

    fn next(&self) -> Posted {
        self.0.next().expect("somebody posts")
    }

    fn is_silent(&self) -> bool {
        self.0.is_silent()
    }
}

/// What it tells of: state, what and subject.
fn told(posted: &Posted) -> [String; 3] {
    let data = &posted.json()["data"];
    ["state", "what", "subject"].map(|field| data[field].as_str().unwrap_or_default().to_owned())
}

fn told_at(listener: &Listener) -> impl FnOnce(Plan) -> Plan {
    let url = listener.url();
    move |plan| plan.with("SCORPIOX_BROKER_ALERTS_WEBHOOK_URL", &url)
}

#[test]
fn a_login_that_cannot_be_renewed_is_told_once_signed_and_told_again_when_it_is_over() {
    let listener = Listener::answering(&[]);
    let mut team = Team::not_started(Settings::default(), told_at(&listener));
    let key = team.path("webhook-key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    team.change(|plan| plan.with("SCORPIOX_BROKER_ALERTS_WEBHOOK_SECRET_FILE", key.to_str().unwrap()));
    team.start();
    team.given_a_login("main");
    team.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    assert!(team.admin().refresh("main").is_err());

    let posted = listener.next();
    assert_eq!(told(&posted), ["raised", "reauth", "main"]);
    let data = &posted.json()["data"];
    assert!(data["reason"].as_str().unwrap().starts_with("'main' works until "), "{data}");
    assert_eq!(data["next"], "scorpiox-broker login --name main");
    let status = team.admin().status();
    assert_eq!(status.degraded[0].reason, data["reason"].as_str().unwrap(), "status says the same");

    let signed = format!("{}.{}.{}", posted.header("webhook-id"), posted.header("webhook-timestamp"), posted.body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes())));
    assert_eq!(posted.header("webhook-signature"), expected);

    // A restart tells nothing again.
    patience::until("it is written down that it was taken", || {
        team.broker().log().contains("an alert was delivered").then_some(())
    });
    team.restart();
    team.given_a_login("main");
    let posted = listener.next();
    assert_eq!(told(&posted), ["resolved", "reauth", "main"]);
    assert!(!team.broker().log().contains("canary"), "the URL is a secret");
}

#[test]
fn what_was_not_taken_is_told_again_in_order_and_under_the_same_id() {
    let listener = Listener::answering(&[500, 302]);
    let team = Team::with(Settings::default(), told_at(&listener));
    team.given_a_login("main");
    team.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    assert!(team.admin().refresh("main").is_err());
    let first = listener.next();
    let second = listener.next();
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    team.broker().wait_for_log("redirects are not followed");
    assert!(listener.is_silent());
}

#[test]
fn of_several_alerts_the_first_is_told_before_the_others_also_when_it_was_not_taken() {
    let listener = Listener::answering(&[500]);
    let team = Team::with(Settings::default(), told_at(&listener));
    for (name, number) in [("a", 1), ("b", 2), ("c", 3)] {
        team.given_a_login_of(name, &Account::numbered(number));
        team.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
        assert!(team.admin().refresh(name).is_err());
    }
    let posted: Vec<Posted> = (0..4).map(|_| listener.next()).collect();
    let subjects: Vec<String> = posted.iter().map(|posted| told(posted)[2].clone()).collect();
    assert_eq!(subjects, ["a", "a", "b", "c"]);
    let ids: BTreeSet<&str> = posted.iter().map(|posted| posted.header("webhook-id")).collect();
    assert_eq!(ids.len(), 3, "again is not another one");
}

#[test]
fn a_renewal_without_an_answer_and_a_login_that_was_set_aside_are_told() {
    let listener = Listener::answering(&[]);
    let team = Team::with(Settings::default(), told_at(&listener));
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    team.provider.fault(Fault::refresh_status(502, json!({})));
    assert!(team.admin().refresh("main").is_err());
    let posted = listener.next();
    assert_eq!(told(&posted), ["raised", "in_doubt", "main"]);
    assert_eq!(posted.json()["data"]["next"], "scorpiox-broker credential refresh main --probe");

    // Somebody has seen a generation that the broker never made.
    let token = team.fetch(&laptop.key);
    let later = TokenTag { credential: token.credential, generation: token.generation + 5 };
    team.refuse(&laptop.key, &later);
    assert_eq!(told(&listener.next()), ["raised", "quarantine", "main"]);
}

#[test]
fn a_login_whose_renewal_is_paused_is_told_of_when_it_cannot_be_renewed() {
    let listener = Listener::answering(&[]);
    let team = Team::with(Settings::default(), told_at(&listener));
    team.given_a_login("main");
    team.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    assert!(team.admin().refresh("main").is_err());
    assert_eq!(told(&listener.next()), ["raised", "reauth", "main"]);
    team.admin().pause_renewal("main").unwrap();
    assert_eq!(team.admin().credential("main").health, Health::Reauth, "a pause does not hide it");
    assert_eq!(team.admin().degraded(), ["reauth"]);
    team.admin().pause("main").unwrap();
    assert_eq!(team.admin().degraded(), Vec::<String>::new(), "nobody is given it any more");
}

#[test]
fn the_end_of_the_administrations_own_certificate_is_told() {
    let listener = Listener::answering(&[]);
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    let place = team.path("admin-tls");
    std::fs::create_dir(&place).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    wanted.not_after = rcgen::date_time_ymd(2020, 1, 1);
    std::fs::write(place.join("certificate.pem"), wanted.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(place.join("key.pem"), key.serialize_pem()).unwrap();
    team.change(|plan| {
        told_at(&listener)(plan)
            .with("SCORPIOX_BROKER_ADMIN_LISTEN", "127.0.0.1:0")
            .with("SCORPIOX_BROKER_ADMIN_CERTIFICATE", place.join("certificate.pem").to_str().unwrap())
            .with("SCORPIOX_BROKER_ADMIN_KEY", place.join("key.pem").to_str().unwrap())
    });
    team.start();
    let posted = listener.next();
    assert_eq!(told(&posted), ["raised", "certificate_ended", "administration"]);
    let reason = posted.json()["data"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("the certificate of the administration ended "), "{reason}");
    let status = team.admin().status();
    assert_eq!((status.certificate_ends_at, status.admin_certificate_ends_at), (None, Some(1_577_836_800)));
    let said = team.plan().command(&["status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).contains("administration's certificate"), "{said:?}");
}

#[test]
fn a_test_reaches_whoever_is_configured_and_says_who_was_not() {
    let listener = Listener::answering(&[]);
    let team = Team::with(Settings::default(), |plan| {
        told_at(&listener)(plan).with("SCORPIOX_BROKER_ALERTS_COMMAND", "/bin/sh,-c,exit 3")
    });
    let reply = team.admin().ask("POST", "/alerts/test", None);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer: Value = reply.json();
    assert_eq!(answer["sinks"][0]["delivered"], true, "{answer}");
    assert_eq!(answer["sinks"][1]["problem"], "/bin/sh ended with exit code 3", "{answer}");
    assert_eq!(listener.next().json()["type"], "alert.test");
    assert_eq!(team.admin().audit_of("alert.test").len(), 1);
}

#[test]
fn without_anybody_to_tell_a_test_is_refused() {
    let team = Team::new();
    let problem = team.admin().ask("POST", "/alerts/test", None).problem();
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.hint.unwrap().contains("alerts.webhook_url"));
}

#[test]
fn a_command_gets_the_alert_on_its_input_though_the_database_is_held() {
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    let file = team.path("told");
    let script = format!("cat >> {}", file.display());
    team.change(|plan| plan.with("SCORPIOX_BROKER_ALERTS_COMMAND", &format!("/bin/sh,-c,{script}")));
    team.start();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let mut intruder = Database::of(team.data());
    intruder.lock();
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    let told = patience::within(Duration::from_secs(60), || {
        std::fs::read_to_string(&file).ok().filter(|text| text.contains("audit_spooling"))
    });
    assert!(told.is_some(), "told from memory: {}", team.broker().log());
    intruder.unlock();
}

#[test]
fn an_admin_keys_end_is_told_a_week_ahead_and_is_over_when_it_is_revoked() {
    let listener = Listener::answering(&[]);
    let team = Team::with(Settings::default(), told_at(&listener));
    let key = |name: &str, days: u64| {
        let body = json!({ "name": name, "scopes": ["read"], "expires_in": days * 24 * 3600 });
        assert_eq!(team.admin().ask("POST", "/admin-keys", Some(body)).status, 200);
    };
    key("later", 8);
    assert_eq!(team.admin().status().degraded, []);
    key("nightly", 5);
    let posted = listener.next();
    assert_eq!(told(&posted), ["raised", "admin_key_ends", "nightly"]);
    let status = team.admin().status();
    let reason = posted.json()["data"]["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with("admin key 'nightly' ends "), "{reason}");
    assert_eq!(status.degraded.iter().map(|told| &told.reason).collect::<Vec<_>>(), [&reason]);
    assert_eq!(team.admin().ask("DELETE", "/admin-keys/nightly", None).status, 200);
    assert_eq!(told(&listener.next()), ["resolved", "admin_key_ends", "nightly"]);
    assert_eq!(team.admin().status().degraded, []);
}

#[test]
fn a_clients_end_is_told_a_week_ahead_once_and_is_over_when_it_is_extended() {
    let listener = Listener::answering(&[]);
    let mut team = Team::with(Settings::default(), told_at(&listener));
    team.given_a_login("main");
    team.given_a_client("ci");
    let made_at = team.admin().clients()[0].created_at;
    let ends = |team: &Team, day: i64| {
        let limits = json!({ "expires_at": made_at + day * 24 * 3600 });
        assert_eq!(team.admin().ask("PUT", "/clients/ci/limits", Some(limits)).status, 200);
    };
    ends(&team, 90);
    assert_eq!(team.admin().status().degraded, []);
    ends(&team, 5);
    let posted = listener.next();
    assert_eq!(told(&posted), ["raised", "client_ends", "ci"]);
    let data = &posted.json()["data"];
    assert!(data["reason"].as_str().unwrap().starts_with("client 'ci' ends "), "{data}");
    let command = data["next"].as_str().unwrap().to_owned();
    let status = team.admin().status();
    assert_eq!(status.degraded[0].reason, data["reason"].as_str().unwrap(), "status says the same");
    let ready: Value = team.broker().get("/readyz").json();
    assert_eq!(ready["degraded"], json!([]), "the broker itself lacks nothing");

    patience::until("it is written down that it was taken", || {
        team.broker().log().contains("an alert was delivered").then_some(())
    });
    team.restart();
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    assert!(team.plan().command(&arguments).output().unwrap().status.success(), "{command}");
    assert_eq!(told(&listener.next()), ["resolved", "client_ends", "ci"]);
    assert_eq!(team.admin().status().degraded, []);
}

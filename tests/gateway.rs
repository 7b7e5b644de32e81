//! Programs that a person signs in: with an invite on a page of the broker, or with a code that somebody approves.
//!
//! * [`person`]: what a browser and a program send. * [`device`]: programs without a browser. * [`refusals`]: who gets
//!   nothing. * [`pages`]: what a page says to a browser, and where it never leads.

mod device;
mod pages;
pub(crate) mod person;
mod refusals;

use scorpiox_tests::process::Team;
use serde_json::{Value, json};

use person::{Person, REDIRECT, VERIFIER, invite, query_of, redeem, renew};

fn given_a_team() -> Team {
    let team = Team::new();
    team.given_a_login("main");
    team
}

#[test]
fn a_person_with_an_invite_signs_a_program_in_and_no_key_is_typed() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let person = Person::asked(&team, "s1");
    let answer = person.shows(&invite);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let back = answer.header("location").unwrap();
    assert!(back.starts_with(REDIRECT), "{back}");
    let parameters = query_of(back);
    assert_eq!(parameters["state"], "s1");
    assert_eq!(parameters["iss"], team.broker().url());

    let granted = redeem(&team, &parameters["code"], VERIFIER, REDIRECT);
    assert_eq!(granted.status, 200, "{}", granted.text());
    assert_eq!(granted.header("cache-control"), Some("no-store"));
    let granted: Value = granted.json();
    assert_eq!(granted["access_token"], team.issued().access_token);
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(300)));
    let stand_in = granted["refresh_token"].as_str().unwrap();
    assert!(stand_in.starts_with("sxr_"), "{stand_in}");

    let renewed = renew(&team, stand_in);
    assert_eq!((renewed.status, &renewed.json::<Value>()["expires_in"]), (200, &json!(300)));
    let clients = team.admin().clients();
    let anna = clients.iter().find(|client| client.name == "anna").unwrap();
    assert_eq!((anna.key_id.as_str(), anna.credential.as_str()), ("", "main"));
    let actions: Vec<String> = team.admin().audit().into_iter().map(|entry| entry.action).collect();
    for action in ["client.create", "client.invite", "invite.use", "token.first", "stand_in.issue"] {
        assert!(actions.iter().any(|known| known == action), "{action}: {actions:?}");
    }
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_revoked_client_gets_nothing_more() {
    let team = given_a_team();
    let granted = person::signed_in(&team, "anna");
    team.admin().revoke("anna").unwrap();
    let renewed = renew(&team, granted["refresh_token"].as_str().unwrap());
    assert_eq!((renewed.status, &renewed.json::<Value>()["error"]), (400, &json!("invalid_grant")));
}

#[test]
fn it_comes_back_as_soon_as_the_setting_says_and_never_later_than_its_token_ends() {
    let team = Team::with(fake_provider::Settings::default(), |plan| {
        plan.with("SCORPIOX_BROKER_SERVE_GATEWAY_EXPIRES_IN", "40s")
    });
    team.given_a_login("main");
    let granted = person::signed_in(&team, "anna");
    assert_eq!(granted["expires_in"], 40);
    let file = team.login_that_lasts(35, &fake_provider::Account { account_id: "short".into(), ..Default::default() });
    team.admin().import(&scorpiox_tests::process::team::import_of("short", &file)).unwrap();
    team.admin().pause_renewal("short").unwrap();
    let granted = person::signed_in_with(&team, "bert", "short");
    assert!(granted["expires_in"].as_i64().unwrap() <= 35, "{granted}");
}

#[test]
fn a_restart_keeps_invites_and_sign_ins_and_ends_codes_and_waiting_programs() {
    let mut team = given_a_team();
    let signed_in = person::signed_in(&team, "anna");
    let kept = invite(&team, "bert", Some("main"));
    let used = invite(&team, "carl", Some("main"));
    let under_way = Person::asked(&team, "s1").shows(&used);
    let code = query_of(under_way.header("location").unwrap())["code"].clone();
    let waiting = device::ask(&team);
    team.restart();
    assert_eq!(renew(&team, signed_in["refresh_token"].as_str().unwrap()).status, 200);
    assert_eq!(redeem(&team, &code, VERIFIER, REDIRECT).json::<Value>()["error"], "invalid_grant");
    assert_eq!(device::poll(&team, &waiting).json::<Value>()["error"], "expired_token");
    assert_eq!(Person::asked(&team, "s2").shows(&kept).status, 303);
}

#[test]
fn it_says_where_everything_is() {
    let team = given_a_team();
    let document: Value = team.broker().get("/.well-known/oauth-authorization-server").json();
    let url = team.broker().url();
    assert_eq!(document["issuer"], url);
    assert_eq!(document["authorization_endpoint"], format!("{url}/oauth/authorize"));
    assert_eq!(document["device_authorization_endpoint"], format!("{url}/oauth/device_authorization"));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    for endpoint in ["authorization_endpoint", "token_endpoint", "revocation_endpoint", "device_authorization_endpoint"]
    {
        let path = document[endpoint].as_str().unwrap().strip_prefix(url).unwrap();
        assert_ne!(team.broker().get(path).status, 404, "{endpoint}");
    }
}

#[test]
fn an_invite_is_kept_nowhere_as_it_is() {
    let mut team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let letters = invite.replace('-', "");
    let ended = team.stop();
    for file in std::fs::read_dir(team.data()).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for text in [&invite, &letters] {
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{:?}", file.path());
        }
    }
    assert!(!ended.stderr.contains(&letters) && !ended.stderr.contains(&invite), "{}", ended.stderr);
}

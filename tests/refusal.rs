//! A client says that the provider refused its token.

use std::time::Duration;

use fake_provider::{Fault, Settings, Twist};
use scorpiox_tests::process::{Client, Plan, Team};
use scorpiox_wire::admin::Health;
use scorpiox_wire::{Code, TokenAnswer, TokenTag};

/// A refusal may renew a token of any age.
fn at_once(plan: Plan) -> Plan {
    plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s")
}

fn a_team(plan: impl FnOnce(Plan) -> Plan) -> (Team, Client) {
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

#[test]
fn the_refused_token_is_renewed_once_for_everybody_who_refuses_it() {
    let (team, laptop) = a_team(at_once);
    let desktop = team.given_a_client("desktop");
    let token = team.fetch(&laptop.key);
    let next: TokenAnswer = team.refuse(&laptop.key, &token.tag()).json();
    assert_eq!(next.generation, 2);
    assert_ne!(next.access_token, token.access_token);
    for key in [&laptop.key, &desktop.key] {
        assert_eq!(team.refuse(key, &token.tag()).json::<TokenAnswer>().generation, 2, "an older tag gets the current");
    }
    assert_eq!(team.provider.refresh_count(), 1);
    let refusals = team.admin().audit_of("token.refused");
    assert_eq!(refusals.len(), 1, "what changes nothing is not an event: {refusals:?}");
    assert_eq!(
        (refusals[0].actor.as_str(), refusals[0].object.as_str()),
        ("client:laptop", "credential:main generation:1")
    );
    assert_eq!(team.provider.violations(), [""; 0]);
}

#[test]
fn twenty_who_refuse_the_same_token_at_once_cost_one_exchange_and_one_of_their_clients_six() {
    let (team, laptop) = a_team(at_once);
    let mut tag = team.fetch(&laptop.key).tag();
    for exchanges in 1..=6 {
        team.given_longer_tokens();
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..20).map(|_| scope.spawn(|| team.refuse(&laptop.key, &tag))).collect();
            for reply in asked {
                assert_eq!(reply.join().unwrap().json::<TokenAnswer>().generation, exchanges + 1);
            }
        });
        assert_eq!(team.provider.refresh_count(), usize::try_from(exchanges).unwrap());
        tag = TokenTag { generation: exchanges + 1, ..tag };
    }
    assert_eq!(team.refuse(&laptop.key, &tag).problem().code, Code::TooSoon, "the seventh of this day");
    assert_eq!(team.provider.violations().len(), 0);
}

#[test]
fn a_token_that_is_too_young_is_not_renewed_and_the_refusal_is_written_down() {
    let (team, laptop) = a_team(|plan| plan);
    let token = team.fetch(&laptop.key);
    let reply = team.refuse(&laptop.key, &token.tag());
    assert_eq!(reply.problem().code, Code::TooSoon);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(team.admin().audit_of("token.refused").len(), 1);
    assert_eq!(team.fetch(&laptop.key).generation, 1, "whoever has no complaint is served");
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn each_rotation_that_a_refusal_caused_doubles_the_age() {
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "2s"));
    let token = team.fetch(&laptop.key);
    std::thread::sleep(Duration::from_secs(3));
    let next: TokenAnswer = team.refuse(&laptop.key, &token.tag()).json();
    let reply = team.refuse(&laptop.key, &next.tag());
    assert_eq!(reply.problem().code, Code::TooSoon);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((3..=4).contains(&seconds), "{seconds}");
    assert_eq!(team.provider.refresh_count(), 1);
}

#[test]
fn a_tag_of_another_login_gets_the_current_token() {
    let (team, laptop) = a_team(at_once);
    let other = TokenTag { credential: "0000".into(), generation: 9 };
    assert_eq!(team.refuse(&laptop.key, &other).json::<TokenAnswer>().generation, 1);
    assert_eq!(team.provider.refresh_count(), 0);
    for target in ["/codex?refused=", "/codex?refused=x", "/codex?refused=a.1&refused=a.2", "/codex?other=1"] {
        assert_eq!(team.ask_with(&laptop.key, target, &[]).problem().code, Code::BadRequest, "{target}");
    }
}

#[test]
fn a_client_that_knows_a_newer_token_is_a_witness_that_the_database_went_back() {
    for by_etag in [true, false] {
        let (mut team, laptop) = a_team(at_once);
        let token = team.fetch(&laptop.key);
        let future = TokenTag { generation: 9, ..token.tag() };
        let reply = match by_etag {
            true => team.ask_with(&laptop.key, "/codex", &[("if-none-match", &future.to_etag())]),
            false => team.refuse(&laptop.key, &future),
        };
        let served: TokenAnswer = reply.json();
        assert_eq!((served.generation, served.renewable), (1, false), "a token that lasts is served");
        assert_eq!(team.admin().credential("main").health, Health::Quarantine);
        assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::Quarantined);
        team.broker().wait_for_log("QUARANTINE");
        let _ = team.ask_with(&laptop.key, "/codex", &[("if-none-match", &future.to_etag())]);
        let _ = team.refuse(&laptop.key, &future);
        assert_eq!(team.broker().log().matches("QUARANTINE").count(), 1, "a login is set aside once");
        let lines = team.admin().audit_of("credential.quarantine");
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((line.actor.as_str(), line.object.as_str()), ("broker", "credential:main"));
        assert_eq!((line.outcome.as_str(), line.address.as_str()), ("ok", "127.0.0.1"));
        assert!(line.detail.starts_with("generation 1; a client has a newer token"), "{}", line.detail);
        assert!(line.detail.ends_with("; client:laptop said so"), "{}", line.detail);
        team.restart();
        assert_eq!(team.admin().credential("main").health, Health::Quarantine, "also after a restart");
        assert_eq!(team.admin().audit_of("credential.quarantine").len(), 1, "which is no news");
        assert_eq!(team.provider.refresh_count(), 0);
    }
}

#[test]
fn a_token_is_never_renewed_before_its_time_not_even_when_it_is_refused() {
    let (team, laptop) = a_team(at_once);
    team.provider.fault(Fault::refresh_twist(Twist::EarliestRefreshAfter(3600)));
    team.admin().refresh("main").unwrap();
    let token = team.fetch(&laptop.key);
    let reply = team.refuse(&laptop.key, &token.tag());
    assert_eq!(reply.problem().code, Code::BackingOff);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    assert_eq!(team.admin().refresh("main").unwrap_err().code, Code::BackingOff);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

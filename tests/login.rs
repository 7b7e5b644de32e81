//! A login comes in: by device code, through a browser, out of a file; for the first time or once more.

use fake_provider::{Account, Approval, Endpoint, Fault, How, Settings};
use scorpiox_tests::process::team::import_of;
use scorpiox_tests::process::{Client, Team, patience};
use scorpiox_wire::admin::{Health, ImportRequest, LoginFlow, LoginState};
use scorpiox_wire::{Code, Problem, Secret};

const REDIRECT: &str = "http://localhost:1455/auth/callback";

fn failure(state: LoginState) -> Problem {
    match state {
        LoginState::Failed { problem } => problem,
        other => panic!("{other:?}"),
    }
}

/// How many requests of each kind the provider got.
fn asked(team: &Team, endpoint: Endpoint) -> usize {
    team.provider.log().iter().filter(|entry| entry.endpoint == endpoint).count()
}

#[test]
fn a_person_types_the_code_and_the_login_is_there() {
    let team = Team::with(Settings { approval: Approval::ByHand, ..Settings::default() }, |plan| plan);
    let login = team.admin().begin_login("main", LoginFlow::Device, false).unwrap();
    assert_eq!(login.url, format!("{}/codex/device", team.provider.url()));
    let code = login.user_code.unwrap();
    team.provider.wait_until(|oracle| oracle.log().iter().filter(|e| e.endpoint == Endpoint::DevicePoll).count() >= 2);
    assert!(matches!(team.admin().login(&login.id).state, LoginState::Pending));
    assert!(team.admin().credentials().is_empty());
    assert_eq!(team.provider.oracle().approve_devices(Some(&code)), 1);
    let LoginState::Done { credential } = team.admin().await_login(&login.id) else { panic!("not done") };
    assert_eq!((credential.name.as_str(), credential.generation, credential.health), ("main", 1, Health::Good));
    assert_eq!(credential.email.as_deref(), Some("person1@example.com"));
    let laptop = team.given_a_client("laptop");
    assert_eq!(team.fetch(&laptop.key).access_token.expose(), team.issued().access_token);
    assert!(team.admin().refresh("main").unwrap().renewed);
    assert_eq!((asked(&team, Endpoint::CodeExchange), team.provider.violations().len()), (1, 0));
}

#[test]
fn a_device_login_outlives_an_outage_and_ends_with_a_refusal() {
    let team = Team::new();
    team.provider.fault(Fault::on(Endpoint::DevicePoll, How::CutBefore { reset: true }));
    assert_eq!(team.given_a_device_login("main").generation, 1);
    // What the provider says at each step decides, and nothing is left behind.
    let bad =
        How::Status { status: 400, body: serde_json::json!({"error": {"code": "invalid_grant", "message": "m"}}) };
    for endpoint in [Endpoint::DevicePoll, Endpoint::CodeExchange] {
        team.provider.fault(Fault::on(endpoint, bad.clone()));
        let login = team.admin().begin_login("other", LoginFlow::Device, false).unwrap();
        let problem = failure(team.admin().await_login(&login.id));
        assert!(!problem.message.is_empty(), "{endpoint:?}: {problem:?}");
    }
    team.provider.fault(Fault::on(Endpoint::DeviceCode, How::Status { status: 503, body: serde_json::Value::Null }));
    let problem = team.admin().begin_login("other", LoginFlow::Device, false).unwrap_err();
    assert!(matches!(problem.code, Code::Unavailable | Code::BadRequest), "{problem:?}");
    team.provider.oracle().settings_mut().device_login = false;
    let problem = team.admin().begin_login("other", LoginFlow::Device, false).unwrap_err();
    assert_eq!(problem.code, Code::BadRequest, "{problem:?}");
    assert_eq!(team.admin().credentials().len(), 1);
    assert_eq!(team.provider.refresh_count(), 0);
}

/// Opens the page as a browser would, and returns the code and state that it is sent back with.
fn browse(url: &str) -> (String, String) {
    let agent = ureq::Agent::config_builder().max_redirects(0).build().new_agent();
    let answer = agent.get(url).call().unwrap();
    let location = answer.headers().get("location").unwrap().to_str().unwrap().to_owned();
    let member = |name: &str| {
        let (_, query) = location.split_once('?').unwrap();
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap();
        pair.to_owned()
    };
    assert!(location.starts_with(REDIRECT), "{location}");
    (member("code"), member("state"))
}

#[test]
fn a_browser_comes_back_with_the_state_it_was_sent_with_or_not_at_all() {
    let team = Team::new();
    let admin = team.admin();
    let flow = || LoginFlow::Browser { redirect_uri: REDIRECT.to_owned() };
    let login = admin.begin_login("main", flow(), false).unwrap();
    let (code, state) = browse(&login.url);
    let wrong = admin.login_callback(&login.id, &code, "another-state").unwrap();
    assert!(failure(wrong.state).message.contains("another login attempt"));
    // One try: what was tried with a wrong state cannot be tried again.
    assert_eq!(admin.login_callback(&login.id, &code, &state).unwrap_err().code, Code::Conflict);
    assert_eq!(asked(&team, Endpoint::CodeExchange), 0);
    assert!(admin.credentials().is_empty());

    let login = admin.begin_login("main", flow(), false).unwrap();
    let (code, state) = browse(&login.url);
    let done = admin.login_callback(&login.id, &code, &state).unwrap();
    assert!(matches!(done.state, LoginState::Done { .. }), "{done:?}");
    assert_eq!(admin.credential("main").generation, 1);
    for redirect_uri in ["https://evil.example/cb", "http://10.0.0.1:1455/auth/callback"] {
        let flow = LoginFlow::Browser { redirect_uri: redirect_uri.to_owned() };
        assert_eq!(admin.begin_login("x", flow, false).unwrap_err().code, Code::BadRequest, "{redirect_uri}");
    }
}

#[test]
fn a_file_that_is_no_whole_login_of_its_own_is_refused() {
    let team = Team::new();
    let admin = team.admin();
    let good = import_of("main", &team.provider.login_file(&Account::default()));
    let refused = |change: &dyn Fn(&mut ImportRequest)| {
        let mut request = good.clone();
        change(&mut request);
        admin.import(&request).unwrap_err()
    };
    let none = || Secret::new("");
    type Change<'a> = dyn Fn(&mut ImportRequest) + 'a;
    let changes: [(&str, &Change); 6] = [
        ("no refresh token", &|request| request.refresh_token = none()),
        ("no access token", &|request| request.access_token = none()),
        ("no account id", &|request| request.account_id.clear()),
        ("another account than its tokens", &|request| request.account_id = Account::numbered(9).account_id),
        ("no name", &|request| request.name.clear()),
        ("a path for a name", &|request| request.name = "../x".to_owned()),
    ];
    for (what, change) in changes {
        let problem = refused(change);
        assert_eq!(problem.code, Code::BadRequest, "{what}: {problem:?}");
        assert!(!format!("{problem:?}").contains("rt_"), "{what}: {problem:?}");
    }
    assert!(admin.credentials().is_empty());
    admin.import(&good).unwrap();
    // The same login once more, under any name; and from before it was renewed here.
    for name in ["main", "copy"] {
        let problem = refused(&|request| request.name = name.to_owned());
        assert_eq!(problem.code, Code::Conflict, "{problem:?}");
        assert!(problem.message.contains("main"), "{problem:?}");
    }
    admin.refresh("main").unwrap();
    assert_eq!(refused(&|_| {}).code, Code::Conflict, "an old copy");
    admin.remove("main").unwrap();
    assert_eq!(refused(&|_| {}).code, Code::Conflict, "an old copy of what was removed");
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn one_account_has_one_name_and_one_name_has_one_account() {
    let team = Team::new();
    let admin = team.admin();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let file_of = |account: u32| team.provider.login_file(&Account::numbered(account));
    let second_name = admin.import(&import_of("second", &file_of(1))).unwrap_err();
    assert_eq!(second_name.code, Code::Conflict, "{second_name:?}");
    let mut other = import_of("main", &file_of(2));
    let problem = admin.import(&other).unwrap_err();
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.hint.unwrap().contains("--replace-account"));
    assert_eq!(team.fetch(&laptop.key).account_id, Account::numbered(1).account_id);
    team.provider.oracle().settings_mut().account = Account::numbered(3);
    let login = admin.begin_login("main", LoginFlow::Device, false).unwrap();
    assert_eq!(failure(admin.await_login(&login.id)).code, Code::Conflict);
    other.replace_account = true;
    assert_eq!(admin.import(&other).unwrap().generation, 2);
    let token = team.fetch(&laptop.key);
    assert_eq!((token.generation, token.account_id), (2, Account::numbered(2).account_id));
}

fn in_reauth(team: &mut Team) {
    team.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    team.admin().refresh("main").unwrap_err();
}

fn in_doubt(team: &mut Team) {
    team.provider.fault(Fault::refresh(How::CutAfter { reset: false, body_bytes: None }));
    team.admin().refresh("main").unwrap_err();
}

fn in_quarantine(team: &mut Team) {
    team.provider.fault(Fault::refresh_twist(fake_provider::Twist::AnotherAccount(Account::numbered(7))));
    team.admin().refresh("main").unwrap_err();
}

fn in_doubt_and_killed(team: &mut Team) {
    team.stop();
    team.change(|plan| plan.with("SCORPIOX_FAILPOINTS", "before_send=kill"));
    team.start();
    let admin = team.admin();
    // The request dies with the broker.
    assert!(admin.try_ask("POST", "/credentials/main/refresh", Some(serde_json::json!({}))).is_err());
    team.await_end();
    team.change(|plan| plan.without("SCORPIOX_FAILPOINTS"));
    team.start();
}

#[test]
fn a_login_takes_the_place_of_one_in_any_state_and_its_clients_stay() {
    type Reach = fn(&mut Team);
    let states: [(&str, Health, Reach); 5] = [
        ("good", Health::Good, |_| {}),
        ("ended", Health::Reauth, in_reauth),
        ("in doubt", Health::InDoubt, in_doubt),
        ("in doubt after a kill", Health::InDoubt, in_doubt_and_killed),
        ("set aside", Health::Quarantine, in_quarantine),
    ];
    for (index, (what, health, reach)) in states.into_iter().enumerate() {
        let mut team = Team::new();
        team.given_a_login("main");
        let laptop: Client = team.given_a_client("laptop");
        reach(&mut team);
        let before = team.admin().credential("main");
        assert_eq!(before.health, health, "{what}");
        let posts = team.provider.refresh_count();
        let after = match index % 2 {
            0 => team.given_a_login("main"),
            _ => team.given_a_device_login("main"),
        };
        assert_eq!((after.health, after.generation), (Health::Good, before.generation + 1), "{what}");
        assert_eq!((after.id, after.clients), (before.id, 1), "{what}");
        assert!(after.epoch >= before.epoch, "{what}");
        let token = team.fetch(&laptop.key);
        assert_eq!(
            (token.access_token.expose(), token.renewable),
            (team.issued().access_token.as_str(), true),
            "{what}"
        );
        assert_eq!(team.provider.refresh_count(), posts, "{what}");
        team.given_longer_tokens();
        let renewed = patience::until("a renewal", || team.admin().refresh("main").ok());
        assert_eq!(renewed.credential.generation, after.generation + 1, "{what}");
        team.restart();
        assert_eq!(team.admin().credential("main").health, Health::Good, "{what}");
        assert_eq!(team.provider.violations(), [""; 0], "{what}");
    }
}

#[test]
fn one_login_that_is_taken_over_by_many_at_once_is_taken_over_once() {
    let team = Team::new();
    let file = team.login_that_lasts(-10, &Account::default());
    let request = import_of("main", &file);
    let admin = team.admin();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let importing: Vec<_> = (0..8).map(|_| scope.spawn(|| admin.import(&request).map_err(|p| p.code))).collect();
        importing.into_iter().map(|import| import.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| !matches!(outcome, Err(code) if *code != Code::Conflict)), "{outcomes:?}");
    let laptop = team.given_a_client("laptop");
    assert_eq!(team.fetch(&laptop.key).generation, 2);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn logins_that_have_ended_keep_nobody_from_another_and_too_many_open_ones_say_when_to_come_again() {
    let team = Team::new();
    let admin = team.admin();
    let flow = LoginFlow::Browser { redirect_uri: "http://localhost:1455/auth/callback".to_owned() };
    for _ in 0..33 {
        let login = admin.begin_login("main", flow.clone(), false).unwrap();
        admin.login_callback(&login.id, "code", "wrong").unwrap();
    }
    for _ in 0..32 {
        admin.begin_login("main", flow.clone(), false).unwrap();
    }
    let body = scorpiox_wire::admin::LoginRequest { name: "main".to_owned(), flow, replace_account: false };
    let refused = admin.ask("POST", "/logins", Some(serde_json::json!(body)));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(refused.problem().code, Code::TooMany);
}

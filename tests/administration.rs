//! What an administrator does, as far as the provider and the clients can tell.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fake_provider::{Fault, Hold, How, Settings};
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::{Client, Crowd, Database, Team, patience};
use scorpiox_wire::admin::LoginState;
use scorpiox_wire::{Code, TokenAnswer};

fn a_team_with_a_login() -> (Team, Client) {
    let team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_key_revoked_under_load_brings_not_one_token_more() {
    let (team, laptop) = a_team_with_a_login();
    let bystander = team.given_a_client("bystander");
    let (revoked, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let (before, after, refused) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let bearer = laptop.key.bearer();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut connection = team.broker().connect().unwrap();
                let headers = [("authorization", bearer.as_str())];
                while !stop.load(Ordering::SeqCst) {
                    // Read before the request begins: what began afterwards has no excuse.
                    let late = revoked.load(Ordering::SeqCst);
                    let reply = connection.ask(&Request { target: "/codex", headers: &headers, ..Request::default() });
                    let counter = match (reply.unwrap().status, late) {
                        (200, false) => &before,
                        (200, true) => &after,
                        (_, _) => &refused,
                    };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Also when something below panics: the threads must end, or the test never does.
        let _stop = SetWhenDropped(&stop);
        let loaded =
            |counter: &AtomicU64| patience::until("load", || (counter.load(Ordering::SeqCst) > 300).then_some(()));
        loaded(&before);
        team.admin().revoke("laptop").unwrap();
        revoked.store(true, Ordering::SeqCst);
        loaded(&refused);
    });
    assert_eq!(after.load(Ordering::SeqCst), 0);
    assert_eq!(team.fetch(&bystander.key).generation, 1);
}

#[test]
fn a_key_revoked_while_its_request_waits_for_a_renewal_brings_nothing() {
    let team = Team::new();
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    team.given_an_expired_login("main");
    let (laptop, bystander) = (team.given_a_client("laptop"), team.given_a_client("bystander"));
    let crowd = Crowd::asking(team.broker(), &[&laptop.key], 20);
    let others = Crowd::asking(team.broker(), &[&bystander.key], 2);
    team.provider.wait_for_held(1);
    assert_eq!(team.broker().get("/healthz").status, 200);
    team.admin().revoke("laptop").unwrap();
    team.provider.release();
    for reply in crowd.answers() {
        assert_eq!(reply.problem().code, Code::Unauthorized);
    }
    assert!(others.answers().iter().all(|reply| reply.status == 200));
    assert!(team.admin().audit_of("token.first").iter().all(|entry| entry.actor == "client:bystander"));
}

#[test]
fn a_client_that_gets_another_credential_while_it_waits_is_told_to_come_again() {
    let team = Team::new();
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    team.given_an_expired_login("main");
    let other = fake_provider::Account { account_id: "other".into(), ..Default::default() };
    let other = team.given_a_login_of("other", &other);
    let (moved, bereft) = (team.given_a_client("moved"), team.given_a_client("bereft"));
    let crowd = Crowd::asking(team.broker(), &[&moved.key, &bereft.key], 4);
    team.provider.wait_for_held(1);
    patience::until("all wait", || {
        team.admin().metrics().contains("\nscorpiox_broker_token_waiters 4\n").then_some(())
    });
    assert_eq!(team.admin().ask("PUT", "/clients/moved/grants/other", None).status, 200);
    assert_eq!(team.admin().ask("DELETE", "/clients/bereft/grants/main", None).status, 200);
    team.provider.release();
    for reply in crowd.answers() {
        assert!(reply.header("retry-after").is_some());
        assert_eq!(reply.problem().code, Code::Busy);
    }
    assert_eq!(team.fetch(&moved.key).credential, other.id);
    assert_eq!(team.ask(&bereft.key).problem().code, Code::Forbidden);
}

#[test]
fn a_revocation_that_waits_for_the_provider_holds_no_other_change_up() {
    let (team, _) = a_team_with_a_login();
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    std::thread::scope(|scope| {
        let revoking = scope.spawn(|| team.admin().revoke_and_rotate("laptop").unwrap());
        team.provider.wait_for_held(1);
        let desktop = team.given_a_client("desktop");
        team.admin().revoke("desktop").unwrap();
        assert_eq!(team.ask(&desktop.key).problem().code, Code::Unauthorized);
        team.provider.release();
        assert!(revoking.join().unwrap().rotated);
    });
}

#[test]
fn a_key_is_told_though_what_its_client_was_last_given_cannot_be_read() {
    let (team, laptop) = a_team_with_a_login();
    let told = team.fetch(&laptop.key).expires_at;
    let mut database = Database::of(team.data());
    database.execute("ALTER TABLE handouts RENAME TO handouts_elsewhere");
    let admin = team.admin();
    admin.create_client("desktop", "main").unwrap();
    let new: Client = admin.rotate_key("laptop").unwrap().into();
    for (method, target, body) in [
        ("PUT", "/clients/desktop/limits", Some(serde_json::json!({}))),
        ("POST", "/clients/desktop/pause", None),
        ("DELETE", "/clients/desktop/grants/main", None),
        ("PUT", "/clients/desktop/grants/main", None),
    ] {
        assert_eq!(admin.ask(method, target, body).status, 200, "{method} {target}");
    }
    // What a revocation says must be true: one that cannot tell what is held is refused, and changes nothing.
    assert_eq!(admin.revoke("laptop").unwrap_err().code, Code::Unavailable);
    database.execute("ALTER TABLE handouts_elsewhere RENAME TO handouts");
    assert_eq!(team.fetch(&new.key).generation, 1);
    assert_eq!(admin.revoke("laptop").unwrap().client.holds_until, Some(told));
}

#[test]
fn a_revocation_and_a_new_key_outlive_a_kill() {
    let (mut team, laptop) = a_team_with_a_login();
    let old = team.given_a_client("desktop");
    team.admin().revoke("laptop").unwrap();
    let new: Client = team.admin().rotate_key("desktop").unwrap().into();
    team.kill_9();
    team.start();
    for key in [&laptop.key, &old.key] {
        assert_eq!(team.ask(key).problem().code, Code::Unauthorized);
    }
    assert_eq!(team.fetch(&new.key).generation, 1);
    assert_eq!(team.admin().revoke("laptop").unwrap_err().code, Code::Conflict);
}

#[test]
fn revoking_says_until_when_the_token_works_and_rotating_ends_it_at_once() {
    let team = Team::with(Settings { previous_access_token_grace_s: Some(0), ..Settings::default() }, |plan| plan);
    team.given_a_login("main");
    let (laptop, desktop) = (team.given_a_client("laptop"), team.given_a_client("desktop"));
    let token = team.fetch(&laptop.key);
    team.fetch(&desktop.key);
    let good =
        |token: &TokenAnswer| team.provider.oracle().check_access(token.access_token.expose(), team.provider.now());
    let revoked = team.admin().revoke("laptop").unwrap();
    assert_eq!((revoked.client.holds_until, revoked.rotated), (Some(token.expires_at), false));
    assert!(good(&token).is_ok());
    assert!(team.admin().revoke_and_rotate("desktop").unwrap().rotated);
    assert!(good(&token).is_err());
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn a_refresh_on_demand_reports_what_the_provider_said() {
    let (team, _) = a_team_with_a_login();
    let renewed = team.admin().refresh("main").unwrap();
    assert_eq!((renewed.renewed, renewed.credential.generation), (true, 2));
    team.provider.fault(Fault::refresh_status(429, serde_json::json!({})).header("retry-after", "120"));
    // One that comes while the last rotation tidies up is told its outcome.
    let problem = patience::until("a rotation of its own", || team.admin().refresh("main").err());
    assert_eq!(problem.code, Code::Unavailable, "{problem:?}");
    let problem = team.admin().refresh("main").unwrap_err();
    assert_eq!(problem.code, Code::BackingOff, "{problem:?}");
    let credential = team.admin().credential("main");
    assert_eq!(credential.health, scorpiox_wire::admin::Health::BackingOff, "{credential:?}");
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (2, 0));
}

#[test]
fn names_are_taken_once_and_what_is_no_name_is_refused() {
    let (team, _) = a_team_with_a_login();
    let admin = team.admin();
    let refused = |name: &str| admin.create_client(name, "main").unwrap_err().code;
    assert_eq!(refused("laptop"), Code::Conflict);
    for name in ["", " ", "a b", "a/b", "../a", "a'; DROP TABLE clients; --", "a\0", "a\r\nb", "é", &"x".repeat(65)] {
        assert_eq!(refused(name), Code::BadRequest, "{name:?}");
    }
    assert_eq!(admin.create_client("other", "nobody").unwrap_err().code, Code::NotFound);
    assert_eq!(admin.clients().len(), 1);
}

#[test]
fn a_client_is_moved_to_another_login_and_can_be_left_without_one() {
    let (team, laptop) = a_team_with_a_login();
    let admin = team.admin();
    let other = fake_provider::Account { account_id: "acc-2".into(), user_id: "user-2".into(), ..Default::default() };
    team.given_a_login_of("team", &other);
    let id = |name: &str| admin.credential(name).id;
    assert_eq!(team.fetch(&laptop.key).credential, id("main"));
    let view = |reply: scorpiox_tests::process::Reply| reply.result::<scorpiox_wire::admin::ClientView>().unwrap();
    assert_eq!(view(admin.ask("PUT", "/clients/laptop/grants/team", None)).credential, "team");
    assert_eq!(team.fetch(&laptop.key).credential, id("team"));
    // Once more changes nothing; what is not there is named.
    assert_eq!(view(admin.ask("PUT", "/clients/laptop/grants/team", None)).credential, "team");
    for (method, target) in [
        ("PUT", "/clients/laptop/grants/nothing"),
        ("PUT", "/clients/nobody/grants/main"),
        ("DELETE", "/clients/laptop/grants/main"),
    ] {
        assert_eq!(admin.ask(method, target, None).problem().code, Code::NotFound, "{method} {target}");
    }
    assert_eq!(admin.ask("DELETE", "/clients/laptop/grants/team", None).status, 200);
    assert_ne!(team.ask(&laptop.key).status, 200);
    let done = |action: &str| admin.audit_of(action).iter().filter(|entry| entry.outcome == "ok").count();
    assert_eq!((done("client.grant"), done("client.ungrant")), (1, 1));
}

#[test]
fn a_removed_login_ends_at_the_provider_only_when_that_is_asked_for_and_stays_removed_when_that_fails() {
    use fake_provider::Endpoint;
    let revocations =
        |team: &Team| team.provider.log().iter().filter(|entry| entry.endpoint == Endpoint::Revoke).count();
    for (query, fails, upstream, asked) in [
        ("", false, "left", 0),
        ("?revoke_upstream=true", false, "revoked", 1),
        ("?revoke_upstream=true", true, "failed", 1),
    ] {
        let (team, _) = a_team_with_a_login();
        if fails {
            let down = How::Status { status: 503, body: serde_json::Value::Null };
            team.provider.fault(Fault::on(Endpoint::Revoke, down));
        }
        let reply = team.admin().ask("DELETE", &format!("/credentials/main{query}"), None);
        let removed: serde_json::Value = reply.result().unwrap();
        assert_eq!((removed["name"].as_str(), removed["upstream"].as_str()), (Some("main"), Some(upstream)));
        assert_eq!(removed["upstream_problem"].is_object(), fails, "{removed}");
        assert_eq!((team.admin().credentials().len(), revocations(&team)), (0, asked));
    }
}

#[test]
fn a_cancelled_login_stays_cancelled() {
    use fake_provider::Approval;
    let team = Team::with(Settings { approval: Approval::ByHand, ..Settings::default() }, |plan| plan);
    let login = team.admin().begin_login("main", scorpiox_wire::admin::LoginFlow::Device, false).unwrap();
    let cancel = || team.admin().ask("DELETE", &format!("/logins/{}", login.id), None);
    assert_eq!(cancel().status, 200);
    assert_eq!(cancel().problem().code, Code::NotFound);
    assert_eq!(team.admin().ask("GET", &format!("/logins/{}", login.id), None).problem().code, Code::NotFound);
    team.provider.oracle().approve_devices(login.user_code.as_deref());
    // Whoever polls for it finds out by itself and ends; a code that was not redeemed is no login.
    let end = "an attempt that ended by itself";
    patience::until(end, || team.admin().audit_of("login.end").pop());
    assert!(team.admin().credentials().is_empty());
}

#[test]
fn a_login_whose_person_is_done_is_kept_and_cancelling_it_says_so() {
    use fake_provider::Endpoint;
    let team = Team::new();
    team.provider.fault(Fault::on(Endpoint::CodeExchange, How::Plain).hold(Hold::BeforeAnswering));
    let login = team.admin().begin_login("main", scorpiox_wire::admin::LoginFlow::Device, false).unwrap();
    team.provider.wait_for_held(1);
    let problem = team.admin().ask("DELETE", &format!("/logins/{}", login.id), None).problem();
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.message.contains("being saved"), "{problem:?}");
    team.provider.release();
    let LoginState::Done { credential } = team.admin().await_login(&login.id) else { panic!("not saved") };
    assert_eq!((credential.name.as_str(), team.admin().credentials().len()), ("main", 1));
    assert_eq!(team.admin().ask("DELETE", &format!("/logins/{}", login.id), None).status, 200);
}

#[test]
fn what_is_not_understood_is_named_in_one_shape() {
    let (team, _) = a_team_with_a_login();
    let admin = team.admin();
    for (method, target, body, code, named) in [
        ("GET", "/nothing", None, Code::NotFound, ""),
        ("PATCH", "/clients", None, Code::MethodNotAllowed, ""),
        ("GET", "/clients?limit=0", None, Code::BadRequest, "not 0"),
        ("GET", "/clients?page=2", None, Code::BadRequest, "`page`"),
        ("GET", "/audit?after=9223372036854775808", None, Code::BadRequest, "'after'"),
        ("POST", "/credentials/main/pause", Some(serde_json::json!({"force": true})), Code::BadRequest, "`force`"),
        ("POST", "/credentials/main/pause", Some(serde_json::json!([true])), Code::BadRequest, "a list"),
        ("DELETE", "/credentials/main?revoke=1", None, Code::BadRequest, "`revoke`"),
    ] {
        let reply = admin.ask(method, target, body);
        let problem = reply.problem();
        assert_eq!(problem.code, code, "{method} {target}");
        assert!(problem.message.contains(named), "{method} {target}: {problem:?}");
        assert_eq!(reply.header("allow").is_some(), code == Code::MethodNotAllowed, "{method} {target}");
    }
}

#[test]
fn a_person_reads_moments_in_the_zone_of_this_machine_and_a_program_as_before() {
    let (team, _) = a_team_with_a_login();
    let said = |arguments: &[&str]| {
        let output = team.plan().command(arguments).env("TZ", "EET-2").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    for arguments in [&["status"] as &[&str], &["client", "show", "laptop"], &["audit"]] {
        let text = said(arguments);
        assert!(text.contains(" EET") && !text.contains("UTC"), "{arguments:?}: {text}");
    }
    let text = said(&["admin", "key", "add", "ci", "--scope", "read", "--expires", "90d"]);
    assert!(text.contains("ci may administer until 2") && text.contains(" EET: "), "{text}");
    let status: serde_json::Value = serde_json::from_str(&said(&["status", "--json"])).unwrap();
    assert!(status["started_at"].is_i64(), "{status}");
}

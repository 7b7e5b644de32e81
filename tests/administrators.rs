//! Administrators over the network: passwords, sessions, admin keys, scopes; a broker driven from elsewhere.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use fake_provider::{Account, Settings};
use rustix::process::Signal;
use scorpiox_tests::process::network::Network;
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::tls::given_a_certificate;
use scorpiox_tests::process::{Reply, Team, patience};
use scorpiox_wire::Code;
use scorpiox_wire::admin::{AdminKeyIssued, Scope, SessionAnswer};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// A team whose broker is administered over the network, and `anna`, who may do everything.
fn a_team_with_anna() -> (Team, Network) {
    let team = Team::with(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_ADMIN_LISTEN", "127.0.0.1:0"));
    given_an_administrator(&team, "anna", &["everything"]);
    let network = Network::of(team.broker());
    (team, network)
}

fn given_an_administrator(team: &Team, name: &str, scopes: &[&str]) {
    let body = json!({ "name": name, "scopes": scopes, "password": PASSWORD });
    let reply = team.admin().ask("POST", "/administrators", Some(body));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

fn given_an_admin_key(team: &Team, name: &str, scope: &str) -> AdminKeyIssued {
    team.admin().ask("POST", "/admin-keys", Some(json!({ "name": name, "scopes": [scope] }))).json()
}

/// A key with everything, in a file of its owner's own; and the pin of the broker.
fn a_key_file(team: &Team) -> (PathBuf, String) {
    let issued = given_an_admin_key(team, "elsewhere", "everything");
    let file = team.path("admin.key");
    std::fs::write(&file, issued.key.expose()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    (file, issued.pin.unwrap())
}

fn status_with(network: &Network, session: &SessionAnswer) -> u16 {
    network.ask("GET", "/status", Some(session.token.expose()), None).status
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn nothing_is_served_over_the_network_until_it_is_switched_on() {
    let team = Team::new();
    let issued = given_an_admin_key(&team, "early", "read");
    assert_eq!((issued.url, issued.pin), (None, None));
    assert!(!team.broker().log().contains("over the network"));
    // The client listener knows nothing of it, with any key.
    let bearer = format!("Bearer {}", issued.key.expose());
    for target in ["/admin/v1/status", "/admin/v1/session", "/openapi.json"] {
        let request = scorpiox_tests::process::http::Request {
            target,
            headers: &[("authorization", &bearer)],
            ..Default::default()
        };
        assert_eq!(team.broker().ask(&request).status, 404, "{target}");
    }
}

#[test]
fn over_plain_http_nothing_is_said_and_only_loopback_may_switch_encryption_off() {
    let (team, network) = a_team_with_anna();
    let mut bare = network.bare();
    bare.write_all(b"GET /admin/v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is a refusal too.
    let _ = bare.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"), "{answer:?}");
    let listening = |address: &str| {
        let plan = team.plan().clone().with("SCORPIOX_BROKER_DATA", team.path("other").to_str().unwrap());
        plan.with("SCORPIOX_BROKER_ADMIN_LISTEN", address).with("SCORPIOX_BROKER_ADMIN_PLAIN_HTTP", "true")
    };
    let ended = listening("0.0.0.0:0").run_to_end();
    assert_eq!(ended.status.code(), Some(78), "{}", ended.stderr);
    assert!(ended.stderr.contains("must not travel in the clear"), "{}", ended.stderr);
    let plain = listening("127.0.0.1:0").start();
    let network = Network::of(&plain);
    assert!(network.url.starts_with("http://"), "{}", network.url);
    assert_eq!(network.ask("GET", "/status", None, None).problem().code, Code::Unauthorized);
}

#[test]
fn a_session_is_renewed_ended_and_stays_ended_over_a_restart() {
    let (mut team, network) = a_team_with_anna();
    assert_eq!(network.ask("GET", "/status", None, None).problem().code, Code::Unauthorized);
    let (first, other) = (network.log_in("anna", PASSWORD).unwrap(), network.log_in("anna", PASSWORD).unwrap());
    assert_eq!((first.expires_in, first.scopes.as_slice()), (900, &[Scope::Everything][..]));
    let renewed = network.ask("POST", "/session/renew", Some(first.token.expose()), None);
    let renewed: SessionAnswer = renewed.json();
    assert_ne!(renewed.token, first.token);
    assert_eq!(renewed.renewable_until, first.renewable_until);
    assert_eq!(status_with(&network, &renewed), 200);
    assert_eq!(network.ask("DELETE", "/session", Some(renewed.token.expose()), None).status, 200);
    team.restart();
    let network = Network::of(team.broker());
    for (session, status) in [(&first, 401), (&renewed, 401), (&other, 200)] {
        assert_eq!(status_with(&network, session), status);
    }
    let problem = network.ask("POST", "/session/renew", Some(first.token.expose()), None).problem();
    assert_eq!(problem.code, Code::Unauthorized);
    let actions: Vec<_> = team.admin().audit().into_iter().filter(|entry| entry.actor == "admin:anna").collect();
    assert!(actions.iter().any(|entry| entry.action == "admin.logout" && entry.address == "127.0.0.1"), "{actions:?}");
}

#[test]
fn a_removed_administrator_loses_a_live_session_and_a_reduced_one_its_rights_at_once() {
    let (team, network) = a_team_with_anna();
    given_an_administrator(&team, "bert", &["everything"]);
    let (anna, bert) = (network.log_in("anna", PASSWORD).unwrap(), network.log_in("bert", PASSWORD).unwrap());
    let bearer = Some(bert.token.expose());
    assert_eq!(network.ask("GET", "/administrators", bearer, None).status, 200);
    let scopes = Some(json!({ "scopes": ["clients"] }));
    assert_eq!(network.ask("PUT", "/administrators/bert/scopes", Some(anna.token.expose()), scopes).status, 200);
    let problem = network.ask("GET", "/administrators", bearer, None).problem();
    assert_eq!(problem.code, Code::Forbidden);
    assert!(problem.message.contains("needs read"), "{problem:?}");
    assert_eq!(network.ask("DELETE", "/administrators/bert", Some(anna.token.expose()), None).status, 200);
    assert_eq!(network.ask("GET", "/status", bearer, None).problem().code, Code::Unauthorized);
    assert_eq!(network.log_in("bert", PASSWORD).unwrap_err().code, Code::Unauthorized);
}

#[test]
fn a_key_for_clients_revokes_and_renews_nothing_without_the_scope_for_that() {
    let (team, network) = a_team_with_anna();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let key = given_an_admin_key(&team, "ci", "clients");
    let both = json!({ "name": "both", "scopes": ["clients", "credentials"] });
    let both: AdminKeyIssued = team.admin().ask("POST", "/admin-keys", Some(both)).json();
    let revoke = |client: &str, key: &AdminKeyIssued, rotate: bool| {
        let target = format!("/clients/{client}/revoke");
        network.ask("POST", &target, Some(key.key.expose()), Some(json!({ "rotate": rotate })))
    };
    let problem = revoke("laptop", &key, true).problem();
    assert_eq!(problem.code, Code::Forbidden);
    assert!(problem.message.contains("needs credentials"), "{problem:?}");
    assert_eq!((team.fetch(&laptop.key).generation, team.provider.refresh_count()), (1, 0), "nothing was changed");
    assert_eq!(revoke("laptop", &key, false).status, 200);
    team.given_a_client("desktop");
    assert_eq!(revoke("desktop", &both, true).json::<Value>()["rotated"], true);
    let line = team.admin().audit_of("credential.refresh").remove(0);
    assert_eq!((line.actor.as_str(), line.object.as_str()), ("admin-key:both", "credential:main"));
    assert_eq!(
        (line.outcome.as_str(), line.detail.as_str()),
        ("ok", "generation 2; because client:desktop was revoked")
    );
}

#[test]
fn every_operation_is_refused_to_a_key_without_its_scope() {
    let (team, network) = a_team_with_anna();
    for scope in [Scope::Read, Scope::Clients, Scope::Credentials] {
        let key = given_an_admin_key(&team, scope.as_str(), scope.as_str());
        for operation in scorpiox_broker::http::admin::operations() {
            let Some(needed) = operation.scope else { continue };
            let target = operation.path.replace("{name}", "nobody").replace("{id}", "nothing");
            let (method, key) = (operation.method.as_str(), Some(key.key.expose()));
            if needed != scope {
                let problem = network.ask(method, &target, key, None).problem();
                assert_eq!(problem.code, Code::Forbidden, "{scope}: {method} {target}");
                assert!(problem.message.contains(&format!("needs {needed}")), "{problem:?}");
            } else if method == "GET" {
                let status = network.ask(method, &target, key, None).status;
                assert!(matches!(status, 200 | 404), "{scope}: {method} {target}: {status}");
            }
        }
    }
    let key = given_an_admin_key(&team, "late", "everything");
    assert_eq!(network.ask("GET", "/status", Some(key.key.expose()), None).status, 200);
    assert_eq!(team.admin().ask("DELETE", "/admin-keys/late", None).status, 200);
    assert_eq!(network.ask("GET", "/status", Some(key.key.expose()), None).problem().code, Code::Unauthorized);
}

#[test]
fn wrong_passwords_are_told_apart_by_nobody_and_slowed_down() {
    let (team, network) = a_team_with_anna();
    let told = |reply: &Reply| (reply.status, reply.text());
    let (known, unknown) = (network.try_password("anna", "wrong"), network.try_password("nobody", "wrong"));
    assert_eq!(told(&known), told(&unknown));
    assert_eq!(known.problem().code, Code::Unauthorized);
    // The address has failed twice; however slow this machine is, one of the next attempts comes too soon.
    let slowed = (0..30).map(|_| network.try_password("anna", "wrong")).find(|reply| reply.status == 429);
    let slowed = slowed.expect("failures are slowed down");
    assert!(slowed.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(slowed.problem().code, Code::TooMany);
    let logins = patience::until("the line of a refusal, which nobody waited for", || {
        let logins = team.admin().audit_of("admin.login");
        let is_told = logins.iter().any(|entry| entry.actor == "admin:anna" && entry.outcome == "unauthorized");
        is_told.then_some(logins)
    });
    assert!(logins.iter().all(|entry| !entry.actor.contains("nobody")), "what was typed may be a password: {logins:?}");
    // The socket asks for no password.
    assert_eq!(team.admin().ask("GET", "/administrators", None).status, 200);
}

#[test]
fn a_short_password_is_refused_and_changes_nothing() {
    let (team, network) = a_team_with_anna();
    let short = json!({ "name": "bert", "scopes": ["read"], "password": "elevenchars" });
    let problem = team.admin().ask("POST", "/administrators", Some(short)).problem();
    assert_eq!(problem.code, Code::BadRequest);
    assert!(problem.message.contains("at least 12 characters"), "{problem:?}");
    let body = Some(json!({ "password": "elevenchars" }));
    assert_eq!(team.admin().ask("POST", "/administrators/anna/password", body).problem().code, Code::BadRequest);
    assert!(network.log_in("anna", PASSWORD).is_ok());
    let file = team.path("password");
    std::fs::write(&file, "elevenchars\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let output = team.plan().command(&["admin", "add", "bert", "--password-file", file.to_str().unwrap()]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("at least 12 characters") && !said(&output).contains("elevenchars"));
    let listed: Value = team.admin().ask("GET", "/administrators", None).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    std::fs::write(&file, "twelve or more\n").unwrap();
    let output = team.plan().command(&["admin", "add", "bert", "--password-file", file.to_str().unwrap()]).output();
    let told = said(&output.unwrap());
    let way_in = format!("--broker {} --admin bert --pin sha256:", network.url);
    assert!(told.contains(&way_in), "{told}");
}

#[test]
fn a_broker_is_driven_from_another_machine_with_the_same_commands() {
    let (team, network) = a_team_with_anna();
    let (key, pin) = a_key_file(&team);
    let login = team.path("auth.json");
    std::fs::write(&login, team.login_that_lasts(86_400, &Account::default()).to_string()).unwrap();
    let login = login.to_str().unwrap();
    team.given_longer_tokens();
    let who = ["--admin-key-file", key.to_str().unwrap(), "--pin", &pin];
    let client_key = team.path("laptop.key");
    let commands: [&[&str]; 18] = [
        &["status"],
        &["import", login, "--keep"],
        &["credential", "list"],
        &["credential", "show", "main"],
        &["credential", "refresh", "main"],
        &["credential", "pause", "main"],
        &["credential", "resume", "main"],
        &["client", "add", "laptop", "--credential", "main", "--key-file", client_key.to_str().unwrap()],
        &["client", "list"],
        &["client", "rotate-key", "laptop"],
        &["client", "revoke", "laptop"],
        &["admin", "list"],
        &["admin", "scope", "anna", "read,clients"],
        &["admin", "revoke-sessions", "anna"],
        &["admin", "key", "list"],
        &["admin", "remove", "anna"],
        &["audit"],
        &["credential", "remove", "main", "--yes"],
    ];
    for (number, command) in commands.into_iter().enumerate() {
        // Before the command and behind it mean the same.
        let arguments = if number % 2 == 0 { [&who[..], command].concat() } else { [command, &who[..]].concat() };
        let output = network.run(&arguments);
        assert!(output.status.success(), "{command:?}: {}", said(&output));
    }
    let output = network.run(&[&who[..], &["login", "--name", "second", "--json"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(team.admin().credential("second").generation, 1);
    let imported = team.admin().audit_of("credential.import");
    assert!(imported.iter().all(|entry| entry.actor == "admin-key:elsewhere" && entry.address == "127.0.0.1"));
    assert_eq!(team.provider.violations().len(), 0);
}

#[test]
fn a_key_that_others_may_read_a_wrong_pin_and_nobody_at_all_are_refused_before_anything_is_sent() {
    let (team, network) = a_team_with_anna();
    let (key, pin) = a_key_file(&team);
    let file = key.to_str().unwrap();
    let secret = std::fs::read_to_string(&key).unwrap();
    let ends = |arguments: &[&str], code: i32, text: &str| {
        let output = network.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(text), "{arguments:?}: {}", said(&output));
        assert!(!said(&output).contains(&secret), "{arguments:?}");
    };
    let wrong = format!("sha256:{}", "0".repeat(64));
    ends(&["--admin-key-file", file, "--pin", &wrong, "status"], 69, "which --pin does not name");
    ends(&["--admin-key-file", file, "status"], 69, "TLS with localhost");
    ends(&["--pin", &pin, "status"], 2, "--admin-key-file FILE or --admin NAME");
    ends(&["--pin", &pin, "--admin", "anna", "status"], 2, "no terminal");
    ends(&["--admin-key-file", file, "--pin", &pin, "--data", "/d", "status"], 2, "unexpected argument");
    ends(&["--admin-key-file", file, "--pin", &pin, "status", "--data", "/d"], 2, "another machine");
    ends(&["--admin-key-file", file, "up"], 2, "this machine only");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    ends(&["--admin-key-file", file, "--pin", &pin, "status"], 77, "chmod 600");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    ends(&["--admin-key-file", file, "--pin", &pin, "status"], 0, "serving");
    std::fs::write(&key, "sxk_not-an-admin-key").unwrap();
    ends(&["--admin-key-file", file, "--pin", &pin, "status"], 2, "starts with s");
}

#[test]
fn a_person_types_the_password_once_for_a_command_and_its_session_ends_with_it() {
    let (team, network) = a_team_with_anna();
    let (_, pin) = a_key_file(&team);
    let mut terminal = Terminal::start(network.command(&["--admin", "anna", "--pin", &pin, "admin", "list"]));
    terminal.wait_for("Password of anna:");
    terminal.types(&format!("{PASSWORD}\n"));
    let shown = terminal.wait_for("everything");
    assert!(!shown.contains(PASSWORD), "{shown}");
    assert_eq!(terminal.ends(), Some(0));
    assert!(terminal.is_as_before());
    for action in ["admin.login", "admin.logout"] {
        let entries = team.admin().audit_of(action);
        assert_eq!(entries.len(), 1, "{action}");
        assert_eq!((entries[0].actor.as_str(), entries[0].outcome.as_str()), ("admin:anna", "ok"));
    }
}

#[test]
fn administrators_get_another_certificate_without_a_restart_and_a_bad_one_changes_nothing() {
    let mut team =
        Team::not_started(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_ADMIN_LISTEN", "127.0.0.1:0"));
    let place = team.path("admin-tls");
    std::fs::create_dir(&place).unwrap();
    let first = given_a_certificate(&place);
    let path = |name: &str| place.join(name).to_str().unwrap().to_owned();
    team.change(|plan| {
        plan.with("SCORPIOX_BROKER_ADMIN_CERTIFICATE", &path("certificate.pem"))
            .with("SCORPIOX_BROKER_ADMIN_KEY", &path("key.pem"))
    });
    team.start();
    let network = Network::of(team.broker());
    assert_eq!(network.certificate(), first);
    let (key, old_pin) = a_key_file(&team);
    let status = |pin: &str| network.run(&["--admin-key-file", key.to_str().unwrap(), "--pin", pin, "status"]);
    assert!(status(&old_pin).status.success());

    let second = given_a_certificate(&place);
    team.broker().signal(Signal::HUP);
    team.broker().wait_for_log("administrators get another certificate");
    assert_eq!(network.certificate(), second);
    let pin = given_an_admin_key(&team, "later", "read").pin.unwrap();
    assert!(status(&pin).status.success(), "who is given a key now is given the new pin");
    assert_eq!(status(&old_pin).status.code(), Some(69));

    std::fs::write(place.join("certificate.pem"), "-----BEGIN CERTIFICATE-----\nnonsense\n").unwrap();
    team.broker().signal(Signal::HUP);
    team.broker().wait_for_log("the administration's certificate was not reloaded");
    assert_eq!(network.certificate(), second);
}

#[test]
fn a_login_through_a_browser_on_this_machine_comes_to_the_broker_on_another() {
    let (team, network) = a_team_with_anna();
    let (key, pin) = a_key_file(&team);
    let mut command =
        network.command(&["--admin-key-file", key.to_str().unwrap(), "--pin", &pin, "login", "--browser", "--json"]);
    let mut running = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut answers = BufReader::new(running.stdout.take().unwrap());
    let mut answer = || -> Value {
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let page = answer();
    let browser = ureq::Agent::config_builder().max_redirects(0).build().new_agent();
    let sent_back = browser.get(page["url"].as_str().unwrap()).call().unwrap();
    let address = sent_back.headers().get("location").unwrap().to_str().unwrap();
    assert!(address.starts_with("http://localhost:"), "{address}");
    // Pasted: the ports to which a browser comes back belong to whoever took them first.
    writeln!(running.stdin.as_mut().unwrap(), "{address}").unwrap();
    assert_eq!(answer()["state"], "done");
    assert!(running.wait().unwrap().success());
    assert_eq!(team.admin().credential("main").generation, 1);
    let logins = team.admin().audit_of("credential.login");
    assert!(logins.iter().any(|entry| entry.actor == "admin-key:elsewhere"), "{logins:?}");
}

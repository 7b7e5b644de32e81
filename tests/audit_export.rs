//! What an auditor takes away: each deed of an administrator is a line of `audit export`.

use fake_provider::{Account, Endpoint, Fault, How};
use scorpiox_tests::process::Team;
use scorpiox_wire::admin::{AuditEntry, LoginFlow, RekeyRequest};
use serde_json::{Value, json};

use crate::gateway::person::post;

/// The lines that the command prints.
fn exported(team: &Team, filter: &[&str]) -> Vec<AuditEntry> {
    let output = team.plan().command(&[&["audit", "export"], filter].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The code that a program without a browser shows.
fn a_program_waits(team: &Team) -> String {
    let asked = post(team, "/oauth/device_authorization", &[("client_id", "codex")], &[]);
    asked.json::<Value>()["user_code"].as_str().unwrap().to_owned()
}

fn done(team: &Team, method: &str, target: &str, body: Option<Value>) {
    let reply = team.admin().ask(method, target, body);
    assert_eq!(reply.status, 200, "{method} {target}: {}", reply.text());
}

#[test]
fn each_deed_that_changes_who_may_what_is_a_line_of_the_export() {
    let mut team = Team::new();
    team.given_a_login("main");
    team.given_a_login_of("kept", &Account { account_id: "kept".into(), ..Account::default() });
    let before = team.admin().audit().last().unwrap().seq;
    let login = team.admin().begin_login("third", LoginFlow::Device, false).unwrap();
    done(&team, "DELETE", &format!("/logins/{}", login.id), None);
    let (wanted, unwanted) = (a_program_waits(&team), a_program_waits(&team));
    done(&team, "POST", &format!("/sign-ins/{wanted}/approve"), Some(json!({ "name": "anna", "credential": "main" })));
    done(&team, "POST", &format!("/sign-ins/{unwanted}/deny"), None);
    done(&team, "POST", "/clients/bert/invite", Some(json!({ "credential": "main" })));
    done(&team, "PUT", "/clients/bert/grants/kept", None);
    done(&team, "DELETE", "/clients/bert/grants/kept", None);
    let password = "correct horse battery";
    let carl = json!({ "name": "carl", "scopes": ["read"], "password": password });
    done(&team, "POST", "/administrators", Some(carl));
    done(&team, "PUT", "/administrators/carl/scopes", Some(json!({ "scopes": ["clients"] })));
    done(&team, "POST", "/administrators/carl/password", Some(json!({ "password": password })));
    done(&team, "POST", "/administrators/carl/revoke-sessions", None);
    done(&team, "DELETE", "/administrators/carl", None);
    done(&team, "POST", "/admin-keys", Some(json!({ "name": "ci", "scopes": ["read"] })));
    done(&team, "DELETE", "/admin-keys/ci", None);
    team.admin().rekey(&RekeyRequest::default()).unwrap();
    done(&team, "DELETE", "/credentials/kept?revoke_upstream=true", None);
    team.provider.fault(Fault::on(Endpoint::Revoke, How::Status { status: 500, body: Value::Null }));
    done(&team, "DELETE", "/credentials/main?revoke_upstream=true", None);
    team.given_a_login_of("new", &Account { account_id: "new".into(), ..Account::default() });
    // A broker whose mark was lost starts fenced.
    team.admin().refresh("new").unwrap();
    team.stop();
    std::fs::remove_file(team.data().join("high-water")).unwrap();
    team.start();
    team.admin().promote().unwrap();

    let lines = exported(&team, &["--actor", "admin:uid=*"]);
    let told: Vec<_> = lines
        .iter()
        // The end of the login that was cancelled is written when its task wakes, between any of these.
        .filter(|entry| entry.seq > before && entry.action != "login.end")
        .inspect(|entry| assert!(entry.address == "unix" && !entry.request_id.is_empty(), "{entry:?}"))
        .map(|entry| format!("{} {} {}", entry.action, entry.object, entry.outcome))
        .collect();
    let deny = format!("sign_in.deny code:{unwanted} ok");
    let expected = [
        "login.begin credential:third ok",
        "login.cancel credential:third ok",
        "client.create client:anna ok",
        "sign_in.approve client:anna ok",
        &deny,
        "client.create client:bert ok",
        "client.invite client:bert ok",
        "client.grant client:bert ok",
        "client.ungrant client:bert ok",
        "admin.add admin:carl ok",
        "admin.scopes admin:carl ok",
        "admin.password admin:carl ok",
        "admin.revoke_sessions admin:carl ok",
        "admin.remove admin:carl ok",
        "admin_key.add admin-key:ci ok",
        "admin_key.revoke admin-key:ci ok",
        "broker.rekey broker begun",
        "broker.rekey broker ok",
        "credential.remove credential:kept ok",
        "credential.revoke_upstream credential:kept ok",
        "credential.remove credential:main ok",
        "credential.revoke_upstream credential:main unavailable",
        "credential.import credential:new ok",
        "credential.refresh credential:new ok",
        "broker.promote broker ok",
    ];
    assert_eq!(told, expected);
    assert!(lines.iter().all(|entry| !entry.detail.contains(password)));
    assert_eq!(exported(&team, &[]), team.admin().audit(), "all of it, whole and in order");
    assert_eq!(exported(&team, &["--action", "broker.rekey"]).len(), 2);
}

#[test]
fn an_export_of_more_than_a_page_has_each_entry_once() {
    let team = Team::new();
    team.given_a_login("main");
    for _ in 0..1_010 {
        done(&team, "POST", "/credentials/main/resume", None);
    }
    let sequence: Vec<u64> = exported(&team, &[]).iter().map(|entry| entry.seq).collect();
    assert!(sequence.len() > 1_000 && sequence.iter().copied().eq(1..=sequence.len() as u64), "{}", sequence.len());
}

//! The administration answers as its document says: schemathesis asks it whatever the document allows, and what it does not.

use std::process::{Command, Stdio};

use fake_provider::Settings;
use scorpiox_tests::component;
use scorpiox_tests::process::Team;
use serde_json::{Value, json};

/// The document, with what a broken broker would have to be caught by put in.
fn changed(team: &Team, change: impl FnOnce(&mut Value)) -> std::path::PathBuf {
    let mut document: Value = serde_json::from_str(&team.admin().document()).unwrap();
    change(&mut document);
    let path = team.path("openapi.json");
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

/// A team with something of everything, and the key of a program that may do everything.
fn team() -> (Team, String, String) {
    let team = Team::with(Settings::default(), |plan| {
        plan.with("SCORPIOX_BROKER_ADMIN_LISTEN", "127.0.0.1:0").with("SCORPIOX_BROKER_ADMIN_PLAIN_HTTP", "true")
    });
    team.given_a_login("main");
    team.given_a_client("laptop");
    let request = json!({"name": "the-conformance-run", "scopes": ["everything"]});
    let issued: Value = team.admin().ask("POST", "/admin-keys", Some(request)).result().unwrap();
    let [url, key] = ["url", "key"].map(|member| issued[member].as_str().expect("an address and a key").to_owned());
    (team, url, key)
}

fn schemathesis(program: &std::path::Path, document: &std::path::Path, url: &str, key: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["--config-file", concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/schemathesis.toml"), "run"]);
    command.arg(document).args(["--url", url, "--header", &format!("Authorization: Bearer {key}")]);
    command.arg("--no-color").stdin(Stdio::null()).env("NO_PROXY", "127.0.0.1");
    command.current_dir(document.parent().unwrap());
    command
}

fn passes(team: &Team, mut schemathesis: Command) {
    let output = schemathesis.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let keys = team.admin().ask("GET", "/admin-keys?limit=1000", None).text();
    assert!(keys.contains("the-conformance-run"), "the run lost its key:\n{said}");
    assert!(!team.broker().log().contains("panicked"), "a handler panicked");
}

/// The same name for many changes would be refused at once, so here they have none.
fn without_names(document: &mut Value) {
    let operations = document["paths"].as_object_mut().unwrap().values_mut();
    for operation in operations.flat_map(|path| path.as_object_mut().unwrap().values_mut()) {
        if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
            parameters.retain(|parameter| parameter["name"] != "Idempotency-Key");
        }
    }
}

#[test]
fn the_administration_answers_as_its_document_says() {
    let Some(program) = component::require("schemathesis") else { return };
    let (team, url, key) = team();
    let document = changed(&team, without_names);
    let mut run = schemathesis(&program, &document, &url, &key);
    // It would find its own key in a list, and end it.
    run.args(["--exclude-operation-id", "revoke_admin_key"]);
    passes(&team, run);
}

#[test]
fn names_of_changes_and_the_end_of_keys_are_as_the_document_says() {
    let Some(program) = component::require("schemathesis") else { return };
    let (team, url, key) = team();
    let document = changed(&team, |_| {});
    let mut run = schemathesis(&program, &document, &url, &key);
    run.args(["--phases", "examples,coverage"]);
    run.args(["--include-operation-id", "revoke_admin_key", "--include-operation-id", "pause_credential"]);
    passes(&team, run);
}

#[test]
fn an_answer_that_breaks_the_document_is_noticed() {
    let Some(program) = component::require("schemathesis") else { return };
    let (team, url, key) = team();
    let document = changed(&team, |document| {
        document["components"]["schemas"]["Status"]["properties"]["clients"] = json!({"type": "string"});
    });
    let output = schemathesis(&program, &document, &url, &key).args(["--include-operation-id", "status"]).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("Response violates schema"), "{said}");
}

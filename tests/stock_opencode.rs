//! opencode, unmodified, with a token of the broker: `deploy/opencode`, as the README tells to use it.
//!
//! Like the stock CLI it would call out to others, so all of it runs where there is nothing but loopback.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use fake_provider::{Endpoint, LogEntry, Serial, Settings, TokenRef};
use scorpiox_tests::process::{FetchToken, Team, binaries};
use serde_json::{Value, json};

use crate::stock_cli::installed::Stock;
use crate::stock_cli::isolation;

const OPENCODE: Stock = Stock {
    name: "opencode",
    package: "opencode-ai",
    version: "1.18.33",
    variable: "SCORPIOX_COMPONENT_OPENCODE",
    directory: "stock-opencode",
    native_program: native_opencode,
};

/// The one for machines that have no AVX2 runs on all of them.
fn native_opencode(directory: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(directory.join("node_modules")).ok()?.flatten();
    let mut packages: Vec<_> = packages.map(|package| package.path()).collect();
    packages.retain(|package| package.join("bin/opencode").is_file());
    packages.sort_by_key(|package| !package.to_string_lossy().ends_with("-baseline"));
    packages.first().map(|package| package.join("bin/opencode"))
}

/// Where its model backend is; it has the address of ChatGPT's built in.
fn configuration(team: &Team) -> String {
    let options = json!({"baseURL": format!("{}/backend-api/codex", team.provider.url())});
    json!({
        "model": "openai/gpt-5.5",
        "small_model": "openai/gpt-5.5",
        "autoupdate": false,
        "provider": {"openai": {"options": options}},
    })
    .to_string()
}

/// Runs it once to its end, and returns what it printed.
fn run(team: &Team, machine: &FetchToken, prompt: &str) -> String {
    let programs = tempfile::tempdir().unwrap();
    let opencode = std::env::var_os(OPENCODE.variable).expect("the way in names it");
    symlink(opencode, programs.path().join("opencode")).unwrap();
    symlink(binaries::fetchtoken(), programs.path().join("scorpiox-codex-fetchtoken")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/opencode");
    let project = tempfile::tempdir().unwrap();
    let settings = machine.command(&[]);
    let mut command = Command::new(script.canonicalize().unwrap());
    command.args(["run", "--format", "json", prompt]);
    command.env_clear().envs(settings.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", format!("{}:/usr/bin:/bin", programs.path().display())).current_dir(&project);
    command.env("OPENCODE_CONFIG_CONTENT", configuration(team)).env("OPENCODE_DISABLE_MODELS_FETCH", "1");
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn texts(printed: &str) -> Vec<String> {
    let events = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter_map(|event| Some(event["part"]["text"].as_str()?.to_owned())).collect()
}

fn assert_as_the_backend_takes_it(team: &Team, entry: &LogEntry) {
    assert_eq!(entry.access_token, Some(TokenRef::Issued(Serial { family: 1, generation: 2 })), "{entry:?}");
    let account = team.provider.oracle().settings().account.account_id.clone();
    assert_eq!((entry.status, entry.received.get("chatgpt-account-id")), (Some(200), Some(&account)));
    let body = entry.conversation.as_ref().unwrap();
    assert!(body["instructions"].is_string() && body["store"] == false, "{body}");
    // The backend refuses these.
    for member in ["max_output_tokens", "temperature", "previous_response_id"] {
        assert!(body.get(member).is_none(), "{member} in {body}");
    }
}

#[test]
fn opencode_answers_with_a_token_of_the_broker_and_renews_nothing() {
    let name = "stock_opencode::opencode_answers_with_a_token_of_the_broker_and_renews_nothing";
    if !isolation::is_inside_with(&OPENCODE, name) {
        return;
    }
    let team = Team::with(Settings::default(), |plan| plan.encrypted());
    team.given_a_login("main");
    team.admin().refresh("main").unwrap();
    let machine = FetchToken::of(&team.given_a_client("laptop"));
    let printed = run(&team, &machine, "say hello");
    assert_eq!(texts(&printed), ["Hello from the fake provider."], "{printed}");
    let asked = team.provider.log_of(Endpoint::Responses);
    // The answer, and the conversation's title.
    assert_eq!(asked.len(), 2, "{asked:?}");
    asked.iter().for_each(|entry| assert_as_the_backend_takes_it(&team, entry));
    assert_eq!((team.provider.refresh_count(), team.provider.violations()), (1, Vec::<String>::new()));
    let token = team.issued().access_token;
    let kept = scorpiox_tests::process::snapshot::files(&machine.home().join(".local"));
    assert!(kept.iter().all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains(&token)), "it keeps no token");
}

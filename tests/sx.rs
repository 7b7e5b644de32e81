//! `sx -p` against the fake provider, with a token of a real broker: one prompt, one answer.

use std::fs::{self, File};
use std::process::Stdio;

use fake_provider::{Endpoint, Fault, How, Script, Step};
use scorpiox_tests::process::fetchtoken::Fetched;
use scorpiox_tests::process::{FetchToken, Plan, Team};
use serde_json::{Value, json};

/// A team with a login, and a machine whose backend is the provider.
fn a_team() -> (Team, FetchToken) {
    let at_once = |plan: Plan| plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s");
    Team::with_a_developer(at_once)
}

fn ask(machine: &FetchToken, arguments: &[&str]) -> Fetched {
    machine.run_program("sx", arguments)
}

fn good(fetched: &Fetched) -> &str {
    assert_eq!((fetched.code, fetched.stderr.as_str()), (0, ""), "{fetched:?}");
    &fetched.stdout
}

/// The bodies of the requests for an answer.
/// An answer that breaks off after its first words.
fn cut(text: &str) -> Script {
    let mut script = Script::message(text);
    script.steps.truncate(3);
    script.steps.push(Step::Cut);
    script
}

#[test]
fn a_prompt_gets_its_answer() {
    let (team, machine) = a_team();
    team.provider.script(Script::message("Forty-two."));
    assert_eq!(good(&ask(&machine, &["-p", "How many?"])), "Forty-two.\n");
    let body = &team.questions()[0];
    let expected =
        [("model", json!("gpt-5.5")), ("store", json!(false)), ("stream", json!(true)), ("tools", json!([]))];
    for (member, value) in expected {
        assert_eq!(body[member], value, "{member}");
    }
    assert_eq!(body["reasoning"], json!({"effort": "medium"}), "the catalogue's word for the usual one");
    let said = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "How many?"}]});
    assert_eq!(body["input"], json!([said]));
    assert!(body["instructions"].as_str().is_some_and(|text| !text.is_empty()));
    let received = &team.provider.log_of(Endpoint::Responses)[0].received;
    assert_eq!(received["accept"], "text/event-stream");
    assert_eq!(
        (&received["session-id"], &received["thread-id"]),
        (&received["thread-id"], &received["x-client-request-id"])
    );
    assert_eq!(body["prompt_cache_key"], received["session-id"].as_str());
    assert_eq!(received["chatgpt-account-id"], team.issued().account.account_id);
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again_and_printed_once() {
    let (team, machine) = a_team();
    team.provider.script(cut("Forty-one, no, forty-two."));
    team.provider.script(Script { steps: Script::message("Unfinished.").steps[..5].to_vec() });
    team.provider.script(Script::message("Forty-two."));
    assert_eq!(good(&ask(&machine, &["-p", "x"])), "Forty-two.\n");
    let bodies = team.questions();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same question each time");
}

#[test]
fn an_answer_that_never_ends_well_is_no_answer() {
    let (team, machine) = a_team();
    for _ in 0..6 {
        team.provider.script(cut("Forty-one."));
    }
    ask(&machine, &["-p", "x"]).assert_refused(75);
    assert_eq!(team.questions().len(), 6, "five repetitions");
}

#[test]
fn a_refused_token_is_renewed_and_nobody_notices() {
    let (team, machine) = a_team();
    ask(&machine, &["-p", "x"]);
    let newest = *team.provider.oracle().newest().last().unwrap();
    assert!(team.provider.refuse_access(newest));
    assert_eq!(good(&ask(&machine, &["-p", "x"])), "Hello from the fake provider.\n");
    let statuses: Vec<_> = team.provider.log_of(Endpoint::Responses).iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(401), Some(200)]);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn what_would_be_answered_the_same_way_is_not_asked_again() {
    let (team, machine) = a_team();
    let limit = json!({"error": {"type": "usage_limit_reached", "plan_type": "plus", "resets_at": 1_777_936_568}});
    let cases = [
        (429, limit, 75, "usage limit"),
        (400, json!({"detail": "Unsupported parameter: x"}), 69, "Unsupported parameter: x"),
        (403, json!({"detail": {"code": "invalid_workspace_selected"}}), 69, "invalid_workspace_selected"),
    ];
    for (status, body, code, words) in cases {
        let before = team.questions().len();
        team.provider.fault(Fault::on(Endpoint::Responses, How::Status { status, body }));
        let failed = ask(&machine, &["-p", "x"]);
        failed.assert_refused(code);
        assert!(failed.stderr.contains(words), "{failed:?}");
        assert_eq!(team.questions().len(), before + 1);
    }
}

#[test]
fn a_busy_backend_is_asked_again_when_it_says() {
    let (team, machine) = a_team();
    let busy = |status| How::Status { status, body: Value::Null };
    team.provider.fault(Fault::on(Endpoint::Responses, busy(429)).header("retry-after", "1"));
    team.provider.fault(Fault::on(Endpoint::Responses, busy(503)));
    team.provider.fault(Fault::on(Endpoint::Responses, How::CutBefore { reset: true }));
    assert_eq!(good(&ask(&machine, &["-p", "x"])), "Hello from the fake provider.\n");
    assert_eq!(team.questions().len(), 4);
}

#[test]
fn a_tool_that_was_not_offered_is_not_run_and_the_model_is_told() {
    let (team, machine) = a_team();
    let ran = machine.home().join("ran");
    let arguments = json!({"cmd": format!("touch {}", ran.display())});
    team.provider.script(Script::function_call("exec_command", &arguments, "call_1"));
    team.provider.script(Script::message("Then not."));
    team.provider.fault(Fault::on(Endpoint::Responses, How::Plain).header("x-codex-turn-state", "sticky"));
    assert_eq!(good(&ask(&machine, &["-p", "x"])), "Then not.\n");
    assert!(!ran.exists());
    let input = team.questions()[1]["input"].clone();
    let output =
        json!({"type": "function_call_output", "call_id": "call_1", "output": "unsupported call: exec_command"});
    assert_eq!((&input[1]["type"], &input[2]), (&json!("function_call"), &output));
    let log = team.provider.log_of(Endpoint::Responses);
    let states: Vec<_> = log.iter().map(|entry| entry.received.get("x-codex-turn-state").cloned()).collect();
    assert_eq!(states, [None, Some("sticky".to_owned())]);
}

#[test]
fn files_and_standard_input_are_attached() {
    let (team, machine) = a_team();
    let path = machine.home().join("build.log");
    fs::write(&path, "error 28\n").unwrap();
    let mut command = machine.command_of("sx", &["-p", "why", "build.log"]);
    let output = command.stdin(Stdio::from(File::open(&path).unwrap())).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let content = team.questions()[0]["input"][0]["content"].clone();
    let texts: Vec<&str> = content.as_array().unwrap().iter().map(|part| part["text"].as_str().unwrap()).collect();
    assert_eq!(texts[0], "why");
    assert_eq!(texts[1], "<attached name=\"build.log\">\nerror 28\n\n</attached>");
    assert_eq!(texts[2], "<attached name=\"standard input\">\nerror 28\n\n</attached>");
}

#[test]
fn a_program_gets_events() {
    let (team, machine) = a_team();
    team.provider.script(cut("Forty-one."));
    team.provider.script(Script::message("Forty-two."));
    let answered = ask(&machine, &["-p", "x", "--json"]);
    let lines: Vec<Value> = good(&answered).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let expected = ["begin", "asking", "text", "waiting", "asking", "text", "text", "message", "usage", "end"];
    assert_eq!(kinds, expected);
    assert_eq!((&lines[0]["schema"], &lines[0]["model"]), (&json!(1), &json!("gpt-5.5")));
    assert_eq!((&lines[7]["text"], &lines[9]["usage"]["total_tokens"]), (&json!("Forty-two."), &json!(49)));
    team.provider.fault(Fault::on(Endpoint::Responses, How::Status { status: 400, body: Value::Null }));
    let failed = ask(&machine, &["-p", "x", "--json"]);
    let last: Value = serde_json::from_str(failed.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((failed.code, &last["type"], &last["exit_code"]), (69, &json!("failed"), &json!(69)));
}

#[test]
fn the_catalogue_decides_shape_and_effort_and_what_an_alias_means() {
    let (team, machine) = a_team();
    team.provider.oracle().settings_mut().models = Some(json!({"models": [{
        "slug": "gpt-6-sol", "visibility": "list", "use_responses_lite": true, "support_verbosity": true,
        "default_verbosity": "low", "supported_reasoning_levels": [{"effort": "low"}, {"effort": "high"}],
    }]}));
    let answered = ask(&machine, &["-p", "x", "-m", "sonnet", "-e", "CODEX_REASONING_EFFORT=max"]);
    assert_eq!((answered.code, answered.stdout.as_str()), (0, "Hello from the fake provider.\n"), "{answered:?}");
    assert!(answered.stderr.contains("gpt-6-sol answers") && answered.stderr.contains("it thinks with high"));
    let body = &team.questions()[0];
    assert_eq!((&body["model"], &body["reasoning"]["effort"]), (&json!("gpt-6-sol"), &json!("high")));
    assert_eq!((&body["input"][0]["type"], &body["text"]), (&json!("additional_tools"), &json!({"verbosity": "low"})));
    assert!(body.get("instructions").is_none());
    let received = &team.provider.log_of(Endpoint::Responses)[0].received;
    assert_eq!(received["x-openai-internal-codex-responses-lite"], "true");
}

#[test]
fn without_a_token_no_prompt_leaves_the_machine() {
    let (team, machine) = a_team();
    team.admin().revoke("laptop").unwrap();
    ask(&machine, &["-p", "a secret of mine"]).assert_refused(77);
    ask(&machine, &["-p", "x", "-e", "PATH=/tmp"]).assert_refused(64);
    ask(&machine, &["-p", "x", "--provider", "scorpiox"]).assert_refused(64);
    ask(&machine, &["-p", "x", "missing.txt"]).assert_refused(64);
    assert!(team.questions().is_empty());
}

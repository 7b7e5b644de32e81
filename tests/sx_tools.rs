//! `sx -p` with tools, when somebody has said how they are approved of.

use std::fs;
use std::path::PathBuf;

use fake_provider::{Endpoint, Script, Step};
use scorpiox_tests::process::fetchtoken::Fetched;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

struct Scene {
    team: Team,
    machine: FetchToken,
}

impl Scene {
    fn set_up() -> Self {
        let (team, machine) = Team::with_a_developer(|plan| plan);
        let scene = Self { team, machine };
        fs::create_dir(scene.project()).unwrap();
        scene
    }

    /// The home directory is none.
    fn project(&self) -> PathBuf {
        self.machine.home().join("project")
    }

    fn asks(&self, approvals: &str) -> Fetched {
        let mut command = self.machine.command_of("sx", &["-p", "Do it", "--approvals", approvals]);
        let output = command.current_dir(self.project()).output().unwrap();
        Fetched {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn bodies(&self) -> Vec<Value> {
        let log = self.team.provider.log_of(Endpoint::Responses);
        log.into_iter().map(|entry| entry.conversation.unwrap()).collect()
    }

    /// What the model was told of its last call.
    fn told(&self) -> String {
        let body = self.bodies().pop().unwrap();
        body["input"].as_array().unwrap().last().unwrap()["output"].as_str().unwrap().to_owned()
    }
}

fn exec(arguments: &Value) -> Script {
    Script::function_call("exec_command", arguments, "call_1")
}

fn script(text: &str) -> Script {
    exec(&json!({ "cmd": text }))
}

fn patch(text: &str) -> Script {
    let item = json!({"type": "custom_tool_call", "call_id": "call_1", "name": "apply_patch", "input": text});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let mut script = Script::message("x");
    script.steps.splice(1..5, [Step::Event(done)]);
    script
}

const NEW_FILE: &str = "*** Begin Patch\n*** Add File: new\n+first\n*** End Patch\n";
const NOBODY: &str = "not allowed: it would need the approval of a person, and nobody is there";

#[test]
fn what_is_confined_runs_unasked_and_is_said_apart_from_the_answer() {
    let scene = Scene::set_up();
    scene.team.provider.script(script("echo ran\nexit 3"));
    scene.team.provider.script(Script::message("Done."));
    let answered = scene.asks("full-auto");
    assert_eq!((answered.code, answered.stdout.as_str()), (0, "Done.\n"), "{answered:?}");
    let place = scene.project().canonicalize().unwrap();
    let expected = format!("sx: run in {}, in a sandbox, without network: echo ran\\nexit 3\n", place.display());
    assert_eq!(answered.stderr, expected);
    let told = scene.told();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("Chunk ID: ") && lines[1].starts_with("Wall time: "), "{told}");
    assert_eq!(lines[2..], ["Process exited with code 3", "Original token count: 1", "Output:", "ran"]);
    let instructions = scene.bodies()[0]["instructions"].as_str().unwrap().to_owned();
    assert!(instructions.contains("Nobody can be asked"), "{instructions}");
}

#[test]
fn what_would_have_to_be_asked_is_refused_and_the_model_is_told() {
    let scene = Scene::set_up();
    scene.team.provider.script(script("touch proof"));
    let answered = scene.asks("auto-edit");
    assert_eq!((answered.code, answered.stdout.as_str()), (0, "Hello from the fake provider.\n"), "{answered:?}");
    assert_eq!(answered.stderr, format!("sx: refused: touch proof: {NOBODY}\n"));
    assert_eq!(scene.told(), NOBODY);
    assert!(!scene.project().join("proof").exists());
}

#[test]
fn files_change_where_that_was_allowed_and_nowhere_else() {
    for (approvals, changes) in [("auto-edit", true), ("read-only", false)] {
        let scene = Scene::set_up();
        scene.team.provider.script(patch(NEW_FILE));
        let answered = scene.asks(approvals);
        assert_eq!(answered.code, 0, "{answered:?}");
        assert_eq!(scene.project().join("new").exists(), changes, "{approvals}");
        let (said, told) = match changes {
            true => ("sx: change new (new)\n", "Success. Updated the following files:\nA new\n"),
            false => {
                ("sx: refused: A new: not allowed: the session is read-only\n", "not allowed: the session is read-only")
            }
        };
        assert_eq!((answered.stderr.as_str(), scene.told().as_str()), (said, told));
    }
}

#[test]
fn in_a_home_directory_nothing_changes_unasked() {
    let scene = Scene::set_up();
    scene.team.provider.script(patch(NEW_FILE));
    let arguments = ["-p", "Do it", "--approvals", "full-auto"];
    let output = scene.machine.command_of("sx", &arguments).current_dir(scene.machine.home()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!scene.machine.home().join("new").exists());
    assert_eq!(scene.told(), NOBODY);
}

#[test]
fn without_a_word_about_approvals_there_are_no_tools_and_nobody_can_be_asked() {
    let scene = Scene::set_up();
    let refused = scene.asks("ask");
    refused.assert_refused(64);
    assert!(refused.stderr.contains("nobody to ask"), "{refused:?}");
    assert!(scene.bodies().is_empty());
    let answered = scene.machine.run_program("sx", &["-p", "x"]);
    assert_eq!(answered.code, 0);
    assert_eq!(scene.bodies()[0]["tools"], json!([]));
    let off = scene.machine.run_program("sx", &["-p", "x", "--approvals", "full-auto", "-e", "TOOLS=0"]);
    assert_eq!((off.code, &scene.bodies()[1]["tools"]), (0, &json!([])));
}

#[test]
fn a_command_goes_on_is_written_to_asked_after_and_ended() {
    let scene = Scene::set_up();
    let echo = "read line; echo \"got $line\"; sleep 600";
    scene.team.provider.script(exec(&json!({"cmd": ["bash", "-lc", echo], "tty": true, "yield_time_ms": 250})));
    let write = |chars: &str, call: &str| {
        Script::function_call("write_stdin", &json!({"session_id": 1, "chars": chars, "yield_time_ms": 30_000}), call)
    };
    scene.team.provider.script(write("hello\n", "call_2"));
    scene.team.provider.script(write("\u{3}", "call_3"));
    scene.team.provider.script(write("", "call_4"));
    let answered = scene.asks("full-auto");
    assert_eq!(answered.code, 0, "{answered:?}");
    let input = scene.bodies().pop().unwrap()["input"].clone();
    let outputs: Vec<&str> = input.as_array().unwrap().iter().filter_map(|item| item["output"].as_str()).collect();
    assert!(outputs[0].contains("\nProcess running with session ID 1\n"), "{outputs:?}");
    let goes_on = "Process running with session ID 1\nOriginal token count: 3\nOutput:\ngot hello\n";
    assert!(outputs[1].ends_with(goes_on), "{outputs:?}");
    assert!(outputs[2].contains("\nProcess exited with code 137\n"), "{outputs:?}");
    assert_eq!(outputs[3], "no command goes on with session ID 1");
}

#[test]
fn what_goes_on_ends_with_the_conversation() {
    let scene = Scene::set_up();
    let late = "(setsid sh -c 'sleep 4; touch late' &) ; touch begun; sleep 600";
    scene.team.provider.script(exec(&json!({"cmd": late, "yield_time_ms": 500})));
    assert_eq!(scene.asks("full-auto").code, 0);
    assert!(scene.told().contains("Process running with session ID 1"), "{}", scene.told());
    assert!(scene.project().join("begun").exists());
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert!(!scene.project().join("late").exists());
}

#[test]
fn a_network_is_never_given_unasked() {
    let scene = Scene::set_up();
    let wanted = json!({"cmd": "touch proof", "sandbox_permissions": "require_escalated", "justification": "because"});
    scene.team.provider.script(exec(&wanted));
    let answered = scene.asks("full-auto");
    assert_eq!(answered.stderr, format!("sx: refused: touch proof: {NOBODY}\n"));
    assert_eq!(scene.told(), NOBODY);
    assert!(!scene.project().join("proof").exists());
}

#[test]
fn how_much_of_an_output_is_told_is_what_the_model_may_be_told() {
    let scene = Scene::set_up();
    scene.team.provider.oracle().settings_mut().models = Some(json!({"models": [{
        "slug": "gpt-5.5", "visibility": "list", "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "bytes", "limit": 2000},
    }]}));
    scene.team.provider.script(script("seq 1000 1999"));
    assert_eq!(scene.asks("full-auto").code, 0);
    let told = scene.told();
    let cut = "Original token count: 1250\nOutput:\nWarning: truncated output (original token count: 1250)\n\
               Total output lines: 1000\n\n1000\n";
    assert!(told.contains(cut) && told.contains("…3000 chars truncated…"), "{told}");
    assert!(told.ends_with("1999\n") && told.len() < 2400, "{told}");
}

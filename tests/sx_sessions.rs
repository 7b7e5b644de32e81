//! Conversations that are kept, and gone on with.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use fake_provider::{Script, Step};
use scorpiox_tests::process::patience;
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

/// `sx` at a terminal in the project's directory.
fn begin(machine: &FetchToken, arguments: &[&str]) -> Terminal {
    let mut terminal = start(machine, arguments);
    terminal.wait_for("/help for help");
    terminal.wait_for("> ");
    terminal
}

fn start(machine: &FetchToken, arguments: &[&str]) -> Terminal {
    Terminal::start(machine.sx_in_the_project(arguments))
}

/// One prompt and its whole answer.
fn says(terminal: &mut Terminal, prompt: &str, answer: &str) {
    terminal.types(&format!("{prompt}\r"));
    terminal.wait_for(answer);
    terminal.wait_for("left]");
    terminal.wait_for("> ");
}

fn leaves(mut terminal: Terminal) -> String {
    terminal.types("/quit\r");
    let said = terminal.wait_for("sx --resume ");
    assert_eq!(terminal.ends(), Some(0));
    said
}

fn input(body: &Value) -> Vec<Value> {
    body["input"].as_array().unwrap().clone()
}

fn sessions(machine: &FetchToken) -> PathBuf {
    machine.home().join(".local/state/scorpiox/sessions")
}

/// The ids of all that is kept.
fn kept(machine: &FetchToken) -> Vec<String> {
    let entries = fs::read_dir(sessions(machine)).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn call_with_thought(script: &str) -> Script {
    let mut call = Script::function_call("shell_command", &json!({ "command": script }), "call_1");
    let thought = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Looking"}],
        "encrypted_content": "gAAAAthought"});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": thought});
    call.steps.insert(1, Step::Event(done));
    call
}

#[test]
fn the_next_day_the_conversation_goes_on_as_if_it_had_not_been_left() {
    let (team, machine) = Team::with_a_project();
    let mut terminal = begin(&machine, &["-e", "CODEX_REASONING_EFFORT=high"]);
    team.provider.script(call_with_thought("echo made"));
    team.provider.script(Script::message("It is made."));
    terminal.types("Make it\r");
    terminal.wait_for("run it?");
    terminal.types("y\r");
    terminal.wait_for("It is made.");
    terminal.wait_for("> ");
    leaves(terminal);

    let mut terminal = start(&machine, &["--continue"]);
    terminal.wait_for("model gpt-5.5, effort high");
    terminal.wait_for("1 turn, last used 20");
    terminal.wait_for("> Make it");
    terminal.wait_for("It is made.");
    terminal.wait_for("> ");
    says(&mut terminal, "And now?", "Hello from the fake provider.");

    let bodies = team.questions();
    let (before, after) = (input(&bodies[1]), input(&bodies[2]));
    // What stands in front says the day, which may be another one by now.
    assert_eq!(after[1..before.len()], before[1..]);
    assert!(before.iter().any(|item| item["encrypted_content"] == "gAAAAthought"), "{before:?}");
    assert_eq!(after[before.len()]["content"][0]["text"], "It is made.");
    assert_eq!(after[before.len() + 1]["content"][0]["text"], "And now?");
    assert_eq!(after.len(), before.len() + 2);
    for member in ["prompt_cache_key", "model", "reasoning", "instructions", "tools"] {
        assert_eq!(bodies[1][member], bodies[2][member], "{member}");
    }
    assert_eq!(kept(&machine).len(), 1);
}

#[test]
fn a_kill_in_the_middle_of_a_turn_loses_nothing_that_was_complete() {
    let (team, machine) = Team::with_a_project();
    let mut terminal = begin(&machine, &[]);
    says(&mut terminal, "One", "Hello from the fake provider.");
    team.provider.script(call_with_thought("touch begun; sleep 300"));
    terminal.types("Two\r");
    terminal.wait_for("run it?");
    terminal.types("y\r");
    patience::until("the script", || machine.project().join("begun").exists().then_some(()));
    terminal.is_killed();

    let mut terminal = start(&machine, &["--resume", &kept(&machine)[0][..6]]);
    terminal.wait_for("its last turn was cut off");
    terminal.wait_for("> Two");
    terminal.wait_for("> ");
    says(&mut terminal, "Three", "Hello from the fake provider.");
    let last = input(team.questions().last().unwrap());
    let texts: Vec<&str> = last.iter().filter_map(|item| item["content"][0]["text"].as_str()).collect();
    assert!(texts.contains(&"One") && texts.contains(&"Two") && texts.contains(&"Three"), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("ended in the middle of this turn")), "{texts:?}");
    let outputs: Vec<&Value> = last.iter().map(|item| &item["output"]).filter(|output| !output.is_null()).collect();
    assert_eq!(outputs, ["aborted"]);
}

#[test]
fn two_at_once_do_not_hold_the_same_conversation() {
    let (team, machine) = Team::with_a_project();
    let mut first = begin(&machine, &[]);
    says(&mut first, "One", "Hello from the fake provider.");
    let id = kept(&machine).remove(0);

    let refused = machine.run_program("sx", &["-p", "Two", "--resume", &id]);
    refused.assert_refused(75);
    assert!(refused.stderr.contains("another sx is holding this conversation") && refused.stderr.contains("--fork"));

    let forked = machine.run_program("sx", &["-p", "Two", "--resume", &id, "--fork"]);
    assert_eq!((forked.code, forked.stdout.as_str()), (0, "Hello from the fake provider.\n"), "{forked:?}");
    let copied = input(team.questions().last().unwrap());
    assert!(copied.iter().any(|item| item["content"][0]["text"] == "One"), "{copied:?}");
    assert_eq!(kept(&machine).len(), 2);

    // The first one goes on, and knows nothing of it.
    says(&mut first, "Three", "Hello from the fake provider.");
    assert!(!input(team.questions().last().unwrap()).iter().any(|item| item["content"][0]["text"] == "Two"));
}

#[test]
fn a_copy_is_made_only_when_its_conversation_can_begin() {
    let (team, machine) = Team::with_a_project();
    let blind = json!({"slug": "blind", "visibility": "list", "input_modalities": ["text"]});
    team.provider.oracle().settings_mut().models = Some(json!({ "models": [blind] }));
    assert_eq!(machine.run_program("sx", &["-p", "One"]).code, 0);
    let id = kept(&machine).remove(0);
    image::RgbImage::new(3, 2).save(machine.home().join("a.png")).unwrap();
    let picture = ["-p", "Two", "-i", "a.png", "-m", "blind", "--resume", &id, "--fork"];
    machine.run_program("sx", &picture).assert_refused(64);
    assert_eq!(kept(&machine), std::slice::from_ref(&id));

    let machine = machine.with("CODEX_TOKEN_SOURCE", "pigeon");
    assert_eq!(start(&machine, &["--resume", &id, "--fork"]).ends(), Some(78));
    assert_eq!((kept(&machine), team.questions().len()), (vec![id], 1));
}

#[test]
fn another_conversation_is_chosen_from_a_list() {
    let (team, machine) = Team::with_a_project();
    for prompt in ["Apples", "Pears"] {
        let mut terminal = begin(&machine, &[]);
        says(&mut terminal, prompt, "Hello from the fake provider.");
        leaves(terminal);
    }
    let mut terminal = start(&machine, &["--resume"]);
    terminal.wait_for(" 1  ");
    terminal.wait_for("Pears");
    terminal.wait_for(" 2  ");
    terminal.wait_for("Apples");
    terminal.wait_for("which one? (1 to 2, Enter for none) ");
    terminal.types("2\r");
    terminal.wait_for("> Apples");
    terminal.wait_for("> ");
    // And from within; nothing was said meanwhile, so the order is the same.
    terminal.types("/resume\r");
    terminal.wait_for("which one?");
    terminal.types("1\r");
    terminal.wait_for("> Pears");
    terminal.wait_for("> ");
    says(&mut terminal, "Plums", "Hello from the fake provider.");
    let texts: Vec<Value> =
        input(team.questions().last().unwrap()).iter().map(|item| item["content"][0]["text"].clone()).collect();
    assert!(texts.contains(&json!("Pears")) && !texts.contains(&json!("Apples")), "{texts:?}");
    // A new one begins, and the one before is free for others.
    terminal.types("/clear\r");
    terminal.wait_for("a new conversation");
    let freed = machine.run_program("sx", &["sessions", "list", "--all"]);
    assert_eq!(freed.stdout.lines().count(), 2, "{freed:?}");
    let id = freed.stdout.split_whitespace().next().unwrap().to_owned();
    assert_eq!(machine.run_program("sx", &["-p", "Free?", "--resume", &id]).code, 0);
}

#[test]
fn one_prompt_is_kept_and_gone_on_with_unless_nothing_is_to_be_kept() {
    let (team, machine) = Team::with_a_project();
    assert_eq!(machine.run_program("sx", &["-p", "Secretly", "--ephemeral"]).code, 0);
    assert_eq!(kept(&machine).len(), 0);
    machine.run_program("sx", &["-p", "Hello?", "--continue"]).assert_refused(64);
    assert_eq!(machine.run_program("sx", &["-p", "One", "--json"]).code, 0);
    let answer = machine.run_program("sx", &["-p", "Two", "--continue"]);
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("Hello from the fake provider.\n", ""));
    let texts: Vec<Value> =
        input(team.questions().last().unwrap()).iter().map(|item| item["content"][0]["text"].clone()).collect();
    assert_eq!(texts, ["One", "Hello from the fake provider.", "Two"]);
    // Read, and not added to.
    assert_eq!(machine.run_program("sx", &["-p", "Three", "--continue", "--ephemeral"]).code, 0);
    let id = kept(&machine).remove(0);
    let usage: Value =
        serde_json::from_slice(&fs::read(sessions(&machine).join(&id).join("usage.json")).unwrap()).unwrap();
    assert_eq!((usage["turns"].as_u64(), usage["usage"]["input_tokens"].as_u64()), (Some(2), Some(84)));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(sessions(&machine).join(&id).join("transcript.jsonl")), 0o600);
    assert_eq!((mode(sessions(&machine)), mode(sessions(&machine).join(&id))), (0o700, 0o700));
}

#[test]
fn what_is_kept_is_listed_shown_exported_and_deleted() {
    let (team, machine) = Team::with_a_project();
    team.provider.script(Script::message("A fence:\n\n```\nopen\u{1b}[2J"));
    assert_eq!(machine.run_program("sx", &["-p", "Why\u{1b}[2J?"]).code, 0);
    let run = |arguments: &[&str]| machine.run_program("sx", &[&["sessions"], arguments].concat());
    let listed = run(&["list"]);
    assert!(listed.stdout.contains("49  Why?[2J?"), "{listed:?}");
    let id = listed.stdout.split_whitespace().next().unwrap().to_owned();
    let json: Value = serde_json::from_str(&run(&["list", "--json"]).stdout).unwrap();
    assert_eq!((json["prompt"].as_str(), json["usage"]["total_tokens"].as_u64()), (Some("Why\u{1b}[2J?"), Some(49)));

    let shown = run(&["show", &id]);
    assert!(shown.stdout.contains("> Why?\n") && shown.stdout.contains("open\n```\n"), "{shown:?}");
    assert!(!shown.stdout.contains('\u{1b}'), "{shown:?}");
    let file = machine.home().join("talk.md");
    assert_eq!(run(&["export", &id, "-o", "talk.md"]).code, 0);
    let exported = fs::read_to_string(&file).unwrap();
    assert!(exported.starts_with("# Conversation ") && exported.ends_with("open\u{1b}[2J\n```\n"), "{exported}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    run(&["export", &id, "-o", "talk.md"]).assert_refused(64);

    run(&["delete", &id]).assert_refused(64);
    run(&["delete", &id, "ffff-nothing", "--yes"]).assert_refused(64);
    assert!(run(&["delete", "--older-than", "1h", "--yes"]).stderr.contains("no conversation is that old"));
    assert_eq!(kept(&machine).len(), 1);
    assert_eq!(run(&["delete", &id, "--yes"]).code, 0);
    assert_eq!(kept(&machine).len(), 0);
    run(&["show", &id]).assert_refused(64);
}

#[test]
fn on_a_terminal_nothing_is_deleted_without_a_yes() {
    let (_team, machine) = Team::with_a_project();
    assert_eq!(machine.run_program("sx", &["-p", "Keep me"]).code, 0);
    let id = kept(&machine).remove(0);
    for (answer, left) in [("\r", 1), ("no\r", 1), ("yes\r", 0)] {
        let mut terminal = start(&machine, &["sessions", "delete", &id]);
        terminal.wait_for("Keep me");
        terminal.wait_for("delete it for good? (yes, no) ");
        terminal.types(answer);
        assert_eq!(terminal.ends(), Some(0));
        assert_eq!(kept(&machine).len(), left, "{answer:?}");
    }
}

#[test]
fn where_nothing_can_be_kept_the_conversation_goes_on() {
    let (team, machine) = Team::with_a_project();
    let machine = machine.with("XDG_STATE_HOME", "/dev/null");
    let mut terminal = begin(&machine, &[]);
    terminal.types("One\r");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("from here on this conversation is not kept");
    terminal.wait_for("> ");
    terminal.types("Two\r");
    let between = terminal.wait_for("left]");
    assert!(!between.contains("not kept"), "{between}");
    assert!(input(&team.questions()[1]).iter().any(|item| item["content"][0]["text"] == "One"));
}

#[test]
fn the_traffic_log_tells_everything_but_secrets() {
    let (team, machine) = Team::with_a_project();
    let tokens = team.issued();
    let key = team.given_a_client("other").key.0;
    let refresh_token = tokens.refresh_token.clone().unwrap();
    let mut secrets = vec![tokens.access_token.clone(), tokens.id_token, refresh_token, tokens.account.account_id, key];
    // The worst case: all of them are in what a tool printed, and the model repeats them.
    let all = secrets.join(" ");
    fs::write(machine.home().join("auth.json"), json!({"tokens": secrets}).to_string()).unwrap();
    let mut answer = Script::message(&format!("Your token is {}\u{1f980}, all: {all}", tokens.access_token));
    let thought = json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAAAthought"});
    answer
        .steps
        .insert(1, Step::Event(json!({"type": "response.output_item.done", "output_index": 0, "item": thought})));
    team.provider.script(answer);
    secrets.extend(["gAAAAthought".to_owned(), tokens.access_token[..60].to_owned()]);
    let first = machine.run_program("sx", &["-p", "What is it?", "auth.json", "--log-traffic"]);
    assert!(first.stdout.contains(&tokens.access_token), "{first:?}");
    assert_eq!(machine.run_program("sx", &["-p", "Thanks", "--continue", "--log-traffic"]).code, 0);

    let path = sessions(&machine).join(kept(&machine).remove(0)).join("traffic.jsonl");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let log = fs::read_to_string(&path).unwrap();
    for secret in &secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds = |kind: &str| lines.iter().filter(|line| line["traffic"] == kind).count();
    assert_eq!((kinds("asked"), kinds("answered")), (2, 2), "{log}");
    assert_eq!(lines[0]["headers"]["authorization"], "[masked]");
    assert_eq!(lines[0]["body"]["model"], "gpt-5.5");
    assert!(log.contains("What is it?") && log.contains("response.completed") && log.contains("Thanks"), "{log}");
}

#[test]
fn nothing_is_asked_when_the_traffic_log_cannot_be_opened() {
    let (team, machine) = Team::with_a_project();
    assert_eq!(machine.run_program("sx", &["-p", "One"]).code, 0);
    let id = kept(&machine).remove(0);
    let folder = sessions(&machine).join(&id);
    let in_the_way = folder.join("traffic.jsonl");
    fs::create_dir(&in_the_way).unwrap();
    let transcript = || fs::read_to_string(folder.join("transcript.jsonl")).unwrap();
    let before = transcript();
    let refused = machine.run_program("sx", &["-p", "Two", "--continue", "--log-traffic"]);
    refused.assert_refused(64);
    let said = format!("{} cannot be opened, so nothing was asked", in_the_way.display());
    assert!(refused.stderr.contains(&said) && refused.stderr.contains("leave out --log-traffic"), "{refused:?}");
    assert_eq!(transcript(), before);

    // One that is held has a log, and then there is another one.
    let mut terminal = begin(&machine, &["--log-traffic"]);
    says(&mut terminal, "Three", "Hello from the fake provider.");
    terminal.types(&format!("/resume {id}\r"));
    terminal.wait_for("> One");
    terminal.wait_for("> ");
    terminal.types("Four\r");
    terminal.wait_for(&said);
    terminal.wait_for("> ");
    assert_eq!(team.questions().len(), 2);
    fs::remove_dir(&in_the_way).unwrap();
    says(&mut terminal, "Five", "Hello from the fake provider.");
    assert!(fs::read_to_string(&in_the_way).unwrap().contains("Five"));
    leaves(terminal);

    let requests = team.provider.log().len();
    let nowhere = machine.with("XDG_STATE_HOME", "/dev/null");
    let refused = nowhere.run_program("sx", &["-p", "Six", "--log-traffic"]);
    refused.assert_refused(64);
    assert!(refused.stderr.contains("/dev/null/scorpiox/sessions/ID/traffic.jsonl cannot be opened"), "{refused:?}");
    assert_eq!(team.provider.log().len(), requests, "no models either");
}

#[test]
fn a_transcript_of_a_newer_version_is_left_alone() {
    let (_team, machine) = Team::with_a_project();
    assert_eq!(machine.run_program("sx", &["-p", "One"]).code, 0);
    let id = kept(&machine).remove(0);
    let path = sessions(&machine).join(&id).join("transcript.jsonl");
    let newer = fs::read_to_string(&path).unwrap().replacen("\"schema\":1", "\"schema\":2", 1) + "{\"torn";
    fs::write(&path, &newer).unwrap();
    let refused = machine.run_program("sx", &["-p", "Two", "--resume", &id]);
    refused.assert_refused(69);
    assert!(refused.stderr.contains("newer version") && refused.stderr.contains("update sx"), "{refused:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
}

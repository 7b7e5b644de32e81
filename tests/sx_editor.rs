//! What a person types into `sx`, and the terminal that they get back.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use fake_provider::{Endpoint, Fault, How, Script, Step};
use rustix::process::Signal;
use scorpiox_tests::process::patience;
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

const ANSWER: &str = "Hello from the fake provider.";
const UP: &str = "\u{1b}[A";

struct Scene {
    team: Team,
    machine: FetchToken,
}

impl Scene {
    fn new() -> Self {
        let (team, machine) = Team::with_a_developer(|plan| plan);
        let machine = machine.at_a_plain_terminal();
        let machine = machine.with("LANG", "C.UTF-8");
        let scene = Self { team, machine };
        fs::create_dir(scene.project()).unwrap();
        scene
    }

    fn project(&self) -> PathBuf {
        self.machine.home().join("project")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.machine.command_of("sx", arguments);
        command.current_dir(self.project());
        command
    }

    /// A conversation that has shown its prompt.
    fn begins(&self) -> Terminal {
        self.begins_with(&[])
    }

    fn begins_with(&self, arguments: &[&str]) -> Terminal {
        let mut terminal = Terminal::start(self.command(arguments));
        terminal.wait_for("/help for help");
        terminal.wait_for("> ");
        terminal
    }

    /// What was asked last, request by request.
    fn asked(&self) -> Vec<String> {
        let log = self.team.provider.log_of(Endpoint::Responses);
        log.iter().map(|entry| last_text(entry.conversation.as_ref().unwrap())).collect()
    }

    /// The next answer begins and does not end soon.
    fn answers_slowly(&self, text: &str) {
        let mut script = Script::message(text);
        script.steps.insert(3, Step::DelayMs(120_000));
        self.team.provider.script(script);
    }
}

fn last_text(body: &Value) -> String {
    let item = body["input"].as_array().unwrap().last().unwrap();
    item["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// An answer and the prompt behind it.
fn is_answered(terminal: &mut Terminal) {
    terminal.wait_for(ANSWER);
    terminal.wait_for("context");
    terminal.wait_for("> ");
}

#[test]
fn what_was_entered_is_found_in_the_next_conversation() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    for line in ["First question\r", " not kept\r", "two\nlines\r"] {
        terminal.types(line);
        is_answered(&mut terminal);
    }
    terminal.types("\u{4}");
    assert_eq!(terminal.ends(), Some(0));
    let file = scene.machine.home().join(".local/state/scorpiox/history");
    assert_eq!(fs::read_to_string(&file).unwrap(), "\"First question\"\n\"two\\nlines\"\n");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut terminal = scene.begins();
    terminal.types(&format!("{UP}\r"));
    is_answered(&mut terminal);
    terminal.types("\u{12}First");
    terminal.wait_for("First question");
    terminal.types("\r");
    is_answered(&mut terminal);
    assert_eq!(scene.asked()[3..], ["two\nlines", "First question"]);
}

#[test]
fn what_is_entered_where_nothing_is_kept_is_not() {
    let scene = Scene::new();
    let mut terminal = scene.begins_with(&["--ephemeral"]);
    terminal.types("For nobody\r");
    is_answered(&mut terminal);
    terminal.types(&format!("{UP}\r"));
    is_answered(&mut terminal);
    terminal.types("\u{4}");
    assert_eq!(terminal.ends(), Some(0));
    assert_eq!(scene.asked(), ["For nobody", "For nobody"]);
    assert!(!scene.machine.home().join(".local/state/scorpiox/history").exists());
}

#[test]
fn a_prompt_can_have_several_lines() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    let typed = [
        ("one\\\rtwo\r", "one\ntwo"),
        ("one\ntwo\r", "one\ntwo"),
        ("one\u{1b}\rtwo\r", "one\ntwo"),
        ("```\rlet x;\r```\r", "```\nlet x;\n```"),
        ("```\ropen\r\r\r", "```\nopen"),
    ];
    for (keys, expected) in typed {
        terminal.types(keys);
        is_answered(&mut terminal);
        assert_eq!(scene.asked().last().unwrap(), expected, "{keys:?}");
    }
    assert_eq!(scene.asked().len(), typed.len());
}

#[test]
fn what_is_pasted_waits_for_enter() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    terminal.types("\u{1b}[200~first\rsecond\r\u{1b}[201~");
    terminal.wait_for("second");
    assert!(scene.asked().is_empty());
    terminal.types("third\r");
    is_answered(&mut terminal);
    assert_eq!(scene.asked(), ["first\nsecond\nthird"]);
}

#[test]
fn commands_models_and_files_are_completed_and_closed_files_are_not() {
    let scene = Scene::new();
    for name in ["notes.md", "my plan.txt"] {
        fs::write(scene.project().join(name), "").unwrap();
    }
    fs::create_dir(scene.machine.home().join(".ssh")).unwrap();
    fs::write(scene.machine.home().join(".ssh/id_secret"), "").unwrap();
    let mut terminal = scene.begins();
    terminal.types("/appr\tau\t\r");
    terminal.wait_for("approvals: auto-edit");
    terminal.types("/mod\tgp\t\r");
    terminal.wait_for("model gpt-5.5");
    terminal.types("read @no\tand @my\t\r");
    is_answered(&mut terminal);
    terminal.types("see ~/.ssh/id_\t\r");
    is_answered(&mut terminal);
    assert_eq!(scene.asked(), ["read @notes.mdand @\"my plan.txt\"", "see ~/.ssh/id_"]);
}

#[test]
fn ctrl_c_takes_a_line_back_and_twice_leaves() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    terminal.types("never sent\u{3}");
    terminal.wait_for("Ctrl-C again or Ctrl-D leaves");
    terminal.wait_for("> ");
    terminal.types("sent\r");
    is_answered(&mut terminal);
    for _ in 0..2 {
        terminal.types("taken back");
        terminal.wait_for("taken back");
        terminal.types("\u{3}");
        terminal.wait_for("Ctrl-C again or Ctrl-D leaves");
        terminal.wait_for("> ");
    }
    terminal.types("\u{3}");
    assert_eq!(terminal.ends(), Some(0));
    assert!(terminal.is_as_before());
    assert_eq!(scene.asked(), ["sent"]);
}

#[test]
fn what_is_typed_while_an_answer_comes_is_the_next_prompt_and_is_not_shown_in_between() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    let mut slow = Script::message("Slowly.");
    slow.steps.insert(3, Step::DelayMs(1_500));
    scene.team.provider.script(slow);
    terminal.types("One\r");
    terminal.wait_for("Slow");
    terminal.types("Two\r");
    let between = terminal.wait_for("context");
    assert!(!between.contains("Two"), "{between}");
    is_answered(&mut terminal);
    assert_eq!(scene.asked(), ["One", "Two"]);
}

#[test]
fn what_was_typed_before_a_question_comes_back_as_text() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    let mut slow = Script::function_call("shell_command", &json!({ "command": "true" }), "call_1");
    slow.steps.insert(1, Step::DelayMs(1_500));
    scene.team.provider.script(slow);
    terminal.types("One\r");
    scene.team.provider.wait_until(|oracle| oracle.log().iter().any(|entry| entry.endpoint == Endpoint::Responses));
    terminal.types("what else\r");
    terminal.wait_for("run it?");
    terminal.types("n\r");
    is_answered(&mut terminal);
    terminal.wait_for("what else");
    terminal.types("?\r");
    is_answered(&mut terminal);
    assert_eq!(scene.asked().last().unwrap(), "what else?");
}

#[test]
fn a_signal_at_the_prompt_or_in_an_answer_gives_the_terminal_back() {
    let scene = Scene::new();
    for signal in [Signal::TERM, Signal::HUP] {
        let mut terminal = scene.begins();
        patience::until("a prompt that reads keys", || (!terminal.is_as_before()).then_some(()));
        terminal.signals(signal);
        assert_eq!(terminal.ends(), None, "it ends by the signal");
        assert!(terminal.is_as_before(), "{signal:?} at the prompt");
        let mut terminal = scene.begins();
        scene.answers_slowly("This takes long.");
        terminal.types("Tell me\r");
        terminal.wait_for("This");
        assert!(!terminal.is_as_before());
        terminal.signals(signal);
        assert_eq!(terminal.ends(), None);
        assert!(terminal.is_as_before(), "{signal:?} in an answer");
    }
}

#[test]
fn a_second_interruption_leaves_and_gives_the_terminal_back() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    // Nobody looks whether the person has had enough while the plan's limits are asked for.
    let slow = Fault { delay_ms: 60_000, ..Fault::on(Endpoint::Usage, How::Plain) };
    scene.team.provider.fault(slow);
    terminal.types("/usage\r");
    scene.team.provider.wait_until(|oracle| oracle.log().iter().any(|entry| entry.endpoint == Endpoint::Usage));
    terminal.interrupts();
    // The two may become one when they come at once.
    let code = patience::until("the end after a second interruption", || {
        terminal.signals(Signal::INT);
        terminal.has_ended()
    });
    assert_eq!(code, Some(130));
    assert!(terminal.is_as_before());
}

#[test]
fn a_closed_terminal_ends_the_conversation() {
    let scene = Scene::new();
    let terminal = scene.begins();
    assert!(terminal.closes().is_some(), "it ends by itself");
    let mut terminal = scene.begins();
    let mut slow = Script::message("This takes a while.");
    slow.steps.insert(3, Step::DelayMs(1_000));
    scene.team.provider.script(slow);
    terminal.types("Tell me\r");
    terminal.wait_for("This");
    assert!(terminal.closes().is_some());
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let mut terminal = Terminal::start(Command::new(env!("CARGO_BIN_EXE_panics-at-the-keyboard")));
    let shown = terminal.wait_for("on purpose");
    assert!(shown.contains("\u{1b}[?2004h") && shown.contains("\u{1b}[?2004l"), "{shown:?}");
    assert_eq!(terminal.ends(), Some(101));
    assert!(terminal.is_as_before());
}

/// An interactive shell with job control, in which the conversation is a job.
fn shell(scene: &Scene) -> Terminal {
    let sx = scene.command(&[]);
    let mut shell = Command::new("setsid");
    shell.args(["--ctty", "--wait", "bash", "--norc", "--noprofile", "-i"]).current_dir(scene.project());
    shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("PS1", "shell$ ");
    shell.envs(sx.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut terminal = Terminal::start(shell);
    terminal.wait_for("shell$ ");
    terminal.types(&format!("{}\r", sx.get_program().to_str().unwrap()));
    terminal.wait_for("/help for help");
    terminal.wait_for("> ");
    terminal
}

#[test]
fn ctrl_z_goes_to_the_shell_and_fg_comes_back() {
    let scene = Scene::new();
    let mut terminal = shell(&scene);
    terminal.types("half a line");
    terminal.wait_for("half a line");
    for _ in 0..2 {
        terminal.types("\u{1a}");
        terminal.wait_for("Stopped");
        terminal.wait_for("shell$ ");
        terminal.types("stty -a | tr ' ' '\\n' | grep -x -e -echo -e -icanon || echo all is  well | tr -s ' '\r");
        terminal.wait_for("all is well");
        terminal.wait_for("shell$ ");
        terminal.types("fg\r");
        terminal.wait_for("half a line");
    }
    terminal.types("!\r");
    is_answered(&mut terminal);
    assert_eq!(scene.asked(), ["half a line!"]);
    scene.answers_slowly("This takes long.");
    terminal.types("Tell me\r");
    terminal.wait_for("This");
    terminal.types("\u{1a}");
    terminal.wait_for("shell$ ");
    terminal.types("fg\r");
    terminal.wait_for("sx");
    patience::until("the conversation in front", || (!terminal.is_as_before()).then_some(()));
    terminal.types("\u{3}");
    terminal.wait_for("stopped; the conversation goes on from here");
    terminal.wait_for("> ");
    terminal.types("/quit\r");
    terminal.wait_for("shell$ ");
    terminal.types("exit\r");
    terminal.ends();
}

#[test]
fn a_window_that_changes_its_size_changes_nothing_of_what_was_typed() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    let long = "a long line ".repeat(12);
    terminal.types(&long);
    for columns in [40, 200, 20, 80] {
        terminal.resizes(columns);
    }
    terminal.types("and its end\r");
    is_answered(&mut terminal);
    assert_eq!(scene.asked(), [format!("{long}and its end")]);
}

#[test]
fn the_first_prompt_can_stand_behind_the_command() {
    let scene = Scene::new();
    let mut terminal = scene.begins_with(&["why is this"]);
    terminal.wait_for("why is this");
    is_answered(&mut terminal);
    terminal.types("/quit\r");
    assert_eq!(terminal.ends(), Some(0));
    assert_eq!(scene.asked(), ["why is this"]);
}

#[test]
fn a_profile_is_used_from_here_on_and_kept_only_when_that_is_said() {
    let scene = Scene::new();
    let settings = scene.machine.home().join(".config/scorpiox");
    fs::create_dir_all(settings.join("scorpiox-env")).unwrap();
    let profile = "CODEX_REASONING_EFFORT=low\nTOOLS=0\nCODEX_SSH_HOST=elsewhere.example\n";
    fs::write(settings.join("scorpiox-env/brief.txt"), profile).unwrap();
    let mut terminal = scene.begins();
    terminal.types("/profile\r");
    terminal.wait_for("  brief");
    terminal.types("/use brief\r");
    terminal.wait_for("the model has no tools");
    terminal.wait_for("effort low");
    terminal.wait_for("CODEX_SSH_HOST has changed: it holds from the next start of sx");
    terminal.types("/use nowhere\r");
    terminal.wait_for("this conversation goes on as it was");
    terminal.types("/status\r");
    let status = terminal.wait_for("instructions");
    for line in ["gpt-5.5, effort low", "token from   remote", "profile      brief", "tools        none"] {
        assert!(status.contains(line), "{line}: {status}");
    }
    assert!(!settings.join("scorpiox-env.txt").exists());
    terminal.types("/use off\r");
    terminal.wait_for("the model has tools");
    terminal.types("/profile brief --save\r");
    terminal.wait_for("written in");
    assert_eq!(fs::read_to_string(settings.join("scorpiox-env.txt")).unwrap(), "ACTIVE_PROFILE=brief\n");
    terminal.types("And?\r");
    is_answered(&mut terminal);
    let log = scene.team.provider.log_of(Endpoint::Responses);
    let body = log[0].conversation.as_ref().unwrap();
    assert_eq!(body["reasoning"]["effort"], "low");
    assert!(body["tools"].as_array().is_none_or(Vec::is_empty), "{body}");
}

#[test]
fn the_settings_are_edited_here_and_hold_at_once() {
    let scene = Scene::new();
    let settings = scene.machine.home().join(".config/scorpiox");
    fs::create_dir_all(&settings).unwrap();
    let mut terminal = scene.begins();
    terminal.types("/config\r");
    terminal.wait_for("\u{1b}[?1049h");
    // Somebody changes it in the meantime, as the editor would.
    let mut file = fs::File::create(settings.join("scorpiox-env.txt")).unwrap();
    file.write_all(b"CODEX_REASONING_EFFORT=high\n").unwrap();
    terminal.types("q");
    terminal.wait_for("\u{1b}[?1049l");
    terminal.wait_for("model gpt-5.5, effort high");
    terminal.wait_for("> ");
    terminal.types("/config\r");
    terminal.wait_for("\u{1b}[?1049h");
    terminal.types("q");
    terminal.wait_for("the settings are as they were");
}

#[test]
fn a_slip_in_a_command_is_understood_and_models_have_numbers() {
    let scene = Scene::new();
    let mut terminal = scene.begins();
    terminal.types("/modle\r");
    terminal.wait_for("is /model meant?");
    terminal.types("/model\r");
    terminal.wait_for("*  1  gpt-5.5");
    terminal.types("/model haiku\r");
    terminal.wait_for("gpt-5.5 answers");
    terminal.types("/model 1\r");
    terminal.wait_for("model gpt-5.5, effort its own");
    terminal.types("/model 99\r");
    terminal.wait_for("the list has no number 99");
    assert!(scene.asked().is_empty());
}

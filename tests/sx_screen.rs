//! What a person sees of an answer of `sx` at a terminal, and what a program reads of it.

use std::fs;

use fake_provider::{Endpoint, Fault, How, Script, Step};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

const COLOURS: [(&str, &str); 2] = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8")];

fn a_team(settings: &[(&str, &str)]) -> (Team, FetchToken) {
    let (team, machine) = Team::with_a_developer(|plan| plan);
    let machine = machine.with("TZ", "UTC");
    let machine = settings.iter().fold(machine, |machine, (name, value)| machine.with(name, value));
    fs::create_dir(machine.home().join("project")).unwrap();
    (team, machine)
}

fn begin(settings: &[(&str, &str)]) -> (Team, FetchToken, Terminal) {
    let (team, machine) = a_team(settings);
    let mut command = machine.command_of("sx", &[]);
    command.current_dir(machine.home().join("project"));
    let mut terminal = Terminal::start(command);
    terminal.wait_for("model gpt-5.5, effort its own");
    terminal.wait_for("> ");
    (team, machine, terminal)
}

/// Headers that say how much of five hours and of a week is used.
fn used(percent: &str, resets_at: &str) -> Fault {
    let fault = Fault::on(Endpoint::Responses, How::Plain);
    let fault = fault.header("x-codex-primary-used-percent", percent).header("x-codex-primary-window-minutes", "300");
    let fault = fault.header("x-codex-primary-reset-at", resets_at);
    fault.header("x-codex-secondary-used-percent", "4.9").header("x-codex-secondary-window-minutes", "10080")
}

/// What a terminal of 24 rows and 80 columns shows at last of all that was written to it, with what has scrolled away.
fn on_the_screen(written: &str) -> Vec<String> {
    let mut terminal = vt100::Parser::new(24, 80, 1000);
    terminal.process(written.as_bytes());
    let mut lines = Vec::new();
    for above in (1..=1000).rev() {
        terminal.screen_mut().set_scrollback(above);
        if terminal.screen().scrollback() == above {
            lines.extend(terminal.screen().rows(0, 80).next());
        }
    }
    terminal.screen_mut().set_scrollback(0);
    lines.extend(terminal.screen().rows(0, 80));
    lines
}

#[test]
fn an_answer_is_shown_as_it_is_meant() {
    let (team, _machine, mut terminal) = begin(&COLOURS);
    let summary = json!({"type": "response.reasoning_summary_text.delta", "delta": "**Looking**\n\nat it"});
    let answer = "## Found\n\n- a **bad** `word`\n\n```rust\nfn x() {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
    let mut script = Script::message(answer);
    script.steps.insert(1, Step::Event(summary));
    team.provider.script(script);
    terminal.types("Look\r");
    terminal.wait_for("\u{1b}[1;2mLooking\u{1b}[0m");
    terminal.wait_for("\u{1b}[2mat\u{1b}[0m \u{1b}[2mit\u{1b}[0m\r\n");
    terminal.wait_for("\u{1b}[1mFound\u{1b}[0m\r\n");
    terminal.wait_for("• a \u{1b}[1mbad\u{1b}[0m \u{1b}[38;5;31mword\u{1b}[0m\r\n");
    terminal.wait_for("\u{1b}[2m```rust\u{1b}[0m\r\n\u{1b}[38;5;133mfn\u{1b}[0m ");
    terminal.wait_for("\u{1b}[1ma\u{1b}[0m\u{1b}[2m │ \u{1b}[0m\u{1b}[1mb\u{1b}[0m");
    terminal.wait_for("[gpt-5.5  in 42, cached 0  out 7, thought 0  context 100 % left]");
}

#[test]
fn without_colours_and_in_a_pipe_the_marks_stay() {
    let (team, machine, mut terminal) = begin(&[("TERM", "dumb")]);
    let answer = "## Found\n\n- a **bad** `word`\n";
    team.provider.script(Script::message(answer));
    terminal.types("Look\r");
    terminal.wait_for("## Found\r\n\r\n- a **bad** `word`\r\n[gpt-5.5");
    team.provider.script(Script::message(answer));
    let asked = machine.run_program("sx", &["-p", "Look"]);
    assert_eq!((asked.code, asked.stdout.as_str()), (0, answer));
}

#[test]
fn what_is_left_of_the_plan_is_said_below_each_answer_and_a_full_window_once() {
    let (team, _machine, mut terminal) = begin(&COLOURS);
    team.provider.fault(used("27.9", "4102444800"));
    terminal.types("One\r");
    let before = terminal.wait_for("5 hours 27 %, resets 01 Jan 2100 00:00  7 days 4 %]");
    assert!(!before.contains("used up"), "{before}");
    team.provider.fault(used("91", "4102444800"));
    terminal.types("Two\r");
    terminal.wait_for("sx: what the plan allows is nearly used up: 5 hours 91 %, resets 01 Jan 2100 00:00");
    team.provider.fault(used("95", "4102444800"));
    terminal.types("Three\r");
    terminal.wait_for("5 hours 95 %");
    terminal.types("/help\r");
    let after = terminal.wait_for("/quit");
    assert!(!after.contains("used up"), "{after}");
}

#[test]
fn while_nothing_comes_it_is_said_what_is_waited_for_and_nothing_of_it_stays() {
    let (team, _machine, mut terminal) = begin(&COLOURS);
    let mut slow = Script::message("Forty-two.");
    slow.steps.insert(1, Step::DelayMs(3_000));
    team.provider.script(slow);
    terminal.types("How many?\r");
    let mut written = terminal.wait_for("thinking… 1 s");
    written.push_str(&terminal.wait_for("Forty-two."));
    written.push_str(&terminal.wait_for("context"));
    let lines = on_the_screen(&written);
    assert!(lines.iter().any(|line| line == "Forty-two."), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("thinking")), "{lines:?}");
}

#[test]
fn a_repetition_is_counted_down() {
    let (team, _machine, mut terminal) = begin(&COLOURS);
    let busy = How::Status { status: 429, body: Value::Null };
    team.provider.fault(Fault::on(Endpoint::Responses, busy).header("retry-after", "3"));
    terminal.types("How many?\r");
    terminal.wait_for("asking again in 3.");
    let mut written = terminal.wait_for("asking again in 2 s");
    written.push_str(&terminal.wait_for("Hello from the fake provider."));
    assert!(!on_the_screen(&written).iter().any(|line| line.contains("in 2 s")), "{written}");
}

fn script(text: &str) -> Script {
    Script::function_call("shell_command", &json!({ "command": text }), "call_1")
}

#[test]
fn a_command_shows_its_last_lines_while_it_runs_and_each_only_once_in_the_end() {
    let (team, _machine, mut terminal) = begin(&COLOURS);
    team.provider.script(script("for n in 1 2 3 4 5 6; do echo tick-$n; sleep 0.4; done"));
    terminal.types("Tick\r");
    terminal.wait_for("run it?");
    terminal.types("y\r");
    let mut written = terminal.wait_for("tick-3");
    written.push_str(&terminal.wait_for("[running… "));
    written.push_str(&terminal.wait_for("Hello from the fake provider."));
    let lines = on_the_screen(&written);
    for n in 1..=6 {
        let times = lines.iter().filter(|line| line.trim() == format!("tick-{n}")).count();
        assert_eq!(times, 1, "tick-{n}: {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("[running")), "{lines:#?}");
}

#[test]
fn an_interruption_takes_the_running_lines_away() {
    let (team, _machine, mut terminal) = begin(&COLOURS);
    team.provider.script(script("echo begun; sleep 300"));
    terminal.types("Do it\r");
    terminal.wait_for("run it?");
    terminal.types("y\r");
    let mut written = terminal.wait_for("[running… ");
    terminal.interrupts();
    written.push_str(&terminal.wait_for("stopped; the conversation goes on from here"));
    assert!(!on_the_screen(&written).iter().any(|line| line.contains("[running")), "{written}");
}

#[test]
fn a_program_reads_thoughts_costs_and_windows() {
    let (team, machine) = a_team(&[]);
    let summary = json!({"type": "response.reasoning_summary_text.delta", "delta": "Hm"});
    let item = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let mut script = Script::message("Forty-two.");
    script.steps.splice(1..1, [Step::Event(summary), Step::Event(done)]);
    team.provider.script(script);
    team.provider.fault(used("27.9", "4102444800"));
    let answered = machine.run_program("sx", &["-p", "x", "--json"]);
    let lines: Vec<Value> = answered.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().find(|line| line["type"] == kind).unwrap_or_else(|| panic!("{kind}: {lines:?}"));
    let windows = json!([
        {"minutes": 300, "used_percent": 27.9, "resets_at": 4_102_444_800_u64},
        {"minutes": 10_080, "used_percent": 4.9, "resets_at": null},
    ]);
    assert_eq!(of("windows")["windows"], windows);
    assert_eq!((&of("thought")["delta"], &of("reasoning")["summary"]), (&json!("Hm"), &json!(["Hm"])));
    assert_eq!(of("usage")["usage"], of("end")["usage"]);
}

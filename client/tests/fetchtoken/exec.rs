//! `exec`: a command that gets the token in a descriptor or a variable, and nothing else of ours.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal};

use crate::machine::{Ended, Machine, end, finish, key};
use crate::stub_broker::{StubBroker, response, token, token_text};

/// Runs `exec` with these words; nothing of the test's own surroundings is in a descriptor above stderr.
fn exec(machine: &Machine, words: &[&str]) -> Ended {
    end(prepared(machine, words))
}

fn prepared(machine: &Machine, words: &[&str]) -> Command {
    let mut command = machine.in_shell("exec 3>&- 4>&- 5>&- 6>&-; exec \"$0\" exec \"$@\"");
    command.args(words);
    command
}

fn sh<'a>(before: &[&'a str], script: &'a str) -> Vec<&'a str> {
    [before, &["--", "/bin/sh", "-c", script]].concat()
}

fn given() -> (StubBroker, Machine) {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker).with("PATH", std::env::var("PATH").unwrap());
    (broker, machine)
}

#[track_caller]
fn said(ended: &Ended, stdout: &str) {
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), stdout, ""), "{ended:?}");
}

#[test]
fn the_descriptor_holds_the_token_as_often_as_it_is_read_and_cannot_be_changed() {
    let (broker, machine) = given();
    let line = token_text(7);
    said(&exec(&machine, &sh(&[], "cat <&3")), &format!("{line}\n"));
    let twice = "read -r one </dev/fd/3; read -r two </dev/fd/3; echo \"$one\"; echo \"$two\"";
    said(&exec(&machine, &sh(&["--fd", "7"], &twice.replace("fd/3", "fd/7"))), &format!("{line}\n{line}\n"));
    said(&exec(&machine, &sh(&["--fd", "0"], "cat")), &format!("{line}\n"));
    said(&exec(&machine, &sh(&[], "{ echo x >&3; } 2>/dev/null || cat <&3")), &format!("{line}\n"));
    assert_eq!(broker.count(), 1, "the others came from the cache");
}

#[test]
fn a_variable_holds_the_token_and_another_one_the_account() {
    let (_broker, machine) = given();
    let script = "printf '%s %s' \"$TOKEN\" \"$ACCOUNT\"; test ! -e /proc/self/fd/3";
    let ended = exec(&machine, &sh(&["--env", "TOKEN", "--account-env", "ACCOUNT"], script));
    let account = machine.run(&[]).stdout;
    let account: serde_json::Value = serde_json::from_str(&account).unwrap();
    said(&ended, &format!("{} {}", token_text(7), account["account_id"].as_str().unwrap()));
}

#[test]
#[cfg(target_os = "linux")]
fn the_token_is_where_it_was_asked_for_and_nowhere_else() {
    let (_broker, machine) = given();
    let counts = "for list in environ cmdline; do tr '\\0' '\\n' </proc/$$/$list | grep -c -e \"$1\" || true; done";
    let told = |place: &[&str], finds: &str| {
        // In pieces: the test's own words stand in the command's arguments.
        let own = format!("set -- 'eyJ[.]token-of-generation-7'; {counts}; {finds}");
        said(&exec(&machine, &sh(place, &own)), &format!("{}\n", if finds == "true" { "1\n0" } else { "0\n0\n1" }));
    };
    told(&["--env", "TOKEN"], "true");
    told(&["--fd", "9"], "grep -c -e \"$1\" <&9");
    told(&["--fd", "0"], "grep -c -e \"$1\"");
}

#[test]
fn an_account_that_nobody_knows_is_refused_and_nothing_runs() {
    let broker = StubBroker::start(|_, _| response(200, "", r#"{"access_token":"eyJ.a.b"}"#));
    let machine = Machine::for_broker(&broker);
    let touches = sh(&["--account-env", "ACCOUNT"], "touch ran");
    exec(&machine, &touches).failed(78, "nobody knows the account of this token; leave out --account-env");
    assert!(!machine.path("project/ran").exists());
}

#[test]
fn the_command_gets_its_environment_without_our_secrets() {
    let (_broker, machine) = given();
    let machine = machine.with("KEPT", "1").with("CODEX_SSH_PASS", "hunter2");
    let ended =
        exec(&machine, &sh(&["--fd", "5"], "tr '\\0' '\\n' </proc/$$/environ; tr '\\0' '\\n' </proc/$$/cmdline"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let secrets = [key("000000000001", 'A'), "TOKEN_HTTP_API_KEY".into(), "hunter2".into(), token_text(7)];
    for secret in secrets {
        assert!(!ended.stdout.contains(&secret), "{secret} in {ended:?}");
    }
    for kept in ["KEPT=1\n", "CODEX_REMOTE_URL=", "HOME="] {
        assert!(ended.stdout.contains(kept), "{kept} not in {ended:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_other_descriptor_is_open_in_the_command() {
    let (_broker, machine) = given();
    let list =
        "ls -l /proc/self/fd | sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p' | grep -v -e '/proc/' -e pipe: -e /dev/null";
    // The first run asks the broker, the second reads the cache.
    for _ in 0..2 {
        let ended = exec(&machine, &sh(&["--fd", "6"], list));
        said(&ended, "6 -> /memfd:codex-access-token (deleted)\n");
    }
    // On stdin it is there alone too.
    said(&exec(&machine, &sh(&["--fd", "0"], list)), "0 -> /memfd:codex-access-token (deleted)\n");
    let ended = exec(&machine, &sh(&["--env", "TOKEN"], &format!("{list} || true")));
    said(&ended, "");
}

#[test]
fn the_command_is_this_process_and_its_end_is_the_end() {
    let (_broker, machine) = given();
    let child = prepared(&machine, &sh(&[], "echo $$; exit 42")).spawn().unwrap();
    let id = child.id();
    let ended = finish(child);
    assert_eq!((ended.code, ended.stdout), (Some(42), format!("{id}\n")));
    let mut killed = prepared(&machine, &sh(&[], "kill -TERM $$"));
    assert_eq!(killed.status().unwrap().signal(), Some(15));
    // What a shell's pipe relies on: a writer whose reader has gone ends silently.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut writing = prepared(&machine, &["--", "yes"]);
    assert_eq!(writing.stdout(Stdio::from(writer)).status().unwrap().signal(), Some(13));
}

#[test]
fn a_signal_from_elsewhere_is_the_commands_who_may_answer_it_as_it_likes() {
    let (_broker, machine) = given();
    for (answer, code, signal) in [("trap 'exit 7' TERM; ", Some(7), None), ("", None, Some(15))] {
        let waits = format!("{answer}cat <&4 >/dev/null & echo ready; wait $!; exit 9");
        let mut command = machine.in_shell("exec 3>&-; exec \"$0\" exec \"$@\" 4<&0");
        command.args(sh(&[], &waits)).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // As long as this is open, it waits.
        let _open = child.stdin.take();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        rustix::process::kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (code, signal), "{answer}");
    }
}

#[test]
fn a_descriptor_of_the_caller_is_left_to_it_and_no_token_is_asked_for() {
    let (broker, machine) = given();
    let taken = end(machine.in_shell("exec 3</dev/null; exec \"$0\" exec -- true"));
    taken.failed(64, "descriptor 3 is in use by the caller of this command; name a free one with --fd");
    let beyond = end(machine.in_shell("ulimit -n 64; exec \"$0\" exec --fd 64 -- true"));
    beyond.failed(75, "there is no descriptor for the token");
    assert_eq!(broker.count(), 0);
}

#[test]
fn a_command_that_cannot_run_ends_as_in_a_shell() {
    let (_broker, machine) = given();
    exec(&machine, &["--", "no-such-command"]).failed(127, "no-such-command cannot be run: No such file");
    std::fs::write(machine.path("project/plain"), "text").unwrap();
    exec(&machine, &["--", "./plain"]).failed(126, "./plain cannot be run: Permission denied");
    exec(&machine, &["--", "."]).failed(126, "cannot be run");
}

#[test]
fn without_a_token_nothing_runs_and_the_code_says_why() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::for_broker(&broker).with("TOKEN_HTTP_API_KEY", "sxk_cutoff");
    exec(&machine, &sh(&[], "touch ran")).failed(78, "TOKEN_HTTP_API_KEY");
    for wrong in [&["true"][..], &["--fd", "1", "--", "true"], &["--env", "A B", "--", "true"], &[]] {
        exec(&machine, wrong).failed(64, "see --help");
    }
    Machine::new().run(&["--raw", "exec", "--", "true"]).failed(64, "before exec stand");
    assert!(!machine.path("project/ran").exists());
}

#[test]
fn nothing_of_an_answer_is_a_command_to_the_shell_that_evaluates_it() {
    let hostile = r#"a'$(touch${IFS}ran)`touch${IFS}ran`"\;touch${IFS}ran&#"#;
    let answer = serde_json::json!({"access_token": hostile, "expires_in": 900, "account_id": hostile}).to_string();
    let broker = StubBroker::start(move |_, _| response(200, "", &answer));
    let machine = Machine::for_broker(&broker).with("PATH", std::env::var("PATH").unwrap());
    let script = "eval \"$(\"$0\" --format env)\"; printf '%s\\n' \"$CODEX_ACCESS_TOKEN\" \"$CODEX_ACCOUNT_ID\"";
    said(&end(machine.in_shell(script)), &format!("{hostile}\n{hostile}\n"));
    assert!(!machine.path("project/ran").exists());
}

#[test]
fn a_shell_reads_the_assignments_and_other_programs_the_json() {
    let (_broker, machine) = given();
    let script =
        "eval \"$(\"$0\" --format env)\"; echo \"$CODEX_ACCESS_TOKEN $CODEX_ACCOUNT_ID $CODEX_TOKEN_EXPIRES_AT\"";
    let line: serde_json::Value = serde_json::from_str(&machine.run(&[]).stdout).unwrap();
    let (account, expires_at) = (line["account_id"].as_str().unwrap(), line["expires_at"].as_i64().unwrap());
    said(&end(machine.in_shell(script)), &format!("{} {account} {expires_at}\n", token_text(7)));
    let said = machine.run(&["--format", "credential-process"]).stdout;
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((said["Version"].as_i64(), said["AccountId"].as_str()), (Some(1), Some(account)));
    assert_eq!(said["AccessToken"].as_str(), Some(token_text(7).as_str()));
    assert!(said["Expiration"].as_str().is_some_and(|at| at.ends_with('Z')), "{said}");
}

//! The program as a process: exit codes, signals, streams.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A command that sees nothing of this process's environment.
fn broker(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorpiox-broker"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    broker(arguments).output().unwrap()
}

/// Answers every request with `body`.
fn answer_all(data: &Path, body: &'static str) {
    let listener = UnixListener::bind(data.join("admin.sock")).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
}

#[test]
fn a_program_started_without_a_home_ends_as_documented() {
    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["credential", "--help"], 0),
        (&["credential"], 2),
        (&["status", "--data", "/nowhere"], 69),
        (&["check-config", "--config", "/nowhere/broker.toml"], 78),
        (&["up"], 78),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{arguments:?}");
        assert_eq!(output.stderr.is_empty(), code == 0, "{arguments:?}");
    }
}

#[test]
fn ctrl_c_leaves_a_login_cleanly() {
    let data = tempfile::tempdir().unwrap();
    answer_all(
        data.path(),
        r#"{"id":"l1","url":"https://auth.example/d","user_code":"ABCD-EFGH","expires_at":99999999999,"interval":5,"state":"pending"}"#,
    );
    let mut child = broker(&["login", "--data", data.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("ABCD-EFGH") {
        line.clear();
        assert_ne!(talk.read_line(&mut line).unwrap(), 0, "it ended before it showed the code");
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    talk.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.contains("left before the login was finished"), "{rest}");
    assert!(rest.contains("scorpiox-broker credential list --data "), "{rest}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let data = tempfile::tempdir().unwrap();
    answer_all(data.path(), r#"{"items":[],"next":null}"#);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = broker(&["client", "list", "--json", "--data", data.path().to_str().unwrap()]);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{output:?}");
}

#[test]
fn what_goes_to_a_pipe_is_never_coloured() {
    for (name, value) in [("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1")] {
        let output = broker(&["--help"]).env(name, value).output().unwrap();
        assert!(!output.stdout.contains(&0x1b), "{name}");
    }
}

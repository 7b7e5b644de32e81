//! The program `fake-provider` as a person or a script meets it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fake-provider"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect("the line is about the URL").to_owned();
    (child, url)
}

fn end(mut child: Child) {
    let terminated = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn get(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: fake\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_where_it_listens_and_ends_on_sigterm() {
    let (child, url) = start(&["--access-token-life", "60", "--settings", r#"{"refresh_reuse":"refuse_only"}"#]);
    let settings = get(&url, "/_control/settings");
    assert!(settings.contains(r#""access_token_life_s":60"#) && settings.contains(r#""refresh_reuse":"refuse_only""#));
    end(child);
}

#[test]
fn the_ready_file_holds_the_url_and_device_codes_wait_for_a_person() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    let (child, url) = start(&["--ready-file", ready.to_str().unwrap()]);
    // The line comes first, the file right after it.
    while !ready.exists() {
        std::thread::yield_now();
    }
    assert_eq!(std::fs::read_to_string(&ready).unwrap().trim(), url);
    assert!(get(&url, "/_control/settings").contains(r#""approval":"by_hand""#));
    end(child);
}

#[test]
fn wrong_settings_are_refused() {
    for arguments in [["--settings", r#"{"acces_token_life_s":1}"#], ["--access-token-life", "0"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_fake-provider")).args(arguments).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
    }
}

//! Servers that answer nothing, or too much: the command ends, within its time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use scorpiox_tests::process::{FetchToken, patience};
use scorpiox_tests::ssh::Plan;

use super::Laptop;

/// The command's own time is 3.5 seconds with `--raw`; the machine may be busy.
const BOUND: Duration = Duration::from_secs(20);

/// A server that does this with every connection; it ends with the test's process.
fn server(act: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            std::thread::spawn(move || act(stream));
        }
    });
    port
}

fn until_it_hangs_up(mut stream: TcpStream) {
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).is_ok_and(|count| count > 0) {}
}

fn asks(port: u16, arguments: &[&str], code: i32, words: &str) {
    let machine = FetchToken::bare().with("CODEX_TOKEN_SOURCE", "ssh").with("CODEX_SSH_HOST", "127.0.0.1");
    let machine = machine.with("CODEX_SSH_PORT", &port.to_string()).with("CODEX_SSH_USER", "ann");
    let began = patience::now();
    let fetched = machine.run(arguments);
    fetched.assert_refused(code);
    assert!(fetched.stderr.contains(words), "{fetched:?}");
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn a_server_that_says_nothing_is_left() {
    asks(server(until_it_hangs_up), &["--raw"], 75, "did not answer within 3.5 s");
}

#[test]
fn without_raw_it_has_ten_seconds() {
    asks(server(until_it_hangs_up), &[], 75, "did not answer within 10 s");
}

#[test]
fn a_server_that_stops_after_its_banner_is_left() {
    let port = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        until_it_hangs_up(stream);
    });
    asks(port, &["--raw"], 75, "did not answer within 3.5 s");
}

#[test]
fn a_flood_instead_of_a_banner_ends_the_connection() {
    for piece in [&b"lots of words\r\n"[..], b"one endless line "] {
        let port = server(move |mut stream| while stream.write_all(&piece.repeat(1000)).is_ok() {});
        asks(port, &["--raw"], 75, "127.0.0.1 ");
    }
}

#[test]
fn a_flood_after_the_banner_ends_the_connection() {
    let port = server(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        while stream.write_all(&[0xff; 65_536]).is_ok() {}
    });
    asks(port, &["--raw"], 75, "127.0.0.1 ");
}

#[test]
fn a_port_where_nobody_listens_and_a_name_that_nobody_has_are_unreachable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    asks(port, &["--raw"], 75, "cannot be reached");
}

#[test]
fn a_server_that_hangs_up_says_no_ssh() {
    asks(server(drop), &["--raw"], 75, "does not speak ssh");
}

#[test]
fn a_command_that_hangs_is_left() {
    let Some(laptop) = Laptop::with_key(&Plan::default()) else { return };
    laptop.sshd.install("scorpiox-codex-fetchtoken", "exec sleep 15");
    laptop.is_refused(75, &["the command on 127.0.0.1 took longer than 3.5 s"]);
}

#[test]
fn a_login_that_hangs_is_left() {
    let slow = Plan::default().option("AuthorizedKeysCommand /bin/sleep 15").option("AuthorizedKeysCommandUser root");
    let Some(laptop) = Laptop::of(&slow) else { return };
    laptop.key(scorpiox_tests::ssh::Kind::Ed25519, ".ssh/id_ed25519", "");
    laptop.is_refused(75, &["the login at 127.0.0.1 took longer than 3.5 s"]);
}

#[test]
fn a_long_login_banner_is_passed_over_and_an_endless_one_ends_the_connection() {
    for (length, outcome) in [(100_000, Ok(())), (1_000_000, Err(75))] {
        let Some(laptop) = Laptop::with_key(&Plan::default().option("Banner DIRECTORY/banner")) else { return };
        std::fs::write(laptop.sshd.path("banner"), "x".repeat(length)).unwrap();
        match outcome {
            Ok(()) => laptop.gets_token(),
            Err(code) => drop(laptop.is_refused(code, &["the connection to 127.0.0.1 ended"])),
        }
    }
}

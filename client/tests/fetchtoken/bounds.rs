//! A broker, or something in its place, that answers too much, too slowly, or nonsense.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use crate::machine::{Machine, finish_in_time, key};
use crate::stub_broker::{StubBroker, response, token};

#[test]
fn an_endless_answer_is_cut_off() {
    // A good token at its beginning does not make it a good answer.
    let good = String::from_utf8(token(7)).unwrap();
    let long = format!("{}{}", good.split_once("\r\n\r\n").unwrap().1, " ".repeat(70 * 1024));
    let broker = StubBroker::start(move |_, _| response(200, "", &long));
    Machine::for_broker(&broker).raw().failed(75, "longer than a broker's can be");
    let headers = format!("X-Long: {}\r\n", "y".repeat(20 * 1024));
    let broker = StubBroker::start(move |_, _| response(200, &headers, "{}"));
    Machine::for_broker(&broker).raw().failed(75, "longer than a broker's can be");
}

#[test]
fn nonsense_is_no_token() {
    let answers: [&[u8]; 5] = [
        b"",
        b"\x00\x01\x02",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<htm>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"access_token\":",
        b"HTTP/1.1 304 X\r\n\r\n",
    ];
    for answer in answers {
        let broker = StubBroker::start(move |_, _| answer.to_vec());
        let ended = Machine::for_broker(&broker).raw();
        assert!(matches!(ended.code, Some(75 | 78)) && ended.stdout.is_empty(), "{ended:?}");
    }
}

#[test]
fn a_dripped_answer_does_not_outlast_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/codex", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let machine = Machine::new()
        .with("CODEX_TOKEN_SOURCE", "remote")
        .with("CODEX_REMOTE_URL", url)
        .with("TOKEN_HTTP_API_KEY", key("000000000001", 'A'));
    finish_in_time(machine.start(&["--raw"])).failed(75, "did not answer in time");
}

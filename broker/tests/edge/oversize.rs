//! Requests that are larger than they may be, or say two things at once (matrix H2).

use crate::harness::{Answer, BOTH, Edge, Speech};

fn refused(edge: &Edge, request: impl AsRef<[u8]>, status: u16, code: &str) -> Answer {
    let mut client = edge.connect();
    let answer = client.ask(request);
    assert_eq!((answer.status(), answer.code().as_str()), (status, code), "{answer:?}");
    assert_eq!(edge.reached(), 0, "no handler was reached");
    answer
}

#[test]
fn headers_beyond_the_bound_are_a_431() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let long = "x".repeat(16_384);
        refused(&edge, format!("GET /hello HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"), 431, "headers_too_large");
        refused(&edge, format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 431, "headers_too_large");
        let many = "X: y\r\n".repeat(200);
        refused(&edge, format!("GET /hello HTTP/1.1\r\nHost: a\r\n{many}\r\n"), 431, "headers_too_large");
    }
}

#[test]
fn headers_beyond_the_bound_do_not_hide_behind_another_request() {
    let edge = Edge::start(Speech::Plain);
    let mut client = edge.connect();
    let long = "x".repeat(17_000);
    let first = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(format!("{first}GET /hello HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"));
    assert_eq!(client.answer().status(), 200);
    assert_eq!(client.answer().code(), "headers_too_large");
    assert_eq!(edge.reached(), 1);
}

#[test]
fn a_header_bomb_is_not_read_to_its_end() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n");
        let line = format!("X-Bomb: {}\r\n", "x".repeat(1000));
        let sent = (0..200_000).take_while(|_| client.send(&line)).count();
        assert!(sent < 200_000, "{speech:?}: 200 MB were swallowed");
        assert_eq!(edge.reached(), 0);
    }
}

#[test]
fn a_long_authorization_is_a_431() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        for length in [4097, 100_000] {
            let key = "k".repeat(length);
            let request = format!("GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: {key}\r\n\r\n");
            refused(&edge, request, 431, "headers_too_large");
        }
    }
}

#[test]
fn two_authorizations_are_a_400() {
    let edge = Edge::start(Speech::Plain);
    let answer = refused(
        &edge,
        "GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer one\r\nAuthorization: Bearer two\r\n\r\n",
        400,
        "bad_request",
    );
    assert!(!answer.body.contains("one"), "the answer does not repeat a key");
}

#[test]
fn a_declared_body_beyond_the_bound_is_a_413_before_it_is_sent() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        // Whether or not the handler would have read it.
        for (path, head) in [("/echo", ""), ("/ignore", ""), ("/echo", "Expect: 100-continue\r\n")] {
            let request = format!("POST {path} HTTP/1.1\r\nHost: a\r\n{head}Content-Length: 104857600\r\n\r\n");
            let mut client = edge.connect();
            client.send(request);
            let mut answer = client.answer();
            if answer.status() == 100 {
                answer = client.answer();
            }
            assert_eq!((answer.status(), answer.code().as_str()), (413, "too_large"), "{speech:?} {answer:?}");
            assert_eq!(edge.reached(), 0);
        }
    }
}

#[test]
fn a_body_that_is_sent_all_the_same_is_not_taken() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n");
        let sent = (0..1600).take_while(|_| client.send([b'x'; 65_536])).count();
        assert!(sent < 1600, "{speech:?}: 100 MB were swallowed");
        assert_eq!(edge.reached(), 0);
    }
}

#[test]
fn a_chunked_body_beyond_the_bound_is_a_413() {
    for speech in BOTH {
        for path in ["/echo", "/json"] {
            let edge = Edge::start(speech);
            let mut client = edge.connect();
            client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
            for _ in 0..20 {
                client.send(format!("1000\r\n{}\r\n", "1".repeat(4096)));
            }
            let answer = client.answer();
            assert_eq!((answer.status(), answer.code().as_str()), (413, "too_large"), "{speech:?} {path} {answer:?}");
            assert_eq!(edge.reached(), 0);
        }
    }
}

#[test]
fn a_body_within_the_bound_arrives_whole() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let body = "b".repeat(65_536);
        let mut client = edge.connect();
        let declared = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n{body}");
        assert_eq!(client.ask(declared).body, body);
        let chunked =
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n{body}\r\n0\r\n\r\n");
        assert_eq!(client.ask(chunked).body, body);
        assert_eq!(client.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
    }
}

#[test]
fn a_body_that_comes_after_its_head_is_not_taken_for_one() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        for _ in 0..20 {
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n");
            assert_eq!(client.ask([b'b'; 65_536]).body.len(), 65_536, "{speech:?}");
        }
    }
}

#[test]
fn a_length_said_twice_is_a_400() {
    for lengths in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 3\r\n",
        "Content-Length: +3\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
    ] {
        let edge = Edge::start(Speech::Plain);
        refused(&edge, format!("POST /echo HTTP/1.1\r\nHost: a\r\n{lengths}\r\n0\r\n\r\n"), 400, "bad_request");
    }
}

#[test]
fn what_is_no_http_is_a_400() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        for request in
            ["GET\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n", "GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/9.9\r\n\r\n"]
        {
            refused(&edge, request, 400, "bad_request");
        }
    }
}

//! Silent, stalled and dripping clients (matrix H1).

use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{BOTH, CAPS, Edge, Speech, bounds};

const HEAD: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn a_silent_client_gets_a_408_and_is_closed() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        // Inside TLS the handshake needs a first flush.
        client.send(b"");
        assert_eq!(client.answer().code(), "request_timeout", "{speech:?}");
        assert!(client.is_closed());
    }
}

#[test]
fn a_head_that_stalls_gets_a_408() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        let answer = client.ask(b"GET /hello HTTP/1.1\r\nHost: a\r\nX-");
        assert_eq!((answer.status(), answer.code().as_str()), (408, "request_timeout"), "{speech:?}");
        assert!(client.is_closed());
        assert_eq!(edge.reached(), 0);
    }
}

#[test]
fn a_dripped_head_gets_no_more_time_for_its_drops() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        assert!(client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n"));
        // Each drop comes well within the timeout; together they take far longer.
        let drops = (0..100).take_while(|_| {
            std::thread::sleep(Duration::from_millis(50));
            client.send(b"X-Drop: 1\r\n")
        });
        let drops = drops.take(40).count();
        assert!(drops < 40, "{speech:?}: the connection outlived {drops} drops");
        assert_eq!(edge.reached(), 0);
    }
}

#[test]
fn the_head_of_a_later_request_is_bounded_too() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        assert_eq!(client.ask(HEAD).status(), 200);
        assert_eq!(client.ask(HEAD).body, "hello");
        assert_eq!(client.ask(b"GET /hello HT").code(), "request_timeout", "{speech:?}");
        assert!(client.is_closed());
    }
}

#[test]
fn a_half_head_behind_a_whole_request_does_not_hold_the_connection() {
    let edge = Edge::start_with(
        Speech::Plain,
        scorpiox_broker::http::limits::Bounds { keep_alive: Duration::from_millis(300), ..bounds() },
        CAPS,
    );
    let mut client = edge.connect();
    let mut request = HEAD.to_vec();
    request.extend(b"GET /hello HT");
    assert_eq!(client.ask(&request).status(), 200);
    assert!(client.is_closed());
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    for speech in BOTH {
        let bounds = scorpiox_broker::http::limits::Bounds { keep_alive: Duration::from_millis(300), ..bounds() };
        let edge = Edge::start_with(speech, bounds, CAPS);
        let mut client = edge.connect();
        assert_eq!(client.ask(HEAD).status(), 200);
        assert!(client.is_closed(), "{speech:?}");
    }
}

#[test]
fn an_idle_connection_lives_longer_than_a_head_may_take() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        assert_eq!(client.ask(HEAD).status(), 200);
        std::thread::sleep(bounds().header_timeout * 2);
        assert_eq!(client.ask(HEAD).status(), 200, "{speech:?}");
    }
}

#[test]
fn a_tls_handshake_that_does_not_come_is_not_waited_for() {
    let edge = Edge::start(Speech::Tls);
    let mut silent = TcpStream::connect(edge.address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(std::io::Read::read(&mut silent, &mut [0]).unwrap(), 0);
}

#[test]
fn a_body_that_stalls_or_drips_gets_a_408() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(20));
            client.send(b"d");
        }
        let answer = client.answer();
        assert_eq!((answer.status(), answer.code().as_str()), (408, "request_timeout"), "{speech:?}");
        assert!(client.is_closed());
        assert_eq!(edge.reached(), 0);
    }
}

#[test]
fn a_chunked_body_that_stalls_gets_a_408() {
    let edge = Edge::start(Speech::Plain);
    let mut client = edge.connect();
    let answer = client.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    assert_eq!(answer.code(), "request_timeout");
    assert_eq!(edge.reached(), 0);
}

#[test]
fn a_client_that_does_not_read_its_answer_is_cut_off() {
    for speech in BOTH {
        let caps = scorpiox_broker::http::limits::Caps { per_address: 1, loopback_exempt: false, ..CAPS };
        let edge = Edge::start_with(speech, bounds(), caps);
        let mut deaf = edge.connect();
        deaf.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        // The address has one place, so a second client gets in only when the first has been cut off.
        let admitted = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            let mut next = edge.connect();
            next.send(HEAD) && !next.is_closed()
        });
        assert!(admitted, "{speech:?}");
    }
}

#[test]
fn a_handler_that_is_too_slow_is_answered_for() {
    let bounds = scorpiox_broker::http::limits::Bounds { request_timeout: Duration::from_millis(50), ..bounds() };
    let edge = Edge::start_with(Speech::Plain, bounds, CAPS);
    let mut client = edge.connect();
    let answer = client.ask(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status(), answer.code().as_str(), answer.header("retry-after")), (503, "busy", Some("1")));
    assert_eq!(client.ask(HEAD).status(), 200, "the connection is good for another request");
}

//! What an honest client sees.

use scorpiox_broker::http::limits::Bounds;
use scorpiox_broker::http::tls::Reload;

use crate::harness::{BOTH, CAPS, Edge, LocalEdge, Speech, bounds};

const WHO: &str = "GET /who HTTP/1.1\r\nHost: a\r\n";

#[test]
fn each_answer_names_its_request_and_the_handler_knows_the_name() {
    let edge = Edge::start(Speech::Plain);
    let mut client = edge.connect();
    let first = client.ask(format!("{WHO}\r\n"));
    let id = first.header("x-request-id").unwrap().to_owned();
    assert_eq!(first.body, format!("{id} 127.0.0.1"));
    assert_ne!(client.ask(format!("{WHO}\r\n")).header("x-request-id"), Some(id.as_str()));
    assert_eq!(client.ask(format!("{WHO}X-Request-Id: from-a-proxy\r\n\r\n")).body, "from-a-proxy 127.0.0.1");
    let hostile = client.ask(format!("{WHO}X-Request-Id: a b\"c\r\n\r\n"));
    assert!(!hostile.body.contains('"'));
}

#[test]
fn only_a_trusted_proxy_may_say_who_the_client_is() {
    let forwarded = format!("{WHO}X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n\r\n");
    let edge = Edge::start(Speech::Plain);
    assert!(edge.connect().ask(&forwarded).body.ends_with(" 127.0.0.1"));
    let bounds = Bounds { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..bounds() };
    let edge = Edge::start_with(Speech::Plain, bounds, CAPS);
    assert!(edge.connect().ask(&forwarded).body.ends_with(" 198.51.100.7"));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    for speech in BOTH {
        let edge = Edge::start(speech);
        let mut client = edge.connect();
        client.send(format!("{WHO}X-Request-Id: one\r\n\r\n{WHO}X-Request-Id: two\r\n\r\n"));
        assert_eq!(client.answer().header("x-request-id"), Some("one"));
        assert_eq!(client.answer().header("x-request-id"), Some("two"));
    }
}

#[test]
fn draining_answers_what_is_under_way_and_closes_what_is_idle() {
    for speech in BOTH {
        let mut edge = Edge::start(speech);
        let mut idle = edge.connect();
        assert_eq!(idle.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").status(), 200);
        let mut busy = edge.connect();
        busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
        while edge.reached() < 2 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        edge.begin_drain();
        assert_eq!(busy.answer().body, "slow", "{speech:?}");
        assert!(busy.is_closed() && idle.is_closed(), "{speech:?}");
    }
}

#[test]
fn a_reloaded_certificate_is_shown_to_the_next_connection() {
    let edge = Edge::start(Speech::Tls);
    let other = Edge::start(Speech::Tls);
    let mut open = edge.connect();
    assert_eq!(open.ask(format!("{WHO}\r\n")).status(), 200);
    for name in ["tls-certificate.pem", "tls-key.pem"] {
        std::fs::copy(other.directory.path().join(name), edge.directory.path().join(name)).unwrap();
    }
    assert!(edge.handshake().is_err(), "the client trusts only the new one, which is not served yet");
    assert_eq!(edge.certificate.reload().unwrap(), Reload::Replaced);
    assert_eq!(edge.handshake(), Ok(()));
    assert_eq!(open.ask(format!("{WHO}\r\n")).status(), 200, "an open connection goes on");
}

#[test]
fn the_administration_socket_is_bounded_in_the_same_way_but_knows_no_address() {
    let edge = LocalEdge::start();
    assert_eq!(edge.connect().ask(format!("{WHO}X-Request-Id: here\r\n\r\n")).body, "here local");
    assert_eq!(edge.connect().ask("GET /hello HT").code(), "request_timeout");
}

#[test]
fn a_listener_on_port_0_says_which_port_it_got_and_frees_it() {
    let edge = Edge::start(Speech::Plain);
    let address = edge.address;
    assert_ne!(address.port(), 0);
    edge.drain();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_panic_in_a_handler_is_a_500_and_the_connection_goes_on() {
    let edge = Edge::start(Speech::Plain);
    let mut client = edge.connect();
    let answer = client.ask("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status(), answer.code().as_str()), (500, "internal"));
    assert!(answer.header("x-request-id").is_some());
    assert_eq!(client.ask("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
}

//! Paths that could mean two things, and paths that mean nothing (matrix H3).

use crate::harness::{Edge, Speech};

#[test]
fn a_path_with_two_meanings_reaches_no_handler() {
    let edge = Edge::start(Speech::Plain);
    for target in [
        &b"/../hello"[..],
        b"/x/../hello",
        b"/./hello",
        b"/%2e%2e/hello",
        b"/hello%2f",
        b"/hell%6F%00",
        b"/hello\0",
        b"/hello\x01",
        b"/hello%ff",
        b"/hello\xff",
        b"/h\xc3\xa9llo",
        b"/hello?x=%00",
        b"/hello?x=%ff",
        b"/hello?x=\xff",
        b"/hello%",
        b"/hello%0d%0aX:y",
        b"/hello?'%00--",
    ] {
        let mut request = b"GET ".to_vec();
        request.extend(target);
        request.extend(b" HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = edge.connect().ask(&request);
        assert_eq!(answer.code(), "bad_request", "{:?}", String::from_utf8_lossy(target));
    }
    assert_eq!(edge.reached(), 0);
}

#[test]
fn an_unknown_path_and_a_wrong_method_are_problems() {
    let edge = Edge::start(Speech::Plain);
    for (request, status, code) in [
        ("GET /nowhere", 404, "not_found"),
        ("GET /hello/", 404, "not_found"),
        ("GET //hello", 404, "not_found"),
        ("GET /hello';DROP+TABLE+clients;--", 404, "not_found"),
        ("OPTIONS *", 404, "not_found"),
        ("DELETE /echo", 405, "method_not_allowed"),
    ] {
        let answer = edge.connect().ask(format!("{request} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.status(), answer.code().as_str()), (status, code), "{request}: {answer:?}");
        assert!(answer.header("x-request-id").is_some());
    }
}

#[test]
fn a_body_that_does_not_parse_is_a_problem_that_does_not_quote_it() {
    let edge = Edge::start(Speech::Plain);
    let body = r#"{"refresh_token":"canary""#;
    let request = format!("POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = edge.connect().ask(request);
    assert_eq!((answer.status(), answer.code().as_str()), (400, "bad_request"));
    assert!(!answer.body.contains("canary"));
}

//! Each fault as a client sees it.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{parse, post, raw, refresh, refresh_text, refresh_token};
use crate::{Account, ConnectionFault, FakeProvider, Fate, Fault, How, Settings, Tokens};

fn provider_with(fault: Fault) -> (FakeProvider, Tokens) {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    provider.fault(fault);
    (provider, login)
}

fn redeemed(provider: &FakeProvider, login: &Tokens) -> bool {
    provider.oracle().is_redeemed(login.serial)
}

#[test]
fn a_status_comes_with_its_headers_and_redeems_nothing() {
    let fault = Fault::refresh_code(429, "rate_limited").header("Retry-After", "7").header("Date", "yesterday");
    let (provider, login) = provider_with(fault);
    let seen = refresh(&provider, refresh_token(&login)).unwrap();
    assert_eq!((seen.status, seen.code().as_deref()), (429, Some("rate_limited")));
    assert_eq!((seen.header("retry-after"), seen.header("date")), (Some("7"), Some("yesterday")));
    assert_eq!(seen.head.to_lowercase().matches("date:").count(), 1);
    assert!(!redeemed(&provider, &login));
}

#[test]
fn a_status_may_hide_a_redemption() {
    let (provider, login) = provider_with(Fault::refresh_status(502, json!("bad gateway")).redeeming(true));
    assert_eq!(refresh(&provider, refresh_token(&login)).unwrap().body, b"bad gateway");
    assert!(redeemed(&provider, &login));
    refresh(&provider, refresh_token(&login)).unwrap();
    assert!(provider.violations().is_empty(), "a probe is legal: {:?}", provider.violations());
}

#[test]
fn a_cut_before_redeems_nothing() {
    for reset in [false, true] {
        let (provider, login) = provider_with(Fault::refresh(How::CutBefore { reset }));
        let (bytes, end) = raw(&provider, &refresh_text(refresh_token(&login)));
        assert!(bytes.is_empty());
        assert_eq!(end.err().map(|error| error.kind()), reset.then_some(ErrorKind::ConnectionReset));
        assert!(!redeemed(&provider, &login));
        assert_eq!((provider.log()[0].fate, provider.log()[0].status), (Fate::Cut, None));
    }
}

#[test]
fn a_cut_after_redeems_and_says_nothing() {
    for reset in [false, true] {
        let (provider, login) = provider_with(Fault::refresh(How::CutAfter { reset, body_bytes: None }));
        let (bytes, end) = raw(&provider, &refresh_text(refresh_token(&login)));
        assert!(bytes.is_empty());
        assert_eq!(end.err().map(|error| error.kind()), reset.then_some(ErrorKind::ConnectionReset));
        assert!(redeemed(&provider, &login));
        assert_eq!(provider.log()[0].summary(), "200, consumed, cut");
    }
}

#[test]
fn a_cut_in_the_middle_sends_so_much_and_no_more() {
    let (provider, login) = provider_with(Fault::refresh(How::CutAfter { reset: false, body_bytes: Some(40) }));
    let seen = parse(&raw(&provider, &refresh_text(refresh_token(&login))).0).unwrap();
    assert_eq!((seen.status, seen.body.len(), seen.is_whole()), (200, 40, false));
    assert!(redeemed(&provider, &login));
    assert_eq!(provider.log()[0].fate, Fate::Cut);
}

#[test]
fn bodies_that_cannot_be_used() {
    let cases = [
        (How::Garbage, false),
        (How::Html { status: 200 }, false),
        (How::Html { status: 403 }, false),
        (How::TruncatedJson, true),
    ];
    for (how, redeems) in cases {
        let (provider, login) = provider_with(Fault::refresh(how.clone()));
        let seen = refresh(&provider, refresh_token(&login)).unwrap();
        assert!(seen.is_whole() && seen.json() == Value::Null && !seen.body.is_empty(), "{how:?}");
        assert_eq!(redeemed(&provider, &login), redeems, "{how:?}");
    }
}

#[test]
fn a_true_answer_under_another_name() {
    let (provider, login) = provider_with(Fault::refresh(How::ContentType { value: "text/html".into() }));
    let seen = refresh(&provider, refresh_token(&login)).unwrap();
    assert_eq!(seen.header("content-type"), Some("text/html"));
    assert!(seen.json()["refresh_token"].is_string());
}

#[test]
fn a_true_answer_that_is_too_large() {
    let (provider, login) = provider_with(Fault::refresh(How::Oversize { bytes: 70_000 }));
    let seen = refresh(&provider, refresh_token(&login)).unwrap();
    assert_eq!(seen.body.len(), 70_000);
    assert!(seen.json()["refresh_token"].is_string());
}

#[test]
fn a_gzip_bomb_is_small_until_it_is_opened() {
    let (provider, login) = provider_with(Fault::refresh(How::GzipBomb { bytes: 4_000_000 }));
    let seen = refresh(&provider, refresh_token(&login)).unwrap();
    assert_eq!(seen.header("content-encoding"), Some("gzip"));
    assert!(seen.body.len() < 40_000, "{}", seen.body.len());
    let mut opened = Vec::new();
    flate2::read::GzDecoder::new(&seen.body[..]).read_to_end(&mut opened).unwrap();
    assert_eq!(opened.len(), 4_000_000);
}

#[test]
fn a_drip_arrives_whole_in_the_end() {
    let (provider, login) = provider_with(Fault::refresh(How::Drip { every_ms: 0 }));
    let seen = refresh(&provider, refresh_token(&login)).unwrap();
    assert!(seen.is_whole() && seen.json()["access_token"].is_string());
    assert_eq!(provider.log()[0].fate, Fate::Delivered);
}

#[test]
fn a_redirect_that_is_followed_is_a_violation() {
    let how = How::Redirect { status: 307, location: "/somewhere/else".into() };
    let (provider, login) = provider_with(Fault::refresh(how));
    let seen = refresh(&provider, refresh_token(&login)).unwrap();
    assert_eq!((seen.status, seen.header("location")), (307, Some("/somewhere/else")));
    assert!(!redeemed(&provider, &login) && provider.violations().is_empty());
    post(&provider, "/somewhere/else", &json!({"refresh_token": login.refresh_token}));
    assert_eq!(
        provider.violations(),
        ["entry 2: the refresh token of family 1, generation 1 was sent to POST /somewhere/else"]
    );
}

#[test]
fn a_delay_comes_before_the_decision() {
    let (provider, login) = provider_with(Fault::refresh(How::Plain).delay(Duration::from_secs(600)));
    let mut stream = std::net::TcpStream::connect(provider.address()).unwrap();
    stream.write_all(refresh_text(refresh_token(&login)).as_bytes()).unwrap();
    provider.wait_until(|oracle| oracle.refresh_count() == 1);
    assert!(!redeemed(&provider, &login));
    drop(stream);
    provider.wait_until(|oracle| oracle.log()[0].fate == Fate::ClientGone);
    assert!(!redeemed(&provider, &login));
}

#[test]
fn connections_can_fail_before_a_word() {
    let (provider, login) = provider_with(Fault::refresh(How::Plain));
    let request = refresh_text(refresh_token(&login));
    for (fault, expected) in [
        (ConnectionFault::Close, None),
        (ConnectionFault::Reset, Some(ErrorKind::ConnectionReset)),
        (ConnectionFault::Silent, Some(ErrorKind::WouldBlock)),
    ] {
        provider.connection_fault(fault, 1);
        let mut stream = std::net::TcpStream::connect(provider.address()).unwrap();
        if fault == ConnectionFault::Silent {
            stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
        }
        let read = stream.read(&mut [0; 1]);
        assert_eq!(read.as_ref().err().map(std::io::Error::kind), expected, "{fault:?}");
        assert_eq!(read.unwrap_or(0), 0, "{fault:?}");
    }
    assert_eq!((provider.connections(), provider.refresh_count()), (3, 0));
    assert_eq!(refresh(&provider, refresh_token(&login)).unwrap().status, 200);
}

#[test]
fn faults_have_one_shape_in_json() {
    let cases = [
        r#"{"endpoint":"refresh","how":"garbage"}"#,
        r#"{"endpoint":"refresh","how":{"status":{"status":503}},"times":2,"headers":{"Retry-After":"5"}}"#,
        r#"{"endpoint":"refresh","how":{"cut_before":{}},"delay_ms":5}"#,
        r#"{"endpoint":"refresh","how":{"cut_after":{"reset":true,"body_bytes":10}},"hold":"before_answering"}"#,
        r#"{"endpoint":"refresh","how":{"twisted":["without_refresh_token",{"access_token_life":-60},{"jwt":"opaque"}]}}"#,
        r#"{"endpoint":"models","skip":3,"redeem":false}"#,
    ];
    for case in cases {
        let fault: Fault = serde_json::from_str(case).unwrap_or_else(|error| panic!("{case}: {error}"));
        let again: Fault = serde_json::from_value(serde_json::to_value(&fault).unwrap()).unwrap();
        assert_eq!(fault, again);
    }
    for wrong in [r#"{"endpoint":"refresh","hwo":"garbage"}"#, r#"{"endpoint":"refresh","how":{"drip":{"ms":1}}}"#] {
        assert!(serde_json::from_str::<Fault>(wrong).is_err(), "{wrong}");
    }
}

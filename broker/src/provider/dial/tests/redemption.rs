//! One POST, whatever the far side does.

use tokio::sync::oneshot;

use super::*;
use crate::clock::Timestamp;
use crate::domain::answer::Verdict;
use crate::provider::far_side::http;
use crate::provider::hand_clock::START;

#[tokio::test]
async fn a_redemption_is_one_plain_post_and_its_answer_comes_back_as_it_is() {
    let headers = "date: Mon, 21 Sep 2026 14:13:20 GMT\r\nretry-after: 7\r\ncontent-type: text/html\r\n";
    let far_side = FarSide::answering(http("200 OK", headers, TOKENS)).await;
    let answer = answered(given_plain(&far_side).redeem().await);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.as_slice(), TOKENS.as_bytes());
    assert_eq!(answer.received_at, START);
    assert_eq!(answer.date, Some(Timestamp::from_unix(1_790_000_000)));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));

    let request = far_side.received();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"client_id":"app_test","grant_type":"refresh_token","refresh_token":"rt_1"}"#);
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("POST /oauth/token HTTP/1.1"));
    let headers: Vec<_> = lines.map(str::to_ascii_lowercase).collect();
    for expected in [
        format!("host: 127.0.0.1:{}", far_side.port()),
        "connection: close".into(),
        "content-type: application/json".into(),
        "originator: codex_cli_rs".into(),
    ] {
        assert!(headers.contains(&expected), "{expected} in {headers:?}");
    }
    assert!(headers.iter().any(|line| line.starts_with("user-agent: codex_cli_rs/0.169.0 (")), "{headers:?}");
    assert!(!headers.iter().any(|line| line.starts_with("accept-encoding")), "{headers:?}");
    assert_eq!(far_side.connections(), 1);
}

/// Matrix P1.
#[tokio::test]
async fn a_refused_connection_is_unsent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let given = given(&url, trust(None, None).unwrap(), Egress::direct());
    let Err(Unsent(why)) = patiently(given.provider.dial()).await else { panic!("dialed") };
    assert!(why.starts_with("cannot connect to 127.0.0.1:"), "{why}");
}

/// Four ways in which the far side can have left before the request: nothing is written, and that is known.
#[tokio::test]
async fn what_was_over_before_the_request_was_not_written() {
    for way in ["close", "reset", "early answer", "early garbage"] {
        let far_side = FarSide::playing(move |mut talk| async move {
            match way {
                "close" => {}
                "reset" => talk.stream.set_zero_linger().unwrap(),
                "early answer" => talk.say(http("408 Request Timeout", "", "")).await,
                _ => talk.say("garbage").await,
            }
        })
        .await;
        let given = given_plain(&far_side);

        let mut connection = given.dialed().await;
        patiently(async {
            while connection.is_open() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        not_written(given.send_on(connection).await);
        assert_eq!(far_side.received(), "", "{way}");
    }
}

/// The poll before arming saw it open; then it closed, and the runtime had no turn to learn of it.
#[tokio::test]
async fn a_close_of_the_last_moment_is_noticed_before_writing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let given = given(&url, trust(None, None).unwrap(), Egress::direct());
    let mut connection = given.dialed().await;
    let (stream, _) = listener.accept().unwrap();
    assert!(connection.is_open());
    drop(stream);
    let why = not_written(given.send_on(connection).await);
    assert!(why.contains("closed the connection before the request"), "{why}");
}

/// Matrix R7d.
#[tokio::test]
async fn a_sender_that_was_stopped_past_its_time_hangs_up_without_a_byte() {
    let (ended, end) = oneshot::channel();
    let ended = std::sync::Mutex::new(Some(ended));
    let far_side = FarSide::playing(move |mut talk| {
        let ended = ended.lock().unwrap().take().unwrap();
        async move {
            talk.until_closed().await;
            ended.send(()).unwrap();
        }
    })
    .await;
    let given = given_plain(&far_side);
    let connection = given.dialed().await;
    let write_before = given.clock.monotonic() + Duration::from_secs(5);
    given.clock.advance(Duration::from_millis(5001));
    let sent = patiently(connection.send(Secret::new("rt_1"), write_before)).await;
    assert!(not_written(sent).contains("the time to write had passed"));
    patiently(end).await.unwrap();
    assert_eq!(far_side.received(), "");
}

#[tokio::test]
async fn the_last_moment_is_still_in_time() {
    let far_side = FarSide::answering(http("200 OK", "", TOKENS)).await;
    let given = given_plain(&far_side);
    let connection = given.dialed().await;
    let write_before = given.clock.monotonic() + Duration::from_secs(5);
    given.clock.advance(Duration::from_secs(5));
    answered(patiently(connection.send(Secret::new("rt_1"), write_before)).await);
}

/// Matrix R7, P5: the request arrived, an answer did not.
#[tokio::test]
async fn a_request_without_an_answer_stays_unanswered() {
    for way in ["close", "reset"] {
        let far_side = FarSide::playing(move |mut talk| async move {
            talk.request().await;
            if way == "reset" {
                talk.stream.set_zero_linger().unwrap();
            }
        })
        .await;
        no_answer(given_plain(&far_side).redeem().await);
        assert!(far_side.received().contains("rt_1"), "{way}");
        assert_eq!(far_side.connections(), 1, "{way}: it was not tried again");
    }
}

/// Matrix P6.
#[tokio::test]
async fn what_is_cut_or_no_http_is_no_answer() {
    let cut_object = &TOKENS[..TOKENS.len() - 1];
    let answers = [
        "garbage\r\n\r\n".into(),
        "HTTP/1.1 200 OK\r\ncontent-le".into(),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(200_000)),
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{cut_object}", TOKENS.len()),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{cut_object}", TOKENS.len()),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n".into(),
    ];
    for answer in answers {
        let far_side = FarSide::answering(answer.clone()).await;
        let why = no_answer(given_plain(&far_side).redeem().await);
        assert!(!why.contains("access_token"), "{why}");
    }
}

/// Matrix P6: "a complete token object that parses is kept".
#[tokio::test]
async fn a_whole_token_object_is_kept_though_the_end_of_its_answer_is_missing() {
    let answers = [
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{TOKENS}\r\n", TOKENS.len()),
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{TOKENS}", TOKENS.len() + 10),
    ];
    for answer in answers {
        let far_side = FarSide::answering(answer).await;
        assert_eq!(answered(given_plain(&far_side).redeem().await).body.as_slice(), TOKENS.as_bytes());
    }
}

/// Matrix P6.
#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_not_beyond() {
    let largest = "x".repeat(64 * 1024);
    let far_side = FarSide::answering(http("200 OK", "", &largest)).await;
    assert_eq!(answered(given_plain(&far_side).redeem().await).body.len(), largest.len());
    let far_side = FarSide::answering(http("200 OK", "", &format!("{largest}x"))).await;
    let why = no_answer(given_plain(&far_side).redeem().await);
    assert_eq!(why, "an answer of more than 65536 bytes");
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", largest.repeat(64));
    no_answer(given_plain(&FarSide::answering(endless).await).redeem().await);
}

/// Matrix P6: the gzip bomb stays a small packet.
#[tokio::test]
async fn an_encoded_answer_is_kept_as_it_came_and_means_nothing() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\n";
    let body = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0];
    let far_side = FarSide::answering([head.as_slice(), &body].concat()).await;
    let given = given_plain(&far_side);
    let answer = answered(given.redeem().await);
    assert_eq!(answer.body.as_slice(), body);
    assert!(matches!(given.provider.classify(&answer), Verdict::Unknown { .. }));
}

/// Matrix P6.
#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = FarSide::answering(http("200 OK", "", TOKENS)).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}\r\n", elsewhere.url("http", "127.0.0.1"));
        let far_side = FarSide::answering(http(status, &location, "")).await;
        let given = given_plain(&far_side);
        let answer = answered(given.redeem().await);
        assert!(matches!(given.provider.classify(&answer), Verdict::Unknown { .. }), "{status}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Matrix P5, P6: silence, a drip, and a whole object that is never finished; the clock decides, moved by hand.
#[tokio::test]
async fn after_thirty_seconds_what_has_arrived_decides() {
    let cases = [
        ("", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", false),
        (&format!("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{TOKENS}"), true),
    ];
    for (part, kept) in cases {
        let (said, heard) = oneshot::channel();
        let script = std::sync::Mutex::new(Some((said, part.to_owned())));
        let far_side = FarSide::playing(move |mut talk| {
            let (said, part) = script.lock().unwrap().take().unwrap();
            async move {
                talk.request().await;
                talk.say(part).await;
                said.send(()).unwrap();
                talk.until_closed().await;
            }
        })
        .await;
        let given = given_plain(&far_side);
        let clock = given.clock.clone();
        let redemption = tokio::spawn(async move { given.redeem().await });
        patiently(heard).await.unwrap();
        clock.advance(Duration::from_secs(29));
        // What was said last must be read before the time is over; the sender reads whenever the runtime lets it.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!redemption.is_finished(), "{part}");
        clock.advance(Duration::from_secs(2));
        let sent = patiently(redemption).await.unwrap();
        if kept {
            assert_eq!(answered(sent).body.as_slice(), TOKENS.as_bytes());
        } else {
            assert_eq!(no_answer(sent), "no complete answer within 30 s");
        }
    }
}

/// Nothing may be written once nobody waits for it any more.
#[tokio::test]
async fn dropping_the_sender_closes_the_connection() {
    let (arrived, arrival) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    let script = std::sync::Mutex::new(Some((arrived, ended)));
    let far_side = FarSide::playing(move |mut talk| {
        let (arrived, ended) = script.lock().unwrap().take().unwrap();
        async move {
            talk.request().await;
            arrived.send(()).unwrap();
            talk.until_closed().await;
            ended.send(()).unwrap();
        }
    })
    .await;
    let given = given_plain(&far_side);
    let redemption = tokio::spawn(async move { given.redeem().await });
    patiently(arrival).await.unwrap();
    redemption.abort();
    patiently(end).await.unwrap();
}

#[tokio::test]
async fn a_call_that_may_be_repeated_brings_back_every_status() {
    let far_side = FarSide::answering(http("404 Not Found", "", "no")).await;
    let given = given_plain(&far_side);
    let payload = Payload::Form(b"a=b".to_vec().into());
    let call = given.provider.dialer.call(&given.provider.server.token, &given.provider.agent, payload);
    let answer = patiently(call).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (404, b"no".as_slice()));
    let request = far_side.received();
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\na=b"), "{request}");
}

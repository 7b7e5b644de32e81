//! P1–P8: a provider that misbehaves, as far as the rotation is concerned. TLS, sockets and bounds are judged where they
//! are, in `broker/src/provider`.

use std::time::Duration;

use fake_provider::{Fault, How, OddJwt, Twist};
use scorpiox_broker::domain::answer::Ending;
use scorpiox_broker::domain::rotation::State;
use scorpiox_broker::holding::{Failure, Outcome};
use scorpiox_broker::issuer::Refused;
use scorpiox_broker::rotator::NotNow;
use scorpiox_tests::sim::{Dialing, MAIN, SimBroker, Trip, World};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One rotation on this trip, a minute after the login.
fn renewed_on(trip: Trip, then: impl AsyncFnOnce(&SimBroker, Outcome)) {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        broker.provider.plan(trip);
        let outcome = broker.renewed(MAIN).await;
        assert!(broker.fetch(&key).await.is_ok(), "served whatever happens");
        then(broker, outcome).await;
    });
    world.judge();
}

#[test]
fn p1_a_failed_dial_is_proven_unsent_and_backs_off() {
    renewed_on(Trip::dialing(Dialing::Fails), async |broker, outcome| {
        assert!(matches!(outcome, Outcome::Failed(Failure::Unsent(_))), "{outcome:?}");
        assert!(broker.is_idle(MAIN));
        assert!(matches!(broker.renew(MAIN), Err(NotNow::Wait(_))));
        for _ in 0..30 {
            broker.provider.plan(Trip::dialing(Dialing::Fails));
        }
        let before = broker.provider.dials();
        for _ in 0..60 {
            let _ = broker.renew(MAIN);
            broker.pass(MINUTE).await;
        }
        let dials = broker.provider.dials() - before;
        assert!((4..=14).contains(&dials), "{dials} dials in an hour of asking");
        assert_eq!(broker.posts(), 0);
    });
}

#[test]
fn p1_a_connection_that_closed_while_it_idled_is_dialed_once_more() {
    renewed_on(Trip::dialing(Dialing::ThenClosed), async |broker, outcome| {
        assert_eq!(outcome, Outcome::Renewed(2));
        assert_eq!((broker.provider.dials(), broker.posts()), (2, 1));
    });
}

#[test]
fn p1_a_connection_that_closes_right_before_the_first_byte_is_proven_unsent() {
    let trip = Trip { closed_before_writing: true, ..Trip::default() };
    renewed_on(trip, async |broker, outcome| {
        assert!(matches!(outcome, Outcome::Failed(Failure::Unsent(_))), "{outcome:?}");
        assert!(broker.is_idle(MAIN));
        assert_eq!(broker.posts(), 0);
    });
}

#[test]
fn p2_a_429_consumes_nothing_and_its_retry_after_is_honoured_up_to_a_quarter_of_an_hour() {
    for (asked, waits) in [("30", 30), ("600", 600), ("86400", 900)] {
        let busy = Fault::refresh_code(429, "rate_limited").header("retry-after", asked);
        renewed_on(Trip::with(busy), async |broker, outcome| {
            assert!(matches!(outcome, Outcome::Failed(Failure::NotConsumed(_))), "{outcome:?}");
            assert!(broker.is_idle(MAIN));
            broker.pass(SECOND * (waits - 1)).await;
            assert!(broker.renew(MAIN).is_err(), "{asked}");
            broker.pass(SECOND * 8).await;
            assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2), "{asked}");
        });
    }
}

#[test]
fn p3_an_unknown_400_is_a_verdict_after_the_third_an_hour_apart() {
    let mut world = World::with_login();
    world.life(async |broker| {
        for _ in 0..5 {
            broker.provider.plan(Trip::with(Fault::refresh_code(400, "something_new")));
        }
        broker.pass(MINUTE).await;
        let started = broker.clock.truth();
        for _ in 0..60 * 4 {
            let _ = broker.renew(MAIN);
            broker.pass(MINUTE).await;
        }
        let State::Reauth(reauth) = broker.state(MAIN) else { panic!("{:?}", broker.state(MAIN)) };
        assert_eq!(reauth.ending, Ending::RefusedThrice);
        let begun: Vec<i64> = broker.provider.oracle().refreshes().map(|entry| entry.begun_at - started).collect();
        assert_eq!(begun.len(), 3);
        assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= 3_600), "{begun:?}");
    });
    world.judge();
}

#[test]
fn p4_a_challenge_page_is_no_verdict_on_the_login() {
    renewed_on(Trip::with(Fault::refresh(How::Html { status: 403 })), async |broker, outcome| {
        assert!(matches!(outcome, Outcome::Failed(Failure::NotConsumed(_))), "{outcome:?}");
        assert!(broker.is_idle(MAIN));
        broker.pass(MINUTE).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
    });
}

#[test]
fn p5_p6_what_cannot_be_understood_is_a_doubt() {
    let cut = |reset| How::CutAfter { reset, body_bytes: Some(20) };
    for how in [
        How::Status { status: 500, body: "x".into() },
        How::Status { status: 503, body: serde_json::json!({"error": "busy"}) },
        How::CutAfter { reset: true, body_bytes: None },
        cut(true),
        cut(false),
        How::Garbage,
        How::TruncatedJson,
        How::Html { status: 200 },
        How::Oversize { bytes: 200_000 },
        How::GzipBomb { bytes: 50_000_000 },
        How::Drip { every_ms: 100 },
        How::Redirect { status: 307, location: "http://127.0.0.1:9/elsewhere".into() },
        How::Redirect { status: 308, location: "http://127.0.0.1:9/elsewhere".into() },
    ] {
        renewed_on(Trip::with(Fault::refresh(how.clone())), async |broker, outcome| {
            assert!(matches!(outcome, Outcome::Failed(Failure::InDoubt(_))), "{how:?}: {outcome:?}");
            assert!(broker.is_in_doubt(MAIN), "{how:?}");
            broker.pass(MINUTE * 60).await;
            assert_eq!(broker.posts(), 1, "{how:?}");
        });
    }
}

#[test]
fn p5_an_answer_that_takes_longer_than_thirty_seconds_is_a_doubt() {
    let trip = Trip { there: MINUTE, ..Trip::default() };
    renewed_on(trip, async |broker, outcome| {
        assert!(matches!(outcome, Outcome::Failed(Failure::InDoubt(_))), "{outcome:?}");
        assert!(broker.is_in_doubt(MAIN));
    });
}

#[test]
fn p6_a_complete_token_object_is_kept_whatever_its_content_type_says() {
    let how = How::ContentType { value: "text/html".into() };
    renewed_on(Trip::with(Fault::refresh(how)), async |_, outcome| assert_eq!(outcome, Outcome::Renewed(2)));
}

#[test]
fn p7_an_odd_access_token_is_served_with_a_credible_end() {
    for odd in [
        OddJwt::Opaque,
        OddJwt::AlgNone,
        OddJwt::ExpMissing,
        OddJwt::ExpString,
        OddJwt::ExpNegative,
        OddJwt::ExpYear9999,
    ] {
        for without_expires_in in [false, true] {
            let mut twists = vec![Twist::Jwt(odd)];
            if without_expires_in {
                twists.push(Twist::WithoutExpiresIn);
            }
            let trip = Trip::with(Fault::refresh(How::Twisted(twists)));
            renewed_on(trip, async |broker, outcome| {
                assert_eq!(outcome, Outcome::Renewed(2), "{odd:?}");
                let tokens = broker.credential(MAIN).tokens.unwrap();
                let left = tokens.expires_at.as_unix() - broker.clock.truth();
                assert!((60..=60 * 24 * 3_600).contains(&left), "{odd:?} {without_expires_in}: {left} s");
            });
        }
    }
}

#[test]
fn p8_nothing_is_presented_before_earliest_refresh_at_not_even_on_refusal() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        let six_days = Twist::EarliestRefreshAfter(6 * 24 * 3_600);
        broker.provider.plan(Trip::with(Fault::refresh_twist(six_days)));
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
        broker.pass(DAY).await;
        assert!(matches!(broker.renew(MAIN), Err(NotNow::Wait(_))));
        let answer = broker.refuse(&key, MAIN, 2).await;
        assert!(matches!(answer, Err(Refused::BackingOff(_))), "503 with Retry-After: {answer:?}");
        assert_eq!(broker.posts(), 1);
    });
    world.life(async |broker| {
        broker.pass(DAY * 4).await;
        assert!(matches!(broker.renew(MAIN), Err(NotNow::Wait(_))), "remembered across a restart");
        assert!(broker.pass_until(DAY * 3, |broker| broker.generation(MAIN) == 3).await);
    });
    assert_eq!(world.posts(), 2);
    world.judge();
}

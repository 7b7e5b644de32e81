//! R7: an answer that nobody heard. Serve on, say so, and probe late and rarely.

use std::time::Duration;

use fake_provider::{Fault, How};
use scorpiox_broker::domain::answer::Ending;
use scorpiox_broker::domain::rotation::State;
use scorpiox_broker::failpoint::Point;
use scorpiox_broker::holding::{Failure, Outcome};
use scorpiox_broker::issuer::Refused;
use scorpiox_broker::rotator::NotNow;
use scorpiox_tests::sim::{Deed, MAIN, SimBroker, Trip, World};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The provider redeems, and its answer never arrives.
fn lost_answer() -> Trip {
    Trip::with(Fault::refresh(How::CutAfter { reset: true, body_bytes: None }))
}

/// The request never reaches the provider, but nobody can know that.
fn lost_request() -> Trip {
    Trip::with(Fault::refresh(How::CutBefore { reset: true }))
}

async fn falls_in_doubt(broker: &SimBroker, trip: Trip) {
    broker.provider.plan(trip);
    let outcome = broker.renewed(MAIN).await;
    assert!(matches!(outcome, Outcome::Failed(Failure::InDoubt(_))), "{outcome:?}");
    assert!(broker.is_in_doubt(MAIN));
}

#[test]
fn r7_a_lost_answer_ends_in_reauth_that_says_so_and_the_token_is_served_to_its_end() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        falls_in_doubt(broker, lost_answer()).await;
        assert!(broker.degraded().contains(&"in_doubt".to_owned()));
        broker.pass(DAY * 8).await;
        assert_eq!(broker.posts(), 1, "nobody asks before the last tenth of the token's life");
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 1);
        let ended = |broker: &SimBroker| matches!(broker.state(MAIN), State::Reauth(_));
        assert!(broker.pass_until(DAY * 2, ended).await);
        let State::Reauth(reauth) = broker.state(MAIN) else { unreachable!("it has just ended") };
        assert_eq!(reauth.ending, Ending::Reused);
        assert!(reauth.after.is_some_and(|after| after.starts_with("answer lost")));
        let token = broker.fetch(&key).await.unwrap();
        assert!(!token.renewable);
    });
    assert_eq!(world.posts(), 2, "one presentation and one probe");
    world.judge();
}

#[test]
fn r7_a_request_that_never_arrived_is_made_good_by_the_probe() {
    let mut world = World::with_login();
    world.life(async |broker| {
        falls_in_doubt(broker, lost_request()).await;
        assert!(broker.pass_until(DAY * 10, |broker| broker.generation(MAIN) == 2).await);
        assert!(broker.is_idle(MAIN));
    });
    assert_eq!(world.posts(), 2);
    world.judge();
}

#[test]
fn r7b_probes_without_a_verdict_are_repeated_by_their_schedule_and_never_two_at_once() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        falls_in_doubt(broker, lost_request()).await;
        broker.provider.plan(Trip::with(Fault::refresh_status(503, "later".into())));
        broker.provider.plan(Trip::with(Fault::refresh_code(429, "rate_limited")));
        broker.provider.plan(Trip { there: MINUTE, ..lost_request() });
        broker.provider.plan(Trip::with(Fault::refresh(How::Garbage)));
        broker.provider.plan(Trip::with(Fault::refresh_status(500, "later".into())));
        assert!(broker.pass_until(DAY * 10, |broker| broker.generation(MAIN) == 2).await);
        assert!(broker.fetch(&key).await.is_ok());
    });
    let begun: Vec<i64> = world.provider.oracle().refreshes().map(|entry| entry.begun_at).collect();
    let waits: Vec<i64> = begun.windows(2).skip(1).map(|pair| (pair[1] - pair[0]) / 60).collect();
    assert_eq!(waits.len(), 5);
    for (wait, least) in waits.iter().zip([5, 15, 60, 60, 60]) {
        assert!((least..least + 5).contains(wait), "{waits:?} minutes");
    }
    world.judge();
}

#[test]
fn r7b_a_doubt_that_a_day_after_the_tokens_end_no_probe_has_resolved_becomes_reauth() {
    let mut world = World::with_login();
    world.life(async |broker| {
        falls_in_doubt(broker, lost_request()).await;
        for _ in 0..200 {
            broker.provider.plan(Trip::with(Fault::refresh_status(503, "later".into())));
        }
        let ended = |broker: &SimBroker| matches!(broker.state(MAIN), State::Reauth(_));
        assert!(!broker.pass_until(DAY * 10, ended).await);
        assert!(broker.pass_until(DAY + MINUTE * 61, ended).await);
        let State::Reauth(reauth) = broker.state(MAIN) else { unreachable!("it has just ended") };
        assert_eq!(reauth.ending, Ending::DoubtTooLong);
    });
    world.judge();
}

#[test]
fn r7b_a_broker_that_was_off_for_weeks_probes_before_it_gives_a_doubt_up() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.killed_at(Point::BeforeSend);
    world.clock.advance(DAY * 20);
    world.life(async |broker| {
        assert!(broker.pass_until(MINUTE * 5, |broker| broker.generation(MAIN) == 2).await, "{:?}", broker.state(MAIN));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2);
    });
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r7c_a_refusal_while_the_first_post_is_under_way_causes_no_second_one() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(MINUTE * 2).await;
        broker.provider.plan(Trip { there: Duration::from_secs(25), ..lost_request() });
        let flight = broker.renew(MAIN).unwrap();
        assert!(broker.pass_until(Duration::from_secs(5), |broker| broker.posts() == 1).await);
        let answer = broker.refuse(&key, MAIN, 1).await;
        assert!(matches!(answer, Err(Refused::Busy(_) | Refused::BackingOff(_))), "{answer:?}");
        broker.landed(flight).await;
        assert!(broker.is_in_doubt(MAIN));
        broker.pass(Duration::from_secs(60)).await;
        let answer = broker.refuse(&key, MAIN, 1).await;
        assert!(matches!(answer, Err(Refused::BackingOff(_))), "{answer:?}");
        assert_eq!(broker.posts(), 1, "not before the quiet time");
        assert!(broker.pass_until(MINUTE * 4, |broker| broker.generation(MAIN) == 2).await, "then it is asked once");
    });
    assert_eq!(world.posts(), 2);
    world.judge();
}

#[test]
fn r7d_a_sender_that_was_stopped_between_arming_and_writing_hangs_up() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.points.plan(Point::BeforeSend, Deed::Stop(Duration::from_secs(6)));
        let outcome = broker.renewed(MAIN).await;
        assert!(matches!(outcome, Outcome::Failed(Failure::Unsent(_))), "{outcome:?}");
        assert!(broker.is_idle(MAIN));
        assert_eq!(broker.posts(), 0);
        broker.pass(MINUTE).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
    });
    world.judge();
}

#[test]
fn r7e_a_login_during_a_rotation_stays_and_the_late_answer_is_kept_sealed() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.provider.plan(Trip { back: Duration::from_secs(20), ..Trip::default() });
        let flight = broker.renew(MAIN).unwrap();
        assert!(broker.pass_until(Duration::from_secs(5), |broker| broker.posts() == 1).await);
        broker.login(MAIN, 1).await.unwrap();
        let logged_in = broker.fetch(&key).await.unwrap();
        assert_eq!(logged_in.generation, 2);
        assert_eq!(broker.landed(flight).await, Outcome::Failed(Failure::Superseded));
        assert_eq!(broker.fetch(&key).await.unwrap(), logged_in, "not published");
        assert_eq!(broker.kept_answers(MAIN).await, 1);
    });
    world.life(async |broker| {
        assert_eq!(broker.generation(MAIN), 2);
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3), "the new login renews");
    });
    world.judge();
}

#[test]
fn r7e_a_late_answer_in_a_slot_does_not_displace_a_login_after_a_kill_either() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.points.plan(Point::AfterRescue, Deed::Park);
        broker.renew(MAIN).unwrap();
        broker.parks_at(Point::AfterRescue).await;
        broker.login(MAIN, 1).await.unwrap();
    });
    world.life(async |broker| {
        assert_eq!(broker.generation(MAIN), 2);
        assert_eq!(broker.kept_answers(MAIN).await, 1);
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3));
    });
    world.judge();
}

#[test]
fn an_operators_probe_waits_for_the_quiet_time_too() {
    let mut world = World::with_login();
    world.life(async |broker| {
        falls_in_doubt(broker, lost_request()).await;
        broker.pass(MINUTE).await;
        assert!(matches!(broker.probe(MAIN), Err(NotNow::Wait(_))));
        broker.pass(MINUTE * 2).await;
        let flight = broker.probe(MAIN).unwrap();
        assert_eq!(broker.landed(flight).await, Outcome::Renewed(2));
    });
    world.judge();
}

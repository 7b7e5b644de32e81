//! R13, R15, R16: many ask at once, or go away.

use std::time::Duration;

use fake_provider::Fault;
use scorpiox_broker::domain::permission::Wish;
use scorpiox_broker::holding::Outcome;
use scorpiox_broker::issuer::{Ask, Handed, Refused};
use scorpiox_broker::rotator::NotNow;
use scorpiox_tests::sim::{MAIN, SimBroker, Trip, World};
use scorpiox_wire::Secret;
use tokio::task::JoinHandle;

const SECOND: Duration = Duration::from_secs(1);
const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);
const TEN_DAYS: Duration = Duration::from_secs(10 * 24 * 60 * 60);
const CROWD: usize = 10_000;

type Request = JoinHandle<Result<Handed, Refused>>;

fn crowd(broker: &SimBroker, key: &Secret) -> Vec<Request> {
    (0..CROWD).map(|_| broker.ask(key, Ask::default())).collect()
}

async fn answers(broker: &SimBroker, crowd: Vec<Request>) -> Vec<Result<u64, Refused>> {
    let all = |_: &SimBroker| crowd.iter().all(JoinHandle::is_finished);
    assert!(broker.pass_until(SECOND * 60, all).await, "everybody is answered");
    let mut answers = Vec::with_capacity(crowd.len());
    for request in crowd {
        answers.push(match request.await.unwrap() {
            Ok(Handed::Token(handout)) => Ok(handout.answer().generation),
            Ok(Handed::Unchanged(tag)) => panic!("nobody said that it had {tag}"),
            Err(refused) => Err(refused),
        });
    }
    answers
}

#[test]
fn r15_ten_thousand_requests_on_an_expired_token_cost_one_post_and_get_one_generation() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.slots = 1;
    world.clock.advance(TEN_DAYS);
    world.life(async |broker| {
        broker.provider.plan(Trip { back: SECOND * 5, ..Trip::default() });
        let answers = answers(broker, crowd(broker, &key)).await;
        assert_eq!(answers, vec![Ok(2); CROWD]);
        assert_eq!(broker.posts(), 1);
    });
    world.judge();
}

#[test]
fn r15_a_crowd_that_may_not_wait_long_enough_gets_503_and_the_rotation_goes_on() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.clock.advance(TEN_DAYS);
    world.life(async |broker| {
        broker.provider.plan(Trip { back: SECOND * 25, ..Trip::default() });
        let answers = answers(broker, crowd(broker, &key)).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(Refused::Busy(_)))), "{:?}", answers[0]);
        assert!(broker.pass_until(SECOND * 30, |broker| broker.generation(MAIN) == 2).await);
        assert_eq!(broker.posts(), 1);
    });
    world.judge();
}

#[test]
fn r16_while_renewal_fails_without_consuming_a_crowd_costs_one_post_per_step_of_the_backoff() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.clock.advance(TEN_DAYS);
    world.life(async |broker| {
        for _ in 0..100 {
            broker.provider.plan(Trip::with(Fault::refresh_code(429, "rate_limited")));
        }
        for _ in 0..5 {
            let answers = answers(broker, crowd(broker, &key)).await;
            let shared = |answer: &Result<u64, Refused>| matches!(answer, Err(Refused::BackingOff(_)));
            assert!(answers.iter().all(shared), "the failure is shared: {:?}", answers[0]);
            broker.pass(SECOND * 20).await;
        }
    });
    let begun: Vec<i64> = world.provider.oracle().refreshes().map(|entry| entry.begun_at).collect();
    assert!((3..=6).contains(&begun.len()), "{begun:?}");
    for (step, pair) in begun.windows(2).enumerate() {
        let least = 4 << step;
        assert!(pair[1] - pair[0] >= least, "step {step}: {begun:?}");
    }
    world.judge();
}

#[test]
fn r13_an_asker_that_goes_away_stops_nothing() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.clock.advance(TEN_DAYS);
    world.life(async |broker| {
        broker.provider.plan(Trip { back: SECOND * 5, ..Trip::default() });
        let request = broker.ask(&key, Ask::default());
        assert!(broker.pass_until(SECOND * 2, |broker| broker.posts() == 1).await);
        request.abort();
        assert!(broker.pass_until(SECOND * 10, |broker| broker.generation(MAIN) == 2).await);
    });
    world.life(async |broker| assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "and saved"));
    assert_eq!(world.posts(), 1);
    world.judge();
}

/// While a refusal was written down, another one's renewal ended: what it refuses is not the token any more.
#[test]
fn r16_a_wish_about_a_token_that_is_gone_begins_no_rotation() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.pass(SECOND * 60).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
        broker.pass(TEN_MINUTES).await;
        let begun = broker.rotator.renew(&broker.holding(MAIN), Wish::Refused);
        assert!(matches!(begun, Err(NotNow::Wait(Duration::ZERO))), "{:?}", begun.err());
        broker.pass(SECOND * 60).await;
    });
    assert_eq!(world.posts(), 1);
    world.judge();
}

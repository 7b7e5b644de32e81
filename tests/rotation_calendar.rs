//! R19: somebody sets the machine's clock.

use std::time::Duration;

use fake_provider::{How, Settings};
use scorpiox_broker::failpoint::Point;
use scorpiox_broker::holding::Outcome;
use scorpiox_tests::sim::{Deed, MAIN, SimBroker, Trip, World};

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;
const JUMPS: [i64; 4] = [HOUR, -HOUR, YEAR, -YEAR];
const MINUTE: Duration = Duration::from_secs(60);
const NAMES: [&str; 5] = ["one", "two", "three", "four", "five"];

#[test]
fn r19_a_jump_of_the_clock_renews_nothing_and_expires_nothing() {
    for jump in JUMPS {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| {
            for (number, name) in NAMES.iter().enumerate() {
                broker.login(name, 10 + u32::try_from(number).unwrap()).await.unwrap();
            }
            let before = broker.fetch(&key).await.unwrap();
            broker.clock.set_wall_error(jump);
            broker.pass(MINUTE * 60).await;
            assert_eq!(broker.posts(), 0, "{jump}: no mass rotation");
            assert_eq!(broker.fetch(&key).await.unwrap(), before, "{jump}: no mass expiry");
            assert!(broker.degraded().contains(&"clock_stepped".to_owned()), "{jump}: it is said");
        });
        world.judge();
    }
}

#[test]
fn r19_a_token_that_was_renewed_while_the_clock_was_wrong_lives_as_long_as_it_lives() {
    for jump in JUMPS {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| {
            broker.pass(MINUTE).await;
            broker.clock.set_wall_error(jump);
            assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
            let token = broker.fetch(&key).await.unwrap();
            assert_eq!(token.generation, 2, "{jump}");
            let truth = broker.clock.truth() + 10 * 24 * HOUR;
            assert!((token.expires_at - truth).abs() < 60, "{jump}: off by {}", token.expires_at - truth);
        });
        world.clock.set_wall_error(0);
        world.life(async |broker| {
            assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "{jump}");
            broker.pass(MINUTE * 60).await;
        });
        assert_eq!(world.posts(), 1, "{jump}");
        world.judge();
    }
}

#[test]
fn r19_backoff_runs_on_the_clock_that_never_jumps() {
    for jump in JUMPS {
        let mut world = World::with_login();
        world.life(async |broker| {
            broker.pass(MINUTE).await;
            let busy = fake_provider::Fault::refresh_code(429, "rate_limited").header("retry-after", "600");
            broker.provider.plan(Trip::with(busy));
            broker.renewed(MAIN).await;
            broker.clock.set_wall_error(jump);
            broker.pass(MINUTE * 9).await;
            assert!(broker.renew(MAIN).is_err(), "{jump}");
            broker.pass(MINUTE * 2).await;
            assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2), "{jump}");
        });
        world.judge();
    }
}

#[test]
fn r19_the_quiet_time_of_a_doubt_survives_a_restart_under_another_clock() {
    for jump in JUMPS {
        let mut world = World::with_login_of(Settings { access_token_life_s: 20 * 60, ..Settings::default() });
        world.life(async |broker| {
            broker.pass(MINUTE * 6).await;
            broker.provider.plan(Trip { back: Duration::from_secs(20), ..Trip::default() });
            broker.renew(MAIN).unwrap();
            assert!(broker.pass_until(Duration::from_secs(5), |broker| broker.posts() == 1).await);
        });
        world.clock.set_wall_error(jump);
        world.life(async |broker| {
            broker.pass(Duration::from_secs(100)).await;
            assert_eq!(broker.posts(), 1, "{jump}");
        });
        world.judge();
    }
}

#[test]
fn r19_the_quiet_time_of_a_doubt_holds_when_the_provider_sets_the_calendar_right() {
    let mut world = World::with_login_of(Settings { access_token_life_s: 20 * 60, ..Settings::default() });
    world.life(async |broker| {
        broker.login("other", 2).await.unwrap();
        broker.pass(MINUTE * 6).await;
    });
    world.clock.set_wall_error(-HOUR);
    world.life(async |broker| {
        broker.provider.plan(Trip::with(fake_provider::Fault::refresh(How::CutBefore { reset: true })));
        broker.renewed(MAIN).await;
        assert!(broker.is_in_doubt(MAIN));
        assert_eq!(broker.renewed("other").await, Outcome::Renewed(2), "with the provider's date");
        broker.pass(MINUTE).await;
        assert!(broker.probe(MAIN).is_err(), "by the calendar an hour has passed, but it was less than two minutes");
        broker.pass(MINUTE * 2).await;
        let flight = broker.probe(MAIN).unwrap();
        assert_eq!(broker.landed(flight).await, Outcome::Renewed(2));
    });
    world.judge();
}

#[test]
fn r19_a_start_under_a_wrong_clock_learns_the_time_from_the_provider() {
    for jump in [YEAR, -YEAR] {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| broker.pass(MINUTE).await);
        world.clock.set_wall_error(jump);
        world.life(async |broker| {
            broker.renew(MAIN).unwrap();
            let renewed = |broker: &SimBroker| broker.generation(MAIN) == 2;
            assert!(broker.pass_until(MINUTE, renewed).await);
            let token = broker.fetch(&key).await.unwrap();
            let truth = broker.clock.truth() + 10 * 24 * HOUR;
            assert!((token.expires_at - truth).abs() < 60, "{jump}: off by {}", token.expires_at - truth);
            broker.pass(MINUTE * 60).await;
            assert_eq!(broker.posts(), 1, "{jump}");
        });
        world.judge();
    }
}

#[test]
fn r19_a_kill_and_a_wrong_clock_do_not_end_a_login_that_was_never_asked_about() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        broker.points.plan(Point::BeforeSend, Deed::Park);
        broker.renew(MAIN).unwrap();
        broker.parks_at(Point::BeforeSend).await;
    });
    world.clock.set_wall_error(YEAR);
    world.life(async |broker| {
        assert!(broker.pass_until(MINUTE * 5, |broker| broker.generation(MAIN) == 2).await, "{:?}", broker.state(MAIN));
    });
    world.judge();
}

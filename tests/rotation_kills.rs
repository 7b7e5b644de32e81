//! R1–R6: the broker is killed between two effects of a rotation.

use std::time::Duration;

use fake_provider::{Account, Fault, How, Settings, Twist};
use scorpiox_broker::domain::rotation::State;
use scorpiox_broker::failpoint::Point;
use scorpiox_broker::holding::Outcome;
use scorpiox_tests::sim::{MAIN, Trip, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TEN_DAYS: Duration = Duration::from_secs(10 * 24 * 60 * 60);

#[test]
fn a_login_is_served_and_renewed_and_still_there_after_a_kill() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 1);
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2);
    });
    world.life(async |broker| assert_eq!(broker.fetch(&key).await.unwrap().generation, 2));
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r1_a_kill_before_the_claim_changes_nothing_and_the_next_life_renews() {
    let mut world = World::with_login();
    world.killed_at(Point::BeforeClaim);
    world.life(async |broker| {
        assert!(broker.is_idle(MAIN));
        assert_eq!(broker.credential(MAIN).rotation.epoch, 0, "nothing was claimed");
        assert!(broker.pass_until(TEN_DAYS, |broker| broker.generation(MAIN) == 2).await, "renewed when it is due");
    });
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r2_a_kill_in_claimed_frees_the_claim_and_costs_one_post_in_all() {
    for point in [Point::AfterClaim, Point::AfterDial] {
        let mut world = World::with_login();
        world.killed_at(point);
        world.life(async |broker| {
            assert!(broker.is_idle(MAIN));
            assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
        });
        assert_eq!(world.posts(), 1, "{point:?}");
        world.judge();
    }
}

#[test]
fn r3_a_kill_between_arming_and_sending_is_a_doubt_that_a_probe_at_the_end_of_the_tokens_life_resolves() {
    for point in [Point::AfterArm, Point::BeforeSend] {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.killed_at(point);
        world.life(async |broker| {
            assert!(broker.is_in_doubt(MAIN));
            assert!(broker.degraded().contains(&"in_doubt".to_owned()), "an alert at once");
            assert_eq!(broker.fetch(&key).await.unwrap().generation, 1, "served");
            broker.pass(DAY * 8).await;
            assert_eq!(broker.posts(), 0, "{point:?}: no probe before the last tenth");
            assert!(broker.pass_until(DAY * 2, |broker| broker.generation(MAIN) == 2).await);
        });
        assert_eq!(world.posts(), 1, "{point:?}");
        world.judge();
    }
}

#[test]
fn r3_a_kill_after_the_bytes_have_left_is_a_doubt_and_no_second_presentation_before_the_probe() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.provider.plan(Trip { back: Duration::from_secs(20), ..Trip::default() });
        broker.renew(MAIN).unwrap();
        assert!(broker.pass_until(Duration::from_secs(5), |broker| broker.posts() == 1).await);
    });
    world.life(async |broker| {
        assert!(broker.is_in_doubt(MAIN));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 1);
        broker.pass(DAY * 8).await;
        assert_eq!(broker.posts(), 1);
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 1, "served to its end");
    });
    world.judge();
}

#[test]
fn r4_a_kill_before_the_slot_is_synced_is_the_one_loss_that_nobody_can_prevent_and_is_said_at_once() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.killed_at(Point::AfterAnswer);
    world.life(async |broker| {
        assert!(broker.is_in_doubt(MAIN));
        assert!(broker.degraded().contains(&"in_doubt".to_owned()));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 1);
        broker.pass(DAY * 8).await;
        assert_eq!(broker.posts(), 1);
    });
    assert_eq!(world.lost_before_rescue, 1);
    world.judge();
}

#[test]
fn r5_an_answer_in_a_slot_is_settled_by_the_next_start_without_a_post() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.killed_at(Point::AfterRescue);
    world.life(async |broker| {
        assert!(broker.is_idle(MAIN));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2);
        assert_eq!(broker.posts(), 1, "only the one whose answer was kept");
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3), "with the refresh token from the slot");
    });
    assert_eq!(world.posts(), 2);
    world.judge();
}

#[test]
fn r6_after_the_commit_a_replay_changes_nothing_and_the_new_token_is_served() {
    for point in [Point::AfterSettle, Point::BeforePublish, Point::BeforeClear] {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.killed_at(point);
        for _ in 0..2 {
            world.life(async |broker| {
                assert!(broker.is_idle(MAIN), "{point:?}");
                assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "{point:?}");
                assert_eq!(broker.rotator.parts().slots.free(), 3, "{point:?}: the slot is free again");
                assert_eq!(broker.kept_answers(MAIN).await, 0, "{point:?}");
            });
        }
        assert_eq!(world.posts(), 1, "{point:?}");
        world.life(async |broker| assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3)));
        world.judge();
    }
}

/// A world whose tokens live for half an hour.
fn short_lived() -> World {
    World::with_login_of(Settings { access_token_life_s: 1_800, ..Settings::default() })
}

/// The rest of a story: three hours in which everything must come out well, or be lost for a reason.
fn lives_on(world: &mut World, what: &str) {
    let lost = world.lost_before_rescue;
    world.life(async |broker| {
        broker.pass(Duration::from_secs(3 * 60 * 60)).await;
        let settled = !matches!(broker.state(MAIN), State::Claimed(_) | State::Sent(_));
        assert!(settled, "{what}: {:?}", broker.state(MAIN));
    });
    let violations = world.provider.violations();
    assert!(violations.is_empty(), "{what}, {lost} lost: {violations:#?}");
}

#[test]
fn wherever_a_rotation_is_killed_no_token_is_presented_after_an_answer_that_settled_it() {
    type Story = (&'static str, fn() -> Trip);
    let stories: [Story; 5] = [
        ("renewed", Trip::default),
        ("another account", || Trip::with(Fault::refresh_twist(Twist::AnotherAccount(Account::numbered(2))))),
        ("ended", || Trip::with(Fault::refresh_code(401, "refresh_token_invalidated"))),
        ("busy", || Trip::with(Fault::refresh_code(429, "rate_limited"))),
        ("lost", || Trip::with(Fault::refresh(How::CutAfter { reset: true, body_bytes: None }))),
    ];
    for (name, trip) in stories {
        for waits in 1..40 {
            let mut world = short_lived();
            world.life(async |broker| {
                broker.pass(Duration::from_secs(60)).await;
                broker.provider.plan(trip());
                broker.renew(MAIN).unwrap();
                broker.go_on(waits).await;
            });
            lives_on(&mut world, &format!("{name}, killed after {waits} waits"));
        }
    }
}

#[test]
fn wherever_a_start_is_killed_the_next_one_finds_everything() {
    for point in [Point::AfterArm, Point::AfterRescue, Point::AfterSettle, Point::BeforeClear] {
        for waits in 1..40 {
            let mut world = short_lived();
            world.killed_at(point);
            world.killed_while_starting(waits);
            lives_on(&mut world, &format!("{point:?}, start killed after {waits} waits"));
            let counters = world.provider.oracle().counters();
            assert!(counters.iter().all(|counter| counter.presented == 1), "{point:?}, {waits}: {counters:?}");
        }
    }
}

//! Rotations, crashes and lost answers, with the fake provider's log as the judge.

use scorpiox_broker::failpoint::Point;
use scorpiox_broker::holding::Outcome;
use scorpiox_tests::sim::{Deed, MAIN, World};

#[test]
fn a_login_is_served_and_renewed() {
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
fn r2_a_kill_in_claimed_frees_the_claim_and_costs_one_post_in_all() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.points.plan(Point::AfterClaim, Deed::Park);
        broker.renew(MAIN).unwrap();
        broker.parks_at(Point::AfterClaim).await;
    });
    world.life(async |broker| {
        assert!(broker.is_idle(MAIN));
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
    });
    assert_eq!(world.posts(), 1);
    world.judge();
}

//! R8–R11: what an answer means for the login.

use std::time::Duration;

use fake_provider::{Account, Fault, Twist};
use scorpiox_broker::domain::answer::Ending;
use scorpiox_broker::domain::permission::Why;
use scorpiox_broker::domain::rotation::{Quarantine, Resting, State};
use scorpiox_broker::holding::{Failure, Outcome};
use scorpiox_broker::issuer::Refused;
use scorpiox_broker::rotator::NotNow;
use scorpiox_tests::sim::{MAIN, SimBroker, Trip, World};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn ending(broker: &SimBroker) -> Ending {
    match broker.state(MAIN) {
        State::Reauth(reauth) => reauth.ending,
        other => panic!("not ended: {other:?}"),
    }
}

#[test]
fn r8_an_ended_login_is_remembered_never_asked_about_again_and_served_to_the_end_of_its_token() {
    for (code, expected) in [
        ("refresh_token_reused", Ending::Reused),
        ("refresh_token_expired", Ending::Expired),
        ("refresh_token_invalidated", Ending::Invalidated),
        ("invalid_grant", Ending::InvalidGrant),
    ] {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| {
            broker.provider.plan(Trip::with(Fault::refresh_code(401, code)));
            assert_eq!(broker.renewed(MAIN).await, Outcome::Failed(Failure::Ended), "{code}");
            assert_eq!(ending(broker), expected);
        });
        world.life(async |broker| {
            assert_eq!(ending(broker), expected, "after a restart");
            assert!(matches!(broker.renew(MAIN), Err(NotNow::Never(Why::Reauth))));
            assert!(matches!(broker.probe(MAIN), Err(NotNow::Never(Why::Reauth))));
            let token = broker.fetch(&key).await.unwrap();
            assert!(!token.renewable);
            assert!(matches!(broker.refuse(&key, MAIN, 1).await, Err(Refused::Reauth(_) | Refused::TooSoon(_))));
            broker.pass(DAY * 9).await;
            assert!(broker.fetch(&key).await.is_ok(), "until it ends");
            broker.pass(DAY).await;
            assert!(matches!(broker.fetch(&key).await, Err(Refused::Reauth(_))));
        });
        assert_eq!(world.posts(), 1, "{code}");
        world.judge();
    }
}

#[test]
fn r8_a_login_that_was_ended_behind_our_back_is_found_out_by_one_post() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.provider.oracle().end_family(1);
        assert_eq!(broker.renewed(MAIN).await, Outcome::Failed(Failure::Ended));
        broker.pass(DAY * 12).await;
    });
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r9_an_answer_without_a_refresh_token_leaves_the_old_one_in_force() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(HOUR).await;
        let before = broker.credential(MAIN).tokens.unwrap();
        broker.provider.plan(Trip::with(Fault::refresh_twist(Twist::WithoutRefreshToken)));
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
        let after = broker.credential(MAIN).tokens.unwrap();
        assert_eq!(after.fingerprint, before.fingerprint);
        assert_ne!(broker.fetch(&key).await.unwrap().access_token, before.access_token.expose());
    });
    world.life(async |broker| {
        broker.pass(HOUR).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3));
    });
    let counters = world.provider.oracle().counters();
    assert_eq!(counters.len(), 1, "one refresh token, presented twice");
    assert_eq!(counters[0].presented, 2);
    world.judge();
}

#[test]
fn r10_another_accounts_tokens_are_not_published_and_both_are_kept() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(HOUR).await;
        let before = broker.fetch(&key).await.unwrap();
        let twist = Twist::AnotherAccount(Account::numbered(2));
        broker.provider.plan(Trip::with(Fault::refresh_twist(twist)));
        assert_eq!(broker.renewed(MAIN).await, Outcome::Failed(Failure::Quarantined));
        assert_eq!(broker.fetch(&key).await.unwrap().access_token, before.access_token);
    });
    world.life(async |broker| {
        assert_eq!(broker.state(MAIN), State::Quarantine(Quarantine::OtherAccount));
        assert_eq!(broker.kept_answers(MAIN).await, 1);
        assert!(broker.fetch(&key).await.is_ok(), "ours is served until it ends");
        assert!(matches!(broker.renew(MAIN), Err(NotNow::Never(Why::Quarantine))));
        broker.login(MAIN, 1).await.unwrap();
        broker.pass(HOUR).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3), "a login ends it");
    });
    assert_eq!(world.posts(), 2);
    world.judge();
}

#[test]
fn r11_a_grant_with_a_useless_access_token_keeps_the_refresh_token_and_does_not_spin() {
    for twist in [Twist::EmptyAccessToken, Twist::AccessTokenLife(-5), Twist::AccessTokenLife(0)] {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| {
            broker.pass(DAY).await;
            for _ in 0..50 {
                broker.provider.plan(Trip::with(Fault::refresh_twist(twist.clone())));
            }
            assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2), "{twist:?}");
            let State::Resting(Resting::Idle(idle)) = broker.state(MAIN) else { panic!("{:?}", broker.state(MAIN)) };
            assert_eq!(idle.weak_grants, 1, "{twist:?}: flagged");
            assert!(broker.fetch(&key).await.is_ok(), "{twist:?}");
        });
        world.life(async |broker| {
            // Asked for over and over, for an hour.
            for _ in 0..60 {
                let _ = broker.fetch(&key).await;
                let _ = broker.renew(MAIN);
                broker.pass(Duration::from_secs(60)).await;
            }
            assert!(broker.posts() <= 8, "{twist:?}: {} posts in an hour", broker.posts());
            broker.provider.forget_plans();
            broker.pass(HOUR * 2).await;
            let _ = broker.renew(MAIN);
            broker.pass(HOUR).await;
            let tokens = broker.credential(MAIN).tokens.unwrap();
            assert!(tokens.expires_at.as_unix() > broker.clock.truth() + 24 * 3600, "{twist:?}: well again");
        });
        world.judge();
    }
}

#[test]
fn r11_a_grant_that_ends_sooner_is_published_flagged_and_waited_for() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(HOUR).await;
        broker.provider.plan(Trip::with(Fault::refresh_twist(Twist::AccessTokenLife(8 * 24 * 3_600))));
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "the one before may be refused soon");
        assert!(matches!(broker.renew(MAIN), Err(NotNow::Wait(_))), "not at once again");
        broker.pass(Duration::from_secs(61)).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(3));
    });
    world.judge();
}

//! R12, R14, R17, R18: the disk fails, the process is told to stop, the code has a bug. No token that was obtained is lost.

use std::time::Duration;

use fake_provider::Settings;
use scorpiox_broker::failpoint::Point;
use scorpiox_broker::holding::{Failure, Outcome};
use scorpiox_broker::rotator::NotNow;
use scorpiox_tests::sim::disk::SmallDisk;
use scorpiox_tests::sim::{Deed, MAIN, SimBroker, Trip, World};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A rotation that has presented its token and whose answer takes ten seconds.
async fn presented(broker: &SimBroker) -> scorpiox_broker::holding::Flight {
    broker.pass(MINUTE).await;
    broker.provider.plan(Trip { back: SECOND * 10, ..Trip::default() });
    let before = broker.posts();
    let flight = broker.renew(MAIN).unwrap();
    assert!(broker.pass_until(SECOND * 5, |broker| broker.posts() > before).await);
    flight
}

#[test]
fn r12_a_failed_save_serves_the_new_token_from_memory_and_keeps_trying() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        let flight = presented(broker).await;
        broker.database_refuses(&["credentials"]).await;
        assert_eq!(broker.landed(flight).await, Outcome::Renewed(2), "whoever waited has it");
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "served from memory");
        assert!(broker.degraded().contains(&"save_failing".to_owned()));
        assert_eq!(broker.rotator.unsaved(), 1);
        assert_eq!(broker.rotator.memory_only(), 0, "the slot has it");
        broker.pass(MINUTE * 60).await;
        assert_eq!(broker.posts(), 1, "nothing new begins");
        broker.database_recovers().await;
        broker.pass(MINUTE).await;
        assert_eq!(broker.rotator.unsaved(), 0);
        assert_eq!(broker.rotator.parts().slots.free(), 3);
    });
    world.life(async |broker| assert_eq!(broker.fetch(&key).await.unwrap().generation, 2));
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r12_killed_while_it_could_not_save_the_next_start_has_the_token_from_its_slot() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        let flight = presented(broker).await;
        broker.database_refuses(&["credentials"]).await;
        broker.landed(flight).await;
    });
    world.database_recovers();
    world.life(async |broker| assert_eq!(broker.fetch(&key).await.unwrap().generation, 2));
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r12_a_start_on_a_database_that_takes_nothing_leaves_the_slot_alone() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        let flight = presented(broker).await;
        broker.database_refuses(&["credentials"]).await;
        broker.landed(flight).await;
    });
    assert!(world.try_life(async |_| ()).is_err(), "it says that it cannot start");
    world.database_recovers();
    world.life(async |broker| assert_eq!(broker.fetch(&key).await.unwrap().generation, 2));
    world.judge();
}

#[test]
fn r12_a_verdict_that_cannot_be_saved_is_obeyed_from_memory() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        let ended = fake_provider::Fault::refresh_code(401, "refresh_token_invalidated");
        broker.provider.plan(Trip { back: SECOND * 10, ..Trip::with(ended) });
        let flight = broker.renew(MAIN).unwrap();
        assert!(broker.pass_until(SECOND * 5, |broker| broker.posts() == 1).await);
        broker.database_refuses(&["credentials"]).await;
        broker.landed(flight).await;
        broker.pass(MINUTE * 60 * 2).await;
        assert_eq!(broker.posts(), 1);
    });
    world.database_recovers();
    world.life(async |broker| assert!(broker.renew(MAIN).is_err(), "the slot had the verdict"));
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r12_r18_on_a_disk_that_is_really_full_nothing_is_presented_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount(3 << 20) else { return };
    let mut world = World::on(disk.path(), Settings::default(), 1);
    world.begin_with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        let flight = presented(broker).await;
        disk.fill();
        assert_eq!(broker.landed(flight).await, Outcome::Renewed(2));
        assert_eq!(broker.rotator.memory_only(), 0, "the slot's space was there");
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2);
        broker.pass(MINUTE * 10).await;
        disk.make_room();
        broker.pass(MINUTE).await;
        assert_eq!(broker.rotator.unsaved(), 0);
        // The next one: its mark cannot be raised, so it does not begin to speak.
        disk.fill();
        let before = broker.posts();
        assert!(matches!(broker.renewed(MAIN).await, Outcome::Failed(Failure::Storage(_))));
        assert_eq!(broker.posts(), before);
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2);
        disk.make_room();
        assert!(broker.pass_until(MINUTE * 20, |broker| broker.renew(MAIN).is_ok()).await);
        assert!(broker.pass_until(MINUTE, |broker| broker.generation(MAIN) == 3).await);
    });
    world.judge();
}

#[test]
fn r18_a_database_that_takes_nothing_costs_no_post() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        broker.database_refuses(&["credentials"]).await;
        assert!(matches!(broker.renewed(MAIN).await, Outcome::Failed(Failure::Storage(_))));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 1);
        broker.pass(MINUTE * 60).await;
        assert_eq!(broker.posts(), 0);
        broker.database_recovers().await;
        broker.pass(MINUTE * 20).await;
        assert_eq!(broker.renewed(MAIN).await, Outcome::Renewed(2));
    });
    world.judge();
}

#[test]
fn r18_without_a_slot_that_can_be_written_nothing_is_presented() {
    let mut world = World::with_login();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        std::fs::remove_dir_all(broker.data.join("rescue")).unwrap();
        assert_eq!(broker.renewed(MAIN).await, Outcome::Failed(Failure::NoSlot));
    });
    assert_eq!(world.posts(), 0);
    world.judge();
}

#[test]
fn r12_without_slot_and_database_memory_keeps_the_answer_until_one_of_them_takes_it() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        let flight = presented(broker).await;
        std::fs::remove_dir_all(broker.data.join("rescue")).unwrap();
        broker.database_refuses(&["credentials"]).await;
        assert_eq!(broker.landed(flight).await, Outcome::Renewed(2));
        assert_eq!(broker.rotator.memory_only(), 1);
        assert!(broker.degraded().contains(&"memory_only".to_owned()));
        broker.rotator.stop();
        broker.pass(MINUTE * 10).await;
        assert_eq!(broker.rotator.in_flight(), 1, "a stop does not throw it away");
        broker.database_recovers().await;
        broker.pass(MINUTE).await;
        assert_eq!((broker.rotator.in_flight(), broker.rotator.memory_only()), (0, 0));
        std::fs::create_dir(broker.data.join("rescue")).unwrap();
    });
    world.life(async |broker| assert_eq!(broker.fetch(&key).await.unwrap().generation, 2));
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r17_a_stop_lets_the_rotation_end_and_begins_no_other() {
    let mut world = World::with_login();
    let key = world.key.clone();
    world.life(async |broker| {
        let flight = presented(broker).await;
        broker.rotator.stop();
        assert_eq!(broker.landed(flight).await, Outcome::Renewed(2));
        broker.rest().await;
        assert_eq!(broker.rotator.in_flight(), 0);
        assert!(matches!(broker.renew(MAIN), Err(NotNow::Stopping)));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "serving goes on until the listeners close");
    });
    world.life(async |broker| assert_eq!(broker.generation(MAIN), 2));
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn r17_a_stop_leaves_an_unsaved_answer_to_its_slot() {
    let mut world = World::with_login();
    world.life(async |broker| {
        let flight = presented(broker).await;
        broker.database_refuses(&["credentials"]).await;
        broker.landed(flight).await;
        broker.rotator.stop();
        broker.pass(MINUTE).await;
        assert_eq!(broker.rotator.in_flight(), 0, "the process may leave");
    });
    world.database_recovers();
    world.life(async |broker| assert_eq!(broker.generation(MAIN), 2));
    world.judge();
}

#[test]
fn r14_a_panic_anywhere_costs_at_most_a_doubt_and_never_an_answer() {
    for point in Point::ALL {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| {
            broker.pass(MINUTE).await;
            broker.points.plan(point, Deed::Panic);
            let outcome = broker.renewed(MAIN).await;
            broker.rest().await;
            assert!(broker.fetch(&key).await.is_ok(), "{point:?}: the process lives");
            assert_eq!(broker.rotator.in_flight(), 0, "{point:?}");
            assert_eq!(broker.rotator.memory_only(), 0, "{point:?}");
            match point {
                Point::BeforeClaim | Point::AfterClaim | Point::AfterDial => {
                    assert!(broker.is_idle(MAIN), "{point:?}");
                    assert_eq!(broker.posts(), 0);
                }
                Point::AfterArm | Point::BeforeSend => {
                    assert!(broker.is_in_doubt(MAIN), "{point:?}");
                    assert_eq!(broker.posts(), 0);
                }
                Point::AfterAnswer
                | Point::AfterRescue
                | Point::AfterSettle
                | Point::BeforePublish
                | Point::BeforeClear => {
                    assert_eq!(outcome, Outcome::Renewed(2), "{point:?}");
                    assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "{point:?}");
                    assert_eq!(broker.kept_answers(MAIN).await, 0, "{point:?}: nothing was late");
                    assert_eq!(broker.rotator.parts().slots.free(), 3, "{point:?}");
                }
                Point::RekeyBegun
                | Point::RekeyBatch
                | Point::RekeyMoved
                | Point::RekeyKeyWritten
                | Point::RekeySettled => {
                    unreachable!("no rotation passes there")
                }
            }
        });
        world.judge();
    }
}

//! S2: a database that lost its end or came back older, a mark that is missing or not ours.

use std::fs;
use std::sync::Barrier;
use std::time::Duration;

use fake_provider::{Account, Fault, Twist};
use scorpiox_broker::domain::answer::Ending;
use scorpiox_broker::domain::rotation::{Quarantine, State};
use scorpiox_broker::failpoint::Point;
use scorpiox_broker::holding::Outcome;
use scorpiox_broker::issuer::{Ask, Refused};
use scorpiox_broker::rotator::{Asker, NotNow};
use scorpiox_tests::sim::{Deed, MAIN, SimBroker, Trip, World, administrator};
use scorpiox_wire::TokenTag;
use scorpiox_wire::admin::PromoteRequest;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const BEHIND: State = State::Quarantine(Quarantine::BehindMark);

async fn renew_after_a_minute(broker: &SimBroker) {
    broker.pass(MINUTE).await;
    assert!(matches!(broker.renewed(MAIN).await, Outcome::Renewed(_)));
}

/// Nothing is presented, whoever asks and however long it takes; the token is served while it lasts.
async fn presents_nothing(broker: &SimBroker, key: &scorpiox_wire::Secret) {
    let before = broker.posts();
    assert!(broker.fetch(key).await.is_ok());
    assert!(broker.renew(MAIN).is_err());
    assert!(broker.probe(MAIN).is_err());
    broker.pass(DAY * 12).await;
    assert_eq!(broker.posts(), before);
}

#[test]
fn s2_a_database_without_its_log_is_set_aside_and_presents_nothing() {
    let mut world = World::with_login();
    world.checkpoint();
    let key = world.key.clone();
    world.life(renew_after_a_minute);
    fs::remove_file(world.log_file()).unwrap();
    world.life(async |broker| {
        assert_eq!(broker.state(MAIN), BEHIND);
        presents_nothing(broker, &key).await;
    });
    assert_eq!(world.posts(), 1);
    world.judge();
}

#[test]
fn s2_wherever_the_log_is_cut_no_token_is_presented_after_an_answer_that_settled_it() {
    type Story = (&'static str, fn() -> Trip);
    let stories: [Story; 4] = [
        ("renewed", Trip::default),
        ("another account", || Trip::with(Fault::refresh_twist(Twist::AnotherAccount(Account::numbered(2))))),
        ("ended", || Trip::with(Fault::refresh_code(401, "refresh_token_invalidated"))),
        ("busy", || Trip::with(Fault::refresh_code(429, "rate_limited"))),
    ];
    for (name, trip) in stories {
        let mut cut_at: u64 = 0;
        loop {
            let mut world = World::with_login();
            world.checkpoint();
            world.life(async |broker| {
                broker.pass(MINUTE).await;
                broker.provider.plan(trip());
                broker.renewed(MAIN).await;
            });
            let log = fs::OpenOptions::new().write(true).open(world.log_file()).unwrap();
            let length = log.metadata().unwrap().len();
            if cut_at > length {
                break;
            }
            log.set_len(cut_at).unwrap();
            // Behind the settled generation is only its line of the audit: without that it is renewed like any other.
            let settled = world.life(async |broker| {
                let settled = broker.generation(MAIN) == 2;
                broker.pass(DAY * 9).await;
                let _ = broker.probe(MAIN);
                broker.pass(DAY * 3).await;
                settled
            });
            world.judge();
            let may_ask = name == "busy" || (name == "renewed" && settled);
            assert!(may_ask || world.posts() == 1, "{name}, cut at {cut_at}: {} posts", world.posts());
            // Frames of a page and their headers, and some in the middle of one.
            cut_at += 4_120 / 2;
        }
    }
}

#[test]
fn s2_what_a_start_replayed_from_a_slot_is_in_the_mark_before_the_slot_is_free() {
    type Story = (&'static str, fn() -> Trip);
    let stories: [Story; 3] = [
        ("renewed", Trip::default),
        ("another account", || Trip::with(Fault::refresh_twist(Twist::AnotherAccount(Account::numbered(2))))),
        ("ended", || Trip::with(Fault::refresh_code(401, "refresh_token_invalidated"))),
    ];
    for (name, trip) in stories {
        for waits in 1..50 {
            let mut world = World::with_login();
            world.life(async |broker| {
                broker.pass(MINUTE).await;
                broker.provider.plan(trip());
                broker.points.plan(Point::AfterRescue, Deed::Park);
                broker.renew(MAIN).unwrap();
                broker.parks_at(Point::AfterRescue).await;
            });
            world.checkpoint();
            world.killed_while_starting(waits);
            let _ = fs::remove_file(world.log_file());
            world.life(async |broker| broker.pass(DAY * 12).await);
            let violations = world.provider.violations();
            assert!(violations.is_empty(), "{name}, start killed after {waits} waits: {violations:#?}");
        }
    }
}

#[test]
fn s2_an_older_copy_of_the_database_is_set_aside_whatever_its_generation() {
    for same_generation in [false, true] {
        let mut world = World::with_login();
        world.checkpoint();
        let key = world.key.clone();
        let backup = world.backup("backup");
        world.life(async |broker| {
            if same_generation {
                broker.provider.plan(Trip::with(Fault::refresh_code(429, "rate_limited")));
                broker.renewed(MAIN).await;
            } else {
                renew_after_a_minute(broker).await;
            }
        });
        world.restore(&backup, Some("broker.db"));
        fs::remove_file(world.log_file()).unwrap();
        world.life(async |broker| {
            assert_eq!(broker.state(MAIN), BEHIND, "same generation: {same_generation}");
            presents_nothing(broker, &key).await;
        });
        world.judge();
    }
}

#[test]
fn s2_a_slot_with_the_newer_set_wins_over_an_older_database() {
    let mut world = World::with_login();
    world.checkpoint();
    let key = world.key.clone();
    world.killed_at(Point::BeforeClear);
    fs::remove_file(world.log_file()).unwrap();
    world.life(async |broker| {
        assert!(broker.is_idle(MAIN), "{:?}", broker.state(MAIN));
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 2);
        renew_after_a_minute(broker).await;
    });
    assert_eq!(world.posts(), 2);
    world.judge();
}

#[test]
fn s2_a_database_that_is_ahead_of_its_mark_is_adopted() {
    let mut world = World::with_login();
    let backup = world.backup("backup");
    world.life(renew_after_a_minute);
    world.restore(&backup, Some("high-water"));
    world.life(async |broker| {
        assert!(broker.is_idle(MAIN));
        renew_after_a_minute(broker).await;
    });
    world.life(async |broker| assert!(broker.is_idle(MAIN)));
    world.judge();
}

#[test]
fn s2_a_login_ends_the_quarantine_for_good() {
    let mut world = World::with_login();
    world.checkpoint();
    let key = world.key.clone();
    world.life(async |broker| {
        for _ in 0..3 {
            renew_after_a_minute(broker).await;
        }
    });
    fs::remove_file(world.log_file()).unwrap();
    world.life(async |broker| {
        assert_eq!(broker.state(MAIN), BEHIND);
        broker.login(MAIN, 1).await.unwrap();
        assert!(broker.fetch(&key).await.unwrap().generation > 4, "no generation is given twice");
    });
    world.life(async |broker| {
        assert!(broker.is_idle(MAIN), "{:?}", broker.state(MAIN));
        renew_after_a_minute(broker).await;
    });
    world.judge();
}

/// The data directory with its mark, as it was before two renewals.
fn rolled_back_together() -> (World, scorpiox_wire::Secret) {
    let mut world = World::with_login();
    let key = world.key.clone();
    let backup = world.backup("backup");
    world.life(async |broker| {
        renew_after_a_minute(broker).await;
        renew_after_a_minute(broker).await;
        assert_eq!(broker.fetch(&key).await.unwrap().generation, 3);
    });
    world.restore(&backup, None);
    (world, key)
}

#[test]
fn s2b_a_client_that_was_given_a_newer_generation_is_a_witness_of_the_rollback() {
    for refusing in [false, true] {
        let (mut world, key) = rolled_back_together();
        let ask = |broker: &SimBroker| {
            let credential = broker.holding(MAIN).id().as_str().to_owned();
            let tag = Some(TokenTag { credential, generation: 3 });
            if refusing {
                Ask { refused: tag, known: None, ..Ask::default() }
            } else {
                Ask { refused: None, known: tag, ..Ask::default() }
            }
        };
        world.life(async |broker| {
            let answer = broker.answered(broker.ask(&key, ask(broker))).await;
            assert_eq!(broker.state(MAIN), State::Quarantine(Quarantine::BehindWitness), "{answer:?}");
        });
        world.life(async |broker| {
            assert_eq!(broker.state(MAIN), State::Quarantine(Quarantine::BehindWitness), "remembered");
            presents_nothing(broker, &key).await;
        });
        world.life(async |broker| {
            broker.login(MAIN, 1).await.unwrap();
            let answer = broker.answered(broker.ask(&key, ask(broker))).await;
            assert!(answer.is_ok(), "{answer:?}");
            assert!(broker.is_idle(MAIN), "the witness has nothing to say against the new login");
        });
        assert_eq!(world.posts(), 2);
        world.judge();
    }
}

#[test]
fn s2b_without_a_witness_one_post_finds_out() {
    let (mut world, key) = rolled_back_together();
    world.life(async |broker| {
        broker.pass(MINUTE).await;
        let _ = broker.renewed(MAIN).await;
        let State::Reauth(reauth) = broker.state(MAIN) else { panic!("{:?}", broker.state(MAIN)) };
        assert_eq!(reauth.ending, Ending::Reused);
        assert!(broker.fetch(&key).await.is_ok());
        broker.pass(DAY * 12).await;
    });
    assert_eq!(world.posts(), 3, "two before, one after");
}

#[test]
fn s2c_without_its_mark_a_broker_serves_and_renews_nothing_until_it_is_promoted() {
    let mut foreign = World::with_login();
    foreign.life(renew_after_a_minute);
    let foreign_mark = fs::read_to_string(foreign.mark_file()).unwrap();
    let other_broker = foreign_mark.replace("instance ", "instance ff");
    for (what, content) in
        [("missing", None), ("unreadable", Some("scorpiox-mark 1\n")), ("foreign", Some(&*other_broker))]
    {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(renew_after_a_minute);
        match content {
            None => fs::remove_file(world.mark_file()).unwrap(),
            Some(content) => fs::write(world.mark_file(), content).unwrap(),
        }
        world.life(async |broker| {
            assert!(broker.degraded().contains(&"fenced".to_owned()), "{what}");
            assert_eq!(broker.fetch(&key).await.unwrap().generation, 2, "{what}");
            assert!(matches!(broker.renew(MAIN), Err(NotNow::Fenced)), "{what}");
            broker.pass(DAY * 12).await;
            assert_eq!(broker.posts(), 1, "{what}");
            assert!(matches!(broker.fetch(&key).await, Err(Refused::Fenced)), "{what}: the token has ended");
        });
        world.life(async |broker| {
            broker.registrar.promote(&administrator(), PromoteRequest::default()).await.unwrap();
            assert!(broker.pass_until(MINUTE * 2, |broker| broker.generation(MAIN) == 3).await, "{what}");
        });
        world.life(async |broker| assert!(broker.is_idle(MAIN), "{what}: the new mark holds"));
        world.judge();
    }
}

#[test]
fn s2c_a_mark_that_was_never_needed_may_be_missing() {
    let mut world = World::with_login();
    fs::remove_file(world.mark_file()).unwrap();
    world.life(renew_after_a_minute);
    world.judge();
}

#[test]
fn s2_many_who_know_better_at_once_set_a_login_aside_once() {
    for _ in 0..20 {
        let mut world = World::with_login();
        world.life(async |broker| {
            broker.rest().await;
            let (rotator, holding, together) = (&broker.rotator, broker.holding(MAIN), Barrier::new(8));
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        together.wait();
                        rotator.set_aside(&holding, Quarantine::BehindWitness, Asker::Schedule);
                    });
                }
            });
            broker.rest().await;
            let entries = rotator.parts().store.audit_after(0, 100).await.unwrap();
            let told = entries.iter().filter(|entry| entry.record.action.as_str() == "credential.quarantine");
            assert_eq!(told.count(), 1);
        });
        world.judge();
    }
}

//! A table of the transitions, and a property test against a model that only knows what has been proven.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_000_000);
const QUIET: Duration = Duration::from_secs(120);
const FINGERPRINT: Fingerprint = Fingerprint::from_bytes([7; 16]);

fn sent() -> Rotation {
    Rotation::begun(1, 0).claim().unwrap().arm().unwrap()
}

fn in_doubt() -> Rotation {
    sent().lost("connection reset", NOW, QUIET).unwrap()
}

fn doubt(rotation: &Rotation) -> &Doubt {
    match &rotation.state {
        State::Resting(Resting::InDoubt(doubt)) => doubt,
        other => panic!("no doubt: {other:?}"),
    }
}

fn idle(rotation: &Rotation) -> Idle {
    match &rotation.state {
        State::Resting(Resting::Idle(idle)) => *idle,
        other => panic!("not idle: {other:?}"),
    }
}

#[test]
fn a_claim_that_is_given_up_leaves_only_the_epoch_behind() {
    let rotation = Rotation::begun(1, 0).claim().unwrap().disarm().unwrap();
    assert_eq!(rotation, Rotation::begun(1, 1));
}

#[test]
fn a_restart_frees_a_claim_and_doubts_what_was_sent() {
    let claimed = Rotation::begun(1, 0).claim().unwrap();
    assert_eq!(claimed.restarted(NOW, QUIET), Rotation::begun(1, 1));
    let restarted = sent().restarted(NOW, QUIET);
    assert_eq!(doubt(&restarted).not_before, 1_000_120);
}

#[test]
fn a_restart_in_a_claimed_probe_keeps_the_doubt() {
    let claimed = in_doubt().claim().unwrap();
    assert_eq!(doubt(&claimed.restarted(NOW, QUIET)), doubt(&in_doubt()));
}

#[test]
fn probes_without_a_verdict_are_repeated_after_5_15_60_60_minutes() {
    let mut rotation = in_doubt();
    let mut waits = Vec::new();
    for _ in 0..4 {
        rotation = rotation.claim().unwrap().arm().unwrap().not_consumed(NOW, QUIET).unwrap();
        waits.push((doubt(&rotation).not_before - NOW.as_unix()) / 60);
    }
    assert_eq!(waits, [5, 15, 60, 60]);
    assert_eq!(doubt(&rotation).why, "connection reset", "the first cause is what a person wants to know");
}

#[test]
fn a_429_ends_a_first_attempt_but_never_a_doubt() {
    assert_eq!(sent().not_consumed(NOW, QUIET).unwrap(), Rotation::begun(1, 1));
    let probed = in_doubt().claim().unwrap().arm().unwrap().not_consumed(NOW, QUIET).unwrap();
    assert_eq!(doubt(&probed).probes, 1);
}

#[test]
fn the_third_unknown_400_is_a_verdict_and_each_waits_an_hour() {
    let mut rotation = sent();
    for count in 1..=2 {
        rotation = rotation.refused(FINGERPRINT, "400", NOW).unwrap();
        assert_eq!(idle(&rotation).refusals, count);
        assert_eq!(idle(&rotation).not_before, Some(1_003_600));
        rotation = rotation.claim().unwrap().arm().unwrap();
    }
    let ended = rotation.refused(FINGERPRINT, "400", NOW).unwrap();
    assert!(matches!(ended.state, State::Reauth(Reauth { ending: Ending::RefusedThrice, .. })), "{ended:?}");
}

#[test]
fn a_reused_token_after_a_doubt_says_that_an_answer_was_lost() {
    let probe = in_doubt().claim().unwrap().arm().unwrap();
    let ended = probe.ended(Ending::Reused, FINGERPRINT, None).unwrap();
    let State::Reauth(reauth) = ended.state else { panic!("{ended:?}") };
    assert_eq!(reauth.after.as_deref(), Some("answer lost: connection reset"));
}

#[test]
fn a_grant_clears_what_was_remembered() {
    let rotation = sent().refused(FINGERPRINT, "400", NOW).unwrap().claim().unwrap().arm().unwrap();
    assert_eq!(rotation.granted(false, NOW).unwrap(), Rotation::begun(2, 2));
}

#[test]
fn weak_grants_wait_longer_each_time_up_to_an_hour() {
    let mut rotation = Rotation::begun(1, 0);
    let mut waits = Vec::new();
    for _ in 0..8 {
        rotation = rotation.claim().unwrap().arm().unwrap().granted(true, NOW).unwrap();
        waits.push(idle(&rotation).not_before.unwrap() - NOW.as_unix());
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
}

#[test]
fn a_late_grant_is_welcome_in_doubt_and_after_the_end_but_not_in_quarantine() {
    let ended = sent().ended(Ending::Expired, FINGERPRINT, None).unwrap();
    assert_eq!(in_doubt().granted(false, NOW).unwrap(), Rotation::begun(2, 1));
    assert_eq!(ended.granted(false, NOW).unwrap(), Rotation::begun(2, 2));
    assert_eq!(sent().quarantined(Quarantine::OtherAccount).granted(false, NOW), Err(NoTransition));
}

#[test]
fn a_verdict_raises_the_epoch_once_so_that_a_database_that_loses_it_is_behind_the_mark() {
    let ended = sent().ended(Ending::Reused, FINGERPRINT, None).unwrap();
    let aside = sent().quarantined(Quarantine::OtherAccount);
    for verdict in [ended, aside.clone(), aside.quarantined(Quarantine::OtherAccount)] {
        assert_eq!(verdict.epoch, sent().epoch + 1, "{verdict:?}");
        assert!(verdict.is_spent(), "{verdict:?}");
    }
    let behind = sent().quarantined(Quarantine::BehindMark);
    assert!(behind.epoch == sent().epoch && !behind.is_spent(), "a start finds that again by itself");
}

#[test]
fn a_login_after_a_rollback_begins_beyond_what_was_lost() {
    let begun = Rotation::begun(3, 5);
    let mark = Some(Mark { epoch: 9, generation: 7 });
    let cases = [
        (begun.clone(), None, (4, 6)),
        (begun.quarantined(Quarantine::BehindMark), mark, (8, 10)),
        (begun.quarantined(Quarantine::BehindMark), Some(Mark { epoch: 1, generation: 1 }), (4, 6)),
        (begun.quarantined(Quarantine::BehindWitness), None, (1004, 6)),
    ];
    for (rotation, mark, (generation, epoch)) in cases {
        assert_eq!(rotation.replaced(mark), Rotation::begun(generation, epoch), "{rotation:?} {mark:?}");
    }
}

#[test]
fn a_calendar_that_went_back_does_not_stretch_a_wait() {
    let before = NOW - Duration::from_secs(365 * 24 * 3600);
    let restarted = in_doubt().restarted(before, QUIET);
    assert!(doubt(&restarted).not_before <= before.as_unix() + 3600, "{restarted:?}");
    let refused = sent().refused(FINGERPRINT, "400", NOW).unwrap().restarted(before, QUIET);
    assert!(idle(&refused).not_before.unwrap() <= before.as_unix() + 3600, "{refused:?}");
}

/// What may happen to a rotation, in any order.
#[derive(Debug, Clone)]
enum Happening {
    Claim,
    Arm,
    Disarm,
    Restart,
    Lost,
    NotConsumed,
    Refused,
    Ended,
    Granted(bool),
    Quarantined,
    Replaced,
}

/// The model: what is known of the one refresh token that is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Not redeemed by us.
    Fresh,
    /// Being presented.
    Presented,
    /// Perhaps redeemed.
    Perhaps,
    /// Never to be presented again.
    Spent,
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        4 => Just(Happening::Claim),
        4 => Just(Happening::Arm),
        1 => Just(Happening::Disarm),
        1 => Just(Happening::Restart),
        2 => Just(Happening::Lost),
        2 => Just(Happening::NotConsumed),
        2 => Just(Happening::Refused),
        1 => Just(Happening::Ended),
        2 => any::<bool>().prop_map(Happening::Granted),
        1 => Just(Happening::Quarantined),
        1 => Just(Happening::Replaced),
    ];
    prop::collection::vec(one, 0..60)
}

fn step(rotation: &Rotation, happening: &Happening, now: Timestamp) -> Result<Rotation, NoTransition> {
    match happening {
        Happening::Claim => rotation.claim(),
        Happening::Arm => rotation.arm(),
        Happening::Disarm => rotation.disarm(),
        Happening::Restart => Ok(rotation.restarted(now, QUIET)),
        Happening::Lost => rotation.lost("lost", now, QUIET),
        Happening::NotConsumed => rotation.not_consumed(now, QUIET),
        Happening::Refused => rotation.refused(FINGERPRINT, "400", now),
        Happening::Ended => rotation.ended(Ending::Reused, FINGERPRINT, None),
        Happening::Granted(weak) => rotation.granted(*weak, now),
        Happening::Quarantined => Ok(rotation.quarantined(Quarantine::OtherAccount)),
        Happening::Replaced => Ok(rotation.replaced(None)),
    }
}

fn model(known: Known, happening: &Happening, before: &Rotation, after: &Rotation) -> Known {
    match happening {
        Happening::Arm => Known::Presented,
        Happening::Replaced | Happening::Granted(_) => Known::Fresh,
        Happening::Quarantined => Known::Spent,
        Happening::Lost => Known::Perhaps,
        Happening::Restart if known == Known::Presented => Known::Perhaps,
        Happening::Ended => Known::Spent,
        _ if matches!(after.state, State::Reauth(_)) => Known::Spent,
        Happening::Disarm | Happening::NotConsumed | Happening::Refused => match &before.state {
            State::Claimed(Resting::InDoubt(_)) | State::Sent(Resting::InDoubt(_)) => Known::Perhaps,
            _ => Known::Fresh,
        },
        Happening::Claim | Happening::Restart => known,
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_machine_never_forgets_what_a_token_has_been_through(story in happenings()) {
        let mut rotation = Rotation::begun(1, 0);
        let mut known = Known::Fresh;
        for (index, happening) in story.iter().enumerate() {
            let now = NOW + Duration::from_secs(index as u64 * 10);
            let Ok(next) = step(&rotation, happening, now) else { continue };
            known = model(known, happening, &rotation, &next);
            prop_assert!(next.epoch >= rotation.epoch && next.generation >= rotation.generation);
            match known {
                Known::Fresh => prop_assert!(matches!(next.state, State::Resting(Resting::Idle(_)) | State::Claimed(Resting::Idle(_))), "{next:?}"),
                Known::Presented => prop_assert!(matches!(next.state, State::Sent(_)), "{next:?}"),
                Known::Perhaps => prop_assert!(
                    matches!(next.state, State::Resting(Resting::InDoubt(_)) | State::Claimed(Resting::InDoubt(_))),
                    "{next:?}"
                ),
                Known::Spent => prop_assert!(next.claim().is_err() && next.arm().is_err(), "{next:?}"),
            }
            if matches!(happening, Happening::Claim) {
                prop_assert_eq!(next.epoch, rotation.epoch + 1);
            }
            rotation = next;
        }
    }
}

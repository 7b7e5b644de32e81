//! Rows, marks and slots that contradict each other, and who wins.

use scorpiox_wire::Secret;

use super::super::answer::{Ending, Identity, TokenGrant};
use super::super::credential::{CredentialId, Name, Owner, Pause};
use super::super::rotation::Rotation;
use super::super::token_set::TokenSet;
use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_000_000);
const QUIET: Duration = Duration::from_secs(120);

fn print(generation: u64) -> Fingerprint {
    Fingerprint::from_bytes([generation as u8; 16])
}

fn credential(rotation: Rotation) -> Credential {
    let generation = rotation.generation;
    Credential {
        id: CredentialId::from_stored("abc".into()),
        name: Name::parse("main").unwrap(),
        owner: Owner { account_id: "acc".into(), user_id: None },
        email: None,
        plan_type: None,
        created_at: NOW,
        pause: Pause::None,
        rotation,
        tokens: Some(TokenSet {
            access_token: Secret::new(format!("at{generation}")),
            refresh_token: Secret::new(format!("rt{generation}")),
            id_token: None,
            fingerprint: print(generation),
            expires_at: NOW + Duration::from_secs(3600),
            obtained_at: NOW,
            earliest_refresh_at: None,
        }),
    }
}

fn sent(generation: u64, epoch: u64) -> Credential {
    credential(Rotation::begun(generation, epoch - 1).claim().unwrap().arm().unwrap())
}

fn granted(generation: u64, epoch: u64, account: &str) -> KeptAnswer {
    let grant = TokenGrant {
        access_token: Secret::new(format!("at{}", generation + 1)),
        refresh_token: Some(Secret::new(format!("rt{}", generation + 1))),
        id_token: None,
        expires_at: NOW + Duration::from_secs(7200),
        earliest_refresh_at: None,
        identity: Identity { account_id: Some(account.into()), ..Identity::default() },
    };
    KeptAnswer {
        epoch,
        generation,
        presented: print(generation),
        verdict: Verdict::Granted(Box::new(grant)),
        brought: Some(print(generation + 1)),
        received_at: NOW,
    }
}

fn settled(replay: Replay) -> Credential {
    match replay {
        Replay::Settle(credential) => *credential,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_kept_answer_becomes_the_next_generation_without_asking_again() {
    let next = settled(replay(&sent(3, 5), &granted(3, 5, "acc"), QUIET));
    assert_eq!(next.rotation, Rotation::begun(4, 5));
    assert_eq!(next.tokens.unwrap().refresh_token.expose(), "rt4");
}

#[test]
fn an_answer_that_was_committed_before_the_kill_is_replayed_to_nothing() {
    let row = credential(Rotation::begun(4, 5));
    assert_eq!(replay(&row, &granted(3, 5, "acc"), QUIET), Replay::Done);
}

#[test]
fn an_answer_is_welcome_though_the_row_says_doubt_or_ended() {
    let doubt = sent(3, 5).rotation.lost("cut", NOW, QUIET).unwrap();
    let ended = sent(3, 5).rotation.ended(Ending::Expired, print(3), None).unwrap();
    for rotation in [doubt, ended] {
        let next = settled(replay(&credential(rotation), &granted(3, 5, "acc"), QUIET));
        assert_eq!(next.rotation.generation, 4);
    }
}

#[test]
fn an_older_row_gives_way_to_a_slot_with_the_newer_set() {
    let row = credential(Rotation::begun(1, 2));
    let next = settled(replay(&row, &granted(3, 5, "acc"), QUIET));
    assert_eq!(next.rotation, Rotation::begun(4, 5));
    let mark = Some(Mark { epoch: 5, generation: 4 });
    assert_eq!(restarted(&next, mark, NOW, QUIET).rotation, Rotation::begun(4, 5));
}

#[test]
fn an_answer_for_a_login_that_was_replaced_is_kept_and_not_published() {
    let row = credential(Rotation::begun(4, 6));
    let mut late = granted(3, 5, "acc");
    late.brought = Some(print(99));
    assert_eq!(replay(&row, &late, QUIET), Replay::Keep("late", None));
}

#[test]
fn another_accounts_answer_is_kept_and_the_credential_set_aside() {
    let Replay::Keep("other account", Some(aside)) = replay(&sent(3, 5), &granted(3, 5, "other"), QUIET) else {
        panic!("not kept")
    };
    assert_eq!(aside.rotation.state, State::Quarantine(Quarantine::OtherAccount));
    assert_eq!(aside.tokens.unwrap().refresh_token.expose(), "rt3");
}

#[test]
fn a_verdict_in_a_slot_counts_only_for_the_claim_it_answers() {
    let kept =
        |epoch| KeptAnswer { verdict: Verdict::Ended(Ending::Reused), brought: None, ..granted(3, epoch, "acc") };
    let ended = settled(replay(&sent(3, 5), &kept(5), QUIET));
    assert!(matches!(ended.rotation.state, State::Reauth(_)));
    assert_eq!(replay(&sent(3, 5), &kept(4), QUIET), Replay::Done);
}

#[test]
fn a_row_behind_the_mark_in_either_number_is_set_aside() {
    for (mark, expected) in [
        (Mark { epoch: 5, generation: 3 }, false),
        (Mark { epoch: 4, generation: 2 }, false),
        (Mark { epoch: 6, generation: 3 }, true),
        (Mark { epoch: 5, generation: 4 }, true),
    ] {
        let row = credential(Rotation::begun(3, 5));
        let aside = restarted(&row, Some(mark), NOW, QUIET).rotation.state == State::Quarantine(Quarantine::BehindMark);
        assert_eq!(aside, expected, "{mark:?}");
    }
}

#[test]
fn what_was_sent_is_in_doubt_and_what_does_not_open_is_set_aside() {
    let doubt = restarted(&sent(3, 5), None, NOW, QUIET);
    assert!(matches!(doubt.rotation.state, State::Resting(Resting::InDoubt(_))));
    let damaged = Credential { tokens: None, ..sent(3, 5) };
    assert_eq!(restarted(&damaged, None, NOW, QUIET).rotation.state, State::Quarantine(Quarantine::Damaged));
}

#[test]
fn a_claim_whose_epoch_is_in_the_mark_was_sent_and_has_lost_that() {
    let claimed = credential(Rotation::begun(3, 4).claim().unwrap());
    let state = |epoch| restarted(&claimed, Some(Mark { epoch, generation: 3 }), NOW, QUIET).rotation.state;
    assert!(matches!(state(5), State::Resting(Resting::InDoubt(_))));
    assert!(matches!(state(4), State::Resting(Resting::Idle(_))), "claimed after the mark: never sent");
    let ended = KeptAnswer { verdict: Verdict::Ended(Ending::Reused), brought: None, ..granted(3, 5, "acc") };
    assert!(matches!(settled(replay(&claimed, &ended, QUIET)).rotation.state, State::Reauth(_)));
}

#[test]
fn only_a_credential_that_never_moved_was_never_armed() {
    assert!(!was_ever_armed(&credential(Rotation::begun(1, 0))));
    for moved in [Rotation::begun(1, 1), Rotation::begun(2, 0)] {
        assert!(was_ever_armed(&credential(moved)));
    }
}

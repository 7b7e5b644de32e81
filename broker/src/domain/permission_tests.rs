//! When a credential may be renewed, case by case.

use scorpiox_wire::Secret;

use super::*;
use crate::domain::credential::{CredentialId, Name, Owner};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::rotation::{Idle, Rotation};

const NOW: Timestamp = Timestamp::from_unix(1_000_000_000);
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_unix(NOW.as_unix() + offset)
}

/// A credential whose token was obtained ten days before it ends.
fn credential(resting: Resting, expires: i64) -> Credential {
    let tokens = TokenSet {
        access_token: Secret::new("a"),
        refresh_token: Secret::new("r"),
        id_token: None,
        fingerprint: Fingerprint::from_bytes([1; 16]),
        expires_at: at(expires),
        obtained_at: at(expires - 10 * DAY),
        earliest_refresh_at: None,
    };
    Credential {
        id: CredentialId::from_stored("abc".into()),
        name: Name::parse("main").unwrap(),
        owner: Owner { account_id: "account".into(), user_id: None },
        email: None,
        plan_type: None,
        created_at: NOW,
        pause: Pause::None,
        rotation: Rotation { state: State::Resting(resting), ..Rotation::begun(1, 1) },
        tokens: Some(tokens),
    }
}

fn doubt(since: i64, probes: u32, not_before: i64) -> Resting {
    let (since, not_before) = (at(since).as_unix(), at(not_before).as_unix());
    Resting::InDoubt(Doubt { since, why: "cut".into(), probes, refusals: 0, not_before })
}

fn asked(resting: Resting, expires: i64, wish: Wish) -> Permission {
    permission(&credential(resting, expires), wish, NOW, &Policy::default())
}

#[test]
fn a_doubt_is_given_up_only_after_a_probe_that_came_a_day_after_the_tokens_end() {
    let gone = -2 * DAY;
    for (since, probes, expected) in [
        (gone - 5 * DAY, 0, Permission::Now),
        (gone - HOUR, 3, Permission::Now),
        (gone + DAY - 1, 3, Permission::Now),
        (gone + DAY, 1, Permission::GiveUp),
        (-HOUR, 3, Permission::GiveUp),
    ] {
        assert_eq!(asked(doubt(since, probes, since + 120), gone, Wish::Need), expected, "{since} {probes}");
    }
}

#[test]
fn a_probe_waits_for_the_quiet_time_and_for_the_last_tenth_unless_the_token_was_refused() {
    let quiet = Permission::NotBefore(at(60));
    let late = Permission::NotBefore(at(4 * DAY));
    for (wish, expected) in [
        (Wish::Need, late.clone()),
        (Wish::Operator, late),
        (Wish::Refused, quiet.clone()),
        (Wish::OperatorProbe, quiet),
    ] {
        assert_eq!(asked(doubt(-60, 0, 60), 5 * DAY, wish), expected, "{wish:?}");
    }
}

#[test]
fn a_token_that_was_obtained_under_a_wrong_calendar_is_renewed_before_it_ends() {
    let Some(tokens) = credential(Resting::Idle(Idle::default()), HOUR).tokens else { unreachable!("it has tokens") };
    let policy = Policy::default();
    assert!(policy.renew_at(&tokens) < at(HOUR));
    let ahead = TokenSet { obtained_at: at(365 * DAY), ..tokens };
    assert_eq!(policy.renew_at(&ahead), at(HOUR) - policy.serve_floor);
}

#[test]
fn a_wait_that_only_a_wrong_calendar_can_have_set_holds_nobody_up() {
    let year = 365 * DAY;
    assert_eq!(asked(doubt(year, 1, year), HOUR, Wish::Refused), Permission::Now);
    let idle = |not_before: i64| {
        Resting::Idle(Idle { refusals: 1, weak_grants: 0, not_before: Some(at(not_before).as_unix()) })
    };
    assert_eq!(asked(idle(HOUR), DAY, Wish::Need), Permission::NotBefore(at(HOUR)));
    assert_eq!(asked(idle(HOUR + 1), DAY, Wish::Need), Permission::Now);
}

#[test]
fn a_token_is_too_short_for_somebody_only_while_its_successor_is_worth_a_rotation() {
    let idle = || Resting::Idle(Idle { refusals: 0, weak_grants: 0, not_before: None });
    let needs = Duration::from_secs(360);
    let of = |life: i64, left: i64| {
        let mut credential = credential(idle(), left);
        credential.tokens.as_mut().unwrap().obtained_at = at(left - life);
        Policy::default().is_short(&credential, needs, NOW)
    };
    for (life, left, short) in [
        (10 * DAY, 359, true),
        (10 * DAY, 360, false),
        // One that never lasts so long: again only when it is a minute old.
        (300, 300, false),
        (300, 241, false),
        (300, 240, true),
    ] {
        assert_eq!(of(life, left), short, "{life} {left}");
    }
    assert!(!Policy::default().is_short(&credential(idle(), 10), Duration::ZERO, NOW), "who needs nothing more");
    assert!(!Policy::default().is_short(&Credential { tokens: None, ..credential(idle(), 10) }, needs, NOW));
}

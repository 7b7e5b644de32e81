use super::*;
use crate::domain::answer::Ending;
use crate::domain::credential::Name;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::rotation::{Doubt, Idle, Quarantine, Reauth};
use crate::domain::scope::{Scope, Scopes};

// 2023-11-14 22:13:20 UTC, a Tuesday.
const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const HOUR: Duration = Duration::from_secs(3600);

fn idle() -> State {
    State::Resting(Resting::Idle(Idle::default()))
}

fn reauth() -> State {
    let fingerprint = Fingerprint::from_bytes([1; 16]);
    State::Reauth(Reauth { ending: Ending::Expired, fingerprint, after: None })
}

fn in_doubt() -> Resting {
    let why = "connection reset".to_owned();
    Resting::InDoubt(Doubt { since: 0, why, probes: 0, refusals: 0, not_before: 0 })
}

fn login(state: State) -> Login {
    let name = Name::parse("main").unwrap();
    Login {
        name,
        pause: Pause::None,
        state,
        life: Some((NOW - HOUR * 2, NOW + HOUR * 20)),
        failing: None,
        not_before: None,
    }
}

fn world(logins: impl IntoIterator<Item = Login>) -> World {
    World {
        now: NOW,
        fence: None,
        memory_only: 0,
        unsaved: 0,
        audit: AuditState::Writing,
        clock_stepped: None,
        free_slots: 16,
        in_flight: 0,
        damaged_slots: Vec::new(),
        certificates: Vec::new(),
        logins: logins.into_iter().collect(),
        ends: Vec::new(),
    }
}

fn seen(world: &World) -> Vec<Condition> {
    conditions(world, &LocalTime::utc())
}

fn kinds(world: &World) -> Vec<&'static str> {
    seen(world).iter().map(|condition| condition.key.what.as_str()).collect()
}

#[test]
fn nothing_needs_a_person_while_all_is_well() {
    assert_eq!(seen(&world([login(idle())])), []);
    // A rotation under way is no doubt yet.
    assert_eq!(seen(&world([login(State::Sent(Resting::Idle(Idle::default())))])), []);
}

#[test]
fn a_login_that_works_and_cannot_be_renewed_says_until_when_and_what_to_do() {
    let found = seen(&world([login(reauth())]));
    let expected = Condition {
        key: Key { what: What::Reauth, subject: "main".into() },
        reason: "'main' works until 18:13 Wednesday (UTC) and cannot be renewed: the provider says the refresh token \
                 has expired"
            .into(),
        next: Some("scorpiox-broker login --name main".into()),
    };
    assert_eq!(found, [expected]);
}

#[test]
fn each_state_of_a_login_has_its_conditions() {
    let ended = |state| Login { life: Some((NOW - HOUR * 20, NOW)), ..login(state) };
    let late = |state| Login { life: Some((NOW - HOUR * 3, NOW + HOUR)), ..login(state) };
    let failing = Some("the provider was not reached: timeout".to_owned());
    let table = [
        (login(reauth()), vec!["reauth"]),
        (ended(reauth()), vec!["login_ended"]),
        (login(State::Quarantine(Quarantine::BehindMark)), vec!["quarantine"]),
        (ended(State::Quarantine(Quarantine::Damaged)), vec!["login_ended", "quarantine"]),
        (Login { life: None, ..login(State::Quarantine(Quarantine::Damaged)) }, vec!["login_ended", "quarantine"]),
        (login(State::Resting(in_doubt())), vec!["in_doubt"]),
        (login(State::Claimed(in_doubt())), vec!["in_doubt"]),
        (login(State::Sent(in_doubt())), vec!["in_doubt"]),
        (ended(State::Resting(in_doubt())), vec!["login_ended", "in_doubt"]),
        // A login that was taken over with an ended token is renewed in a moment.
        (ended(idle()), vec![]),
        (Login { failing: failing.clone(), ..ended(idle()) }, vec!["login_ended"]),
        (Login { failing: failing.clone(), ..login(idle()) }, vec![]),
        (Login { failing, ..late(idle()) }, vec!["renewal_failing"]),
        (Login { pause: Pause::All, ..ended(reauth()) }, vec![]),
        // It is still handed out, so somebody who paused its renewal and forgot it is told before it ends.
        (Login { pause: Pause::Renewal, ..login(reauth()) }, vec!["reauth"]),
        (Login { pause: Pause::Renewal, ..login(State::Quarantine(Quarantine::BehindMark)) }, vec!["quarantine"]),
        (Login { pause: Pause::Renewal, ..login(State::Resting(in_doubt())) }, vec!["in_doubt"]),
        (Login { pause: Pause::Renewal, ..login(idle()) }, vec![]),
        (Login { pause: Pause::Renewal, ..late(idle()) }, vec!["renewal_paused"]),
        (Login { pause: Pause::Renewal, ..ended(idle()) }, vec!["login_ended"]),
    ];
    for (login, expected) in table {
        assert_eq!(kinds(&world([login.clone()])), expected, "{login:?}");
    }
}

#[test]
fn a_fence_or_a_renewal_that_may_only_come_too_late_is_told_of_each_login_that_ends() {
    let late = Login { life: Some((NOW - HOUR * 3, NOW + HOUR)), ..login(idle()) };
    let ended = Login { life: Some((NOW - HOUR * 20, NOW - HOUR)), ..login(idle()) };
    let held = |hours, login: &Login| Login { not_before: Some(NOW + HOUR * hours), ..login.clone() };
    let fenced = |login: &Login| World { fence: Some("no mark".into()), ..world([login.clone()]) };
    let table = [
        (fenced(&late), vec!["fenced", "renewal_failing"]),
        (fenced(&ended), vec!["fenced", "login_ended"]),
        (fenced(&login(idle())), vec!["fenced"]),
        (world([held(1, &late)]), vec!["renewal_failing"]),
        (world([held(2, &ended)]), vec!["login_ended"]),
        // Soon enough.
        (world([held(0, &late)]), vec![]),
        (world([Login { not_before: Some(NOW + HOUR / 2), ..late.clone() }]), vec![]),
        (world([held(0, &ended)]), vec![]),
    ];
    for (world, expected) in table {
        assert_eq!(kinds(&world), expected, "{world:?}");
    }
    let found = seen(&fenced(&ended)).pop().unwrap();
    assert_eq!(found.reason, "nobody gets a token of 'main' any more: no mark");
    assert_eq!(found.next.as_deref(), Some("scorpiox-broker promote"));
    let reason = seen(&world([held(1, &late)])).remove(0).reason;
    let expected = "'main' works until 23:13 Tuesday (UTC) and could not be renewed so far: it may not be renewed \
                    before 23:13 Tuesday (UTC)";
    assert_eq!(reason, expected);
}

#[test]
fn the_end_of_a_certificate_is_told_after_it_was_told_that_it_is_near() {
    let mut memory = Memory::default();
    let at = NOW + HOUR;
    let near = |now| World { now, certificates: vec![CertificateEnd { listener: Listener::Clients, at }], ..world([]) };
    assert_eq!(memory.see(&seen(&near(NOW)), NOW).len(), 1);
    let changes = memory.see(&seen(&near(at)), at);
    assert!(
        matches!(&changes[..], [Change::Raised(condition)] if condition.key.what == What::CertificateEnded),
        "{changes:?}"
    );
}

#[test]
fn each_state_of_the_broker_has_its_condition() {
    let certificate = |listener, left: Duration| CertificateEnd { listener, at: NOW + left };
    let end = |left| World { certificates: vec![certificate(Listener::Clients, left)], ..world([]) };
    let administration = |left| World { certificates: vec![certificate(Listener::Administration, left)], ..world([]) };
    let day = HOUR * 24;
    let table = [
        (World { fence: Some("missing".into()), ..world([]) }, vec!["fenced"]),
        (World { memory_only: 1, unsaved: 1, ..world([]) }, vec!["memory_only", "save_failing"]),
        (World { audit: AuditState::Failing, ..world([]) }, vec!["audit_failing"]),
        (World { audit: AuditState::Spooling, ..world([]) }, vec!["audit_spooling"]),
        (World { clock_stepped: Some(-7), ..world([]) }, vec!["clock_stepped"]),
        (World { free_slots: 0, ..world([]) }, vec!["rescue_slots"]),
        // A burst of renewals.
        (World { free_slots: 0, in_flight: 16, ..world([]) }, vec![]),
        (World { damaged_slots: vec![("/r/1".into(), "torn".into())], ..world([]) }, vec!["rescue_slot_damaged"]),
        (end(day * 14), vec!["certificate_ends"]),
        (end(Duration::from_secs(1)), vec!["certificate_ends"]),
        (end(Duration::ZERO), vec!["certificate_ended"]),
        (end(day * 14 + Duration::from_secs(1)), vec![]),
        (administration(day * 14), vec!["certificate_ends"]),
        (administration(day * 14 + Duration::from_secs(1)), vec![]),
    ];
    for (world, expected) in table {
        assert_eq!(kinds(&world), expected, "{world:?}");
        assert!(seen(&world).iter().all(|condition| !condition.reason.is_empty()));
    }
}

#[test]
fn two_certificates_are_two_conditions_and_each_says_whose_it_is() {
    let ends = [Listener::Clients, Listener::Administration].map(|listener| CertificateEnd { listener, at: NOW });
    let found = seen(&World { certificates: ends.into(), ..world([]) });
    let reasons: Vec<_> = found.iter().map(|condition| condition.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the certificate of the client listener ended 22:13 Tuesday (UTC): no client connects any more",
            "the certificate of the administration ended 22:13 Tuesday (UTC): no administrator connects any more",
        ]
    );
    assert_ne!(found[0].key, found[1].key);
}

#[test]
fn a_login_whose_renewal_is_paused_says_how_it_goes_on() {
    let paused = |state| Login { pause: Pause::Renewal, life: Some((NOW - HOUR * 3, NOW + HOUR)), ..login(state) };
    for state in [idle(), State::Resting(in_doubt())] {
        let found = seen(&world([paused(state)]));
        assert_eq!(found[0].next.as_deref(), Some("scorpiox-broker credential resume main"), "a probe is refused");
    }
    let found = seen(&world([paused(reauth())]));
    assert_eq!(found[0].next.as_deref(), Some("scorpiox-broker login --name main"));
}

#[test]
fn a_clients_end_is_told_a_week_ahead_and_for_a_week_with_the_command_that_extends_it() {
    let ends = |at| World { ends: vec![End { whose: Whose::Client(Name::parse("ci").unwrap()), at }], ..world([]) };
    let second = Duration::from_secs(1);
    for (at, is_told) in [
        (NOW + END_NOTICE + second, false),
        (NOW + END_NOTICE, true),
        (NOW, true),
        (NOW - END_NOTICE, true),
        (NOW - END_NOTICE - second, false),
    ] {
        assert_eq!(!seen(&ends(at)).is_empty(), is_told, "{at}");
    }
    let ahead = seen(&ends(NOW + HOUR * 20)).remove(0);
    let expected = Condition {
        key: Key { what: What::ClientEnds, subject: "ci".into() },
        reason: "client 'ci' ends 18:13 Wednesday (UTC)".into(),
        next: Some("scorpiox-broker client limit ci --expires 90d".into()),
    };
    assert_eq!(ahead, expected);
    let ended = seen(&ends(NOW - HOUR)).remove(0);
    assert_eq!(
        (ended.key, ended.reason.as_str()),
        (ahead.key, "client 'ci' ended 21:13 Tuesday (UTC) and gets nothing any more")
    );
}

#[test]
fn an_admin_keys_end_is_told_as_a_clients_with_how_another_one_takes_its_place() {
    let ends = |at| {
        let scopes = Scopes::new([Scope::Clients, Scope::Credentials]).unwrap();
        World { ends: vec![End { whose: Whose::AdminKey(Name::parse("nightly").unwrap(), scopes), at }], ..world([]) }
    };
    let second = Duration::from_secs(1);
    assert_eq!(seen(&ends(NOW + END_NOTICE + second)), []);
    assert_eq!(seen(&ends(NOW - END_NOTICE - second)), []);
    let ahead = seen(&ends(NOW + END_NOTICE)).remove(0);
    assert_eq!(ahead.key, Key { what: What::AdminKeyEnds, subject: "nightly".into() });
    assert!(ahead.reason.starts_with("admin key 'nightly' ends "), "{}", ahead.reason);
    let next = ahead.next.unwrap();
    assert!(next.contains("admin key add NAME --scope clients,credentials --expires 90d"), "{next}");
    assert!(next.ends_with("admin key revoke nightly"), "{next}");
    let ended = seen(&ends(NOW - HOUR)).remove(0);
    assert_eq!(
        (ended.key, ended.reason.as_str()),
        (ahead.key, "admin key 'nightly' ended 21:13 Tuesday (UTC) and opens nothing any more")
    );
}

#[test]
fn a_change_is_told_once_whatever_its_words() {
    let mut memory = Memory::default();
    let first = seen(&world([login(reauth())]));
    assert_eq!(memory.see(&first, NOW), [Change::Raised(first[0].clone())]);
    let later = World { now: NOW + HOUR, ..world([login(reauth())]) };
    assert_eq!(memory.see(&seen(&later), NOW + HOUR), []);
    // Works no more: that is something else, and what was before is over.
    let ended = World { now: NOW + HOUR * 20, ..world([login(reauth())]) };
    let changes = memory.see(&seen(&ended), NOW + HOUR * 20);
    assert!(
        matches!(&changes[..], [Change::Raised(condition)] if condition.key.what == What::LoginEnded),
        "{changes:?}"
    );
}

#[test]
fn what_is_over_is_told_once_it_has_stayed_away() {
    let mut memory = Memory::default();
    let condition = seen(&world([login(reauth())]));
    memory.see(&condition, NOW);
    assert_eq!(memory.see(&[], NOW + Duration::from_secs(1)), []);
    assert_eq!(memory.see(&condition, NOW + Duration::from_secs(2)), [], "it came and went");
    assert_eq!(memory.see(&[], NOW + Duration::from_secs(3)), []);
    assert_eq!(memory.see(&[], NOW + Duration::from_secs(12)), []);
    let changes = memory.see(&[], NOW + Duration::from_secs(13));
    assert!(
        matches!(&changes[..], [Change::Resolved(key, standing)]
        if *key == condition[0].key && standing.since == NOW),
        "{changes:?}"
    );
    assert_eq!(memory.see(&[], NOW + Duration::from_secs(14)), []);
    assert_eq!(memory, Memory::default());
}

#[test]
fn a_calendar_that_went_back_does_not_keep_a_condition_for_ever() {
    let mut memory = Memory::default();
    memory.see(&seen(&world([login(reauth())])), NOW);
    memory.see(&[], NOW + HOUR * 1000);
    memory.see(&[], NOW);
    assert_eq!(memory.see(&[], NOW + OVER_AFTER).len(), 1);
}

#[test]
fn every_kind_is_found_by_its_name() {
    for what in What::ALL {
        assert_eq!(What::named(what.as_str()), Some(*what));
    }
    assert_eq!(What::named("nonsense"), None);
}

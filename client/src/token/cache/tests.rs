use scorpiox_wire::{ClientKey, Secret};

use super::*;
use crate::settings::Trust;
use crate::settings::api_key::ApiKey;
use crate::settings::broker_url::BrokerUrl;

const NOW: i64 = 1_700_000_000_000;

/// An answer of a broker whose clock is an hour ahead: fresh for 300 s, good for 900 s.
pub(crate) fn answer(generation: u64) -> TokenAnswer {
    let broker_now = NOW / 1000 + 3600;
    TokenAnswer {
        access_token: Secret::new(format!("token-{generation}")),
        token_type: "Bearer".into(),
        expires_at: broker_now + 900,
        expires_in: 900,
        revalidate_at: broker_now + 300,
        account_id: "a1".into(),
        plan_type: None,
        credential: "c1".into(),
        generation,
        renewable: true,
    }
}

pub(crate) fn settings(id: &str, secret: char, url: &str) -> RemoteSettings {
    let secret = Secret::new(secret.to_string().repeat(43));
    RemoteSettings {
        url: BrokerUrl::parse(url).unwrap(),
        key: Some(ApiKey::parse(ClientKey::compose(id, &secret).unwrap().expose()).unwrap()),
        trust: Trust::System(None),
    }
}

fn tag(generation: u64) -> TokenTag {
    TokenTag { credential: "c1".into(), generation }
}

#[test]
fn times_hold_on_this_machines_clock_whatever_the_brokers_says() {
    let entry = Entry::new(answer(7), NOW);
    let at = |seconds: i64| NOW + seconds * 1000;
    assert!(entry.is_fresh(at(0)) && entry.is_fresh(at(299)) && !entry.is_fresh(at(300)));
    assert!(entry.is_alive(at(899)) && !entry.is_alive(at(900)));
    assert!(!entry.is_fresh(at(-60)), "the clock was set back: ask again");
    let entry = entry.confirmed(at(700));
    assert!(entry.is_fresh(at(899)) && !entry.is_fresh(at(900)), "never longer than the token");
}

#[test]
fn absurd_times_are_bounded() {
    let odd = |expires_at, expires_in, revalidate_at| {
        Entry::new(TokenAnswer { expires_at, expires_in, revalidate_at, ..answer(1) }, NOW)
    };
    assert!(!odd(i64::MAX, i64::MAX, i64::MAX).is_fresh(NOW + LONGEST_FRESH_MS));
    assert!(!odd(i64::MIN, -1, i64::MIN).is_alive(NOW));
    assert!(!odd(900, 900, -5).is_fresh(NOW));
}

#[test]
fn each_question_has_its_step() {
    let entry = Entry::new(answer(7), NOW);
    let (fresh, stale, ended) = (NOW + 1, NOW + 300_000, NOW + 900_000);
    let have = |generation| Step::Ask { have: Some(tag(generation)) };
    let nothing = Step::Ask { have: None };
    let other = |generation| Ask::OtherThan(tag(generation));
    let insisted = entry.clone().insisted(NOW);
    let cases = [
        (Some(&entry), Ask::Current, fresh, Step::Serve),
        (Some(&entry), Ask::Current, stale, have(7)),
        (Some(&entry), Ask::Current, ended, nothing.clone()),
        (None, Ask::Current, fresh, nothing.clone()),
        (Some(&entry), Ask::OtherThanLast, fresh, Step::Refuse(tag(7))),
        (Some(&entry), Ask::OtherThanLast, ended, nothing.clone()),
        (None, Ask::OtherThanLast, fresh, nothing.clone()),
        (Some(&entry), other(7), stale, Step::Refuse(tag(7))),
        (Some(&entry), other(6), fresh, Step::Serve),
        (Some(&entry), other(6), stale, have(7)),
        (Some(&entry), other(7), ended, nothing),
        (None, other(7), fresh, Step::Refuse(tag(7))),
        (Some(&insisted), other(7), fresh, Step::Serve),
        (Some(&insisted), other(7), NOW + 60_000, Step::Refuse(tag(7))),
    ];
    for (entry, ask, now, expected) in cases {
        assert_eq!(next_step(entry, &ask, now), expected, "{ask:?} at +{}", now - NOW);
    }
}

#[test]
fn an_answer_is_served_only_to_the_key_and_address_that_got_it() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDirectory::new(Some(dir.path().join("s")));
    let owner = |id: &str, secret, url: &str| Owner::new(&settings(id, secret, url));
    let (id, url) = ("000000000001", "https://b.example/codex");
    let mine = owner(id, 'A', url);
    Cache::new(&state, &mine).write(&Entry::new(answer(7), NOW)).unwrap();
    assert_eq!(Cache::new(&state, &mine).read().unwrap().answer, answer(7));
    for other in [owner(id, 'B', url), owner("000000000002", 'A', url), owner(id, 'A', "https://b.example/other")] {
        assert!(Cache::new(&state, &other).read().is_none(), "{other:?}");
    }
    Cache::new(&state, &mine).delete().unwrap();
    assert!(Cache::new(&state, &mine).read().is_none());
}

#[test]
fn neither_key_nor_token_is_shown() {
    let settings = settings("000000000001", 'A', "https://b.example/codex");
    let shown = format!("{:?} {:?} {settings:?}", Owner::new(&settings), Entry::new(answer(7), NOW));
    assert!(!shown.contains("token-7") && !shown.contains("AAAA"), "{shown}");
}

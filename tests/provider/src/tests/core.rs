//! Rules of the core, without a socket.

use serde_json::Value;

use crate::{
    AccessRefusal, Account, Fate, Fault, How, OddJwt, Oracle, RefreshReuse, Serial, Settings, Tokens, Twist, jwt,
};

const NOW: i64 = 1_800_000_000;

fn provider(settings: Settings) -> (Oracle, Tokens) {
    let mut oracle = Oracle::new(settings, 1);
    let login = oracle.login(&Account::default(), NOW);
    (oracle, login)
}

fn first(tokens: &Tokens) -> String {
    tokens.refresh_token.clone().unwrap()
}

/// Status, error code, next refresh token.
fn redeem(oracle: &mut Oracle, token: &str, now: i64) -> (u16, Option<String>, String) {
    let reply = oracle.redeem(token, now);
    let body = reply.answer.body_json();
    (reply.answer.status, reply.answer.code(), body["refresh_token"].as_str().unwrap_or_default().to_owned())
}

const FIRST: Serial = Serial { family: 1, generation: 1 };
const SECOND: Serial = Serial { family: 1, generation: 2 };

#[test]
fn a_refresh_token_can_be_redeemed_once() {
    let (mut oracle, login) = provider(Settings::default());
    let (status, _, next) = redeem(&mut oracle, &first(&login), NOW + 1);
    assert_eq!(status, 200);
    assert_ne!(next, first(&login));
    let (status, code, _) = redeem(&mut oracle, &first(&login), NOW + 2);
    assert_eq!((status, code.as_deref()), (401, Some("refresh_token_reused")));
    let counter = oracle.counter(FIRST).unwrap();
    assert_eq!((counter.presented, counter.consumed_at), (2, Some(1)));
}

#[test]
fn reuse_ends_the_family_and_no_other() {
    let (mut oracle, login) = provider(Settings::default());
    let other = oracle.login(&Account::default(), NOW);
    let (.., next) = redeem(&mut oracle, &first(&login), NOW);
    redeem(&mut oracle, &first(&login), NOW);
    for token in [&next, &first(&login)] {
        let (status, code, _) = redeem(&mut oracle, token, NOW);
        assert_eq!((status, code.as_deref()), (401, Some("refresh_token_invalidated")));
    }
    assert_eq!(redeem(&mut oracle, &first(&other), NOW).0, 200);
}

#[test]
fn lenient_reuse_leaves_the_newest_token_good() {
    let (mut oracle, login) = provider(Settings { refresh_reuse: RefreshReuse::RefuseOnly, ..Settings::default() });
    let (.., next) = redeem(&mut oracle, &first(&login), NOW);
    redeem(&mut oracle, &first(&login), NOW);
    assert_eq!(redeem(&mut oracle, &next, NOW).0, 200);
}

#[test]
fn an_old_refresh_token_expires_without_being_consumed() {
    let (mut oracle, login) = provider(Settings { refresh_token_life_s: Some(100), ..Settings::default() });
    let (status, code, _) = redeem(&mut oracle, &first(&login), NOW + 100);
    assert_eq!((status, code.as_deref()), (401, Some("refresh_token_expired")));
    assert!(!oracle.is_redeemed(FIRST));
}

#[test]
fn too_early_burns_the_token() {
    let (mut oracle, login) = provider(Settings { earliest_refresh_after_s: Some(60), ..Settings::default() });
    assert_eq!(login.earliest_refresh_at, Some(NOW + 60));
    let (status, code, _) = redeem(&mut oracle, &first(&login), NOW + 59);
    assert_eq!((status, code.as_deref()), (400, Some("invalid_grant")));
    assert!(oracle.is_redeemed(FIRST));
    assert!(oracle.violations()[0].contains("earliest_refresh_at"), "{:?}", oracle.violations());
}

#[test]
fn the_previous_access_token_is_refused_after_its_grace() {
    let (mut oracle, login) = provider(Settings { previous_access_token_grace_s: Some(30), ..Settings::default() });
    redeem(&mut oracle, &first(&login), NOW + 10);
    assert_eq!(oracle.check_access(&login.access_token, NOW + 39), Ok(FIRST));
    assert_eq!(oracle.check_access(&login.access_token, NOW + 40), Err(AccessRefusal::Invalidated));
    let next = oracle.tokens(SECOND).unwrap().access_token.clone();
    assert_eq!(oracle.check_access(&next, NOW + 40), Ok(SECOND));
}

#[test]
fn an_access_token_ends_with_its_life_or_when_refused() {
    let (mut oracle, login) = provider(Settings { access_token_life_s: 50, ..Settings::default() });
    assert_eq!(oracle.check_access(&login.access_token, NOW + 49), Ok(FIRST));
    assert_eq!(oracle.check_access(&login.access_token, NOW + 50), Err(AccessRefusal::Expired));
    assert!(oracle.refuse_access(FIRST));
    assert_eq!(oracle.check_access(&login.access_token, NOW), Err(AccessRefusal::Invalidated));
    assert!(!oracle.refuse_access(SECOND));
    assert_eq!(oracle.check_access("", NOW), Err(AccessRefusal::Invalidated));
}

#[test]
fn equal_seeds_give_equal_tokens() {
    let tokens = |seed| Oracle::new(Settings::default(), seed).login(&Account::default(), NOW);
    assert_eq!(tokens(3), tokens(3));
    assert_ne!(tokens(3), tokens(4));
}

#[test]
fn tokens_carry_the_claims_that_the_stock_client_reads() {
    let (_, login) = provider(Settings::default());
    let account = Account::default();
    for token in [&login.access_token, &login.id_token] {
        assert_eq!(token.split('.').count(), 3);
        let claims = jwt::payload(token);
        assert_eq!(claims["https://api.openai.com/auth"]["chatgpt_account_id"], account.account_id);
        assert_eq!(claims["https://api.openai.com/auth"]["chatgpt_plan_type"], "plus");
        assert_eq!(claims["https://api.openai.com/auth"]["chatgpt_user_id"], account.user_id);
    }
    assert_eq!(jwt::payload(&login.access_token)["exp"], login.expires_at);
    assert_eq!(jwt::payload(&login.id_token)["email"], account.email);
}

#[test]
fn odd_tokens_are_odd_in_their_own_way() {
    let exp = |odd| {
        let (mut oracle, login) = provider(Settings::default());
        oracle.fault(Fault::refresh_twist(Twist::Jwt(odd)));
        redeem(&mut oracle, &first(&login), NOW);
        let token = oracle.tokens(SECOND).unwrap().access_token.clone();
        assert_eq!(oracle.check_access(&token, NOW), Ok(SECOND), "{odd:?} is good at the backend all the same");
        (jwt::payload(&token)["exp"].clone(), token)
    };
    assert_eq!(exp(OddJwt::Opaque).1.split('.').count(), 1);
    assert!(exp(OddJwt::AlgNone).1.ends_with('.'));
    assert_eq!(exp(OddJwt::ExpMissing).0, Value::Null);
    assert!(exp(OddJwt::ExpString).0.is_string());
    assert_eq!(exp(OddJwt::ExpNegative).0, -1);
    assert_eq!(exp(OddJwt::ExpYear9999).0, 253_402_300_799_i64);
}

#[test]
fn twists_change_the_answer_and_keep_the_books() {
    let answer = |twist: Twist| {
        let (mut oracle, login) = provider(Settings::default());
        oracle.fault(Fault::refresh_twist(twist));
        let body = oracle.redeem(&first(&login), NOW).answer.body_json();
        (body, oracle.is_redeemed(FIRST))
    };
    let (body, redeemed) = answer(Twist::WithoutRefreshToken);
    assert_eq!((body.get("refresh_token"), redeemed), (None, false));
    let (body, redeemed) = answer(Twist::AnotherAccount(Account::numbered(9)));
    let claims = jwt::payload(body["access_token"].as_str().unwrap());
    assert_eq!(claims["https://api.openai.com/auth"]["chatgpt_account_id"], Account::numbered(9).account_id);
    assert!(redeemed);
    assert_eq!(answer(Twist::EmptyAccessToken).0["access_token"], "");
    assert_eq!(answer(Twist::AccessTokenLife(-60)).0["expires_in"], 0);
    assert_eq!(answer(Twist::WithoutExpiresIn).0.get("expires_in"), None);
    assert_eq!(answer(Twist::WithoutIdToken).0.get("id_token"), None);
    assert_eq!(answer(Twist::EarliestRefreshAfter(600)).0["earliest_refresh_at"], NOW + 600);
}

#[test]
fn without_rotation_the_old_token_stays_good() {
    let (mut oracle, login) = provider(Settings { include_refresh_token: false, ..Settings::default() });
    for round in 1..4 {
        let (status, _, next) = redeem(&mut oracle, &first(&login), NOW + round);
        assert_eq!((status, next.as_str()), (200, ""));
    }
    assert_eq!(oracle.newest(), [Serial { family: 1, generation: 4 }]);
    assert!(oracle.violations().is_empty(), "{:?}", oracle.violations());
}

#[test]
fn presenting_again_after_a_verdict_is_a_violation() {
    for how in [How::Plain, How::ContentType { value: "text/plain".into() }, How::Drip { every_ms: 1 }] {
        let (mut oracle, login) = provider(Settings::default());
        oracle.fault(Fault::refresh(how));
        redeem(&mut oracle, &first(&login), NOW);
        assert!(oracle.violations().is_empty());
        redeem(&mut oracle, &first(&login), NOW);
        assert_eq!(oracle.violations().len(), 1, "{:?}", oracle.violations());
    }
}

#[test]
fn one_probe_after_a_lost_answer_is_legal_and_its_refusal_is_a_verdict() {
    for how in [
        How::CutAfter { reset: false, body_bytes: None },
        How::TruncatedJson,
        How::Oversize { bytes: 100_000 },
        How::GzipBomb { bytes: 100_000 },
    ] {
        let (mut oracle, login) = provider(Settings::default());
        oracle.fault(Fault::refresh(how.clone()));
        redeem(&mut oracle, &first(&login), NOW);
        let (_, code, _) = redeem(&mut oracle, &first(&login), NOW + 200);
        assert_eq!(code.as_deref(), Some("refresh_token_reused"));
        assert!(oracle.violations().is_empty(), "{how:?}: {:?}", oracle.violations());
        redeem(&mut oracle, &first(&login), NOW + 400);
        assert_eq!(oracle.violations().len(), 1, "{how:?}");
    }
}

#[test]
fn an_answer_marked_lost_allows_a_probe() {
    let (mut oracle, login) = provider(Settings::default());
    redeem(&mut oracle, &first(&login), NOW);
    oracle.mark_last_refresh_lost().unwrap();
    redeem(&mut oracle, &first(&login), NOW + 200);
    assert!(oracle.violations().is_empty(), "{:?}", oracle.violations());
}

#[test]
fn two_presentations_at_once_are_a_violation_also_across_a_kill() {
    let (mut oracle, login) = provider(Settings::default());
    let one = oracle.present(&first(&login), NOW);
    let two = oracle.present(&first(&login), NOW);
    oracle.answer(&one, NOW);
    oracle.answer(&two, NOW);
    oracle.finish(one.id, Fate::ClientGone, NOW);
    oracle.finish(two.id, Fate::Delivered, NOW);
    assert_eq!(
        oracle.violations(),
        ["entry 2: the refresh token of family 1, generation 1 was presented while entry 1 was under way"]
    );
    assert!(oracle.log()[0].overlaps(&oracle.log()[1]) && oracle.log()[1].overlaps(&oracle.log()[0]));
}

#[test]
fn a_busy_answer_settles_nothing_and_a_scripted_code_does() {
    let (mut oracle, login) = provider(Settings::default());
    oracle.fault(Fault::refresh_status(503, Value::Null));
    oracle.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    for _ in 0..2 {
        redeem(&mut oracle, &first(&login), NOW);
    }
    assert!(oracle.violations().is_empty(), "{:?}", oracle.violations());
    redeem(&mut oracle, &first(&login), NOW);
    assert_eq!(oracle.violations().len(), 1);
}

#[test]
fn faults_are_used_up_in_order_after_those_left_alone() {
    let (mut oracle, login) = provider(Settings::default());
    oracle.fault(Fault::refresh_status(500, Value::Null).times(2).after(1));
    let mut token = first(&login);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let (status, _, next) = redeem(&mut oracle, &token, NOW);
        statuses.push(status);
        if status == 200 {
            token = next;
        }
    }
    assert_eq!(statuses, [200, 500, 500, 200]);
}

#[test]
fn the_log_holds_no_secret() {
    let (mut oracle, login) = provider(Settings::default());
    redeem(&mut oracle, &first(&login), NOW);
    redeem(&mut oracle, "rt_never_issued", NOW);
    let written = serde_json::to_string(oracle.log()).unwrap() + &format!("{oracle:?}");
    assert!(oracle.secrets().len() >= 6);
    let found: Vec<_> = oracle.secrets().into_iter().filter(|secret| written.contains(secret)).collect();
    assert!(found.is_empty() && !written.contains("rt_never_issued"), "{found:?}");
}

/// Any order of presenting old and new tokens, with faults, redeems each of them at most once.
#[test]
fn no_schedule_redeems_a_token_twice() {
    for seed in 0..200_u64 {
        let (mut oracle, login) = provider(Settings { refresh_reuse: RefreshReuse::RefuseOnly, ..Settings::default() });
        let mut tokens = vec![first(&login)];
        let mut state = seed;
        for step in 0..20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pick = (state >> 33) as usize;
            let how = match pick % 5 {
                0 => How::CutBefore { reset: false },
                1 => How::CutAfter { reset: false, body_bytes: None },
                2 => How::Garbage,
                3 => How::TruncatedJson,
                _ => How::Plain,
            };
            oracle.fault(Fault::refresh(how));
            let (.., next) = redeem(&mut oracle, &tokens[pick / 5 % tokens.len()].clone(), NOW + step);
            if !next.is_empty() {
                tokens.push(next);
            }
        }
        for counter in oracle.counters() {
            let consumed = counter.outcomes.iter().filter(|outcome| outcome.contains("consumed")).count();
            assert!(consumed <= 1, "seed {seed}: {counter:?}");
        }
    }
}

#[test]
fn only_untold_redemptions_count_as_lost() {
    let (mut oracle, login) = provider(Settings::default());
    let (.., next) = redeem(&mut oracle, &first(&login), NOW);
    oracle.fault(Fault::refresh(How::CutBefore { reset: false }));
    oracle.fault(Fault::refresh(How::CutAfter { reset: false, body_bytes: None }));
    for _ in 0..2 {
        redeem(&mut oracle, &next, NOW);
    }
    assert_eq!(oracle.lost_redemptions().map(|entry| entry.id.0).collect::<Vec<_>>(), [3]);
    assert!(oracle.is_alive(1) && !oracle.is_alive(2) && !oracle.is_alive(0));
    redeem(&mut oracle, &next, NOW);
    assert!(!oracle.is_alive(1));
}

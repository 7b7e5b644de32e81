use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::domain::answer::Identity;

const NOW: i64 = 1_790_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn answer(status: u16, body: impl AsRef<[u8]>) -> RawAnswer {
    RawAnswer {
        status,
        retry_after: None,
        date: None,
        received_at: Timestamp::from_unix(NOW),
        body: Zeroizing::new(body.as_ref().to_vec()),
    }
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({"alg": "none"})), part(claims))
}

fn grant(status: u16, body: impl AsRef<[u8]>) -> TokenGrant {
    match classify(&answer(status, body)) {
        Verdict::Granted(grant) => *grant,
        other => panic!("not granted: {other:?}"),
    }
}

#[test]
fn a_redemption_is_this_json() {
    let body = encode_refresh(CLIENT_ID, &Secret::new("rt_\"made\u{1}up"));
    let expected = concat!(
        r#"{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","#,
        r#""refresh_token":"rt_\"made\u0001up"}"#
    );
    assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
}

#[test]
fn a_full_answer_grants_all_it_holds() {
    let access = jwt(&json!({"exp": NOW + 10 * DAY, "https://api.openai.com/auth": {"chatgpt_account_id": "acc-1"}}));
    let body = json!({"access_token": access, "refresh_token": "rt_2", "id_token": "id", "expires_in": 864_000});
    let grant = grant(200, body.to_string());
    assert_eq!(grant.access_token.expose(), access);
    assert_eq!(grant.refresh_token, Some(Secret::new("rt_2")));
    assert_eq!(grant.id_token, Some(Secret::new("id")));
    assert_eq!(grant.expires_at.as_unix(), NOW + 10 * DAY);
    assert_eq!(grant.identity.account_id.as_deref(), Some("acc-1"));
    assert_eq!(grant.earliest_refresh_at, None);
}

/// Matrix P3, P4 for 403, R8.
#[test]
fn known_codes_end_the_login_wherever_they_stand() {
    let cases = [
        (401, r#"{"error":{"message":"m","param":null,"code":"refresh_token_reused"}}"#, Ending::Reused),
        (400, r#"{"error":"refresh_token_reused"}"#, Ending::Reused),
        (401, r#"{"code":"refresh_token_reused"}"#, Ending::Reused),
        (403, r#"{"error":{"code":"refresh_token_invalidated"}}"#, Ending::Invalidated),
        (401, r#"{"error":{"code":"Refresh_Token_Expired"}}"#, Ending::Expired),
        (400, r#"{"error":"token_expired"}"#, Ending::Expired),
        (400, r#"{"error":"invalid_refresh_token"}"#, Ending::Invalidated),
        (400, r#"{"error":"invalid_grant","error_description":"d"}"#, Ending::InvalidGrant),
        (422, r#"{"error":"invalid_grant"}"#, Ending::InvalidGrant),
        (429, r#"{"error":"invalid_grant"}"#, Ending::InvalidGrant),
        (401, r#"{"error":{"code":null},"code":"refresh_token_reused"}"#, Ending::Reused),
        (401, r#"{"error":{"code":""},"code":"refresh_token_reused"}"#, Ending::Reused),
        (401, "\u{feff}{\"error\":\"invalid_grant\"}", Ending::InvalidGrant),
    ];
    for (status, body, ending) in cases {
        assert_eq!(classify(&answer(status, body)), Verdict::Ended(ending), "{status} {body}");
    }
}

#[test]
fn a_400_or_401_that_says_nothing_known_is_a_refusal_and_not_yet_a_verdict() {
    let cases = [
        (400, r#"{"error":{"message":"Your session has ended. Please log in again."}}"#, "400 without a code"),
        (401, "", "401 without a code"),
        (401, "<html>", "401 without a code"),
        (400, r#"{"error":"invalid_client"}"#, "400 with code invalid_client"),
        (401, r#"{"error":{"code":"new"},"code":"refresh_token_reused"}"#, "401 with code new"),
        (400, r#"{"error":"secret rt_1\nforged log line"}"#, "400 without a code"),
        (400, r#"[{"error":"invalid_grant"}]"#, "400 without a code"),
    ];
    for (status, body, why) in cases {
        assert_eq!(classify(&answer(status, body)), Verdict::Refused { why: why.into() }, "{status} {body}");
    }
}

/// Matrix P2, P4.
#[test]
fn a_429_and_a_challenge_page_consume_nothing() {
    let page = "<!DOCTYPE html><title>Just a moment...</title>";
    for (status, body) in [(403, page), (403, ""), (403, r#"{"error":"forbidden"}"#), (429, ""), (429, "{}")] {
        let mut answer = answer(status, body);
        answer.retry_after = Some(Duration::from_secs(1_000_000));
        match classify(&answer) {
            Verdict::NotConsumed { retry_after, .. } => assert_eq!(retry_after, Some(Duration::from_secs(1_000_000))),
            other => panic!("{status} {body}: {other:?}"),
        }
    }
}

/// Matrix P5, P6.
#[test]
fn what_nobody_can_read_is_unknown() {
    let tokens = r#"{"access_token":"a","refresh_token":"r"}"#;
    let cases = [
        (500, tokens),
        (503, r#"{"error":"invalid_grant"}"#),
        (302, tokens),
        (307, ""),
        (308, ""),
        (404, ""),
        (408, ""),
        (409, ""),
        (200, ""),
        (204, ""),
        (200, "<html>Just a moment...</html>"),
        (200, r#"{"access_token":"a","refresh_to"#),
        (200, "null"),
        (200, "[]"),
        (200, r#""access_token""#),
        (200, "{}"),
        (200, r#"{"access_token":"","refresh_token":""}"#),
        (200, r#"{"access_token":null,"refresh_token":7}"#),
        (200, r#"{"id_token":"i"}"#),
        (200, r#"{"error":"invalid_grant"}"#),
        (200, "\u{1f}\u{8b}"),
    ];
    for (status, body) in cases {
        let verdict = classify(&answer(status, body));
        assert!(matches!(verdict, Verdict::Unknown { .. }), "{status} {body}: {verdict:?}");
    }
}

#[test]
fn a_token_object_is_kept_however_odd_its_surroundings() {
    let bodies = [
        r#"{"access_token":"a","refresh_token":"r"}"#,
        "\u{feff} {\"refresh_token\":\"r\",\"access_token\":\"a\"}\r\n\r\n",
        r#"{"access_token":"old","access_token":"a","refresh_token":"r"}"#,
        r#"{"access_token":"a","refresh_token":"r","expires_in":{"odd":[]},"id_token":9,"earliest_refresh_at":false}"#,
        r#"{"access_token":"a","refresh_token":"r","n":1e999,"s":"\ud800","error":null}"#,
    ];
    for body in bodies {
        for status in [200, 201, 206] {
            let grant = grant(status, body);
            assert_eq!(grant.access_token.expose(), "a", "{body}");
            assert_eq!(grant.refresh_token, Some(Secret::new("r")), "{body}");
            assert_eq!(grant.expires_at.as_unix(), NOW + HOUR, "{body}");
        }
    }
}

/// Matrix R9.
#[test]
fn an_answer_without_a_refresh_token_leaves_the_old_one() {
    for body in [r#"{"access_token":"a"}"#, r#"{"access_token":"a","refresh_token":""}"#] {
        assert_eq!(grant(200, body).refresh_token, None, "{body}");
    }
}

/// Matrix R11.
#[test]
fn a_refresh_token_without_a_usable_access_token_is_still_kept() {
    for access in [json!(null), json!(""), json!(5), json!("two words"), json!("a\r\nset-cookie: x"), json!("ä")] {
        let grant = grant(200, json!({"access_token": access, "refresh_token": "r"}).to_string());
        assert!(grant.access_token.is_empty(), "{access}");
        assert_eq!(grant.refresh_token, Some(Secret::new("r")), "{access}");
    }
}

/// Matrix P7, R11: (`expires_in`, `exp`) → seconds from arrival.
#[test]
fn the_end_of_a_token_is_plausible_whatever_it_claims() {
    let default = HOUR;
    let cases = [
        (json!(900), json!(null), 900),
        (json!("900"), json!(null), 900),
        (json!(900.7), json!(null), 900),
        (json!(900), json!(NOW + DAY), 900),
        (json!(2 * DAY), json!(NOW + DAY), DAY),
        (json!(null), json!(NOW + DAY), DAY),
        (json!(null), json!((NOW + DAY) as f64 + 0.5), DAY),
        (json!(0), json!(NOW + DAY), DAY),
        (json!(-5), json!(NOW + DAY), DAY),
        (json!("soon"), json!(null), default),
        (json!(null), json!(null), default),
        (json!(null), json!((NOW + DAY).to_string()), default),
        (json!(null), json!(-1), default),
        (json!(null), json!(253_402_300_799_i64), default),
        (json!(null), json!(1e300), default),
        (json!(1e300), json!(null), 60 * DAY),
        (json!(u64::MAX), json!(null), 60 * DAY),
        (json!(900), json!(253_402_300_799_i64), 900),
        (json!(null), json!(NOW + 365 * DAY), 60 * DAY),
        (json!(1), json!(null), 10),
        (json!(null), json!(NOW + 1), 10),
        (json!(900), json!(NOW), 0),
        (json!(900), json!(NOW - HOUR), -HOUR),
        (json!(null), json!(NOW - 400 * DAY), -400 * DAY),
    ];
    for (expires_in, exp, expected) in cases {
        let access = jwt(&json!({"exp": exp}));
        let body = json!({"access_token": access, "expires_in": expires_in}).to_string();
        assert_eq!(grant(200, body).expires_at.as_unix() - NOW, expected, "expires_in {expires_in}, exp {exp}");
    }
}

/// Matrix P8.
#[test]
fn the_earliest_refresh_is_read_in_both_notations() {
    let cases = [
        (json!(NOW + HOUR), Some(NOW + HOUR)),
        (json!((NOW + HOUR).to_string()), Some(NOW + HOUR)),
        (json!("2026-09-21T15:13:20Z"), Some(NOW + HOUR)),
        (json!("2026-09-21T16:13:20.5+01:00"), Some(NOW + HOUR)),
        (json!(253_402_300_799_i64), Some(NOW + 60 * DAY)),
        (json!(NOW - DAY), Some(NOW - DAY)),
        (json!(null), None),
        (json!(-1), None),
        (json!("tomorrow"), None),
        (json!([NOW]), None),
    ];
    for (value, expected) in cases {
        let body = json!({"access_token": "a", "earliest_refresh_at": value}).to_string();
        assert_eq!(grant(200, body).earliest_refresh_at.map(Timestamp::as_unix), expected, "{value}");
    }
}

/// Matrix R10 rests on this.
#[test]
fn whose_login_it_is_comes_from_either_token() {
    let access = jwt(&json!({
        "https://api.openai.com/auth": {"chatgpt_account_id": "acc-1", "user_id": "user-1"},
        "https://api.openai.com/profile": {"email": "profile@example.com"},
    }));
    let id = jwt(&json!({
        "email": "id@example.com",
        "https://api.openai.com/auth":
            {"chatgpt_account_id": "acc-2", "chatgpt_user_id": "user-2", "chatgpt_plan_type": "team"},
    }));
    let of_both = Identity {
        account_id: Some("acc-1".into()),
        user_id: Some("user-1".into()),
        email: Some("profile@example.com".into()),
        plan_type: Some("team".into()),
    };
    assert_eq!(identity(&access, &id), of_both);
    let of_id = identity("opaque", &id);
    assert_eq!(of_id.account_id.as_deref(), Some("acc-2"));
    assert_eq!(of_id.user_id.as_deref(), Some("user-2"));
    assert_eq!(of_id.email.as_deref(), Some("id@example.com"));
}

#[test]
fn tokens_that_are_no_readable_jwt_claim_nothing() {
    let odd_claims = jwt(&json!({
        "email": "a\u{1b}[31m@example.com",
        "https://api.openai.com/auth": {"chatgpt_account_id": "x".repeat(257), "user_id": 7, "chatgpt_plan_type": " "},
    }));
    let four_parts = format!("{}.x", jwt(&json!({"email": "a@example.com"})));
    let array = format!("a.{}.b", URL_SAFE_NO_PAD.encode("[1]"));
    for token in ["", ".", "..", "a.b.c", "a.!!.c", "sk-opaque", &array, &four_parts, &odd_claims] {
        assert_eq!(identity(token, token), Identity::default(), "{token}");
    }
}

#[test]
fn claims_are_read_with_and_without_padding() {
    let payload = base64::engine::general_purpose::URL_SAFE.encode(r#"{"email":"a@example.com"}"#);
    assert!(payload.ends_with('='));
    for payload in [payload.as_str(), payload.trim_end_matches('=')] {
        assert_eq!(identity(&format!("h.{payload}.s"), "").email.as_deref(), Some("a@example.com"));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_classify_panic(status in 0_u16..700, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        classify(&answer(status, body));
    }

    #[test]
    fn a_living_token_ends_within_the_limits(
        expires_in in prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), ".*".prop_map(Value::from)],
        exp in prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), (NOW - DAY..NOW + 90 * DAY).prop_map(Value::from)],
    ) {
        let body = json!({"access_token": jwt(&json!({"exp": exp})), "expires_in": expires_in});
        let life = grant(200, body.to_string()).expires_at.as_unix() - NOW;
        prop_assert!(life <= 0 || (10..=60 * DAY).contains(&life), "{life}");
    }

    #[test]
    fn no_token_makes_identity_panic(access in ".*", payload in ".*", id in proptest::collection::vec(any::<u8>(), 0..200)) {
        let jwt = format!("x.{}.y", URL_SAFE_NO_PAD.encode(payload));
        identity(&access, &jwt);
        identity(&format!("x.{}.y", URL_SAFE_NO_PAD.encode(id)), &access);
    }

    #[test]
    fn whatever_stands_beside_them_tokens_of_a_200_are_kept(beside in proptest::collection::btree_map("[a-z]{1,4}", ".*", 0..5)) {
        let mut body = json!(beside);
        body["refresh_token"] = json!("r");
        prop_assert_eq!(grant(200, body.to_string()).refresh_token, Some(Secret::new("r")));
    }
}

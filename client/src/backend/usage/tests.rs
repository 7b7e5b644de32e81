use serde_json::json;

use super::*;

const NOW: i64 = 1_782_757_782;

fn parse(body: &Value) -> Usage {
    Usage::parse(&body.to_string(), NOW).unwrap()
}

#[test]
fn an_answer_is_read_whole() {
    let usage = parse(&json!({
        "plan_type": "plus",
        "rate_limit": {
            "allowed": true, "limit_reached": false,
            "primary_window": {"used_percent": 27, "limit_window_seconds": 18000, "reset_after_seconds": 13140, "reset_at": 1782770922},
            "secondary_window": {"used_percent": 4.5, "limit_window_seconds": 604800, "reset_after_seconds": 566340},
        },
        "credits": {"has_credits": true, "unlimited": false, "balance": "12.50", "approx_local_messages": null},
        "spend_control": {"reached": false, "individual_limit": {"limit": "100", "used": 40, "used_percent": 40, "reset_at": 1783357722}},
        "additional_rate_limits": [
            {"limit_name": "Some model", "metered_feature": "codex_other", "rate_limit":
                {"limit_reached": true, "primary_window": {"used_percent": 100, "limit_window_seconds": 3600, "reset_at": 1782760000}, "secondary_window": null}},
            {"limit_name": "Nothing", "metered_feature": "codex_nothing", "rate_limit": null},
        ],
        "rate_limit_reached_type": {"type": "rate_limit_reached"},
        "rate_limit_reset_credits": {"available_count": 2},
    }));
    let expected = json!({
        "schema": 1, "plan": "plus", "reached": "rate_limit_reached", "reset_credits": 2,
        "limits": [
            {"id": "codex", "name": null, "reached": false, "windows": [
                {"seconds": 18000, "used_percent": 27.0, "resets_at": 1782770922},
                {"seconds": 604800, "used_percent": 4.5, "resets_at": NOW + 566_340},
            ]},
            {"id": "codex_other", "name": "Some model", "reached": true, "windows": [
                {"seconds": 3600, "used_percent": 100.0, "resets_at": 1782760000},
            ]},
        ],
        "credits": {"available": true, "unlimited": false, "balance": "12.50"},
        "spend": {"limit": "100", "used": "40", "used_percent": 40.0, "resets_at": 1783357722},
    });
    assert_eq!(serde_json::to_value(&usage).unwrap(), expected);
}

#[test]
fn windows_are_told_apart_by_their_length_and_not_by_their_place() {
    let window = |seconds: Value| json!({"used_percent": 1, "limit_window_seconds": seconds});
    let lengths = |first: Value, second: Value| {
        let usage = parse(&json!({"rate_limit": {"primary_window": first, "secondary_window": second}}));
        usage.limits[0].windows.iter().map(|window| window.seconds).collect::<Vec<_>>()
    };
    assert_eq!(lengths(window(json!(604_800)), Value::Null), [Some(604_800)]);
    assert_eq!(lengths(window(json!(604_800)), window(json!(18_000))), [Some(18_000), Some(604_800)]);
    assert_eq!(lengths(window(Value::Null), window(json!(18_000))), [Some(18_000), None]);
}

#[test]
fn everything_may_be_missing_or_null() {
    let names = [
        "plan_type",
        "rate_limit",
        "credits",
        "spend_control",
        "additional_rate_limits",
        "rate_limit_reached_type",
        "rate_limit_reset_credits",
    ];
    let nulls: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let nothing = parse(&json!({}));
    assert_eq!(parse(&Value::Object(nulls)), nothing);
    assert_eq!((nothing.limits.len(), nothing.limits[0].windows.len(), nothing.credits), (1, 0, None));
    for odd in [json!("x"), json!(7), json!([]), json!({"primary_window": {"used_percent": "NaN"}})] {
        let odd: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), odd.clone())).collect();
        assert!(parse(&Value::Object(odd)).limits[0].windows.is_empty());
    }
    assert_eq!(Usage::parse("[]", NOW), None);
    assert_eq!(Usage::parse("<html>", NOW), None);
}

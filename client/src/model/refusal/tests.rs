use serde_json::json;

use super::*;

const AGAIN: Remedy = Remedy::AskAgain { after: None };

#[test]
fn an_http_answer_means_this() {
    let cases: [(u16, &str, Remedy, &str); 22] = [
        (400, r#"{"detail":"Instructions are required"}"#, Remedy::GiveUp, "400: Instructions are required"),
        (400, r#"{"error":{"code":"cyber_policy","message":"no"}}"#, Remedy::GiveUp, "400: no"),
        (400, r#"{"error":{"code":"context_length_exceeded"}}"#, Remedy::Shorten, "400: context_length_exceeded"),
        (
            400,
            r#"{"error":{"message":"The image data you provided does not represent a valid image.","code":"invalid_value"}}"#,
            Remedy::LeaveOutImages,
            "does not represent a valid image",
        ),
        (400, "", Remedy::GiveUp, "answers 400"),
        (401, r#"{"error":{"code":"token_expired"}}"#, Remedy::RenewToken, "401: token_expired"),
        (401, "<html>", Remedy::RenewToken, "answers 401"),
        (403, r#"{"detail":{"code":"invalid_workspace_selected"}}"#, Remedy::GiveUp, "invalid_workspace_selected"),
        (403, "<html><title>Cloudflare</title>", AGAIN, "Cloudflare blocks"),
        (403, "<html>", AGAIN, "answers 403"),
        (404, r#"{"detail":"Model not found x"}"#, Remedy::GiveUp, "404: Model not found x"),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","message":"m","plan_type":"plus","resets_at":1777936568}}"#,
            Remedy::WaitUntil { resets_at: Some(1_777_936_568) },
            "plan plus",
        ),
        (
            429,
            r#"{"error":{"type":"usage_limit_reached","resets_at":null}}"#,
            Remedy::WaitUntil { resets_at: None },
            "limit of the account is reached",
        ),
        (429, r#"{"error":{"type":"usage_not_included"}}"#, Remedy::GiveUp, "usage_not_included"),
        (429, "{}", AGAIN, "answers 429"),
        (500, "", AGAIN, "answers 500"),
        (502, "<html>Bad gateway", AGAIN, "answers 502"),
        (503, r#"{"error":{"code":"server_is_overloaded"}}"#, AGAIN, "503: server_is_overloaded"),
        (529, "", AGAIN, "answers 529"),
        (408, "", AGAIN, "answers 408"),
        (302, "", Remedy::GiveUp, "answers 302"),
        (500, r#"{"error":{"message":"a\u001b[2Jb"}}"#, AGAIN, "a?[2Jb"),
    ];
    for (status, body, remedy, says) in cases {
        let fault = Refused { status, retry_after: None, body: body.as_bytes() }.fault();
        assert_eq!(fault.remedy, remedy, "{status} {body}");
        assert!(fault.to_string().contains(says), "{fault} / {says}");
    }
}

#[test]
fn the_pause_that_a_server_asks_for_is_kept() {
    let after = Some(Duration::from_secs(2));
    for status in [429, 503] {
        let refused = Refused { status, retry_after: after, body: b"" };
        assert_eq!(refused.fault().remedy, Remedy::AskAgain { after });
    }
}

#[test]
fn an_error_inside_a_stream_means_this() {
    let seconds = |seconds| Remedy::AskAgain { after: Some(Duration::from_secs_f64(seconds)) };
    let cases = [
        (json!({"code": "context_length_exceeded", "message": "m"}), Remedy::Shorten),
        (json!({"code": "insufficient_quota"}), Remedy::GiveUp),
        (json!({"code": "usage_not_included"}), Remedy::GiveUp),
        (json!({"code": "cyber_policy"}), Remedy::GiveUp),
        (json!({"code": "misalignment_policy_violation"}), Remedy::GiveUp),
        (json!({"code": "invalid_prompt"}), Remedy::GiveUp),
        (json!({"code": "bio_policy"}), Remedy::GiveUp),
        (json!({"code": "server_is_overloaded"}), Remedy::GiveUp),
        (json!({"code": "slow_down"}), Remedy::GiveUp),
        (json!({"code": "rate_limit_exceeded", "message": "Please try again in 11.054s."}), seconds(11.054)),
        (json!({"code": "rate_limit_exceeded", "message": "Try Again In 28ms"}), seconds(0.028)),
        (json!({"code": "rate_limit_exceeded", "message": "try again in 3 seconds, é"}), seconds(3.0)),
        (json!({"code": "rate_limit_exceeded", "message": "try again in 3 hours"}), AGAIN),
        (json!({"code": "rate_limit_exceeded", "message": "try again in 1.2.3s"}), AGAIN),
        (json!({"code": "rate_limit_exceeded", "message": "é try again in"}), AGAIN),
        (json!({"code": "rate_limit_exceeded"}), AGAIN),
        (json!({"code": "something_new", "message": "try again in 3s"}), AGAIN),
        (json!({"code": null}), AGAIN),
        (json!(null), AGAIN),
    ];
    for (error, remedy) in cases {
        assert_eq!(in_stream(Some(&error)).remedy, remedy, "{error}");
    }
    assert_eq!(in_stream(None).to_string(), "the backend failed without saying why");
}

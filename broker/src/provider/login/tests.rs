//! A person's login as a whole, against a server that follows the protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::provider::dial::{Agent, CallFailed, Dialer, Egress, trust};
use crate::provider::far_side::{FarSide, http};
use crate::provider::hand_clock::HandClock;
use crate::provider::{CodexProvider, OAuthServer};

pub(super) fn given(issuer: &str) -> CodexProvider {
    CodexProvider {
        dialer: Dialer::new(Arc::new(HandClock::default()), trust(None, None).unwrap(), Egress::direct()),
        server: OAuthServer::at(issuer, "app_test").unwrap(),
        agent: Agent::default(),
    }
}

/// The second poll finds the login done.
fn reply(request: &str, polls: &AtomicUsize) -> String {
    // {"https://api.openai.com/auth":{"chatgpt_account_id":"acc-1"}}
    let id_token = "h.eyJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9hY2NvdW50X2lkIjoiYWNjLTEifX0.s";
    let tokens = format!(r#"{{"access_token":"at","refresh_token":"rt_1","id_token":"{id_token}"}}"#);
    match request.split(' ').nth(1) {
        Some("/api/accounts/deviceauth/usercode") => {
            http("200 OK", "", r#"{"device_auth_id":"da_1","user_code":"ABCD-EFGH","interval":"1"}"#)
        }
        Some("/api/accounts/deviceauth/token") if polls.fetch_add(1, Ordering::SeqCst) == 0 => {
            http("403 Forbidden", "", "")
        }
        Some("/api/accounts/deviceauth/token") => {
            http("200 OK", "", r#"{"authorization_code":"ac_1","code_challenge":"cc","code_verifier":"cv"}"#)
        }
        Some("/oauth/token") => http("200 OK", "", &tokens),
        _ => http("500 Internal Server Error", "", ""),
    }
}

#[tokio::test]
async fn a_device_login_goes_from_the_code_to_the_tokens() {
    let polls = Arc::new(AtomicUsize::new(0));
    let far_side = FarSide::playing(move |mut talk| {
        let polls = Arc::clone(&polls);
        async move {
            let request = talk.request().await;
            talk.say(reply(&request, &polls)).await;
        }
    })
    .await;
    let issuer = far_side.url("http", "127.0.0.1");
    let provider = given(&issuer);

    let device = provider.start_device().await.unwrap();
    assert_eq!(device.user_code, "ABCD-EFGH");
    assert_eq!(device.verification_url, format!("{issuer}/codex/device"));
    assert_eq!(provider.poll_device(&device).await, Ok(Poll::Pending));
    let Ok(Poll::Ready(code)) = provider.poll_device(&device).await else { panic!("not ready") };
    let grant = provider.exchange(&code).await.unwrap();
    assert_eq!(grant.refresh_token, Some(Secret::new("rt_1")));
    assert_eq!(grant.identity.account_id.as_deref(), Some("acc-1"));

    let said = far_side.received();
    assert!(said.contains(r#"{"client_id":"app_test"}"#), "{said}");
    assert!(said.contains(r#"{"device_auth_id":"da_1","user_code":"ABCD-EFGH"}"#), "{said}");
    assert!(said.contains("grant_type=authorization_code&code=ac_1&redirect_uri=http%3A%2F%2F127.0.0.1%3A"), "{said}");
    assert!(said.contains("%2Fdeviceauth%2Fcallback&client_id=app_test&code_verifier=cv"), "{said}");
}

#[tokio::test]
async fn a_provider_that_is_away_can_be_asked_again() {
    let far_side = FarSide::playing(|mut talk| async move {
        talk.request().await;
    })
    .await;
    let provider = given(&far_side.url("http", "127.0.0.1"));
    let error = provider.start_device().await.unwrap_err();
    assert!(matches!(error, LoginError::Unreachable(CallFailed::NoAnswer(_))), "{error:?}");
    assert!(error.to_string().contains("try again"), "{error}");
}

#[test]
fn nothing_of_a_login_shows_in_debug_output() {
    let code = AuthorizationCode {
        code: Secret::new("ac_canary"),
        verifier: Secret::new("cv_canary"),
        redirect_uri: "http://localhost:1455/auth/callback".into(),
    };
    let device = DeviceCode {
        device_auth_id: Secret::new("da_canary"),
        user_code: "ABCD".into(),
        verification_url: String::new(),
        interval: DEVICE_CODE_LIFE,
        expires_in: DEVICE_CODE_LIFE,
    };
    let callback = Callback { outcome: Ok(Secret::new("ac_canary")), state: "s".into() };
    let shown = format!("{:?} {device:?} {callback:?}", Poll::Ready(code));
    assert!(!shown.contains("canary"), "{shown}");
}

//! Logins, the backend and the control API, through real sockets.

use serde_json::{Value, json};

use super::client::{get, parse, post, raw, refresh, refresh_token, text};
use crate::authorization::challenge;
use crate::jwt::CLIENT_ID;
use crate::{Account, Approval, Endpoint, FakeProvider, Fault, How, Script, Settings};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const REDIRECT: &str = "http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback";

fn authorize(provider: &FakeProvider, verifier: &str) -> String {
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT}&scope=openid\
         &code_challenge={}&code_challenge_method=S256&state=st1",
        challenge(verifier)
    );
    let seen = get(provider, &path, "");
    assert_eq!(seen.status, 302);
    let location = url::Url::parse(seen.header("location").unwrap()).unwrap();
    assert_eq!(location.path(), "/auth/callback");
    let pairs: Vec<_> = location.query_pairs().into_owned().collect();
    assert!(pairs.contains(&("state".into(), "st1".into())));
    pairs.into_iter().find(|(name, _)| name == "code").unwrap().1
}

fn exchange(provider: &FakeProvider, code: &str, redirect: &str, verifier: &str) -> (u16, Value) {
    let body = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={redirect}&client_id={CLIENT_ID}&code_verifier={verifier}"
    );
    let seen = parse(&raw(provider, &text("POST", "/oauth/token", FORM, &body)).0).unwrap();
    (seen.status, seen.json())
}

#[test]
fn a_browser_login_with_the_right_verifier() {
    let provider = FakeProvider::start(Settings::default());
    let code = authorize(&provider, "a-verifier");
    let (status, body) = exchange(&provider, &code, REDIRECT, "a-verifier");
    assert_eq!(status, 200);
    for member in ["id_token", "access_token", "refresh_token"] {
        assert!(body[member].is_string(), "{member}");
    }
    assert_eq!(exchange(&provider, &code, REDIRECT, "a-verifier").0, 400, "a code is exchanged once");
}

#[test]
fn a_wrong_verifier_or_redirect_is_refused_and_spends_the_code() {
    let provider = FakeProvider::start(Settings::default());
    for (redirect, verifier) in [(REDIRECT, "wrong"), ("http%3A%2F%2Fevil.example", "right")] {
        let code = authorize(&provider, "right");
        let (status, body) = exchange(&provider, &code, redirect, verifier);
        assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid_grant")));
        assert_eq!(exchange(&provider, &code, REDIRECT, "right").0, 400);
    }
    assert!(provider.oracle().newest().is_empty());
}

#[test]
fn a_device_code_is_pending_until_it_is_approved() {
    let provider = FakeProvider::start(Settings { approval: Approval::AfterPolls(2), ..Settings::default() });
    let begun = post(&provider, "/api/accounts/deviceauth/usercode", &json!({"client_id": CLIENT_ID})).json();
    assert_eq!(begun["interval"], "1");
    let poll = json!({"device_auth_id": begun["device_auth_id"], "user_code": begun["user_code"]});
    let statuses: Vec<u16> = (0..3).map(|_| post(&provider, "/api/accounts/deviceauth/token", &poll).status).collect();
    assert_eq!(statuses, [403, 403, 200]);
    let approved = post(&provider, "/api/accounts/deviceauth/token", &poll).json();
    let field = |name: &str| approved[name].as_str().unwrap().to_owned();
    assert_eq!(challenge(&field("code_verifier")), field("code_challenge"));
    let redirect = "https%3A%2F%2Fanywhere%2Fdeviceauth%2Fcallback";
    let (status, _) = exchange(&provider, &field("authorization_code"), redirect, &field("code_verifier"));
    assert_eq!(status, 200);
}

#[test]
fn a_device_code_is_approved_on_the_page() {
    let provider = FakeProvider::start(Settings { approval: Approval::ByHand, ..Settings::default() });
    let begun = post(&provider, "/api/accounts/deviceauth/usercode", &json!({"client_id": CLIENT_ID})).json();
    let poll = json!({"device_auth_id": begun["device_auth_id"], "user_code": begun["user_code"]});
    assert_eq!(post(&provider, "/api/accounts/deviceauth/token", &poll).status, 403);
    let user_code = begun["user_code"].as_str().unwrap();
    assert!(String::from_utf8(get(&provider, "/codex/device", "").body).unwrap().contains(user_code));
    let page = text("POST", "/codex/device", FORM, &format!("user_code={}", user_code.to_lowercase()));
    assert_eq!(parse(&raw(&provider, &page).0).unwrap().status, 200);
    assert_eq!(post(&provider, "/api/accounts/deviceauth/token", &poll).status, 200);
}

#[test]
fn device_login_can_be_switched_off() {
    let provider = FakeProvider::start(Settings { device_login: false, ..Settings::default() });
    let seen = post(&provider, "/api/accounts/deviceauth/usercode", &json!({"client_id": CLIENT_ID}));
    assert_eq!(seen.status, 404);
}

#[test]
fn a_redemption_may_be_form_encoded_and_revoking_ends_it() {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    let body = format!("grant_type=refresh_token&refresh_token={}", refresh_token(&login));
    let seen = parse(&raw(&provider, &text("POST", "/oauth/token", FORM, &body)).0).unwrap();
    assert_eq!(seen.status, 200);
    let next = seen.json()["refresh_token"].clone();
    assert_eq!(post(&provider, "/oauth/revoke", &json!({"token": next})).status, 200);
    let seen = refresh(&provider, next.as_str().unwrap()).unwrap();
    assert_eq!((seen.status, seen.code().as_deref()), (401, Some("refresh_token_invalidated")));
}

#[test]
fn the_backend_answers_a_good_bearer_and_refuses_others() {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    let bearer = format!("authorization: Bearer {}\r\n", login.access_token);
    let models = get(&provider, "/backend-api/codex/models?client_version=0.169.0", &bearer).json();
    assert_eq!(models["models"][0]["slug"], "gpt-5.5");
    assert_eq!(models["models"][0]["supports_parallel_tool_calls"], true);
    let etag = get(&provider, "/backend-api/codex/models", &bearer).header("etag").unwrap().to_owned();
    let known = format!("{bearer}if-none-match: {etag}\r\n");
    assert_eq!(get(&provider, "/backend-api/codex/models", &known).status, 304);
    provider.oracle().settings_mut().models = Some(json!({"models": []}));
    assert_eq!(get(&provider, "/backend-api/codex/models", &known).json(), json!({"models": []}));
    let ask = |bearer: &str| {
        let request = text("POST", "/backend-api/codex/responses", bearer, r#"{"model":"gpt-5.5"}"#);
        parse(&raw(&provider, &request).0).unwrap()
    };
    let said = String::from_utf8(ask(&bearer).body).unwrap();
    assert!(said.contains("event: response.completed") && said.contains("Hello from the fake provider."));
    assert_eq!(provider.log().last().unwrap().conversation, Some(json!({"model": "gpt-5.5"})));
    provider
        .fault(Fault::on(Endpoint::Responses, How::Status { status: 429, body: json!({"error": {"code": "slow"}}) }));
    assert_eq!(ask(&bearer).status, 429);
    let wrong_account = format!("{bearer}chatgpt-account-id: someone-else\r\n");
    assert_eq!(ask(&wrong_account).status, 403);
    provider.refuse_access(login.serial);
    let refused = ask(&bearer);
    assert_eq!((refused.status, refused.code().as_deref()), (401, Some("token_invalidated")));
    provider.set_clock_offset(11 * 24 * 3600);
    assert_eq!(ask("").status, 401);
}

#[test]
fn a_script_is_played_once_and_may_be_cut() {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    let mut script = Script::events([json!({"type": "response.created", "response": {"id": "r"}})]);
    script.steps.push(crate::Step::Cut);
    provider.script(script);
    let bearer = format!("authorization: Bearer {}\r\n", login.access_token);
    let request = text("POST", "/backend-api/codex/responses", &bearer, "{}");
    let cut = String::from_utf8(raw(&provider, &request).0).unwrap();
    assert!(cut.contains("response.created") && !cut.ends_with("0\r\n\r\n"));
    let whole = String::from_utf8(raw(&provider, &request).0).unwrap();
    assert!(whole.contains("response.completed") && whole.ends_with("0\r\n\r\n"));
}

#[test]
fn everything_can_be_controlled_from_another_process() {
    let provider = FakeProvider::start(Settings::default());
    let control = |path: &str, body: Value| post(&provider, &format!("/_control/{path}"), &body);
    let file = control("login", json!({"email": "a@example.com"})).json();
    assert_eq!(file["auth_mode"], "chatgpt");
    assert_eq!(file["tokens"]["account_id"], Account::default().account_id);
    assert!(file["last_refresh"].as_str().unwrap().ends_with('Z'));

    assert_eq!(control("faults", json!([{"endpoint": "refresh", "how": {"status": {"status": 503}}}])).status, 200);
    assert_eq!(control("faults", json!({"endpoint": "refresh", "how": "nonsense"})).status, 400);
    let token = file["tokens"]["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&provider, token).unwrap().status, 503);
    assert_eq!(refresh(&provider, token).unwrap().status, 200);

    let log = get(&provider, "/_control/log?since=1&endpoint=refresh", "").json();
    assert_eq!(log.as_array().unwrap().len(), 1);
    assert_eq!(log[0]["refresh_token"], json!({"issued": {"family": 1, "generation": 1}}));
    let counters = get(&provider, "/_control/counters", "").json();
    assert_eq!(counters["refresh_tokens"][0]["consumed_at"], 2);
    assert_eq!(counters["refresh_tokens"][0]["outcomes"], json!(["503", "200, consumed"]));
    assert_eq!(get(&provider, "/_control/violations", "").json(), json!([]));

    assert_eq!(control("settings", json!({"access_token_life_s": 5})).json()["access_token_life_s"], 5);
    assert_eq!(control("settings", json!({"acces_token_life_s": 5})).status, 400);
    assert_eq!(control("invalidate", json!({})).json()["refused"], json!([{"family": 1, "generation": 2}]));
    assert_eq!(control("clock", json!({"offset_s": 3600})).json()["offset_s"], 3600);
    assert_eq!(control("revoke", json!({"family": 1})).json()["ended"], json!([1]));
    assert_eq!(control("revoke", json!({"family": 7})).status, 400);
    assert_eq!(control("lost", json!({})).json()["lost"], 2);
    assert_eq!(control("reset", json!({})).status, 200);
    assert_eq!(get(&provider, "/_control/log", "").json(), json!([]));
}

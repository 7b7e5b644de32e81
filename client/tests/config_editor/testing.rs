//! "Test this source now".

use std::sync::mpsc::channel;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::desk::{Desk, key};
use crate::stub_broker::{StubBroker, problem, response};

/// A token that says whose it is.
fn token() -> String {
    let claims = r#"{"exp":1900000900,"https://api.openai.com/auth":{"chatgpt_plan_type":"team"}}"#;
    format!("e30.{}.never-seen-on-a-screen", URL_SAFE_NO_PAD.encode(claims))
}

fn answer(account: usize) -> Vec<u8> {
    let body = format!(
        r#"{{"access_token":"{}","token_type":"Bearer","expires_at":1900000900,"expires_in":900,"revalidate_at":1900000300,"account_id":"account-{account}","plan_type":"team","credential":"c1","generation":7,"renewable":true}}"#,
        token(),
    );
    response(200, "ETag: \"c1.7\"\r\n", &body)
}

fn desk(broker: &StubBroker) -> Desk {
    let settings = format!("CODEX_REMOTE_URL={}\nTOKEN_HTTP_API_KEY={}\n", broker.url(), key());
    Desk::new().user(&format!("CODEX_TOKEN_SOURCE=remote,local\n{settings}"))
}

#[test]
fn each_source_is_tried_in_its_order_and_no_token_is_shown() {
    let broker = StubBroker::start(|number, _| answer(number + 1));
    let desk = desk(&broker);
    let mut terminal = desk.open();
    terminal.shows("remote,local").types("t").shows("ok: it gave a token").shows("account-1").shows("team");
    terminal.shows("17 Mar 2030 18:01, in ").shows("FAIL").shows("auth.json does not exist");
    // Asked again, it is asked again: no cache answers in its place.
    terminal.types("t").shows("account-2").types("\u{3}");
    assert!(terminal.ends().success());
    let drawn = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    assert!(!drawn.contains("never-seen") && !drawn.contains(&token()[..12]), "{drawn}");
}

#[test]
fn a_refusal_is_shown_with_its_next_step() {
    let broker = StubBroker::start(|_, _| problem(401, "unauthorized", ""));
    let desk = desk(&broker);
    let mut terminal = desk.open();
    terminal.shows("remote,local").types("/REMOTE_URL\r").shows("test remote").types("t");
    terminal.shows("FAIL: what happened").shows("next: what to do").types("\u{3}");
    assert!(terminal.ends().success());
    assert_eq!(broker.count(), 1, "only the source of the setting");
}

#[test]
fn what_is_not_saved_yet_is_what_is_tried() {
    let broker = StubBroker::start(|_, _| answer(1));
    let desk = Desk::new().user(&format!("CODEX_TOKEN_SOURCE=remote\nTOKEN_HTTP_API_KEY={}\n", key()));
    let mut terminal = desk.open();
    terminal.shows("Broker").types("/REMOTE_URL\r").types("\r").shows("HOST:PORT").types(&broker.url());
    terminal.types("\r").shows("1 change not saved").types("t").shows("ok: it gave a token").types("\u{3}");
    assert!(terminal.ends().success());
    assert!(!desk.user_text().contains("CODEX_REMOTE_URL"));
}

#[test]
fn the_editor_goes_on_while_a_source_hangs() {
    let (go_on, wait) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let broker = StubBroker::start(move |_, _| {
        let _ = wait.lock().unwrap().recv();
        answer(1)
    });
    let desk = desk(&broker);
    let mut terminal = desk.open();
    terminal.shows("remote,local").types("/REMOTE_URL\rt").shows("asking").types("\u{1b}").hides("asking");
    terminal.types("?").shows("Ctrl-C").types("q").hides("Ctrl-L").types("q");
    assert!(terminal.ends().success());
    drop(go_on);
}

//! A person, or a program, logs in on a developer's machine: by code, through a browser, in steps.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use fake_provider::{Approval, Endpoint, Fault, How, Settings};
use scorpiox_tests::process::fetchtoken::Fetched;
use scorpiox_tests::process::{Laptop, patience};
use serde_json::{Value, json};

const LOGIN: &str = "scorpiox-codex-login";

fn approved_by_hand() -> Laptop {
    Laptop::new(Settings { approval: Approval::ByHand, ..Settings::default() })
}

fn login(laptop: &Laptop, arguments: &[&str]) -> Fetched {
    laptop.run(LOGIN, arguments)
}

/// The one line of a step.
fn line(step: &Fetched) -> Value {
    assert_eq!(step.stdout.lines().count(), 1, "{step:?}");
    serde_json::from_str(&step.stdout).unwrap()
}

fn tells_no_secret(laptop: &Laptop, said: &[&Fetched]) {
    for secret in laptop.provider.oracle().secrets() {
        for said in said {
            assert!(!said.stdout.contains(&secret) && !said.stderr.contains(&secret), "{said:?}");
        }
    }
}

fn members(line: &Value) -> Vec<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_person_types_a_code_and_is_logged_in() {
    let laptop = approved_by_hand();
    let mut waiting = laptop.start(LOGIN, &[]);
    let mut talk = BufReader::new(waiting.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Ctrl-C") {
        assert!(talk.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let page = format!("{}/codex/device", laptop.provider.url());
    assert!(said.contains(&page), "{said}");
    let polled = |polls| laptop.provider.wait_until(|oracle| polled_at_least(oracle.log(), polls));
    polled(2);
    let code = said.lines().map(str::trim).find(|line| line.len() == 9 && line.as_bytes()[4] == b'-').unwrap();
    assert_eq!(laptop.provider.oracle().approve_devices(Some(code)), 1);
    let ended = Fetched::from(waiting.wait_with_output().unwrap());
    let answer = format!("logged in as person1@example.com (plus); kept in {}\n", laptop.file().display());
    assert_eq!((ended.code, ended.stdout.as_str()), (0, answer.as_str()));
    let (file, directory) = (fs::metadata(laptop.file()).unwrap(), laptop.file().parent().unwrap().to_owned());
    assert_eq!(file.mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(directory).unwrap().mode() & 0o777, 0o700);
    let (auth, tokens) = (laptop.auth(), laptop.tokens());
    assert_eq!(auth["auth_mode"], "chatgpt");
    assert_eq!(auth["tokens"]["refresh_token"].as_str(), tokens.refresh_token.as_deref());
    assert_eq!(auth["tokens"]["account_id"], tokens.account.account_id);
    assert_eq!(laptop.fetch().token(), tokens.access_token);
    tells_no_secret(&laptop, &[&ended]);
}

#[test]
fn nothing_is_redeemed_before_it_can_be_kept() {
    let laptop = approved_by_hand();
    let waiting = laptop.start(LOGIN, &[]);
    laptop.provider.wait_until(|oracle| polled_at_least(oracle.log(), 1));
    let lock = fs::File::create(laptop.path(".config/scorpiox/codex-auth.json.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(laptop.provider.oracle().approve_devices(None), 1);
    // It polls once a second.
    let redeemed = || (asked(&laptop, Endpoint::CodeExchange) > 0).then_some(());
    assert!(patience::within(Duration::from_secs(2), redeemed).is_none(), "another command holds the lock");
    drop(lock);
    assert_eq!(Fetched::from(waiting.wait_with_output().unwrap()).code, 0);
    assert_eq!(laptop.fetch().token(), laptop.tokens().access_token);
}

fn polled_at_least(log: &[fake_provider::LogEntry], polls: usize) -> bool {
    log.iter().filter(|entry| entry.endpoint == Endpoint::DevicePoll).count() >= polls
}

#[test]
fn a_login_that_works_is_replaced_only_when_that_is_meant() {
    let (laptop, old) = Laptop::logged_in(86_400);
    let before = fs::read(laptop.file()).unwrap();
    let refused = login(&laptop, &[]);
    refused.assert_refused(64);
    assert!(refused.stderr.contains("person1@example.com") && refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(line(&login(&laptop, &["--start"]))["exit_code"], 64);
    assert_eq!((fs::read(laptop.file()).unwrap(), asked(&laptop, Endpoint::DeviceCode)), (before, 0));
    assert_eq!(login(&laptop, &["--force"]).code, 0);
    assert_eq!(laptop.fetch().token(), laptop.tokens().access_token);
    assert_ne!(laptop.tokens().access_token, old.access_token);
    assert_eq!(asked(&laptop, Endpoint::Revoke), 0, "it may end other logins of the account");
    let backup = fs::read_to_string(laptop.path(".config/scorpiox/codex-auth.json.backup")).unwrap();
    assert!(backup.contains(&old.access_token));
}

fn asked(laptop: &Laptop, endpoint: Endpoint) -> usize {
    laptop.provider.log().iter().filter(|entry| entry.endpoint == endpoint).count()
}

#[test]
fn a_login_that_has_ended_is_replaced_without_a_word() {
    let (laptop, _) = Laptop::logged_in(86_400);
    laptop.provider.fault(Fault::refresh_code(401, "refresh_token_invalidated"));
    laptop.renew().assert_refused(69);
    let status = login(&laptop, &["--status"]);
    assert_eq!((status.code, &line(&status)["status"]), (69, &json!("ended")));
    assert_eq!(login(&laptop, &[]).code, 0);
    assert_eq!(laptop.renew().code, 0, "what was on record was about the old one");
}

#[test]
fn a_login_that_nothing_uses_is_said_to_be_so() {
    let laptop = Laptop::new(Settings::default()).with("CODEX_TOKEN_SOURCE", "remote");
    let ended = login(&laptop, &[]);
    assert!(ended.code == 0 && ended.stderr.contains("does not name local"), "{ended:?}");
}

#[test]
fn a_declined_login_changes_nothing() {
    let laptop = approved_by_hand();
    laptop
        .provider
        .fault(Fault::on(Endpoint::DevicePoll, How::Status { status: 400, body: json!({"error": "access_denied"}) }));
    let declined = login(&laptop, &[]);
    assert_eq!((declined.code, declined.stdout.as_str()), (69, ""));
    assert!(declined.stderr.contains("400 with code access_denied"), "{declined:?}");
    assert!(!laptop.file().exists());
    let laptop = Laptop::new(Settings { device_login: false, ..Settings::default() });
    let disabled = login(&laptop, &[]);
    disabled.assert_refused(69);
    assert!(disabled.stderr.contains("--browser"), "{disabled:?}");
}

#[test]
fn a_program_logs_in_by_steps_of_one_line_that_hold_no_token() {
    let laptop = approved_by_hand();
    let start = login(&laptop, &["--start", "--name", "work"]);
    let begun = line(&start);
    assert_eq!(
        members(&begun),
        ["account", "expires_at", "interval", "status", "user_code", "verification_url"],
        "{begun}"
    );
    assert_eq!(
        (&begun["status"], &begun["account"], &begun["interval"]),
        (&json!("pending"), &json!("work"), &json!(1))
    );
    let kept = laptop.path(".cache/scorpiox/login-work.device");
    assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o600);
    let pending = login(&laptop, &["--poll", "--name", "work"]);
    assert_eq!((pending.code, line(&pending)), (75, begun.clone()));
    let status = login(&laptop, &["--status", "--name", "work"]);
    let file = laptop.path(".config/scorpiox/codex-auth-work.json");
    let mut of_pending = begun.clone();
    of_pending.as_object_mut().unwrap().remove("status");
    assert_eq!((status.code, &line(&status)["pending"]), (69, &of_pending));
    let nobody = login(&laptop, &["--poll"]);
    assert_eq!((nobody.code, line(&nobody)), (69, json!({"status": "none"})), "that was another account");
    assert_eq!(laptop.provider.oracle().approve_devices(begun["user_code"].as_str()), 1);
    let complete = login(&laptop, &["--poll", "--name", "work"]);
    let account = laptop.tokens().account;
    let expected = json!({
        "status": "complete", "account": "work", "file": file.to_str(), "account_id": account.account_id,
        "email": account.email, "plan_type": account.plan_type, "expires_at": laptop.tokens().expires_at,
    });
    assert_eq!((complete.code, line(&complete)), (0, expected.clone()));
    assert!(!kept.exists() && file.exists());
    let logged_in = login(&laptop, &["--status", "--name", "work"]);
    let mut of_status = expected;
    of_status["status"] = "logged_in".into();
    of_status["pending"] = Value::Null;
    assert_eq!((logged_in.code, line(&logged_in)), (0, of_status));
    tells_no_secret(&laptop, &[&start, &pending, &status, &nobody, &complete, &logged_in]);
}

#[test]
fn a_program_can_leave_a_login_and_is_told_when_there_is_none() {
    let laptop = approved_by_hand();
    assert_eq!(login(&laptop, &["--start"]).code, 0);
    assert_eq!(line(&login(&laptop, &["--cancel"])), json!({"status": "cancelled"}));
    assert_eq!(line(&login(&laptop, &["--cancel"])), json!({"status": "none"}));
    assert_eq!(login(&laptop, &["--start"]).code, 0);
    let kept = laptop.path(".cache/scorpiox/login.device");
    let mut old: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    old["expires_at"] = json!(1_700_000_000);
    fs::write(&kept, old.to_string()).unwrap();
    let expired = login(&laptop, &["--poll"]);
    assert_eq!((expired.code, line(&expired)), (69, json!({"status": "expired"})));
    let laptop = laptop.with("CODEX_ISSUER", "http://127.0.0.1:1");
    let away = login(&laptop, &["--start"]);
    assert_eq!((away.code, &line(&away)["status"], &line(&away)["exit_code"]), (75, &json!("error"), &json!(75)));
}

/// A browser login that waits, and the page that it shows.
fn browser(laptop: &Laptop) -> (Child, String) {
    let mut command = laptop.command(LOGIN, &["--browser", "--callback-port", "0"]);
    let mut waiting = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut talk = BufReader::new(waiting.stderr.as_mut().unwrap());
    let mut said = String::new();
    while !said.contains("paste that address here") {
        assert!(talk.read_line(&mut said).unwrap() > 0, "{said}");
    }
    let page = said.lines().map(str::trim).find(|line| line.starts_with("http://")).unwrap().to_owned();
    (waiting, page)
}

fn get(url: &str) -> (u16, Option<String>, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
    let mut answer = agent.get(url).call().unwrap();
    let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), location, answer.body_mut().read_to_string().unwrap())
}

/// Where the provider's page sends the browser. `localhost` may be ::1 first.
fn sent_back(page: &str) -> String {
    let (status, location, _) = get(page);
    assert_eq!(status, 302);
    location.unwrap().replace("localhost", "127.0.0.1")
}

#[test]
fn a_browser_comes_back_with_a_code_that_belongs_to_this_attempt() {
    let laptop = Laptop::new(Settings::default());
    let (mut waiting, page) = browser(&laptop);
    assert!(page.contains("code_challenge_method=S256"), "{page}");
    let callback = sent_back(&page);
    let forged = callback.split("&state=").next().unwrap().to_owned() + "&state=forged";
    assert_eq!(get(&forged).0, 400);
    assert!(waiting.try_wait().unwrap().is_none(), "nothing has happened");
    let (status, _, text) = get(&callback);
    assert!(status == 200 && text.contains("The code has arrived"), "{text}");
    let ended = Fetched::from(waiting.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.stdout.starts_with("logged in as person1@example.com")), (0, true), "{ended:?}");
    assert_eq!(laptop.fetch().token(), laptop.tokens().access_token);
}

#[test]
fn a_person_pastes_the_address_that_the_browser_ended_at() {
    let laptop = Laptop::new(Settings::default());
    let (mut waiting, page) = browser(&laptop);
    let callback = sent_back(&page);
    let mut input = waiting.stdin.take().unwrap();
    writeln!(input, "what is this?\n{callback}").unwrap();
    let ended = Fetched::from(waiting.wait_with_output().unwrap());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("not the address"), "{ended:?}");
    assert!(laptop.file().exists());
}

#[test]
fn a_login_that_the_page_declines_ends_with_its_reason() {
    let laptop = Laptop::new(Settings::default());
    let (mut waiting, page) = browser(&laptop);
    let callback = sent_back(&page);
    let (address, query) = callback.split_once('?').unwrap();
    let state = query.split('&').find(|member| member.starts_with("state=")).unwrap();
    assert_eq!(get(&format!("{address}?error=access_denied&{state}")).0, 200);
    let mut said = String::new();
    waiting.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(69));
    assert!(said.contains("declined on the page") && !laptop.file().exists(), "{said}");
}

#[test]
fn a_logout_revokes_the_login_and_leaves_nothing_of_it() {
    let (laptop, old) = Laptop::logged_in(86_400);
    assert_eq!(laptop.renew().code, 0);
    let ended = login(&laptop, &["--logout"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(!laptop.provider.oracle().is_alive(old.serial.family));
    let left: Vec<_> = fs::read_dir(laptop.path(".config/scorpiox")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(left.iter().map(|entry| entry.file_name()).collect::<Vec<_>>(), ["codex-auth.json.lock"]);
    assert_eq!(login(&laptop, &["--status"]).code, 69);
    laptop.put_login(&laptop.file(), 86_400);
    let away = laptop.with("CODEX_ISSUER", "http://127.0.0.1:1");
    let ended = login(&away, &["--logout"]);
    assert!(ended.code == 0 && ended.stderr.contains("perhaps still valid"), "{ended:?}");
    assert!(!away.file().exists());
}

//! A login on a developer's machine is renewed by whoever needs it, and survives whatever ends them (C1, C6).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use fake_provider::{Fault, Hold, How, Settings};
use scorpiox_tests::process::fetchtoken::Fetched;
use scorpiox_tests::process::{Laptop, binaries, patience};

const FETCH: &str = "scorpiox-codex-fetchtoken";
const REFRESH: &str = "scorpiox-codex-refreshtoken";
const A_DAY: i64 = 86_400;

fn redemptions(laptop: &Laptop) -> usize {
    laptop.provider.refresh_count()
}

fn no_violations(laptop: &Laptop) {
    assert_eq!(laptop.provider.violations(), Vec::<String>::new());
}

/// A login that was being renewed by hand when the process was killed there.
fn killed_at(point: &str, life_s: i64) -> Laptop {
    let (laptop, _) = Laptop::logged_in(life_s);
    let mut command = laptop.command(REFRESH, &["--force"]);
    let ended = command.env("SCORPIOX_CLIENT_FAILPOINT", point).output().unwrap();
    assert_eq!(ended.status.signal(), Some(9), "{point} was not reached: {ended:?}");
    laptop
}

#[test]
fn a_token_that_ends_soon_is_renewed_by_the_command_that_needs_it() {
    let (laptop, old) = Laptop::logged_in(290);
    let fetched = laptop.fetch();
    let new = laptop.tokens();
    assert_eq!((fetched.token(), fetched.stderr.as_str()), (new.access_token.clone(), ""));
    assert_ne!(new.access_token, old.access_token);
    assert_eq!(laptop.fetch().token(), new.access_token);
    assert_eq!(redemptions(&laptop), 1);
    let (auth, mode) = (laptop.auth(), fs::metadata(laptop.file()).unwrap().mode());
    assert_eq!(auth["tokens"]["refresh_token"], new.refresh_token.unwrap());
    assert_eq!((auth["of_another_program"]["kept"][1].as_i64(), mode & 0o777), (Some(2), 0o600));
    let backup = fs::read_to_string(laptop.path(".config/scorpiox/codex-auth.json.backup")).unwrap();
    assert!(backup.contains(&old.refresh_token.unwrap()));
    no_violations(&laptop);
}

#[test]
fn a_refused_token_is_replaced_once() {
    let (laptop, old) = Laptop::logged_in(A_DAY);
    assert_eq!(laptop.fetch().token(), old.access_token);
    let other = laptop.run(FETCH, &["--raw", "--refused"]).token();
    assert_ne!(other, old.access_token);
    assert_eq!(laptop.run(FETCH, &["--raw", "--refused"]).token(), other);
    assert_eq!(redemptions(&laptop), 1, "within a minute the refusal is of the one before");
}

#[test]
fn fifty_commands_at_once_redeem_once() {
    let (laptop, old) = Laptop::logged_in(100);
    let all: Vec<_> = (0..50).map(|_| laptop.start(FETCH, &["--raw"])).collect();
    let outputs = all.into_iter().map(|child| Fetched::from(child.wait_with_output().unwrap()));
    let tokens: BTreeSet<_> = outputs.map(|output| output.token()).collect();
    patience::until("the renewal is done", || (laptop.fetch().token() != old.access_token).then_some(()));
    assert_eq!(redemptions(&laptop), 1);
    let may_be = BTreeSet::from([old.access_token, laptop.tokens().access_token]);
    assert!(tokens.is_subset(&may_be) && tokens.contains(&laptop.tokens().access_token));
    no_violations(&laptop);
}

#[test]
fn nothing_is_presented_while_another_command_holds_the_lock() {
    let (laptop, old) = Laptop::logged_in(200);
    let lock = fs::File::create(laptop.path(".config/scorpiox/codex-auth.json.lock")).unwrap();
    lock.lock().unwrap();
    let impatient = laptop.fetch();
    assert_eq!(impatient.token(), old.access_token);
    assert!(impatient.stderr.contains("just being renewed"), "{impatient:?}");
    assert_eq!(redemptions(&laptop), 0);
    drop(lock);
    patience::until("the renewal is done", || (laptop.fetch().token() != old.access_token).then_some(()));
    assert_eq!(redemptions(&laptop), 1);
    no_violations(&laptop);
}

#[test]
fn a_kill_before_anything_was_sent_costs_nothing() {
    for point in ["locked", "prepared"] {
        let laptop = killed_at(point, A_DAY);
        assert_eq!(redemptions(&laptop), 0, "{point}");
        assert_eq!(laptop.fetch().code, 0, "{point}");
        assert_eq!(laptop.renew().code, 0, "{point}");
        assert_eq!(redemptions(&laptop), 1, "{point}");
        no_violations(&laptop);
    }
}

#[test]
fn a_kill_between_the_record_and_the_first_byte_is_a_doubt_that_ends_well() {
    let laptop = killed_at("armed", 250);
    let old = laptop.tokens();
    let fetched = laptop.fetch();
    assert_eq!(fetched.token(), old.access_token, "served while it lives");
    assert!(fetched.stderr.contains("no answer"), "{fetched:?}");
    laptop.renew().assert_refused(75);
    assert_eq!(redemptions(&laptop), 0, "not before the quiet time");
    laptop.let_seconds_pass_on_record(120);
    assert_ne!(laptop.fetch().token(), old.access_token);
    assert_eq!(redemptions(&laptop), 1);
    no_violations(&laptop);
}

#[test]
fn a_kill_in_the_one_window_that_no_client_can_close_is_a_doubt_and_said_aloud() {
    let laptop = killed_at("answered", A_DAY);
    laptop.provider.oracle().mark_last_refresh_lost();
    assert_eq!(redemptions(&laptop), 1);
    laptop.renew().assert_refused(75);
    laptop.let_seconds_pass_on_record(120);
    for _ in 0..2 {
        let refused = laptop.renew();
        refused.assert_refused(69);
        assert!(refused.stderr.contains("scorpiox-codex-login"), "{refused:?}");
    }
    assert_eq!(redemptions(&laptop), 2, "the verdict is remembered");
    assert_eq!(laptop.fetch().code, 0, "the access token is served while it lives");
    no_violations(&laptop);
}

#[test]
fn a_kill_after_the_rescue_loses_nothing_and_asks_nobody_again() {
    for point in ["rescued", "saved", "settled"] {
        let laptop = killed_at(point, A_DAY);
        assert_eq!(laptop.fetch().token(), laptop.tokens().access_token, "{point}");
        assert_eq!(redemptions(&laptop), 1, "{point}");
        assert_eq!(laptop.renew().code, 0, "{point}");
        assert_eq!(laptop.fetch().token(), laptop.tokens().access_token, "{point}");
        assert_eq!(redemptions(&laptop), 2, "{point}");
        no_violations(&laptop);
    }
}

#[test]
fn who_waits_no_longer_loses_no_token() {
    let (laptop, old) = Laptop::logged_in(200);
    laptop.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    let mut killed = laptop.start(FETCH, &["--raw"]);
    laptop.provider.wait_for_held(1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let impatient = laptop.fetch();
    assert_eq!(impatient.token(), old.access_token);
    assert!(impatient.stderr.contains("just being renewed"), "{impatient:?}");
    laptop.provider.release();
    patience::until("the answer is kept", || (laptop.fetch().token() != old.access_token).then_some(()));
    assert_eq!(redemptions(&laptop), 1);
    no_violations(&laptop);
}

#[test]
fn an_answer_that_says_nothing_leaves_the_login_alone_for_a_while() {
    let redirect = How::Redirect { status: 307, location: "/elsewhere".into() };
    let unclear = [
        How::Status { status: 503, body: serde_json::Value::Null },
        How::Status { status: 429, body: serde_json::Value::Null },
        How::Html { status: 403 },
        How::Garbage,
        How::TruncatedJson,
        How::Oversize { bytes: 100_000 },
        How::GzipBomb { bytes: 50_000_000 },
        How::CutAfter { reset: false, body_bytes: Some(10) },
        How::CutBefore { reset: true },
        redirect,
    ];
    for how in unclear {
        let (laptop, old) = Laptop::logged_in(200);
        let what = format!("{how:?}");
        laptop.provider.fault(Fault::refresh(how).redeeming(false));
        laptop.renew().assert_refused(75);
        laptop.renew().assert_refused(75);
        assert_eq!((redemptions(&laptop), laptop.fetch().token()), (1, old.access_token), "{what}");
        no_violations(&laptop);
    }
}

#[test]
fn a_login_server_that_is_away_costs_nothing() {
    let (laptop, old) = Laptop::logged_in(200);
    let away = laptop.with("CODEX_ISSUER", "http://127.0.0.1:1");
    away.renew().assert_refused(75);
    let fetched = away.fetch();
    assert_eq!(fetched.token(), old.access_token);
    assert!(fetched.stderr.contains("cannot reach 127.0.0.1"), "{fetched:?}");
}

#[test]
fn a_refresh_token_goes_to_a_server_whose_certificate_is_trusted() {
    let laptop = Laptop::encrypted(Settings::default());
    let old = laptop.put_login(&laptop.file(), 200);
    assert_eq!(laptop.renew().code, 0);
    assert_ne!(laptop.fetch().token(), old.access_token);
    let stranger = laptop.without("SSL_CERT_FILE");
    let refused = stranger.renew();
    refused.assert_refused(75);
    assert!(refused.stderr.contains("not trusted") && refused.stderr.contains("SSL_CERT_FILE"), "{refused:?}");
    assert_eq!(redemptions(&stranger), 1);
}

#[test]
fn a_refresh_token_waits_for_the_time_that_the_server_named() {
    let (laptop, _) = Laptop::logged_in(200);
    laptop.provider.oracle().settings_mut().earliest_refresh_after_s = Some(600);
    assert_eq!(laptop.renew().code, 0);
    laptop.renew().assert_refused(75);
    assert_eq!(redemptions(&laptop), 1);
    no_violations(&laptop);
}

#[test]
fn on_a_full_disk_nothing_is_presented_and_the_file_stays_whole() {
    let (laptop, old) = Laptop::logged_in(200);
    let before = fs::read(laptop.file()).unwrap();
    // Files may grow to eight kilobytes: enough for a login and a record, not for the place of an answer.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" --raw"]).arg(binaries::program(FETCH));
    let plain = laptop.command(FETCH, &[]);
    let variables = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let full: Fetched = shell.env_clear().envs(variables).current_dir(laptop.path("")).output().unwrap().into();
    assert_eq!(full.token(), old.access_token);
    assert!(full.stderr.contains("disk not full"), "{full:?}");
    assert_eq!((redemptions(&laptop), fs::read(laptop.file()).unwrap()), (0, before));
    assert_ne!(laptop.fetch().token(), old.access_token);
    no_violations(&laptop);
}

#[test]
fn what_the_stock_cli_owns_is_read_and_never_touched() {
    let laptop = Laptop::new(Settings::default());
    let path = laptop.path(".codex/auth.json");
    let good = laptop.put_login(&path, 370);
    assert_eq!(laptop.fetch().token(), good.access_token);
    laptop.put_login(&path, 350);
    let before = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    for arguments in [&["--raw"][..], &["--raw", "--refused"]] {
        let refused = laptop.run(FETCH, arguments);
        refused.assert_refused(if arguments.len() == 1 { 75 } else { 69 });
        assert!(refused.stderr.contains("run codex once, or scorpiox-codex-login"), "{refused:?}");
    }
    laptop.renew().assert_refused(78);
    assert_eq!((fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap()), before);
    assert_eq!(fs::read_dir(laptop.path(".codex")).unwrap().count(), 1, "nothing is put beside it");
    assert_eq!(redemptions(&laptop), 0);
}

#[test]
fn the_stock_clis_file_is_renewed_where_its_user_says_that_nothing_else_does() {
    let laptop = Laptop::new(Settings::default()).with("CODEX_LOCAL_RENEW", "1");
    let path = laptop.path(".codex/auth.json");
    let old = laptop.put_login(&path, 100);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let new = laptop.fetch().token();
    assert_ne!(new, old.access_token);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("of_another_program") && text.contains(&new));
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "its mode is its owner's");
    assert_eq!(redemptions(&laptop), 1);
    no_violations(&laptop);
}

#[test]
fn the_renewal_concerns_the_file_that_is_configured() {
    let (laptop, _) = Laptop::logged_in(A_DAY);
    let work = laptop.path(".config/scorpiox/codex-auth-work.json");
    let old = laptop.put_login(&work, 100);
    let untouched = fs::read(laptop.file()).unwrap();
    let line = laptop.run(REFRESH, &["--name", "work"]);
    assert_eq!((line.code, line.stdout.lines().count()), (0, 1), "{line:?}");
    let said: serde_json::Value = serde_json::from_str(&line.stdout).unwrap();
    let members: Vec<_> = said.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["account_id", "expires_at", "file", "renewed"]);
    assert_eq!((said["renewed"].as_bool(), said["file"].as_str()), (Some(true), work.to_str()));
    assert_ne!(laptop.run(FETCH, &["--raw", "--name", "work"]).token(), old.access_token);
    assert_eq!(laptop.run(FETCH, &["--refresh", "--name", "work"]).code, 0);
    assert_eq!(fs::read(laptop.file()).unwrap(), untouched);
    assert_eq!(redemptions(&laptop), 1);
    let laptop = laptop.with("CODEX_CREDENTIALS_FILE", work.to_str().unwrap());
    assert_eq!(laptop.run(FETCH, &["--refresh", "--force"]).code, 0);
    assert_eq!((fs::read(laptop.file()).unwrap(), redemptions(&laptop)), (untouched, 2));
}

#[test]
fn a_refresh_token_is_nowhere_but_in_its_file_and_on_its_way() {
    let (laptop, old) = Laptop::logged_in(200);
    laptop.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    let fetching = laptop.start(FETCH, &["--raw", "--verbose"]);
    laptop.provider.wait_for_held(1);
    let secret = old.refresh_token.unwrap();
    for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        for file in ["cmdline", "environ"] {
            let shown = fs::read(process.path().join(file)).unwrap_or_default();
            assert!(!shown.windows(secret.len()).any(|part| part == secret.as_bytes()), "{process:?} {file}");
        }
    }
    laptop.provider.release();
    let output = Fetched::from(fetching.wait_with_output().unwrap());
    let refreshed = laptop.run(REFRESH, &["--force", "--verbose"]);
    let oracle = laptop.provider.oracle();
    for secret in oracle.secrets().iter().filter(|secret| secret.starts_with("rt_")) {
        for said in [&output.stdout, &output.stderr, &refreshed.stdout, &refreshed.stderr] {
            assert!(!said.contains(secret.as_str()));
        }
    }
    assert!(oracle.secrets().iter().all(|secret| !refreshed.stdout.contains(secret.as_str())));
}

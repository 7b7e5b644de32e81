//! The stop: no token that was obtained is lost to it. And the reload.

use std::fs;
use std::time::Duration;

use fake_provider::{Fault, Hold, How, Settings};
use rustix::process::Signal;
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::tls::given_a_certificate;
use scorpiox_tests::process::{Client, Crowd, Database, Team, patience};
use scorpiox_wire::TokenAnswer;
use scorpiox_wire::admin::Health;

/// A team whose only login is being renewed: redeemed, and the answer held back.
fn in_mid_rotation() -> (Team, Client, Crowd) {
    mid_rotation_of(Team::new())
}

fn mid_rotation_of(team: Team) -> (Team, Client, Crowd) {
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    team.given_an_expired_login("main");
    let laptop = team.given_a_client("laptop");
    let crowd = Crowd::asking(team.broker(), &[&laptop.key], 3);
    team.provider.wait_for_held(1);
    (team, laptop, crowd)
}

#[test]
fn a_stop_waits_for_the_rotation_and_answers_who_waits_for_it() {
    let (mut team, laptop, crowd) = in_mid_rotation();
    team.broker().terminate();
    team.broker().wait_for_log("stopping");
    patience::until("a closed door", || team.broker().connect().is_err().then_some(()));
    team.provider.release();
    for reply in crowd.answers() {
        assert_eq!(reply.json::<TokenAnswer>().generation, 2);
    }
    let ended = team.await_end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("\"stopped\""), "{}", ended.stderr);
    team.start();
    assert_eq!(team.fetch(&laptop.key).generation, 2);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn a_second_signal_leaves_at_once_and_the_rotation_is_in_doubt() {
    let (mut team, _, _crowd) = in_mid_rotation();
    team.broker().terminate();
    team.broker().wait_for_log("stopping");
    team.broker().terminate();
    let ended = team.await_end();
    assert!(ended.status.code().is_some_and(|code| code != 0), "{:?}", ended.status);
    assert!(ended.stderr.contains("a second signal"), "{}", ended.stderr);
    team.provider.release();
    team.start();
    assert_eq!(team.admin().credential("main").health, Health::InDoubt);
    assert_eq!(team.provider.refresh_count(), 1);
}

#[test]
fn a_token_that_is_in_memory_only_keeps_the_broker_until_it_is_saved() {
    let (mut team, laptop, crowd) = in_mid_rotation();
    let mut intruder = Database::of(team.data());
    intruder.lock();
    for entry in fs::read_dir(team.data().join("rescue")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    team.provider.release();
    team.broker().wait_for_log("IT IS IN MEMORY ONLY");
    assert!(team.admin().degraded().contains(&"memory_only".to_owned()));
    team.broker().terminate();
    team.broker().wait_for_log("are in memory only; still trying to save them");
    intruder.unlock();
    let ended = team.await_end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    drop(crowd);
    team.start();
    assert_eq!(team.fetch(&laptop.key).generation, 2);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn what_goes_wrong_with_the_last_renewal_is_told_while_the_broker_stops() {
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    let told = team.path("told");
    let script = format!("cat >> {}", told.display());
    team.change(|plan| plan.with("SCORPIOX_BROKER_ALERTS_COMMAND", &format!("/bin/sh,-c,{script}")));
    team.start();
    let (mut team, _laptop, crowd) = mid_rotation_of(team);
    team.broker().terminate();
    team.broker().wait_for_log("stopping");
    let mut intruder = Database::of(team.data());
    intruder.lock();
    for entry in fs::read_dir(team.data().join("rescue")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    team.provider.release();
    let is_told = || fs::read_to_string(&told).ok().filter(|text| text.contains("memory_only"));
    assert!(patience::within(Duration::from_secs(60), is_told).is_some(), "{}", team.broker().log());
    intruder.unlock();
    let ended = team.await_end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    drop(crowd);
}

#[test]
fn an_idle_broker_stops_for_either_signal_and_leaves_nothing_to_replay() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut team = Team::new();
        team.given_a_login("main");
        team.broker().signal(signal);
        let ended = team.await_end();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let log = team.data().join("broker.db-wal");
        assert_eq!(fs::metadata(log).map_or(0, |metadata| metadata.len()), 0);
    }
}

#[test]
fn another_certificate_is_served_without_a_restart_or_a_lost_connection() {
    let mut team = Team::not_started(Settings::default(), |plan| plan.encrypted());
    let place = team.path("tls");
    fs::create_dir(&place).unwrap();
    let first = given_a_certificate(&place);
    let path = |name: &str| place.join(name).to_str().unwrap().to_owned();
    team.change(|plan| {
        plan.with("SCORPIOX_BROKER_TLS_CERTIFICATE", &path("certificate.pem"))
            .with("SCORPIOX_BROKER_TLS_KEY", &path("key.pem"))
    });
    team.start();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    assert_eq!(team.broker().certificate(), first);
    let bearer = laptop.key.bearer();
    let headers = [("authorization", bearer.as_str())];
    let request = Request { target: "/codex", headers: &headers, ..Request::default() };
    let mut old = team.broker().connect().unwrap();
    assert_eq!(old.ask(&request).unwrap().status, 200);

    let second = given_a_certificate(&place);
    team.broker().signal(Signal::HUP);
    team.broker().wait_for_log("another certificate is served");
    assert_eq!(team.broker().certificate(), second);
    assert_eq!(old.ask(&request).unwrap().status, 200, "a connection from before goes on");
    let desktop = team.given_a_client("desktop");
    assert_ne!(desktop.pin, laptop.pin);

    fs::write(place.join("certificate.pem"), "-----BEGIN CERTIFICATE-----\nnonsense\n").unwrap();
    team.broker().signal(Signal::HUP);
    team.broker().wait_for_log("the certificate was not reloaded");
    assert_eq!(team.broker().certificate(), second, "a bad one changes nothing");
    assert_eq!(team.fetch(&laptop.key).generation, 1);
}

#[test]
fn a_service_reads_its_file_and_a_reload_reads_it_again() {
    let mut team = Team::not_started(Settings::default(), |plan| plan.without("SCORPIOX_BROKER_LOG_LEVEL"));
    let file = team.path("broker.toml");
    fs::write(&file, "[log]\nlevel = \"warn\"\n").unwrap();
    team.change(|plan| plan.serve(&file));
    team.start();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    team.fetch(&laptop.key);
    assert_eq!(team.broker().answered("/codex"), 0);
    fs::write(&file, "[log]\nlevel = \"debug\"\n").unwrap();
    team.broker().signal(Signal::HUP);
    patience::until("a more talkative log", || {
        team.fetch(&laptop.key);
        (team.broker().answered("/codex") > 0).then_some(())
    });
    fs::write(&file, "[log]\nlevle = \"debug\"\n").unwrap();
    team.broker().signal(Signal::HUP);
    team.broker().wait_for_log("levle");
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    std::thread::sleep(Duration::from_millis(50));
    let ended = team.stop();
    assert!(ended.status.success());
    fs::write(&file, "[log]\nlevel = \"info\"\nlevle = 1\n").unwrap();
    let ended = team.start_in_vain();
    assert_eq!(ended.status.code(), Some(78), "{}", ended.stderr);
    assert!(ended.stderr.contains("3") && ended.stderr.contains("levle"), "{}", ended.stderr);
}

//! SIGKILL of the real process on a real disk, at named failpoints (R1–R6) and at random moments.

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use scorpiox_tests::process::Team;
use scorpiox_tests::process::http::{Connection, Request};
use scorpiox_tests::process::patience;
use scorpiox_wire::admin::{CredentialView, Health};

const FAILPOINTS: &str = "SCORPIOX_FAILPOINTS";

/// Asks for a renewal and does not wait for the answer: the broker is about to die.
fn ask_for_a_renewal(team: &Team) -> Connection<UnixStream> {
    let stream = UnixStream::connect(team.data().join("admin.sock")).unwrap();
    let mut connection = Connection::over(stream);
    let target = "/admin/v1/credentials/main/refresh";
    let body = Some("{}".to_owned());
    connection.send(&Request { method: "POST", target, headers: &[], body }).unwrap();
    connection
}

/// A team whose broker died at this failpoint while it renewed `main`, and is running again.
fn killed_at(point: &str) -> Team {
    let mut team = Team::new();
    team.given_a_login("main");
    team.stop();
    team.change(|plan| plan.with(FAILPOINTS, &format!("{point}=kill")));
    team.start();
    let _asked = ask_for_a_renewal(&team);
    let ended = team.await_end();
    assert!(!ended.status.success(), "{point} was not reached");
    team.change(|plan| plan.without(FAILPOINTS));
    team.start();
    team
}

fn main_login(team: &Team) -> CredentialView {
    team.admin().credential("main")
}

#[test]
fn r1_r2_a_kill_before_anything_was_sent_costs_nothing() {
    for point in ["before_claim", "after_claim", "after_dial"] {
        let team = killed_at(point);
        assert_eq!(team.provider.refresh_count(), 0, "{point}");
        assert_eq!((main_login(&team).health, main_login(&team).generation), (Health::Good, 1), "{point}");
        let renewed = team.admin().refresh("main").unwrap();
        assert_eq!(renewed.credential.generation, 2, "{point}");
        assert_eq!(team.provider.refresh_count(), 1, "{point}");
    }
}

#[test]
fn r3_a_kill_between_the_commit_and_the_first_byte_is_a_doubt_that_is_served_and_left_alone() {
    for point in ["after_arm", "before_send"] {
        let team = killed_at(point);
        let client = team.given_a_client("laptop");
        assert_eq!(main_login(&team).health, Health::InDoubt, "{point}");
        assert_eq!(team.fetch(&client.key).generation, 1, "{point}");
        let too_early = team.admin().probe("main").unwrap_err();
        assert!(too_early.message.contains("may not be renewed"), "{point}: {too_early:?}");
        assert_eq!(team.provider.refresh_count(), 0, "{point}: nobody was asked before the quiet time");
    }
}

#[test]
fn r4_a_kill_in_the_one_window_that_no_client_can_close_is_a_doubt_and_said_aloud() {
    let team = killed_at("after_answer");
    assert_eq!(team.provider.refresh_count(), 1);
    assert_eq!(main_login(&team).health, Health::InDoubt);
    assert_eq!(team.admin().degraded(), ["in_doubt"]);
    team.broker().wait_for_log("IN DOUBT");
    let (outcome, detail) = told_of_the_start(&team);
    assert_eq!(outcome, "in_doubt");
    assert!(detail.starts_with("generation 1; after a restart; "), "{detail}");
}

#[test]
fn r5_a_kill_after_the_rescue_is_settled_by_the_start_without_asking_again() {
    let mut team = killed_at("after_rescue");
    let client = team.given_a_client("laptop");
    let answer = team.fetch(&client.key);
    assert_eq!(answer.generation, 2);
    assert_eq!(answer.access_token.expose(), team.issued().access_token, "it is the one that the provider gave");
    assert_eq!(team.provider.refresh_count(), 1);
    assert_eq!(main_login(&team).health, Health::Good);
    let (outcome, detail) = told_of_the_start(&team);
    let expected = "generation 2; after a restart; an answer from before the stop was settled";
    assert_eq!((outcome.as_str(), detail.as_str()), ("ok", expected));
    team.restart();
    told_of_the_start(&team);
}

/// The one line that the audit has of the rotation that was killed.
fn told_of_the_start(team: &Team) -> (String, String) {
    let mut lines = patience::until("the line of the rotation", || {
        Some(team.admin().audit_of("credential.rotate")).filter(|lines| !lines.is_empty())
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines.remove(0);
    assert_eq!((line.actor.as_str(), line.object.as_str()), ("broker", "credential:main"));
    (line.outcome, line.detail)
}

#[test]
fn r6_a_kill_after_the_commit_is_replayed_to_nothing() {
    for point in ["after_settle", "before_publish", "before_clear"] {
        let team = killed_at(point);
        let client = team.given_a_client("laptop");
        assert_eq!(team.fetch(&client.key).generation, 2, "{point}");
        assert_eq!(team.provider.refresh_count(), 1, "{point}");
        let renewed = team.provider.oracle().newest();
        assert_eq!(renewed.last().unwrap().generation, 2, "{point}");
        assert_eq!(team.provider.violations(), Vec::<String>::new(), "{point}");
    }
}

/// So many kills in all, on so many brokers side by side.
const KILLS: u32 = 300;
const BROKERS: u32 = 6;

/// What one broker went through.
#[derive(Default)]
struct Toll {
    renewals: u64,
    doubts: u32,
    lost_logins: u32,
}

/// A cheap source of moments: the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn three_hundred_kills_at_random_moments_present_no_token_twice_and_lose_only_what_nobody_could_keep() {
    let seed = std::env::var("KILL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_122);
    println!("KILL_SEED={seed}");
    let brokers: Vec<_> = (0..BROKERS)
        .map(|index| thread::spawn(move || survive(KILLS / BROKERS, Dice(seed + u64::from(index) * 0x9E37_79B9))))
        .collect();
    let tolls: Vec<Toll> = brokers.into_iter().map(|broker| broker.join().unwrap()).collect();
    let renewals: u64 = tolls.iter().map(|toll| toll.renewals).sum();
    let doubts: u32 = tolls.iter().map(|toll| toll.doubts).sum();
    let lost: u32 = tolls.iter().map(|toll| toll.lost_logins).sum();
    println!("{KILLS} kills: {renewals} generations, {doubts} doubts, {lost} logins lost in the window of R4");
    assert!(renewals > 0, "the kills came too early to mean anything");
}

fn survive(kills: u32, mut dice: Dice) -> Toll {
    let mut team =
        Team::with(fake_provider::Settings::default(), |plan| plan.with("SCORPIOX_BROKER_ROTATION_QUIET_TIME", "1s"));
    team.given_a_login("main");
    let mut toll = Toll::default();
    let mut generation = 1;
    for _ in 0..kills {
        // Each next token lasts longer, else a renewal in the same second would be no improvement.
        team.provider.oracle().settings_mut().access_token_life_s += 60;
        let asked_before = team.provider.refresh_count();
        let asked = ask_for_a_renewal(&team);
        thread::sleep(Duration::from_micros(dice.below(30_000)));
        team.kill_9();
        drop(asked);
        team.start();
        let found = main_login(&team);
        assert!(found.generation >= generation, "generation {} after {generation}", found.generation);
        assert_ne!(found.health, Health::Quarantine, "{found:?}");
        if found.health == Health::InDoubt {
            toll.doubts += 1;
            if team.provider.refresh_count() > asked_before {
                // The provider may have answered, but the broker did not live to keep it.
                team.provider.oracle().mark_last_refresh_lost();
            }
            toll.lost_logins += u32::from(!probed(&team));
        }
        let found = main_login(&team);
        assert_eq!(found.health, Health::Good, "{found:?}");
        toll.renewals += found.generation - generation;
        generation = found.generation;
        assert_eq!(team.provider.violations(), Vec::<String>::new());
    }
    team.provider.oracle().settings_mut().access_token_life_s += 60;
    assert_eq!(team.admin().refresh("main").unwrap().credential.generation, generation + 1, "it lives on");
    toll
}

/// Ends a doubt: the probe renews the login, or finds that it is lost and a person logs in again. True when it lived.
fn probed(team: &Team) -> bool {
    team.provider.oracle().settings_mut().access_token_life_s += 60;
    patience::until("the quiet time is over and the probe is answered", || match team.admin().probe("main") {
        Ok(_) => Some(()),
        Err(_) if main_login(team).health == Health::Reauth => Some(()),
        Err(_) => {
            thread::sleep(Duration::from_millis(100));
            None
        }
    });
    if main_login(team).health == Health::Good {
        return true;
    }
    let lost = team.provider.oracle().lost_redemptions().count();
    assert!(lost > 0, "a login is lost only when an answer was");
    team.given_a_login("main");
    false
}

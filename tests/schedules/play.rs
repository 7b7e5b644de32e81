//! One schedule: a few lives with faults, then a life without.

use std::fs;
use std::time::Duration;

use fake_provider::Settings;
use scorpiox_broker::domain::rotation::State;
use scorpiox_tests::sim::{SimBroker, World};

use super::acts::{Deeds, Mood, act, all_is_well, narrated};
use super::dice::Dice;
use super::observer::{Customer, Observer};
use super::verdict::{Tally, judge};

/// The longest wait that a fault leaves behind: an hour after an unknown refusal or a fruitless probe.
const AFTERMATH: Duration = Duration::from_secs(75 * 60);

/// Plays the schedule of this seed.
pub(super) fn play(seed: u64) -> Tally {
    let mut dice = Dice::new(seed);
    let mood = Mood::roll(&mut dice);
    let settings = Settings { access_token_life_s: mood.token_life_s, ..Settings::default() };
    let mut world = World::new(settings, seed);
    world.slots = usize::try_from(dice.in_range(1..=3)).expect("three is small");
    let customers = begin(&mut world, &mood);
    let mut observer = Observer::new(&mood);
    let mut deeds = Deeds::default();
    let lives = dice.in_range(1..=3);
    for _ in 0..lives {
        between_lives(&mut dice, &mood, &world, &mut deeds);
        let marks = marks(&world);
        if dice.once_in(4) {
            world.killed_while_starting(usize::try_from(dice.in_range(1..=40)).expect("forty is small"));
        }
        world.life(async |broker| {
            if narrated() {
                eprintln!("{} a life begins", broker.clock.truth());
            }
            nothing_went_back(broker, &marks);
            observer.begin_life();
            for _ in 0..dice.in_range(4..=14) {
                act(&mut dice, &mood, broker, &customers, &mut observer, &mut deeds).await;
                observer.look(broker).await;
            }
            // The kill may come in the middle of anything.
            if dice.once_in(2) {
                broker.go_on(usize::try_from(dice.in_range(1..=12)).expect("twelve is small")).await;
            }
        });
    }
    between_lives(&mut dice, &mood, &world, &mut deeds);
    let marks = marks(&world);
    let mut tally = Tally { schedules: 1, lives: lives + 1, ..Tally::default() };
    world.life(async |broker| {
        nothing_went_back(broker, &marks);
        observer.begin_life();
        all_is_well(broker, &customers, &mut deeds).await;
        lives_on(broker, &mood, &customers, &mut observer).await;
        for number in 0..mood.logins {
            let credential = broker.credential(&format!("login-{number}"));
            let oracle = broker.provider.oracle();
            judge(&mut tally, &credential, &oracle, &deeds, mood.forgetful, mood.jumpy);
        }
    });
    world.judge();
    if seed.is_multiple_of(20) {
        no_secret_is_on_the_disk(&world);
    }
    tally.posts = u64::try_from(world.posts()).expect("a schedule is short");
    tally.requests = observer.answered;
    tally
}

/// Everything at rest is sealed. Looked at now and then: it takes as long as a schedule.
fn no_secret_is_on_the_disk(world: &World) {
    let secrets = world.provider.oracle().secrets();
    for directory in [world.data().to_owned(), world.data().join("rescue")] {
        for entry in fs::read_dir(directory).expect("a directory can be read") {
            let path = entry.expect("an entry can be read").path();
            let Ok(content) = fs::read(&path) else { continue };
            let text = String::from_utf8_lossy(&content);
            let found = secrets.iter().any(|secret| text.contains(secret.as_str()));
            assert!(!found, "a secret stands in {}", path.display());
        }
    }
}

/// Logins, a client or two for each.
fn begin(world: &mut World, mood: &Mood) -> Vec<Customer> {
    for number in 0..mood.logins {
        world.put_in(&format!("login-{number}"), number);
    }
    let customers = world.life(async |broker| {
        let mut customers = Vec::new();
        for number in 0..mood.logins {
            let credential = format!("login-{number}");
            for client in 0..=number % 2 {
                let key =
                    broker.client(&format!("client-{number}-{client}"), &credential).await.expect("a client is made");
                customers.push(Customer { credential: credential.clone(), key });
            }
        }
        customers
    });
    world.checkpoint();
    customers
}

/// What the disk forgets, and who sets the clock right.
fn between_lives(dice: &mut Dice, mood: &Mood, world: &World, deeds: &mut Deeds) {
    if mood.forgetful && dice.once_in(2) {
        lose_writes(dice, world);
    }
    if deeds.refuses || mood.forgetful {
        // What was forgotten may be that it recovered.
        world.database_recovers();
        deeds.refuses = false;
    }
    if mood.says_earliest || dice.once_in(2) {
        world.clock.set_wall_error(0);
    }
    if dice.once_in(3) {
        // Nobody lives for a while.
        world.clock.advance(dice.seconds(1..=7_200));
    }
}

/// The log is cut somewhere, or gone.
fn lose_writes(dice: &mut Dice, world: &World) {
    let Ok(log) = fs::OpenOptions::new().write(true).open(world.log_file()) else { return };
    let length = log.metadata().expect("a log has a length").len();
    let kept = if dice.once_in(4) { 0 } else { dice.in_range(0..=length) };
    log.set_len(kept).expect("a log can be cut");
}

/// What the mark says: id, epoch, generation.
fn marks(world: &World) -> Vec<(String, u64, u64)> {
    let text = fs::read_to_string(world.mark_file()).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.strip_prefix("credential ")?.split(' ');
        Some((words.next()?.to_owned(), words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Neither epoch nor generation goes back unnoticed.
fn nothing_went_back(broker: &SimBroker, marks: &[(String, u64, u64)]) {
    for holding in broker.rotator.parts().holdings.all() {
        let rotation = holding.desk().credential.rotation.clone();
        let Some((_, epoch, generation)) = marks.iter().find(|(id, ..)| id == holding.id().as_str()) else { continue };
        let is_set_aside = matches!(rotation.state, State::Quarantine(_));
        assert!(
            is_set_aside || (rotation.epoch >= *epoch && rotation.generation >= *generation),
            "behind the mark ({epoch}, {generation}) and not set aside: {rotation:?}"
        );
    }
}

/// Time passes without faults: whoever can be renewed is, before its token ends.
async fn lives_on(broker: &SimBroker, mood: &Mood, customers: &[Customer], observer: &mut Observer) {
    let life = Duration::from_secs(u64::try_from(mood.token_life_s).expect("a life is positive"));
    broker.pass(AFTERMATH.max(life)).await;
    let good: Vec<String> = (0..mood.logins)
        .map(|number| format!("login-{number}"))
        .filter(|name| !matches!(broker.state(name), State::Reauth(_) | State::Quarantine(_)))
        .collect();
    let ended = |broker: &SimBroker| {
        let now = broker.clock.truth();
        good.iter()
            .find(|name| broker.credential(name).tokens.is_none_or(|tokens| tokens.expires_at.as_unix() <= now))
            .cloned()
    };
    let first = ended(broker);
    assert_eq!(
        first,
        None,
        "not renewed after all faults had ended: {:?}",
        first.as_ref().map(|name| broker.credential(name))
    );
    let before: Vec<u64> = good.iter().map(|name| broker.generation(name)).collect();
    let someone_ended = broker.pass_until(life * 2, |broker| ended(broker).is_some()).await;
    assert!(!someone_ended, "a token ended although nothing was wrong: {:?}", ended(broker));
    for (name, before) in good.iter().zip(before) {
        assert!(broker.is_idle(name), "{name} did not come to rest: {:?}", broker.state(name));
        assert!(broker.generation(name) > before, "{name} was not renewed");
    }
    for customer in customers {
        observer.ask(broker, customer);
    }
    broker.pass(Duration::from_secs(60)).await;
    observer.look(broker).await;
}

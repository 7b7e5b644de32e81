//! What happens to a broker: one act after another, each chosen by the dice.

use std::env;
use std::sync::OnceLock;
use std::time::Duration;

use scorpiox_broker::domain::credential::Pause;
use scorpiox_broker::failpoint::Point;
use scorpiox_tests::sim::{Deed, SimBroker, administrator};

use super::dice::Dice;
use super::observer::{Customer, Observer};
use super::trips::trip;

/// What one schedule is like.
pub(super) struct Mood {
    /// Logins: `login-0` and so on.
    pub(super) logins: u32,
    /// Seconds that an access token lives.
    pub(super) token_life_s: i64,
    /// Somebody sets the machine's clock.
    pub(super) jumpy: bool,
    /// The disk loses what it had promised to keep.
    pub(super) forgetful: bool,
    /// The provider says before when not to ask again.
    pub(super) says_earliest: bool,
}

impl Mood {
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let jumpy = dice.once_in(5);
        Self {
            logins: u32::try_from(dice.in_range(1..=3)).expect("three is small"),
            token_life_s: *dice.pick(&[1_800, 3_600, 3_600, 10_800]),
            jumpy,
            forgetful: dice.once_in(4),
            says_earliest: !jumpy && dice.once_in(4),
        }
    }
}

/// What a schedule has done that its verdict must know.
#[derive(Default)]
pub(super) struct Deeds {
    /// Families of tokens that the provider ended by itself.
    pub(super) ended_families: Vec<u32>,
    /// The database refuses writes, until this is taken back.
    pub(super) refuses: bool,
}

/// One life goes on by one act.
pub(super) async fn act(
    dice: &mut Dice,
    mood: &Mood,
    broker: &SimBroker,
    customers: &[Customer],
    observer: &mut Observer,
    deeds: &mut Deeds,
) {
    let customer = dice.pick(customers);
    let name = customer.credential.as_str();
    let choice = dice.in_range(0..=39);
    if narrated() {
        eprintln!("{} act {choice} on {name}", broker.clock.truth());
    }
    if (4..=8).contains(&choice) && deeds.refuses && !dice.once_in(8) {
        // An outage of hours is a story of its own: it would take most of the time of all schedules.
        toggle_database(dice, broker, deeds).await;
    }
    match choice {
        0..=3 => broker.pass(dice.seconds(1..=30)).await,
        4..=6 => broker.pass(dice.seconds(30..=400)).await,
        7 | 8 => {
            let life = u64::try_from(mood.token_life_s).expect("a life is positive");
            broker.pass(dice.seconds(life / 8..=life)).await;
        }
        9..=12 => observer.ask(broker, customer),
        13 => (0..20).for_each(|_| observer.ask(broker, customer)),
        14 => observer.revalidate(broker, customer),
        15 | 16 => observer.refuse(broker, customer),
        17 => observer.go_away(),
        18..=21 => drop(broker.renew(name)),
        22 => drop(broker.probe(name)),
        23..=29 => broker.provider.plan(trip(dice, mood.says_earliest)),
        30 | 31 => broker.points.plan(*dice.pick(&Point::ALL), deed(dice)),
        32 => log_in_again(dice, broker, name).await,
        33 => pause(dice, broker, name).await,
        34 | 35 => toggle_database(dice, broker, deeds).await,
        36 if mood.jumpy => {
            let jumps = [0, 3_600, -3_600, 365 * 86_400, -365 * 86_400, 40];
            broker.clock.set_wall_error(*dice.pick(&jumps));
        }
        37 if dice.once_in(6) => end_family(broker, name, deeds),
        38 if dice.once_in(6) => {
            broker.rotator.stop();
        }
        _ => broker.rest().await,
    }
}

/// Whether somebody reads along.
pub(super) fn narrated() -> bool {
    static NARRATED: OnceLock<bool> = OnceLock::new();
    *NARRATED.get_or_init(|| env::var_os("SCHEDULE_LOG").is_some())
}

fn deed(dice: &mut Dice) -> Deed {
    match dice.in_range(0..=3) {
        0 | 1 => Deed::Park,
        2 => Deed::Panic,
        _ => Deed::Stop(dice.seconds(1..=10)),
    }
}

/// The same person logs in once more, possibly in the middle of a rotation.
async fn log_in_again(dice: &mut Dice, broker: &SimBroker, name: &str) {
    if dice.once_in(2) {
        // Fails while the database refuses: then nothing has changed.
        let _ = broker.login(name, number_of(name)).await;
    }
}

/// The account behind a login.
pub(super) fn number_of(name: &str) -> u32 {
    name.trim_start_matches("login-").parse().expect("logins are numbered")
}

async fn pause(dice: &mut Dice, broker: &SimBroker, name: &str) {
    let pause = *dice.pick(&[Pause::None, Pause::None, Pause::Renewal, Pause::All]);
    let _ = broker.registrar.pause(&administrator(), name, pause).await;
}

async fn toggle_database(dice: &mut Dice, broker: &SimBroker, deeds: &mut Deeds) {
    broker.rest().await;
    if deeds.refuses {
        broker.database_recovers().await;
    } else {
        let tables = ["credentials", "kept_answers", "audit"];
        let some = usize::try_from(dice.in_range(1..=3)).expect("three is small");
        broker.database_refuses(&tables[..some]).await;
    }
    deeds.refuses = !deeds.refuses;
}

/// The provider ends a login, as when somebody logs out elsewhere.
fn end_family(broker: &SimBroker, name: &str, deeds: &mut Deeds) {
    let Some(tokens) = broker.credential(name).tokens else { return };
    let Some((family, _)) = super::verdict::serial_of(tokens.refresh_token.expose()) else { return };
    broker.provider.oracle().end_family(family);
    deeds.ended_families.push(family);
}

/// All faults end.
pub(super) async fn all_is_well(broker: &SimBroker, customers: &[Customer], deeds: &mut Deeds) {
    broker.provider.forget_plans();
    broker.points.forget_plans();
    if deeds.refuses {
        broker.database_recovers().await;
        deeds.refuses = false;
    }
    broker.clock.set_wall_error(0);
    broker.rotator.parts().timeline.accept_wall();
    // Saving is tried again at most every fifteen seconds.
    broker.pass(Duration::from_secs(60)).await;
    for customer in customers {
        let resumed = broker.registrar.pause(&administrator(), &customer.credential, Pause::None).await;
        resumed.expect("a healthy broker resumes");
    }
}

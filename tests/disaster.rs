//! The drill: the data directory is lost at some moment of two hundred renewals and the last backup is put back. No
//! refresh token is presented twice, and the logins that need a person are told, no more and no fewer.

use std::collections::BTreeSet;
use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use fake_provider::{Settings, TokenRef};
use scorpiox_broker::backup::collect::Collection;
use scorpiox_broker::backup::envelope::{Lock, Opener};
use scorpiox_broker::backup::unpack;
use scorpiox_broker::domain::rotation::{Quarantine, State};
use scorpiox_broker::failpoint::Point;
use scorpiox_broker::key_file::{self, Kind};
use scorpiox_broker::key_ring::KeyRing;
use scorpiox_broker::key_source::KeySource;
use scorpiox_broker::vault::{Places, Vault};
use scorpiox_tests::sim::{Deed, MASTER_KEY, SimBroker, World, administrator};
use scorpiox_wire::Secret;
use scorpiox_wire::admin::{LoginStanding, PromoteRequest, UnknownLogins};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::schedules::dice::Dice;

const LOGINS: u32 = 8;
const RENEWALS: u64 = 200;
const MINUTE: Duration = Duration::from_secs(60);

/// What outlives the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Survives {
    MarkAndSlots,
    Nothing,
}

struct Drill {
    world: World,
    elsewhere: PathBuf,
    backups: PathBuf,
    identity: age::x25519::Identity,
}

impl Drill {
    fn new(seed: u64, survives: Survives) -> Self {
        let mut world = World::new(Settings::default(), seed);
        let place = world.beside("other-volume");
        if survives == Survives::MarkAndSlots {
            fs::create_dir_all(place.join("rescue")).unwrap();
            world.elsewhere = Some(place.clone());
        }
        for number in 1..=LOGINS {
            world.put_in(&name(number), number);
        }
        let backups = world.beside("backups");
        fs::create_dir_all(&backups).unwrap();
        Self { world, elsewhere: place, backups, identity: age::x25519::Identity::generate() }
    }

    fn opener(&self) -> Opener {
        use age::secrecy::ExposeSecret as _;
        Opener::Identities(Secret::new(self.identity.to_string().expose_secret()))
    }

    fn lock(&self) -> Lock {
        Lock::to(&[self.identity.to_public().to_string()]).unwrap()
    }

    fn loses_and_restores(&self, file: &Path) {
        fs::remove_dir_all(self.world.data()).unwrap();
        unpack::restore(file, &self.opener(), self.world.data()).unwrap();
        fs::create_dir_all(self.world.data().join("rescue")).unwrap();
    }
}

fn name(number: u32) -> String {
    format!("login-{number}")
}

/// The files that a broker has beside those of a simulated one.
fn keys(data: &Path) -> Vault {
    let pepper = data.join("pepper.key");
    if !pepper.exists() {
        fs::write(data.join("identity"), "scorpiox-broker-1 i k p\n").unwrap();
        key_file::create(&pepper, Kind::Pepper, &Zeroizing::new(*b"\x80a pepper of thirty-two bytes...")).unwrap();
    }
    let source = KeySource::File(data.join("master.key"));
    let places = Places { data: data.to_owned(), pepper_file: pepper, source };
    let key = scorpiox_broker::seal::MasterKey::from_bytes(MASTER_KEY);
    Vault::new(places, None, key.key_id(), KeyRing::alone(key))
}

async fn back_up(broker: &SimBroker, to: &Path, lock: Lock, elsewhere: &Path) {
    let parts = broker.rotator.parts();
    let vault = keys(&broker.data);
    let slots = [broker.data.join("rescue"), elsewhere.join("rescue")];
    let collection = Collection {
        store: &parts.store,
        vault: &vault,
        slots: slots.into_iter().filter(|directory| directory.is_dir()).collect(),
        activity: &parts.activity,
        instance: "i".to_owned(),
        now: parts.timeline.now(),
    };
    let sealed = collection.seal(lock, Arc::new(Mutex::new(())).lock_owned().await).await.unwrap();
    fs::copy(sealed.path(), to).unwrap();
}

/// The refresh token that each login has, as the provider knows it.
fn holds(broker: &SimBroker) -> Vec<(String, String)> {
    (1..=LOGINS)
        .map(|number| {
            let tokens = broker.credential(&name(number)).tokens.expect("no cell is damaged");
            (name(number), tokens.refresh_token.expose().to_owned())
        })
        .collect()
}

/// Which of these were presented to the provider.
fn presented(world: &World, tokens: &[(String, String)]) -> BTreeSet<String> {
    let oracle = world.provider.oracle();
    let seen: BTreeSet<String> = oracle
        .log()
        .iter()
        .filter_map(|entry| match entry.refresh_token {
            Some(TokenRef::Issued(serial)) => oracle.tokens(serial)?.refresh_token.clone(),
            _ => None,
        })
        .collect();
    tokens.iter().filter(|(_, token)| seen.contains(token)).map(|(name, _)| name.clone()).collect()
}

/// Renews some of the logins, until `renewals` have been done in all or it is time for the loss.
async fn renew(broker: &SimBroker, dice: &mut Dice, renewals: u64) {
    for _ in 0..renewals {
        broker.pass(MINUTE).await;
        let one = name(1 + u32::try_from(dice.in_range(0..=u64::from(LOGINS) - 1)).unwrap());
        broker.renewed(&one).await;
    }
}

fn drill(seed: u64, survives: Survives, unknown: UnknownLogins) -> (usize, usize) {
    let mut dice = Dice::new(seed);
    let mut drill = Drill::new(seed, survives);
    let lost_at = dice.in_range(1..=RENEWALS);
    let last_backup = dice.in_range(0..=lost_at - 1);
    let file = drill.backups.join("broker.age");
    let lock = drill.lock();
    let elsewhere = drill.elsewhere.clone();
    let in_backup = drill.world.life(async |broker| {
        renew(broker, &mut dice, last_backup).await;
        back_up(broker, &file, lock, &elsewhere).await;
        let held = holds(broker);
        renew(broker, &mut dice, lost_at - last_backup).await;
        held
    });
    let used = presented(&drill.world, &in_backup);
    let used_at_the_loss = used.len();

    drill.loses_and_restores(&file);
    let told = drill.world.life(async |broker| {
        let before = broker.posts();
        broker.pass(MINUTE * 60 * 24 * 20).await;
        assert_eq!(broker.posts(), before, "seed {seed}: nothing is presented behind the fence");
        let prospect = broker.registrar.promotion();
        assert!(prospect.restored_from.is_some());
        broker.registrar.promote(&administrator(), PromoteRequest { unknown }).await.unwrap();
        let person = |standing: LoginStanding| match standing {
            LoginStanding::Behind => true,
            LoginStanding::Unknown => survives == Survives::Nothing,
            LoginStanding::Safe | LoginStanding::InDoubt => false,
            other => panic!("seed {seed}: {other:?}"),
        };
        let told: BTreeSet<String> =
            prospect.logins.into_iter().filter(|login| person(login.standing)).map(|login| login.name).collect();
        // All that may be renewed is due.
        broker.pass(MINUTE * 60 * 24).await;
        told
    });
    match survives {
        Survives::MarkAndSlots => assert_eq!(told, used, "seed {seed}: told are those that were used, and no others"),
        Survives::Nothing => assert_eq!(told.len(), LOGINS as usize, "seed {seed}: nobody knows"),
    }
    let again = presented(&drill.world, &in_backup);
    match unknown {
        UnknownLogins::SetAside => {
            drill.world.judge();
            let safe: BTreeSet<String> =
                in_backup.iter().map(|(name, _)| name.clone()).filter(|name| !told.contains(name)).collect();
            assert_eq!(&again - &used, safe, "seed {seed}: what is safe was renewed, once");
        }
        UnknownLogins::Try => assert_eq!(again.len(), LOGINS as usize, "seed {seed}: each was tried"),
    }
    (used_at_the_loss, told.len())
}

#[test]
fn with_its_mark_on_another_volume_a_restored_broker_presents_nothing_twice_and_tells_exactly_who_must_log_in() {
    let (mut used, mut seeds) = (0, 0);
    for seed in 0..12 {
        used += drill(seed, Survives::MarkAndSlots, UnknownLogins::SetAside).0;
        seeds += 1;
    }
    assert!(used > seeds && used < seeds * LOGINS as usize, "the drill has both kinds: {used}");
}

#[test]
fn without_a_mark_a_restored_broker_presents_nothing_and_tells_everybody() {
    for seed in 20..24 {
        drill(seed, Survives::Nothing, UnknownLogins::SetAside);
    }
}

#[test]
fn without_a_mark_one_post_each_tells_when_an_administrator_wants_to_know() {
    drill(30, Survives::Nothing, UnknownLogins::Try);
}

/// When the last backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastBackup {
    BeforeTheRenewal,
    InTheMiddleOfIt,
}

/// The directory is lost while a renewal is at `point`: what the promotion says of its login, and what becomes of that.
fn lost_in_a_renewal(point: Point, backup: LastBackup) -> (LoginStanding, State) {
    let mut drill = Drill::new(50, Survives::MarkAndSlots);
    let file = drill.backups.join("broker.age");
    let (mut lock, elsewhere, one) = (Some(drill.lock()), drill.elsewhere.clone(), name(1));
    drill.world.life(async |broker| {
        broker.pass(MINUTE).await;
        broker.renewed(&one).await;
        broker.pass(MINUTE).await;
        if backup == LastBackup::BeforeTheRenewal {
            back_up(broker, &file, lock.take().unwrap(), &elsewhere).await;
        }
        broker.points.plan(point, Deed::Park);
        let _flight = broker.renew(&one).expect("a rotation may begin");
        broker.parks_at(point).await;
        if backup == LastBackup::InTheMiddleOfIt {
            back_up(broker, &file, lock.take().unwrap(), &elsewhere).await;
        }
    });
    drill.loses_and_restores(&file);
    let (standing, state) = drill.world.life(async |broker| {
        let standing = broker.registrar.promotion().logins[0].standing;
        broker.registrar.promote(&administrator(), PromoteRequest::default()).await.unwrap();
        broker.pass(MINUTE * 60 * 24 * 12).await;
        (standing, broker.state(&one))
    });
    drill.world.judge();
    (standing, state)
}

#[test]
fn a_loss_in_the_middle_of_a_renewal_presents_nothing_twice_and_says_how_the_login_stands() {
    use LastBackup::{BeforeTheRenewal, InTheMiddleOfIt};
    use LoginStanding::{Behind, InDoubt, Safe, Unknown};
    let table = [
        // The mark was not raised yet.
        (Point::AfterArm, BeforeTheRenewal, Safe, "Idle"),
        // It was, and nobody can tell from it that nothing had been sent.
        (Point::BeforeSend, BeforeTheRenewal, Behind, "BehindMark"),
        (Point::AfterAnswer, BeforeTheRenewal, Behind, "BehindMark"),
        // The slot that had the answer is lost with the directory.
        (Point::AfterRescue, BeforeTheRenewal, Behind, "BehindMark"),
        // The backup has the slot and so knows more than the mark, which passes for an older one.
        (Point::AfterRescue, InTheMiddleOfIt, Unknown, "Restored"),
        // The backup says itself that it was sent: a probe finds out, once.
        (Point::BeforeSend, InTheMiddleOfIt, InDoubt, "Idle"),
        (Point::AfterAnswer, InTheMiddleOfIt, InDoubt, "Reauth"),
    ];
    for (point, backup, standing, becomes) in table {
        let (told, state) = lost_in_a_renewal(point, backup);
        assert_eq!(told, standing, "{point:?} {backup:?}");
        assert!(format!("{state:?}").contains(becomes), "{point:?} {backup:?}: {state:?}");
    }
}

#[test]
fn a_promotion_goes_on_when_its_request_goes_away() {
    let mut drill = Drill::new(40, Survives::Nothing);
    let file = drill.backups.join("broker.age");
    let lock = drill.lock();
    let elsewhere = drill.elsewhere.clone();
    drill.world.life(async |broker| {
        renew(broker, &mut Dice::new(40), u64::from(LOGINS)).await;
        back_up(broker, &file, lock, &elsewhere).await;
    });
    drill.loses_and_restores(&file);
    let rests = |broker: &SimBroker| (1..=LOGINS).map(|number| broker.state(&name(number))).collect::<Vec<_>>();
    let in_memory = drill.world.life(async |broker| {
        {
            let by = administrator();
            let mut request = pin!(broker.registrar.promote(&by, PromoteRequest::default()));
            let first = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
            assert!(first.is_pending());
        }
        let is_promoted = |broker: &SimBroker| !broker.degraded().contains(&"fenced".to_owned());
        assert!(broker.pass_until(MINUTE, is_promoted).await, "{:?}", broker.degraded());
        rests(broker)
    });
    assert!(in_memory.iter().all(|state| *state == State::Quarantine(Quarantine::Restored)), "{in_memory:?}");
    drill.world.life(async |broker| assert_eq!(rests(broker), in_memory, "memory and database agree"));
}

//! A world: a provider, a clock, and a broker that lives in it several times over, killed after each life.

use std::fs;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use fake_provider::{EntryId, Settings, TokenRef};
use scorpiox_broker::activity::Activity;
use scorpiox_broker::domain::permission::Policy;
use scorpiox_broker::domain::rotation::State;
use scorpiox_broker::failpoint::Point;
use scorpiox_wire::Secret;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::broker::{SimBroker, Surroundings};
use super::clock::SimClock;
use super::disk;
use super::enrolment;
use super::points::Deed;
use super::provider::SimProvider;
use super::rest::Rest;

/// Name of the credential that [`World::with_login`] has.
pub const MAIN: &str = "main";

/// A world.
pub struct World {
    /// Moves only when told.
    pub clock: SimClock,
    /// The provider, which outlives the broker's lives.
    pub provider: Arc<SimProvider>,
    /// The key of the client that [`World::with_login`] has.
    pub key: Secret,
    /// How many rescue slots a life has.
    pub slots: usize,
    /// The times that an administrator may set.
    pub policy: Policy,
    /// The high-water mark and a second directory of slots, when they are on another volume than the data.
    pub elsewhere: Option<PathBuf>,
    /// Answers that a kill took before they were in a slot (matrix R4).
    pub lost_before_rescue: usize,
    root: TempDir,
    lives: usize,
    data: PathBuf,
    perhaps_lost: Vec<EntryId>,
}

impl World {
    /// A world without logins, on a memory-backed disk.
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self::on(&disk::in_memory(), settings, seed)
    }

    /// A world on this disk.
    ///
    /// # Panics
    /// When nothing can be written there.
    pub fn on(place: &Path, settings: Settings, seed: u64) -> Self {
        let root = tempfile::Builder::new().prefix("scorpiox-sim-").tempdir_in(place).expect("a directory can be made");
        let data = root.path().join("life-0");
        let clock = SimClock::default();
        let provider = SimProvider::new(clock.clone(), settings, seed);
        let world = Self {
            clock,
            provider,
            key: Secret::new(""),
            slots: 3,
            policy: Policy::default(),
            elsewhere: None,
            lost_before_rescue: 0,
            root,
            lives: 0,
            data,
            perhaps_lost: Vec::new(),
        };
        fs::create_dir_all(world.data.join("rescue")).expect("a directory can be made");
        world
    }

    /// A world with one login, `main`, and one client, whose key is [`World::key`].
    pub fn with_login() -> Self {
        Self::with_login_of(Settings::default())
    }

    /// The same at a provider that behaves like this.
    pub fn with_login_of(settings: Settings) -> Self {
        let mut world = Self::new(settings, 1);
        world.begin_with_login();
        world
    }

    /// Puts in the login `main` and its client.
    ///
    /// # Panics
    /// When the broker does not take them.
    pub fn begin_with_login(&mut self) {
        self.key = self.life(async |broker| {
            broker.login(MAIN, 1).await.expect("a login is taken");
            broker.client("laptop", MAIN).await.expect("a client is made")
        });
    }

    /// Puts the login of account `number` straight into the database, under an id that is the same each time: so a
    /// schedule can be replayed.
    ///
    /// # Panics
    /// When the database does not take it.
    pub fn put_in(&mut self, name: &str, number: u32) {
        let tokens = {
            let now = self.clock.truth();
            self.provider.oracle().login(&fake_provider::Account::numbered(number), now)
        };
        let credential = enrolment::credential(name, number, &tokens, self.clock.truth());
        between_lives(enrolment::insert(&self.data.join("broker.db"), &credential));
    }

    /// Lives once. When the story ends, the broker is killed: what is on the disk at that moment is all that is left.
    ///
    /// # Panics
    /// When the broker does not start.
    pub fn life<T>(&mut self, story: impl AsyncFnOnce(&SimBroker) -> T) -> T {
        self.try_life(story).expect("the broker starts")
    }

    /// The same for a broker that may refuse to start.
    pub fn try_life<T>(&mut self, story: impl AsyncFnOnce(&SimBroker) -> T) -> anyhow::Result<T> {
        self.clock.reboot();
        let activity = Activity::default();
        let rest = Rest::new(activity.clone());
        let runtime = runtime(&rest);
        let around = self.surroundings();
        let next = self.next_data();
        let told = runtime.block_on(async {
            let broker = SimBroker::start(around, activity, rest).await?;
            self.find_what_was_lost(&broker);
            let told = story(&broker).await;
            copy(&self.data, &next);
            anyhow::Ok(told)
        });
        drop(runtime);
        self.perhaps_lost = self.provider.end_life();
        let told = told?;
        self.move_to(next);
        Ok(told)
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            clock: self.clock.clone(),
            provider: Arc::clone(&self.provider),
            data: self.data.clone(),
            slots: self.slots,
            policy: self.policy,
            mark: self.elsewhere.as_ref().map(|elsewhere| elsewhere.join("high-water")),
            second_slots: self.elsewhere.as_ref().map(|elsewhere| elsewhere.join("rescue")),
        }
    }

    fn next_data(&self) -> PathBuf {
        self.root.path().join(format!("life-{}", self.lives + 1))
    }

    fn move_to(&mut self, next: PathBuf) {
        self.lives += 1;
        let last = std::mem::replace(&mut self.data, next);
        // Threads of the last life may still be closing its files; what they leave goes with the world.
        let _ = fs::remove_dir_all(last);
    }

    /// A start that is killed before it is done, after it has waited so often for the disk. May come too late: then the
    /// broker has started, and is killed at once.
    ///
    /// # Panics
    /// When the start fails instead.
    pub fn killed_while_starting(&mut self, waits: usize) {
        self.clock.reboot();
        let activity = Activity::default();
        let rest = Rest::new(activity.clone());
        let runtime = runtime(&rest);
        let around = self.surroundings();
        let next = self.next_data();
        // A start that waits for its database is no broker at rest: only the count ends it.
        let _starting = activity.begin();
        runtime.block_on(async {
            let mut start = pin!(SimBroker::start(around, activity, Arc::clone(&rest)));
            let started = tokio::select! {
                biased;
                started = &mut start => Some(started.expect("the broker starts")),
                () = rest.come_after(waits) => None,
            };
            // Before anything of it is dropped: who is killed does not close a database, which would empty its log.
            copy(&self.data, &next);
            drop(started);
        });
        drop(runtime);
        // The answers that the last life may have lost are still to be looked for.
        self.provider.end_life();
        self.move_to(next);
    }

    /// A life in which `main` is to be renewed, and that ends with a kill at this point.
    pub fn killed_at(&mut self, point: Point) {
        self.life(async |broker| {
            // A token no longer-lived than the one before would count as a weak grant.
            broker.pass(Duration::from_secs(60)).await;
            broker.points.plan(point, Deed::Park);
            broker.renew(MAIN).expect("a rotation may begin");
            broker.parks_at(point).await;
        });
    }

    /// Between lives: the database takes everything again.
    pub fn database_recovers(&self) {
        between_lives(disk::accept_writes(&self.data.join("broker.db")));
    }

    /// Between lives: somebody changes the database. Its log is empty afterwards.
    pub fn alter_database(&self, statement: &str) {
        between_lives(disk::execute(&self.data.join("broker.db"), statement));
    }

    /// Between lives: one bit of a sealed cell flips.
    pub fn flip_bit(&self, column: &str, name: &str) {
        between_lives(disk::flip_bit(&self.data.join("broker.db"), column, name));
    }

    /// Between lives: the log goes into the database, as SQLite does now and then.
    pub fn checkpoint(&self) {
        self.alter_database("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// Where the write-ahead log is.
    pub fn log_file(&self) -> PathBuf {
        self.data.join("broker.db-wal")
    }

    /// Where the high-water mark is.
    pub fn mark_file(&self) -> PathBuf {
        self.data.join("high-water")
    }

    /// Puts a copy that [`World::backup`] made in the place of the data directory, or of one file in it.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn restore(&self, backup: &Path, file: Option<&str>) {
        match file {
            Some(file) => drop(fs::copy(backup.join(file), self.data.join(file)).expect("a file can be copied")),
            None => {
                fs::remove_dir_all(&self.data).expect("the directory can be removed");
                copy(backup, &self.data);
            }
        }
    }

    /// The directory from which the next life starts: its files may be changed between lives.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A place beside the data directory, on another volume so to speak.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A copy of the directory, to be put back later.
    pub fn backup(&self, name: &str) -> PathBuf {
        let backup = self.root.path().join(name);
        copy(&self.data, &backup);
        backup
    }

    /// How many refresh tokens the provider has been presented.
    pub fn posts(&self) -> usize {
        self.provider.oracle().refresh_count()
    }

    /// Lets the provider's log speak.
    ///
    /// # Panics
    /// When the broker did what a careful one would not have done.
    pub fn judge(&self) {
        let violations = self.provider.violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }

    /// An answer that was in memory only when the broker was killed is lost, unless its next life has it after all.
    fn find_what_was_lost(&mut self, broker: &SimBroker) {
        for id in std::mem::take(&mut self.perhaps_lost) {
            let presented = {
                let oracle = self.provider.oracle();
                oracle.log().iter().find(|entry| entry.id == id).and_then(|entry| entry.refresh_token.clone())
            };
            let Some(TokenRef::Issued(serial)) = presented else { continue };
            let token = self.provider.oracle().tokens(serial).and_then(|tokens| tokens.refresh_token.clone());
            let still_there = broker.rotator.parts().holdings.all().iter().any(|holding| {
                let credential = holding.desk().credential.clone();
                let ended = matches!(credential.rotation.state, State::Reauth(_));
                let current = credential.tokens.map(|tokens| tokens.refresh_token.expose().to_owned());
                !ended && current == token
            });
            if still_there {
                self.provider.mark_lost(id);
                self.lost_before_rescue += 1;
            }
        }
    }
}

fn between_lives(work: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime can be made");
    runtime.block_on(work);
}

fn runtime(rest: &Arc<Rest>) -> Runtime {
    let watched = Arc::clone(rest);
    Builder::new_current_thread()
        .enable_time()
        .on_thread_park(move || watched.about_to_park())
        .build()
        .expect("a runtime can be made")
}

/// Byte for byte, as a machine that stops leaves it: at one moment. A thread of SQLite's that is writing meanwhile may
/// append to the log or move it into the database; a copy that saw both halves of that is no machine's state, and is
/// taken again.
fn copy(from: &Path, to: &Path) {
    let log = |directory: &Path| fs::read(directory.join("broker.db-wal")).ok();
    loop {
        copy_once(from, to);
        if log(from) == log(to) {
            return;
        }
        fs::remove_dir_all(to).expect("what was copied can be removed");
    }
}

fn copy_once(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory can be made");
    let mut entries: Vec<_> = fs::read_dir(from)
        .expect("the data directory can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    // What is under way at this moment has happened or not, each for itself. The mark first: a mark that is late is what
    // a wrong order of effects would trust in. The log before the database, because it may go there.
    entries.sort_by_cached_key(|path| {
        let name = path.to_string_lossy().into_owned();
        (!name.ends_with("high-water"), !name.ends_with("-wal"), name)
    });
    for entry in entries {
        let target = to.join(entry.file_name().expect("an entry has a name"));
        if entry.is_dir() {
            copy_once(&entry, &target);
        } else if !entry.to_string_lossy().ends_with("-shm") {
            // A file that is being replaced at this moment has gone: its successor has another name already.
            if let Err(error) = fs::copy(&entry, &target) {
                assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", entry.display());
            }
        }
    }
}

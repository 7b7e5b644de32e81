use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;

use scorpiox_wire::Secret;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::BackupError;
use super::collect::{Collection, Sealed};
use super::envelope::{Lock, Opener};
use super::marker::Restored;
use super::unpack::{check, restore};
use crate::activity::Activity;
use crate::clock::Timestamp;
use crate::domain::fingerprint::Fingerprint;
use crate::key_file::{self, Kind};
use crate::key_ring::KeyRing;
use crate::key_source::KeySource;
use crate::master_key;
use crate::provider::RawAnswer;
use crate::rescue::{RescueSlots, Rescued};
use crate::seal::MasterKey;
use crate::spool::Spool;
use crate::store::Store;
use crate::store::administrators::SessionKey;
use crate::vault::{Places, Vault};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// A data directory as a broker has it, without the broker.
struct Bench {
    place: tempfile::TempDir,
    identity: age::x25519::Identity,
    activity: Activity,
    /// One backup at a time.
    working: Arc<Mutex<()>>,
}

impl Bench {
    fn new() -> Self {
        let (place, identity) = (tempfile::tempdir().unwrap(), age::x25519::Identity::generate());
        let bench = Self { place, identity, activity: Activity::default(), working: Arc::default() };
        for directory in ["data", "data/rescue", "data/tls"] {
            fs::create_dir(bench.path(directory)).unwrap();
        }
        fs::write(bench.path("data/identity"), "scorpiox-broker-1 i k p\n").unwrap();
        fs::write(bench.path("data/tls/key.pem"), "the key that clients pin").unwrap();
        key_file::create(
            &bench.path("data/pepper.key"),
            Kind::Pepper,
            &Zeroizing::new(*b"\x80a pepper of thirty-two bytes..."),
        )
        .unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn key(&self) -> MasterKey {
        MasterKey::from_bytes(*b"\x80a master key of thirty-two byte")
    }

    fn vault(&self) -> Vault {
        let data = self.path("data");
        let source = KeySource::File(data.join("master.key"));
        let places = Places { pepper_file: data.join("pepper.key"), data, source };
        Vault::new(places, None, self.key().key_id(), KeyRing::alone(self.key()))
    }

    async fn backup(&self, lock: Lock) -> Result<Sealed, BackupError> {
        let vault = self.vault();
        let database = self.path("data/broker.db");
        let (store, _) = Store::open(&database, vault.sealer().clone(), "i", self.activity.clone()).await.unwrap();
        let working = Arc::clone(&self.working).lock_owned().await;
        let sealed = Collection {
            store: &store,
            vault: &vault,
            slots: vec![self.path("data/rescue")],
            activity: &self.activity,
            instance: "i".to_owned(),
            now: NOW,
        }
        .seal(lock, working)
        .await;
        store.close().await;
        sealed
    }

    fn to_us(&self) -> Lock {
        Lock::to(&[self.identity.to_public().to_string()]).unwrap()
    }

    fn opener(&self) -> Opener {
        use age::secrecy::ExposeSecret as _;
        Opener::Identities(Secret::new(self.identity.to_string().expose_secret()))
    }

    /// A backup as a file that outlives the broker's workshop.
    async fn file(&self) -> PathBuf {
        let sealed = self.backup(self.to_us()).await.unwrap();
        let path = self.path("backup.age");
        fs::copy(sealed.path(), &path).unwrap();
        path
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_is_whole_and_comes_back_as_it_was() {
    let bench = Bench::new();
    let file = bench.file().await;
    let manifest = check(&file, &bench.opener()).unwrap();
    let members: Vec<_> = manifest.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(members, ["broker.db", "tls/key.pem", "identity", "master.key", "pepper.key"]);
    assert_eq!((manifest.taken_at, manifest.key_id), (NOW.as_unix(), bench.key().key_id().to_string()));

    let back = bench.path("back");
    restore(&file, &bench.opener(), &back).unwrap();
    assert_eq!(names(&back), ["broker.db", "identity", "master.key", "pepper.key", "restored", "tls"]);
    assert_eq!(master_key::load(&back.join("master.key"), None).unwrap().key_id(), bench.key().key_id());
    assert_eq!(fs::read(back.join("pepper.key")).unwrap(), fs::read(bench.path("data/pepper.key")).unwrap());
    assert_eq!(Restored::read(&back).unwrap().unwrap().backup.instance, "i");
    Store::open(&back.join("broker.db"), bench.vault().sealer().clone(), "x", Activity::default()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_the_making_of_a_backup() {
    let bench = Bench::new();
    let before = {
        drop(bench.backup(bench.to_us()).await.unwrap());
        names(&bench.path("data"))
    };
    assert!(!before.contains(&"backup.new".to_owned()), "{before:?}");
    fs::create_dir(bench.path("data/backup.new")).unwrap();
    fs::write(bench.path("data/backup.new/sealed"), "of a backup that was killed").unwrap();
    let sealed = bench.backup(bench.to_us()).await.unwrap();
    assert_eq!(fs::metadata(sealed.path()).unwrap().len(), sealed.size);
    fs::remove_file(bench.path("data/identity")).unwrap();
    drop(sealed);
    assert!(bench.backup(bench.to_us()).await.is_err());
    assert!(!names(&bench.path("data")).contains(&"backup.new".to_owned()), "after a failure too");
}

#[test]
fn the_workshop_of_a_backup_that_nobody_waits_for_any_more_is_gone_before_the_next_one_begins() {
    // With one thread for what blocks, a test can hold a backup up before it writes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let bench = Bench::new();
        let (open, gate) = mpsc::channel::<()>();
        let mut gate = Some(gate);
        {
            let mut backup = pin!(bench.backup(bench.to_us()));
            poll_fn(|context| {
                assert!(backup.as_mut().poll(context).is_pending());
                match bench.activity.count() {
                    // Its slots are read, or the database is being copied.
                    1 => gate.take().map(|gate| drop(tokio::task::spawn_blocking(move || gate.recv()))),
                    // It waits for the thread.
                    2 if gate.is_none() => return Poll::Ready(()),
                    _ => None,
                };
                Poll::Pending
            })
            .await;
        }
        assert!(bench.working.try_lock().is_err(), "it is still going to write");
        drop(open);
        let _next = bench.working.lock().await;
        assert!(!bench.path("data/backup.new").exists());
    });
}

#[tokio::test]
async fn a_backup_carries_no_sessions() {
    let bench = Bench::new();
    let sealer = bench.vault().sealer().clone();
    let open = async |path: PathBuf| Store::open(&path, sealer.clone(), "i", Activity::default()).await.unwrap().0;
    let store = open(bench.path("data/broker.db")).await;
    let key = SessionKey { id: "k".to_owned(), created_at: NOW, key: Zeroizing::new([1; 32]) };
    store.add_session_key(&key, &[]).await.unwrap();
    store.close().await;
    let file = bench.file().await;
    let back = bench.path("back");
    restore(&file, &bench.opener(), &back).unwrap();
    assert!(open(back.join("broker.db")).await.session_keys().await.unwrap().is_empty());
    assert_eq!(open(bench.path("data/broker.db")).await.session_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_waits_in_slots_and_spool_is_in_it_and_what_is_empty_is_not() {
    let bench = Bench::new();
    let sealer = bench.vault().sealer().clone();
    let slots = RescueSlots::open(&bench.path("data/rescue"), None, 3, sealer.clone()).unwrap();
    let answer = RawAnswer {
        status: 200,
        retry_after: None,
        date: None,
        received_at: NOW,
        body: Zeroizing::new(b"tokens".to_vec()),
    };
    let fingerprint = Fingerprint::from_bytes([1; 16]);
    let rescued = Rescued { credential: "id".into(), epoch: 4, generation: 5, fingerprint, answer };
    slots.take().unwrap().keep(&rescued).unwrap();
    let spool = Spool::open(&bench.path("data/audit-spool"), 4096, sealer.clone()).unwrap();
    spool.append(&[b"record".to_vec()]).unwrap();

    let back = bench.path("back");
    restore(&bench.file().await, &bench.opener(), &back).unwrap();
    assert_eq!(names(&back.join("rescue")), ["slot-000"]);
    let slots = RescueSlots::open(&back.join("rescue"), None, 1, sealer.clone()).unwrap();
    assert_eq!(slots.kept()[0].1, rescued);
    let spool = Spool::open(&back.join("audit-spool"), 4096, sealer).unwrap();
    assert_eq!(spool.drain().unwrap().records, [b"record"]);
}

#[tokio::test]
async fn a_backup_that_was_changed_anywhere_is_noticed() {
    let bench = Bench::new();
    let file = bench.file().await;
    let whole = fs::read(&file).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        fs::write(&file, &changed).unwrap();
        assert!(check(&file, &bench.opener()).is_err(), "{at}");
    }
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    assert!(check(&file, &bench.opener()).is_err());
}

#[tokio::test]
async fn half_a_restore_is_no_broker() {
    let bench = Bench::new();
    let file = bench.file().await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 2000]).unwrap();
    let back = bench.path("back");
    assert!(restore(&file, &bench.opener(), &back).is_err());
    let error = Restored::read(&back).unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    fs::write(&file, whole).unwrap();
    let again = restore(&file, &bench.opener(), &back).unwrap_err();
    assert!(again.to_string().contains("not empty"), "{again}");
}

#[tokio::test]
async fn a_directory_that_is_not_empty_is_left_as_it_is() {
    let bench = Bench::new();
    let file = bench.file().await;
    let before = names(&bench.path("data"));
    assert!(restore(&file, &bench.opener(), &bench.path("data")).is_err());
    assert_eq!(names(&bench.path("data")), before);
    let stranger = age::x25519::Identity::generate();
    let opener = {
        use age::secrecy::ExposeSecret as _;
        Opener::Identities(Secret::new(stranger.to_string().expose_secret()))
    };
    assert!(restore(&file, &opener, &bench.path("back")).is_err());
    assert!(names(&bench.path("back")).is_empty(), "nothing of it was written");
}

#[tokio::test]
async fn a_backup_shows_nothing_of_what_is_in_it() {
    let bench = Bench::new();
    let bytes = fs::read(bench.file().await).unwrap();
    for canary in [b"scorpiox-master-key".as_slice(), b"SQLite format 3", b"clients pin", b"manifest"] {
        assert!(!bytes.windows(canary.len()).any(|part| part == canary));
    }
}

#[test]
fn a_promoted_directory_was_not_restored() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(Restored::read(place.path()).unwrap(), None);
    let manifest = super::manifest::Manifest {
        format: 1,
        version: String::new(),
        instance: "i".into(),
        taken_at: 7,
        key_id: String::new(),
        credentials: Vec::new(),
        members: Vec::new(),
    };
    Restored::complete(place.path(), &manifest).unwrap();
    let restored = Restored::read(place.path()).unwrap().unwrap();
    restored.forget().unwrap();
    restored.forget().unwrap();
    assert_eq!(Restored::read(place.path()).unwrap(), None);
}

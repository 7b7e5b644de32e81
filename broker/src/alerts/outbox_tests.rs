use std::path::Path;
use std::sync::Arc;

use sqlx::ConnectOptions;

use super::*;
use crate::activity::Activity;
use crate::alerts::program::Program;
use crate::alerts::queue::LONGEST;
use crate::clock::SharedClock;
use crate::domain::alarm::{Key, What};
use crate::provider::hand_clock::HandClock;
use crate::seal::{MasterKey, Sealer};

struct Scene {
    directory: tempfile::TempDir,
    clock: HandClock,
    store: Store,
}

impl Scene {
    async fn set() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let (store, _) =
            Store::open(&directory.path().join("broker.db"), sealer, "i", Activity::default()).await.unwrap();
        Self { directory, clock: HandClock::default(), store }
    }

    fn told(&self) -> std::path::PathBuf {
        self.directory.path().join("told")
    }

    /// Tells a program that writes down what it is told.
    async fn outbox(&self) -> Outbox {
        let script = format!("cat >> {}", self.told().display());
        let program = Program::new(&["/bin/sh".to_owned(), "-c".to_owned(), script]).unwrap();
        let timeline = Timeline::new(Arc::new(self.clock.clone()) as SharedClock);
        let meters = AlertMeters::default();
        Outbox::open(vec![Sink::Program(program)], self.store.clone(), timeline, meters, "u".into()).await.unwrap()
    }
}

fn conditions(what: What, count: usize) -> Vec<Condition> {
    let condition =
        |number| Condition { key: Key { what, subject: format!("s{number}") }, reason: "r".to_owned(), next: None };
    (0..count).map(condition).collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test]
async fn nothing_is_told_before_the_database_was_given_it() {
    let scene = Scene::set().await;
    let outbox = scene.outbox().await;
    outbox.see(&conditions(What::Reauth, 1));
    let mut delivery = std::pin::pin!(outbox.deliver(0));
    tokio::select! {
        biased;
        _ = &mut delivery => panic!("it was told: {}", text(&scene.told())),
        () = tokio::task::yield_now() => {}
    }
    outbox.save().await;
    let (_, waiting) = scene.store.alarms().await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(delivery.await, None);
    assert!(text(&scene.told()).contains("reauth"));
    let (memory, waiting) = scene.store.alarms().await.unwrap();
    assert_eq!((memory.0.len(), waiting.len()), (1, 0));
}

#[tokio::test]
async fn a_database_that_takes_too_long_does_not_keep_an_alert_back() {
    let scene = Scene::set().await;
    let outbox = scene.outbox().await;
    outbox.see(&conditions(What::SaveFailing, 1));
    let time = async {
        // Once the delivery waits.
        tokio::task::yield_now().await;
        scene.clock.advance(LONGEST_SAVE);
    };
    tokio::join!(outbox.deliver(0), time);
    assert!(text(&scene.told()).contains("save_failing"));
}

#[tokio::test]
async fn a_mass_event_pushes_nothing_urgent_out() {
    let scene = Scene::set().await;
    let outbox = scene.outbox().await;
    let mut seen = conditions(What::Fenced, 1);
    seen.extend(conditions(What::Quarantine, LONGEST + 50));
    seen.extend(conditions(What::ClientEnds, LONGEST + 50));
    outbox.see(&seen);
    outbox.save().await;
    let (memory, waiting) = scene.store.alarms().await.unwrap();
    assert_eq!(memory.0.len(), seen.len(), "all count as told");
    assert_eq!(waiting.len(), 1 + 11 + 11);
    assert!(waiting[0].1.body.contains("fenced"));
}

#[tokio::test]
async fn what_the_database_did_not_take_is_written_the_next_time() {
    let scene = Scene::set().await;
    let outbox = scene.outbox().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(scene.directory.path().join("broker.db"));
    let mut intruder = options.connect().await.unwrap();
    sqlx::query("ALTER TABLE alarms RENAME TO gone").execute(&mut intruder).await.unwrap();
    outbox.see(&conditions(What::Reauth, 1));
    outbox.save().await;
    sqlx::query("ALTER TABLE gone RENAME TO alarms").execute(&mut intruder).await.unwrap();
    outbox.save().await;
    let (memory, waiting) = scene.store.alarms().await.unwrap();
    assert_eq!((memory.0.len(), waiting.len()), (1, 1));
}

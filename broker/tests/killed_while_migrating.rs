//! A process that is killed in the middle of a migration, for each migration there is.
//!
//! The test starts itself once more. That process performs the migrations before one, and that one with an endless query
//! behind its own statements, so that it can be killed when all of them have been performed and nothing is committed.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scorpiox_broker::activity::Activity;
use scorpiox_broker::seal::{MasterKey, Sealer};
use scorpiox_broker::store::Store;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Row};

const DATABASE: &str = "SCORPIOX_TEST_DATABASE";
const MIGRATIONS: &str = "SCORPIOX_TEST_MIGRATIONS";
const ENDLESS: &str =
    "\nWITH RECURSIVE forever (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM forever) SELECT count(*) FROM forever;\n";
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
const LOOKS: usize = 4_000;

#[test]
fn whatever_migration_is_cut_short_by_a_kill_the_next_start_completes_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let (Ok(database), Ok(migrations)) = (std::env::var(DATABASE), std::env::var(MIGRATIONS)) {
        return runtime.block_on(migrate(Path::new(&database), Path::new(&migrations)));
    }
    runtime.block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let fresh = directory.path().join("fresh.db");
        open(&fresh).await;
        let expected = schema(&fresh).await;
        let all = all_migrations();
        assert_eq!(expected.applied, all.len());
        for last in 0..all.len() {
            let database = directory.path().join(format!("{last}.db"));
            let migrations = directory.path().join(format!("until-{last}"));
            write_until(&all, last, &migrations);
            let mut child = start(&database, &migrations);
            wait_until_inside(&mut child, &database, last).await;
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(schema(&database).await.applied, last, "nothing of it is there: {}", all[last].0);
            open(&database).await;
            assert_eq!(schema(&database).await, expected, "{}", all[last].0);
        }
    });
}

/// Names and texts, in their order.
fn all_migrations() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut all: Vec<_> = files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
        .filter(|(name, _)| name.ends_with(".sql"))
        .collect();
    all.sort();
    all
}

fn write_until(all: &[(String, String)], last: usize, directory: &Path) {
    fs::create_dir(directory).unwrap();
    for (number, (name, text)) in all.iter().enumerate().take(last + 1) {
        let text = if number == last { format!("{text}{ENDLESS}") } else { text.clone() };
        fs::write(directory.join(name), text).unwrap();
    }
}

fn start(database: &Path, migrations: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "whatever_migration_is_cut_short_by_a_kill_the_next_start_completes_it"])
        .env(DATABASE, database)
        .env(MIGRATIONS, migrations)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The other process: it does not end by itself.
async fn migrate(database: &Path, migrations: &Path) {
    let mut connection = options(database).create_if_missing(true).connect().await.unwrap();
    Migrator::new(migrations).await.unwrap().run(&mut connection).await.unwrap();
}

/// All before it are committed, and somebody has the write lock: that is the one which does not end.
async fn wait_until_inside(child: &mut Child, database: &Path, last: usize) {
    for _ in 0..LOOKS {
        std::thread::sleep(BETWEEN_LOOKS);
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        if !database.exists() {
            continue;
        }
        let Ok(mut connection) = options(database).busy_timeout(Duration::ZERO).connect().await else { continue };
        let is_locked = sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.is_err();
        if is_locked && applied(&mut connection).await == last {
            return;
        }
    }
    panic!("migration {last} never began");
}

async fn open(database: &Path) {
    let sealer = Sealer::new(&MasterKey::from_bytes([1; 32]));
    let (store, _) = Store::open(database, sealer, "0123456789abcdef", Activity::default()).await.unwrap();
    store.close().await;
}

#[derive(Debug, PartialEq)]
struct Schema {
    applied: usize,
    objects: Vec<(String, String)>,
}

async fn schema(database: &Path) -> Schema {
    let mut connection = options(database).connect().await.unwrap();
    let applied = applied(&mut connection).await;
    let rows = sqlx::query("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name");
    let rows = rows.fetch_all(&mut connection).await.unwrap();
    Schema { applied, objects: rows.iter().map(|row| (row.get(0), row.get(1))).collect() }
}

async fn applied(connection: &mut SqliteConnection) -> usize {
    let row = sqlx::query("SELECT count(*) FROM _sqlx_migrations WHERE success").fetch_one(connection).await;
    row.map_or(0, |row| usize::try_from(row.get::<i64, _>(0)).unwrap())
}

fn options(database: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(database)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(20))
}

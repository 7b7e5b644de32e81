use std::time::Duration;

use super::*;
use crate::activity::Activity;
use crate::domain::client::KeyMac;
use crate::domain::credential::{Credential, CredentialId, Name, Owner, Pause};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::limits::ClientTerms;
use crate::domain::rotation::Rotation;
use crate::domain::token_set::TokenSet;
use crate::gate::Caller;
use crate::seal::{MasterKey, Sealer};

const NOW: Timestamp = Timestamp::from_unix(1_000_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A database with one client, and its stand-ins.
struct House {
    stand_ins: StandIns,
    store: Store,
    client: Client,
    gate: Gate,
    _directory: tempfile::TempDir,
}

fn pepper() -> Pepper {
    Pepper::from_bytes(&[7; 32])
}

fn given(generation: u64) -> Given {
    Given { credential: "4k2j9x0c7m1d".into(), generation }
}

async fn house() -> House {
    let directory = tempfile::tempdir().unwrap();
    let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
    let path = directory.path().join("broker.db");
    let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
    let client = Client {
        id: ClientId::from_stored("c1".into()),
        name: Name::parse("laptop").unwrap(),
        created_at: NOW,
        revoked_at: None,
        key_id: "7f3k9q2m1c0d".into(),
        key_mac: KeyMac::from_bytes([1; 32]),
    };
    let credential = credential();
    store.insert_credential(&credential, NOW).await.unwrap();
    store.insert_client(&client, &ClientTerms::default(), &credential.id).await.unwrap();
    let gate = Gate::new(pepper(), [Caller::new(client.clone(), ClientTerms::default(), None)]);
    let stand_ins = StandIns::load(store.clone(), pepper(), &gate).await.unwrap();
    House { stand_ins, store, client, gate, _directory: directory }
}

fn credential() -> Credential {
    let tokens = TokenSet {
        access_token: Secret::new("eyJ.at.x"),
        refresh_token: Secret::new("rt_1"),
        id_token: None,
        fingerprint: Fingerprint::from_bytes([1; 16]),
        expires_at: NOW + DAY,
        obtained_at: NOW,
        earliest_refresh_at: None,
    };
    Credential {
        id: CredentialId::from_stored("4k2j9x0c7m1d".into()),
        name: Name::parse("main").unwrap(),
        owner: Owner { account_id: "6f0c1a2b".into(), user_id: None },
        email: None,
        plan_type: None,
        created_at: NOW,
        pause: Pause::None,
        rotation: Rotation::begun(1, 0),
        tokens: Some(tokens),
    }
}

impl House {
    async fn begin(&self) -> (Arc<Family>, Secret) {
        self.stand_ins.begin(&self.client, Purpose::AuthFile, given(1), NOW).await.unwrap()
    }
}

#[tokio::test]
async fn one_is_recognised_whole_or_not_at_all() {
    let house = house().await;
    let (family, first) = house.begin().await;
    let (recognised, number) = house.stand_ins.recognise(first.expose()).unwrap();
    assert_eq!((&recognised.id, number), (&family.id, 1));
    let text = first.expose();
    for forged in [text.replace("_1_", "_2_"), format!("{}AAA", &text[..text.len() - 3]), "rt_1".to_owned()] {
        assert_eq!(house.stand_ins.recognise(&forged).map(drop), Err(Unknown), "{forged}");
    }
}

#[tokio::test]
async fn what_was_told_is_on_the_disk() {
    let house = house().await;
    let (family, first) = house.begin().await;
    let second = house.stand_ins.advance(&family, 1, given(2), NOW + DAY).await.unwrap();
    assert_ne!(second, first);
    let again = StandIns::load(house.store.clone(), pepper(), &house.gate).await.unwrap();
    let (loaded, number) = again.recognise(second.expose()).unwrap();
    assert_eq!((number, loaded.admit(2, NOW + DAY)), (2, Ok(Some(given(2)))));
    assert_eq!(again.advance(&loaded, 1, given(2), NOW + DAY).await, Ok(second), "the same for who comes late");
}

#[tokio::test]
async fn one_that_cannot_be_written_down_stays_as_it_is() {
    let house = house().await;
    let (family, first) = house.begin().await;
    house.store.close().await;
    let told = house.stand_ins.advance(&family, 1, given(2), NOW + DAY).await;
    assert_eq!(told, Ok(first));
    assert_eq!(family.admit(1, NOW + DAY), Ok(Some(given(1))));
}

#[tokio::test]
async fn an_end_holds_at_once_even_when_the_database_does_not_take_it_and_is_told_once() {
    let house = house().await;
    let (family, first) = house.begin().await;
    house.store.close().await;
    assert!(house.stand_ins.end(&family).await);
    assert!(!house.stand_ins.end(&family).await);
    assert_eq!(house.stand_ins.recognise(first.expose()).map(drop), Err(Unknown));
    assert_eq!(house.stand_ins.advance(&family, 1, given(2), NOW).await, Err(Dead::Unknown(Unknown)));
}

#[tokio::test]
async fn an_end_that_the_database_did_not_take_is_written_down_later() {
    let house = house().await;
    let (family, _) = house.begin().await;
    let directory = house._directory.path();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(directory.join("broker.db"));
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let mut run = async |sql: &'static str| sqlx::query(sql).execute(&mut other).await.unwrap();
    run("CREATE TRIGGER full BEFORE DELETE ON stand_ins BEGIN SELECT RAISE(ABORT, 'full'); END").await;
    assert!(house.stand_ins.end(&family).await);
    assert_eq!(house.store.stand_ins().await.unwrap().len(), 1);
    run("DROP TRIGGER full").await;
    house.stand_ins.settle().await;
    assert_eq!(house.store.stand_ins().await.unwrap(), []);
    assert_eq!(*house.stand_ins.owed(), []);
}

#[tokio::test]
async fn of_many_that_begin_at_once_none_is_beyond_the_limit() {
    let house = house().await;
    futures_util::future::join_all((0..PER_CLIENT + 4).map(|_| house.begin())).await;
    assert_eq!((house.stand_ins.count(), house.store.stand_ins().await.unwrap().len()), (PER_CLIENT, PER_CLIENT));
}

#[tokio::test]
async fn a_client_with_another_key_has_none_after_a_start() {
    let house = house().await;
    house.begin().await;
    let same = StandIns::load(house.store.clone(), pepper(), &house.gate).await.unwrap();
    assert_eq!(same.count(), 1);
    house.gate.shut_out(&house.client.key_id);
    let none = StandIns::load(house.store.clone(), pepper(), &house.gate).await.unwrap();
    assert_eq!((none.count(), house.store.stand_ins().await.unwrap().len()), (0, 0));
}

//! S1: cells that were changed or moved. Only the credential they belong to is set aside.

use scorpiox_broker::domain::rotation::{Quarantine, State};
use scorpiox_broker::holding::Outcome;
use scorpiox_broker::issuer::Refused;
use scorpiox_tests::sim::{MAIN, World};

const DAMAGED: State = State::Quarantine(Quarantine::Damaged);

/// A world with `main` and `other`, and then this.
fn altered(statement: &str) -> World {
    let mut world = World::with_login();
    world.life(async |broker| drop(broker.login("other", 2).await.unwrap()));
    world.alter_database(statement);
    world
}

#[test]
fn s1_a_changed_or_moved_cell_sets_only_its_own_credential_aside() {
    let from_other = |column: &str| {
        format!(
            "UPDATE credentials SET {column} = (SELECT {column} FROM credentials WHERE name = 'other') \
             WHERE name = 'main'"
        )
    };
    let statements = [
        "UPDATE credentials SET access_token_sealed = substr(access_token_sealed, 1, 100) WHERE name = 'main'".into(),
        "UPDATE credentials SET refresh_token_sealed = zeroblob(200) WHERE name = 'main'".into(),
        from_other("access_token_sealed"),
        from_other("refresh_token_sealed"),
        from_other("id_token_sealed"),
        from_other("fingerprint"),
        "UPDATE credentials SET access_token_sealed = refresh_token_sealed WHERE name = 'main'".into(),
        "UPDATE credentials SET generation = generation + 1 WHERE name = 'main'".into(),
    ];
    for statement in statements {
        let mut world = altered(&statement);
        let key = world.key.clone();
        world.life(async |broker| {
            assert_eq!(broker.state(MAIN), DAMAGED, "{statement}");
            assert!(matches!(broker.fetch(&key).await, Err(Refused::Quarantined(_))), "{statement}");
            broker.pass(std::time::Duration::from_secs(60)).await;
            assert_eq!(broker.renewed("other").await, Outcome::Renewed(2), "{statement}: the other one is well");
        });
        world.life(async |broker| {
            assert_eq!(broker.state(MAIN), DAMAGED, "{statement}: also after another start");
            broker.login(MAIN, 1).await.unwrap();
            assert!(broker.fetch(&key).await.is_ok(), "{statement}: a login heals it");
        });
        assert_eq!(world.posts(), 1, "{statement}");
        world.judge();
    }
}

#[test]
fn s1_one_flipped_bit_in_any_sealed_cell_is_noticed() {
    for column in ["access_token_sealed", "refresh_token_sealed", "id_token_sealed"] {
        let mut world = World::with_login();
        world.life(async |broker| drop(broker.login("other", 2).await.unwrap()));
        world.flip_bit(column, MAIN);
        world.life(async |broker| {
            assert_eq!(broker.state(MAIN), DAMAGED, "{column}");
            assert!(broker.is_idle("other"), "{column}");
        });
    }
}

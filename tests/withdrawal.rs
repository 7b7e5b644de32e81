//! What is taken away while a request waits is not handed out any more (H5).

use scorpiox_broker::clock::Timestamp;
use scorpiox_broker::domain::admission::Denied;
use scorpiox_broker::domain::credential::Pause;
use scorpiox_broker::domain::limits::ClientTerms;
use scorpiox_broker::issuer::{Ask, Refused};
use scorpiox_tests::sim::{MAIN, SimBroker, World};
use scorpiox_wire::Secret;

/// Takes something away.
type Withdrawal = fn(&SimBroker, &Secret);

fn revoked(broker: &SimBroker, key: &Secret) {
    let caller = broker.gate.recognise(key.expose()).unwrap();
    broker.gate.shut_out(&caller.client.key_id);
}

fn paused(broker: &SimBroker, key: &Secret) {
    let caller = broker.gate.recognise(key.expose()).unwrap();
    caller.terms.store(ClientTerms { paused_at: Some(Timestamp::from_unix(1)), ..ClientTerms::default() }.into());
}

fn credential_paused(broker: &SimBroker, _: &Secret) {
    let holding = broker.holding(MAIN);
    holding.desk().credential.pause = Pause::All;
    holding.publish();
}

#[test]
fn h5_who_loses_it_while_the_first_hand_out_is_written_down_gets_no_token() {
    let cases: [(Withdrawal, Refused); 3] = [
        (revoked, Refused::Revoked),
        (paused, Refused::Denied(Denied::Paused)),
        (credential_paused, Refused::Paused(MAIN.to_owned())),
    ];
    for (withdraw, expected) in cases {
        let mut world = World::with_login();
        let key = world.key.clone();
        world.life(async |broker| {
            broker.rest().await;
            let request = broker.ask(&key, Ask::default());
            // It waits for the audit, whose line is on its way to the disk.
            broker.go_on(1).await;
            assert!(!request.is_finished());
            withdraw(broker, &key);
            assert_eq!(broker.answered(request).await.unwrap_err(), expected);
        });
        world.judge();
    }
}

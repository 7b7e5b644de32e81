//! What is taken away while a request waits is not handed out any more (H5): at whichever of its waits that happens.
#![expect(clippy::async_yields_async, reason = "a request that has begun is looked at before it has its answer")]

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::sync::Arc;

use scorpiox_broker::clock::Timestamp;
use scorpiox_broker::domain::admission::Denied;
use scorpiox_broker::domain::credential::Pause;
use scorpiox_broker::domain::limits::ClientTerms;
use scorpiox_broker::domain::stand_in::Purpose;
use scorpiox_broker::gate::Caller;
use scorpiox_broker::issuer::{Ask, Origin, Refused};
use scorpiox_broker::oauth::OAuth;
use scorpiox_broker::oauth::renewal::Reason;
use scorpiox_broker::oauth::sign_in;
use scorpiox_tests::sim::{MAIN, SimBroker, World};
use scorpiox_wire::Secret;
use tokio::task::JoinHandle;

const HERE: Origin<'static> =
    Origin { request_id: "r", address: Some(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST)), agent: "sim" };

/// Takes something away from a client.
type Withdrawal = fn(&SimBroker, &Caller);

fn revoked(broker: &SimBroker, caller: &Caller) {
    broker.gate.shut_out(&caller.client.key_id);
}

fn paused(_: &SimBroker, caller: &Caller) {
    caller.terms.store(ClientTerms { paused_at: Some(Timestamp::from_unix(1)), ..ClientTerms::default() }.into());
}

fn credential_paused(broker: &SimBroker, _: &Caller) {
    let holding = broker.holding(MAIN);
    holding.desk().credential.pause = Pause::All;
    holding.publish();
}

/// So often must an answer be there already before it counts as reached: how often the disk is waited for depends on the
/// machine.
const REACHED: usize = 3;

/// Begins a request, lets it come to its first wait, its second one, and so on, takes something away there, and holds the
/// answer against what was taken. A world for each.
fn at_each_wait<T, E>(
    begin: impl AsyncFn(&SimBroker, &Arc<Caller>) -> JoinHandle<Result<T, E>>,
    refused: fn(Refused) -> E,
) where
    T: Send + 'static,
    E: Debug + PartialEq + Send + 'static,
{
    let cases: [(Withdrawal, Refused); 3] = [
        (revoked, Refused::Revoked),
        (paused, Refused::Denied(Denied::Paused)),
        (credential_paused, Refused::Paused(MAIN.to_owned())),
    ];
    let mut met = 0;
    for (withdraw, expected) in cases {
        let (mut waits, mut reached) = (0, 0);
        while reached < REACHED {
            waits += 1;
            let mut world = World::with_login();
            let key = world.key.clone();
            let was_waiting = world.life(async |broker| {
                let caller = broker.gate.recognise(key.expose()).unwrap();
                broker.rest().await;
                let request = begin(broker, &caller).await;
                broker.go_on(waits).await;
                if request.is_finished() {
                    return false;
                }
                withdraw(broker, &caller);
                assert!(broker.pass_until(std::time::Duration::from_secs(60), |_| request.is_finished()).await);
                assert_eq!(request.await.unwrap().err(), Some(refused(expected.clone())), "at wait {waits}");
                true
            });
            if was_waiting { met += 1 } else { reached += 1 }
        }
    }
    assert!(met > 0, "it never waits");
}

#[test]
fn h5_for_a_token() {
    at_each_wait(
        async |broker, caller| {
            let (issuer, caller) = (Arc::clone(&broker.issuer), Arc::clone(caller));
            tokio::spawn(async move { issuer.hand_out(&caller, &Ask::default(), HERE).await })
        },
        |refused| refused,
    );
}

#[test]
fn h5_for_a_token_with_a_stand_in() {
    at_each_wait(
        async |broker, caller| {
            let (oauth, caller) = (broker.oauth().await, Arc::clone(caller));
            tokio::spawn(async move { oauth.sign_in(&caller, Purpose::AuthFile, HERE).await })
        },
        sign_in::Denied::Refused,
    );
}

#[test]
fn h5_for_one_who_comes_back_with_a_stand_in() {
    at_each_wait(
        async |broker, caller| {
            let oauth: Arc<OAuth> = broker.oauth().await;
            let begun = oauth.sign_in(caller, Purpose::AuthFile, HERE).await.unwrap();
            let stand_in: Secret = begun.stand_in;
            tokio::spawn(async move { oauth.renew(stand_in.expose(), Reason::Ending, HERE).await })
        },
        sign_in::Denied::Refused,
    );
}

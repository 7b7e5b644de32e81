//! Starts that do not come to their end, one after another, over the same slots.

use std::time::Duration;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::*;
use crate::activity::Activity;
use crate::domain::answer::{Identity, TokenGrant};
use crate::domain::credential::{Name, Owner, Pause};
use crate::domain::token_set::TokenSet;
use crate::provider::{Connection, Later, RawAnswer, Unsent};
use crate::seal::MasterKey;

const NOW: Timestamp = Timestamp::from_unix(1_000_000);
const ID: &str = "4k2j";

/// Every answer is a grant, and its body is the refresh token that it brings.
struct Granting;

impl Provider for Granting {
    fn dial(&self) -> Later<'_, Result<Box<dyn Connection>, Unsent>> {
        Box::pin(async { Err(Unsent("nobody dials".into())) })
    }

    fn classify(&self, answer: &RawAnswer) -> Verdict {
        Verdict::Granted(Box::new(TokenGrant {
            access_token: Secret::new("at"),
            refresh_token: Some(Secret::new(String::from_utf8(answer.body.to_vec()).unwrap())),
            id_token: None,
            expires_at: NOW + Duration::from_secs(7200),
            earliest_refresh_at: None,
            identity: Identity { account_id: Some("acc".into()), ..Identity::default() },
        }))
    }
}

struct Disk {
    directory: tempfile::TempDir,
    store: Store,
    sealer: Sealer,
}

impl Disk {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, sealer.clone(), "i", Activity::default()).await.unwrap();
        Self { directory, store, sealer }
    }

    fn slots(&self) -> RescueSlots {
        RescueSlots::open(self.directory.path(), None, 4, self.sealer.clone()).unwrap()
    }

    async fn log_in(&self, generation: u64, token: &str) {
        let refresh_token = Secret::new(token);
        let credential = Credential {
            id: CredentialId::from_stored(ID.into()),
            name: Name::parse("main").unwrap(),
            owner: Owner { account_id: "acc".into(), user_id: None },
            email: None,
            plan_type: None,
            created_at: NOW,
            pause: Pause::None,
            rotation: Rotation::begun(generation, 1),
            tokens: Some(TokenSet {
                access_token: Secret::new("at"),
                fingerprint: self.sealer.fingerprint(&refresh_token),
                refresh_token,
                id_token: None,
                expires_at: NOW + Duration::from_secs(3600),
                obtained_at: NOW,
                earliest_refresh_at: None,
            }),
        };
        self.store.insert_credential(&credential, NOW).await.unwrap();
    }

    /// An answer to `presented` that brought `brought`, left in a slot under the epoch of its generation.
    fn leave(&self, slots: &RescueSlots, generation: u64, presented: &str, brought: &str) {
        let answer = RawAnswer {
            status: 200,
            retry_after: None,
            date: None,
            received_at: NOW,
            body: Zeroizing::new(brought.as_bytes().to_vec()),
        };
        let fingerprint = self.sealer.fingerprint(&Secret::new(presented));
        let rescued = Rescued { credential: ID.into(), epoch: generation, generation, fingerprint, answer };
        slots.take().unwrap().keep(&rescued).unwrap();
    }

    /// A start that reaches the mark and finds its volume missing: no slot is cleared.
    async fn start_without_mark(&self) {
        let (slots, policy) = (self.slots(), Policy::default());
        let recovery = Recovery {
            store: &self.store,
            provider: &Granting,
            slots: &slots,
            sealer: &self.sealer,
            policy: &policy,
            now: NOW,
        };
        let error = recovery.run(|_| Err(std::io::Error::other("not mounted"))).await.err().unwrap();
        assert_eq!(error.to_string(), "not mounted");
        assert!(!self.slots().kept().is_empty(), "the slots still have it");
    }

    async fn kept(&self) -> u64 {
        self.store.kept_answers(&CredentialId::from_stored(ID.into())).await.unwrap()
    }
}

#[tokio::test]
async fn starts_that_fail_at_the_mark_keep_a_late_answer_once() {
    let disk = Disk::new().await;
    disk.log_in(3, "login").await;
    disk.leave(&disk.slots(), 1, "rt1", "rt2");
    for _ in 0..3 {
        disk.start_without_mark().await;
        assert_eq!(disk.kept().await, 1);
    }
}

#[tokio::test]
async fn starts_that_fail_at_the_mark_keep_the_answer_of_a_removed_credential_once() {
    let disk = Disk::new().await;
    disk.leave(&disk.slots(), 1, "rt1", "rt2");
    for _ in 0..3 {
        disk.start_without_mark().await;
        assert_eq!(disk.kept().await, 1);
    }
}

#[tokio::test]
async fn another_answer_under_the_same_epoch_is_kept_too() {
    let disk = Disk::new().await;
    let slots = disk.slots();
    disk.leave(&slots, 1, "rt1", "rt2");
    disk.leave(&slots, 1, "rt1", "rt2 of another life");
    disk.start_without_mark().await;
    assert_eq!(disk.kept().await, 2);
}

#[tokio::test]
async fn two_answers_that_an_unfinished_start_settled_are_not_late_for_the_next_one() {
    let disk = Disk::new().await;
    disk.log_in(1, "rt1").await;
    let slots = disk.slots();
    disk.leave(&slots, 1, "rt1", "rt2");
    disk.leave(&slots, 2, "rt2", "rt3");
    for _ in 0..2 {
        disk.start_without_mark().await;
        assert_eq!(disk.store.credentials().await.unwrap()[0].credential.rotation.generation, 3);
        assert_eq!(disk.kept().await, 0);
    }
}

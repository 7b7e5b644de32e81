//! Logins that are in the database before the first life, with ids that are the same each time.

use std::path::Path;

use fake_provider::Tokens;
use scorpiox_broker::activity::Activity;
use scorpiox_broker::clock::Timestamp;
use scorpiox_broker::domain::credential::{Credential, CredentialId, Name, Owner, Pause};
use scorpiox_broker::domain::rotation::Rotation;
use scorpiox_broker::domain::token_set::TokenSet;
use scorpiox_broker::seal::{MasterKey, Sealer};
use scorpiox_broker::store::Store;
use scorpiox_wire::Secret;

use super::broker::{INSTANCE, MASTER_KEY};

fn sealer() -> Sealer {
    Sealer::new(&MasterKey::from_bytes(MASTER_KEY))
}

/// A login as an import would make it.
pub(super) fn credential(name: &str, number: u32, tokens: &Tokens, now: i64) -> Credential {
    let refresh_token = Secret::new(tokens.refresh_token.clone().expect("a login has a refresh token"));
    let account = &tokens.account;
    Credential {
        id: CredentialId::from_stored(format!("credential{number:02}")),
        name: Name::parse(name).expect("a well-formed name"),
        owner: Owner { account_id: account.account_id.clone(), user_id: Some(account.user_id.clone()) },
        email: Some(account.email.clone()),
        plan_type: Some(account.plan_type.clone()),
        created_at: Timestamp::from_unix(now),
        pause: Pause::None,
        rotation: Rotation::begun(1, 0),
        tokens: Some(TokenSet {
            access_token: Secret::new(tokens.access_token.clone()),
            fingerprint: sealer().fingerprint(&refresh_token),
            refresh_token,
            id_token: Some(Secret::new(tokens.id_token.clone())),
            expires_at: Timestamp::from_unix(tokens.expires_at),
            obtained_at: Timestamp::from_unix(now),
            earliest_refresh_at: None,
        }),
    }
}

/// Makes the database if need be, and puts the credential in.
pub(super) async fn insert(database: &Path, credential: &Credential) {
    let (store, _) = Store::open(database, sealer(), INSTANCE, Activity::default()).await.expect("the database opens");
    store.insert_credential(credential, credential.created_at).await.expect("a credential is taken");
    store.close().await;
}

//! A data directory with a login and many clients, made once and then served by the broker that is measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_provider::{FakeProvider, Settings};
use scorpiox_broker::activity::Activity;
use scorpiox_broker::clock::Timestamp;
use scorpiox_broker::domain::client::{Client, ClientId, KeyMac};
use scorpiox_broker::domain::credential::{Credential, CredentialId, Name, Owner, Pause};
use scorpiox_broker::domain::limits::ClientTerms;
use scorpiox_broker::domain::rotation::Rotation;
use scorpiox_broker::domain::token_set::TokenSet;
use scorpiox_broker::master_key::{self, Pepper};
use scorpiox_broker::seal::Sealer;
use scorpiox_broker::store::Store;
use scorpiox_wire::{ClientKey, Secret};
use tempfile::TempDir;

use crate::broker::{Setup, Transport};
use crate::clock;

/// A provider, a data directory with one of its logins, and the keys of the clients in it.
pub(crate) struct Team {
    pub(crate) provider: FakeProvider,
    pub(crate) keys: Vec<String>,
    directory: TempDir,
}

impl Team {
    /// With so many clients of one login.
    pub(crate) fn of(clients: usize) -> anyhow::Result<Self> {
        Self::with(clients, 1)
    }

    /// With so many clients, spread over so many logins.
    pub(crate) fn with(clients: usize, credentials: usize) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let mut team = Self { provider: FakeProvider::start(Settings::default()), keys: Vec::new(), directory };
        let broker = team.setup(Transport::Https)?.start()?;
        let credential = broker.import(&team.provider)?.id;
        broker.process.stop()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        team.keys =
            runtime.block_on(enlist(&team.data(), CredentialId::from_stored(credential), clients, credentials))?;
        Ok(team)
    }

    /// A broker over this directory.
    pub(crate) fn setup(&self, transport: Transport) -> anyhow::Result<Setup> {
        Setup::new(&self.data(), &self.provider, transport)
    }

    /// Room for files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("broker")
    }
}

/// Writes clients into the database while no broker has it open: through the administration each would cost a look at
/// all the others.
async fn enlist(data: &Path, first: CredentialId, clients: usize, credentials: usize) -> anyhow::Result<Vec<String>> {
    let sealer = Sealer::new(&master_key::load(&data.join("master.key"), None)?);
    let pepper = Pepper::load(&data.join("pepper.key"), None)?;
    let (store, _) = Store::open(&data.join("broker.db"), sealer.clone(), "", Activity::default()).await?;
    let mut logins = vec![first];
    for number in 1..credentials {
        let credential = login(&sealer, number)?;
        store.insert_credential(&credential, credential.created_at).await?;
        logins.push(credential.id);
    }
    let mut keys = Vec::with_capacity(clients);
    for number in 0..clients {
        let key_id = format!("{number:012}");
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()));
        let key = ClientKey::compose(&key_id, &secret).context("a key")?;
        let client = Client {
            id: ClientId::from_random(random()),
            name: Name::parse(&format!("client-{number}"))?,
            created_at: Timestamp::from_unix(clock::unix()),
            revoked_at: None,
            key_id,
            key_mac: KeyMac::from_bytes(pepper.mac(key.expose())),
        };
        store.insert_client(&client, &ClientTerms::default(), &logins[number % logins.len()]).await?;
        keys.push(key.expose().to_owned());
    }
    store.close().await;
    Ok(keys)
}

/// A login whose token lasts longer than any benchmark.
fn login(sealer: &Sealer, number: usize) -> anyhow::Result<Credential> {
    let now = Timestamp::from_unix(clock::unix());
    let refresh_token = Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()));
    let tokens = TokenSet {
        access_token: Secret::new(URL_SAFE_NO_PAD.encode(random::<768>())),
        fingerprint: sealer.fingerprint(&refresh_token),
        refresh_token,
        id_token: None,
        expires_at: now + Duration::from_secs(10 * 24 * 3600),
        obtained_at: now,
        earliest_refresh_at: None,
    };
    Ok(Credential {
        id: CredentialId::from_random(random()),
        name: Name::parse(&format!("login-{number}"))?,
        owner: Owner { account_id: format!("account-{number}"), user_id: None },
        email: None,
        plan_type: Some("team".to_owned()),
        created_at: now,
        pause: Pause::None,
        rotation: Rotation::begun(1, 0),
        tokens: Some(tokens),
    })
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the machine has a random source");
    bytes
}

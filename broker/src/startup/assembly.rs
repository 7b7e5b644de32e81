//! The parts of a broker, in dependency order, from a locked directory to something that can serve.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinHandle;

use super::directory::{Directory, Keys, database};
use crate::activity::Activity;
use crate::administrators::Administrators;
use crate::anchorer::{Anchorer, Pace};
use crate::anchors::Anchors;
use crate::auditor::Auditor;
use crate::backup::marker::Restored;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::domain::permission::Policy;
use crate::failpoint::Failpoints;
use crate::fence::Fence;
use crate::gate::{Caller, Gate};
use crate::holding::Holdings;
use crate::metrics::Meters;
use crate::oauth::stand_ins::StandIns;
use crate::provider::dial::{self, Agent, Dialer, Egress};
use crate::provider::{CodexProvider, OAuthServer};
use crate::recovery::Recovery;
use crate::rescue::RescueSlots;
use crate::rotator::{Parts, Rotator};
use crate::spool::Spool;
use crate::store::Store;
use crate::timeline::Timeline;
use crate::vault::{Places, Vault};

/// What can serve.
pub(super) struct Assembly {
    pub(super) rotator: Arc<Rotator>,
    pub(super) gate: Arc<Gate>,
    pub(super) stand_ins: Arc<StandIns>,
    pub(super) administrators: Arc<Administrators>,
    pub(super) auditor: Auditor,
    pub(super) audit_writer: JoinHandle<()>,
    pub(super) anchors: Arc<Anchors>,
    pub(super) anchor_writer: JoinHandle<()>,
    pub(super) provider: CodexProvider,
    pub(super) store: Store,
    pub(super) timeline: Timeline,
    pub(super) vault: Arc<Vault>,
}

/// Puts the parts together. Nothing is served yet; what was interrupted is settled.
pub(super) async fn assemble(config: &Config, directory: &Directory, keys: Keys) -> anyhow::Result<Assembly> {
    let activity = Activity::default();
    let timeline = Timeline::new(Arc::new(SystemClock));
    let places = Places { data: config.data.clone(), pepper_file: config.pepper_file(), source: keys.source };
    let vault = Arc::new(Vault::new(places, keys.passphrase, keys.given, keys.ring));
    let sealer = vault.sealer().clone();
    let provider = provider(config)?;
    // The database checks the key before anything is written, slots and spool included.
    let (store, instance) =
        Store::open(&database(&config.data), sealer.clone(), &directory.instance, activity.clone()).await?;
    let rotation = &config.rotation;
    let slots = RescueSlots::open(
        &config.rescue_directory(),
        rotation.rescue_second_directory.as_deref(),
        rotation.rescue_slots,
        sealer.clone(),
    )
    .context("cannot prepare the rescue slots")?;
    let spool_bytes = usize::try_from(config.audit.spool_bytes).context("audit.spool_bytes is too large")?;
    let spool = Spool::open(&config.data.join("audit-spool"), spool_bytes, sealer.clone())?;
    let policy = Policy {
        renew_at_fraction: rotation.renew_at_fraction,
        quiet_time: rotation.quiet_time,
        minimum_token_age: rotation.minimum_token_age,
        ..Policy::default()
    };
    let recovery = Recovery {
        store: &store,
        provider: &provider,
        slots: &slots,
        sealer: &sealer,
        policy: &policy,
        now: timeline.now(),
    };
    let mark = config.high_water_file();
    let restored = Restored::read(&config.data)?;
    let recovered = recovery
        .run(|is_new| Fence::open(&mark, &instance, sealer.clone(), activity.clone(), is_new, restored))
        .await
        .context("cannot bring back what was here before")?;
    let holdings = Arc::new(recovered.holdings);
    let meters = Meters::default();
    let administrators = Administrators::open(
        store.clone(),
        keys.pepper.clone(),
        timeline.clone(),
        activity.clone(),
        meters.passwords.clone(),
    );
    let administrators = administrators.await.context("cannot read the administrators")?;
    let gate = Arc::new(Gate::new(keys.pepper.clone(), callers(&store, &holdings).await?));
    let stand_ins = Arc::new(StandIns::load(store.clone(), keys.pepper, &gate).await?);
    let (auditor, audit_writer) =
        Auditor::start(store.clone(), spool, recovered.fence.clone(), timeline.clone(), activity.clone());
    recovered.aftermath.note(&auditor, timeline.now());
    let anchors = Arc::new(Anchors::at(&config.anchor_file(), &instance, sealer.clone()));
    let anchorer = Anchorer {
        anchors: Arc::clone(&anchors),
        store: store.clone(),
        timeline: timeline.clone(),
        activity: activity.clone(),
        pace: Pace { entries: config.audit.anchor_entries, span: config.audit.anchor_interval },
    };
    let anchor_writer = tokio::spawn(anchorer.run(auditor.newest()));
    let rotator = Rotator::new(Parts {
        store: store.clone(),
        provider: Arc::new(provider.clone()),
        slots,
        fence: recovered.fence,
        auditor: auditor.clone(),
        timeline: timeline.clone(),
        sealer,
        policy,
        holdings,
        activity,
        meters,
        failpoints: Failpoints::from_environment()?,
    });
    Ok(Assembly {
        rotator,
        gate,
        stand_ins,
        administrators,
        auditor,
        audit_writer,
        anchors,
        anchor_writer,
        provider,
        store,
        timeline,
        vault,
    })
}

/// The clients that are not revoked, with what they may have.
async fn callers(store: &Store, holdings: &Holdings) -> anyhow::Result<Vec<Arc<Caller>>> {
    let rows = store.clients().await?;
    let good = rows.into_iter().filter(|row| row.client.revoked_at.is_none());
    Ok(good.map(|row| Caller::new(row.client, row.terms, row.credential.and_then(|id| holdings.get(&id)))).collect())
}

/// The provider as configured; what the configuration leaves open, the usual variables say.
fn provider(config: &Config) -> anyhow::Result<CodexProvider> {
    let environment: HashMap<String, String> = std::env::vars().collect();
    let variable = |names: &[&str]| {
        names.iter().find_map(|name| environment.get(*name).filter(|value| !value.is_empty())).map(String::as_str)
    };
    let written = &config.provider;
    let trusted = variable(&["SSL_CERT_FILE"]).map(std::path::Path::new);
    let tls = dial::trust(written.ca_file.as_deref(), trusted)?;
    let proxy =
        written.proxy.as_ref().map(|proxy| proxy.expose()).or_else(|| variable(&["HTTPS_PROXY", "https_proxy"]));
    let egress = Egress::parse(proxy, variable(&["NO_PROXY", "no_proxy"]))?;
    Ok(CodexProvider {
        dialer: Dialer::new(Arc::new(SystemClock), tls, egress),
        server: OAuthServer::at(&written.issuer, &written.client_id)?,
        agent: Agent::new(dial::ORIGINATOR, &written.codex_version)?,
    })
}

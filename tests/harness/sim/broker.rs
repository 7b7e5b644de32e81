//! One life of a broker: the real parts over a data directory, and the verbs in which stories are told.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use scorpiox_broker::activity::Activity;
use scorpiox_broker::administrators::Administrators;
use scorpiox_broker::auditor::Auditor;
use scorpiox_broker::backup::marker::Restored;
use scorpiox_broker::clock::SharedClock;
use scorpiox_broker::domain::credential::Credential;
use scorpiox_broker::domain::limits::Allowance;
use scorpiox_broker::domain::permission::{Policy, Wish};
use scorpiox_broker::domain::rotation::{Resting, State};
use scorpiox_broker::domain::scope::Scopes;
use scorpiox_broker::failpoint::{Failpoints, Hook, Point};
use scorpiox_broker::fence::Fence;
use scorpiox_broker::gate::{Caller, Gate};
use scorpiox_broker::holding::{Flight, Holding, Outcome};
use scorpiox_broker::issuer::{Ask, Handed, Issuer, Origin, Refused, Terms};
use scorpiox_broker::metrics::Meters;
use scorpiox_broker::oauth::OAuth;
use scorpiox_broker::oauth::stand_ins::StandIns;
use scorpiox_broker::provider::dial::{self, Agent, Dialer, Egress};
use scorpiox_broker::provider::{CodexProvider, OAuthServer, Provider};
use scorpiox_broker::recovery::Recovery;
use scorpiox_broker::registrar::{Administrator, Facade, Noted, Registrar};
use scorpiox_broker::rescue::RescueSlots;
use scorpiox_broker::rotator::{NotNow, Parts, Rotator};
use scorpiox_broker::scheduler;
use scorpiox_broker::seal::{MasterKey, Sealer};
use scorpiox_broker::spool::Spool;
use scorpiox_broker::store::Store;
use scorpiox_broker::timeline::Timeline;
use scorpiox_wire::admin::{ClientLimits, ClientRequest, CredentialView, ImportRequest};
use scorpiox_wire::{Problem, Secret, TokenTag};
use tokio::task::JoinHandle;

use super::clock::SimClock;
use super::disk;
use super::points::Points;
use super::provider::{Handle, SimProvider};
use super::records::Records;
use super::rest::Rest;

/// How long a request waits for a renewal.
pub const REQUEST_WAIT: Duration = Duration::from_secs(20);
/// The master key of every world.
pub const MASTER_KEY: [u8; 32] = [7; 32];
const PEPPER: [u8; 32] = [9; 32];
pub(super) const INSTANCE: &str = "00112233445566aa";
const SPOOL_BYTES: usize = 32 * 1024;

/// What a life is made from.
pub(super) struct Surroundings {
    pub(super) clock: SimClock,
    pub(super) provider: Arc<SimProvider>,
    pub(super) data: PathBuf,
    pub(super) slots: usize,
    pub(super) policy: Policy,
    /// The high-water mark, when it is not in the data directory.
    pub(super) mark: Option<PathBuf>,
    /// A second directory of rescue slots.
    pub(super) second_slots: Option<PathBuf>,
}

/// A broker that lives.
pub struct SimBroker {
    /// Moves only when told.
    pub clock: SimClock,
    /// The judge, and what goes wrong on the way to it.
    pub provider: Arc<SimProvider>,
    /// What happens at failpoints.
    pub points: Arc<Points>,
    /// Renews.
    pub rotator: Arc<Rotator>,
    /// Hands out.
    pub issuer: Arc<Issuer>,
    /// Recognises keys.
    pub gate: Arc<Gate>,
    /// The administrator's operations.
    pub registrar: Arc<Registrar>,
    /// Writes the audit.
    pub auditor: Auditor,
    /// Where its files are.
    pub data: PathBuf,
    pub(super) rest: Arc<Rest>,
}

impl SimBroker {
    pub(super) async fn start(around: Surroundings, activity: Activity, rest: Arc<Rest>) -> anyhow::Result<Self> {
        let Surroundings { clock, provider, data, slots, policy, mark, second_slots } = around;
        let sealer = Sealer::new(&MasterKey::from_bytes(MASTER_KEY));
        let timeline = Timeline::new(Arc::new(clock.clone()) as SharedClock);
        let (store, instance) =
            Store::open(&data.join("broker.db"), sealer.clone(), INSTANCE, activity.clone()).await?;
        let slots = RescueSlots::open(&data.join("rescue"), second_slots.as_deref(), slots, sealer.clone())?;
        let spool = Spool::open(&data.join("audit-spool"), SPOOL_BYTES, sealer.clone())?;
        let handle = Handle(Arc::clone(&provider));
        let (policy, now) = (policy, timeline.now());
        let recovery =
            Recovery { store: &store, provider: &handle, slots: &slots, sealer: &sealer, policy: &policy, now };
        let mark = mark.unwrap_or_else(|| data.join("high-water"));
        let restored = Restored::read(&data)?;
        let recovered = recovery
            .run(|is_new| Fence::open(&mark, &instance, sealer.clone(), activity.clone(), is_new, restored))
            .await?;
        let holdings = Arc::new(recovered.holdings);
        let rows = store.clients().await?.into_iter().filter(|row| row.client.revoked_at.is_none());
        let callers =
            rows.map(|row| Caller::new(row.client, row.terms, row.credential.and_then(|id| holdings.get(&id))));
        let gate = Arc::new(Gate::new(scorpiox_broker::master_key::Pepper::from_bytes(&PEPPER), callers));
        let (auditor, _) =
            Auditor::start(store.clone(), spool, recovered.fence.clone(), timeline.clone(), activity.clone());
        recovered.aftermath.note(&auditor, timeline.now());
        let meters = Meters::default();
        let pepper = scorpiox_broker::master_key::Pepper::from_bytes(&PEPPER);
        let administrators =
            Administrators::open(store.clone(), pepper, timeline.clone(), activity.clone(), meters.passwords.clone());
        let administrators = administrators.await.expect("the administrators can be read");
        let points = Points::new(clock.clone(), Arc::clone(&provider));
        let records =
            Records { database: data.join("broker.db"), mark, sealer: sealer.clone(), activity: activity.clone() };
        provider.begin_life(records);
        let rotator = Rotator::new(Parts {
            store,
            provider: Arc::new(handle) as Arc<dyn Provider>,
            slots,
            fence: recovered.fence,
            auditor: auditor.clone(),
            timeline: timeline.clone(),
            sealer,
            policy,
            holdings,
            activity,
            meters,
            failpoints: Failpoints::with(Arc::clone(&points) as Arc<dyn Hook>),
        });
        let terms =
            Terms { wait: REQUEST_WAIT, revalidate_after: Duration::from_secs(300), allowance: Allowance::default() };
        let issuer = Arc::new(Issuer::new(Arc::clone(&rotator), auditor.clone(), terms));
        let registrar = Registrar::new(
            Arc::clone(&rotator),
            Arc::clone(&gate),
            auditor.clone(),
            nobody_to_log_in_at(),
            administrators,
            facade(&timeline),
        );
        drop(tokio::spawn(scheduler::run(Arc::clone(&rotator))));
        Ok(Self { clock, provider, points, rotator, issuer, gate, registrar, auditor, data, rest })
    }

    /// Waits until nothing can go on by itself: everything that can happen now has happened.
    pub async fn rest(&self) {
        self.rest.come().await;
    }

    /// Goes on for a moment, and stops in the middle of things: after so many times that everything waits for the disk, or
    /// when it rests.
    pub async fn go_on(&self, waits: usize) {
        self.rest.come_after(waits).await;
    }

    /// Time passes, and whoever sleeps wakes in order.
    pub async fn pass(&self, span: Duration) {
        let end = self.clock.elapsed() + span;
        loop {
            self.rest().await;
            let left = end.saturating_sub(self.clock.elapsed());
            match self.clock.until_next_sleeper() {
                Some(until) if until <= left => self.clock.advance(until),
                Some(_) | None => {
                    self.clock.advance(left);
                    break;
                }
            }
        }
        self.rest().await;
    }

    /// Time passes until `happened`, at most `longest`; whether it did.
    pub async fn pass_until(&self, longest: Duration, mut happened: impl FnMut(&Self) -> bool) -> bool {
        let end = self.clock.elapsed() + longest;
        loop {
            self.rest().await;
            if happened(self) {
                return true;
            }
            let left = end.saturating_sub(self.clock.elapsed());
            if left.is_zero() {
                return false;
            }
            self.clock.advance(self.clock.until_next_sleeper().unwrap_or(left).min(left));
        }
    }

    /// Waits until a rotation is parked at this point.
    ///
    /// # Panics
    /// When none comes there within a minute.
    pub async fn parks_at(&self, point: Point) {
        let parked = self.pass_until(Duration::from_secs(60), |broker| broker.points.parked().contains(&point)).await;
        assert!(parked, "a rotation reaches {}", point.name());
    }

    /// The credential of this name in memory.
    ///
    /// # Panics
    /// When there is none.
    pub fn holding(&self, name: &str) -> Arc<Holding> {
        self.rotator.parts().holdings.named(name).unwrap_or_else(|| panic!("there is a credential '{name}'"))
    }

    /// The newest state of a credential.
    pub fn credential(&self, name: &str) -> Credential {
        self.holding(name).desk().credential.clone()
    }

    /// Its generation.
    pub fn generation(&self, name: &str) -> u64 {
        self.credential(name).rotation.generation
    }

    /// Where its rotation stands.
    pub fn state(&self, name: &str) -> State {
        self.credential(name).rotation.state
    }

    /// Whether it is in doubt.
    pub fn is_in_doubt(&self, name: &str) -> bool {
        matches!(self.state(name), State::Resting(Resting::InDoubt(_)))
    }

    /// Whether nothing is wrong with it and nothing is under way.
    pub fn is_idle(&self, name: &str) -> bool {
        matches!(self.state(name), State::Resting(Resting::Idle(_)))
    }

    /// Begins a rotation.
    pub fn renew(&self, name: &str) -> Result<Flight, NotNow> {
        self.rotator.renew(&self.holding(name), Wish::Operator)
    }

    /// Begins a probe, as an administrator may.
    pub fn probe(&self, name: &str) -> Result<Flight, NotNow> {
        self.rotator.renew(&self.holding(name), Wish::OperatorProbe)
    }

    /// Renews and waits for the outcome while time passes.
    ///
    /// # Panics
    /// When no rotation may begin, or it does not end within two minutes.
    pub async fn renewed(&self, name: &str) -> Outcome {
        let flight = self.renew(name).expect("a rotation may begin");
        self.landed(flight).await
    }

    /// The outcome of a rotation that is under way.
    ///
    /// # Panics
    /// When it does not end within two minutes.
    pub async fn landed(&self, flight: Flight) -> Outcome {
        let decided = self.pass_until(Duration::from_secs(120), |_| flight.borrow().is_some()).await;
        assert!(decided, "the rotation ends");
        let outcome = flight.borrow().clone();
        outcome.expect("it was decided")
    }

    /// A client begins to ask for a token.
    pub fn ask(&self, key: &Secret, ask: Ask) -> JoinHandle<Result<Handed, Refused>> {
        let caller = self.gate.recognise(key.expose());
        let issuer = Arc::clone(&self.issuer);
        tokio::spawn(async move {
            let origin = Origin { request_id: "r", address: Some(std::net::Ipv4Addr::LOCALHOST.into()), agent: "sim" };
            let caller = caller.map_err(|_| Refused::Revoked)?;
            issuer.hand_out(&caller, &ask, origin).await
        })
    }

    /// Tokens together with stand-ins, for clients that need a refresh token.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub async fn oauth(&self) -> Arc<OAuth> {
        let (store, timeline) = (self.rotator.parts().store.clone(), self.rotator.parts().timeline.clone());
        let pepper = scorpiox_broker::master_key::Pepper::from_bytes(&PEPPER);
        let stand_ins = StandIns::load(store, pepper, &self.gate).await.expect("stand-ins can be read");
        let (gate, issuer) = (Arc::clone(&self.gate), Arc::clone(&self.issuer));
        Arc::new(OAuth::new(gate, issuer, Arc::new(stand_ins), self.auditor.clone(), timeline))
    }

    /// A client asks for a token, and time passes until it has an answer.
    pub async fn fetch(&self, key: &Secret) -> Result<Token, Refused> {
        self.answered(self.ask(key, Ask::default())).await
    }

    /// A client says that the provider refused the token of this generation.
    pub async fn refuse(&self, key: &Secret, name: &str, generation: u64) -> Result<Token, Refused> {
        let credential = self.holding(name).id().as_str().to_owned();
        let ask = Ask { refused: Some(TokenTag { credential, generation }), known: None, ..Ask::default() };
        self.answered(self.ask(key, ask)).await
    }

    /// The answer of a request that has begun.
    ///
    /// # Panics
    /// When it has none within two minutes.
    pub async fn answered(&self, request: JoinHandle<Result<Handed, Refused>>) -> Result<Token, Refused> {
        let answered = self.pass_until(Duration::from_secs(120), |_| request.is_finished()).await;
        assert!(answered, "a request is answered");
        match request.await.expect("a request does not panic")? {
            Handed::Token(handout) => {
                let answer = handout.answer();
                Ok(Token {
                    access_token: answer.access_token.expose().to_owned(),
                    generation: answer.generation,
                    expires_at: answer.expires_at,
                    renewable: answer.renewable,
                })
            }
            Handed::Unchanged(tag) => panic!("nobody said that it had {tag}"),
        }
    }

    /// A person logs in at the provider as account `number`, and the login is put in under `name`.
    pub async fn login(&self, name: &str, number: u32) -> Result<CredentialView, Problem> {
        let tokens = {
            let now = self.clock.truth();
            self.provider.oracle().login(&fake_provider::Account::numbered(number), now)
        };
        let request = ImportRequest {
            name: name.to_owned(),
            access_token: Secret::new(tokens.access_token),
            refresh_token: Secret::new(tokens.refresh_token.unwrap_or_default()),
            id_token: Secret::new(tokens.id_token),
            account_id: tokens.account.account_id,
            replace_account: false,
        };
        self.registrar.import(&administrator(), &request).await
    }

    /// A new client of a credential; its key.
    pub async fn client(&self, name: &str, credential: &str) -> Result<Secret, Problem> {
        let request =
            ClientRequest { name: name.to_owned(), credential: credential.to_owned(), limits: ClientLimits::default() };
        self.registrar.create_client(&administrator(), &request).await.map(|issued| issued.key)
    }

    /// The database refuses to write these tables.
    pub async fn database_refuses(&self, tables: &[&str]) {
        disk::refuse_writes(&self.data.join("broker.db"), tables).await;
    }

    /// The database takes everything again.
    pub async fn database_recovers(&self) {
        disk::accept_writes(&self.data.join("broker.db")).await;
    }

    /// What `/readyz` calls degraded.
    pub fn degraded(&self) -> Vec<String> {
        scorpiox_broker::registrar::readiness(&self.rotator, &self.auditor).degraded
    }

    /// How many answers are kept sealed beside a credential.
    ///
    /// # Panics
    /// When the database cannot be read.
    pub async fn kept_answers(&self, name: &str) -> u64 {
        let store = self.rotator.parts().store.clone();
        store.kept_answers(self.holding(name).id()).await.expect("the database can be read")
    }

    /// How many refresh tokens the provider has been presented.
    pub fn posts(&self) -> usize {
        self.provider.oracle().refresh_count()
    }
}

/// What a client was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The bearer token.
    pub access_token: String,
    /// Of which generation.
    pub generation: u64,
    /// When it ends, says the broker (Unix seconds).
    pub expires_at: i64,
    /// Whether it can be renewed.
    pub renewable: bool,
}

/// Who does what administrators do.
pub fn administrator() -> Administrator {
    Administrator {
        actor: "admin:sim".to_owned(),
        identity: "sim".to_owned(),
        request_id: "r".to_owned(),
        address: "unix".to_owned(),
        scopes: Scopes::everything(),
        session: None,
        noted: Noted::default(),
    }
}

fn facade(timeline: &Timeline) -> Facade {
    Facade {
        url: "http://127.0.0.1:0/codex".to_owned(),
        pin: None,
        certificate_ends_at: None,
        data: String::new(),
        started_at: timeline.now(),
        door: None,
    }
}

/// The registrar wants a server for interactive logins; here logins are imported.
fn nobody_to_log_in_at() -> CodexProvider {
    static PROVIDER: OnceLock<CodexProvider> = OnceLock::new();
    let made = PROVIDER.get_or_init(|| {
        let tls = dial::trust(None, None).expect("the built-in roots can be read");
        CodexProvider {
            dialer: Dialer::new(Arc::new(SimClock::default()), tls, Egress::direct()),
            server: OAuthServer::at("http://127.0.0.1:9", "sim").expect("a well-formed issuer"),
            agent: Agent::new("sim", "0.0.0").expect("a well-formed agent"),
        }
    });
    made.clone()
}

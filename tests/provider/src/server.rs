//! The provider behind a socket: starts it on a thread of its own, so that any test can use it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::account::Account;
use crate::auth_file;
use crate::fault::{Endpoint, Fault};
use crate::ledger::Tokens;
use crate::log::LogEntry;
use crate::oracle::Oracle;
use crate::script::Script;
use crate::serial::Serial;
use crate::settings::Settings;

mod control;
mod listen;
mod pieces;
mod serve;
mod shared;
mod tls;
mod wire;

pub use listen::ConnectionFault;
use shared::Shared;
pub use tls::Certificate;

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Address; port 0 takes a free one. Default `127.0.0.1:0`.
    pub address: SocketAddr,
    /// TLS with this certificate; `None`: plain HTTP.
    pub certificate: Option<Certificate>,
    /// Equal seeds give equal tokens; `None`: a seed from the operating system.
    pub seed: Option<u64>,
}

impl Default for Listening {
    fn default() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), certificate: None, seed: None }
    }
}

/// A running provider. Dropping it closes every connection.
#[derive(Debug)]
pub struct FakeProvider {
    shared: Arc<Shared>,
    address: SocketAddr,
    scheme: &'static str,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeProvider {
    /// Plain HTTP on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be had.
    pub fn start(settings: Settings) -> Self {
        Self::start_with(settings, Listening::default()).expect("a free port on loopback")
    }

    /// On a given address, with TLS if a certificate is given. It answers as soon as this returns.
    ///
    /// # Errors
    /// The address cannot be used, or the certificate cannot be read.
    pub fn start_with(settings: Settings, listening: Listening) -> io::Result<Self> {
        let acceptor = listening.certificate.as_ref().map(Certificate::acceptor).transpose()?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind(listening.address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared::new(settings, listening.seed.unwrap_or_else(system_seed)));
        let (stop, stopped) = oneshot::channel();
        let serving = listen::serve(Arc::clone(&shared), listener, acceptor);
        let thread = std::thread::Builder::new().name("fake-provider".into()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    () = serving => {}
                }
            });
        })?;
        Ok(Self { shared, address, scheme, stop: Some(stop), thread: Some(thread) })
    }

    /// The origin, without a slash at its end: `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The token endpoint.
    pub fn token_url(&self) -> String {
        format!("{}/oauth/token", self.url())
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its state. Requests wait while the guard lives.
    pub fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.shared.oracle()
    }

    /// Unix seconds on its clock.
    pub fn now(&self) -> i64 {
        self.shared.clock.now()
    }

    /// Sets how far its clock is ahead of the machine's.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.clock.set_offset_s(seconds);
    }

    /// A new login, without any ceremony.
    pub fn login(&self, account: &Account) -> Tokens {
        let now = self.now();
        self.oracle().login(account, now)
    }

    /// A new login in the shape of the stock client's `auth.json`.
    pub fn login_file(&self, account: &Account) -> Value {
        auth_file::auth_file(&self.login(account), self.now())
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.oracle().fault(fault);
    }

    /// The next so many connections fare like this.
    pub fn connection_fault(&self, fault: ConnectionFault, times: u32) {
        self.shared.fault_connections(fault, times);
    }

    /// How many connections were accepted, faulty ones included.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Adds an answer of the model.
    pub fn script(&self, script: Script) {
        self.oracle().script(script);
    }

    /// Refuses the access token of this generation from now on.
    pub fn refuse_access(&self, serial: Serial) -> bool {
        self.oracle().refuse_access(serial)
    }

    /// Everything that was received so far.
    pub fn log(&self) -> Vec<LogEntry> {
        self.oracle().log().to_vec()
    }

    /// What was received so far at one endpoint.
    pub fn log_of(&self, endpoint: Endpoint) -> Vec<LogEntry> {
        self.oracle().log().iter().filter(|entry| entry.endpoint == endpoint).cloned().collect()
    }

    /// How many redemptions were asked for so far.
    pub fn refresh_count(&self) -> usize {
        self.oracle().refresh_count()
    }

    /// What a careful client would not have done so far.
    pub fn violations(&self) -> Vec<String> {
        self.oracle().violations()
    }

    /// How many requests are held.
    pub fn held(&self) -> usize {
        self.shared.held()
    }

    /// Lets every held request go on; how many there were.
    pub fn release(&self) -> usize {
        self.shared.release(usize::MAX)
    }

    /// Waits until at least so many requests are held.
    ///
    /// # Panics
    /// After 20 seconds.
    pub fn wait_for_held(&self, count: usize) {
        assert!(
            self.shared.wait_until(PATIENCE, |_| self.held() >= count),
            "{count} held requests within {PATIENCE:?}"
        );
    }

    /// Waits until something is true of its state.
    ///
    /// # Panics
    /// After 20 seconds.
    pub fn wait_until(&self, condition: impl Fn(&Oracle) -> bool) {
        assert!(self.shared.wait_until(PATIENCE, condition), "the expected state within {PATIENCE:?}");
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed there.
            let _ = thread.join();
        }
    }
}

fn system_seed() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes");
    u64::from_le_bytes(bytes)
}

//! A broker's settings, and the process that runs with them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::admin::Admin;
use super::http::{Connection, Reply, Request};
use super::output::Collected;
use super::tls::{self, TlsStream};
use super::{binaries, patience};

/// So much of the log is shown with a test that failed.
const LINES_SHOWN: usize = 60;

/// How a broker is started. Cloned and changed, it starts another one on the same data.
#[derive(Debug, Clone)]
pub struct Plan {
    data: PathBuf,
    encrypted: bool,
    environment: BTreeMap<String, String>,
    configuration: Option<PathBuf>,
    program: Program,
}

/// What is started.
#[derive(Debug, Clone)]
enum Program {
    /// The one that was built for all tests.
    Usual,
    /// Another copy of it, run as this user.
    OfUser(PathBuf, u32),
    /// Something that becomes a broker, such as a script that first goes into another root.
    Wrapped(PathBuf),
}

impl Plan {
    /// Plain HTTP on a free port of loopback, renewing at `issuer`.
    pub fn new(data: &Path, issuer: &str) -> Self {
        let plan = Self {
            data: data.to_owned(),
            encrypted: false,
            environment: BTreeMap::new(),
            configuration: None,
            program: Program::Usual,
        };
        plan.with("SCORPIOX_BROKER_DATA", data.to_str().expect("a temporary directory has a plain name"))
            .with("SCORPIOX_BROKER_LISTEN", "127.0.0.1:0")
            .with("SCORPIOX_BROKER_TLS_PLAIN_HTTP", "true")
            .with("SCORPIOX_BROKER_PROVIDER_ISSUER", issuer)
            // A crowd in a story is often one client.
            .with("SCORPIOX_BROKER_LIMITS_CLIENT_REQUESTS_PER_MINUTE", "1000000")
            .with("SCORPIOX_BROKER_LIMITS_CLIENT_HANDOUTS_PER_HOUR", "1000000")
    }

    /// HTTPS with a certificate that the broker makes for itself.
    pub fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self.environment.remove("SCORPIOX_BROKER_TLS_PLAIN_HTTP");
        self
    }

    /// One more variable, such as `SCORPIOX_FAILPOINTS`.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Without a variable.
    pub fn without(mut self, variable: &str) -> Self {
        self.environment.remove(variable);
        self
    }

    /// As a service, with this configuration file; the environment still beats it.
    pub fn serve(mut self, configuration: &Path) -> Self {
        self.configuration = Some(configuration.to_owned());
        self
    }

    /// Another copy of the program, run as this user.
    pub fn as_user(mut self, program: &Path, user: u32) -> Self {
        self.program = Program::OfUser(program.to_owned(), user);
        self
    }

    /// A program that becomes a broker; the data directory is where this side of it finds that.
    pub fn wrapped(mut self, program: &Path) -> Self {
        self.program = Program::Wrapped(program.to_owned());
        self
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The program with these settings and nothing else of this process's environment, with other arguments if need be.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.program {
            Program::Usual => Command::new(binaries::broker()),
            Program::Wrapped(program) => Command::new(program),
            Program::OfUser(program, user) => {
                let mut command = Command::new(program);
                command.uid(*user).gid(*user);
                command
            }
        };
        command.args(arguments).env_clear().envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with what it said.
    pub fn start(&self) -> Broker {
        let mut broker = self.begin();
        let url = patience::until("a broker that serves", || {
            if let Some(status) = broker.child.try_wait().expect("a child of ours") {
                panic!("the broker ended with {status}:\n{}", broker.stderr.whole());
            }
            broker.said_url()
        });
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL ends with the port");
        broker.address = SocketAddr::from(([127, 0, 0, 1], port));
        broker.url = url;
        broker
    }

    /// Starts one that is expected to refuse, or to be killed at a failpoint before it serves.
    pub fn run_to_end(&self) -> Ended {
        self.begin().wait()
    }

    fn begin(&self) -> Broker {
        let started = match &self.configuration {
            None => self.command(&["up"]).spawn(),
            Some(file) => self.command(&["serve", "--config", file.to_str().expect("a plain name")]).spawn(),
        };
        let mut child = started.expect("the broker starts");
        let stdout = Collected::from(child.stdout.take().expect("piped"));
        let stderr = Collected::from(child.stderr.take().expect("piped"));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Broker { plan: self.clone(), child, stdout, stderr, address, url: String::new() }
    }
}

/// A running broker; killed when it is dropped.
#[derive(Debug)]
pub struct Broker {
    plan: Plan,
    child: Child,
    stdout: Collected,
    stderr: Collected,
    address: SocketAddr,
    url: String,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Everything it said.
    pub stdout: String,
    /// Its log.
    pub stderr: String,
}

impl Broker {
    /// `up` prints it; a service says it over its socket.
    fn said_url(&self) -> Option<String> {
        if self.plan.configuration.is_some() {
            return self.admin().try_status().map(|status| status.url.trim_end_matches("/codex").to_owned());
        }
        let said = self.stdout.so_far();
        said.lines().find_map(|line| line.strip_prefix("serving").map(|rest| rest.trim().to_owned()))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin as it says it itself: `https://localhost:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its settings.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.plan.data
    }

    /// The operations over its socket.
    pub fn admin(&self) -> Admin {
        Admin::at(self.plan.data.join("admin.sock"))
    }

    /// What it printed so far.
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// How often its log says that a request for this path was answered; needs the level `scorpiox_broker=debug`.
    pub fn answered(&self, path: &str) -> usize {
        let path = format!("\"path\":\"{path}\"");
        self.log().lines().filter(|line| line.contains("\"answered\"") && line.contains(&path)).count()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for a line of the log.
    pub fn wait_for_log(&self, text: &str) {
        patience::until(&format!("{text:?} in the log"), || self.log().contains(text).then_some(()));
    }

    /// A connection to its client listener, encrypted or not as it is.
    pub fn connect(&self) -> std::io::Result<Connection<Wire>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(patience::PATIENCE))?;
        stream.set_nodelay(true)?;
        let wire = match self.plan.encrypted {
            true => Wire::Tls(Box::new(tls::connect(stream)?.0)),
            false => Wire::Plain(stream),
        };
        Ok(Connection::over(wire))
    }

    /// The certificate that a new connection meets, in DER.
    ///
    /// # Panics
    /// When there is none.
    pub fn certificate(&self) -> Vec<u8> {
        let stream = TcpStream::connect(self.address).expect("a connection");
        tls::connect(stream).expect("a handshake").1
    }

    /// One request on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask(&self, request: &Request<'_>) -> Reply {
        self.connect().and_then(|mut connection| connection.ask(request)).expect("an answer")
    }

    /// One request without a key.
    pub fn get(&self, target: &str) -> Reply {
        self.ask(&Request { target, ..Request::default() })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a process of ours takes a signal");
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGKILL, and gone when this returns.
    pub fn kill_9(self) -> Ended {
        self.signal(Signal::KILL);
        self.wait()
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// When it does not, with what it said.
    pub fn wait(mut self) -> Ended {
        let ended = patience::within(2 * patience::PATIENCE, || self.child.try_wait().expect("a child of ours"));
        let Some(status) = ended else { panic!("the broker does not end:\n{}", self.stderr.so_far()) };
        Ended { status, stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }

    /// Whether it is still there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.stderr.so_far();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
            eprintln!("--- log of the broker {} ---\n{}", self.child.id(), last.join("\n"));
        }
    }
}

/// A stream to the broker.
pub enum Wire {
    /// Plain HTTP.
    Plain(TcpStream),
    /// HTTPS.
    Tls(Box<TlsStream>),
}

impl Wire {
    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

impl std::io::Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl std::io::Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

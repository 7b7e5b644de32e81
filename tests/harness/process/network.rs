//! The administration over the network: requests with a bearer, and the command as on another machine.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output, Stdio};

use scorpiox_wire::Problem;
use scorpiox_wire::admin::SessionAnswer;
use serde_json::{Value, json};

use super::broker::{Broker, Wire};
use super::http::{Connection, Reply, Request};
use super::{binaries, patience, tls};

/// A broker's administration, as it is reached from elsewhere.
#[derive(Debug, Clone)]
pub struct Network {
    /// What goes behind `--broker`.
    pub url: String,
    address: SocketAddr,
}

impl Network {
    /// Of a broker that was started with `SCORPIOX_BROKER_ADMIN_LISTEN=127.0.0.1:0`.
    ///
    /// # Panics
    /// When it does not serve it.
    pub fn of(broker: &Broker) -> Self {
        let url = patience::until("the administration over the network", || said_url(&broker.log()));
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL ends with the port");
        Self { url, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    /// One request on a connection of its own; `target` starts behind `/admin/v1`.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn ask(&self, method: &str, target: &str, bearer: Option<&str>, body: Option<Value>) -> Reply {
        let target = format!("/admin/v1{target}");
        let bearer = bearer.map(|bearer| format!("Bearer {bearer}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let request = Request { method, target: &target, headers: &headers, body: body.map(|body| body.to_string()) };
        Connection::over(self.connect()).ask(&request).expect("an answer of the administration")
    }

    /// The password, and what comes.
    pub fn try_password(&self, name: &str, password: &str) -> Reply {
        self.ask("POST", "/session", None, Some(json!({ "name": name, "password": password })))
    }

    /// A session, or the problem that was told.
    pub fn log_in(&self, name: &str, password: &str) -> Result<SessionAnswer, Problem> {
        self.try_password(name, password).result()
    }

    /// The command on another machine, with nothing but the address of the broker and these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::broker());
        command.env_clear().args(["--broker", &self.url]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the command starts")
    }

    fn connect(&self) -> Wire {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(2 * patience::PATIENCE)).expect("a time");
        match self.url.starts_with("https") {
            true => Wire::Tls(Box::new(tls::connect(stream).expect("a handshake").0)),
            false => Wire::Plain(stream),
        }
    }

    /// The certificate that is served, in DER.
    ///
    /// # Panics
    /// When there is no handshake.
    pub fn certificate(&self) -> Vec<u8> {
        tls::connect(TcpStream::connect(self.address).expect("a connection")).expect("a handshake").1
    }

    /// A socket on which nothing has been said yet, not even about TLS.
    ///
    /// # Panics
    /// When there is none.
    pub fn bare(&self) -> Wire {
        Wire::Plain(TcpStream::connect(self.address).expect("a connection"))
    }
}

fn said_url(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("the administration is served over the network"))?;
    let line: Value = serde_json::from_str(line).ok()?;
    let url = line["url"].as_str().or_else(|| line["fields"]["url"].as_str());
    url.map(str::to_owned)
}

//! A real broker process over a login of the fake provider.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use fake_provider::{Account, FakeProvider};
use scorpiox_wire::Secret;
use scorpiox_wire::admin::{ClientIssued, ClientLimits, ClientRequest, CredentialView, ImportRequest};

use crate::admin;
use crate::load::Target;
use crate::process::{Running, program};

/// The name of the one credential.
pub(crate) const CREDENTIAL: &str = "main";

/// How clients are spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    Https,
}

/// What a broker is started with.
pub(crate) struct Setup {
    command: Command,
    data: PathBuf,
    transport: Transport,
}

impl Setup {
    /// A broker on a free port whose logins come from `provider`. Its environment holds nothing but its settings.
    pub(crate) fn new(data: &Path, provider: &FakeProvider, transport: Transport) -> anyhow::Result<Self> {
        let mut command = Command::new(program("scorpiox-broker")?);
        command.arg("up").arg("--data").arg(data).env_clear().stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(fs::File::create(data.with_extension("log"))?);
        command.env("SCORPIOX_BROKER_LISTEN", "127.0.0.1:0").env("SCORPIOX_BROKER_PROVIDER_ISSUER", provider.url());
        command.env("SCORPIOX_BROKER_TLS_PLAIN_HTTP", (transport == Transport::Http).to_string());
        // Counted like any other, never met: one client asks for all.
        command.env("SCORPIOX_BROKER_LIMITS_CLIENT_REQUESTS_PER_MINUTE", "1000000000");
        command.env("SCORPIOX_BROKER_LIMITS_CLIENT_HANDOUTS_PER_HOUR", "1000000000");
        Ok(Self { command, data: data.to_owned(), transport })
    }

    /// Sets another variable.
    pub(crate) fn with(mut self, variable: &str, value: impl ToString) -> Self {
        self.command.env(variable, value.to_string());
        self
    }

    /// Starts it and returns when it has said where it serves, which it does when it serves.
    pub(crate) fn start(mut self) -> anyhow::Result<Broker> {
        let mut process = Running::start(&mut self.command)?;
        let mut lines = BufReader::new(process.stdout().expect("it is piped")).lines();
        let address = loop {
            let log = || format!("the broker did not start; see {}", self.data.with_extension("log").display());
            let line = lines.next().transpose()?.with_context(log)?;
            if let Some(url) = line.strip_prefix("serving") {
                let port = url.trim().rsplit_once(':').context("a URL with a port")?.1.parse()?;
                break SocketAddr::from(([127, 0, 0, 1], port));
            }
        };
        Ok(Broker { process, address, data: self.data, transport: self.transport })
    }
}

/// A broker that serves.
pub(crate) struct Broker {
    pub(crate) process: Running,
    pub(crate) address: SocketAddr,
    pub(crate) data: PathBuf,
    transport: Transport,
}

impl Broker {
    /// Whom clients ask.
    pub(crate) fn target(&self) -> anyhow::Result<Target> {
        match self.transport {
            Transport::Http => Ok(Target::plain(self.address)),
            Transport::Https => Target::https(self.address, &self.certificate().0),
        }
    }

    /// The certificate that it made, and its key.
    pub(crate) fn certificate(&self) -> (PathBuf, PathBuf) {
        let directory = self.data.join("tls");
        (directory.join("tls-certificate.pem"), directory.join("tls-key.pem"))
    }

    /// Puts a login of the provider in.
    pub(crate) fn import(&self, provider: &FakeProvider) -> anyhow::Result<CredentialView> {
        let tokens = provider.login(&Account::numbered(1));
        let request = ImportRequest {
            name: CREDENTIAL.into(),
            access_token: Secret::new(tokens.access_token),
            refresh_token: Secret::new(tokens.refresh_token.context("a login has a refresh token")?),
            id_token: Secret::new(tokens.id_token),
            account_id: tokens.account.account_id,
            replace_account: false,
        };
        admin::post(&self.socket(), "/admin/v1/credentials", &request)
    }

    /// Makes a client of the credential.
    pub(crate) fn client(&self, name: &str) -> anyhow::Result<ClientIssued> {
        let request =
            ClientRequest { name: name.into(), credential: CREDENTIAL.into(), limits: ClientLimits::default() };
        admin::post(&self.socket(), "/admin/v1/clients", &request)
    }

    /// Its administration.
    pub(crate) fn socket(&self) -> PathBuf {
        self.data.join("admin.sock")
    }
}

//! Sources (file, environment, options) to one typed configuration. Pure but for [`Config::load`], which reads the file.
//!
//! What was written ([`WrittenConfig`]) and what it means ([`Config`]) are two types. All faults are found in one go.
//!
//! * `value`: one value, untyped and as each type.
//! * `written`: the sources laid over each other, with the place each value came from.
//! * `section`: the settings themselves, one line each.
//! * `check`: bounds and contradictions.
//! * `sample`: secrets that stand in the documentation and are refused.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

mod check;
mod sample;
mod section;
mod value;
mod written;

pub use crate::domain::network::{self, Network};
pub use sample::{SampleSecret, refuse_sample};
pub use section::{Admin, Alerts, Audit, Keys, Limits, Log, Metrics, Provider, Rotation, Serve, Tls, Tracing};
pub use value::span;
pub use written::{Fault, Field, Origin, WrittenConfig};

use section::{Reader, Top};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "human" => Some(Self::Human),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A setting that a command's option overrides.
#[derive(Debug, Clone)]
pub struct Override {
    /// As it is typed, for messages: `--listen`.
    pub option: &'static str,
    /// Section (empty for the top level) and key.
    pub setting: (&'static str, &'static str),
    /// The value as text.
    pub value: String,
}

/// Everything that a configuration is made of.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file's path, for messages, and its text.
    pub file: Option<(PathBuf, String)>,
    /// The environment; only variables that begin with `SCORPIOX_BROKER_` are looked at.
    pub environment: Vec<(String, String)>,
    /// Options of the command; they beat the environment, which beats the file.
    pub options: Vec<Override>,
    /// The data directory when no source names one.
    pub data: PathBuf,
}

/// Reads `info`, or levels per module: `info,scorpiox_broker::rotator=debug`.
pub fn parse_level(text: &str) -> Result<tracing_subscriber::EnvFilter, tracing_subscriber::filter::ParseError> {
    tracing_subscriber::EnvFilter::builder().parse(text)
}

/// The data directory of a service.
pub const SERVICE_DATA: &str = "/var/lib/scorpiox-broker";

/// The typed configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The data directory: `SCORPIOX_BROKER_DATA`; its default is the command's.
    pub data: PathBuf,
    /// The client listener: `SCORPIOX_BROKER_LISTEN`, default `127.0.0.1:8443`.
    pub listen: SocketAddr,
    /// The public host name: `SCORPIOX_BROKER_NAME`, default `localhost`.
    pub name: String,
    /// The public URL when it is not `https://NAME:PORT`: `SCORPIOX_BROKER_PUBLIC_URL`.
    pub public_url: Option<String>,
    /// Serving threads: `SCORPIOX_BROKER_WORKERS`; none means one per core.
    pub workers: Option<usize>,
    /// `[tls]`
    pub tls: Tls,
    /// `[limits]`
    pub limits: Limits,
    /// `[rotation]`
    pub rotation: Rotation,
    /// `[provider]`
    pub provider: Provider,
    /// `[keys]`
    pub keys: Keys,
    /// `[admin]`
    pub admin: Admin,
    /// `[log]`
    pub log: Log,
    /// `[audit]`
    pub audit: Audit,
    /// `[serve]`
    pub serve: Serve,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[alerts]`
    pub alerts: Alerts,
    /// `[telemetry]`
    pub telemetry: Tracing,
}

/// How clients are spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// HTTPS with this certificate and key.
    Certificate {
        /// PEM, chain with the leaf first.
        certificate: PathBuf,
        /// PEM.
        key: PathBuf,
    },
    /// HTTPS with a certificate that the broker makes for [`Config::name`] and keeps in its data directory.
    SelfSigned,
    /// Plain HTTP, as the configuration allows it.
    Plain,
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Fault>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Every setting there is, in the order of the sample file.
    pub fn fields() -> Vec<Field> {
        let sections = [
            Top::FIELDS,
            Tls::FIELDS,
            Limits::FIELDS,
            Rotation::FIELDS,
            Provider::FIELDS,
            Keys::FIELDS,
            Admin::FIELDS,
            Log::FIELDS,
            Audit::FIELDS,
            Serve::FIELDS,
            Metrics::FIELDS,
            Alerts::FIELDS,
            Tracing::FIELDS,
        ];
        sections.concat()
    }

    /// Reads `file`, if one is named, and makes the configuration of it, the environment and the command's options.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        options: Vec<Override>,
        data: PathBuf,
    ) -> Result<Self, ConfigError> {
        let file = match file {
            None => None,
            Some(path) => match std::fs::read_to_string(path) {
                Ok(text) => Some((path.to_owned(), text)),
                Err(error) => {
                    let message = format!("cannot read {}: {error}", path.display());
                    return Err(ConfigError(vec![Fault { origin: Origin::Together, message }]));
                }
            },
        };
        Self::read(&Sources { file, environment: environment.collect(), options, data })
    }

    /// The configuration that `sources` mean, or everything that is wrong with them.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let written = WrittenConfig::gather(sources, &Self::fields(), &mut faults);
        let config = Self::typed(&mut Reader { written: &written, faults: &mut faults }, &sources.data);
        // A default stands in for what could not be read, so complaints about the whole would mislead.
        if faults.is_empty() {
            check::check(&config, &written, &mut faults);
        }
        faults.sort_by_key(|fault| fault.origin.rank());
        if faults.is_empty() { Ok(config) } else { Err(ConfigError(faults)) }
    }

    fn typed(reader: &mut Reader<'_>, data: &Path) -> Self {
        let top = Top::read(reader);
        Self {
            data: top.data.unwrap_or_else(|| data.to_owned()),
            listen: top.listen,
            name: top.name,
            public_url: top.public_url,
            workers: top.workers,
            tls: Tls::read(reader),
            limits: Limits::read(reader),
            rotation: Rotation::read(reader),
            provider: Provider::read(reader),
            keys: Keys::read(reader),
            admin: Admin::read(reader),
            log: Log::read(reader),
            audit: Audit::read(reader),
            serve: Serve::read(reader),
            metrics: Metrics::read(reader),
            alerts: Alerts::read(reader),
            telemetry: Tracing::read(reader),
        }
    }

    /// How clients are spoken to.
    pub fn transport(&self) -> Transport {
        match (&self.tls.certificate, &self.tls.key) {
            (Some(certificate), Some(key)) => {
                Transport::Certificate { certificate: certificate.clone(), key: key.clone() }
            }
            _ if self.tls.plain_http || self.tls.plain_http_i_know_tokens_travel_in_the_clear => Transport::Plain,
            _ => Transport::SelfSigned,
        }
    }

    /// What clients put into `CODEX_REMOTE_URL`, given the port that was bound.
    pub fn client_url(&self, port: u16) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let scheme = if self.transport() == Transport::Plain { "http" } else { "https" };
        format!("{scheme}://{}:{port}", self.host())
    }

    /// What administrators put behind `--broker`, given the port that was bound.
    pub fn admin_url(&self, port: u16) -> String {
        format!("{}://{}:{port}", if self.admin.plain_http { "http" } else { "https" }, self.host())
    }

    fn host(&self) -> String {
        let bare_ipv6 = self.name.parse::<std::net::Ipv6Addr>().is_ok();
        if bare_ipv6 { format!("[{}]", self.name) } else { self.name.clone() }
    }

    /// What differs in `new` and holds only after a restart, for a person: everything but the log's level.
    ///
    /// A reload reads certificate and key again wherever they are; other paths for them count as a difference.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let top = |config: &Self| {
            (config.data.clone(), config.listen, config.name.clone(), config.public_url.clone(), config.workers)
        };
        let differences = [
            ("the top level", top(self) != top(new)),
            ("[tls]", self.tls != new.tls),
            ("[limits]", self.limits != new.limits),
            ("[rotation]", self.rotation != new.rotation),
            ("[provider]", self.provider != new.provider),
            ("[keys]", self.keys != new.keys),
            ("[admin]", self.admin != new.admin),
            ("log.format", self.log.format != new.log.format),
            ("[audit]", self.audit != new.audit),
            ("[serve]", self.serve != new.serve),
            ("[metrics]", self.metrics != new.metrics),
            ("[alerts]", self.alerts != new.alerts),
            ("[telemetry]", self.telemetry != new.telemetry),
        ];
        differences.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// The administration socket.
    pub fn socket(&self) -> PathBuf {
        self.admin.socket.clone().unwrap_or_else(|| self.data.join("admin.sock"))
    }

    /// The high-water mark.
    pub fn high_water_file(&self) -> PathBuf {
        self.rotation.high_water_file.clone().unwrap_or_else(|| self.data.join("high-water"))
    }

    /// The anchors of the audit.
    pub fn anchor_file(&self) -> PathBuf {
        self.audit.anchor_file.clone().unwrap_or_else(|| self.data.join("audit-anchors"))
    }

    /// The first directory of rescue slots.
    pub fn rescue_directory(&self) -> PathBuf {
        self.data.join("rescue")
    }

    /// The master key.
    pub fn master_key_file(&self) -> PathBuf {
        self.keys.master_key_file.clone().unwrap_or_else(|| self.data.join("master.key"))
    }

    /// The pepper of the client keys.
    pub fn pepper_file(&self) -> PathBuf {
        self.keys.pepper_file.clone().unwrap_or_else(|| self.data.join("pepper.key"))
    }
}

#[cfg(test)]
mod tests;

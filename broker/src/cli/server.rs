//! `up`, `serve` and `check-config`: from what was typed to a configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::place::Environment;
use super::screen::{Form, Screen};
use crate::config::{Config, ConfigError, Override, SERVICE_DATA};
use crate::startup::{self, Start};

/// Start a broker of your own: makes what is missing, serves, says what to type next
///
/// The first start makes the data directory, the database, the keys and, unless a certificate is configured, a
/// self-signed one for HOST. Variables SCORPIOX_BROKER_* set everything else; see the sample configuration.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker up\n  \
    scorpiox-broker up --listen 0.0.0.0:8443 --name broker.example")]
pub(super) struct UpArguments {
    /// The data directory [env: SCORPIOX_BROKER_DATA] [default: ~/.local/share/scorpiox-broker]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address and port for clients [env: SCORPIOX_BROKER_LISTEN] [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The host name under which clients reach it [env: SCORPIOX_BROKER_NAME] [default: localhost]
    #[arg(long, value_name = "HOST")]
    name: Option<String>,
    /// Read the passphrase of the master key from this open descriptor, in place of [keys] passphrase_file
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

/// Start the broker as a service, from a configuration file
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker serve --config /etc/scorpiox-broker/scorpiox-broker.toml")]
pub(super) struct ServeArguments {
    /// The configuration; variables SCORPIOX_BROKER_* beat it
    #[arg(long, value_name = "FILE", env = "SCORPIOX_BROKER_CONFIG")]
    config: PathBuf,
    /// Read the passphrase of the master key from this open descriptor, in place of [keys] passphrase_file
    #[arg(long, value_name = "N")]
    passphrase_fd: Option<u32>,
}

/// Check a configuration file and name everything that is wrong with it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker check-config --config scorpiox-broker.toml")]
pub(super) struct CheckConfigArguments {
    /// The configuration; variables SCORPIOX_BROKER_* beat it
    #[arg(long, value_name = "FILE", env = "SCORPIOX_BROKER_CONFIG")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl UpArguments {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let environment = environment.clone();
        start(Start::Up, self.passphrase_fd, move || self.config(&environment))
    }

    fn config(&self, environment: &Environment) -> Result<Config, Failure> {
        let named = self.data.is_some() || environment.get("SCORPIOX_BROKER_DATA").is_some();
        let data = match environment.own_data() {
            Some(own) => own,
            None if named => PathBuf::new(),
            None => {
                return Err(Failure::new(Exit::Configuration, "there is no home directory to keep the data in")
                    .next("name a data directory: scorpiox-broker up --data DIR"));
            }
        };
        let text = |option, setting, value| Override { option, setting: ("", setting), value };
        let data_option = self.data.as_ref().map(|data| text("--data", "data", data.display().to_string()));
        let listen = self.listen.clone().map(|listen| text("--listen", "listen", listen));
        let name = self.name.clone().map(|name| text("--name", "name", name));
        let options = data_option.into_iter().chain(listen).chain(name).collect();
        Config::load(None, environment.0.iter().cloned(), options, data).map_err(|error| wrong(&error))
    }
}

impl ServeArguments {
    pub(super) fn run(self, environment: &Environment) -> Result<ExitCode, Failure> {
        let environment = environment.clone();
        start(Start::Serve, self.passphrase_fd, move || load(&self.config, &environment).map_err(|error| wrong(&error)))
    }
}

impl CheckConfigArguments {
    pub(super) fn run(self, environment: &Environment, screen: &mut Screen) -> Result<(), Failure> {
        let outcome = load(&self.config, environment);
        if screen.form() == Form::Json {
            let faults = outcome.as_ref().err().map(|error| error.0.iter().map(ToString::to_string).collect());
            let faults: Vec<String> = faults.unwrap_or_default();
            screen.json(&json!({ "valid": faults.is_empty(), "faults": faults }))?;
        }
        let config = outcome.map_err(|error| wrong(&error))?;
        match screen.form() {
            Form::Json => Ok(()),
            Form::Human => screen.answer(&format!(
                "{} is good: data in {}, clients at {}",
                self.config.display(),
                config.data.display(),
                config.client_url(config.listen.port())
            )),
        }
    }
}

fn load(file: &std::path::Path, environment: &Environment) -> Result<Config, ConfigError> {
    Config::load(Some(file), environment.0.iter().cloned(), Vec::new(), SERVICE_DATA.into())
}

fn wrong(error: &ConfigError) -> Failure {
    let faults: String = error.0.iter().map(|fault| format!("\n  {fault}")).collect();
    Failure::new(Exit::Configuration, format!("the configuration is wrong:{faults}"))
}

/// Starts with what `config` says now; a reload asks it again.
fn start(
    how: Start,
    passphrase_fd: Option<u32>,
    config: impl Fn() -> Result<Config, Failure> + Send + 'static,
) -> Result<ExitCode, Failure> {
    let first = config()?;
    if passphrase_fd.is_some() && first.keys.passphrase_file.is_some() {
        let both = "--passphrase-fd is given and [keys] passphrase_file is set: keep one of them";
        return Err(Failure::new(Exit::Configuration, both));
    }
    // Before the process is closed to everybody: its own descriptors could not be opened again afterwards.
    let passphrase = passphrase_fd.map(crate::secret_line::read_descriptor).transpose();
    let passphrase = passphrase.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let reread = move || config().map_err(|failure| anyhow::anyhow!("{failure}"));
    startup::run(first, how, passphrase, reread).map_err(|error| Failure::new(Exit::Failed, format!("{error:#}")))
}

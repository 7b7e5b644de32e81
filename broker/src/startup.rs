//! Binds the parts together, serves, and stops in order.
//!
//! * `directory`: the data directory, its lock, its keys, its identity.
//! * `assembly`: the parts, in dependency order.
//! * `metrics`: the listener of a monitoring system.
//! * `administration`: the administration over the network.
//! * `outward`: the way out for alerts and traces.
//! * `desks`: who gives out tokens.
//! * `listeners`: those of clients and of the local administration.
//! * `pruning`: old entries of the audit go.
//! * `running`: what serves together, signals, the stop.

use std::process::ExitCode;

use anyhow::Context;
use scorpiox_wire::Secret;

use crate::config::Config;
use crate::telemetry;

mod administration;
mod assembly;
mod desks;
mod directory;
mod listeners;
mod metrics;
mod outward;
mod pruning;
mod running;

/// Which command starts the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// By hand: says on standard output what was made, and the next command to type.
    Up,
    /// As a service.
    Serve,
}

/// Starts the broker and returns when it has stopped. `passphrase` wraps the key files, when a descriptor gave it;
/// `reread` makes the configuration anew on SIGHUP.
pub fn run(
    config: Config,
    how: Start,
    passphrase: Option<Secret>,
    reread: impl Fn() -> anyhow::Result<Config> + Send + 'static,
) -> anyhow::Result<ExitCode> {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_name("broker")
        .build()
        .context("cannot start the runtime")?;
    #[cfg(feature = "otlp")]
    let telemetry =
        telemetry::start_traced(&config.log, no_colour, outward::traces(&config.telemetry, runtime.handle())?)?;
    #[cfg(not(feature = "otlp"))]
    let telemetry = telemetry::start(&config.log, no_colour)?;
    keep_secrets_in_memory();
    let code = runtime.block_on(running::run(config, how, telemetry.clone(), passphrase, reread));
    telemetry.finish();
    // What is left on the runtime is idle: the stop has waited for everything that matters.
    runtime.shutdown_background();
    code
}

/// Whatever is created, by us or by SQLite, is for this user alone. A crash must not write tokens to a core file, and no
/// other process of this user may read this one's memory.
pub fn keep_secrets_in_memory() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask};
    umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core files could not be switched off");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "other processes of this user may read this one's memory");
    }
}

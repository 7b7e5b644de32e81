//! What serves together, signals, and the stop: no token that was obtained is lost to it.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_server::ServerHandle;
use scorpiox_wire::Secret;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::Start;
use super::administration::{self, Administration};
use super::assembly::{Assembly, assemble};
use super::desks::Desks;
use super::directory::Directory;
use super::listeners::{certificate, serve_administration, serve_clients};
use super::outward;
use super::pruning::Pruning;
use crate::alerts::{Outbox, watch};
use crate::config::Config;
use crate::fence::Fence;
use crate::gate::Gate;
use crate::http::listener;
use crate::http::tls::{Reload, ReloadableCertificate};
use crate::registrar::{Custody, Facade, Registrar};
use crate::scheduler;
use crate::store::Store;
use crate::telemetry::Telemetry;

/// How often counted hand-outs are written and the certificate's file is looked at.
pub(super) const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How long requests under way may take once the broker stops.
pub(super) const DRAIN: Duration = Duration::from_secs(30);

/// A broker that serves.
struct Running {
    assembly: Assembly,
    registrar: Arc<Registrar>,
    certificate: Option<Arc<ReloadableCertificate>>,
    clients: ServerHandle,
    administration: ServerHandle,
    network: Option<Administration>,
    metrics: Option<ServerHandle>,
    telemetry: Telemetry,
    /// Keeps the lock.
    directory: Directory,
}

/// Serves until a signal says otherwise.
pub(super) async fn run(
    config: Config,
    how: Start,
    telemetry: Telemetry,
    passphrase: Option<Secret>,
    reread: impl Fn() -> anyhow::Result<Config>,
) -> anyhow::Result<ExitCode> {
    // Before anything is served, so that no signal finds the default action.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let (running, url) = start(&config, telemetry, passphrase).await?;
    if how == Start::Up {
        // A closed standard output is no reason not to serve.
        let _ = greet(&running, &config, &url);
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    info!(url, data = %config.data.display(), version = env!("CARGO_PKG_VERSION"), "serving");
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    housekeeping.tick().await;
    let mut pruning = Pruning::of(config.audit.keep);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => running.reload(&reread),
            _ = housekeeping.tick() => {
                running.look_at_certificate();
                flush(&running.assembly.gate, &running.assembly.store).await;
                running.assembly.stand_ins.settle().await;
                running.registrar.tell_refusals().await;
                running.registrar.forget_repeats().await;
                keep_audit(&running.assembly.rotator.parts().fence).await;
                pruning.tick(&running.registrar, &running.assembly.timeline);
            }
        }
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    running.stop(&mut terminate, &mut interrupt).await
}

async fn start(config: &Config, telemetry: Telemetry, passphrase: Option<Secret>) -> anyhow::Result<(Running, String)> {
    let (mut directory, keys) = Directory::open(config, passphrase)?;
    let socket = listener::bind(config.listen)?;
    let address = socket.local_addr()?;
    let url = config.client_url(address.port());
    let assembly = assemble(config, &directory, keys).await?;
    let certificate = certificate(config, &mut directory, &assembly.timeline)?;
    let facade = Facade {
        url: format!("{url}{}", scorpiox_wire::token::PATH),
        pin: certificate.as_ref().map(|certificate| certificate.pin()),
        certificate_ends_at: certificate.as_ref().map(|certificate| certificate.ends_at()),
        data: config.data.display().to_string(),
        started_at: assembly.timeline.now(),
        door: None,
    };
    let administrators = Arc::clone(&assembly.administrators);
    let (rotator, gate, auditor) = (&assembly.rotator, &assembly.gate, &assembly.auditor);
    let registrar = Registrar::new(
        Arc::clone(rotator),
        Arc::clone(gate),
        auditor.clone(),
        assembly.provider.clone(),
        administrators,
        facade,
    );
    registrar.entrust(Custody {
        vault: Arc::clone(&assembly.vault),
        slots: std::iter::once(config.rescue_directory())
            .chain(config.rotation.rescue_second_directory.clone())
            .collect(),
        instance: directory.instance.clone(),
        working: Arc::default(),
    });
    registrar.anchor_in(Arc::clone(&assembly.anchors));
    let desks = Desks::new(config, &assembly, &registrar, &url);
    // What a request may begin must not be cut off by a start that fails after all: whoever can ask for a renewal comes
    // last, clients last of all.
    alert(config, &assembly, &registrar).await?;
    let metrics = super::metrics::serve(config, &registrar, certificate.as_ref())?;
    let now = assembly.timeline.now();
    let network =
        administration::serve(config, &mut directory, &registrar, &desks.sign_ins, certificate.as_ref(), now)?;
    let administration = serve_administration(config, &registrar, &desks.sign_ins)?;
    let clients = serve_clients(config, &assembly, &desks, socket, certificate.as_ref())?;
    drop(tokio::spawn(scheduler::run(Arc::clone(rotator))));
    drop(tokio::spawn(Arc::clone(&registrar).go_on_rekeying()));
    let running =
        Running { registrar, certificate, clients, administration, network, metrics, telemetry, directory, assembly };
    Ok((running, url))
}

/// Begins to look for what needs a person.
async fn alert(config: &Config, assembly: &Assembly, registrar: &Arc<Registrar>) -> anyhow::Result<()> {
    let (sinks, timeline) = (outward::sinks(&config.alerts)?, assembly.timeline.clone());
    let meters = registrar.meters().alerts.clone();
    let outbox = Outbox::open(sinks, assembly.store.clone(), timeline.clone(), meters, registrar.facade().url).await?;
    let outbox = Arc::new(outbox);
    registrar.tell(Arc::clone(&outbox));
    drop(tokio::spawn(watch::run(Arc::downgrade(registrar), outbox, timeline)));
    Ok(())
}

impl Running {
    fn reload(&self, reread: &impl Fn() -> anyhow::Result<Config>) {
        self.assembly.timeline.accept_wall();
        self.look_at_certificate();
        match reread() {
            Err(error) => error!(error = format!("{error:#}"), "the configuration was not reloaded: it is wrong"),
            Ok(config) => match self.telemetry.set_level(&config.log.level) {
                Err(error) => error!(%error, "the log's level was not reloaded"),
                Ok(()) => info!("reloaded: certificate, log level, the machine's clock; anything else needs a restart"),
            },
        }
    }

    /// A bad new certificate leaves the old one in place.
    fn look_at_certificate(&self) {
        self.look_at_clients_certificate();
        if let Some(network) = &self.network {
            network.look_at_certificate(&self.registrar);
        }
    }

    fn look_at_clients_certificate(&self) {
        let Some(certificate) = &self.certificate else { return };
        match certificate.reload() {
            Ok(Reload::Unchanged) => {}
            Ok(Reload::Replaced) => {
                self.registrar.show_certificate(certificate.pin(), certificate.ends_at());
                info!(ends_at = %certificate.ends_at(), pin = certificate.pin(), "another certificate is served");
            }
            Err(error) => error!(%error, "the certificate was not reloaded; the old one is still served"),
        }
    }

    /// Stops in order: no new connections, requests under way are answered, rotations end, then the files are closed.
    async fn stop(self, terminate: &mut Signal, interrupt: &mut Signal) -> anyhow::Result<ExitCode> {
        info!("stopping: requests and renewals under way are finished first");
        let Assembly { rotator, gate, auditor, audit_writer, anchor_writer, store, stand_ins, .. } = self.assembly;
        rotator.stop();
        let drained = async {
            let network = async {
                if let Some(network) = &self.network {
                    network.handle.stop(true).await;
                }
            };
            tokio::join!(self.clients.stop(true), self.administration.stop(true), network);
            if let Some(metrics) = &self.metrics {
                metrics.stop(true).await;
            }
            while rotator.in_flight() > 0 {
                if rotator.memory_only() > 0 {
                    error!(
                        answers = rotator.memory_only(),
                        "tokens that were obtained are in memory only; still trying to save them: free disk space, or send \
                         a second signal to leave and lose them"
                    );
                }
                tokio::select! {
                    () = rotator.changed() => {}
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
            }
        };
        tokio::select! {
            () = drained => {}
            _ = terminate.recv() => return Ok(left(&rotator)),
            _ = interrupt.recv() => return Ok(left(&rotator)),
        }
        flush(&gate, &store).await;
        stand_ins.settle().await;
        self.registrar.tell_refusals().await;
        let fence = rotator.parts().fence.clone();
        drop((auditor, rotator, self.registrar));
        if tokio::time::timeout(Duration::from_secs(5), audit_writer).await.is_err() {
            warn!("the audit was still being written");
        }
        if tokio::time::timeout(Duration::from_secs(5), anchor_writer).await.is_err() {
            warn!("the last anchor of the audit was not written");
        }
        keep_audit(&fence).await;
        store.close().await;
        info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

fn left(rotator: &crate::rotator::Rotator) -> ExitCode {
    error!(answers_lost = rotator.memory_only(), renewals_cut = rotator.in_flight(), "a second signal: leaving now");
    ExitCode::FAILURE
}

/// Writes down outside the database where the audit ends, so that a cut-off end is noticed.
async fn keep_audit(fence: &Fence) {
    if let Err(error) = fence.keep_audit().await {
        warn!(%error, "the end of the audit was not written to the high-water mark");
    }
}

/// Writes the hand-outs that were counted in memory.
async fn flush(gate: &Gate, store: &Store) {
    let repeats: Vec<_> = gate.callers().iter().flat_map(|caller| caller.take_repeats()).collect();
    if repeats.is_empty() {
        return;
    }
    if let Err(error) = store.add_repeats(&repeats).await {
        warn!(%error, clients = repeats.len(), "counts of repeated hand-outs were not written");
    }
}

/// What a person needs to know after `up`.
fn greet(running: &Running, config: &Config, url: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for (what, path) in &running.directory.created {
        writeln!(out, "created  {what:<16} {}", path.display())?;
    }
    writeln!(out, "serving  {url}")?;
    let default = running.assembly.rotator.parts().holdings.all().is_empty();
    let data = config.data.display();
    if default {
        writeln!(out, "next     scorpiox-broker login --name main --data {data}")?;
    } else {
        writeln!(out, "next     scorpiox-broker status --data {data}")?;
    }
    out.flush()
}

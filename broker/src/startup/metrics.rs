//! The listener for metrics, where one is configured.

use std::sync::Arc;

use actix_server::ServerHandle;
use actix_web::{App, web};
use anyhow::Context;
use tracing::info;

use crate::config::Config;
use crate::http::error as problems;
use crate::http::limits::{Bounds, Caps};
use crate::http::listener::{self, Listen};
use crate::http::metrics::{Bearer, MetricsService, routes};
use crate::http::tls::{ReloadableCertificate, server_config};
use crate::registrar::Registrar;
use crate::secret_line;

use super::running::DRAIN;

/// Monitoring systems ask one at a time.
const CONNECTIONS: u32 = 64;

/// Serves `GET /metrics` on its own address; nothing where none is configured.
pub(super) fn serve(
    config: &Config,
    registrar: &Arc<Registrar>,
    certificate: Option<&Arc<ReloadableCertificate>>,
) -> anyhow::Result<Option<ServerHandle>> {
    registrar.show_clients(config.metrics.most_clients);
    let Some(address) = config.metrics.listen else { return Ok(None) };
    let bearer = match &config.metrics.token_file {
        None => None,
        Some(file) => Some(Bearer::new(&secret_line::read(file).context("metrics.token_file")?)),
    };
    let local = address.ip().to_canonical().is_loopback();
    let service = web::Data::new(MetricsService { registrar: Arc::clone(registrar), bearer });
    let bounds = Bounds::from(&config.limits);
    let body_bytes = bounds.body_bytes;
    let listen = Listen {
        socket: listener::bind(address)?,
        tls: certificate.filter(|_| !local).map(|certificate| server_config(Arc::clone(certificate))),
        caps: Caps { per_address: CONNECTIONS, total: CONNECTIONS, loopback_exempt: false },
        bounds,
        workers: Some(1),
        drain: DRAIN,
        open: registrar.meters().connections.metrics.clone(),
    };
    let app =
        move || App::new().app_data(service.clone()).configure(problems::extractors(body_bytes)).configure(routes);
    let listening = listener::serve(app, listen)?;
    info!(address = %listening.address, "metrics are served");
    drop(tokio::spawn(listening.server));
    Ok(Some(listening.handle))
}

//! The administration over the network, where it is switched on.

use std::sync::Arc;

use actix_server::ServerHandle;
use actix_web::{App, web};
use tracing::{info, warn};

use super::directory::Directory;
use super::listeners::made_for_itself;
use super::running::DRAIN;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::failures::Failures;
use crate::http::limits::{Bounds, Caps};
use crate::http::listener::{self, Listen};
use crate::http::tls::{Reload, ReloadableCertificate, server_config};
use crate::http::{admin, error as problems};
use crate::registrar::{Door, Registrar};
use crate::sign_in::SignIns;

/// Administrators need few connections each.
const PER_ADDRESS: u32 = 32;
const CONNECTIONS: u32 = 512;

/// The listener that serves it.
pub(super) struct Administration {
    pub(super) handle: ServerHandle,
    certificate: Option<Presented>,
    url: String,
}

/// The certificate that administrators meet.
enum Presented {
    Clients(Arc<ReloadableCertificate>),
    Own(Arc<ReloadableCertificate>),
}

/// Serves the administration on its own address; nothing where none is configured.
pub(super) fn serve(
    config: &Config,
    directory: &mut Directory,
    registrar: &Arc<Registrar>,
    sign_ins: &Arc<SignIns>,
    clients: Option<&Arc<ReloadableCertificate>>,
    now: Timestamp,
) -> anyhow::Result<Option<Administration>> {
    let Some(address) = config.admin.listen else { return Ok(None) };
    let certificate = certificate(config, directory, clients, now)?;
    let bounds =
        Bounds { trusted_proxies: config.limits.trusted_proxies.clone(), ..Bounds::of_administration(&config.limits) };
    let body_bytes = bounds.body_bytes;
    let listen = Listen {
        socket: listener::bind(address)?,
        tls: certificate.as_ref().map(|certificate| server_config(Arc::clone(certificate.reloadable()))),
        caps: Caps { per_address: PER_ADDRESS, total: CONNECTIONS, loopback_exempt: config.limits.loopback_exempt },
        bounds,
        workers: Some(1),
        drain: DRAIN,
        open: registrar.meters().connections.administration.clone(),
    };
    let shared = web::Data::new(Arc::clone(registrar));
    let sign_ins = web::Data::new(Arc::clone(sign_ins));
    let failures = Failures::per_minute(config.limits.failures_per_minute, registrar.timeline().clone());
    let failures = web::Data::new(failures);
    let app = move || {
        App::new()
            .app_data(shared.clone())
            .app_data(sign_ins.clone())
            .app_data(failures.clone())
            .configure(problems::extractors(body_bytes))
            .configure(admin::routes)
    };
    let listening = listener::serve(app, listen)?;
    drop(tokio::spawn(listening.server));
    let url = config.admin_url(listening.address.port());
    info!(url, "the administration is served over the network");
    let administration = Administration { handle: listening.handle, certificate, url };
    administration.show(registrar);
    Ok(Some(administration))
}

impl Administration {
    /// A bad new certificate leaves the old one in place.
    pub(super) fn look_at_certificate(&self, registrar: &Registrar) {
        let Some(certificate) = self.certificate.as_ref().map(Presented::reloadable) else { return };
        match certificate.reload() {
            // The clients' certificate may be this one too, and was read again a moment ago.
            Ok(Reload::Unchanged) => {}
            Ok(Reload::Replaced) => info!(pin = certificate.pin(), "administrators get another certificate"),
            Err(error) => {
                warn!(%error, "the administration's certificate was not reloaded; the old one is still served")
            }
        }
        self.show(registrar);
    }

    fn show(&self, registrar: &Registrar) {
        let pin = self.certificate.as_ref().map(|certificate| certificate.reloadable().pin());
        let certificate_ends_at = self.certificate.as_ref().and_then(Presented::own_end);
        registrar.show_door(Door { url: self.url.clone(), pin, certificate_ends_at });
    }
}

impl Presented {
    fn reloadable(&self) -> &Arc<ReloadableCertificate> {
        match self {
            Self::Clients(certificate) | Self::Own(certificate) => certificate,
        }
    }

    /// The end of the clients' certificate is told with theirs.
    fn own_end(&self) -> Option<Timestamp> {
        match self {
            Self::Clients(_) => None,
            Self::Own(certificate) => Some(certificate.ends_at()),
        }
    }
}

/// Its own, else the clients' one, else one that the broker made for itself.
fn certificate(
    config: &Config,
    directory: &mut Directory,
    clients: Option<&Arc<ReloadableCertificate>>,
    now: Timestamp,
) -> anyhow::Result<Option<Presented>> {
    let admin = &config.admin;
    match (&admin.certificate, &admin.key, clients) {
        (Some(certificate), Some(key), _) => {
            Ok(Some(Presented::Own(ReloadableCertificate::load(certificate.clone(), key.clone())?)))
        }
        _ if admin.plain_http => Ok(None),
        (_, _, Some(clients)) => Ok(Some(Presented::Clients(Arc::clone(clients)))),
        (_, _, None) => {
            let (certificate, key) = made_for_itself(config, directory, now)?;
            Ok(Some(Presented::Own(ReloadableCertificate::load(certificate, key)?)))
        }
    }
}

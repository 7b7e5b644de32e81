//! The listeners of clients and of the local administration, and the certificate.

use std::path::PathBuf;
use std::sync::Arc;

use actix_server::ServerHandle;
use actix_web::{App, web};

use super::assembly::Assembly;
use super::desks::Desks;
use super::directory::{Directory, make_private};
use super::running::DRAIN;
use crate::clock::Timestamp;
use crate::config::{Config, Transport};
use crate::failures::Failures;
use crate::http::limits::{Bounds, Caps};
use crate::http::listener::{self, Listen};
use crate::http::tls::{ReloadableCertificate, self_signed, server_config};
use crate::http::{admin, auth_file, error as problems, health, local_socket, oauth, sign_in, token};
use crate::registrar::Registrar;
use crate::sign_in::SignIns;
use crate::timeline::Timeline;

pub(super) fn serve_clients(
    config: &Config,
    assembly: &Assembly,
    desks: &Desks,
    socket: std::net::TcpListener,
    certificate: Option<&Arc<ReloadableCertificate>>,
) -> anyhow::Result<ServerHandle> {
    let (rotator, gate, auditor) = (&assembly.rotator, &assembly.gate, &assembly.auditor);
    let failures = Arc::new(Failures::per_minute(config.limits.failures_per_minute, assembly.timeline.clone()));
    let oauth = web::Data::new(oauth::OAuthService {
        oauth: Arc::clone(&desks.oauth),
        sign_ins: Arc::clone(&desks.sign_ins),
        failures: Arc::clone(&failures),
        gateway_expires_in: config.serve.gateway_expires_in,
    });
    let sign_ins = web::Data::new(Arc::clone(&desks.sign_ins));
    let tokens =
        web::Data::new(token::TokenService { gate: Arc::clone(gate), issuer: Arc::clone(&desks.issuer), failures });
    let state = web::Data::new(health::HealthService { rotator: Arc::clone(rotator), auditor: auditor.clone() });
    let body_bytes = config.limits.body_bytes;
    let listen = Listen {
        socket,
        tls: certificate.map(|certificate| server_config(Arc::clone(certificate))),
        caps: Caps::from(&config.limits),
        bounds: Bounds::from(&config.limits),
        workers: config.workers,
        drain: DRAIN,
        open: rotator.parts().meters.connections.clients.clone(),
    };
    let app = move || {
        App::new()
            .app_data(tokens.clone())
            .app_data(oauth.clone())
            .app_data(sign_ins.clone())
            .app_data(state.clone())
            .configure(problems::extractors(body_bytes))
            .configure(token::routes)
            .configure(auth_file::routes)
            .configure(oauth::routes)
            .configure(sign_in::routes)
            .configure(health::routes)
    };
    let listening = listener::serve(app, listen)?;
    drop(tokio::spawn(listening.server));
    Ok(listening.handle)
}

pub(super) fn serve_administration(
    config: &Config,
    registrar: &Arc<Registrar>,
    sign_ins: &Arc<SignIns>,
) -> anyhow::Result<ServerHandle> {
    let socket = local_socket::bind(&config.socket(), config.admin.socket_group.as_deref())?;
    let open = registrar.meters().connections.socket.clone();
    let registrar = web::Data::new(Arc::clone(registrar));
    let sign_ins = web::Data::new(Arc::clone(sign_ins));
    let bounds = Bounds::of_administration(&config.limits);
    let body_bytes = bounds.body_bytes;
    let app = move || {
        App::new()
            .app_data(registrar.clone())
            .app_data(sign_ins.clone())
            .configure(problems::extractors(body_bytes))
            .configure(admin::routes)
    };
    let (handle, server) = listener::serve_local(app, socket, bounds, DRAIN, open)?;
    drop(tokio::spawn(server));
    Ok(handle)
}

pub(super) fn certificate(
    config: &Config,
    directory: &mut Directory,
    timeline: &Timeline,
) -> anyhow::Result<Option<Arc<ReloadableCertificate>>> {
    let (certificate, key) = match config.transport() {
        Transport::Plain => return Ok(None),
        Transport::Certificate { certificate, key } => (certificate, key),
        Transport::SelfSigned => made_for_itself(config, directory, timeline.now())?,
    };
    Ok(Some(ReloadableCertificate::load(certificate, key)?))
}

/// The certificate and the key that the broker makes for [`Config::name`].
pub(super) fn made_for_itself(
    config: &Config,
    directory: &mut Directory,
    now: Timestamp,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let place = config.data.join("tls");
    let made = make_private(&place)?;
    let paths = self_signed(&config.name, &place, now)?;
    if made {
        directory.created.push(("certificate", paths.0.clone()));
    }
    Ok(paths)
}

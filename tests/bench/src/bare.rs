//! The reference of `serve`: an actix-web handler that answers a body from memory and does nothing else.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;

use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;
use clap::Args;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Serves one body at `/codex`.
#[derive(Debug, Args)]
pub(crate) struct Bare {
    /// The file that holds the body.
    #[arg(long)]
    body: PathBuf,
    /// Serving threads.
    #[arg(long)]
    workers: usize,
    /// Serve HTTPS with this certificate (PEM).
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

/// Serves until it is ended; its address is the first line on standard output.
pub(crate) fn run(bare: &Bare) -> anyhow::Result<()> {
    let body = Bytes::from(fs::read(&bare.body)?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let app = move || App::new().app_data(web::Data::new(body.clone())).route("/codex", web::get().to(answer));
    let server = HttpServer::new(app).workers(bare.workers);
    let server = match (&bare.certificate, &bare.key) {
        (Some(certificate), Some(key)) => server.listen_rustls_0_23(listener, tls(certificate, key)?)?,
        _ => server.listen(listener)?,
    };
    println!("{address}");
    std::io::stdout().flush()?;
    actix_web::rt::System::new().block_on(server.run()).context("the reference stopped")
}

async fn answer(body: web::Data<Bytes>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(Bytes::clone(&body))
}

fn tls(certificate: &PathBuf, key: &PathBuf) -> anyhow::Result<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    Ok(rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?)
}

//! `fake-provider`: see `--help`.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use clap::Parser;
use fake_provider::FakeProvider;
use tokio::signal::unix::{SignalKind, signal};

mod cli;

fn main() -> anyhow::Result<()> {
    let cli = cli::Cli::parse();
    let (settings, listening) = (cli.settings()?, cli.listening()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the first word: whoever reads it may end us at once.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let certificate = listening.certificate.clone();
        let address = listening.address;
        let provider =
            FakeProvider::start_with(settings, listening).with_context(|| format!("cannot listen on {address}"))?;
        if let (Some(path), Some(certificate)) = (&cli.tls_self_signed, certificate) {
            put(path, &certificate.chain_pem)?;
        }
        let mut stdout = std::io::stdout().lock();
        // Nobody has to read it.
        let _ = writeln!(stdout, "listening on {}", provider.url()).and_then(|()| stdout.flush());
        drop(stdout);
        if let Some(path) = &cli.ready_file {
            put(path, &format!("{}\n", provider.url()))?;
        }
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// Whole or not at all.
fn put(path: &Path, content: &str) -> anyhow::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    fs::write(&partial, content)
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

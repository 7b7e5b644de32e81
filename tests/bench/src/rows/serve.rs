//! Server CPU per `GET /codex`, against a handler that does nothing.
//!
//! Same body, same load generator, same number of workers. Audit and revocation check are on, as they always are: the
//! first hand-out to each key is written down before anything is measured, what follows is counted.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context;
use scorpiox_wire::{ClientKey, Secret, client_key};

use crate::broker::{Broker, Transport};
use crate::cores::{Core, on};
use crate::load::{self, Target};
use crate::process::Running;
use crate::report::{Round, Row};
use crate::team::Team;

/// One, on a core of its own where there are two.
const WORKERS: usize = 1;
const CONNECTIONS: usize = 16;
const FEW_KEYS: usize = 10;
const MANY_KEYS: usize = 10_000;
const MANY_LOGINS: usize = 1_000;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) rounds: usize,
    /// Requests of each server in each round.
    pub(crate) requests: usize,
}

/// A server that is measured.
struct Subject {
    process: Running,
    target: Target,
    requests: Arc<Vec<Vec<u8>>>,
}

impl Subject {
    fn broker(broker: Broker, keys: &[String]) -> anyhow::Result<Self> {
        let requests = keys.iter().map(|key| load::request("/codex", Some(key))).collect();
        let subject = Self { target: broker.target()?, process: broker.process, requests: Arc::new(requests) };
        // Whatever is written once for each key is written now.
        load::run(&subject.target, &subject.requests, CONNECTIONS, keys.len().max(1_000))?;
        Ok(subject)
    }

    /// Microseconds of CPU per request.
    fn cost(&self, requests: usize) -> anyhow::Result<f64> {
        let before = self.process.cpu()?;
        on(Core::Load, || load::run(&self.target, &self.requests, CONNECTIONS, requests))?;
        Ok((self.process.cpu()? - before).as_secs_f64() * 1e6 / requests as f64)
    }
}

/// `serve` over plain HTTP, where nothing hides our share; `serve_https` as it is deployed; `serve_10k_keys`.
pub(crate) fn rows(extent: Extent) -> anyhow::Result<Vec<Row>> {
    let few = Team::of(FEW_KEYS)?;
    let plain = pair(&few, Transport::Http)?;
    let many = Team::with(MANY_KEYS, MANY_LOGINS)?;
    let many = Subject::broker(many_broker(&many)?, &many.keys)?;
    let (mut against_bare, mut against_few) = (Vec::new(), Vec::new());
    for _ in 0..extent.rounds {
        let reference = plain.reference.cost(extent.requests)?;
        let ours = plain.ours.cost(extent.requests)?;
        let with_many = many.cost(extent.requests)?;
        against_bare.push(Round { ours, reference });
        against_few.push(Round { ours: with_many, reference: ours });
    }
    drop((plain, many));
    let encrypted = pair(&few, Transport::Https)?;
    let mut over_tls = Vec::new();
    for _ in 0..extent.rounds {
        let reference = encrypted.reference.cost(extent.requests)?;
        over_tls.push(Round { ours: encrypted.ours.cost(extent.requests)?, reference });
    }
    let how = format!("{CONNECTIONS} kept connections, {WORKERS} worker");
    Ok(vec![
        Row::of(
            "serve",
            &against_bare,
            "us",
            1.25,
            format!(
                "server CPU per GET /codex over HTTP, {how}, {FEW_KEYS} keys; reference: a bare actix-web handler with the same body"
            ),
        ),
        Row::of("serve_https", &over_tls, "us", 1.25, "the same over HTTPS (TLS 1.3)".into()),
        Row::of(
            "serve_10k_keys",
            &against_few,
            "us",
            1.10,
            format!(
                "the same over HTTP with {MANY_KEYS} keys of {MANY_LOGINS} logins in turn; reference: with {FEW_KEYS} of one"
            ),
        ),
    ])
}

fn many_broker(team: &Team) -> anyhow::Result<Broker> {
    let setup = team.setup(Transport::Http)?.with("SCORPIOX_BROKER_WORKERS", WORKERS);
    on(Core::Server, || setup.start())
}

struct Pair {
    ours: Subject,
    reference: Subject,
}

fn pair(team: &Team, transport: Transport) -> anyhow::Result<Pair> {
    let setup = team.setup(transport)?.with("SCORPIOX_BROKER_WORKERS", WORKERS);
    let broker = on(Core::Server, || setup.start())?;
    let body = team.path("body.json");
    fs::write(&body, load::once(&broker.target()?, &load::request("/codex", Some(&team.keys[0])))?)?;
    let reference = bare(&broker, &body, transport)?;
    Ok(Pair { ours: Subject::broker(broker, &team.keys)?, reference })
}

/// The reference, in a process of its own, with the broker's certificate.
fn bare(broker: &Broker, body: &Path, transport: Transport) -> anyhow::Result<Subject> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare").arg("--body").arg(body).arg("--workers").arg(WORKERS.to_string());
    let (certificate, key) = broker.certificate();
    if transport == Transport::Https {
        command.arg("--certificate").arg(&certificate).arg("--key").arg(&key);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = on(Core::Server, || Running::start(&mut command))?;
    let mut line = String::new();
    BufReader::new(process.stdout().expect("it is piped")).read_line(&mut line)?;
    let address = line.trim().parse().context("the reference did not start")?;
    let target = match transport {
        Transport::Http => Target::plain(address),
        Transport::Https => Target::https(address, &certificate)?,
    };
    let requests = Arc::new(vec![load::request("/codex", Some(&"x".repeat(client_key::KEY_LENGTH)))]);
    load::run(&target, &requests, CONNECTIONS, 1_000)?;
    Ok(Subject { process, target, requests })
}

/// `serve_wrong_key`: whoever guesses must not cost more than whoever knows (matrix H4).
pub(crate) fn wrong_key(extent: Extent) -> anyhow::Result<Row> {
    let team = Team::of(FEW_KEYS)?;
    // Each is answered as the first is: an address that is slowed down would cost less.
    let setup = team.setup(Transport::Http)?.with("SCORPIOX_BROKER_LIMITS_FAILURES_PER_MINUTE", 0);
    let broker = on(Core::Server, || setup.with("SCORPIOX_BROKER_WORKERS", WORKERS).start())?;
    let good = Subject::broker(broker, &team.keys)?;
    // Half of them name a client that exists, half one that does not.
    let wrong = team.keys.iter().enumerate().map(|(number, key)| {
        let known = ClientKey::parse(key).context("a key of the team")?;
        let id = if number % 2 == 0 { known.id().to_owned() } else { format!("{:012}", 900_000 + number) };
        let key = ClientKey::compose(&id, &Secret::new("A".repeat(client_key::SECRET_LENGTH))).context("a key")?;
        Ok(load::request("/codex", Some(key.expose())))
    });
    let wrong = Arc::new(wrong.collect::<anyhow::Result<Vec<_>>>()?);
    let mut rounds = Vec::new();
    for _ in 0..extent.rounds {
        let reference = good.cost(extent.requests)?;
        let before = good.process.cpu()?;
        on(Core::Load, || load::run_for("401", &good.target, &wrong, CONNECTIONS, extent.requests))?;
        let ours = (good.process.cpu()? - before).as_secs_f64() * 1e6 / extent.requests as f64;
        rounds.push(Round { ours, reference });
    }
    let remark = "server CPU per wrong key over HTTP; reference: a good key, of the same server";
    Ok(Row::of("serve_wrong_key", &rounds, "us", 1.0, remark.into()))
}

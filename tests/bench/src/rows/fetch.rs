//! What a developer's machine pays for a token that it has already: `scorpiox-codex-fetchtoken` with a warm cache,
//! against `cat` of a file with the same bytes. From the start of the process to its end, one after the other.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::broker::Transport;
use crate::clock;
use crate::process::program;
use crate::report::{Round, Row, median, sorted};
use crate::team::Team;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) rounds: usize,
    /// Runs of each program in each round.
    pub(crate) runs: usize,
}

/// `fetch_cached`.
pub(crate) fn row(extent: Extent) -> anyhow::Result<Row> {
    let team = Team::of(0)?;
    let broker = team.setup(Transport::Https)?.start()?;
    let issued = broker.client("laptop")?;
    let mut fetch = Command::new(program("scorpiox-codex-fetchtoken")?);
    fetch.arg("--raw").env_clear().current_dir(team.path(""));
    fetch.env("CODEX_TOKEN_SOURCE", "remote").env("CODEX_REMOTE_URL", &issued.url);
    fetch.env("TOKEN_HTTP_API_KEY", issued.key.expose()).env("XDG_CACHE_HOME", team.path("cache"));
    fetch.env("CODEX_REMOTE_PIN", issued.pin.context("a broker over HTTPS has a pin")?);
    let fetched = fetch.output()?;
    ensure!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    let file = team.path("token");
    std::fs::write(&file, &fetched.stdout)?;
    // From here on nobody is asked.
    broker.process.stop()?;
    let mut cat = Command::new("cat");
    cat.arg(&file).env_clear().current_dir(team.path(""));
    fetch.stdin(Stdio::null()).stdout(Stdio::null());
    cat.stdin(Stdio::null()).stdout(Stdio::null());
    let mut rounds = Vec::new();
    for _ in 0..extent.rounds {
        rounds.push(round(&mut fetch, &mut cat, extent.runs)?);
    }
    let remark = format!(
        "from start to end of scorpiox-codex-fetchtoken --raw with a warm cache, medians of {} runs; reference: cat of \
         the same {} bytes",
        extent.runs,
        fetched.stdout.len()
    );
    Ok(Row::of("fetch_cached", &rounds, "ms", 1.2, remark))
}

/// Both programs, one after the other.
pub(super) fn round(fetch: &mut Command, cat: &mut Command, runs: usize) -> anyhow::Result<Round> {
    let (mut ours, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        reference.push(milliseconds(cat)?);
        ours.push(milliseconds(fetch)?);
    }
    Ok(Round { ours: median(&sorted(ours.into_iter())), reference: median(&sorted(reference.into_iter())) })
}

fn milliseconds(command: &mut Command) -> anyhow::Result<f64> {
    let begun = clock::instant();
    let status = command.status()?;
    let taken = begun.elapsed();
    ensure!(status.success(), "{} ended with {status}", command.get_program().display());
    Ok(taken.as_secs_f64() * 1e3)
}

//! What a developer's machine pays for a token that it has already: `scorpiox-codex-fetchtoken` with a warm cache, or
//! with a login in a local file, against `cat` of a file. From the start of the process to its end, one after the other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use fake_provider::Account;

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

/// `fetch_cached`, `fetch_local`.
pub(crate) fn rows(extent: Extent) -> anyhow::Result<Vec<Row>> {
    let team = Team::of(0)?;
    Ok(vec![cached(&team, extent)?, local(&team, extent)?])
}

fn cached(team: &Team, extent: Extent) -> anyhow::Result<Row> {
    let broker = team.setup(Transport::Https)?.start()?;
    let issued = broker.client("laptop")?;
    let mut fetch = fetch_in(team)?;
    fetch.env("CODEX_TOKEN_SOURCE", "remote").env("CODEX_REMOTE_URL", &issued.url);
    fetch.env("TOKEN_HTTP_API_KEY", issued.key.expose());
    fetch.env("CODEX_REMOTE_PIN", issued.pin.context("a broker over HTTPS has a pin")?);
    let token = fetched(&mut fetch)?;
    // From here on nobody is asked.
    broker.process.stop()?;
    let file = team.path("token");
    fs::write(&file, &token)?;
    let rounds = compared(&mut fetch, &mut cat(&file), extent)?;
    let remark = format!(
        "from start to end of scorpiox-codex-fetchtoken --raw with a warm cache, medians of {} runs; reference: cat of \
         the same {} bytes",
        extent.runs,
        token.len()
    );
    Ok(Row::of("fetch_cached", &rounds, "ms", 1.2, remark))
}

/// The login lies where `scorpiox-codex-login` puts it.
fn local(team: &Team, extent: Extent) -> anyhow::Result<Row> {
    let folder = team.path("home/.config/scorpiox");
    fs::create_dir_all(&folder)?;
    let file = folder.join("codex-auth.json");
    let login = team.provider.login_file(&Account::default()).to_string();
    fs::write(&file, &login)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let mut fetch = fetch_in(team)?;
    fetched(&mut fetch)?;
    let rounds = compared(&mut fetch, &mut cat(&file), extent)?;
    let remark = format!(
        "the same with a login of scorpiox-codex-login and no other setting; reference: cat of its file, {} bytes",
        login.len()
    );
    Ok(Row::of("fetch_local", &rounds, "ms", 1.2, remark))
}

fn fetch_in(team: &Team) -> anyhow::Result<Command> {
    let mut fetch = Command::new(program("scorpiox-codex-fetchtoken")?);
    fetch.arg("--raw").env_clear().env("HOME", team.path("home")).current_dir(team.path(""));
    Ok(fetch)
}

fn fetched(fetch: &mut Command) -> anyhow::Result<Vec<u8>> {
    let fetched = fetch.output()?;
    ensure!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    Ok(fetched.stdout)
}

fn cat(file: &Path) -> Command {
    let mut cat = Command::new("cat");
    cat.arg(file).env_clear();
    cat
}

fn compared(fetch: &mut Command, cat: &mut Command, extent: Extent) -> anyhow::Result<Vec<Round>> {
    for command in [&mut *fetch, &mut *cat] {
        command.stdin(Stdio::null()).stdout(Stdio::null());
    }
    (0..extent.rounds).map(|_| round(fetch, cat, extent.runs)).collect()
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

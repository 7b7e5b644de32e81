//! What one prompt and its answer cost with `sx -p`, against the stock CLI's `exec`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::conversation::Measured;
use crate::process::program;
use crate::report::{Round, Row};
use crate::rows::fetch::Extent;

/// Names the stock CLI.
const VARIABLE: &str = "SCORPIOX_COMPONENT_CODEX_CLI";
const NAMESPACE: &str = "ip link set lo up && exec \"$@\"";

/// `sx_start`, `sx_first_delta`, `sx_memory`, `sx_size`; none, after saying so, without a stock CLI.
pub(crate) fn rows(extent: Extent) -> anyhow::Result<Vec<Row>> {
    let Some(stock) = std::env::var_os(VARIABLE).map(PathBuf::from).filter(|path| path.is_file()) else {
        eprintln!("left out: there is no stock CLI to compare with; tests/bench/run fetches it from npm");
        return Ok(Vec::new());
    };
    let (sx, sandbox) = (program("sx")?, program("scorpiox-sandbox")?);
    let measured = in_a_namespace(&stock, &sx, extent)?;
    let size = |paths: &[&Path]| -> anyhow::Result<f64> {
        let sizes = paths.iter().map(|path| Ok(fs::metadata(path)?.len()));
        Ok(sizes.sum::<anyhow::Result<u64>>()? as f64 / f64::from(1 << 20))
    };
    let size = Round { ours: size(&[&sx, &sandbox])?, reference: size(&[&stock])? };
    let runs = extent.runs;
    let start = format!(
        "sx -p, from the start of the process until the provider sees the first byte of its request, medians of {runs} \
         runs, login in a file; reference: the stock CLI's exec with its token in the environment"
    );
    let delta = "from the answer's first piece at the client's socket until its terminal has it".to_owned();
    let memory = "the most resident memory in the same runs".to_owned();
    let bytes = "sx and scorpiox-sandbox; reference: the stock CLI's native program".to_owned();
    Ok(vec![
        Row::of("sx_start", &measured.start, "ms", 0.1, start),
        Row::of("sx_first_delta", &measured.delta, "ms", 1.0, delta),
        Row::of("sx_memory", &measured.memory, "MB", 0.125, memory),
        Row::of("sx_size", &[size], "MB", 0.1, bytes),
    ])
}

fn in_a_namespace(stock: &Path, sx: &Path, extent: Extent) -> anyhow::Result<Measured> {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "sh", "-c", NAMESPACE, "sh"]).arg(std::env::current_exe()?).arg("conversation");
    command.arg("--stock").arg(stock).arg("--sx").arg(sx);
    command.args(["--rounds", &extent.rounds.to_string(), "--runs", &extent.runs.to_string()]);
    // `ip` is an administrator's tool, and not in everybody's PATH.
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot start unshare")?;
    ensure!(output.status.success(), "measuring in a network namespace ended with {}", output.status);
    serde_json::from_slice(&output.stdout).context("the figures from the namespace")
}

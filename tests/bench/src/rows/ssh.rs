//! A token from another machine: `scorpiox-codex-fetchtoken` with the ssh source, which runs the same command there,
//! against `ssh HOST cat` of the file that this one reads. Same server, same keys, one after the other.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use super::fetch::{Extent, round};
use crate::process::program;
use crate::report::Row;
use crate::sshd::Sshd;

/// A token as long as a real one, in the shape of the stock client's file.
const TOKEN_BYTES: usize = 2_000;

/// `fetch_ssh`; no row where there is no server.
pub(crate) fn rows(extent: Extent) -> anyhow::Result<Vec<Row>> {
    if !Sshd::is_possible() {
        eprintln!("fetch_ssh is left out: it needs OpenSSH's server, and root for its private directory");
        return Ok(Vec::new());
    }
    let home = tempfile::tempdir()?;
    let credential = home.path().join("auth.json");
    let token = "x".repeat(TOKEN_BYTES);
    write_privately(&credential, &format!(r#"{{"tokens":{{"access_token":"{token}","refresh_token":"rt"}}}}"#))?;
    let fetch = program("scorpiox-codex-fetchtoken")?;
    let programs = fetch.parent().context("a program lies in a directory")?.display();
    let sshd = Sshd::start(&[
        format!("PATH={programs}:/usr/bin:/bin"),
        "CODEX_TOKEN_SOURCE=local".to_owned(),
        format!("CODEX_CREDENTIALS_FILE={}", credential.display()),
    ])?;
    let mut ours = ours(&fetch, &sshd, home.path());
    let mut reference = reference(&sshd, &credential);
    let rounds: Result<Vec<_>, _> = (0..extent.rounds).map(|_| round(&mut ours, &mut reference, extent.runs)).collect();
    let remark = format!(
        "from start to end of scorpiox-codex-fetchtoken --raw with CODEX_TOKEN_SOURCE=ssh, which runs \
         scorpiox-codex-fetchtoken there, medians of {} runs; reference: ssh HOST cat FILE to the same server with the \
         same key",
        extent.runs
    );
    Ok(vec![Row::of("fetch_ssh", &rounds?, "ms", 1.3, remark)])
}

fn ours(fetch: &Path, sshd: &Sshd, home: &Path) -> Command {
    let mut command = Command::new(fetch);
    command.arg("--raw").env_clear().env("HOME", home).current_dir(home);
    command.env("CODEX_TOKEN_SOURCE", "ssh").env("CODEX_SSH_HOST", "127.0.0.1").env("CODEX_SSH_USER", &sshd.user);
    command.env("CODEX_SSH_PORT", sshd.port.to_string()).env("CODEX_SSH_KEY_FILE", sshd.path("user_key"));
    command.env("CODEX_SSH_KNOWN_HOSTS", sshd.path("known_hosts"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn reference(sshd: &Sshd, credential: &Path) -> Command {
    let mut command = Command::new("ssh");
    command.env_clear().env("PATH", "/usr/bin:/bin").args(["-F", "none", "-o", "BatchMode=yes"]);
    command.args(["-o", "IdentitiesOnly=yes", "-o", "GlobalKnownHostsFile=none"]);
    command.arg("-o").arg(format!("UserKnownHostsFile={}", sshd.path("known_hosts").display()));
    command.arg("-i").arg(sshd.path("user_key")).arg("-p").arg(sshd.port.to_string());
    command.arg(format!("{}@127.0.0.1", sshd.user)).arg("cat").arg(credential);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn write_privately(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

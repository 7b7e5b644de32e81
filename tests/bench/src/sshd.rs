//! A real OpenSSH server on loopback that lets its own user in with a key.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use crate::process::Running;

const PROGRAM: &str = "/usr/sbin/sshd";
/// Its private directory must exist; a file system of its own leaves the machine as it was.
const NAMESPACE: &str = "mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec \"$@\"";

/// The server, and what a client needs.
pub(crate) struct Sshd {
    pub(crate) port: u16,
    pub(crate) user: String,
    directory: TempDir,
    _process: Running,
}

impl Sshd {
    /// True when this machine can have one.
    pub(crate) fn is_possible() -> bool {
        Path::new(PROGRAM).is_file() && rustix::process::geteuid().is_root()
    }

    /// Starts one whose commands have these variables (`NAME=VALUE`).
    pub(crate) fn start(variables: &[String]) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let user = said(Command::new("id").arg("-un"))?;
        for name in ["host_key", "user_key"] {
            said(
                Command::new("ssh-keygen")
                    .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                    .arg(directory.path().join(name)),
            )?;
        }
        fs::copy(directory.path().join("user_key.pub"), directory.path().join("authorized_keys"))?;
        let config = directory.path().join("sshd_config");
        let at = directory.path().display();
        fs::write(
            &config,
            format!(
                "HostKey {at}/host_key\nAuthorizedKeysFile {at}/authorized_keys\nListenAddress 127.0.0.1\nUsePAM no\n\
                 PermitRootLogin yes\nStrictModes no\nPasswordAuthentication no\nPidFile none\nMaxStartups 1000\n\
                 SetEnv {}\n",
                variables.join(" ")
            ),
        )?;
        // Between the choice of a port and its use somebody else may take it.
        for _ in 0..5 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", NAMESPACE, "sh", PROGRAM, "-D", "-e", "-p", &port.to_string(), "-f"]);
            let process = Running::start(command.arg(&config).stdin(Stdio::null()).stderr(Stdio::null()))?;
            if listens(port) {
                let public = fs::read_to_string(directory.path().join("host_key.pub"))?;
                fs::write(directory.path().join("known_hosts"), format!("[127.0.0.1]:{port} {public}"))?;
                return Ok(Self { port, user, directory, _process: process });
            }
        }
        bail!("sshd does not start")
    }

    /// A file of the client's: `user_key` or `known_hosts`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn listens(port: u16) -> bool {
    (0..100).any(|_| {
        let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        if !connected {
            std::thread::sleep(Duration::from_millis(20));
        }
        connected
    })
}

fn said(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

//! `sshd`, one process per connection, in a mount namespace with users and passwords of its own: nothing of the machine
//! is touched. Its user has number 0, so that it needs no rights on the temporary directory.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;

use super::keys::{KeyPair, Kind};
use crate::component;
use crate::process::patience;

/// The user who may log in.
pub const USER: &str = "ann";
/// That user's password.
pub const PASSWORD: &str = "correct horse";
/// As it stands in `/etc/shadow`: `openssl passwd -6 -salt scorpiox`.
const PASSWORD_HASH: &str =
    "$6$scorpiox$SdBW6yhJ.E2J8rAANmYQuHFlQVsn2z.bDhU9n29EgLydGEyA/wzyj5Dl9Ipq.YUWTPAfEvDJFl8ZwBBLvCQmv/";
const NAMESPACE: &str = "mount --bind \"$1/passwd\" /etc/passwd && mount --bind \"$1/shadow\" /etc/shadow &&
    mount --bind \"$1/pam.d\" /etc/pam.d && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && shift && exec \"$@\"";

/// What a server is like.
#[derive(Debug, Clone)]
pub struct Plan {
    host_keys: Vec<Kind>,
    options: String,
}

impl Default for Plan {
    fn default() -> Self {
        Self { host_keys: vec![Kind::Ed25519], options: String::new() }
    }
}

impl Plan {
    /// With host keys of these types.
    pub fn host_keys(mut self, kinds: &[Kind]) -> Self {
        self.host_keys = kinds.to_vec();
        self
    }

    /// With one more line of `sshd_config`, which beats ours. `DIRECTORY` in it is the server's.
    pub fn option(mut self, line: &str) -> Self {
        self.options.push_str(line);
        self.options.push('\n');
        self
    }
}

/// A server that ends with the test.
#[derive(Debug)]
pub struct Sshd {
    directory: TempDir,
    host_keys: Vec<KeyPair>,
    port: u16,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Sshd {
    /// Starts one; `None` after saying that the test is left out.
    ///
    /// # Panics
    /// When the machine has all that is needed and it does not start.
    pub fn start(plan: &Plan) -> Option<Self> {
        let program = component::require("sshd")?;
        if !may_have_namespaces() {
            component::leave_out("no mount namespace can be made here (unshare --mount, as root)");
            return None;
        }
        let directory = tempfile::Builder::new().prefix("sxd").tempdir().expect("a temporary directory");
        let host_keys = lay_out(directory.path(), plan);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let stopping = Arc::new(AtomicBool::new(false));
        let acceptor = accept(listener, program, directory.path().to_owned(), Arc::clone(&stopping));
        Some(Self { directory, host_keys, port, stopping, acceptor: Some(acceptor) })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A path in its directory.
    pub fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// The user's home directory there.
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Its host keys' lines of `known_hosts`.
    pub fn known_hosts(&self) -> String {
        let line = |key: &KeyPair| format!("[127.0.0.1]:{} {}\n", self.port, key.public);
        self.host_keys.iter().map(line).collect()
    }

    /// Lets a key in.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn authorize(&self, key: &KeyPair) {
        fs::write(self.path("authorized_keys"), format!("{}\n", key.public)).expect("a file of ours");
    }

    /// Puts a program into the user's `PATH` there.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn install(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file of ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a file of ours");
    }

    /// What it wrote about connections and logins.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Attempts to log in that it has seen, refused or not.
    pub fn attempts(&self) -> usize {
        let is_attempt = |line: &&str| ["Failed ", "Accepted "].iter().any(|word| line.starts_with(word));
        self.log().lines().filter(is_attempt).filter(|line| !line.starts_with("Failed none")).count()
    }

    /// The same, once there was one: sshd writes down what it answered a moment ago.
    pub fn awaited_attempts(&self) -> usize {
        patience::until("an attempt to log in", || (self.attempts() > 0).then(|| self.attempts()))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Ends the wait for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn may_have_namespaces() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"]).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn lay_out(directory: &Path, plan: &Plan) -> Vec<KeyPair> {
    let write = |name: &str, text: String| fs::write(directory.join(name), text).expect("a file of ours");
    for name in ["home", "bin", "pam.d"] {
        fs::create_dir(directory.join(name)).expect("a directory of ours");
    }
    let at = directory.display();
    write(
        "passwd",
        format!("root:x:0:0::{at}:/bin/sh\n{USER}:x:0:0::{at}/home:/bin/sh\nsshd:x:1:65534::/run/sshd:/bin/false\n"),
    );
    write("shadow", format!("root:*:19000:0:99999:7:::\n{USER}:{PASSWORD_HASH}:19000:0:99999:7:::\n"));
    write(
        "pam.d/sshd",
        "auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n".into(),
    );
    write("authorized_keys", String::new());
    let named = plan.host_keys.iter().enumerate();
    let pairs = named.map(|(index, kind)| KeyPair::new(*kind, &directory.join(format!("host_key_{index}")), ""));
    let pairs: Vec<_> = pairs.collect();
    let host_keys: String = pairs.iter().map(|key| format!("HostKey {}\n", key.path.display())).collect();
    write(
        "sshd_config",
        format!(
            "{}{host_keys}AuthorizedKeysFile {at}/authorized_keys\nSetEnv PATH={at}/bin:/usr/local/bin:/usr/bin:/bin\n\
             PermitRootLogin yes\nStrictModes no\nUsePAM yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPrintMotd no\nPidFile none\nLogLevel VERBOSE\n",
            plan.options.replace("DIRECTORY", &at.to_string())
        ),
    );
    pairs
}

fn accept(listener: TcpListener, program: PathBuf, directory: PathBuf, stopping: Arc<AtomicBool>) -> JoinHandle<()> {
    let serving: Mutex<Vec<Child>> = Mutex::default();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            if stopping.load(Ordering::SeqCst) {
                break;
            }
            serving.lock().expect("no panic before").push(serve(stream, &program, &directory));
        }
        for mut process in serving.into_inner().expect("no panic before") {
            let _ = process.kill();
            let _ = process.wait();
        }
    })
}

fn serve(stream: TcpStream, program: &Path, directory: &Path) -> Child {
    let (input, output) = (stream.try_clone().expect("a socket can be shared"), stream);
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", NAMESPACE, "sh"]).arg(directory).arg(program);
    command.arg("-i").arg("-f").arg(directory.join("sshd_config")).arg("-E").arg(directory.join("log"));
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(OwnedFd::from(input)).stdout(OwnedFd::from(output)).stderr(Stdio::null());
    command.spawn().expect("unshare starts")
}

//! `backup`: everything that the broker is, in one file; and a look into such a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use scorpiox_wire::Secret;
use scorpiox_wire::admin::BackupRequest;
use serde_json::json;

use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::passphrase::PassphraseOptions;
use super::screen::{Form, Screen};
use crate::backup::BackupError;
use crate::backup::envelope::{Lock, Opener};
use crate::backup::manifest::{Manifest, Summing, sum};
use crate::backup::unpack;
use crate::bounded_file;
use crate::domain::words::counted;
use crate::durable_file::{self, about};

/// More than any identity file has.
const LARGEST_IDENTITY: u64 = 64 << 10;

/// Write a backup of the running broker: database, keys, certificate, in one age file
///
/// The file is closed with a passphrase, or to recipients (age public keys) whose private key need not be on any of these
/// machines. It holds everything, the master key too: whoever can open it has every login. After writing, it is read
/// back and checked, as far as this machine can open it. FILE is replaced when it is there; `-` is standard output, for
/// a container or a pipe.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker backup /mnt/backup/broker.age --recipient age1...\n  \
    scorpiox-broker backup broker.age --passphrase-file /etc/scorpiox-broker/backup-passphrase\n  \
    scorpiox-broker backup --check broker.age --identity-file key.txt\n  \
    podman exec broker scorpiox-broker backup - --recipient age1... > broker.age\n\n\
    It is an age file with a tar archive in it: age -d -i key.txt broker.age | tar -t")]
pub(super) struct BackupArguments {
    /// Where to write it (`-`: standard output), or with --check what to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// An age public key that can open it (age1...); may be given several times, instead of a passphrase
    #[arg(long, value_name = "AGE", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    recipient: Vec<String>,
    /// Open FILE and compare all that is in it with what it says; no broker is asked
    #[arg(long, conflicts_with = "recipient")]
    check: bool,
    /// With --check: a file with the age identity of a recipient
    #[arg(long, value_name = "FILE", requires = "check", conflicts_with_all = ["passphrase_file", "passphrase_fd"])]
    identity_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseOptions,
}

impl BackupArguments {
    /// Whether no broker is needed.
    pub(super) fn is_local(&self) -> bool {
        self.check
    }

    /// `--check`.
    pub(super) fn check(&self, screen: &mut Screen) -> Result<(), Failure> {
        let opener = opener(self.identity_file.as_deref(), &self.passphrase, screen)?;
        let manifest = unpack::check(&self.file, &opener).map_err(|error| failed(&self.file, &error))?;
        let size = fs::metadata(&self.file).map_err(|error| Failure::of_file(&self.file, &error))?.len();
        report(screen, &self.file, size, Some(&manifest))
    }

    /// What it is closed with, and what opens it here.
    fn lock(&self, screen: &mut Screen) -> Result<(BackupRequest, Option<Opener>), Failure> {
        if !self.recipient.is_empty() {
            // A typing error is told before the broker has done anything.
            Lock::to(&self.recipient).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
            return Ok((BackupRequest { passphrase: None, recipients: self.recipient.clone() }, None));
        }
        let passphrase = self.passphrase.choose(screen)?;
        let request = BackupRequest { passphrase: Some(passphrase.clone()), recipients: Vec::new() };
        Ok((request, Some(Opener::Passphrase(passphrase))))
    }
}

impl Errand for BackupArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let (request, opener) = self.lock(&mut desk.screen)?;
        if self.file.as_os_str() == "-" {
            return to_output(desk, &request).await;
        }
        let written = Beside::create(&self.file).map_err(|error| Failure::of_file(&self.file, &error))?;
        let mut out = Summing::new(written);
        let said = desk.broker.backup(&request, &mut out).await?;
        let (written, seen, size) = out.finish();
        let broken = |error: io::Error| Failure::of_file(&self.file, &error);
        written.file.sync_all().map_err(broken)?;
        let read_back = File::open(&written.path).and_then(sum).map_err(broken)?.0;
        if said != seen || said != read_back {
            return Err(not_what_was_sent("look at the disk that it was written to"));
        }
        let manifest = opener.map(|opener| unpack::check(&written.path, &opener)).transpose();
        let manifest = manifest.map_err(|error| failed(&self.file, &error))?;
        written.take_name(&self.file).map_err(broken)?;
        report(&mut desk.screen, &self.file, size, manifest.as_ref())
    }
}

/// Into a pipe: whether it arrives is for whoever reads it to see, so only what was sent is compared.
async fn to_output(desk: &mut Desk, request: &BackupRequest) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return Err(Failure::new(Exit::Usage, "a backup is not for a terminal").next("scorpiox-broker backup - > FILE"));
    }
    let mut out = Summing::new(io::stdout());
    let said = desk.broker.backup(request, &mut out).await?;
    let (mut out, seen, size) = out.finish();
    out.flush().map_err(|error| Failure::of_file(Path::new("standard output"), &error))?;
    if said != seen {
        return Err(not_what_was_sent("try again; what was written is no backup"));
    }
    let size = size.div_ceil(1024);
    desk.screen.say(&format!("{size} KiB are written; see whether they arrived: scorpiox-broker backup --check FILE"));
    Ok(())
}

fn not_what_was_sent(next: &str) -> Failure {
    Failure::new(Exit::Failed, "what was written is not what the broker sent: no backup was made").next(next)
}

/// What is written, under another name until it is known to be good.
struct Beside {
    path: PathBuf,
    file: File,
}

impl Beside {
    fn create(target: &Path) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?);
        name.push(".new");
        let path = target.with_file_name(name);
        // Of a backup that was cut off.
        let _ = fs::remove_file(&path);
        let file = OpenOptions::new().write(true).create_new(true).mode(durable_file::MODE).open(&path);
        Ok(Self { file: file.map_err(|error| about(&path, error))?, path })
    }

    fn take_name(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        durable_file::sync_directory_of(target)
    }
}

impl io::Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Has another name by now, unless it was no good.
        let _ = fs::remove_file(&self.path);
    }
}

/// What opens a backup, as it was asked for.
pub(super) fn opener(
    identities: Option<&Path>,
    passphrase: &PassphraseOptions,
    screen: &mut Screen,
) -> Result<Opener, Failure> {
    let Some(path) = identities else { return Ok(Opener::Passphrase(passphrase.tell(screen)?)) };
    let (bytes, _) = bounded_file::read(path, LARGEST_IDENTITY).map_err(|error| Failure::of_file(path, &error))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::new(Exit::Failed, format!("{} is no identity file", path.display())))?;
    Ok(Opener::Identities(Secret::new(text)))
}

/// Why a backup is not good, naming it.
pub(super) fn failed(path: &Path, error: &BackupError) -> Failure {
    match error {
        BackupError::Io(error) => Failure::of_file(path, error),
        BackupError::Place(why) => Failure::new(Exit::Failed, why.clone()),
        BackupError::Closed(_) | BackupError::Damaged(_) | BackupError::Source(_) => {
            Failure::new(Exit::Failed, format!("{}: {error}", path.display()))
        }
    }
}

fn report(screen: &mut Screen, path: &Path, size: u64, manifest: Option<&Manifest>) -> Result<(), Failure> {
    if screen.form() == Form::Json {
        let logins = manifest.map(|manifest| manifest.credentials.len());
        let taken_at = manifest.map(|manifest| manifest.taken_at);
        return screen.json(&json!({ "file": path, "bytes": size, "opened": manifest.is_some(), "taken_at": taken_at, "logins": logins }));
    }
    let size = size.div_ceil(1024);
    match manifest {
        Some(manifest) => screen.answer(&format!(
            "{} is good: {size} KiB, made {}, {}, broker {}",
            path.display(),
            screen.date(manifest.taken_at),
            counted(manifest.credentials.len(), "login", "logins"),
            manifest.version
        )),
        None => screen.answer(&format!(
            "{} is written: {size} KiB, byte for byte as the broker made it; open it now and then where its identity is: \
             scorpiox-broker backup --check FILE --identity-file KEY",
            path.display()
        )),
    }
}

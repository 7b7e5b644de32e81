//! A running broker's members, in an order that loses nothing, sealed into one file.
//!
//! First the rescue slots and the spool, then the database: what moves from one into the other meanwhile is in both, and
//! a start replays it without harm. The keys come last, because they open everything that was sealed before.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

use super::BackupError;
use super::archive::Writer;
use super::envelope::Lock;
use super::manifest::{FORMAT, Manifest, Member, NAME, Reached, Summing, sum};
use crate::activity::Activity;
use crate::clock::Timestamp;
use crate::durable_file::about;
use crate::rescue::{self, Rescued};
use crate::spool;
use crate::store::Store;
use crate::vault::Vault;

/// Where the pieces are put together; emptied before and afterwards.
const WORKSHOP: &str = "backup.new";

/// What a backup is made from.
pub struct Collection<'a> {
    /// The database.
    pub store: &'a Store,
    /// The keys.
    pub vault: &'a Vault,
    /// The directories of rescue slots.
    pub slots: Vec<PathBuf>,
    /// Runs what blocks.
    pub activity: &'a Activity,
    /// Whose data this is.
    pub instance: String,
    /// Now.
    pub now: Timestamp,
}

/// A sealed backup on the broker's disk, for as long as this lives.
#[derive(Debug)]
pub struct Sealed {
    workshop: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
    /// Until the workshop is gone, also when whoever asked for it went away while it was being written.
    _working: OwnedMutexGuard<()>,
}

impl Sealed {
    /// The file.
    pub fn path(&self) -> PathBuf {
        self.workshop.join("sealed")
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        // If this fails, the next backup tries again.
        let _ = fs::remove_dir_all(&self.workshop);
    }
}

/// A member before its sum is known.
struct Piece {
    name: String,
    content: Content,
}

enum Content {
    Here(Zeroizing<Vec<u8>>),
    File(PathBuf),
}

impl Content {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match self {
            Self::Here(bytes) => Ok(Box::new(bytes.as_slice())),
            Self::File(path) => Ok(Box::new(BufReader::new(File::open(path).map_err(|error| about(path, error))?))),
        }
    }
}

impl Collection<'_> {
    /// Makes a backup that `lock` closes. One at a time: `working` is given back when the workshop is gone.
    pub async fn seal(self, lock: Lock, working: OwnedMutexGuard<()>) -> Result<Sealed, BackupError> {
        let data = self.vault.places().data.clone();
        let workshop = data.join(WORKSHOP);
        let _ = fs::remove_dir_all(&workshop);
        DirBuilder::new().mode(0o700).create(&workshop).map_err(|error| about(&workshop, error))?;
        // From here on an error takes the workshop away.
        let (manifest, sha256) = (self.manifest(), String::new());
        let mut sealed = Sealed { workshop, manifest, sha256, size: 0, _working: working };
        let snapshot = sealed.workshop.join("broker.db");
        let (kept, records) = self.before_the_database(&data).await?;
        let source = |error: &dyn std::fmt::Display| BackupError::Source(error.to_string());
        sealed.manifest.credentials = self.store.snapshot(&snapshot).await.map_err(|error| source(&error))?;
        count_kept(&mut sealed.manifest.credentials, &kept);
        let mut pieces = vec![Piece { name: "broker.db".to_owned(), content: Content::File(snapshot) }];
        pieces.extend(
            kept.into_iter().zip(0..).map(|((bytes, _), number)| piece(format!("rescue/slot-{number:03}"), bytes)),
        );
        pieces.extend(records.map(|bytes| piece("audit-spool".to_owned(), bytes)));
        pieces.extend(certificate(&data)?);
        let keys = self.vault.members().map_err(|error| source(&error))?;
        sealed.manifest.key_id = self.vault.ring().current().key_id().to_string();
        pieces.extend(
            keys.into_iter().map(|(name, content)| Piece { name: name.to_owned(), content: Content::Here(content) }),
        );
        self.activity.blocking(move || write(sealed, &pieces, &lock)).await
    }

    fn manifest(&self) -> Manifest {
        Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instance: self.instance.clone(),
            taken_at: self.now.as_unix(),
            key_id: String::new(),
            credentials: Vec::new(),
            members: Vec::new(),
        }
    }

    /// What the slots and the spool hold.
    async fn before_the_database(&self, data: &Path) -> io::Result<(Vec<(Vec<u8>, Rescued)>, Option<Vec<u8>>)> {
        let (directories, sealer) = (self.slots.clone(), self.vault.sealer().clone());
        let spool = data.join("audit-spool");
        self.activity
            .blocking(move || {
                let mut kept = Vec::new();
                for directory in &directories {
                    kept.extend(rescue::survey(directory, &sealer)?);
                }
                Ok((kept, spool::survey(&spool, &sealer)?))
            })
            .await
    }
}

fn piece(name: String, bytes: Vec<u8>) -> Piece {
    Piece { name, content: Content::Here(Zeroizing::new(bytes)) }
}

/// An answer in a slot is newer than its row: a restore that replays it has not come further than the backup.
fn count_kept(credentials: &mut [Reached], kept: &[(Vec<u8>, Rescued)]) {
    for (_, rescued) in kept {
        if let Some(reached) = credentials.iter_mut().find(|reached| reached.id == rescued.credential) {
            reached.generation = reached.generation.max(rescued.generation + 1);
        }
    }
}

/// The self-signed certificate: clients pin it.
fn certificate(data: &Path) -> io::Result<Vec<Piece>> {
    let directory = data.join("tls");
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| about(&directory, error))?,
    };
    let mut pieces = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // One that begins with a dot is being written, and has its old form beside it.
        if entry.file_type()?.is_file() && !name.starts_with('.') {
            pieces.push(Piece {
                name: format!("tls/{name}"),
                content: Content::Here(Zeroizing::new(fs::read(entry.path())?)),
            });
        }
    }
    pieces.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(pieces)
}

fn write(mut sealed: Sealed, pieces: &[Piece], lock: &Lock) -> Result<Sealed, BackupError> {
    let members = pieces.iter().map(|piece| {
        let (sha256, size) = sum(piece.content.open()?)?;
        Ok(Member { name: piece.name.clone(), size, sha256 })
    });
    sealed.manifest.members = members.collect::<io::Result<_>>()?;
    let path = sealed.path();
    let file = File::create_new(&path).map_err(|error| about(&path, error))?;
    let out = Summing::new(io::BufWriter::new(file));
    let manifest = &sealed.manifest;
    let (out, ()) = lock.close(out, |out| archive(out, manifest, pieces))?;
    let (out, sha256, size) = out.finish();
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    (sealed.sha256, sealed.size) = (sha256, size);
    Ok(sealed)
}

fn archive(out: &mut dyn Write, manifest: &Manifest, pieces: &[Piece]) -> Result<(), BackupError> {
    let at = u64::try_from(manifest.taken_at).unwrap_or(0);
    let mut archive = Writer::new(out);
    let text = serde_json::to_vec_pretty(manifest).expect("plain data is always JSON");
    archive.add(NAME, text.len() as u64, at, text.as_slice())?;
    for (piece, member) in pieces.iter().zip(&manifest.members) {
        archive.add(&piece.name, member.size, at, piece.content.open()?)?;
    }
    archive.finish()?;
    Ok(())
}

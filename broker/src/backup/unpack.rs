//! Reads a backup: to check it, or to put it into an empty directory.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::archive::{Head, Reader};
use super::envelope::Opener;
use super::manifest::{FORMAT, LARGEST, Manifest, NAME, Summing};
use super::marker::Restored;
use super::{BackupError, archive};
use crate::durable_file;

/// Reads all of a backup and compares every member with what the manifest says of it.
pub fn check(backup: &Path, opener: &Opener) -> Result<Manifest, BackupError> {
    read(backup, opener, |_| Ok(()), |_| Ok(io::sink()))
}

/// Puts a backup into `data`, which is empty or not there, and marks it as restored.
///
/// Whatever fails in between leaves a directory in which no broker starts.
pub fn restore(backup: &Path, opener: &Opener, data: &Path) -> Result<Manifest, BackupError> {
    make_empty(data)?;
    let manifest = read(backup, opener, |manifest| Ok(Restored::begin(data, manifest)?), |name| create(data, name))?;
    for directory in ["rescue", "tls"] {
        let directory = data.join(directory);
        if directory.is_dir() {
            File::open(&directory)?.sync_all()?;
        }
    }
    durable_file::sync_directory_of(&data.join(NAME))?;
    Restored::complete(data, &manifest)?;
    Ok(manifest)
}

fn read<W: Settle>(
    backup: &Path,
    opener: &Opener,
    begin: impl FnOnce(&Manifest) -> Result<(), BackupError>,
    mut place: impl FnMut(&str) -> Result<W, BackupError>,
) -> Result<Manifest, BackupError> {
    let file = File::open(backup).map_err(|error| durable_file::about(backup, error))?;
    let mut archive = Reader::new(BufReader::new(opener.open(BufReader::new(file))?));
    let manifest = first(&mut archive)?;
    begin(&manifest)?;
    for expected in &manifest.members {
        let head = archive.next_head()?.ok_or_else(|| BackupError::Damaged(format!("{} is missing", expected.name)))?;
        if head != (Head { name: expected.name.clone(), size: expected.size }) {
            return Err(BackupError::Damaged(format!("{} is where {} should be", head.name, expected.name)));
        }
        let mut out = Summing::new(place(&head.name)?);
        archive.content(&head, &mut out)?;
        let (out, sum, _) = out.finish();
        if sum != expected.sha256 {
            return Err(BackupError::Damaged(format!("{} is not what the manifest says", head.name)));
        }
        out.settle()?;
    }
    match archive.next_head()? {
        None => Ok(manifest),
        Some(head) => Err(BackupError::Damaged(format!("{} is not in the manifest", head.name))),
    }
}

fn first(archive: &mut archive::Reader<impl Read>) -> Result<Manifest, BackupError> {
    let none = || BackupError::Damaged("it does not begin with a manifest that this version can read".to_owned());
    let head = archive.next_head()?.filter(|head| head.name == NAME && head.size <= LARGEST).ok_or_else(none)?;
    let mut text = Vec::new();
    archive.content(&head, &mut text)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| none())?;
    if manifest.format == FORMAT { Ok(manifest) } else { Err(none()) }
}

fn make_empty(data: &Path) -> Result<(), BackupError> {
    match std::fs::read_dir(data) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::Place(format!(
                "{} is not empty: a backup is restored to an empty directory. Nothing was changed",
                data.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
            made.and_then(|()| durable_file::sync_directory_of(data))
                .map_err(|error| durable_file::about(data, error).into())
        }
        Err(error) => Err(durable_file::about(data, error).into()),
    }
}

fn create(data: &Path, name: &str) -> Result<File, BackupError> {
    let path = data.join(name);
    if let Some((directory, _)) = name.split_once('/') {
        DirBuilder::new().recursive(true).mode(0o700).create(data.join(directory))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(durable_file::MODE).open(&path);
    Ok(file.map_err(|error| durable_file::about(&path, error))?)
}

/// On the disk for good.
trait Settle: Write {
    fn settle(self) -> io::Result<()>;
}

impl Settle for File {
    fn settle(self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Settle for io::Sink {
    fn settle(self) -> io::Result<()> {
        Ok(())
    }
}

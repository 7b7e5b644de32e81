//! One slot on the disk: a file whose blocks are all there before they are needed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::{RescueError, Rescued, encoding};
use crate::durable_file::{self, about};
use crate::seal::{Place, Sealer};

/// Size of a slot's file: an answer of 64 KiB and all that is around it.
pub(super) const SIZE: usize = 96 << 10;
const MAGIC: [u8; 8] = *b"SXRESCU1";
const FREE: [u8; 8] = [0; 8];
const HEADER_LENGTH: usize = MAGIC.len() + 4;
const PREFIX: &str = "slot-";
/// The same for all slots, so that a file that somebody copied back under another name still opens.
const PLACE: Place<'static> = Place { table: "rescue", row: "", column: "answer", generation: 0 };

/// Which directory a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Second,
}

/// What stands in a slot.
pub(super) enum Found {
    Free,
    Kept(Box<Rescued>),
    Damaged(String),
}

pub(super) struct SlotFile {
    side: Side,
    path: PathBuf,
    file: File,
}

/// Numbers of the slots that exist in `directory`.
pub(super) fn numbers_in(directory: &Path) -> io::Result<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(directory).map_err(|error| about(directory, error))? {
        let name = entry.map_err(|error| about(directory, error))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|number| number.parse().ok());
        numbers.extend(number.filter(|number| path_of(directory, *number).file_name() == Some(&name)));
    }
    Ok(numbers)
}

/// What goes into a file, from its first byte on.
pub(super) fn content(sealer: &Sealer, rescued: &Rescued) -> Result<Vec<u8>, RescueError> {
    let sealed = sealer.seal(&PLACE, &encoding::encode(rescued).ok_or(RescueError::TooLarge)?);
    if HEADER_LENGTH + sealed.len() > SIZE {
        return Err(RescueError::TooLarge);
    }
    let length = u32::try_from(sealed.len()).map_err(|_| RescueError::TooLarge)?;
    Ok([MAGIC.as_slice(), &length.to_be_bytes(), &sealed].concat())
}

impl SlotFile {
    /// Makes a slot, its blocks written out: an unwritten or sparse block would be allocated when it is too late.
    pub(super) fn create(side: Side, directory: &Path, number: u32) -> io::Result<Self> {
        durable_file::create_new(&path_of(directory, number), &[0; SIZE])?;
        Self::open(side, directory, number)
    }

    pub(super) fn open(side: Side, directory: &Path, number: u32) -> io::Result<Self> {
        let path = path_of(directory, number);
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(|error| about(&path, error))?;
        Ok(Self { side, path, file })
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read(&self, sealer: &Sealer) -> io::Result<Found> {
        let mut bytes = vec![0; SIZE];
        let length = self.file.metadata().map_err(|error| about(&self.path, error))?.len();
        if length != SIZE as u64 {
            return Ok(Found::Damaged(format!("it has {length} bytes and not {SIZE}")));
        }
        self.file.read_exact_at(&mut bytes, 0).map_err(|error| about(&self.path, error))?;
        Ok(interpret(&bytes, sealer))
    }

    /// Writes and syncs; all of it inside the file's size.
    pub(super) fn write(&self, content: &[u8]) -> io::Result<()> {
        let write = || {
            // A file without a name takes every write and keeps none.
            if self.file.metadata()?.nlink() == 0 {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the file was deleted"));
            }
            self.file.write_all_at(content, 0)?;
            self.file.sync_data()
        };
        write().map_err(|error| about(&self.path, error))
    }

    /// Marks the slot as free. The sealed leftovers stay until they are overwritten.
    pub(super) fn clear(&self) -> io::Result<()> {
        self.write(&FREE)
    }

    #[cfg(test)]
    pub(super) fn of_a_full_disk() -> Self {
        let path = PathBuf::from("/dev/full");
        Self { side: Side::First, file: OpenOptions::new().write(true).open(&path).unwrap(), path }
    }
}

fn interpret(bytes: &[u8], sealer: &Sealer) -> Found {
    let (magic, rest) = bytes.split_at(MAGIC.len());
    if magic == FREE {
        return Found::Free;
    }
    if magic != MAGIC {
        return Found::Damaged("its first bytes are not those of a slot".into());
    }
    let (length, rest) = rest.split_first_chunk().expect("a slot is longer than its header");
    let sealed = usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| rest.get(..length));
    let Some(sealed) = sealed else {
        return Found::Damaged("its length is beyond its end".into());
    };
    match sealer.open(&PLACE, sealed) {
        Err(error) => Found::Damaged(error.to_string()),
        Ok(bytes) => match encoding::decode(&bytes) {
            None => Found::Damaged("it was written by a later version".into()),
            Some(rescued) => Found::Kept(Box::new(rescued)),
        },
    }
}

fn path_of(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{PREFIX}{number:03}"))
}

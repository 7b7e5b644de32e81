//! The audit's spool: space on the disk, made in advance, for records that the database cannot take just now.
//!
//! ```text
//!       8           16          4        n         4        n          4
//!  +------------+---------+---------+----------+-------+----------+-------+- - - - - -
//!  | "SXSPOOL1" | session |    n    |  sealed  |   n   |  sealed  |   0   |  leftovers
//!  +------------+---------+---------+----------+-------+----------+-------+- - - - - -
//! ```
//!
//! Every record is sealed for its session and its number: leftovers of an earlier session are never taken for
//! records, and records cannot be reordered or repeated. The first one that does not open is the end: a write that
//! was torn, and that nobody was told had succeeded.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand;

use crate::durable_file::{self, about};
use crate::hex;
use crate::seal::{OpenError, Place, Sealer};

const MAGIC: [u8; 8] = *b"SXSPOOL1";
const HEADER_LENGTH: usize = MAGIC.len() + size_of::<Session>();
const END: [u8; 4] = [0; 4];

/// Drawn anew whenever the spool is emptied.
type Session = [u8; 16];

/// The spool. Blocks while it writes; may be shared between threads.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    size: usize,
    sealer: Sealer,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    session: Session,
    /// How many records are in the file.
    count: usize,
    /// How many of them are in the database already.
    stored: usize,
    /// Where the next one goes.
    end: usize,
}

/// Records that wait for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// In the order in which they were appended.
    pub records: Vec<Vec<u8>>,
    /// Number of the record after the last of them.
    next: usize,
}

/// The bytes of a spool that holds records, for a copy; `None` when nothing waits in it. Nothing is changed.
pub fn survey(path: &Path, sealer: &Sealer) -> io::Result<Option<Vec<u8>>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| about(path, error))?,
    };
    let (state, _) = scan(&bytes, sealer).map_err(|error| about(path, error))?;
    Ok((state.count > 0).then_some(bytes))
}

impl Spool {
    /// Opens the spool, or makes one of `bytes` with all its blocks written. An existing one keeps its size.
    ///
    /// [`io::ErrorKind::InvalidData`] when the file is something else, or holds records of another master key: it is
    /// left as it is.
    pub fn open(path: &Path, bytes: usize, sealer: Sealer) -> io::Result<Self> {
        let open = || OpenOptions::new().read(true).write(true).open(path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut content = header(&new_session());
                content.resize(bytes.max(content.len()), 0);
                durable_file::create_new(path, &content)?;
                open()
            }
            opened => opened,
        };
        let opened = file.and_then(|file| {
            let size = usize::try_from(file.metadata()?.len()).map_err(invalid)?;
            let (state, _) = scan(&read_all(&file, size)?, &sealer)?;
            Ok((file, size, state))
        });
        let (file, size, state) = opened.map_err(|error| about(path, error))?;
        Ok(Self { path: path.to_owned(), file, size, sealer, state: Mutex::new(state) })
    }

    /// Appends the records, all or none, and syncs them. [`io::ErrorKind::StorageFull`] when they do not fit any more.
    ///
    /// After an error they may still turn up after a restart: the audit then says more than happened, never less.
    pub fn append(&self, records: &[Vec<u8>]) -> io::Result<()> {
        let mut state = self.state();
        let mut content = Vec::new();
        for (number, record) in (state.count..).zip(records) {
            let sealed = self.sealer.seal(&place(&hex::encode(&state.session), number), record);
            content.extend(u32::try_from(sealed.len()).map_err(invalid)?.to_be_bytes());
            content.extend(sealed);
        }
        let length = content.len();
        content.extend(END);
        if state.end + content.len() > self.size {
            return Err(about(&self.path, io::Error::new(io::ErrorKind::StorageFull, "the audit's spool is full")));
        }
        self.write_at(&content, state.end)?;
        state.end += length;
        state.count += records.len();
        Ok(())
    }

    /// How many records wait for the database.
    pub fn waiting(&self) -> usize {
        let state = self.state();
        state.count - state.stored
    }

    /// What waits for the database. It stays here until [`Self::clear`].
    pub fn drain(&self) -> io::Result<Drained> {
        let state = self.state();
        let read = || scan(&read_all(&self.file, self.size)?, &self.sealer);
        let (_, mut records) = read().map_err(|error| about(&self.path, error))?;
        // What a failed append left behind was never promised to anybody.
        records.truncate(state.count);
        if records.len() < state.count {
            return Err(about(&self.path, io::Error::new(io::ErrorKind::InvalidData, "records have vanished from it")));
        }
        records.drain(..state.stored);
        Ok(Drained { records, next: state.count })
    }

    /// Lets go of records that are in the database now; what was appended since they were drained stays.
    ///
    /// After an error they are not drained again by this process, but by the next: a stop between the commit and
    /// this call writes them into the audit twice.
    pub fn clear(&self, drained: &Drained) -> io::Result<()> {
        let mut state = self.state();
        state.stored = state.stored.max(drained.next.min(state.count));
        if state.stored < state.count || state.count == 0 {
            return Ok(());
        }
        let session = new_session();
        self.write_at(&header(&session), 0)?;
        *state = State::empty(session);
        Ok(())
    }

    /// Whether nothing waits for the database.
    pub fn is_empty(&self) -> bool {
        let state = self.state();
        state.stored == state.count
    }

    /// How many bytes can still be written; a record costs its length and about eighty more.
    pub fn room(&self) -> usize {
        self.size.saturating_sub(self.state().end + END.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Changed only after the write that it describes, in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_at(&self, content: &[u8], offset: usize) -> io::Result<()> {
        let write = || {
            // A file without a name takes every write and keeps none.
            if self.file.metadata()?.nlink() == 0 {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the file was deleted"));
            }
            self.file.write_all_at(content, offset as u64)?;
            self.file.sync_data()
        };
        write().map_err(|error| about(&self.path, error))
    }
}

impl State {
    fn empty(session: Session) -> Self {
        Self { session, count: 0, stored: 0, end: HEADER_LENGTH }
    }
}

/// The records in a spool's bytes, and where they end.
fn scan(bytes: &[u8], sealer: &Sealer) -> io::Result<(State, Vec<Vec<u8>>)> {
    let rest = bytes.strip_prefix(&MAGIC).ok_or_else(|| invalid("it is no spool"))?;
    let (session, mut rest) = rest.split_first_chunk().ok_or_else(|| invalid("it is cut off"))?;
    let mut state = State::empty(*session);
    let row = hex::encode(session);
    let mut records = Vec::new();
    while let Some((sealed, after)) = next_record(rest) {
        match sealer.open(&place(&row, state.count), sealed) {
            Ok(record) => records.push(record.to_vec()),
            // The first record is never a leftover: emptying the spool writes the end into its place.
            Err(error @ OpenError::WrongKey { .. }) if records.is_empty() => return Err(invalid(error)),
            Err(_) => break,
        }
        state.count += 1;
        state.end += rest.len() - after.len();
        rest = after;
    }
    Ok((state, records))
}

fn next_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    if *length == END {
        return None;
    }
    rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)
}

fn read_all(file: &File, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn header(session: &Session) -> Vec<u8> {
    [MAGIC.as_slice(), session, &END].concat()
}

fn new_session() -> Session {
    let mut session = Session::default();
    rand::fill(&mut session).expect("the machine has a random source");
    session
}

fn place(session: &str, number: usize) -> Place<'_> {
    Place { table: "audit-spool", row: session, column: "record", generation: number as u64 }
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;

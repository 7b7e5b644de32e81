//! Anchors of the audit: now and then its newest link is written into a file that is not the database.
//!
//! Whoever can write to the database, and even whoever has the master key, cannot take back what an anchor says without
//! this file; so it lies better on another volume, or where a copy of each new line goes elsewhere.
//!
//! ```text
//! scorpiox-audit-anchors 1
//! instance 0123456789abcdef               whose anchors they are
//! 1000 1795348800 64 hex digits 64 hex digits     entry, when, the entry's MAC, a MAC over all of this
//! 2000 …                                          lines are only ever added; a torn last one does not count
//! ```

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::audit_chain::Link;
use crate::clock::Timestamp;
use crate::durable_file;
use crate::hex;
use crate::seal::Sealer;

const FIRST_LINE: &str = "scorpiox-audit-anchors 1";
const PURPOSE: &str = "audit-anchor";
/// With more lines than this, every other one of the older half goes.
const MOST: usize = 4_096;

/// The audit ended here at that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The newest entry.
    pub link: Link,
    /// When.
    pub at: Timestamp,
}

/// What came of reading the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// There is none.
    Missing,
    /// It is another broker's.
    Foreign,
    /// Somebody without the master key wrote to it, or it cannot be read; for people.
    Unreadable(String),
    /// Oldest first.
    Good(Vec<Anchor>),
}

/// What became of the file while nobody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// It is gone.
    Missing,
    /// Another broker's lies there.
    Foreign,
    /// It was written to by somebody else, or cannot be read.
    Unreadable(String),
    /// It is an older copy: it ends before the entry that was anchored last.
    Older(u64),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the anchor file is missing"),
            Self::Foreign => f.write_str("the anchor file belongs to another broker"),
            Self::Unreadable(why) => write!(f, "the anchor file cannot be trusted: {why}"),
            Self::Older(seq) => write!(f, "the anchor file is an older copy: it ends at entry {seq}"),
        }
    }
}

/// The anchors that can be relied on, and what is wrong with the file. `anchored` is the newest that the database knows of.
pub fn examine(reading: Reading, anchored: u64) -> (Vec<Anchor>, Option<Loss>) {
    match reading {
        Reading::Missing if anchored == 0 => (Vec::new(), None),
        Reading::Missing => (Vec::new(), Some(Loss::Missing)),
        Reading::Foreign => (Vec::new(), Some(Loss::Foreign)),
        Reading::Unreadable(why) => (Vec::new(), Some(Loss::Unreadable(why))),
        Reading::Good(anchors) => {
            let newest = anchors.last().map_or(0, |anchor| anchor.link.seq);
            let older = (newest < anchored).then_some(Loss::Older(newest));
            (anchors, older)
        }
    }
}

/// The file.
#[derive(Debug)]
pub struct Anchors {
    path: PathBuf,
    instance: String,
    sealer: Sealer,
    /// The newest entry that is known to be in the file; 0 when the next anchor is its first.
    newest: AtomicU64,
    turns: Arc<Mutex<()>>,
}

/// The right to write the file and to tell the database of it. One has it at a time, or a file that was just put aside
/// would be missed.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held")] OwnedMutexGuard<()>);

impl Anchors {
    /// The file at `path`; nothing is opened yet.
    pub fn at(path: &Path, instance: &str, sealer: Sealer) -> Self {
        let (path, instance) = (path.to_owned(), instance.to_owned());
        Self { path, instance, sealer, newest: AtomicU64::new(0), turns: Arc::default() }
    }

    /// Waits for its turn.
    pub async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.turns).lock_owned().await)
    }

    /// The newest entry that was anchored, as far as [`Self::recall`], [`Self::append`] and [`Self::set_aside`] told.
    pub fn newest(&self) -> u64 {
        self.newest.load(Ordering::SeqCst)
    }

    /// Reads which entry was anchored last. A file that is not good is left for a person: `audit verify` tells of it.
    pub fn recall(&self, _: &Turn) {
        if let Reading::Good(anchors) = self.read() {
            self.newest.store(anchors.last().map_or(0, |anchor| anchor.link.seq), Ordering::SeqCst);
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says.
    pub fn read(&self) -> Reading {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => self.parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Reading::Missing,
            Err(error) => Reading::Unreadable(error.to_string()),
        }
    }

    /// Adds an anchor and syncs it. Blocks. `anchored` is the newest that the database knows of; before the first the
    /// file is made.
    ///
    /// [`io::ErrorKind::InvalidData`] for a file that was lost, changed or is not ours: it is left as it is.
    pub fn append(&self, turn: &Turn, anchor: Anchor, anchored: u64) -> io::Result<()> {
        self.write(turn, anchor, anchored)?;
        self.newest.store(anchor.link.seq, Ordering::SeqCst);
        Ok(())
    }

    fn write(&self, _: &Turn, anchor: Anchor, anchored: u64) -> io::Result<()> {
        let reading = self.read();
        let is_new = reading == Reading::Missing;
        let (anchors, loss) = examine(reading, anchored);
        if let Some(loss) = loss {
            let error = io::Error::new(io::ErrorKind::InvalidData, loss.to_string());
            return Err(durable_file::about(&self.path, error));
        }
        if is_new {
            return durable_file::create_new(&self.path, self.text(&[anchor]).as_bytes());
        }
        if anchors.len() >= MOST {
            let mut kept = thinned(&anchors);
            kept.push(anchor);
            return durable_file::replace(&self.path, self.text(&kept).as_bytes());
        }
        self.add(&self.line(&anchor)).map_err(|error| durable_file::about(&self.path, error))
    }

    /// Puts the file out of the way under another name, so that the next anchor begins a new one.
    pub fn set_aside(&self, _: &Turn, now: Timestamp) -> io::Result<()> {
        let mut aside = self.path.clone().into_os_string();
        aside.push(format!(".set-aside-{}", now.as_unix()));
        match std::fs::rename(&self.path, aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(durable_file::about(&self.path, error));
            }
            Ok(()) | Err(_) => self.newest.store(0, Ordering::SeqCst),
        }
        durable_file::sync_directory_of(&self.path)
    }

    fn add(&self, line: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().read(true).append(true).open(&self.path)?;
        let bytes = std::fs::read(&self.path)?;
        // A line that a stop tore was promised to nobody.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
        }
        file.write_all(line.as_bytes())?;
        file.sync_all()
    }

    fn text(&self, anchors: &[Anchor]) -> String {
        let lines: String = anchors.iter().map(|anchor| self.line(anchor)).collect();
        format!("{FIRST_LINE}\ninstance {}\n{lines}", self.instance)
    }

    fn line(&self, anchor: &Anchor) -> String {
        let Anchor { link, at } = anchor;
        let proof = self.proof(anchor);
        format!("{} {} {} {}\n", link.seq, at.as_unix(), *hex::encode(&link.mac), *hex::encode(&proof))
    }

    fn proof(&self, anchor: &Anchor) -> [u8; 32] {
        let Anchor { link, at } = anchor;
        let numbers = [link.seq.to_be_bytes(), at.as_unix().to_be_bytes()].concat();
        self.sealer.authenticate(PURPOSE, &[&numbers, link.mac.as_slice(), self.instance.as_bytes()].concat())
    }

    fn parse(&self, text: &str) -> Reading {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut lines = whole.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Reading::Unreadable("it is no file of anchors".to_owned());
        }
        match lines.next().and_then(|line| line.strip_prefix("instance ")) {
            Some(instance) if instance == self.instance => {}
            Some(_) => return Reading::Foreign,
            None => return Reading::Unreadable("it names no broker".to_owned()),
        }
        let mut anchors: Vec<Anchor> = Vec::new();
        for (number, line) in (3..).zip(lines) {
            match self.parse_line(line) {
                Some(anchor) if anchors.last().is_none_or(|last| last.link.seq < anchor.link.seq) => {
                    anchors.push(anchor);
                }
                Some(_) => return Reading::Unreadable(format!("line {number} is out of order")),
                None => return Reading::Unreadable(format!("line {number} was changed or is not of this broker")),
            }
        }
        Reading::Good(anchors)
    }

    fn parse_line(&self, line: &str) -> Option<Anchor> {
        let mut words = line.split(' ');
        let seq = words.next()?.parse().ok()?;
        let at = Timestamp::from_unix(words.next()?.parse().ok()?);
        let anchor = Anchor { link: Link { seq, mac: hex::decode_exact(words.next()?)? }, at };
        let proof: [u8; 32] = hex::decode_exact(words.next()?)?;
        (proof == self.proof(&anchor)).then_some(anchor)
    }
}

/// The first and the newer half stay whole.
fn thinned(anchors: &[Anchor]) -> Vec<Anchor> {
    let half = anchors.len() / 2;
    anchors
        .iter()
        .enumerate()
        .filter(|(index, _)| *index >= half || index % 2 == 0)
        .map(|(_, anchor)| *anchor)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    fn anchors(directory: &tempfile::TempDir) -> Anchors {
        Anchors::at(&directory.path().join("anchors"), "0123", Sealer::new(&MasterKey::from_bytes([7; 32])))
    }

    fn turn(anchors: &Anchors) -> Turn {
        Turn(Arc::clone(&anchors.turns).try_lock_owned().unwrap())
    }

    fn anchor(seq: u64) -> Anchor {
        Anchor { link: Link { seq, mac: [seq as u8; 32] }, at: Timestamp::from_unix(1_000) }
    }

    #[test]
    fn what_was_appended_is_read_in_its_order_and_a_torn_line_is_nobodys() {
        let directory = tempfile::tempdir().unwrap();
        let anchors = anchors(&directory);
        assert_eq!(anchors.read(), Reading::Missing);
        anchors.append(&turn(&anchors), anchor(1), 0).unwrap();
        anchors.append(&turn(&anchors), anchor(9), 0).unwrap();
        let whole = std::fs::read(anchors.path()).unwrap();
        for torn in [1, 20, 100] {
            std::fs::write(anchors.path(), &whole[..whole.len() - torn]).unwrap();
            assert_eq!(anchors.read(), Reading::Good(vec![anchor(1)]));
            anchors.append(&turn(&anchors), anchor(9), 0).unwrap();
            assert_eq!(anchors.read(), Reading::Good(vec![anchor(1), anchor(9)]));
        }
    }

    #[test]
    fn a_line_that_was_changed_moved_or_comes_from_elsewhere_is_noticed_and_left() {
        let directory = tempfile::tempdir().unwrap();
        let ours = anchors(&directory);
        ours.append(&turn(&ours), anchor(1), 0).unwrap();
        ours.append(&turn(&ours), anchor(2), 0).unwrap();
        let good = std::fs::read_to_string(ours.path()).unwrap();
        let lines: Vec<&str> = good.lines().collect();
        let swapped = [lines[0], lines[1], lines[3], lines[2], ""].join("\n");
        for bad in [good.replace("\n2 1000", "\n3 1000"), good.replace("0101", "0102"), swapped, "x\n".to_owned()] {
            assert_ne!(bad, good);
            std::fs::write(ours.path(), &bad).unwrap();
            assert!(matches!(ours.read(), Reading::Unreadable(_)), "{bad}");
            assert!(ours.append(&turn(&ours), anchor(9), 0).is_err());
            assert_eq!(std::fs::read_to_string(ours.path()).unwrap(), bad);
        }
        std::fs::write(ours.path(), good.replace("instance 0123", "instance 4567")).unwrap();
        assert_eq!(ours.read(), Reading::Foreign);
        ours.set_aside(&turn(&ours), Timestamp::from_unix(5)).unwrap();
        assert_eq!(ours.read(), Reading::Missing);
        assert!(directory.path().join("anchors.set-aside-5").exists());
    }

    #[test]
    fn the_file_stays_bounded_and_keeps_its_first_and_its_newest_lines() {
        let directory = tempfile::tempdir().unwrap();
        let ours = anchors(&directory);
        let many: Vec<Anchor> = (1..=MOST as u64).map(anchor).collect();
        std::fs::write(ours.path(), ours.text(&many)).unwrap();
        ours.append(&turn(&ours), anchor(9_999), 0).unwrap();
        let Reading::Good(kept) = ours.read() else { panic!("it is good") };
        assert_eq!(kept.len(), MOST / 2 + MOST / 4 + 1);
        assert_eq!((kept[0], kept[1], kept[kept.len() - 1]), (anchor(1), anchor(3), anchor(9_999)));
        assert!(kept[kept.len() - 1 - MOST / 2..kept.len() - 1].iter().eq(&many[MOST / 2..]));
    }

    #[test]
    fn a_file_is_missed_when_the_database_knows_of_an_anchor() {
        let anchor = Anchor { link: Link { seq: 5, mac: [5; 32] }, at: Timestamp::from_unix(0) };
        for (reading, anchored, loss) in [
            (Reading::Missing, 0, None),
            (Reading::Missing, 5, Some(Loss::Missing)),
            (Reading::Foreign, 0, Some(Loss::Foreign)),
            (Reading::Unreadable("x".into()), 0, Some(Loss::Unreadable("x".into()))),
            (Reading::Good(vec![anchor]), 5, None),
            (Reading::Good(vec![anchor]), 0, None),
            (Reading::Good(vec![anchor]), 6, Some(Loss::Older(5))),
        ] {
            assert_eq!(examine(reading.clone(), anchored).1, loss, "{reading:?} {anchored}");
        }
    }
}

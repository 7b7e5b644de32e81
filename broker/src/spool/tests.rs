use std::fs;

use super::*;
use crate::seal::{MasterKey, OVERHEAD};

const SIZE: usize = 16 << 10;

struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("audit.spool")
    }

    fn open(&self) -> Spool {
        Spool::open(&self.path(), SIZE, sealer(1)).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::from_bytes([byte; 32]))
}

fn records(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn append(spool: &Spool, texts: &[&str]) {
    spool.append(&records(texts)).unwrap();
}

#[test]
fn records_come_back_in_order_after_a_restart() {
    let disk = Disk::new();
    let spool = disk.open();
    assert!(spool.is_empty());
    append(&spool, &["one", "two"]);
    append(&spool, &["three"]);
    let spool = disk.open();
    assert!(!spool.is_empty());
    append(&spool, &["four"]);
    assert_eq!(spool.drain().unwrap().records, records(&["one", "two", "three", "four"]));
}

#[test]
fn the_space_is_there_before_it_is_needed() {
    let disk = Disk::new();
    let spool = disk.open();
    let before = fs::metadata(disk.path()).unwrap();
    assert!(before.blocks() * 512 >= SIZE as u64, "sparse");
    append(&spool, &["one"]);
    assert_eq!(fs::metadata(disk.path()).unwrap().len(), SIZE as u64);
}

#[test]
fn a_full_spool_refuses_and_keeps_what_it_has() {
    let disk = Disk::new();
    let spool = disk.open();
    let record = vec![b'x'; 1000];
    let mut appended = 0;
    let refused = loop {
        match spool.append(std::slice::from_ref(&record)) {
            Ok(()) => appended += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
    assert_eq!(appended, (SIZE - HEADER_LENGTH - 4) / (1000 + 4 + OVERHEAD));
    assert!(spool.room() < 1000 + 4 + OVERHEAD);
    assert_eq!(disk.open().drain().unwrap().records.len(), appended);
}

#[test]
fn of_several_records_that_do_not_fit_none_is_taken() {
    let disk = Disk::new();
    let spool = disk.open();
    assert!(spool.append(&vec![vec![b'x'; 1000]; 20]).is_err());
    assert!(spool.is_empty() && disk.open().is_empty());
}

#[test]
fn a_cleared_spool_is_empty_now_and_after_a_restart() {
    let disk = Disk::new();
    let spool = disk.open();
    append(&spool, &["one", "two"]);
    spool.clear(&spool.drain().unwrap()).unwrap();
    assert!(spool.is_empty());
    assert!(disk.open().is_empty());
    append(&spool, &["three"]);
    assert_eq!(disk.open().drain().unwrap().records, records(&["three"]));
}

#[test]
fn what_is_appended_while_the_database_works_is_not_lost() {
    let disk = Disk::new();
    let spool = disk.open();
    append(&spool, &["one"]);
    let first = spool.drain().unwrap();
    append(&spool, &["two"]);
    spool.clear(&first).unwrap();
    let second = spool.drain().unwrap();
    assert_eq!(second.records, records(&["two"]));
    spool.clear(&second).unwrap();
    assert!(disk.open().is_empty());
}

#[test]
fn a_torn_tail_ends_the_spool_and_is_overwritten() {
    let disk = Disk::new();
    append(&disk.open(), &["one"]);
    let end_of_one = disk.open().state().end;
    append(&disk.open(), &["two"]);
    let whole = disk.bytes();
    let end_of_two = disk.open().state().end;
    for kept in end_of_one..end_of_two {
        let mut torn = whole.clone();
        torn[kept..end_of_two].fill(0xee);
        fs::write(disk.path(), &torn).unwrap();
        let spool = disk.open();
        assert_eq!(spool.drain().unwrap().records, records(&["one"]), "{kept}");
    }
    append(&disk.open(), &["three"]);
    assert_eq!(disk.open().drain().unwrap().records, records(&["one", "three"]));
}

#[test]
fn leftovers_of_an_earlier_session_are_no_records() {
    let disk = Disk::new();
    let spool = disk.open();
    append(&spool, &["one", "two"]);
    let before = disk.bytes();
    spool.clear(&spool.drain().unwrap()).unwrap();
    append(&spool, &["new"]);
    let mut torn = disk.bytes();
    // The new record is as long as the old one, and the end behind it was lost: the old second one follows.
    let end = spool.state().end;
    torn[end..end + 4].copy_from_slice(&before[end..end + 4]);
    assert_ne!(torn[end..end + 4], END);
    fs::write(disk.path(), &torn).unwrap();
    assert_eq!(disk.open().drain().unwrap().records, records(&["new"]));
}

#[test]
fn records_cannot_be_reordered_or_repeated() {
    let disk = Disk::new();
    append(&disk.open(), &["one", "two"]);
    let whole = disk.bytes();
    let length = (disk.open().state().end - HEADER_LENGTH) / 2;
    let (first, second) = (HEADER_LENGTH..HEADER_LENGTH + length, HEADER_LENGTH + length..HEADER_LENGTH + 2 * length);
    let mut repeated = whole.clone();
    repeated.copy_within(first.clone(), second.start);
    fs::write(disk.path(), &repeated).unwrap();
    assert_eq!(disk.open().drain().unwrap().records, records(&["one"]));
    let mut swapped = whole.clone();
    swapped[first.clone()].copy_from_slice(&whole[second.clone()]);
    swapped[second].copy_from_slice(&whole[first]);
    fs::write(disk.path(), &swapped).unwrap();
    assert!(disk.open().drain().unwrap().records.is_empty());
}

#[test]
fn records_that_vanish_under_a_running_broker_are_an_error() {
    let disk = Disk::new();
    let spool = disk.open();
    append(&spool, &["one"]);
    let mut bytes = disk.bytes();
    bytes[HEADER_LENGTH + 20] ^= 1;
    fs::write(disk.path(), &bytes).unwrap();
    assert_eq!(spool.drain().unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_spool_of_another_master_key_is_left_alone() {
    let disk = Disk::new();
    append(&disk.open(), &["one"]);
    let before = disk.bytes();
    let error = Spool::open(&disk.path(), SIZE, sealer(2)).unwrap_err();
    assert!(error.to_string().contains(&sealer(1).key_id().to_string()), "{error}");
    assert_eq!(disk.bytes(), before);
}

#[test]
fn what_is_no_spool_is_left_alone() {
    let disk = Disk::new();
    for content in ["", "SXSPOOL1", "notes of somebody"] {
        fs::write(disk.path(), content).unwrap();
        let error = Spool::open(&disk.path(), SIZE, sealer(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{content}");
        assert_eq!(disk.bytes(), content.as_bytes());
    }
}

#[test]
fn a_deleted_file_takes_nothing() {
    let disk = Disk::new();
    let spool = disk.open();
    fs::remove_file(disk.path()).unwrap();
    assert!(spool.append(&records(&["one"])).is_err());
    assert!(spool.is_empty());
}

#[test]
fn a_failed_append_is_not_drained_and_can_be_repeated() {
    let disk = Disk::new();
    let mut spool = disk.open();
    let good = std::mem::replace(&mut spool.file, OpenOptions::new().read(true).write(true).open("/dev/full").unwrap());
    assert!(spool.append(&records(&["one"])).is_err());
    spool.file = good;
    assert!(spool.drain().unwrap().records.is_empty());
    append(&spool, &["one"]);
    assert_eq!(spool.drain().unwrap().records, records(&["one"]));
}

#[test]
fn what_landed_though_its_append_failed_is_not_drained_by_this_process() {
    let disk = Disk::new();
    let spool = disk.open();
    // The bytes are on the disk, and the one who drains was not told that they are.
    append(&disk.open(), &["unacknowledged"]);
    assert!(spool.drain().unwrap().records.is_empty());
}

#[test]
fn records_lie_sealed_on_the_disk() {
    let disk = Disk::new();
    append(&disk.open(), &["canary"]);
    assert!(!disk.bytes().windows(6).any(|window| window == b"canary"));
}

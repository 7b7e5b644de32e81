use std::fs;
use std::thread;

use super::*;
use crate::seal::MasterKey;

const OURS: &str = "0123456789abcdef";

struct Disk {
    directory: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mark")
    }

    fn stray(&self) -> PathBuf {
        self.directory.path().join(".mark.new")
    }

    fn create(&self) -> HighWater {
        HighWater::create(&self.path(), OURS, sealer(1)).unwrap()
    }

    fn reopen(&self) -> HighWater {
        good(HighWater::read(&self.path(), OURS, sealer(1)))
    }
}

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::from_bytes([byte; 32]))
}

fn good(reading: Reading) -> HighWater {
    match reading {
        Reading::Good(mark) => mark,
        other => panic!("{other:?}"),
    }
}

fn at(epoch: u64, generation: u64) -> Position {
    Position { epoch, generation }
}

#[test]
fn what_was_raised_is_there_after_a_restart() {
    let disk = Disk::new();
    let mark = disk.create();
    assert_eq!(mark.position("4k2j"), None);
    mark.raise("4k2j", at(3, 7)).unwrap();
    mark.raise("9x0c", at(1, 1)).unwrap();
    let mark = disk.reopen();
    assert_eq!(mark.entries(), [("4k2j".to_owned(), at(3, 7)), ("9x0c".to_owned(), at(1, 1))]);
    assert_eq!(mark.counter(), 3);
}

#[test]
fn the_file_is_this_text() {
    let disk = Disk::new();
    disk.create().raise("4k2j", at(3, 7)).unwrap();
    let text = fs::read_to_string(disk.path()).unwrap();
    let (signed, mac) = text.split_at(text.find("mac ").unwrap());
    let key = sealer(1).key_id();
    let expected = format!("scorpiox-mark 1\ninstance {OURS}\nkey {key}\ncounter 2\ncredential 4k2j 3 7\n");
    assert_eq!(signed, expected);
    assert_eq!(mac.len(), "mac \n".len() + 64);
}

#[test]
fn neither_number_is_ever_lowered() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.raise("4k2j", at(3, 7)).unwrap();
    mark.raise("4k2j", at(2, 8)).unwrap();
    mark.raise("4k2j", at(4, 1)).unwrap();
    mark.raise("4k2j", at(0, 0)).unwrap();
    assert_eq!(mark.position("4k2j"), Some(at(4, 8)));
    assert_eq!(disk.reopen().position("4k2j"), Some(at(4, 8)));
}

#[test]
fn a_position_is_behind_when_either_number_is() {
    assert!(at(3, 7).is_behind(at(4, 7)));
    assert!(at(3, 7).is_behind(at(3, 8)));
    assert!(at(9, 7).is_behind(at(3, 8)));
    assert!(!at(3, 7).is_behind(at(3, 7)));
    assert!(!at(4, 8).is_behind(at(3, 7)));
}

#[test]
fn what_is_there_already_costs_no_write() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.raise("4k2j", at(3, 7)).unwrap();
    mark.raise("4k2j", at(3, 6)).unwrap();
    assert_eq!(mark.counter(), 2);
}

#[test]
fn a_removed_credential_is_remembered_as_removed() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.raise("4k2j", at(3, 7)).unwrap();
    mark.forget("4k2j").unwrap();
    mark.forget("4k2j").unwrap();
    let mark = disk.reopen();
    assert_eq!(mark.position("4k2j"), Some(at(3, 7)), "an old copy of the database may bring it back");
    assert!(mark.was_removed("4k2j") && mark.entries().is_empty());
    mark.raise("4k2j", at(2, 8)).unwrap();
    assert!(!mark.was_removed("4k2j"));
    assert_eq!(disk.reopen().position("4k2j"), Some(at(3, 8)));
}

#[test]
fn a_mark_is_never_created_over_another() {
    let disk = Disk::new();
    disk.create().raise("4k2j", at(3, 7)).unwrap();
    let refused = HighWater::create(&disk.path(), OURS, sealer(1)).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(disk.reopen().position("4k2j"), Some(at(3, 7)));
}

#[test]
fn a_mark_can_be_started_anew_on_purpose() {
    let disk = Disk::new();
    fs::write(disk.path(), "garbage").unwrap();
    let positions = BTreeMap::from([("4k2j".to_owned(), at(5, 9))]);
    HighWater::anew(&disk.path(), OURS, sealer(1), positions).unwrap();
    assert_eq!(disk.reopen().position("4k2j"), Some(at(5, 9)));
}

#[test]
fn a_missing_mark_is_missing() {
    let disk = Disk::new();
    assert!(matches!(HighWater::read(&disk.path(), OURS, sealer(1)), Reading::Missing));
    assert!(!disk.path().exists());
}

#[test]
fn another_brokers_mark_is_foreign_whatever_its_key() {
    let disk = Disk::new();
    disk.create();
    for key in [1, 2] {
        assert!(matches!(HighWater::read(&disk.path(), "fedcba9876543210", sealer(key)), Reading::Foreign));
    }
}

#[test]
fn a_mark_of_another_master_key_says_which_one_it_needs() {
    let disk = Disk::new();
    disk.create();
    let Reading::Unreadable(why) = HighWater::read(&disk.path(), OURS, sealer(2)) else { panic!() };
    assert!(why.contains(&sealer(1).key_id().to_string()), "{why}");
}

#[test]
fn no_flipped_bit_and_no_cut_goes_unnoticed() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.note_audit(entry(120));
    mark.raise("4k2j", at(3, 7)).unwrap();
    let whole = fs::read(disk.path()).unwrap();
    let is_good = |bytes: &[u8]| {
        fs::write(disk.path(), bytes).unwrap();
        matches!(HighWater::read(&disk.path(), OURS, sealer(1)), Reading::Good(_))
    };
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_good(&flipped), "bit {bit}");
    }
    for length in 0..whole.len() {
        assert!(!is_good(&whole[..length]), "cut at {length}");
    }
    assert!(!is_good(&[whole.as_slice(), b"\n"].concat()));
    assert!(is_good(&whole));
}

#[test]
fn what_a_kill_before_the_rename_left_is_ignored_and_removed() {
    let disk = Disk::new();
    disk.create().raise("4k2j", at(3, 7)).unwrap();
    fs::write(disk.stray(), "scorpiox-mark 1\ninst").unwrap();
    let mark = disk.reopen();
    assert!(!disk.stray().exists());
    mark.raise("4k2j", at(4, 7)).unwrap();
    assert_eq!(disk.reopen().position("4k2j"), Some(at(4, 7)));
}

#[test]
fn a_write_that_failed_counts_as_not_raised_and_can_be_repeated() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.raise("4k2j", at(3, 7)).unwrap();
    // A directory in the way of the file beside: works for root too, unlike a missing permission.
    fs::create_dir(disk.stray()).unwrap();
    let error = mark.raise("4k2j", at(4, 8)).unwrap_err();
    assert!(error.to_string().contains("mark"), "{error}");
    assert_eq!(mark.position("4k2j"), Some(at(3, 7)));
    assert_eq!(mark.counter(), 2);
    fs::remove_dir(disk.stray()).unwrap();
    mark.raise("4k2j", at(4, 8)).unwrap();
    assert_eq!(disk.reopen().position("4k2j"), Some(at(4, 8)));
}

#[test]
fn a_vanished_directory_is_an_error() {
    let disk = Disk::new();
    let mark = disk.create();
    fs::remove_dir_all(disk.directory.path()).unwrap();
    assert!(mark.raise("4k2j", at(1, 1)).is_err());
    fs::create_dir(disk.directory.path()).unwrap();
    mark.raise("4k2j", at(1, 1)).unwrap();
    assert_eq!(disk.reopen().position("4k2j"), Some(at(1, 1)));
}

#[test]
fn those_that_ask_at_once_share_a_write() {
    let disk = Disk::new();
    let mark = disk.create();
    thread::scope(|scope| {
        let pen = lock(&mark.writer);
        let asking: Vec<_> = (1..=8)
            .map(|number| {
                let mark = &mark;
                scope.spawn(move || mark.raise(&format!("c{}", number % 2), at(number, 1)))
            })
            .collect();
        while lock(&mark.waiting).len() < 8 {
            thread::yield_now();
        }
        drop(pen);
        for raised in asking {
            raised.join().unwrap().unwrap();
        }
    });
    assert_eq!(mark.counter(), 2);
    assert_eq!(disk.reopen().entries(), [("c0".to_owned(), at(8, 1)), ("c1".to_owned(), at(7, 1))]);
}

#[test]
fn all_that_share_a_failed_write_are_told() {
    let disk = Disk::new();
    let mark = disk.create();
    fs::create_dir(disk.stray()).unwrap();
    thread::scope(|scope| {
        let asking: Vec<_> = (1..=4)
            .map(|number| {
                let mark = &mark;
                scope.spawn(move || mark.raise("4k2j", at(number, 1)))
            })
            .collect();
        for raised in asking {
            assert!(raised.join().unwrap().is_err());
        }
    });
    assert_eq!(mark.position("4k2j"), None);
}

fn entry(seq: u64) -> Link {
    Link { seq, mac: [seq as u8; 32] }
}

#[test]
fn the_newest_entry_of_the_audit_is_written_along_with_the_next_change() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.note_audit(entry(120));
    mark.note_audit(entry(119));
    assert_eq!(disk.reopen().audit(), Link::START);
    mark.raise("4k2j", at(3, 7)).unwrap();
    assert_eq!((mark.audit(), mark.counter()), (entry(120), 2));
    let again = disk.reopen();
    assert_eq!((again.audit(), again.position("4k2j")), (entry(120), Some(at(3, 7))));
    again.raise("4k2j", at(4, 7)).unwrap();
    assert_eq!(disk.reopen().audit(), entry(120));
}

#[test]
fn a_clean_stop_writes_down_the_newest_entry_of_the_audit() {
    let disk = Disk::new();
    let mark = disk.create();
    mark.note_audit(entry(120));
    mark.keep_audit().unwrap();
    mark.keep_audit().unwrap();
    assert_eq!((disk.reopen().audit(), mark.counter()), (entry(120), 2));
}

#[test]
fn an_id_that_would_break_the_file_is_refused() {
    let disk = Disk::new();
    let mark = disk.create();
    for id in ["", "a b", "a\ncredential b 9 9", "é"] {
        assert_eq!(mark.raise(id, at(1, 1)).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{id:?}");
    }
}

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::*;
use crate::clock::Timestamp;
use crate::seal::MasterKey;

struct Disk {
    root: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("first")).unwrap();
        fs::create_dir(root.path().join("second")).unwrap();
        Self { root }
    }

    fn first(&self) -> PathBuf {
        self.root.path().join("first")
    }

    fn second(&self) -> PathBuf {
        self.root.path().join("second")
    }

    fn open(&self, count: usize) -> RescueSlots {
        RescueSlots::open(&self.first(), None, count, sealer(1)).unwrap()
    }

    fn open_both(&self, count: usize) -> RescueSlots {
        RescueSlots::open(&self.first(), Some(&self.second()), count, sealer(1)).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = fs::read_dir(self.first()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::from_bytes([byte; 32]))
}

fn rescued(generation: u64) -> Rescued {
    Rescued {
        credential: "4k2j".into(),
        epoch: 3,
        generation,
        fingerprint: Fingerprint::from_bytes([9; 16]),
        answer: RawAnswer {
            status: 200,
            retry_after: None,
            date: None,
            received_at: Timestamp::from_unix(1_700_000_000),
            body: Zeroizing::new(br#"{"refresh_token":"canary-rt-2"}"#.to_vec()),
        },
    }
}

fn contents(slots: &RescueSlots) -> Vec<Rescued> {
    slots.kept().into_iter().map(|(_slot, rescued)| rescued).collect()
}

#[test]
fn slots_have_their_space_before_they_need_it() {
    let disk = Disk::new();
    let slots = disk.open(3);
    assert_eq!((slots.free(), slots.capacity()), (3, 3));
    for path in disk.files() {
        let metadata = fs::metadata(path).unwrap();
        assert_eq!(metadata.len(), file::SIZE as u64);
        assert!(metadata.blocks() * 512 >= file::SIZE as u64, "sparse");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_kept_answer_is_there_after_a_kill() {
    let disk = Disk::new();
    let mut slot = disk.open(2).take().unwrap();
    assert_eq!(slot.keep(&rescued(7)).unwrap(), Kept::InFirst);
    // A kill runs no destructor.
    std::mem::forget(slot);
    let slots = disk.open(2);
    assert_eq!((slots.free(), slots.capacity()), (1, 2));
    assert_eq!(contents(&slots), [rescued(7)]);
    assert!(slots.damaged().is_empty());
}

#[test]
fn an_answer_lies_sealed_on_the_disk() {
    let disk = Disk::new();
    disk.open(1).take().unwrap().keep(&rescued(7)).unwrap();
    let bytes = fs::read(&disk.files()[0]).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"canary"));
    assert!(!format!("{:?}", rescued(7)).contains("canary"));
}

#[test]
fn a_cleared_slot_is_free_now_and_after_a_restart() {
    let disk = Disk::new();
    let slots = disk.open(1);
    let mut slot = slots.take().unwrap();
    slot.keep(&rescued(7)).unwrap();
    slot.clear().unwrap();
    assert_eq!(slots.free(), 1);
    let again = disk.open(1);
    assert_eq!(again.free(), 1);
    assert!(contents(&again).is_empty());
}

#[test]
fn a_replayed_slot_is_cleared_like_any_other() {
    let disk = Disk::new();
    disk.open(1).take().unwrap().keep(&rescued(7)).unwrap();
    let slots = disk.open(1);
    let (slot, _) = slots.kept().remove(0);
    assert!(slots.kept().is_empty(), "handed out once");
    slot.clear().unwrap();
    assert_eq!(slots.free(), 1);
    assert!(contents(&disk.open(1)).is_empty());
}

#[test]
fn no_more_slots_are_handed_out_than_there_are() {
    let disk = Disk::new();
    let slots = disk.open(2);
    let held = (slots.take().unwrap(), slots.take().unwrap());
    assert!(slots.take().is_none());
    drop(held.0);
    assert!(slots.take().is_some(), "a slot dropped unwritten is free");
}

#[test]
fn a_written_slot_that_is_dropped_stays_occupied() {
    let disk = Disk::new();
    let slots = disk.open(1);
    let mut slot = slots.take().unwrap();
    slot.keep(&rescued(7)).unwrap();
    drop(slot);
    assert_eq!(slots.free(), 0);
    assert!(slots.take().is_none());
    assert_eq!(contents(&disk.open(1)), [rescued(7)]);
}

#[test]
fn the_second_directory_takes_what_the_first_refuses() {
    let disk = Disk::new();
    let slots = disk.open_both(1);
    let mut slot = slots.take().unwrap();
    fs::remove_dir_all(disk.first()).unwrap();
    assert_eq!(slot.keep(&rescued(7)).unwrap(), Kept::InSecond);
    std::mem::forget(slot);
    fs::create_dir(disk.first()).unwrap();
    let again = disk.open_both(1);
    let (slot, found) = again.kept().remove(0);
    assert_eq!(found, rescued(7));
    slot.clear().unwrap();
    assert!(contents(&disk.open_both(1)).is_empty());
}

#[test]
fn a_refusal_names_every_directory_and_the_slot_can_be_asked_again() {
    let disk = Disk::new();
    let slots = disk.open_both(1);
    let mut slot = slots.take().unwrap();
    fs::remove_dir_all(disk.first()).unwrap();
    fs::remove_dir_all(disk.second()).unwrap();
    let text = slot.keep(&rescued(7)).unwrap_err().to_string();
    assert!(text.contains("first/slot-000") && text.contains("second/slot-000"), "{text}");
    assert!(slot.keep(&rescued(7)).is_err());
}

#[test]
fn a_full_disk_is_an_error_and_not_a_loss() {
    let disk = Disk::new();
    let slots = disk.open_both(1);
    let mut slot = slots.take().unwrap();
    slot.files = vec![SlotFile::of_a_full_disk()];
    assert_eq!(slot.keep(&rescued(7)).unwrap(), Kept::InSecond);
    assert!(slot.clear().is_err());
}

#[test]
fn no_slot_is_taken_from_a_disk_that_takes_no_write() {
    let disk = Disk::new();
    let slots = disk.open(2);
    fs::remove_file(&disk.files()[0]).unwrap();
    let slot = slots.take().unwrap();
    assert!(slots.take().is_none());
    drop(slot);
    fs::remove_dir_all(disk.first()).unwrap();
    assert!(slots.take().is_none());
}

#[test]
fn a_torn_write_is_reported_left_alone_and_costs_no_slot() {
    let used = file::content(&sealer(1), &rescued(7)).unwrap().len();
    for keep_bytes in [8, 12, 100, used - 1] {
        let disk = Disk::new();
        disk.open(1).take().unwrap().keep(&rescued(7)).unwrap();
        let path = disk.files().remove(0);
        let whole = fs::read(&path).unwrap();
        let mut torn = vec![0; file::SIZE];
        torn[..keep_bytes].copy_from_slice(&whole[..keep_bytes]);
        fs::write(&path, &torn).unwrap();
        let slots = disk.open(1);
        assert_eq!(slots.damaged().into_iter().map(|slot| slot.path).collect::<Vec<_>>(), std::slice::from_ref(&path));
        assert_eq!((slots.free(), slots.capacity()), (1, 1));
        assert!(contents(&slots).is_empty());
        let mut slot = slots.take().unwrap();
        slot.keep(&rescued(8)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), torn);
        assert_eq!(contents(&disk.open(1)), [rescued(8)]);
    }
}

#[test]
fn no_flipped_bit_of_a_slot_goes_unnoticed() {
    let disk = Disk::new();
    disk.open(1).take().unwrap().keep(&rescued(7)).unwrap();
    let path = disk.files().remove(0);
    let whole = fs::read(&path).unwrap();
    let used = file::content(&sealer(1), &rescued(7)).unwrap().len();
    let handle = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for index in 0..used {
        handle.write_all_at(&[whole[index] ^ 0x10], index as u64).unwrap();
        let slots = disk.open(0);
        assert_eq!(slots.damaged().len(), 1, "byte {index}");
        handle.write_all_at(&whole[index..=index], index as u64).unwrap();
    }
}

#[test]
fn a_slot_of_another_master_key_says_which_one_it_needs() {
    let disk = Disk::new();
    disk.open(1).take().unwrap().keep(&rescued(7)).unwrap();
    let slots = RescueSlots::open(&disk.first(), None, 1, sealer(2)).unwrap();
    assert!(slots.damaged()[0].reason.contains(&sealer(1).key_id().to_string()));
}

#[test]
fn a_shortened_file_is_damaged() {
    let disk = Disk::new();
    disk.open(1);
    fs::write(&disk.files()[0], "SX").unwrap();
    assert_eq!(disk.open(1).damaged().len(), 1);
}

#[test]
fn answers_beyond_a_lowered_count_are_found() {
    let disk = Disk::new();
    let slots = disk.open(3);
    let mut held: Vec<_> = (0..3).map(|_| slots.take().unwrap()).collect();
    held[2].keep(&rescued(7)).unwrap();
    drop(held);
    let slots = disk.open(1);
    assert_eq!(contents(&slots), [rescued(7)]);
}

#[test]
fn a_lowered_count_lowers_what_can_be_taken() {
    let disk = Disk::new();
    disk.open(3);
    let slots = disk.open(1);
    assert_eq!((slots.free(), slots.capacity()), (1, 1));
    assert_eq!(disk.files().len(), 3);
}

#[test]
fn strangers_in_the_directory_are_left_alone() {
    let disk = Disk::new();
    fs::write(disk.first().join("slot-1"), "mine").unwrap();
    fs::write(disk.first().join("notes"), "mine").unwrap();
    let slots = disk.open(1);
    assert_eq!(slots.free(), 1);
    assert_eq!(fs::read_to_string(disk.first().join("slot-1")).unwrap(), "mine");
}

#[test]
fn the_largest_answer_fits_and_a_larger_one_is_refused_before_it_is_written() {
    let disk = Disk::new();
    let mut slot = disk.open(1).take().unwrap();
    let mut large = rescued(7);
    large.credential = "x".repeat(64);
    large.answer.body = Zeroizing::new(vec![0xa5; 64 << 10]);
    slot.keep(&large).unwrap();
    assert_eq!(contents(&disk.open(1)), std::slice::from_ref(&large));
    large.answer.body = Zeroizing::new(vec![0xa5; file::SIZE]);
    assert!(matches!(slot.keep(&large), Err(RescueError::TooLarge)));
}

#[test]
fn a_missing_directory_is_named() {
    let disk = Disk::new();
    let error = RescueSlots::open(&disk.first().join("gone"), None, 1, sealer(1)).err().unwrap();
    assert!(error.to_string().contains("gone"), "{error}");
}

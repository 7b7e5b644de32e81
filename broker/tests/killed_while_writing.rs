//! SIGKILL at any moment: what a durable file said it had, it has.
//!
//! The test runs itself as the process to be killed. That process writes to slots, mark and spool without pause and
//! names on stdout each step that has returned; everything that was named must be found afterwards.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use scorpiox_broker::clock::Timestamp;
use scorpiox_broker::domain::fingerprint::Fingerprint;
use scorpiox_broker::high_water::{HighWater, Position, Reading};
use scorpiox_broker::provider::RawAnswer;
use scorpiox_broker::rescue::{RescueSlots, Rescued};
use scorpiox_broker::seal::{MasterKey, Sealer};
use scorpiox_broker::spool::Spool;
use zeroize::Zeroizing;

const DIRECTORY: &str = "SCORPIOX_TEST_KILLED_DIRECTORY";
const INSTANCE: &str = "0123456789abcdef";
const ROUNDS: u64 = 25;

struct Files {
    slots: RescueSlots,
    mark: HighWater,
    spool: Spool,
}

impl Files {
    fn open(directory: &Path) -> Self {
        let sealer = Sealer::new(&MasterKey::from_bytes([1; 32]));
        let path = directory.join("mark");
        let mark = match HighWater::read(&path, INSTANCE, sealer.clone()) {
            Reading::Missing => HighWater::create(&path, INSTANCE, sealer.clone()).unwrap(),
            Reading::Good(mark) => mark,
            other => panic!("{other:?}"),
        };
        let slots = RescueSlots::open(directory, None, 2, sealer.clone()).unwrap();
        let spool = Spool::open(&directory.join("spool"), 64 << 10, sealer).unwrap();
        Self { slots, mark, spool }
    }
}

fn rescued(generation: u64) -> Rescued {
    Rescued {
        credential: "4k2j".into(),
        epoch: generation,
        generation,
        fingerprint: Fingerprint::from_bytes([9; 16]),
        answer: RawAnswer {
            status: 200,
            retry_after: None,
            date: None,
            received_at: Timestamp::from_unix(1_700_000_000),
            body: Zeroizing::new(vec![generation as u8; 60 << 10]),
        },
    }
}

/// What the killed process had said when it died.
#[derive(Default)]
struct Said {
    kept: u64,
    raised: u64,
    spooled: u64,
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut torn = 0;
    for round in 0..ROUNDS {
        let said = run_and_kill(directory.path(), 5 + round as usize * 3 % 17);
        let Files { slots, mark, spool } = Files::open(directory.path());
        torn += slots.damaged().len();
        assert_eq!(slots.capacity(), 2);
        let found = slots.kept();
        // Clearing begins once this was said; before that, the answer must be there.
        if said.kept > said.spooled {
            assert!(found.iter().any(|(_, found)| found.generation >= said.kept), "round {round}");
        }
        for (slot, found) in found {
            assert_eq!(found, rescued(found.generation));
            slot.clear().unwrap();
        }
        let position = mark.position("4k2j").unwrap_or_default();
        assert!(position.generation >= said.raised, "round {round}");
        let drained = spool.drain().unwrap();
        let newest = drained.records.last().map_or(0, |record| String::from_utf8_lossy(record).parse().unwrap());
        assert!(newest >= said.spooled, "round {round}: {newest} < {}", said.spooled);
        spool.clear(&drained).unwrap();
        for damaged in slots.damaged() {
            std::fs::remove_file(damaged.path).unwrap();
        }
    }
    println!("{torn} of {ROUNDS} kills tore a slot");
}

fn run_and_kill(directory: &Path, lines: usize) -> Said {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_one_process_wrote_the_next_one_finds", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Said::default();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        let Some((word, number)) = line.split_once('=') else { continue };
        let Ok(number) = number.parse() else { continue };
        match word {
            "kept" => said.kept = number,
            "cleared" => {}
            "raised" => said.raised = number,
            "spooled" => said.spooled = number,
            _ => continue,
        }
        seen += 1;
        // Reading goes on to the end: what was said before the signal counts, too.
        if seen == lines {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= lines, "it stopped by itself after {seen} steps");
    said
}

/// The other test starts this one in a directory of its own and kills it; nobody kills it otherwise.
#[test]
fn what_one_process_wrote_the_next_one_finds() {
    if let Ok(directory) = std::env::var(DIRECTORY) {
        return write(Path::new(&directory), u64::MAX);
    }
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), 3);
    let Files { slots, mark, spool } = Files::open(directory.path());
    assert!(slots.kept().is_empty() && slots.damaged().is_empty());
    assert_eq!(mark.position("4k2j").unwrap(), Position { epoch: 3, generation: 3 });
    assert_eq!(spool.drain().unwrap().records, [b"1", b"2", b"3"]);
}

/// Writes so many generations, and names each step that has returned.
fn write(directory: &Path, generations: u64) {
    let Files { slots, mark, spool } = Files::open(directory);
    let say = |word: &str, number: u64| println!("\n{word}={number}");
    let start = mark.position("4k2j").unwrap_or_default().generation;
    for generation in (start + 1..).take(usize::try_from(generations).unwrap_or(usize::MAX)) {
        let mut slot = slots.take().unwrap();
        slot.keep(&rescued(generation)).unwrap();
        say("kept", generation);
        mark.raise("4k2j", Position { epoch: generation, generation }).unwrap();
        say("raised", generation);
        spool.append(&[generation.to_string().into_bytes()]).unwrap();
        say("spooled", generation);
        slot.clear().unwrap();
        say("cleared", generation);
    }
}

//! Randomized schedules: faults, kills, lost writes, refusals, logins, pauses and clock jumps in any order, against the
//! real rotator on real SQLite. After each, the five invariants of a rotation must hold, and once the faults have ended
//! every login that is not lost for a reason is renewed again.
//!
//! ```sh
//! SCHEDULE_COUNT=10000 cargo test -p scorpiox-tests --test stories schedules -- --nocapture
//! SCHEDULE_SEED=12345 SCHEDULE_COUNT=1 cargo test -p scorpiox-tests --test stories schedules -- --nocapture
//! ```
//!
//! With `SCHEDULE_LOG=info` a replay tells its acts and the broker's log. A kill comes in the middle of something, after so
//! many waits for the disk; what has happened by then depends a little on how busy the machine is. So a seed that failed on
//! a busy machine is replayed on a busy machine, and some fifty times.
//!
//! * [`dice`]: decisions from a seed.
//! * [`trips`]: what goes wrong on the way to the provider.
//! * [`acts`]: what happens to a broker.
//! * [`observer`]: what clients see, and what they must see.
//! * [`verdict`]: what became of each login, and whether there was a reason.
//! * [`play`]: one schedule.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

mod acts;
pub(crate) mod dice;
mod observer;
mod play;
mod trips;
mod verdict;

use scorpiox_broker::config::{Log, LogFormat};
use scorpiox_broker::telemetry;
use verdict::Tally;

/// How many run when nobody says: enough to notice, few enough to wait for.
const COUNT: u64 = 500;
/// After so many failures the rest would only repeat them.
const ENOUGH: usize = 5;

#[test]
fn randomized_schedules_keep_the_invariants_and_lose_only_what_nobody_could_have_kept() {
    if let Ok(level) = env::var("SCHEDULE_LOG") {
        telemetry::start(&Log { level, format: LogFormat::Human }, true).expect("nobody else has started a log");
    }
    let first = number("SCHEDULE_SEED").unwrap_or_else(any_seed);
    let count = number("SCHEDULE_COUNT").unwrap_or(COUNT);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    println!("SCHEDULE_SEED={first} SCHEDULE_COUNT={count} on {threads} threads");
    let next = AtomicU64::new(0);
    let (tally, failures) = (Mutex::new(Tally::default()), Mutex::new(Vec::<String>::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let offset = next.fetch_add(1, Ordering::Relaxed);
                    if offset >= count || failures.lock().unwrap().len() >= ENOUGH {
                        return;
                    }
                    let seed = first.wrapping_add(offset);
                    match panic::catch_unwind(AssertUnwindSafe(|| play::play(seed))) {
                        Ok(played) => tally.lock().unwrap().add(&played),
                        Err(why) => {
                            let failure = format!("SCHEDULE_SEED={seed}: {}", message(&*why));
                            // At once, and on the stream that nobody puts aside.
                            println!("FAILED {failure}");
                            failures.lock().unwrap().push(failure);
                        }
                    }
                }
            });
        }
    });
    println!("{}", tally.into_inner().unwrap());
    let failures = failures.into_inner().unwrap();
    // Once more at the end, where it is looked for.
    failures.iter().for_each(|failure| println!("FAILED {failure}"));
    assert!(failures.is_empty(), "each of these can be replayed with SCHEDULE_COUNT=1:\n{}", failures.join("\n"));
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn any_seed() -> u64 {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine has a random source");
    u64::from(u32::from_be_bytes(bytes))
}

fn message(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().map(String::as_str).or_else(|| why.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

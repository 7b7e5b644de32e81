//! Rotations, crashes and lost answers, with the fake provider's log as the judge.
//!
//! * [`kills`][]: R1–R6.
//! * [`doubt`]: an answer that nobody heard, R7.
//! * [`verdicts`]: what answers mean, R8–R11.
//! * [`storage`]: the disk fails, R12, R17, R18.
//! * [`crowd`]: many ask at once, R13–R16.
//! * [`calendar`]: somebody sets the clock, R19.
//! * [`damage`]: cells that were changed or moved, S1.
//! * [`rollback`]: a database or mark that is older than it should be, S2.
//! * [`provider`]: a provider that misbehaves, P1–P8.

#[path = "rotation_calendar.rs"]
mod calendar;
#[path = "rotation_crowd.rs"]
mod crowd;
#[path = "rotation_damage.rs"]
mod damage;
#[path = "rotation_doubt.rs"]
mod doubt;
#[path = "rotation_kills.rs"]
mod kills;
#[path = "rotation_provider.rs"]
mod provider;
#[path = "rotation_rollback.rs"]
mod rollback;
#[path = "rotation_storage.rs"]
mod storage;
#[path = "rotation_verdicts.rs"]
mod verdicts;

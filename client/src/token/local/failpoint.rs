//! Named places between the effects of a renewal, where a test can kill the process.
//!
//! Without the `failpoints` feature every call is empty. With it, `SCORPIOX_CLIENT_FAILPOINT` names the place at which
//! the process kills itself.

/// The places, in the order in which a renewal passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// The lock is held.
    Locked,
    /// The backup is kept and the place for the answer is taken.
    Prepared,
    /// The presentation is on record; the next step sends it.
    Armed,
    /// The answer is in memory only.
    Answered,
    /// The answer is rescued.
    Rescued,
    /// The file has the new tokens.
    Saved,
    /// The record is clear; the answer is still in its place.
    Settled,
}

impl Point {
    /// All of them, in order.
    pub const ALL: [Self; 7] =
        [Self::Locked, Self::Prepared, Self::Armed, Self::Answered, Self::Rescued, Self::Saved, Self::Settled];

    /// The name in `SCORPIOX_CLIENT_FAILPOINT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Prepared => "prepared",
            Self::Armed => "armed",
            Self::Answered => "answered",
            Self::Rescued => "rescued",
            Self::Saved => "saved",
            Self::Settled => "settled",
        }
    }
}

/// Passes a point.
#[cfg(feature = "failpoints")]
pub fn reach(point: Point) {
    if std::env::var_os("SCORPIOX_CLIENT_FAILPOINT").is_some_and(|name| name == point.name()) {
        let this = rustix::process::getpid();
        rustix::process::kill_process(this, rustix::process::Signal::KILL).expect("a process may signal itself");
    }
}

/// Passes a point.
#[cfg(not(feature = "failpoints"))]
pub fn reach(_: Point) {}

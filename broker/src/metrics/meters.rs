//! Counts and durations, written where things happen: an atomic addition each.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use scorpiox_wire::Code;

use crate::holding::{Failure, Outcome};

/// Everything that is counted. Cheap to clone; clones count into the same place.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    /// Rotations by what came of them.
    pub rotations: Rotations,
    /// From the first byte of a redemption to the end of its answer.
    pub exchange: Span<Exchange>,
    /// From the end of an answer to its being safe in a rescue slot: a crash in between loses a login (matrix R4).
    pub rescue: Span<Rescue>,
    /// Answers to token requests.
    pub answers: Answers,
    /// Token requests that wait for a rotation now.
    pub waiting: Gauge,
    /// Token requests that have waited for one.
    pub waited: Counter,
    /// The threads that hash passwords.
    pub passwords: PasswordMeters,
    /// Open connections of each listener.
    pub connections: Connections,
    /// Alerts by what came of them.
    pub alerts: AlertMeters,
}

/// What the pool that hashes passwords tells.
#[derive(Debug, Clone, Default)]
pub struct PasswordMeters {
    /// Hashes being computed.
    pub busy: Gauge,
    /// Hashes that wait for a thread.
    pub queued: Gauge,
    /// Logins that were turned away because too many waited.
    pub refused: Counter,
}

/// Open connections of each listener.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    /// The client listener.
    pub clients: Gauge,
    /// The administration's TLS listener.
    pub administration: Gauge,
    /// The administration's Unix socket.
    pub socket: Gauge,
    /// The listener for metrics.
    pub metrics: Gauge,
}

impl Connections {
    /// Each with its name.
    pub fn named(&self) -> [(&'static str, &Gauge); 4] {
        [
            ("clients", &self.clients),
            ("administration", &self.administration),
            ("socket", &self.socket),
            ("metrics", &self.metrics),
        ]
    }
}

/// Alerts by what came of them.
#[derive(Debug, Clone, Default)]
pub struct AlertMeters {
    /// Delivered.
    pub delivered: Counter,
    /// Attempts that failed.
    pub failed: Counter,
    /// Given up: too old, or too many waited.
    pub given_up: Counter,
}

/// Counts a connection for as long as this lives.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    /// One more.
    pub fn by(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Rotations by what came of them.
#[derive(Debug, Clone, Default)]
pub struct Rotations([Counter; Rotations::WORDS.len()]);

impl Rotations {
    /// What may come of a rotation, as label values.
    pub const WORDS: [&'static str; 10] = [
        "renewed",
        "unsent",
        "refused",
        "in_doubt",
        "reauth",
        "quarantined",
        "superseded",
        "no_slot",
        "storage_failed",
        "panicked",
    ];

    /// One ended.
    pub fn ended(&self, outcome: &Outcome) {
        self.0[place(outcome)].inc();
    }

    /// Each word with its count.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, &Counter)> {
        Self::WORDS.into_iter().zip(&self.0)
    }
}

/// What came of a rotation, in one word.
pub fn outcome_word(outcome: &Outcome) -> &'static str {
    Rotations::WORDS[place(outcome)]
}

fn place(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Renewed(_) => 0,
        Outcome::Failed(Failure::Unsent(_)) => 1,
        Outcome::Failed(Failure::NotConsumed(_)) => 2,
        Outcome::Failed(Failure::InDoubt(_)) => 3,
        Outcome::Failed(Failure::Ended) => 4,
        Outcome::Failed(Failure::Quarantined) => 5,
        Outcome::Failed(Failure::Superseded) => 6,
        Outcome::Failed(Failure::NoSlot) => 7,
        Outcome::Failed(Failure::Storage(_)) => 8,
        Outcome::Failed(Failure::Panicked) => 9,
    }
}

/// Answers to token requests: one relaxed addition each, because this is the hot path.
#[derive(Debug, Clone)]
pub struct Answers {
    served: Counter,
    unchanged: Counter,
    refused: Vec<(Code, Counter)>,
}

impl Default for Answers {
    fn default() -> Self {
        let refused = Code::ALL.iter().map(|code| (*code, Counter::default())).collect();
        Self { served: Counter::default(), unchanged: Counter::default(), refused }
    }
}

impl Answers {
    /// A token was handed out.
    pub fn served(&self) {
        self.served.inc();
    }

    /// The client has the current token already.
    pub fn unchanged(&self) {
        self.unchanged.inc();
    }

    /// Nothing was handed out.
    pub fn refused(&self, code: Code) {
        if let Some((_, counter)) = self.refused.iter().find(|(known, _)| *known == code) {
            counter.inc();
        }
    }

    /// Kind, code and count of each.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, &'static str, &Counter)> {
        let good = [("served", "ok", &self.served), ("unchanged", "ok", &self.unchanged)];
        let refused = self.refused.iter().map(|(code, counter)| ("refused", code.as_str(), counter));
        good.into_iter().chain(refused)
    }
}

/// The upper ends of a histogram's buckets, in seconds.
pub trait Buckets {
    /// Smallest first.
    const SECONDS: &'static [f64];
}

/// An exchange with the provider: bounded by 30 s.
#[derive(Debug, Clone, Copy)]
pub struct Exchange;

impl Buckets for Exchange {
    const SECONDS: &'static [f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
}

/// A synced write.
#[derive(Debug, Clone, Copy)]
pub struct Rescue;

impl Buckets for Rescue {
    const SECONDS: &'static [f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
}

/// A histogram of durations.
#[derive(Debug, Clone)]
pub struct Span<B> {
    histogram: Histogram,
    buckets: std::marker::PhantomData<B>,
}

impl<B: Buckets> Default for Span<B> {
    fn default() -> Self {
        let histogram = Histogram::new(B::SECONDS.iter().copied());
        Self { histogram, buckets: std::marker::PhantomData }
    }
}

impl<B> Span<B> {
    /// One took so long.
    pub fn took(&self, span: Duration) {
        self.histogram.observe(span.as_secs_f64());
    }

    /// For the text.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_of_a_rotation_has_a_series_of_its_own() {
        let text = String::new;
        let outcomes = [
            Outcome::Renewed(2),
            Outcome::Failed(Failure::Unsent(text())),
            Outcome::Failed(Failure::NotConsumed(text())),
            Outcome::Failed(Failure::InDoubt(text())),
            Outcome::Failed(Failure::Ended),
            Outcome::Failed(Failure::Quarantined),
            Outcome::Failed(Failure::Superseded),
            Outcome::Failed(Failure::NoSlot),
            Outcome::Failed(Failure::Storage(text())),
            Outcome::Failed(Failure::Panicked),
        ];
        let rotations = Rotations::default();
        for outcome in &outcomes {
            rotations.ended(outcome);
        }
        assert!(rotations.counted().all(|(_, counter)| counter.get() == 1));
    }

    #[test]
    fn each_answer_is_counted_once_under_its_kind_and_code() {
        let answers = Answers::default();
        answers.served();
        answers.unchanged();
        for code in Code::ALL {
            answers.refused(*code);
        }
        assert!(answers.counted().all(|(_, _, counter)| counter.get() == 1));
        assert_eq!(answers.counted().count(), 2 + Code::ALL.len());
    }

    #[test]
    fn a_connection_is_counted_while_it_is_open() {
        let connections = Connections::default();
        let open = Counted::by(&connections.clients);
        assert_eq!(connections.named()[0].1.get(), 1);
        drop(open);
        assert_eq!(connections.clients.get(), 0);
    }
}

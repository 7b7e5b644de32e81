//! Why an answer did not come, and what may be done about it.

use std::time::Duration;

use jiff::Timestamp;

use crate::failure::{Class, Failure, visible};

/// Why an answer did not come. The message is visible text, bounded, and may be shown as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What may be done about it.
    pub remedy: Remedy,
    message: String,
}

/// What may be done after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Send the same request again, not sooner than the backend said.
    AskAgain {
        /// From now on; `None` when it did not say.
        after: Option<Duration>,
    },
    /// Send the same request again with another token than the one that was refused; once.
    RenewToken,
    /// Make the conversation shorter: it no longer fits the model's window.
    Shorten,
    /// Leave out the image that the backend takes for none; it does not say which.
    LeaveOutImages,
    /// Nothing before the account's limit ends.
    WaitUntil {
        /// Unix seconds; `None` when the backend did not say.
        resets_at: Option<i64>,
    },
    /// Nothing: the same request would be answered the same way.
    GiveUp,
}

impl Fault {
    /// A fault. The text may come from anywhere: what cannot be shown is replaced.
    pub fn new(remedy: Remedy, message: impl AsRef<str>) -> Self {
        Self { remedy, message: visible(message.as_ref()) }
    }

    /// The same request may be sent again: a connection that failed, a stream that was cut or went silent.
    pub fn passing(message: impl AsRef<str>) -> Self {
        Self::new(Remedy::AskAgain { after: None }, message)
    }
}

impl From<Fault> for Failure {
    /// What a command says and returns when the remedy is exhausted.
    fn from(fault: Fault) -> Self {
        let class = match fault.remedy {
            Remedy::AskAgain { .. } | Remedy::WaitUntil { .. } => Class::Temporary,
            Remedy::RenewToken | Remedy::Shorten | Remedy::LeaveOutImages | Remedy::GiveUp => Class::PersonMustAct,
        };
        let failure = Self::new(class, fault.message);
        match fault.remedy {
            Remedy::AskAgain { after } => failure.with_retry_after(after),
            Remedy::RenewToken => failure.with_hint("log in again, or ask whoever runs the broker"),
            Remedy::Shorten => failure.with_hint("begin a new conversation"),
            Remedy::WaitUntil { resets_at } => match resets_at.and_then(|at| Timestamp::from_second(at).ok()) {
                Some(at) => failure.with_hint(format!("it ends at {at}; scorpiox-codex-usage shows it in local time")),
                None => failure.with_hint("scorpiox-codex-usage shows when it ends"),
            },
            Remedy::LeaveOutImages => failure.with_hint("ask again without the image"),
            Remedy::GiveUp => failure,
        }
    }
}

/// How often one request is repeated after passing faults.
pub const MOST_REPEATS: u32 = 5;
/// A pause that the backend asks for is not sat out when it is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// How long to wait before the request is sent again, when it may be: 200 ms, doubled each time, or what the backend
/// said. `repeats` were made already; `jitter` is a random number of 0 to 1, for clients that failed together.
pub fn pause_before_repeat(fault: &Fault, repeats: u32, jitter: f64) -> Option<Duration> {
    let Remedy::AskAgain { after } = fault.remedy else { return None };
    if repeats >= MOST_REPEATS {
        return None;
    }
    let grown = || FIRST_PAUSE * 2_u32.pow(repeats);
    // A tenth more or less; never less than what the backend said.
    let pause = match after {
        Some(said) => said.mul_f64(1.0 + 0.1 * jitter.clamp(0.0, 1.0)),
        None => grown().mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0)),
    };
    (after.unwrap_or_default() <= LONGEST_PAUSE).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remedy_ends_with_its_exit_code() {
        let cases = [
            (Remedy::AskAgain { after: Some(Duration::from_secs(3)) }, 75),
            (Remedy::WaitUntil { resets_at: Some(7) }, 75),
            (Remedy::RenewToken, 69),
            (Remedy::Shorten, 69),
            (Remedy::LeaveOutImages, 69),
            (Remedy::GiveUp, 69),
        ];
        for (remedy, code) in cases {
            assert_eq!(Failure::from(Fault::new(remedy, "x")).class.exit_code(), code, "{remedy:?}");
        }
        let waits = Failure::from(Fault::new(cases[0].0, "a\u{1b}[31mb"));
        assert_eq!((waits.retry_after, waits.to_string().as_str()), (Some(Duration::from_secs(3)), "a?[31mb"));
    }

    #[test]
    fn a_limit_says_when_it_ends() {
        let said = |resets_at| Failure::from(Fault::new(Remedy::WaitUntil { resets_at }, "limit")).to_string();
        let ends = "limit; it ends at 2026-05-05T00:29:28Z; scorpiox-codex-usage shows it in local time";
        assert_eq!(said(Some(1_777_940_968)), ends);
        for unknown in [None, Some(i64::MAX)] {
            assert_eq!(said(unknown), "limit; scorpiox-codex-usage shows when it ends");
        }
    }

    #[test]
    fn a_passing_fault_is_repeated_five_times_at_growing_distances() {
        let fault = Fault::passing("cut");
        let pauses = |jitter| {
            let pauses = (0..7).map_while(|repeats| pause_before_repeat(&fault, repeats, jitter));
            pauses.map(|pause| pause.as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(pauses(0.5), [200, 400, 800, 1600, 3200]);
        assert_eq!(pauses(0.0), [180, 360, 720, 1440, 2880]);
        assert_eq!(pauses(1.0), [220, 440, 880, 1760, 3520]);
    }

    #[test]
    fn a_pause_that_the_backend_names_is_kept_unless_it_is_long() {
        let said = |seconds| Fault::new(Remedy::AskAgain { after: Some(Duration::from_secs(seconds)) }, "busy");
        assert_eq!(pause_before_repeat(&said(11), 0, 0.0), Some(Duration::from_secs(11)));
        assert_eq!(pause_before_repeat(&said(60), 4, 1.0), Some(Duration::from_secs(66)));
        assert_eq!(pause_before_repeat(&said(61), 0, 0.5), None);
    }

    #[test]
    fn nothing_else_is_repeated_by_itself() {
        let limit = Remedy::WaitUntil { resets_at: None };
        for remedy in [Remedy::RenewToken, Remedy::Shorten, Remedy::LeaveOutImages, limit, Remedy::GiveUp] {
            assert_eq!(pause_before_repeat(&Fault::new(remedy, "x"), 0, 0.5), None);
        }
    }
}

//! Why a call has no answer.

use std::io;
use std::path::PathBuf;

use scorpiox_wire::{Code, Problem};

use super::PATIENCE;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody listens there: nothing was sent.
    #[error("no broker answers at {path} ({source})", path = .socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The socket's permissions keep this user out: nothing was sent.
    #[error("this user may not use {}", .0.display())]
    NotAllowed(PathBuf),
    /// Nobody who could be trusted answers there: nothing was sent.
    #[error("no broker can be asked at {url}: {why}")]
    Unreachable {
        /// What was given as its address.
        url: String,
        /// The reason.
        why: String,
    },
    /// The broker said no.
    #[error("{problem}")]
    Refused {
        /// The HTTP status, which decides when the code is of a newer broker.
        status: u16,
        /// Its reason.
        problem: Problem,
    },
    /// The connection broke: whether the broker has done it is unknown.
    #[error("the broker went away before it answered ({0}); whether it was done is unknown")]
    Lost(String),
    /// It did not answer in time: whether it will still do it is unknown.
    #[error("the broker did not answer within {} s; whether it was done is unknown", PATIENCE.as_secs())]
    Silent,
    /// An answer that this version does not understand.
    #[error("the broker's answer is not understood (status {status}: {why}); is it another version?")]
    Strange {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer, without repeating it.
        why: String,
    },
}

impl AdminError {
    /// Whether the same call may succeed a little later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Refused { status, problem } => match problem.code {
                Code::Unknown => matches!(*status, 408 | 429 | 503),
                code => matches!(code.status(), 408 | 429 | 503),
            },
            Self::Silent => true,
            Self::NotRunning { .. }
            | Self::NotAllowed(_)
            | Self::Unreachable { .. }
            | Self::Lost(_)
            | Self::Strange { .. } => false,
        }
    }
}

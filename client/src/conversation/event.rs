//! What a model's answer brings while it arrives.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::item::Item;

/// One event of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The backend works on it.
    Created,
    /// Something begins; what it is. For display: only [`Event::Item`] counts.
    Began(Begun),
    /// The next piece of the message's text. For display.
    Text(String),
    /// Another section of the reasoning's summary begins. For display.
    SummarySection,
    /// The next piece of the reasoning's summary. For display.
    Summary(String),
    /// The next piece of the reasoning itself, of models that show it. For display.
    Reasoning(String),
    /// The next piece of what a freeform tool is given. For display.
    CallInput(String),
    /// An item is finished: this belongs to the conversation, and only once the answer is complete.
    Item(Item),
    /// The model that really answers; it may be another one than was asked.
    Model(String),
    /// To be sent along with the further requests of this turn, in the header `x-codex-turn-state`; visible ASCII.
    TurnState(String),
    /// How much of the plan's limits is in use: at least one window, the shortest first.
    Windows(Vec<Window>),
    /// The answer is complete.
    Completed(Completed),
    /// There will be no answer.
    Failed(Fault),
}

/// What begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// A message.
    Message,
    /// Reasoning.
    Reasoning,
    /// A call of the tool of this name.
    Call(String),
}

/// A span of time within which so much may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its length; `None` when the backend does not say.
    pub minutes: Option<u64>,
    /// How much of it is used: 0 to 1000, and more when more was used.
    pub used_per_mille: u32,
    /// When it begins anew, Unix seconds.
    pub resets_at: Option<i64>,
}

/// The end of a complete answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Completed {
    /// What it cost, if the backend said.
    pub usage: Option<Usage>,
    /// Whose move it is now.
    pub whose_move: Move,
}

/// Whose move it is after an answer without a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Move {
    /// The person's.
    #[default]
    Person,
    /// The model's: it wants to be asked again.
    Model,
}

/// Tokens of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Read by the model, cached ones included.
    pub input_tokens: u64,
    /// Of these, read from the cache.
    pub cached_tokens: u64,
    /// Written by the model, reasoning included.
    pub output_tokens: u64,
    /// Of these, reasoning.
    pub reasoning_tokens: u64,
    /// What of the model's window is now in use.
    pub total_tokens: u64,
}

impl Usage {
    /// Counts another answer in.
    pub fn add(&mut self, more: &Self) {
        self.input_tokens += more.input_tokens;
        self.cached_tokens += more.cached_tokens;
        self.output_tokens += more.output_tokens;
        self.reasoning_tokens += more.reasoning_tokens;
        // What is in use of the window is said anew by each answer.
        self.total_tokens = more.total_tokens;
    }
}

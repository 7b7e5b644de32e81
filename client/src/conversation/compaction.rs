//! A conversation that no longer fits its model's window, made shorter: the model writes a summary, which takes the
//! place of everything but the person's latest messages. Pure.
//!
//! * [`summarising`]: what the model is asked for it. * [`kept`]: what the conversation is afterwards.
//!
//! ```text
//! let mut asking = Summarising::of(source(&history, &turn), window, focus);
//! // a responses::Request of asking.items() and asking.prompt(), without tools
//! // does not fit: asking.shorten(), and again
//! let after = kept::after(source(&history, &turn), &summarising::summary(&answer)?, earlier);
//! turn.compact(&mut history, after);
//! ```

pub mod kept;
pub mod summarising;
#[cfg(test)]
mod tests;

use super::history::History;
use super::item::Item;
use super::size;
use super::turn::Turn;

/// A compaction has to save this share of what is in use, or it is not worth its price.
const LEAST_SAVED: u64 = 10;

/// Whether a conversation is to be made shorter before the model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It fits.
    NotYet,
    /// It takes so many tokens, which is too much.
    Now {
        /// In use.
        tokens: u64,
    },
    /// It takes too many tokens, and most of them are none that a summary could save.
    InVain {
        /// In use.
        tokens: u64,
    },
}

/// At how many tokens a conversation is made shorter: the least of what the model's entry says, of what fits into it,
/// and of what the person set.
pub fn limit(compact_at_tokens: u64, context_tokens: u64, threshold: Option<u64>) -> u64 {
    compact_at_tokens.min(context_tokens).min(threshold.unwrap_or(u64::MAX))
}

/// Whether the conversation with this turn is to be made shorter.
pub fn due(history: &History, turn: &Turn, limit: u64) -> Due {
    let tokens = turn.tokens(history);
    if tokens < limit.max(history.compact_not_below()) {
        return Due::NotYet;
    }
    let source = source(history, turn);
    if source.is_empty() {
        return Due::NotYet;
    }
    let saved = size::of_items(source.iter()).saturating_sub(size::of_items(&kept::after(&source, "", None)));
    if saved.saturating_mul(LEAST_SAVED) < tokens { Due::InVain { tokens } } else { Due::Now { tokens } }
}

/// What a summary would stand for: the conversation, and the turn as far as the model has answered in it. The prompt
/// of a turn that nobody has answered yet stays as it is.
pub fn source(history: &History, turn: &Turn) -> Vec<Item> {
    let answered = if turn.is_answered() { turn.items() } else { &[] };
    history.items().iter().chain(answered).cloned().collect()
}

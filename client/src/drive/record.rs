//! What becomes part of a conversation, for whoever keeps it.

use serde::{Deserialize, Serialize};

use super::Manner;
use crate::conversation::event::Usage;
use crate::conversation::item::{Call, Item, Output};
use crate::talk::Talk;

/// What becomes part of the conversation, in the moment in which it does.
///
/// ```text
/// ( Begun  ( Answered  Ran* | Compacted | ImagesRefused )*  Ended | Compacted )*
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Happening<'a> {
    /// A turn begins with this prompt; the model is about to be asked in this manner.
    Begun {
        /// What the turn begins with.
        prompt: &'a [Item],
        /// How the model is asked.
        manner: &'a Manner,
    },
    /// The model answered completely; its tools have not run yet.
    Answered {
        /// What of it belongs to the conversation.
        items: &'a [Item],
        /// What it cost, if the backend said.
        usage: Option<Usage>,
    },
    /// A tool answered; nobody has seen it yet.
    Ran(&'a Call, &'a Output),
    /// All that was said so far is from now on told by these items; what a turn began with stays as it is as long as
    /// the model has not answered in it.
    Compacted {
        /// The conversation from now on.
        items: &'a [Item],
        /// What it cost to write them, if the backend said.
        usage: Option<Usage>,
    },
    /// The backend took an image for none, and the images that are most likely meant have been left out.
    ImagesRefused,
    /// The turn is over.
    Ended(Ending),
}

/// How a turn came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The model has said all that it would.
    Finished,
    /// The person stopped it.
    Stopped,
    /// It failed.
    Failed,
}

/// What was said before a conversation was made shorter.
#[derive(Debug, Clone)]
pub enum Earlier<'a> {
    /// All of it from the beginning, as a document.
    Whole(String),
    /// What the model was told of it last.
    Told(&'a [Item]),
}

/// Who keeps what was said. Whatever goes wrong with that does not stop the conversation.
pub trait Recorder {
    /// Something belongs to the conversation from now on.
    fn record(&mut self, happening: Happening<'_>, talk: &mut Talk);

    /// All that was said from the beginning, as a document; `None` when it is not kept.
    fn document(&self) -> Option<String> {
        None
    }
}

/// Nobody keeps anything.
#[derive(Debug, Clone, Copy)]
pub struct Unrecorded;

impl Recorder for Unrecorded {
    fn record(&mut self, _: Happening<'_>, _: &mut Talk) {}
}

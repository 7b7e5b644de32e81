//! What the model is asked for a summary.

use crate::conversation::item::{Item, Message, Role};
use crate::conversation::reply::Answer;
use crate::conversation::{history, images, size};

const PROMPT: &str = "\
The conversation has become too long. Everything above is about to be replaced by what you write now; of the rest only \
the developer's latest messages stay. Write the notes that you yourself need to go on without a break:

1. What the developer wants, with every condition and preference that was stated, in their own words where the words matter.
2. What has been done and decided, and why; what was tried and failed, and how.
3. How things stand: files that were read or changed and what is in them that matters (paths, names, lines), commands \
that matter and what they showed, errors word for word.
4. What is under way and what is left, in its order; the very next step first.
5. Whatever else would be costly to find out again.

Be exact, and leave out what no longer matters. Call no tool and answer nothing: write the notes only.";
const FOCUS: &str = "\n\nAbove all, the developer wants this to be kept: ";
/// What stands where an image was.
pub(super) const IMAGE: &str = "[an image was here; it is not shown again]";
/// The longest summary that is kept, in tokens.
const LONGEST: u64 = 16_000;
/// What is left out each time that the conversation does not fit: one part in so many.
const PARTS: u64 = 8;

/// The question for a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summarising {
    items: Vec<Item>,
    prompt: Item,
}

/// Whether the question can be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortened {
    /// It is shorter now.
    Shorter,
    /// There is nothing left to leave out.
    NothingLeft,
}

impl Summarising {
    /// Asks about these items, as far as they fit into a window of so many tokens. `focus` is what the person wants to
    /// be kept above all.
    pub fn of(items: Vec<Item>, window: u64, focus: Option<&str>) -> Self {
        let focus = focus.map(|focus| format!("{FOCUS}{focus}")).unwrap_or_default();
        let prompt = Item::user(format!("{PROMPT}{focus}"));
        let mut items = history::complete(items);
        images::leave_out(&mut items, usize::MAX, IMAGE);
        let mut asking = Self { items, prompt };
        while size::of_items(&asking.items) > window && asking.shorten() == Shortened::Shorter {}
        asking
    }

    /// The conversation.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What is asked of it.
    pub fn prompt(&self) -> &Item {
        &self.prompt
    }

    /// Leaves out the oldest items, calls together with their outputs: an eighth of what is there, at least one, never
    /// all.
    pub fn shorten(&mut self) -> Shortened {
        let (items, most) = (self.items.len(), size::of_items(&self.items));
        let enough = most - most / PARTS;
        while self.leave_out_oldest() && size::of_items(&self.items) > enough {}
        if self.items.len() < items { Shortened::Shorter } else { Shortened::NothingLeft }
    }

    /// Whether there was one that could be left out.
    fn leave_out_oldest(&mut self) -> bool {
        let call_id = self.items.first().and_then(Item::as_call).map(|call| call.call_id);
        let counterpart = |item: &Item| call_id.as_ref().is_some_and(|call_id| answers(item, call_id));
        if self.items.iter().skip(1).all(counterpart) {
            return false;
        }
        self.items.remove(0);
        self.items.retain(|item| !counterpart(item));
        true
    }
}

fn answers(item: &Item, call_id: &str) -> bool {
    matches!(item, Item::FunctionCallOutput(output) | Item::CustomToolCallOutput(output) if output.call_id == call_id)
}

/// The model's summary; `None` when it wrote none.
pub fn summary(answer: &Answer) -> Option<String> {
    let messages = answer.items.iter().filter_map(|item| match item {
        Item::Message(message) if message.role == Role::Assistant => Some(message),
        _ => None,
    });
    let texts: Vec<String> = messages.filter(|message| !message.is_commentary()).map(Message::text).collect();
    let text = texts.join("\n");
    (!text.trim().is_empty()).then(|| size::cut(text.trim(), LONGEST))
}

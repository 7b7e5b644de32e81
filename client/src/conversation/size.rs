//! How many tokens a conversation takes: as the backend said, and an estimate of what nobody has counted yet. Pure.

use super::item::{CallOutput, Content, Item, Output};
use crate::char_boundary::{first_boundary, last_boundary};

/// Bytes of text that make a token, roughly.
const BYTES_PER_TOKEN: usize = 4;
/// An image of the usual detail, whatever the length of its data.
const TOKENS_OF_IMAGE: u64 = 2_000;

/// What the backend said last of a sequence of items: so many tokens up to this item. What was added since is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) tokens: u64,
    /// So many items it had.
    pub(super) items: usize,
}

/// The tokens of a text, estimated.
pub fn of_text(text: &str) -> u64 {
    text.len().div_ceil(BYTES_PER_TOKEN) as u64
}

/// The tokens of these items, estimated.
pub fn of_items<'a>(items: impl IntoIterator<Item = &'a Item>) -> u64 {
    items.into_iter().map(of_item).sum()
}

/// The tokens of an item, estimated.
pub fn of_item(item: &Item) -> u64 {
    match item {
        Item::Message(message) => message.content.iter().map(of_part).sum(),
        // Three quarters of base64 are what it stands for.
        Item::Reasoning(reasoning) => of_text(reasoning.encrypted_content.as_deref().unwrap_or_default()) * 3 / 4,
        Item::FunctionCall(call) => of_text(&call.name) + of_text(&call.arguments),
        Item::CustomToolCall(call) => of_text(&call.name) + of_text(&call.input),
        Item::FunctionCallOutput(CallOutput { output, .. }) | Item::CustomToolCallOutput(CallOutput { output, .. }) => {
            match output {
                Output::Text(text) => of_text(text),
                Output::Parts(parts) => parts.iter().map(of_part).sum(),
            }
        }
    }
}

fn of_part(part: &Content) -> u64 {
    match part {
        Content::InputText { text } | Content::OutputText { text } | Content::Refusal { refusal: text } => {
            of_text(text)
        }
        Content::InputImage { .. } => TOKENS_OF_IMAGE,
    }
}

/// The text with its middle left out, when it has more than so many tokens.
pub fn cut(text: &str, tokens: u64) -> String {
    let most = usize::try_from(tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN);
    if text.len() <= most {
        return text.to_owned();
    }
    let (head, tail) = (last_boundary(text, most / 2), first_boundary(text, text.len() - most / 2));
    let left_out = of_text(&text[head..tail]);
    format!("{}\n[about {left_out} tokens left out]\n{}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::item::{Reasoning, Role};
    use crate::conversation::samples::{freeform, function, output};

    #[test]
    fn a_token_is_about_four_bytes() {
        let image = Content::InputImage { image_url: "data:".repeat(100_000), detail: None };
        let thought = Reasoning { summary: vec![], content: None, encrypted_content: Some("g".repeat(1600)) };
        let cases = [
            (Item::user(""), 0),
            (Item::user("abcde"), 2),
            (Item::message(Role::User, vec![image]), TOKENS_OF_IMAGE),
            (Item::Reasoning(thought), 300),
            (function("a"), 2 + 5),
            (freeform("a"), 3 + 8),
            (output("a", &"x".repeat(400)), 100),
        ];
        for (item, expected) in cases {
            assert_eq!(of_item(&item), expected, "{item:?}");
        }
    }

    #[test]
    fn a_cut_keeps_both_ends_and_no_half_character() {
        assert_eq!(cut("whole", 2), "whole");
        assert_eq!(cut(&"\u{e4}".repeat(10), 1), "\u{e4}\n[about 4 tokens left out]\n\u{e4}");
        assert_eq!(cut("\u{1f600}\u{1f600}\u{1f600}", 1), "\n[about 3 tokens left out]\n");
        assert_eq!(cut("abcdef", 0), "\n[about 2 tokens left out]\n");
    }
}

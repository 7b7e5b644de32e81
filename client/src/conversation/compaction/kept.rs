//! What a conversation is after a compaction: the person's latest messages, then the summary.

use super::summarising::IMAGE;
use crate::conversation::item::{Content, Item, Message, Role};
use crate::conversation::{images, size};

/// So many tokens of the person's messages are kept, the latest first.
pub const MOST: u64 = 20_000;
/// Of a message that does not fit, so much must fit to be worth keeping.
const LEAST: u64 = 50;
/// How a summary begins; it tells one from what the person said.
const BEGINNING: &str = "[This conversation became too long and was made shorter. In front of this stand the \
    developer's latest messages, some perhaps cut; everything else that was said and done is in these notes of yours. \
    Go on from them: what is done is done, and what you need to know more exactly you can look up.]";

/// The items afterwards. `earlier` says where the whole conversation up to here can be read.
pub fn after(items: &[Item], summary: &str, earlier: Option<&str>) -> Vec<Item> {
    let mut left = MOST;
    let mut kept: Vec<Item> = said(items).rev().map_while(|message| keep(message, &mut left)).collect();
    kept.reverse();
    let earlier = earlier.map(|earlier| format!("\n\n[{earlier}]")).unwrap_or_default();
    kept.push(Item::user(format!("{BEGINNING}\n\n{summary}{earlier}")));
    kept
}

/// What the person said: no notes of this program, no earlier summary, which is part of the new one.
fn said(items: &[Item]) -> impl DoubleEndedIterator<Item = &Message> {
    items.iter().filter_map(|item| match item {
        Item::Message(message) if message.role == Role::User && !is_summary(message) => Some(message),
        _ => None,
    })
}

/// Whether a summary stands for a part of this.
pub fn has_summary(items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item, Item::Message(message) if is_summary(message)))
}

fn is_summary(message: &Message) -> bool {
    matches!(message.content.first(), Some(Content::InputText { text }) if text.starts_with(BEGINNING))
}

/// The message, or as much of it as fits; `None` when nothing worth it does.
fn keep(message: &Message, left: &mut u64) -> Option<Item> {
    let mut item = Item::Message(message.clone());
    images::leave_out(std::slice::from_mut(&mut item), usize::MAX, IMAGE);
    let tokens = size::of_item(&item);
    if tokens <= *left {
        *left -= tokens;
        return Some(item);
    }
    let room = std::mem::take(left);
    (room >= LEAST).then(|| cut(item, room))
}

/// Its parts up to the one that does not fit, which is cut.
fn cut(item: Item, mut room: u64) -> Item {
    let Item::Message(mut message) = item else { return item };
    message.content.retain_mut(|part| {
        let Content::InputText { text } = part else { return false };
        let (is_left, tokens) = (room > 0, size::of_text(text));
        if is_left {
            *text = size::cut(text, room);
        }
        room = room.saturating_sub(tokens);
        is_left
    });
    Item::Message(message)
}

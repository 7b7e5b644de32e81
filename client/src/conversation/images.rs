//! Images in a conversation that do not stay: those that the backend takes for none, and old ones. Pure.
//!
//! The whole conversation goes out with every question, and an image is large. So there is a window of the latest
//! ones. When it is full, its older half is left out at once: a few times in a long conversation and not with each new
//! image, because whatever changes in front of the conversation's end must be read anew by the backend, at its full
//! price.

use std::collections::VecDeque;

use super::item::{CallOutput, Content, Item, Message, Output};

/// What stands in place of an image that the backend took for none.
pub const REFUSED: &str = "[an image was left out: the backend says that it is not valid]";
/// What stands in place of an image that is too old.
pub const OLD: &str = "[an image was left out: newer ones have taken its place; look at it again if it is needed]";
/// The most images of a conversation that are sent.
const MOST: usize = 20;
/// The most bytes of their URLs, together.
const MOST_BYTES: usize = 50 * 1024 * 1024;

/// The parts of an item that may hold images.
pub fn parts(item: &Item) -> &[Content] {
    match item {
        Item::Message(Message { content, .. }) => content,
        Item::FunctionCallOutput(CallOutput { output: Output::Parts(parts), .. })
        | Item::CustomToolCallOutput(CallOutput { output: Output::Parts(parts), .. }) => parts,
        Item::FunctionCallOutput(CallOutput { output: Output::Text(_), .. })
        | Item::CustomToolCallOutput(CallOutput { output: Output::Text(_), .. })
        | Item::Reasoning(_)
        | Item::FunctionCall(_)
        | Item::CustomToolCall(_) => &[],
    }
}

/// The same, to be changed.
pub fn parts_mut(item: &mut Item) -> &mut [Content] {
    match item {
        Item::Message(Message { content, .. }) => content,
        Item::FunctionCallOutput(CallOutput { output: Output::Parts(parts), .. })
        | Item::CustomToolCallOutput(CallOutput { output: Output::Parts(parts), .. }) => parts,
        Item::FunctionCallOutput(CallOutput { output: Output::Text(_), .. })
        | Item::CustomToolCallOutput(CallOutput { output: Output::Text(_), .. })
        | Item::Reasoning(_)
        | Item::FunctionCall(_)
        | Item::CustomToolCall(_) => &mut [],
    }
}

/// How many images are in an item.
pub fn count(item: &Item) -> usize {
    urls(item).count()
}

/// How many of the images in these items are too old, from the first one on. What was said before about the beginning
/// of the same items holds, and it holds as well when those images have been left out meanwhile.
pub fn too_old<'a>(items: impl IntoIterator<Item = &'a Item>) -> usize {
    let mut window = VecDeque::new();
    let (mut bytes, mut old) = (0, 0);
    for length in items.into_iter().flat_map(urls).map(str::len) {
        window.push_back(length);
        bytes += length;
        if window.len() <= MOST && bytes <= MOST_BYTES {
            continue;
        }
        while window.len() > 1 && (window.len() > MOST / 2 || bytes > MOST_BYTES / 2) {
            bytes -= window.pop_front().unwrap_or_default();
            old += 1;
        }
    }
    old
}

/// Puts a note in place of the first `most` images of these items; how many there were.
pub fn leave_out<'a>(items: impl IntoIterator<Item = &'a mut Item>, most: usize, note: &str) -> usize {
    let images = items.into_iter().flat_map(parts_mut).filter(|part| matches!(part, Content::InputImage { .. }));
    let left_out = images.take(most).map(|part| *part = Content::InputText { text: note.to_owned() });
    left_out.count()
}

fn urls(item: &Item) -> impl Iterator<Item = &str> {
    parts(item).iter().filter_map(|part| match part {
        Content::InputImage { image_url, .. } => Some(image_url.as_str()),
        Content::InputText { .. } | Content::OutputText { .. } | Content::Refusal { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::item::Role;

    fn image(length: usize) -> Item {
        let image = Content::InputImage { image_url: "x".repeat(length), detail: None };
        Item::message(Role::User, vec![Content::InputText { text: "t".to_owned() }, image])
    }

    fn answer(parts: Vec<Content>) -> Item {
        Item::FunctionCallOutput(CallOutput { call_id: "c".to_owned(), output: Output::of(parts) })
    }

    #[test]
    fn twenty_are_kept_and_then_the_older_half_goes_at_once() {
        let items: Vec<Item> = (0..45).map(|_| image(1)).collect();
        let old: Vec<usize> = (0..=45).map(|count| too_old(&items[..count])).collect();
        assert_eq!((old[20], old[21], old[31], old[32], old[42], old[43]), (0, 11, 11, 22, 22, 33));
        assert!(old.is_sorted());
    }

    #[test]
    fn large_ones_go_sooner_and_the_newest_never() {
        const MIB: usize = 1024 * 1024;
        let sizes = |sizes: &[usize]| too_old(&sizes.iter().map(|size| image(size * MIB)).collect::<Vec<_>>());
        assert_eq!(sizes(&[10, 10, 10, 10, 10]), 0);
        assert_eq!(sizes(&[10, 10, 10, 10, 10, 1]), 3);
        assert_eq!(sizes(&[60]), 0);
        assert_eq!(sizes(&[1, 60]), 1);
        assert_eq!(sizes(&[60, 1]), 1);
    }

    #[test]
    fn what_was_left_out_changes_nothing_about_the_rest() {
        let mut items: Vec<Item> = Vec::new();
        let mut gone = 0;
        for count in 1..100 {
            items.push(image(count % 7));
            let all: Vec<Item> = (1..=count).map(|count| image(count % 7)).collect();
            let old = too_old(&items);
            gone += leave_out(&mut items, old, OLD);
            assert_eq!(gone, too_old(&all), "{count} images");
        }
    }

    #[test]
    fn a_note_takes_the_place_of_an_image_and_of_nothing_else() {
        let picture = || Content::InputImage { image_url: "u".to_owned(), detail: None };
        let mut items = vec![image(1), Item::user("x"), answer(vec![picture()]), answer(vec![picture()])];
        assert_eq!(items.iter().map(count).sum::<usize>(), 3);
        assert_eq!(leave_out(&mut items, 2, "gone"), 2);
        let note = || Content::InputText { text: "gone".to_owned() };
        let text = || Content::InputText { text: "t".to_owned() };
        assert_eq!(items[0], Item::message(Role::User, vec![text(), note()]));
        assert_eq!(parts(&items[2]), [note()]);
        assert_eq!(parts(&items[3]), [picture()]);
        assert_eq!(leave_out(&mut items, 2, "gone"), 1);
        assert_eq!(leave_out(&mut items, 2, "gone"), 0);
    }
}

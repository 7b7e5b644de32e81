//! The backend says that an image is none, and not which one: what is left out before it is asked again.

use super::record::{Happening, Recorder};
use crate::conversation::history::History;
use crate::conversation::turn::{LeftOut, Turn};
use crate::talk::Talk;

/// Leaves out the images that are most likely meant, and lets it be kept that they were. True when the model can be
/// asked again: what the person attached was the question, and without it there is nothing to ask.
pub(super) fn can_go_on_without(
    turn: &mut Turn,
    history: &mut History,
    recorder: &mut dyn Recorder,
    talk: &mut Talk,
) -> bool {
    let left_out = turn.leave_out_images(history);
    if left_out != LeftOut::Nothing {
        recorder.record(Happening::ImagesRefused, talk);
    }
    match left_out {
        LeftOut::OfTools => {
            talk.warn("the backend takes an image of a tool for none: it was left out, and the model was told");
            true
        }
        LeftOut::OfConversation => {
            talk.warn("the backend takes an image of the conversation for none: all earlier images were left out");
            true
        }
        LeftOut::OfPerson | LeftOut::Nothing => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::event::{Completed, Event, Move};
    use crate::conversation::images;
    use crate::conversation::item::{Content, Item, Output, Role};
    use crate::conversation::reply::Reply;
    use crate::conversation::samples::function;
    use crate::conversation::turn::Next;

    fn image() -> Content {
        Content::InputImage { image_url: "data:image/png;base64,AA==".to_owned(), detail: None }
    }

    /// Counts how often it is told that images were refused.
    #[derive(Default)]
    struct Refused(usize);

    impl Recorder for Refused {
        fn record(&mut self, happening: Happening<'_>, _: &mut Talk) {
            self.0 += usize::from(matches!(happening, Happening::ImagesRefused));
        }
    }

    fn count(items: &[Item]) -> usize {
        items.iter().map(images::count).sum()
    }

    #[test]
    fn the_newest_go_first_and_what_the_person_attached_is_not_asked_without() {
        let mut history = History::of(vec![Item::message(Role::User, vec![image()])]);
        let mut turn = Turn::begin(vec![Item::message(Role::User, vec![image()])]);
        let mut reply = Reply::default();
        reply.take(Event::Item(function("a"))).unwrap();
        reply.take(Event::Completed(Completed { usage: None, whose_move: Move::Person })).unwrap();
        turn.answered(reply.finish().unwrap());
        let Next::RunTools(calls) = turn.next() else { unreachable!() };
        turn.ran(&calls[0], Output::Parts(vec![image()]));
        let (mut talk, mut refused) = (Talk::default(), Refused::default());
        let mut go_on =
            |turn: &mut Turn, history: &mut History| can_go_on_without(turn, history, &mut refused, &mut talk);
        assert!(go_on(&mut turn, &mut history));
        assert_eq!((count(turn.items()), count(history.items())), (1, 1));
        assert!(!go_on(&mut turn, &mut history));
        assert_eq!((count(turn.items()), count(history.items())), (0, 1));
        assert!(go_on(&mut turn, &mut history));
        assert_eq!(count(history.items()), 0);
        assert!(!go_on(&mut turn, &mut history));
        assert_eq!((talk.lines(false).count(), refused.0), (2, 3));
    }
}

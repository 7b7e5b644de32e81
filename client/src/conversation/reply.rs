//! One answer of the model, while it arrives: it counts when it is complete, and not before.

use super::event::{Completed, Event};
use super::fault::Fault;
use super::item::Item;

/// The most items that one answer may have; a real one has a few dozen.
const MOST_ITEMS: usize = 10_000;

/// One answer while it arrives. Each attempt begins with a new one: what an attempt that failed had brought is gone,
/// so that no tool runs from it, or twice.
#[derive(Debug, Default)]
pub struct Reply {
    items: Vec<Item>,
    completed: Option<Completed>,
}

/// Whether there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Read on.
    Open,
    /// Stop reading, whatever follows.
    Complete,
}

/// An answer that arrived completely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its items, in the order in which they came.
    pub(super) items: Vec<Item>,
    /// How it ended.
    pub completed: Completed,
}

impl Reply {
    /// Takes in the next event. A fault ends the attempt.
    pub fn take(&mut self, event: Event) -> Result<Progress, Fault> {
        match event {
            Event::Item(_) if self.items.len() == MOST_ITEMS => {
                return Err(Fault::passing(format!("the answer has more than {MOST_ITEMS} items")));
            }
            Event::Item(item) => self.items.push(item),
            Event::Completed(completed) => self.completed = Some(completed),
            Event::Failed(fault) => return Err(fault),
            Event::Created
            | Event::Began(_)
            | Event::Text(_)
            | Event::SummarySection
            | Event::Summary(_)
            | Event::Reasoning(_)
            | Event::CallInput(_)
            | Event::Model(_)
            | Event::TurnState(_)
            | Event::Windows(_) => {}
        }
        Ok(if self.completed.is_some() { Progress::Complete } else { Progress::Open })
    }

    /// The whole answer, when the stream has ended; a fault when it ended too soon.
    pub fn finish(self) -> Result<Answer, Fault> {
        match self.completed {
            Some(completed) => Ok(Answer { items: self.items, completed }),
            None => Err(Fault::passing("the stream ended before the answer was complete")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::fault::Remedy;
    use crate::conversation::samples::function;

    #[test]
    fn an_answer_without_its_end_is_a_fault_that_may_be_tried_again() {
        let mut reply = Reply::default();
        assert_eq!(reply.take(Event::Created), Ok(Progress::Open));
        assert_eq!(reply.take(Event::Item(function("a"))), Ok(Progress::Open));
        assert_eq!(reply.finish().unwrap_err().remedy, Remedy::AskAgain { after: None });
        assert!(Reply::default().finish().is_err());
    }

    #[test]
    fn the_end_of_an_answer_ends_reading() {
        let mut reply = Reply::default();
        reply.take(Event::Item(function("a"))).unwrap();
        reply.take(Event::Text("shown only".to_owned())).unwrap();
        reply.take(Event::Item(function("b"))).unwrap();
        assert_eq!(reply.take(Event::Completed(Completed::default())), Ok(Progress::Complete));
        assert_eq!(reply.finish().unwrap().items, [function("a"), function("b")]);
    }

    #[test]
    fn a_failure_is_handed_on_as_it_came() {
        let fault = Fault::new(Remedy::Shorten, "too long");
        assert_eq!(Reply::default().take(Event::Failed(fault.clone())), Err(fault));
    }

    #[test]
    fn an_endless_answer_is_given_up() {
        let mut reply = Reply::default();
        for _ in 0..MOST_ITEMS {
            reply.take(Event::Item(function("a"))).unwrap();
        }
        assert!(reply.take(Event::Item(function("a"))).is_err());
    }
}

//! One prompt until its final answer: what is to be done next, as a value. Whoever drives it does it.

use std::collections::HashSet;

use super::event::Move;
use super::history::History;
use super::images;
use super::item::{Call, Item, Output};
use super::reply::Answer;
use super::size::{self, Said};

/// One prompt until its final answer. The conversation changes only when the turn ends: by [`finish`](Self::finish),
/// [`stop`](Self::stop) or [`fail`](Self::fail).
#[derive(Debug)]
pub struct Turn {
    /// What the turn adds to the conversation so far.
    items: Vec<Item>,
    state: State,
    world: World,
    /// What the last answer said of the size of everything up to it.
    said: Option<Said>,
    prompt: Prompt,
}

/// Whether the model has answered the prompt in any way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prompt {
    Open,
    Answered,
}

/// Whether anything outside the conversation may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    Untouched,
    Changed,
}

#[derive(Debug)]
enum State {
    Asking,
    /// The calls of the last answer in their order, with what they answered so far.
    Running(Vec<(Call, Option<Output>)>),
    Done,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask the model: the conversation's items, then [`Turn::items`]. Then [`Turn::answered`].
    Ask,
    /// Run these tools, in any order or at once. Then [`Turn::ran`] for each.
    RunTools(Vec<Call>),
    /// The model has said all that it will; [`Turn::finish`].
    Done,
}

/// Whose images were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// What tools had answered with.
    OfTools,
    /// What the person had attached.
    OfPerson,
    /// Those of the conversation so far: the turn had none.
    OfConversation,
    /// There were none.
    Nothing,
}

impl Turn {
    /// Begins with what the person says, perhaps with what this program adds in front of it.
    pub fn begin(prompt: Vec<Item>) -> Self {
        Self { items: prompt, state: State::Asking, world: World::Untouched, said: None, prompt: Prompt::Open }
    }

    /// What is to be done next. Says the same until it is done.
    pub fn next(&self) -> Next {
        match &self.state {
            State::Asking => Next::Ask,
            State::Running(calls) => Next::RunTools(
                calls.iter().filter(|(_, output)| output.is_none()).map(|(call, _)| call.clone()).collect(),
            ),
            State::Done => Next::Done,
        }
    }

    /// What this turn adds to the conversation, as far as it goes into the next request.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether the model has answered the prompt in any way.
    pub fn is_answered(&self) -> bool {
        self.prompt == Prompt::Answered
    }

    /// How many tokens the conversation takes with this turn, as far as anybody knows.
    pub fn tokens(&self, history: &History) -> u64 {
        let (said, counted) = self.said.map_or((history.tokens(), 0), |said| (said.tokens, said.items));
        said + size::of_items(self.items.iter().skip(counted))
    }

    /// What [`compaction::source`](super::compaction::source) gave has become these items. What the model has answered
    /// in this turn is among it, so the turn can no longer be taken back.
    pub fn compact(&mut self, history: &mut History, items: Vec<Item>) {
        history.replace(items);
        self.said = None;
        if self.is_answered() {
            self.items.clear();
            self.world = World::Changed;
        }
    }

    /// The model answered. An answer that nobody asked for changes nothing.
    pub fn answered(&mut self, answer: Answer) {
        let State::Asking = self.state else { return };
        self.prompt = Prompt::Answered;
        let mut seen: HashSet<String> = self.items.iter().filter_map(Item::as_call).map(|call| call.call_id).collect();
        let mut calls = Vec::new();
        for item in answer.items {
            let call = item.as_call();
            // A call of an id that was used could not be told from the other one: it is neither run nor kept.
            if call.as_ref().is_none_or(|call| seen.insert(call.call_id.clone())) {
                calls.extend(call.map(|call| (call, None)));
                self.items.push(item);
            }
        }
        if let Some(usage) = answer.completed.usage.filter(|usage| usage.total_tokens > 0) {
            self.said = Some(Said { tokens: usage.total_tokens, items: self.items.len() });
        }
        self.state = match answer.completed.whose_move {
            _ if !calls.is_empty() => State::Running(calls),
            Move::Model => State::Asking,
            Move::Person => State::Done,
        };
    }

    /// A tool answered, were it only that it was not allowed to run. Only the first answer to a call counts.
    pub fn ran(&mut self, call: &Call, output: Output) {
        let State::Running(calls) = &mut self.state else { return };
        let Some((_, open)) = calls.iter_mut().find(|(known, open)| known == call && open.is_none()) else { return };
        *open = Some(output);
        self.world = World::Changed;
        if calls.iter().all(|(_, output)| output.is_some()) {
            self.take_outputs();
            self.state = State::Asking;
        }
    }

    /// The backend says that an image is none, and does not say which one. The newest are most likely meant: those of
    /// tools go, or else the person's, or else all earlier ones.
    pub fn leave_out_images(&mut self, history: &mut History) -> LeftOut {
        let mut leave_out = |is_meant: fn(&Item) -> bool| {
            images::leave_out(self.items.iter_mut().filter(|item| is_meant(item)), usize::MAX, images::REFUSED) > 0
        };
        if leave_out(|item| !matches!(item, Item::Message(_))) {
            return LeftOut::OfTools;
        }
        match leave_out(|_| true) {
            true => LeftOut::OfPerson,
            false if history.leave_out_images() > 0 => LeftOut::OfConversation,
            false => LeftOut::Nothing,
        }
    }

    /// The turn is over: the conversation has it.
    pub fn finish(mut self, history: &mut History) {
        self.take_outputs();
        history.extend(self.items, self.said);
    }

    /// The person stopped the turn. The conversation has what was complete, calls without an answer as aborted, and a
    /// note of it; it can go on.
    pub fn stop(mut self, history: &mut History) {
        self.take_outputs();
        self.items.push(Item::developer(STOPPED));
        history.extend(self.items, self.said);
    }

    /// The turn failed. The conversation is as it was before, so that the prompt can be given again; but when tools have
    /// run, the model has to know what was done, and it is kept as if it had been stopped.
    pub fn fail(mut self, history: &mut History) {
        if self.world == World::Changed {
            self.take_outputs();
            self.items.push(Item::developer(FAILED));
            history.extend(self.items, self.said);
        }
    }

    /// The program ended in the middle of the turn, and this is another one. The conversation has what was complete.
    pub fn cut_off(mut self, history: &mut History) {
        self.take_outputs();
        self.items.push(Item::developer(CUT_OFF));
        history.extend(self.items, self.said);
    }

    /// Puts what the tools answered behind their calls, in the order of the calls.
    fn take_outputs(&mut self) {
        if let State::Running(calls) = &mut self.state {
            let answered =
                calls.iter_mut().filter_map(|(call, output)| output.take().map(|output| call.answered(output)));
            self.items.extend(answered);
        }
    }
}

const STOPPED: &str = "The person interrupted this turn. Tools that had no answer yet were stopped and may have done a part of their work.";
const CUT_OFF: &str =
    "The program ended in the middle of this turn. Tools that had no answer yet may have done a part of their work.";
const FAILED: &str =
    "This turn ended early because the model could not be reached. Tools that have answered did their work.";

#[cfg(test)]
mod tests;

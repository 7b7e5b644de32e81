//! The body of a request, in both shapes that the backend takes; the model's catalogue entry says which one.

use std::borrow::Cow;

use serde::Serialize;

use super::tool_spec::ToolSpec;
use crate::conversation::images;
use crate::conversation::item::{Content, Item};
use crate::image::room::Detail;

/// What stands where an image would, when the model takes none.
const IMAGE_LEFT_OUT: &str = "[an image was left out: this model takes no images]";

/// What the model is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The model's id.
    pub model: &'a str,
    /// The shape that its catalogue entry asks for.
    pub shape: Shape,
    /// Whether it takes images.
    pub images: Images,
    /// The base prompt; the backend refuses an empty one.
    pub instructions: &'a str,
    /// What stands in front of the conversation.
    pub context: &'a [Item],
    /// The conversation before this turn.
    pub history: &'a [Item],
    /// What this turn adds so far.
    pub turn: &'a [Item],
    /// The tools it may use.
    pub tools: &'a [ToolSpec],
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max` or `ultra`; the model's own default when `None`.
    pub effort: Option<&'a str>,
    /// `auto`, `concise` or `detailed`; no summary when `None`.
    pub summary: Option<&'a str>,
    /// `low`, `medium` or `high`; the model's own default when `None`.
    pub verbosity: Option<&'a str>,
    /// Names the conversation, a UUID; the backend's prompt cache goes by it.
    pub session_id: &'a str,
}

/// The two shapes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Prompt and tools have members of their own.
    Classic,
    /// Prompt and tools are the first input items; goes with the header `x-openai-internal-codex-responses-lite: true`.
    Lite,
}

/// What happens to images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    /// They are sent, and looked at in high detail.
    Sent,
    /// They are sent, and looked at in original detail where that is wanted.
    SentInFull,
    /// A note stands in their place.
    LeftOut,
}

impl Request<'_> {
    /// The body, JSON.
    pub fn body(&self) -> Vec<u8> {
        serde_json::to_vec(&self.wire()).expect("texts and JSON values can always be written as JSON")
    }

    fn wire(&self) -> Body<'_> {
        let all = || self.context.iter().chain(self.history).chain(self.turn);
        let mut too_old = images::too_old(all());
        let items = all().map(|item| Input::Item(self.sendable(item, &mut too_old)));
        let lite = self.shape == Shape::Lite;
        let leading = [
            Input::Tools(AdditionalTools { kind: "additional_tools", role: "developer", tools: self.tools }),
            Input::Item(Cow::Owned(Item::developer(self.instructions))),
        ];
        Body {
            model: self.model,
            instructions: (!lite).then_some(self.instructions),
            input: leading.into_iter().filter(|_| lite).chain(items).collect(),
            tools: (!lite).then_some(self.tools),
            tool_choice: "auto",
            parallel_tool_calls: !lite,
            reasoning: Reasoning {
                effort: self.effort.map(|effort| if effort == "ultra" { "max" } else { effort }),
                summary: self.summary,
                context: lite.then_some("all_turns"),
            },
            store: false,
            stream: true,
            include: ["reasoning.encrypted_content"],
            prompt_cache_key: self.session_id,
            text: self.verbosity.map(|verbosity| Text { verbosity }),
            client_metadata: Metadata { session_id: self.session_id, thread_id: self.session_id },
        }
    }

    /// The item as this model takes it, without its images as long as there are more of those that are too old.
    fn sendable<'a>(&self, item: &'a Item, too_old: &mut usize) -> Cow<'a, Item> {
        if images::count(item) == 0 {
            return Cow::Borrowed(item);
        }
        let mut item = item.clone();
        let old = images::leave_out([&mut item], *too_old, images::OLD);
        *too_old -= old;
        for part in images::parts_mut(&mut item) {
            let Content::InputImage { detail, .. } = part else { continue };
            match (self.images, self.shape) {
                (Images::LeftOut, _) => *part = Content::InputText { text: IMAGE_LEFT_OUT.to_owned() },
                (Images::Sent | Images::SentInFull, Shape::Lite) => *detail = None,
                (Images::Sent, Shape::Classic) if detail.as_deref() == Some(Detail::Original.name()) => {
                    *detail = Some(Detail::High.name().to_owned());
                }
                (Images::Sent | Images::SentInFull, Shape::Classic) => {}
            }
        }
        Cow::Owned(item)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    input: Vec<Input<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<&'a [ToolSpec]>,
    tool_choice: &'a str,
    parallel_tool_calls: bool,
    reasoning: Reasoning<'a>,
    store: bool,
    stream: bool,
    include: [&'a str; 1],
    prompt_cache_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    client_metadata: Metadata<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Input<'a> {
    Tools(AdditionalTools<'a>),
    Item(Cow<'a, Item>),
}

#[derive(Serialize)]
struct AdditionalTools<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    role: &'a str,
    tools: &'a [ToolSpec],
}

#[derive(Serialize)]
struct Reasoning<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
}

#[derive(Serialize)]
struct Text<'a> {
    verbosity: &'a str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    session_id: &'a str,
    thread_id: &'a str,
}

#[cfg(test)]
mod tests;

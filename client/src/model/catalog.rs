//! Which models there are, what each can do, and which one a person's word for it means. Pure.
//!
//! Read leniently, because the catalogue changes with every release of the backend: an entry needs a name and nothing
//! else, members that are missing or odd have the value that the stock client assumes.

use serde_json::Value;

use self::Resolved::{Alias, Named, Replaced};
use super::responses::{Images, Shape};
use crate::tool::output::Budget;

#[cfg(test)]
mod tests;

/// Aliases of the product whose conventions we keep, and what they meant when this was written.
const ALIASES: &[(&str, &str)] = &[("opus", "gpt-5.6-terra"), ("sonnet", "gpt-5.6-luna"), ("haiku", "gpt-5.4-mini")];
/// What a model is called in `MODEL` when nobody has said anything.
pub const USUAL_MODEL: &str = "sonnet";
const USUAL_CONTEXT: u64 = 272_000;
const USUAL_SHARE: u64 = 95;

/// A model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its id in requests.
    pub slug: String,
    /// Its name for people.
    pub display_name: String,
    /// Whether it is offered in a list; hidden ones work when they are named.
    pub visible: bool,
    /// The lowest comes first.
    pub priority: i64,
    /// The shape of its requests.
    pub shape: Shape,
    /// How hard it thinks when nothing is said.
    pub default_effort: Option<String>,
    /// How hard it can be made to think, least first; empty when the catalogue does not say.
    pub efforts: Vec<String>,
    /// `summary` of its reasoning when nothing is said.
    pub default_summary: Option<String>,
    /// How wordy it is when nothing is said; `None` when it cannot be told.
    pub verbosity: Option<String>,
    /// Tokens that fit into a conversation.
    pub context_tokens: u64,
    /// Tokens at which it is to be compacted.
    pub compact_at_tokens: u64,
    /// How much of a tool's output it is told.
    pub told_of_outputs: Budget,
    /// Whether it takes images, and how large.
    pub images: Images,
    /// Whether it takes patches as free text; else as a function's argument.
    pub freeform_patch: bool,
    /// What it is told first, when the catalogue has something for it.
    pub instructions: Option<String>,
}

/// All models that this account and client version may use, in the order in which they are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    models: Vec<Model>,
}

/// Which model a word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved<'a> {
    /// The model of that id; the catalogue may not know it.
    Named(&'a str),
    /// What the alias stands for.
    Alias(&'a str),
    /// What the alias stands for does not exist any more: the first model that is offered.
    Replaced(&'a str),
}

impl<'a> Resolved<'a> {
    /// The model's id.
    pub fn slug(&self) -> &'a str {
        match self {
            Named(slug) | Alias(slug) | Replaced(slug) => slug,
        }
    }
}

impl Catalog {
    /// Reads the body of `GET /models`; `None` when it holds no list of models.
    ///
    /// The list is called `models`, or `data` where a relay answers in the form of the public API; an entry's id is its
    /// `slug`, or its `id`.
    pub fn parse(body: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        let list = body["models"].as_array().or(body["data"].as_array())?;
        let mut models: Vec<Model> = list.iter().filter_map(model).collect();
        models.sort_by_key(|model| model.priority);
        Some(Self { models })
    }

    /// No models: nobody could say which there are.
    pub fn empty() -> Self {
        Self { models: Vec::new() }
    }

    /// In the order in which they are offered.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The model of this id.
    pub fn get(&self, slug: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.slug == slug)
    }

    /// Which model a word means. What is no alias is an id.
    pub fn resolve<'a>(&'a self, word: &'a str) -> Resolved<'a> {
        let Some((_, slug)) = ALIASES.iter().find(|(alias, _)| *alias == word) else { return Named(word) };
        let first = self.models.iter().find(|model| model.visible);
        match (self.get(slug), first) {
            (None, Some(first)) => Replaced(&first.slug),
            (Some(_), _) | (None, None) => Alias(slug),
        }
    }
}

impl Model {
    /// What is assumed of a model that the catalogue does not know.
    pub fn unknown(slug: &str) -> Self {
        model(&serde_json::json!({ "slug": slug })).expect("an entry needs a name only")
    }
}

fn model(entry: &Value) -> Option<Model> {
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let flag = |name: &str| entry[name].as_bool().unwrap_or_default();
    let slug = text("slug").or_else(|| text("id"))?;
    let context_tokens = entry["context_window"].as_u64().filter(|tokens| *tokens > 0).unwrap_or(USUAL_CONTEXT);
    let share = entry["effective_context_window_percent"].as_u64().filter(|share| (1..=100).contains(share));
    let compact_at_tokens =
        entry["auto_compact_token_limit"].as_u64().filter(|tokens| *tokens > 0).unwrap_or(context_tokens / 10 * 9);
    Some(Model {
        display_name: text("display_name").unwrap_or_else(|| slug.clone()),
        visible: entry["visibility"].as_str().is_none_or(|visibility| visibility == "list"),
        priority: entry["priority"].as_i64().unwrap_or(i64::MAX),
        shape: if flag("use_responses_lite") { Shape::Lite } else { Shape::Classic },
        default_effort: text("default_reasoning_level"),
        efforts: efforts(&entry["supported_reasoning_levels"]),
        default_summary: text("default_reasoning_summary").filter(|summary| summary != "none"),
        verbosity: if flag("support_verbosity") { text("default_verbosity") } else { None },
        context_tokens: context_tokens / 100 * share.unwrap_or(USUAL_SHARE),
        compact_at_tokens,
        told_of_outputs: budget(&entry["truncation_policy"]),
        images: images(entry),
        freeform_patch: entry["apply_patch_tool_type"].as_str() == Some("freeform"),
        instructions: text("base_instructions"),
        slug,
    })
}

/// Old entries list words, newer ones objects.
fn efforts(levels: &Value) -> Vec<String> {
    let effort = |level: &Value| level.as_str().or(level["effort"].as_str()).map(str::to_owned);
    levels.as_array().into_iter().flatten().filter_map(effort).collect()
}

fn budget(policy: &Value) -> Budget {
    let limit = policy["limit"].as_u64().filter(|limit| *limit > 0).and_then(|limit| u32::try_from(limit).ok());
    match (policy["mode"].as_str(), limit) {
        (Some("tokens"), Some(limit)) => Budget::Tokens(limit),
        (Some("bytes"), Some(limit)) => Budget::Bytes(limit),
        (Some(_) | None, _) => Budget::default(),
    }
}

fn images(entry: &Value) -> Images {
    match entry["input_modalities"].as_array() {
        Some(listed) if !listed.iter().any(|modality| modality == "image") => Images::LeftOut,
        Some(_) | None if entry["supports_image_detail_original"] == true => Images::SentInFull,
        Some(_) | None => Images::Sent,
    }
}

//! Which model is meant and how it is asked: the written settings and the catalogue together. Pure.

use crate::drive::Manner;
use crate::failure::Failure;
use crate::model::catalog::{Catalog, Model, Resolved, USUAL_MODEL};
use crate::random;
use crate::settings::catalog::{Entry, check};
use crate::settings::written::{Key, Written, WrittenValue};
use crate::talk::Talk;

/// From not at all to most.
const EFFORTS: [&str; 8] = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];
/// The effort of `THINKING=1` when none is set.
const THINKING: &str = "high";

/// What a person wants of the model, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// An id or an alias.
    pub(super) model: String,
    /// As the backend calls it; the model's own when `None`.
    pub(super) effort: Option<&'static str>,
    /// At how many tokens a conversation is made shorter at the latest.
    pub(super) compact_at_tokens: u64,
}

impl Wish {
    /// What the settings say.
    pub(super) fn written(written: &Written) -> Result<Self, Failure> {
        check_provider(written)?;
        let model = written.get(Key::Model).map_or(USUAL_MODEL, |value| value.text.as_str());
        Ok(Self { model: model.to_owned(), effort: effort(written)?, compact_at_tokens: threshold(written)? })
    }

    /// How a conversation is held. `catalog` is `None` when nobody could say which models there are.
    pub(super) fn manner(&self, catalog: Option<&Catalog>, instructions: &str, talk: &mut Talk) -> Manner {
        let (model, effort) = self.fitted(catalog, talk);
        talk.detail(format!("model {}, effort {}", model.slug, effort.as_deref().unwrap_or("its own")));
        let (instructions, session_id) = (instructions.to_owned(), random::uuid());
        let compact_at_tokens = Some(self.compact_at_tokens);
        Manner { model, instructions, context: Vec::new(), effort, summary: None, compact_at_tokens, session_id }
    }

    /// The model that is meant, and an effort that it knows.
    pub(super) fn fitted(&self, catalog: Option<&Catalog>, talk: &mut Talk) -> (Model, Option<String>) {
        let model = model(&self.model, catalog, talk);
        let effort = self.effort.map(|wanted| fitting(wanted, &model, talk).to_owned());
        (model, effort)
    }
}

/// The backend's word for a person's word for an effort.
pub(super) fn effort_of(word: &str) -> Option<&'static str> {
    let word = if word == "off" { EFFORTS[0] } else { word };
    EFFORTS.into_iter().find(|effort| *effort == word)
}

fn check_provider(written: &Written) -> Result<(), Failure> {
    match written.get(Key::Provider) {
        None => Ok(()),
        Some(value) if value.text.as_str() == "codex" => Ok(()),
        Some(value) => Err(value.wrong("this provider does not exist yet").with_hint("set PROVIDER=codex")),
    }
}

fn model(word: &str, catalog: Option<&Catalog>, talk: &mut Talk) -> Model {
    let nothing = Catalog::empty();
    let catalog = catalog.unwrap_or(&nothing);
    let resolved = catalog.resolve(word);
    if let Resolved::Replaced(slug) = resolved {
        talk.warn(format!("what {word} stood for is not offered any more: {slug} answers; MODEL or -m names another"));
    }
    let known = catalog.get(resolved.slug()).cloned();
    if known.is_none() && !catalog.models().is_empty() {
        talk.warn(format!("the backend does not list {word} for this login; it is asked for anyway"));
    }
    known.unwrap_or_else(|| Model::unknown(resolved.slug()))
}

/// The effort that was set, as the backend calls it.
fn effort(written: &Written) -> Result<Option<&'static str>, Failure> {
    let set = written.get(Key::CodexReasoningEffort).or_else(|| written.get(Key::ReasoningEffort));
    match set {
        Some(value) => known(value).map(Some),
        None => Ok(written.get(Key::Thinking).filter(|value| value.text.as_str() == "1").map(|_| THINKING)),
    }
}

fn threshold(written: &Written) -> Result<u64, Failure> {
    const KEY: Key = Key::ContextClearThreshold;
    let usual = || Entry::of(KEY).default.and_then(|text| text.parse().ok());
    match written.get(KEY) {
        None => Ok(usual().unwrap_or(u64::MAX)),
        Some(value) => {
            check(KEY, &value.text).map_err(|why| value.wrong(why))?;
            value.text.parse().map_err(|error| value.wrong(error))
        }
    }
}

fn known(value: &WrittenValue) -> Result<&'static str, Failure> {
    let unknown = || value.wrong("unknown effort").with_hint("use off, minimal, low, medium, high, xhigh or max");
    effort_of(&value.text).ok_or_else(unknown)
}

/// The nearest effort that the model knows, rather less than more.
fn fitting<'a>(wanted: &'a str, model: &'a Model, talk: &mut Talk) -> &'a str {
    let rank = |effort: &str| EFFORTS.iter().position(|known| *known == effort);
    if wanted == EFFORTS[0] || model.efforts.is_empty() || model.efforts.iter().any(|effort| effort == wanted) {
        return wanted;
    }
    let below = model.efforts.iter().filter(|effort| rank(effort).is_some() && rank(effort) <= rank(wanted));
    let nearest = below.max_by_key(|effort| rank(effort)).or_else(|| model.efforts.iter().min_by_key(|e| rank(e)));
    let nearest = nearest.map_or(wanted, String::as_str);
    talk.warn(format!("{} does not know effort {wanted}: it thinks with {nearest}", model.slug));
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATALOG: &str = r#"{"models":[{"slug":"gpt-5.5","priority":1,
        "supported_reasoning_levels":["low","medium","high","xhigh"]},{"slug":"gpt-5.6-terra","priority":2}]}"#;

    fn of(settings: &[(&str, &str)], catalog: Option<&str>) -> (Result<Manner, Failure>, Vec<String>) {
        let mut talk = Talk::default();
        let lookup = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        let written = Written::put_together(&[], &lookup, &mut talk).unwrap();
        let catalog = catalog.map(|text| Catalog::parse(text).unwrap());
        let manner = Wish::written(&written).map(|wish| wish.manner(catalog.as_ref(), "Answer.", &mut talk));
        (manner, talk.lines(false).map(str::to_owned).collect())
    }

    #[test]
    fn the_effort_is_the_most_particular_word_for_it() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let cases: [Case; 7] = [
            (&[], None),
            (&[("THINKING", "1")], Some("high")),
            (&[("THINKING", "0")], None),
            (&[("THINKING", "1"), ("REASONING_EFFORT", "low")], Some("low")),
            (&[("REASONING_EFFORT", "low"), ("CODEX_REASONING_EFFORT", "off")], Some("none")),
            (&[("CODEX_REASONING_EFFORT", "max")], Some("xhigh")),
            (&[("CODEX_REASONING_EFFORT", "minimal")], Some("low")),
        ];
        for (settings, expected) in cases {
            let settings: Vec<_> = settings.iter().copied().chain([("MODEL", "gpt-5.5")]).collect();
            let (manner, talk) = of(&settings, Some(CATALOG));
            assert_eq!(manner.unwrap().effort.as_deref(), expected, "{settings:?}");
            let bent = ["max", "minimal"].iter().any(|effort| settings.iter().any(|(_, value)| value == effort));
            assert_eq!(talk.len(), usize::from(bent), "{talk:?}");
        }
    }

    #[test]
    fn a_model_is_named_an_alias_or_what_is_offered_first() {
        let slug = |word: &str, catalog| {
            let (manner, talk) = of(&[("MODEL", word)], catalog);
            (manner.unwrap().model.slug, talk.len())
        };
        assert_eq!(slug("opus", Some(CATALOG)), ("gpt-5.6-terra".into(), 0));
        assert_eq!(slug("haiku", Some(CATALOG)), ("gpt-5.5".into(), 1));
        assert_eq!(slug("gpt-x", Some(CATALOG)), ("gpt-x".into(), 1));
        assert_eq!(slug("gpt-x", None), ("gpt-x".into(), 0));
        assert_eq!(slug("sonnet", None), ("gpt-5.6-luna".into(), 0), "nobody knows better");
    }

    #[test]
    fn a_provider_that_does_not_exist_is_said() {
        let (manner, _) = of(&[("PROVIDER", "scorpiox")], None);
        assert_eq!(manner.unwrap_err().class.exit_code(), 78);
        assert!(of(&[("PROVIDER", "codex")], None).0.is_ok());
    }
}

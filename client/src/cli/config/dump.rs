//! `--dump`: what holds, or what one tier says; and the files that it comes from.

use serde_json::{Value, json};

use super::typed::Form;
use crate::cli::outcome;
use crate::failure::{Failure, visible_in_full};
use crate::settings::catalog::Entry;
use crate::settings::key::Key;
use crate::settings::places::Places;
use crate::settings::settings_file::{Owner, Place};
use crate::settings::tier::Tier;
use crate::settings::trust;
use crate::settings::trust::ask::{MASK, shown};
use crate::settings::trust::store::TrustedFiles;
use crate::settings::written::{Origin, Written, WrittenValue};
use crate::settings::{Surroundings, file, profile};
use crate::talk::Talk;

pub(super) fn values(
    tier: Option<Tier>,
    form: Form,
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) -> Result<u8, Failure> {
    let written = Written::gather(surroundings, talk)?;
    let rows: Vec<Row<'_>> = Key::ALL.iter().filter_map(|key| row(&written, *key, tier)).collect();
    let text = match form {
        Form::Lines => rows.iter().map(Row::line).collect(),
        Form::LinesWithSource => rows.iter().map(Row::line_with_source).collect(),
        Form::Json => pretty(&json!({ "settings": rows.iter().map(Row::json).collect::<Vec<_>>() })),
    };
    outcome::answer(&text).map(|()| 0)
}

/// One setting that holds, or that a tier names.
struct Row<'a> {
    entry: Entry,
    /// `None`: the default.
    value: Option<&'a WrittenValue>,
    shadows: Vec<&'a WrittenValue>,
    is_shadowed: bool,
}

fn row(written: &Written, key: Key, tier: Option<Tier>) -> Option<Row<'_>> {
    let entry = Entry::of(key);
    let mut candidates: Vec<&WrittenValue> = written.candidates(key).collect();
    let first = match tier {
        None => 0,
        Some(Tier::Default) => candidates.len(),
        Some(tier) => candidates.iter().position(|value| value.origin.tier() == tier)?,
    };
    let shadows = candidates.split_off((first + 1).min(candidates.len()));
    let value = candidates.get(first).copied();
    (value.is_some() || entry.default.is_some()).then_some(Row { entry, value, shadows, is_shadowed: first > 0 })
}

impl Row<'_> {
    fn text(&self) -> String {
        self.value.map_or_else(|| self.entry.default.unwrap_or_default().to_owned(), shown)
    }

    fn line(&self) -> String {
        format!("{}={}\n", self.entry.key.as_str(), self.text())
    }

    fn line_with_source(&self) -> String {
        let source = match self.value.map(|value| &value.origin) {
            None => "default".to_owned(),
            Some(Origin::Environment) => "environment".to_owned(),
            Some(origin @ Origin::File { tier, .. }) => visible_in_full(&format!("{tier}: {origin}")),
        };
        let shadowed = if self.is_shadowed { ", shadowed" } else { "" };
        format!("{}={}  # {source}{shadowed}\n", self.entry.key.as_str(), self.text())
    }

    fn json(&self) -> Value {
        let mut json = match self.value {
            Some(value) => value_json(value),
            None => json!({ "value": self.entry.default, "tier": Tier::Default.as_str() }),
        };
        json["key"] = self.entry.key.as_str().into();
        json["secret"] = self.entry.is_secret().into();
        json["shadowed"] = self.is_shadowed.into();
        json["shadows"] = self.shadows.iter().map(|value| value_json(value)).collect();
        json
    }
}

/// A secret's value is `null`: no text can be taken for it.
fn value_json(value: &WrittenValue) -> Value {
    let text = shown(value);
    let text = if text == MASK { Value::Null } else { value.text.as_str().into() };
    let tier = value.origin.tier().as_str();
    match &value.origin {
        Origin::File { path, line, .. } => json!({ "value": text, "tier": tier, "file": path, "line": line }),
        Origin::Environment => json!({ "value": text, "tier": tier }),
    }
}

pub(super) fn files(form: Form, surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let places = Places::around(surroundings);
    let written = Written::gather(surroundings, &mut Talk::default()).unwrap_or_default();
    let trusted = TrustedFiles::load(surroundings)?;
    let untrusted: Vec<_> = trust::pending(&written, &trusted)?.into_iter().map(|claim| claim.file).collect();
    let active = written.get(Key::ActiveProfile).filter(|name| profile::check_name(&name.text).is_ok());
    let profiles: Vec<Place> = active.map(|name| places.of_profile(&name.text).collect()).unwrap_or_default();
    let rows = places.all().iter().chain(profiles.iter().rev()).map(|place| (place, state(place, &untrusted)));
    let text = match form {
        Form::Json => {
            pretty(&json!({ "files": rows.map(|(place, state)| file_json(place, &state)).collect::<Vec<_>>() }))
        }
        Form::Lines | Form::LinesWithSource => rows
            .map(|(place, state)| {
                format!(
                    "{:<8} {}  ({state})\n",
                    place.tier.as_str(),
                    visible_in_full(&place.path.display().to_string())
                )
            })
            .collect(),
    };
    outcome::answer(&text).map(|()| 0)
}

fn state(place: &Place, untrusted: &[&Place]) -> String {
    match place.read() {
        Ok(None) => "absent".into(),
        Err(failure) => format!("refused: {failure}"),
        Ok(Some(found)) => match file::parse(&found.bytes) {
            Err(error) => error.to_string(),
            Ok(_) if place.owner == Owner::Project && untrusted.contains(&place) => "not trusted".into(),
            Ok(_) => "read".into(),
        },
    }
}

fn file_json(place: &Place, state: &str) -> Value {
    json!({ "tier": place.tier.as_str(), "path": place.path, "state": state })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

//! What was written: every source laid over the other, untyped, each value with the place it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::value::Raw;

/// All variables that are ours begin like this.
pub(super) const PREFIX: &str = "SCORPIOX_BROKER_";

/// Variables of the commands: the first chooses the file, the others a broker that is driven from elsewhere.
const NOT_SETTINGS: &[&str] = &[
    "SCORPIOX_BROKER_CONFIG",
    "SCORPIOX_BROKER_URL",
    "SCORPIOX_BROKER_ADMIN_KEY_FILE",
    "SCORPIOX_BROKER_PIN",
    "SCORPIOX_BROKER_CA_FILE",
];

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of the file, counted from 1.
    Line(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// An option of the command.
    Option(&'static str),
    /// Nowhere in particular: it follows from several values.
    Together,
}

impl Origin {
    /// The order in which faults are told: the file from top to bottom, then the rest.
    pub(super) fn rank(&self) -> (u8, usize) {
        match self {
            Self::Line(_, line) => (0, *line),
            Self::Variable(_) => (1, 0),
            Self::Option(_) => (2, 0),
            Self::Together => (3, 0),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(path, line) => write!(f, "{}:{line}: ", path.display()),
            Self::Variable(name) => write!(f, "{name}: "),
            Self::Option(name) => write!(f, "{name}: "),
            Self::Together => Ok(()),
        }
    }
}

/// Something wrong with the configuration, for a person; never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{message}")]
pub struct Fault {
    /// Where.
    pub origin: Origin,
    /// What, and what to write instead.
    pub message: String,
}

/// A setting's full name: section (empty for the top level) and field.
pub(super) type Name = (&'static str, &'static str);

/// A setting that some code reads.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Section in the file; empty for the top level.
    pub section: &'static str,
    /// Key in the section.
    pub key: &'static str,
    /// The variable that overrides it.
    pub variable: &'static str,
    /// Its default as text; empty when there is none.
    pub default: &'static str,
}

impl Field {
    pub(super) fn name(&self) -> Name {
        (self.section, self.key)
    }
}

/// Everything that was written, each setting at most once: an option beats a variable beats the file.
pub struct WrittenConfig {
    values: BTreeMap<Name, (Raw, Origin)>,
}

impl WrittenConfig {
    /// Lays the sources over each other; what fits no setting of `fields` goes to `faults`.
    pub fn gather(sources: &super::Sources, fields: &[Field], faults: &mut Vec<Fault>) -> Self {
        let mut written = Self { values: BTreeMap::new() };
        if let Some((path, text)) = &sources.file {
            written.read_file(path, text, fields, faults);
        }
        for (variable, value) in &sources.environment {
            written.read_variable(variable, value, fields, faults);
        }
        for option in &sources.options {
            let field = fields.iter().find(|field| field.name() == option.setting);
            let field = field.expect("a command overrides only settings that exist");
            let origin = Origin::Option(option.option);
            written.values.insert(field.name(), (Raw::Untyped(option.value.clone()), origin));
        }
        written
    }

    pub(super) fn get(&self, name: Name) -> Option<&(Raw, Origin)> {
        self.values.get(&name)
    }

    /// Where a setting was written; `Together` when its default holds.
    pub(super) fn origin(&self, name: Name) -> Origin {
        self.get(name).map_or(Origin::Together, |(_, origin)| origin.clone())
    }

    fn read_variable(&mut self, variable: &str, value: &str, fields: &[Field], faults: &mut Vec<Fault>) {
        if !variable.starts_with(PREFIX) || NOT_SETTINGS.contains(&variable) {
            return;
        }
        let origin = Origin::Variable(variable.to_owned());
        match fields.iter().find(|field| field.variable == variable) {
            Some(field) => {
                self.values.insert(field.name(), (Raw::Untyped(value.to_owned()), origin));
            }
            None => faults.push(Fault { origin, message: "no setting has this variable".to_owned() }),
        }
    }

    fn read_file(&mut self, path: &Path, text: &str, fields: &[Field], faults: &mut Vec<Fault>) {
        let at = |span: Range<usize>| Origin::Line(path.to_owned(), line_of(text, span.start));
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                // The error's own Display quotes the line, which may hold a secret; its message does not.
                let origin = at(error.span().unwrap_or_default());
                faults.push(Fault { origin, message: error.message().to_owned() });
                return;
            }
        };
        for (key, value) in &table {
            let key_origin = at(key.span());
            let name = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Table(section) if fields.iter().any(|field| field.section == name) => {
                    for (inner, value) in section {
                        let origin = at(inner.span());
                        self.place(name, inner.get_ref(), value.get_ref(), origin, fields, faults);
                    }
                }
                DeValue::Table(_) => {
                    faults.push(Fault { origin: key_origin, message: format!("there is no section [{name}]") });
                }
                value => self.place("", name, value, key_origin, fields, faults),
            }
        }
    }

    fn place(
        &mut self,
        section: &str,
        key: &str,
        value: &DeValue<'_>,
        origin: Origin,
        fields: &[Field],
        faults: &mut Vec<Fault>,
    ) {
        match fields.iter().find(|field| field.section == section && field.key == key) {
            Some(field) => {
                self.values.insert(field.name(), (raw(value), origin));
            }
            None => {
                let place = if section.is_empty() { "at the top level".to_owned() } else { format!("in [{section}]") };
                let known = fields.iter().filter(|field| field.section == section).map(|field| field.key);
                let known = known.collect::<Vec<_>>().join(", ");
                let message = format!("there is no setting {key} {place}; known: {known}");
                faults.push(Fault { origin, message });
            }
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number of that size"),
        },
        DeValue::Float(digits) => digits.as_str().parse().map_or(Raw::Other("this number"), Raw::Float),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

//! The editor's state. It is shown by [`super::view`] and moved by [`super::update`]; nothing here touches a terminal.

use super::event::Outcome;
use super::field::{Change, Field, Holding, Rank};
use super::ground::{EditedFile, Ground};
use super::line::TextLine;
use crate::settings::catalog::{Choice, Section};
use crate::settings::key::Key;
use crate::settings::places::Level;

/// Everything that the editor knows.
pub struct Editor {
    /// The settings as they stand.
    pub(super) ground: Ground,
    /// What is not saved yet, in the order in which it was changed.
    pub(super) changes: Vec<(Key, Change)>,
    /// Which of the ground's files is changed.
    pub(super) edited: usize,
    /// The setting that is pointed at.
    pub(super) selected: Key,
    /// Only what holds this text is listed.
    pub(super) filter: TextLine,
    /// What is in front.
    pub(super) screen: Screen,
    /// How many lines of what is in front were passed.
    pub(super) scrolled: usize,
    /// A word on what happened last.
    pub(super) notice: Option<Notice>,
    /// Counts the tests, so that a late answer is known.
    pub(super) runs: u32,
}

/// What is in front of the list, and takes the keys.
#[derive(Clone)]
pub enum Screen {
    /// Nothing.
    List,
    /// The filter is being typed.
    Filtering,
    /// One value of several.
    Choosing(Choosing),
    /// Several values in an order.
    Ordering(Ordering),
    /// A value is being typed.
    Typing(Typing),
    /// Sources are being tried.
    Testing(Testing),
    /// Where the changes go.
    Saving(Afterwards),
    /// There are changes and the user wants to leave.
    Leaving,
    /// A project's file asks for trust.
    Trusting,
    /// What the keys do.
    Help,
}

impl Screen {
    /// Whether it only says something: the cursor keys read on.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Self::Testing(_) | Self::Trusting | Self::Help => true,
            Self::List
            | Self::Filtering
            | Self::Choosing(_)
            | Self::Ordering(_)
            | Self::Typing(_)
            | Self::Saving(_)
            | Self::Leaving => false,
        }
    }
}

/// One value of several.
#[derive(Clone)]
pub struct Choosing {
    /// The setting.
    pub key: Key,
    /// What there is; a row before them stands for "as by default".
    pub choices: &'static [Choice],
    /// The row that is pointed at: 0 for the default.
    pub cursor: usize,
}

/// Several values in an order.
#[derive(Clone)]
pub struct Ordering {
    /// The setting.
    pub key: Key,
    /// All of them: first those that are taken, in their order.
    pub choices: Vec<Choice>,
    /// How many are taken.
    pub taken: usize,
    /// The row that is pointed at.
    pub cursor: usize,
}

/// A value that is being typed.
#[derive(Clone)]
pub struct Typing {
    /// The setting.
    pub key: Key,
    /// As far as it is typed.
    pub line: TextLine,
    /// What is wrong with it as it stands.
    pub trouble: Option<String>,
}

/// A test of sources.
#[derive(Clone)]
pub struct Testing {
    /// Which test.
    pub run: u32,
    /// The sources in their order; no outcome while one is being tried.
    pub sources: Vec<(String, Option<Outcome>)>,
}

/// What comes after saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// More editing.
    Stay,
    /// The end.
    Leave,
}

/// A word on what happened last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// One line.
    pub text: String,
}

/// How a notice is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It did not.
    Bad,
}

impl Editor {
    /// Starts with the list in front.
    pub fn new(ground: Ground) -> Self {
        let selected = ground.fields.first().map_or(Key::TokenSource, Field::key);
        let notice = ground.remarks.first().map(|text| Notice { tone: Tone::Bad, text: text.clone() });
        Self {
            ground,
            changes: Vec::new(),
            edited: 0,
            selected,
            filter: TextLine::default(),
            screen: Screen::List,
            scrolled: 0,
            notice,
            runs: 0,
        }
    }

    /// The changes that are not saved, in the order in which they were made.
    pub fn changes(&self) -> &[(Key, Change)] {
        &self.changes
    }

    /// The file that is changed.
    pub(super) fn file(&self) -> &EditedFile {
        &self.ground.files[self.edited]
    }

    /// Whose settings are changed.
    pub(super) fn level(&self) -> Level {
        self.file().level
    }

    pub(super) fn rank(&self) -> Rank {
        self.file().rank
    }

    pub(super) fn change(&self, key: Key) -> Option<&Change> {
        self.changes.iter().find(|(changed, _)| *changed == key).map(|(_, change)| change)
    }

    /// What holds for a field once the changes are saved.
    pub(super) fn holding<'a>(&'a self, field: &'a Field) -> Holding<'a> {
        field.holding(self.change(field.key()), self.rank())
    }

    /// The settings that matter for the chosen sources and pass the filter, in their order.
    pub(super) fn listed(&self) -> Vec<&Field> {
        let sources = self.ground.field(Key::TokenSource).map(|field| self.holding(field));
        let sources = sources.as_ref().map(Holding::text).filter(|text| !text.is_empty());
        let wanted = self.filter.text().to_lowercase();
        let passes = |field: &&Field| {
            let found = |text: &str| text.to_lowercase().contains(&wanted);
            found(field.key().as_str()) || found(field.entry.section.title()) || found(field.entry.help)
        };
        self.ground.fields.iter().filter(|field| field.entry.matters(sources)).filter(passes).collect()
    }

    /// The sources that are chosen, in their order.
    pub(super) fn sources(&self) -> Vec<String> {
        self.ground.field(Key::TokenSource).map_or_else(Vec::new, |field| split(self.holding(field).text()))
    }

    /// The field that is pointed at, when it is listed.
    pub(super) fn pointed(&self) -> Option<&Field> {
        self.listed().into_iter().find(|field| field.key() == self.selected)
    }

    /// What `t` would try: the source that the selected setting belongs to, or all that are chosen.
    pub(super) fn to_be_tried(&self) -> Vec<String> {
        let section: Option<Section> = self.pointed().map(|field| field.entry.section);
        match section.and_then(Section::source) {
            Some(source) => vec![source.to_owned()],
            None => self.sources(),
        }
    }
}

/// The items of a comma-separated list.
pub(super) fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

//! An editor with settings to look at, for tests.

use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::event::{Effect, Event, Press};
use super::field::Change;
use super::ground::{EditedFile, Ground, fields, rank_of_file};
use super::model::Editor;
use crate::settings::key::Key;
use crate::settings::places::Level;
use crate::settings::settings_file::SettingsFile;
use crate::settings::tier::Tier;
use crate::settings::written::Written;
use crate::talk::Talk;

pub(super) const USER_FILE: &str = "/home/ann/.config/scorpiox/scorpiox-env.txt";
pub(super) const PROJECT_FILE: &str = "/home/ann/code/scorpiox-env.txt";
/// Stands in the sample's files and may be seen nowhere.
pub(super) const SECRET: &str = "sxk_neverseen";

/// The user's file, the project's file, the environment.
pub(super) fn editor(user: &str, project: &str, environment: &[(&str, &str)]) -> Editor {
    Editor::new(ground(user, project, environment))
}

pub(super) fn ground(user: &str, project: &str, environment: &[(&str, &str)]) -> Ground {
    let files = [
        SettingsFile::with_text(USER_FILE, Tier::User, user),
        SettingsFile::with_text(PROJECT_FILE, Tier::Project, project),
    ];
    let lookup = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let written = Written::put_together(&files, &lookup, &mut Talk::default()).unwrap();
    let order = [PathBuf::from(USER_FILE), PathBuf::from(PROJECT_FILE)];
    let edited = [(Level::User, &order[0]), (Level::Project, &order[1])];
    Ground {
        fields: fields(&written, &order),
        files: edited
            .map(|(level, path)| EditedFile { level, rank: rank_of_file(path, &order), path: path.clone() })
            .into(),
        untrusted: None,
        home: Some("/home/ann".into()),
        remarks: Vec::new(),
    }
}

/// Settings of every kind: in each file, in the environment, a secret, a list of sources.
pub(super) fn full() -> Editor {
    let user = format!("# mine\nCODEX_TOKEN_SOURCE=remote,local\nTOKEN_HTTP_API_KEY={SECRET}\nMODEL=gpt-5.5\n");
    editor(&user, "MODEL=gpt-5.3-codex\n", &[("CODEX_REMOTE_URL", "https://broker.example:8443/codex")])
}

impl Editor {
    /// Presses keys, and says what the last one wants done. `\n` is Enter, `\t` Tab, `\x1b` Escape.
    pub(super) fn keys(&mut self, keys: &str) -> Option<Effect> {
        let press = |key| match key {
            '\n' => Press::Enter,
            '\t' => Press::Tab,
            '\u{1b}' => Press::Escape,
            '\u{8}' => Press::Backspace,
            character => Press::Char(character),
        };
        keys.chars().map(|key| self.update(Event::Pressed(press(key)))).last().flatten()
    }

    pub(super) fn pasted(&mut self, text: &str) {
        self.update(Event::Pasted(Zeroizing::new(text.to_owned())));
    }

    /// Changes the key without typing it.
    pub(super) fn change_secret(&mut self, secret: &str) {
        self.changes.push((Key::ApiKey, Change::Set(Zeroizing::new(secret.to_owned()))));
    }

    /// Points at a setting.
    pub(super) fn at(&mut self, key: Key) -> &mut Self {
        assert!(self.listed().iter().any(|field| field.key() == key), "{key:?} is not listed");
        self.selected = key;
        self
    }
}

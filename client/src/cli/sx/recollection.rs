//! What a person is told of a conversation that goes on: which one it is, and what was said last.

use std::path::Path;

use jiff::tz::TimeZone;

use super::sessions::list::local;
use super::sessions::short;
use crate::conversation::item::{Item, Role};
use crate::drive::record::Ending;
use crate::failure::visible_in_full;
use crate::session::replay::Replayed;
use crate::terminal::sanitize::sanitized;

/// So many lines are shown of what the person said last, and of the answer to it.
const MOST_OF_PROMPT: usize = 4;
const MOST_OF_ANSWER: usize = 16;

/// All of it, as the terminal may have it.
pub(super) fn recollection(replayed: &Replayed, here: &Path, zone: &TimeZone) -> String {
    let mut text = head(replayed, zone);
    let there = &replayed.session.directory;
    if *there != here.to_string_lossy() {
        text +=
            &format!("it was begun in {}; from here on it is about {}\n", visible_in_full(there), here_in_words(here));
    }
    match replayed.told.unreadable {
        0 => {}
        count => text += &format!("{count} lines of its transcript cannot be read; what they said is lost\n"),
    }
    if replayed.told.turns > 0 && replayed.told.last_ending.is_none() {
        text += "its last turn was cut off; what was complete is there\n";
    }
    text + &last_exchange(replayed.history.items(), replayed.told.last_ending)
}

fn head(replayed: &Replayed, zone: &TimeZone) -> String {
    let used = replayed.told.last_unix_ms.map(|at| format!(", last used {}", local(at, zone))).unwrap_or_default();
    let turns = match replayed.told.turns {
        1 => "1 turn".to_owned(),
        count => format!("{count} turns"),
    };
    format!("going on with {}: {turns}{used}\n", visible_in_full(short(&replayed.session.id)))
}

fn here_in_words(here: &Path) -> String {
    visible_in_full(&here.to_string_lossy())
}

fn last_exchange(items: &[Item], ending: Option<Ending>) -> String {
    let Some(asked) = items.iter().rposition(|item| said_by(item, Role::User).is_some()) else { return String::new() };
    let prompt = said_by(&items[asked], Role::User).unwrap_or_default();
    let answer = items[asked..].iter().rev().find_map(|item| said_by(item, Role::Assistant));
    let mut text = beginning_of(&prompt, MOST_OF_PROMPT, "> ");
    match (answer, ending) {
        (Some(answer), _) => text += &beginning_of(&answer, MOST_OF_ANSWER, ""),
        (None, Some(Ending::Stopped)) => text += "(stopped before an answer)\n",
        (None, _) => {}
    }
    text
}

fn said_by(item: &Item, role: Role) -> Option<String> {
    match item {
        Item::Message(message) if message.role == role => Some(message.text()),
        _ => None,
    }
}

fn beginning_of(text: &str, most: usize, before: &str) -> String {
    let text = sanitized(text);
    let lines: Vec<&str> = text.trim().lines().collect();
    let mut shown: String = lines.iter().take(most).map(|line| format!("{before}{line}\n")).collect();
    if lines.len() > most {
        shown += &format!("({} more lines)\n", lines.len() - most);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::history::History;
    use crate::conversation::item::Content;
    use crate::session::entry::Session;
    use crate::session::replay::Told;

    fn said(text: &str) -> Item {
        Item::message(Role::Assistant, vec![Content::OutputText { text: text.to_owned() }])
    }

    fn shown(items: Vec<Item>, told: Told) -> String {
        let session = Session {
            schema: 1,
            id: "1a2b3c4d-0000-4000-8000-000000000001".to_owned(),
            directory: "/p".to_owned(),
            client: "0".to_owned(),
            copy_of: None,
        };
        let replayed = Replayed { session, history: History::of(items), told };
        recollection(&replayed, Path::new("/p"), &TimeZone::UTC)
    }

    #[test]
    fn the_last_exchange_is_shown_and_moves_nothing() {
        let items = vec![
            Item::user("first"),
            said("First."),
            Item::user("How\u{1b}[2J many?"),
            said("Let me see."),
            said(&"Forty-two.\n".repeat(20)),
            Item::developer("note"),
        ];
        let told = Told {
            turns: 2,
            last_unix_ms: Some(1_767_261_600_000),
            last_ending: Some(Ending::Finished),
            ..Told::default()
        };
        let expected = format!(
            "going on with 1a2b3c4d: 2 turns, last used 2026-01-01 10:00\n> How many?\n{}(4 more lines)\n",
            "Forty-two.\n".repeat(16)
        );
        assert_eq!(shown(items, told), expected);
    }

    #[test]
    fn what_went_wrong_is_said() {
        let told = Told { turns: 1, unreadable: 2, ..Told::default() };
        let text = shown(vec![Item::user("x")], told);
        assert!(text.contains("2 lines of its transcript") && text.contains("was cut off"), "{text}");
        assert!(text.ends_with("> x\n"), "{text}");
    }
}

//! Conversations at a glance.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::termios::tcgetwinsize;
use serde_json::json;

use super::short;
use crate::cli::escape::escaped_json;
use crate::cli::outcome;
use crate::failure::{Failure, visible_in_full};
use crate::session::store::{Glance, Store};
use crate::talk::Talk;

/// Of a terminal that does not say.
const USUAL_WIDTH: usize = 80;
/// The least that is shown of what was said first.
const LEAST_PROMPT: usize = 20;

/// Lists them on stdout.
pub(super) fn list(store: &Store, all: bool, as_json: bool, talk: &mut Talk) -> Result<(), Failure> {
    let directory = current_directory()?;
    let mut glances = store.all();
    if !all {
        glances.retain(|glance| glance.is_of(&directory));
    }
    if glances.is_empty() && !as_json {
        talk.warn(if all {
            "no conversation is kept"
        } else {
            "none of this directory is kept; --all lists the others"
        });
        return Ok(());
    }
    let line = |glance: &Glance| match as_json {
        true => format!("{}\n", escaped_json(&described(glance))),
        false => row(glance, all, width(), &TimeZone::system()),
    };
    outcome::answer(&glances.iter().map(line).collect::<String>())
}

/// Where this command runs.
pub(in crate::cli::sx) fn current_directory() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::configuration(format!("the current directory: {error}")))
}

/// One line for a person.
pub(in crate::cli::sx) fn row(glance: &Glance, with_directory: bool, width: usize, zone: &TimeZone) -> String {
    let tokens = glance.tally.as_ref().map_or(0, |tally| tally.usage.input_tokens + tally.usage.output_tokens);
    let (id, used) = (short(&glance.session.id), local(glance.used_unix_ms, zone));
    let directory = match with_directory {
        true => format!("{}  ", visible_in_full(&glance.session.directory)),
        false => String::new(),
    };
    let begin = format!("{id}  {used}  {:>9}  {directory}", grouped(tokens));
    let room = width.saturating_sub(begin.chars().count()).max(LEAST_PROMPT);
    format!("{begin}{}\n", cut(&glance.prompt, room))
}

/// A time on the person's clock: `2026-01-01 10:00`.
pub(in crate::cli::sx) fn local(unix_ms: i64, zone: &TimeZone) -> String {
    let time = Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_zoned(zone.clone());
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The width of the terminal.
pub(in crate::cli::sx) fn width() -> usize {
    tcgetwinsize(io::stdout()).ok().map_or(USUAL_WIDTH, |size| usize::from(size.ws_col)).max(USUAL_WIDTH / 2)
}

fn described(glance: &Glance) -> String {
    let at = |unix_ms| Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string();
    let tally = glance.tally.as_ref();
    let described = json!({
        "id": glance.session.id,
        "began_at": glance.began_unix_ms.map(at),
        "used_at": at(glance.used_unix_ms),
        "directory": glance.session.directory,
        "prompt": glance.prompt,
        "model": tally.map(|tally| &tally.model),
        "turns": tally.map(|tally| tally.turns),
        "usage": tally.map(|tally| &tally.usage),
    });
    described.to_string()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// One line of at most so many characters.
fn cut(text: &str, most: usize) -> String {
    let line = visible_in_full(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.chars().count() > most {
        true => line.chars().take(most.saturating_sub(3)).chain("...".chars()).collect(),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::entry::Session;
    use crate::session::usage_file::Tally;

    #[test]
    fn a_row_fits_the_terminal_and_shows_nothing_that_moves_it() {
        let session = Session {
            schema: 1,
            id: "1a2b3c4d-0000-4000-8000-000000000001".to_owned(),
            directory: "/p".to_owned(),
            client: "0".to_owned(),
            copy_of: None,
        };
        let usage =
            crate::conversation::event::Usage { input_tokens: 1_234_000, output_tokens: 567, ..Default::default() };
        let tally = Some(Tally::new(String::new(), "m".to_owned(), 1, usage));
        let prompt = format!("Why\n does\u{1b}[2J it {}", "x".repeat(100));
        let glance = Glance { session, began_unix_ms: None, used_unix_ms: 1_767_261_600_000, prompt, tally };
        let utc = TimeZone::UTC;
        let plain = row(&glance, false, 80, &utc);
        assert!(plain.starts_with("1a2b3c4d  2026-01-01 10:00  1,234,567  Why does?[2J it xxx"), "{plain}");
        assert!(plain.ends_with("...\n") && plain.chars().count() == 81, "{plain}");
        assert!(row(&glance, true, 80, &utc).contains("  /p  Why"));
    }
}

//! Whether the stock Codex CLI asks us for its tokens, and in the way that works.

use std::path::Path;

use super::report::{Line, State};
use crate::bounded_file::{self, Symlinks};
use crate::settings::Surroundings;

/// The longest configuration that is read, in bytes.
const LONGEST_FILE: u64 = 256 * 1024;
const COMMAND: &str = "scorpiox-codex-fetchtoken";

/// Looks into the stock CLI's configuration. `None` where it does not mention us.
pub(super) fn look(surroundings: &Surroundings<'_>) -> Option<Line> {
    let home = || surroundings.absolute_path("HOME").map(|home| home.join(".codex"));
    let path = surroundings.absolute_path("CODEX_HOME").or_else(home)?.join("config.toml");
    let content = bounded_file::read(&path, LONGEST_FILE, Symlinks::Follow).ok()?;
    line(&path, std::str::from_utf8(&content.bytes).ok()?)
}

/// It is read as text: which of its tables is in use is decided elsewhere.
fn line(path: &Path, text: &str) -> Option<Line> {
    let ours: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let has = |word: &str| ours.iter().any(|line| line.contains(word));
    if !has(COMMAND) {
        return None;
    }
    let path = path.display();
    let missing: Vec<_> = ["--raw", "--repeat-means-refused"].into_iter().filter(|argument| !has(argument)).collect();
    if missing.is_empty() {
        return Some(Line::new(State::Ok, "stock CLI", format!("{path} asks {COMMAND}")));
    }
    let text = format!("{path} asks {COMMAND} without {}", missing.join(" and "));
    let step = r#"set args = ["--raw", "--repeat-means-refused"] there"#;
    Some(Line::new(State::Warn, "stock CLI", text).next(Some(step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_give_a_refused_token_again_is_told() {
        let state = |text: &str| line(Path::new("/c"), text).map(|line| line.state);
        let command = "[model_providers.broker.auth]\ncommand = \"scorpiox-codex-fetchtoken\"\n";
        assert_eq!(state("model = \"x\"\n"), None);
        assert_eq!(state(&format!("# {}", command.replace('\n', "\n# "))), None);
        assert_eq!(state(&format!("{command}args = [\"--raw\", \"--repeat-means-refused\"]\n")), Some(State::Ok));
        assert_eq!(state(&format!("{command}args = [\"--raw\"]\n")), Some(State::Warn));
    }
}

//! What the doctor found, for people and for programs. Pure.

use std::fmt::Write as _;

use serde::Serialize;

use crate::failure::visible_in_full;

/// How it stands with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// Tokens come all the same.
    Warn,
    /// It keeps tokens from coming.
    Fail,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) state: State,
    /// The thing in a word: `settings`, `remote`.
    pub(super) subject: String,
    pub(super) text: String,
    /// What to do.
    pub(super) next_step: Option<String>,
    /// Of a source that gave a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<TokenFacts>,
}

/// What there is to say of a token without showing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TokenFacts {
    pub(super) account_id: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) expires_at: Option<i64>,
}

impl Line {
    pub(super) fn new(state: State, subject: &str, text: impl Into<String>) -> Self {
        Self { state, subject: subject.to_owned(), text: text.into(), next_step: None, token: None }
    }

    pub(super) fn next(mut self, step: Option<&str>) -> Self {
        self.next_step = step.map(str::to_owned);
        self
    }
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) lines: Vec<Line>,
    /// Of the first thing that keeps the chosen sources from giving tokens; 0 when nothing does.
    pub(super) exit_code: u8,
}

#[derive(Serialize)]
struct Json<'a> {
    schema: u8,
    exit_code: u8,
    checks: &'a [Line],
}

impl Report {
    /// Adds a line.
    pub(super) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The first failure decides how the command ends.
    pub(super) fn ends_with(&mut self, exit_code: u8) {
        if self.exit_code == 0 {
            self.exit_code = exit_code;
        }
    }

    /// A line for each: `FAIL  remote     why - what to do`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let width = self.lines.iter().map(|line| line.subject.chars().count()).max().unwrap_or(0);
        for line in &self.lines {
            let state = match line.state {
                State::Ok => "ok",
                State::Warn => "warn",
                State::Fail => "FAIL",
            };
            let _ = write!(text, "{state:<4}  {:<width$}  {}", line.subject, visible_in_full(&line.text));
            if let Some(step) = &line.next_step {
                let _ = write!(text, " - {}", visible_in_full(step));
            }
            text.push('\n');
        }
        text
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let json = Json { schema: 1, exit_code: self.exit_code, checks: &self.lines };
        serde_json::to_string(&json).map(|json| json + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let facts = TokenFacts { account_id: Some("a1".into()), plan: None, expires_at: Some(1_900_000_900) };
        let mut report = Report::default();
        report.add(Line::new(State::Ok, "settings", "files: 1"));
        report.add(Line { token: Some(facts), ..Line::new(State::Ok, "remote", "chosen: a token") });
        report.add(Line::new(State::Fail, "local", "is not\u{1b} there").next(Some("log in")));
        report.ends_with(75);
        report.ends_with(78);
        report
    }

    #[test]
    fn each_thing_has_its_line_with_what_to_do() {
        let expected = "\
ok    settings  files: 1
ok    remote    chosen: a token
FAIL  local     is not? there - log in
";
        assert_eq!(report().text(), expected);
    }

    #[test]
    fn programs_get_one_line() {
        let expected = concat!(
            r#"{"schema":1,"exit_code":75,"checks":["#,
            r#"{"state":"ok","subject":"settings","text":"files: 1","next_step":null},"#,
            r#"{"state":"ok","subject":"remote","text":"chosen: a token","next_step":null,"#,
            r#""token":{"account_id":"a1","plan":null,"expires_at":1900000900}},"#,
            r#"{"state":"fail","subject":"local","text":"is not\u001b there","next_step":"log in"}]}"#,
            "\n",
        );
        assert_eq!(report().json().unwrap(), expected);
    }
}

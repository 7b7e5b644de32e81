//! Fenced code: line by line, coloured by what its language makes of it, and exactly as long as it was written.

use super::Look;
use super::flow::Lead;
use super::ink::{Style, paint};
use crate::terminal::highlight::Highlighter;

/// Code between two fences.
#[derive(Debug)]
pub(super) struct Fence {
    mark: char,
    length: usize,
    /// Columns before the opening fence, which are taken from each line.
    indent: usize,
    quotes: usize,
    language: String,
    lead: Lead,
    highlighter: Option<Highlighter>,
}

/// What a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Code.
    GoesOn,
    /// The closing fence.
    Ended,
    /// Behind the end of the quote that the code was in.
    NotWithin,
}

impl Fence {
    /// Reads the line that opens it; `None` when it opens nothing.
    pub(super) fn begin(line: &str, indent: usize) -> Option<Self> {
        let mark = line.chars().next()?;
        let length = line.chars().take_while(|c| *c == mark).count();
        let info = line[length..].trim();
        if length < 3 || mark == '`' && info.contains('`') {
            return None;
        }
        let language = info.split([' ', ',', '{', '\t']).next().unwrap_or_default().to_owned();
        Some(Self { mark, length, indent, quotes: 0, language, lead: Lead::default(), highlighter: None })
    }

    /// Shows the line that opens it. Nothing of the highlighter is needed before there is a line of code.
    pub(super) fn open(&mut self, first: &Lead, lead: Lead, quotes: usize, line: &str, look: Look, out: &mut String) {
        (self.lead, self.quotes) = (lead, quotes);
        self.highlighter = Highlighter::of(&self.language, look.colour);
        let fence = paint(line.trim_end(), look.base.with(Style::FAINT), look.colour);
        out.push_str(&format!("{}{fence}\n", first.text));
    }

    /// The next whole line.
    pub(super) fn line(&mut self, line: &str, look: Look, out: &mut String) -> After {
        let Some(line) = self.within_quotes(line) else { return After::NotWithin };
        let spaces = line.bytes().take_while(|byte| *byte == b' ').count();
        let closing = line.trim();
        if !closing.is_empty() && closing.len() >= self.length && closing.chars().all(|c| c == self.mark) {
            let fence = paint(closing, look.base.with(Style::FAINT), look.colour);
            out.push_str(&format!("{}{fence}\n", self.lead.text));
            return After::Ended;
        }
        let code = &line[spaces.min(self.indent)..];
        if code.is_empty() {
            out.push_str(self.lead.text.trim_end());
        } else {
            out.push_str(&self.lead.text);
        }
        match &mut self.highlighter {
            None => out.push_str(&paint(code, look.base, look.colour)),
            Some(highlighter) => {
                for (style, piece) in highlighter.line(code) {
                    out.push_str(&paint(piece, look.base.with(style), look.colour));
                }
            }
        }
        out.push('\n');
        After::GoesOn
    }

    fn within_quotes<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut rest = line;
        for _ in 0..self.quotes {
            rest = rest.trim_start_matches(' ').strip_prefix('>')?;
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
        Some(rest)
    }
}

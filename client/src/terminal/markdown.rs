//! Markdown on a terminal while it streams in: what has been written is never written again.
//!
//! * [`ink`]: how a piece of text looks. * `mark`, `inline`: emphasis, code, links within a line.
//! * `flow`: words on lines. * `opening`: what kind of line one is. * `lists`: how far entries are indented.
//! * `fence`: code. * `table`: the one thing that waits until it is whole.
//!
//! A line break of the text is one on the screen: models do not break their lines, and where they do they mean it. Without
//! colours the marks stay as they are, so that nothing is lost. Without a look at the rest of the text some things cannot
//! be known and are shown as text: titles that are underlined by the next line, links that are defined elsewhere.

use std::mem;

use self::fence::Fence;
use self::flow::{Flow, Lead};
use self::ink::{Style, paint};
use self::inline::Inline;
use self::lists::Lists;
use self::opening::{Kind, Mark, Opening};
use self::table::Drawn;
use super::capability::{Characters, Colour};

mod fence;
mod flow;
pub mod ink;
mod inline;
mod lists;
mod mark;
mod opening;
mod table;

/// A line that says no more than this at its beginning is text.
const LONGEST_OPENING: usize = 1024;
/// So many rows are held; a longer table is drawn in parts.
const MOST_ROWS: usize = 200;
const LONGEST_RULE: usize = 60;

/// How a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Without colours marks stay as they are.
    pub colour: Colour,
    /// What lines and dots are made of.
    pub characters: Characters,
    /// Columns of the terminal.
    pub width: usize,
    /// How everything looks.
    pub base: Style,
}

/// Renders a text that comes in pieces. However it is cut, the same is written. The text must be clean: see
/// [`sanitize`](super::sanitize).
///
/// ```
/// # use scorpiox_client::terminal::{capability::{Characters, Colour}, markdown::{ink::Style, Look, Markdown}};
/// let look = Look { colour: Colour::Sixteen, characters: Characters::Ascii, width: 80, base: Style::PLAIN };
/// let mut markdown = Markdown::new(look);
/// assert_eq!(markdown.push("Some **bo"), "Some");
/// assert_eq!(markdown.push("ld** text\n"), " \u{1b}[1mbold\u{1b}[0m text\n");
/// ```
#[derive(Debug)]
pub struct Markdown {
    look: Look,
    flow: Flow,
    line: Line,
    block: Block,
    lists: Lists,
    /// Quotes around what was written last.
    quotes: usize,
    /// What stood between the last line that was written and the next.
    above: Above,
}

/// The line that is being read.
#[derive(Debug)]
enum Line {
    /// What it is cannot be said yet.
    Beginning(String),
    /// Text of this look, word by word.
    Text(Box<Inline>),
    /// Has to be whole before it can be shown.
    Whole(Opening, String),
}

/// What goes on over several lines.
#[derive(Debug)]
enum Block {
    None,
    Fence(Box<Fence>),
    /// Rows so far, and where they stand.
    Table(Lead, Vec<String>),
}

/// What stands above the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Above {
    /// Nothing was written yet.
    Beginning,
    /// A line of text.
    Text,
    /// Something else.
    Other,
    /// An empty line, which is written when something follows.
    Blank,
}

impl Markdown {
    /// Nothing has come yet.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            flow: Flow::new(look.colour, look.width),
            line: Line::Beginning(String::new()),
            block: Block::None,
            lists: Lists::default(),
            quotes: 0,
            above: Above::Beginning,
        }
    }

    /// The terminal has become wider or narrower.
    pub fn set_width(&mut self, width: usize) {
        self.look.width = width;
        self.flow.set_width(width);
    }

    /// The next piece; what it makes visible.
    pub fn push(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + text.len() / 4);
        text.chars().for_each(|c| self.take(c, &mut out));
        out
    }

    /// Whether the cursor is at the beginning of a line.
    pub fn is_at_line_start(&self) -> bool {
        self.flow.is_at_line_start()
    }

    /// Nothing more comes: what was held back. It ends a line that was begun.
    pub fn finish(mut self) -> String {
        let mut out = String::new();
        if !matches!(&self.line, Line::Beginning(begun) if begun.is_empty()) {
            self.end_line(&mut out);
        }
        self.end_table(&mut out);
        out
    }

    fn take(&mut self, c: char, out: &mut String) {
        if c == '\n' {
            return self.end_line(out);
        }
        match &mut self.line {
            Line::Text(inline) => put(inline, c, self.look.colour, &mut self.flow, out),
            Line::Whole(_, text) => text.push(c),
            Line::Beginning(begun) => {
                begun.push(c);
                // Within a fence a line shows only at its end what it is.
                if !matches!(self.block, Block::Fence(_)) {
                    self.begin_line(false, out);
                }
            }
        }
    }

    fn end_line(&mut self, out: &mut String) {
        if let (Line::Beginning(begun), Block::Fence(fence)) = (&mut self.line, &mut self.block) {
            let line = mem::take(begun);
            match fence.line(&line, self.look, out) {
                fence::After::GoesOn => return,
                fence::After::Ended => {
                    self.block = Block::None;
                    self.above = Above::Other;
                    return;
                }
                fence::After::NotWithin => {
                    self.block = Block::None;
                    self.line = Line::Beginning(line);
                }
            }
        }
        if matches!(self.line, Line::Beginning(_)) {
            self.begin_line(true, out);
        }
        match mem::replace(&mut self.line, Line::Beginning(String::new())) {
            Line::Text(mut inline) => {
                let flow = &mut self.flow;
                inline.end(&mut |c, style| flow.put(c, style, out));
                flow.end_line(out);
                self.above = Above::Text;
            }
            Line::Whole(opening, text) => self.whole_line(opening, &text, out),
            Line::Beginning(_) => {}
        }
    }

    /// Looks whether it can be said what kind of line this is.
    fn begin_line(&mut self, ended: bool, out: &mut String) {
        let Line::Beginning(begun) = &self.line else { return };
        let Some(opening) = opening::read(begun, ended || begun.len() > LONGEST_OPENING) else { return };
        let text = begun[opening.at..].to_owned();
        if opening.kind != Kind::Row {
            self.end_table(out);
        }
        match opening.kind {
            Kind::Blank if opening.leads.iter().all(|mark| *mark == Mark::Quote) => self.blank(&opening),
            Kind::Blank | Kind::Text if !self.is_indented_code(&opening) => {
                self.begin_text(&opening, Style::PLAIN, &text, out)
            }
            Kind::Heading(level) => {
                let style = if level == 1 { Style::BOLD.with(Style::UNDERLINED) } else { Style::BOLD };
                let marks = format!("{} ", "#".repeat(level));
                let text = if self.look.colour == Colour::None { marks + &text } else { text };
                self.begin_text(&opening, style, &text, out);
            }
            Kind::Blank | Kind::Text | Kind::Fence | Kind::Row | Kind::Rule => {
                self.line = Line::Whole(opening, text);
            }
        }
    }

    fn blank(&mut self, opening: &Opening) {
        self.line = Line::Beginning(String::new());
        if self.above != Above::Beginning {
            self.above = Above::Blank;
        }
        if opening.leads.is_empty() && self.quotes > 0 {
            self.quotes = 0;
        }
    }

    fn begin_text(&mut self, opening: &Opening, style: Style, text: &str, out: &mut String) {
        let (lead, hang) = self.lead(opening, out);
        self.flow.begin(&lead, hang, out);
        let mut inline = Box::new(Inline::new(self.look.base.with(style)));
        text.chars().for_each(|c| put(&mut inline, c, self.look.colour, &mut self.flow, out));
        self.line = Line::Text(inline);
    }

    fn whole_line(&mut self, opening: Opening, text: &str, out: &mut String) {
        match opening.kind {
            Kind::Fence => match Fence::begin(text, opening.indent) {
                Some(mut fence) => {
                    let (lead, hang) = self.lead(&opening, out);
                    fence.open(&lead, hang, self.quotes, text, self.look, out);
                    self.block = Block::Fence(Box::new(fence));
                }
                None => self.text_line(&opening, text, out),
            },
            Kind::Row => self.row(&opening, text, out),
            Kind::Rule => {
                let (lead, _) = self.lead(&opening, out);
                let dash = if self.look.characters == Characters::Utf8 { "─" } else { "-" };
                let width = self.look.width.saturating_sub(lead.width).clamp(3, LONGEST_RULE);
                let rule = paint(&dash.repeat(width), self.look.base.with(Style::FAINT), self.look.colour);
                out.push_str(&format!("{}{rule}\n", lead.text));
                self.above = Above::Other;
            }
            Kind::Blank | Kind::Text | Kind::Heading(_) => {
                // Indented code: as it is.
                let (lead, _) = self.lead(&opening, out);
                let code = Style::coloured(ink::Hue::Code).with(self.look.base);
                let text = format!("{}{text}", " ".repeat(opening.indent));
                out.push_str(&format!("{}{}\n", lead.text, paint(&text, code, self.look.colour)));
                self.above = Above::Other;
            }
        }
    }

    /// A line that had to be whole and turned out to be text.
    fn text_line(&mut self, opening: &Opening, text: &str, out: &mut String) {
        self.begin_text(opening, Style::PLAIN, text, out);
        if let Line::Text(mut inline) = mem::replace(&mut self.line, Line::Beginning(String::new())) {
            let flow = &mut self.flow;
            inline.end(&mut |c, style| flow.put(c, style, out));
            flow.end_line(out);
        }
        self.above = Above::Text;
    }

    /// Four columns more than what is around it, behind an empty line.
    fn is_indented_code(&self, opening: &Opening) -> bool {
        let set_off = matches!(self.above, Above::Blank | Above::Beginning | Above::Other);
        set_off && opening.leads.is_empty() && opening.indent >= self.lists.code_column(opening.indent)
    }

    fn row(&mut self, opening: &Opening, text: &str, out: &mut String) {
        if matches!(&self.block, Block::Table(_, rows) if rows.len() >= MOST_ROWS) {
            self.end_table(out);
        }
        if let Block::Table(_, rows) = &mut self.block {
            return rows.push(text.to_owned());
        }
        let (first, hang) = self.lead(opening, out);
        out.push_str(if first == hang { "" } else { &first.text });
        if first != hang {
            // An entry's mark stands alone on its line: a table needs all of its own.
            out.push('\n');
        }
        self.block = Block::Table(hang, vec![text.to_owned()]);
    }

    fn end_table(&mut self, out: &mut String) {
        let Block::Table(lead, rows) = mem::replace(&mut self.block, Block::None) else { return };
        let Look { colour, characters, width, base } = self.look;
        let drawn = Drawn { colour, characters, width: width.saturating_sub(lead.width), base };
        let lines = table::lines(&rows, drawn).unwrap_or_else(|| rows.clone());
        lines.iter().for_each(|line| out.push_str(&format!("{}{line}\n", lead.text)));
        self.above = Above::Other;
    }

    /// What stands before a line and before those that it wraps into; writes the empty line above it.
    fn lead(&mut self, opening: &Opening, out: &mut String) -> (Lead, Lead) {
        let quotes = opening.leads.iter().filter(|mark| **mark == Mark::Quote).count();
        let goes_on = self.above == Above::Text && matches!(opening.kind, Kind::Text | Kind::Blank);
        // A line of text below a quote's belongs to it even without its mark.
        let quotes = if goes_on && quotes == 0 { self.quotes } else { quotes };
        if self.above == Above::Blank {
            let bars = self.bars(quotes.min(self.quotes));
            out.push_str(bars.text.trim_end());
            out.push('\n');
        }
        let mut first = self.bars(quotes);
        let mut hang = first.clone();
        if quotes != self.quotes {
            self.lists = Lists::default();
        }
        self.quotes = quotes;
        let within = self.lists.place(&opening.leads, opening.indent, goes_on);
        let (colour, dot) = (self.look.colour, self.dot());
        let plain = self.look.base;
        hang.push(&" ".repeat(within.column), Style::PLAIN, colour);
        first.push(&" ".repeat(within.before), Style::PLAIN, colour);
        for written in &within.written {
            let mark = if written.len() == 1 { dot.unwrap_or(written) } else { written };
            first.push(&format!("{mark} "), plain, colour);
        }
        (first, hang)
    }

    fn bars(&self, count: usize) -> Lead {
        let mut lead = Lead::default();
        let bar =
            if self.look.characters == Characters::Utf8 && self.look.colour != Colour::None { "│ " } else { "> " };
        lead.push(&bar.repeat(count), self.look.base.with(Style::FAINT), self.look.colour);
        if count == 0 { Lead::default() } else { lead }
    }

    /// What an entry's mark is shown as; as written when `None`.
    fn dot(&self) -> Option<&'static str> {
        (self.look.characters == Characters::Utf8 && self.look.colour != Colour::None).then_some("•")
    }
}

/// Without colours marks stay, so nothing is to be understood within a line.
fn put(inline: &mut Inline, c: char, colour: Colour, flow: &mut Flow, out: &mut String) {
    let mut sink = |c: char, style: Style| flow.put(c, style, out);
    match colour {
        Colour::None => sink(c, Style::PLAIN),
        Colour::Sixteen | Colour::Palette | Colour::True => inline.push(c, &mut sink),
    }
}

#[cfg(test)]
mod tests;

//! Text within a line: emphasis, code, links. A character is decided as soon as no later one can change its style; what
//! an opening mark begins is held until its closing one, at most a few words.
//!
//! Marks count within their line only: models do not break lines within them.

use super::ink::{Hue, Style};
use super::mark::{self, Run};

/// So much is held, in bytes, to see whether an opening mark is closed.
const HELD: usize = 400;

/// A line's text while it arrives.
#[derive(Debug)]
pub(super) struct Inline {
    held: String,
    /// The character before what is held.
    before: char,
    base: Style,
    open: Vec<(char, Style)>,
}

/// What the beginning of the held text is.
enum Step {
    /// Nothing can be said yet.
    Wait,
    /// These bytes are to be shown as they are.
    Literal(usize),
    /// An escaped character, of this length behind the backslash.
    Escaped(usize),
    /// A mark of this length, which opens or closes these styles.
    Open(usize, Vec<(char, Style)>),
    /// The same, closing.
    Close(usize),
    /// Code: the marks' length, and that of what is between them.
    Code(usize, usize),
    /// A link.
    Link(mark::Link),
    /// A character written as `&name;` of this length.
    Entity(usize, char),
}

/// Takes characters in their style.
pub(super) type Sink<'a> = &'a mut dyn FnMut(char, Style);

impl Inline {
    pub(super) fn new(base: Style) -> Self {
        Self { held: String::new(), before: ' ', base, open: Vec::new() }
    }

    /// The next character of the line.
    pub(super) fn push(&mut self, c: char, sink: Sink<'_>) {
        self.held.push(c);
        self.advance(false, sink);
    }

    /// The line ends.
    pub(super) fn end(&mut self, sink: Sink<'_>) {
        self.advance(true, sink);
    }

    fn advance(&mut self, ended: bool, sink: Sink<'_>) {
        while let Some(first) = self.held.chars().next() {
            let step = self.step(first, ended);
            let taken = match step {
                Step::Wait => return,
                Step::Literal(length) => {
                    self.show(0, length, self.style(), sink);
                    length
                }
                Step::Escaped(length) => {
                    self.show(1, 1 + length, self.style(), sink);
                    1 + length
                }
                Step::Open(length, styles) => {
                    self.open.extend(styles);
                    length
                }
                Step::Close(length) => {
                    self.close(first, length);
                    length
                }
                Step::Code(marks, length) => {
                    let style = self.style().with(Style::coloured(Hue::Code));
                    let (from, to) = mark::trimmed_code(&self.held, marks, marks + length);
                    self.show(from, to, style, sink);
                    marks + length + marks
                }
                Step::Link(link) => {
                    self.show_link(&link, sink);
                    link.length
                }
                Step::Entity(length, c) => {
                    sink(c, self.style());
                    length
                }
            };
            self.before = self.held[..taken].chars().last().unwrap_or(self.before);
            self.held.drain(..taken);
        }
    }

    fn step(&self, first: char, ended: bool) -> Step {
        let rest = &self.held;
        // What may still be decided by what comes.
        let wait = |otherwise: Step| if ended || rest.len() > HELD { otherwise } else { Step::Wait };
        match first {
            '\\' => match rest[1..].chars().next() {
                Some(next) if next.is_ascii_punctuation() => Step::Escaped(next.len_utf8()),
                Some(_) => Step::Literal(1),
                None => wait(Step::Literal(1)),
            },
            '`' => match mark::code(rest, ended) {
                mark::Found::Yes((marks, length)) => Step::Code(marks, length),
                mark::Found::No(length) => Step::Literal(length),
                mark::Found::NotYet(length) => wait(Step::Literal(length)),
            },
            '*' | '_' | '~' => self.emphasis(first, ended),
            '[' | '!' | '<' => match mark::link(rest, ended) {
                mark::Found::Yes(link) => Step::Link(link),
                mark::Found::No(length) => Step::Literal(length),
                mark::Found::NotYet(length) => wait(Step::Literal(length)),
            },
            '&' => match mark::entity(rest) {
                mark::Found::Yes((length, c)) => Step::Entity(length, c),
                mark::Found::No(length) => Step::Literal(length),
                mark::Found::NotYet(length) => wait(Step::Literal(length)),
            },
            other => Step::Literal(other.len_utf8()),
        }
    }

    fn emphasis(&self, c: char, ended: bool) -> Step {
        let Some(run) = Run::at(&self.held, 0, c, self.before, ended) else { return Step::Wait };
        let closable = |(open, style): &(char, Style)| *open == c && marks_of(*style) <= run.length;
        if run.closes && self.open.iter().any(closable) {
            return Step::Close(run.length);
        }
        let styles = match (c, run.length) {
            ('~', 2) => vec![(c, Style::STRUCK)],
            ('~', _) => return Step::Literal(run.length),
            (_, 1) => vec![(c, Style::ITALIC)],
            (_, 2) => vec![(c, Style::BOLD)],
            (_, 3) => vec![(c, Style::BOLD), (c, Style::ITALIC)],
            _ => return Step::Literal(run.length),
        };
        if !run.opens || styles.iter().any(|style| self.open.contains(style)) {
            return Step::Literal(run.length);
        }
        match mark::is_closed(&self.held, &run, c, ended) {
            Some(true) => Step::Open(run.length, styles),
            Some(false) => Step::Literal(run.length),
            None if self.held.len() > HELD => Step::Literal(run.length),
            None => Step::Wait,
        }
    }

    /// Closes what so many marks close; the innermost first.
    fn close(&mut self, c: char, length: usize) {
        let mut left = length;
        while left > 0 {
            let fits = |(open, style): &(char, Style)| *open == c && marks_of(*style) <= left;
            let Some(at) = self.open.iter().rposition(fits) else { return };
            left -= marks_of(self.open.remove(at).1);
        }
    }

    fn style(&self) -> Style {
        self.open.iter().fold(self.base, |style, (_, open)| style.with(*open))
    }

    fn show(&self, from: usize, to: usize, style: Style, sink: Sink<'_>) {
        self.held[from..to].chars().for_each(|c| sink(c, style));
    }

    /// The text, then the address, unless they are the same: a terminal shows no link that says something else than it is.
    fn show_link(&self, link: &mark::Link, sink: Sink<'_>) {
        let text = &self.held[link.text.clone()];
        let address = &self.held[link.address.clone()];
        let mut inner = Self::new(self.style().with(Style::UNDERLINED));
        text.chars().for_each(|c| inner.push(c, sink));
        inner.end(sink);
        if text != address && !address.is_empty() {
            let faint = self.style().with(Style::FAINT);
            format!(" ({address})").chars().for_each(|c| sink(c, faint));
        }
    }
}

fn marks_of(style: Style) -> usize {
    if style == Style::ITALIC { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::capability::Colour;
    use crate::terminal::markdown::ink::paint;

    /// Bold as `<b>`, and so on.
    fn shown(line: &str) -> String {
        let mut pieces: Vec<(Style, String)> = Vec::new();
        let mut sink = |c: char, style: Style| match pieces.last_mut() {
            Some((last, text)) if *last == style => text.push(c),
            _ => pieces.push((style, c.to_string())),
        };
        let mut inline = Inline::new(Style::PLAIN);
        line.chars().for_each(|c| inline.push(c, &mut sink));
        inline.end(&mut sink);
        let painted: String = pieces.iter().map(|(style, text)| paint(text, *style, Colour::Sixteen)).collect();
        painted.replace("\u{1b}[0m", "<>").replace("\u{1b}[", "<")
    }

    #[test]
    fn marks_mean_what_they_mean_elsewhere() {
        let cases = [
            ("plain", "plain"),
            ("a **bo ld** c", "a <1mbo ld<> c"),
            ("*it* _it_", "<3mit<> <3mit<>"),
            ("***both***", "<1;3mboth<>"),
            ("**a *b* c**", "<1ma <><1;3mb<><1m c<>"),
            ("~~old~~ ~5", "<9mold<> ~5"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("snake_case_name", "snake_case_name"),
            ("*never closed", "*never closed"),
            ("**never closed", "**never closed"),
            ("a `*code*` b", "a <36m*code*<> b"),
            ("`` a`b ``", "<36ma`b<>"),
            ("an open ` mark", "an open ` mark"),
            ("\\*no\\* \\n", "*no* \\n"),
            ("[text](http://a/b_c_d)", "<4mtext<><2m (http://a/b_c_d)<>"),
            ("[http://a](http://a)", "<4mhttp://a<>"),
            ("<https://a/b>", "<4mhttps://a/b<>"),
            ("![alt](i.png \"title\")", "<4malt<><2m (i.png)<>"),
            ("[x] and [1]: y", "[x] and [1]: y"),
            ("a[0](x) < b > c", "a<4m0<><2m (x)<> < b > c"),
            ("if a<b && c>d", "if a<b && c>d"),
            ("&lt;p&gt; &amp;c &nosuch;", "<p> &c &nosuch;"),
            ("**`code`**", "<1;36mcode<>"),
            ("**bold**text", "<1mbold<>text"),
            ("*a `*` b*", "<3ma <><3;36m*<><3m b<>"),
            ("(**a**)", "(<1ma<>)"),
            ("**Note:** x", "<1mNote:<> x"),
            ("日本**語**の", "日本<1m語<>の"),
            ("****", "****"),
            ("", ""),
        ];
        for (line, expected) in cases {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_never_closed_is_not_held_for_long() {
        let mut shown = 0;
        let mut inline = Inline::new(Style::PLAIN);
        for c in format!("*args {}", "x ".repeat(HELD)).chars() {
            inline.push(c, &mut |_, _| shown += 1);
        }
        assert!(shown > HELD, "{shown}");
    }
}

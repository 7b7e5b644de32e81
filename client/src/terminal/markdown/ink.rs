//! How text is to look, and the sequences that make it look so. Every piece ends plain: wherever the writing stops, the
//! terminal is as it was.

use crate::terminal::capability::Colour;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The marks below, added up.
    marks: u8,
    hue: Hue,
}

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hue {
    /// The terminal's own.
    #[default]
    Own,
    /// Code within text, and what code calls a type.
    Code,
    /// What a language's readers pass over.
    Comment,
    /// Literal text.
    Literal,
    /// The language's own words.
    Keyword,
    /// Numbers and constants.
    Number,
    /// What is defined or called.
    Name,
    /// Added by a change.
    Added,
    /// Removed by it.
    Removed,
}

/// The sequences of the marks, in their order.
const MARKS: [(u8, &str); 5] = [(1, "1"), (2, "2"), (4, "3"), (8, "4"), (16, "9")];

impl Style {
    /// As it comes.
    pub const PLAIN: Self = Self::marked(0);
    /// Strong.
    pub const BOLD: Self = Self::marked(1);
    /// Of less weight.
    pub const FAINT: Self = Self::marked(2);
    /// Stressed.
    pub const ITALIC: Self = Self::marked(4);
    /// A link, or a title.
    pub const UNDERLINED: Self = Self::marked(8);
    /// No longer so.
    pub const STRUCK: Self = Self::marked(16);

    const fn marked(marks: u8) -> Self {
        Self { marks, hue: Hue::Own }
    }

    /// In this colour.
    pub const fn coloured(hue: Hue) -> Self {
        Self { marks: 0, hue }
    }

    /// Both; where both have a colour, the other's.
    pub fn with(self, other: Self) -> Self {
        let hue = if other.hue == Hue::Own { self.hue } else { other.hue };
        Self { marks: self.marks | other.marks, hue }
    }
}

/// The text with its style. Without colours it is itself.
pub fn paint(text: &str, style: Style, colour: Colour) -> String {
    if colour == Colour::None || style == Style::PLAIN || text.is_empty() {
        return text.to_owned();
    }
    let marks = MARKS.iter().filter(|(mark, _)| style.marks & mark != 0).map(|(_, sequence)| *sequence);
    let sequences: Vec<&str> = marks.chain(sequence(style.hue, colour)).collect();
    format!("\u{1b}[{}m{text}\u{1b}[0m", sequences.join(";"))
}

/// Readable on black and on white alike: nobody says which it is.
fn sequence(hue: Hue, colour: Colour) -> Option<&'static str> {
    let of_three = match hue {
        Hue::Own => return None,
        Hue::Code => ["36", "38;5;31", "38;2;0;135;165"],
        Hue::Comment => ["2", "38;5;244", "38;2;128;128;128"],
        Hue::Literal => ["32", "38;5;64", "38;2;90;135;10"],
        Hue::Keyword => ["35", "38;5;133", "38;2;175;90;175"],
        Hue::Number => ["33", "38;5;130", "38;2;180;105;0"],
        Hue::Name => ["34", "38;5;32", "38;2;40;125;210"],
        Hue::Added => ["32", "38;5;28", "38;2;20;135;40"],
        Hue::Removed => ["31", "38;5;160", "38;2;205;40;40"],
    };
    match colour {
        Colour::None => None,
        Colour::Sixteen => Some(of_three[0]),
        Colour::Palette => Some(of_three[1]),
        Colour::True => Some(of_three[2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_written_as_the_terminal_can_show_it() {
        let style = Style::BOLD.with(Style::UNDERLINED).with(Style::coloured(Hue::Keyword));
        let cases = [
            (Colour::None, "x"),
            (Colour::Sixteen, "\u{1b}[1;4;35mx\u{1b}[0m"),
            (Colour::Palette, "\u{1b}[1;4;38;5;133mx\u{1b}[0m"),
            (Colour::True, "\u{1b}[1;4;38;2;175;90;175mx\u{1b}[0m"),
        ];
        for (colour, expected) in cases {
            assert_eq!(paint("x", style, colour), expected);
        }
        assert_eq!(paint("x", Style::PLAIN, Colour::True), "x");
        assert_eq!(paint("", style, Colour::True), "");
    }
}

//! How things look, with and without colour, in UTF-8 and in ASCII. Nothing depends on colour alone.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use ratatui::text::Span;

use super::super::model::Tone;
use crate::failure::visible;
use crate::terminal::capability::{Capability, Characters, Colour};

/// How things look.
#[derive(Debug, Clone, Copy)]
pub struct Theme(pub Capability);

/// Borders for terminals that have only ASCII.
const ASCII_BORDER: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

impl Theme {
    /// The line at the top.
    pub(super) fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row that is pointed at.
    pub(super) fn pointed(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn heading(self) -> Style {
        self.coloured(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is there without anybody having said so.
    pub(super) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What is not saved, or has no effect.
    pub(super) fn attention(self) -> Style {
        self.coloured(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Good => self.coloured(Color::Green),
            Tone::Bad => self.coloured(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    /// The line that is being typed.
    pub(super) fn typed(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }

    fn coloured(self, colour: Color) -> Style {
        match self.0.colour {
            Colour::Sixteen | Colour::Palette | Colour::True => Style::new().fg(colour),
            Colour::None => Style::new(),
        }
    }

    pub(super) fn border(self) -> border::Set<'static> {
        self.either(border::PLAIN, ASCII_BORDER)
    }

    pub(super) fn rule(self) -> &'static str {
        self.either("─", "-")
    }

    /// Stands for one character of a secret.
    pub(super) fn bullet(self) -> &'static str {
        self.either("•", "*")
    }

    pub(super) fn pointer(self) -> &'static str {
        self.either("▸ ", "> ")
    }

    fn ellipsis(self) -> &'static str {
        self.either("…", "...")
    }

    fn either<T>(self, utf8: T, ascii: T) -> T {
        match self.0.characters {
            Characters::Utf8 => utf8,
            Characters::Ascii => ascii,
        }
    }

    /// A text from elsewhere as it may be shown here.
    pub(super) fn text(self, text: &str) -> String {
        self.in_full(&visible(text))
    }

    /// A text that has nothing in it that a terminal obeys, however long it is.
    pub(super) fn in_full(self, text: &str) -> String {
        match self.0.characters {
            Characters::Utf8 => text.to_owned(),
            Characters::Ascii => text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(),
        }
    }

    /// The end of a text that fits: of a path it says more than the start.
    pub(super) fn fit_end(self, text: &str, width: usize) -> String {
        let reversed: String = text.chars().rev().collect();
        let fitting = self.fit(&reversed, width);
        let (mark, kept) = match fitting.strip_suffix(self.ellipsis()) {
            Some(kept) if width_of(text) > width => (self.ellipsis(), kept),
            _ => ("", fitting.as_str()),
        };
        format!("{mark}{}", kept.chars().rev().collect::<String>())
    }

    /// The same for a text that is being typed: one character for each of its own, however long it is.
    pub(super) fn typed_text(self, text: &str) -> String {
        text.chars().map(|character| self.text(character.encode_utf8(&mut [0; 4]))).collect()
    }

    /// The start of a text that fits into this many columns; what was cut leaves a mark.
    pub(super) fn fit(self, text: &str, width: usize) -> String {
        if width_of(text) <= width {
            return text.to_owned();
        }
        let room = width.saturating_sub(width_of(self.ellipsis()));
        let mut kept = String::new();
        for character in text.chars() {
            kept.push(character);
            if width_of(&kept) > room {
                kept.pop();
                break;
            }
        }
        kept.push_str(self.ellipsis());
        kept
    }
}

/// How many columns a text takes.
pub(super) fn width_of(text: &str) -> usize {
    Span::raw(text).width()
}

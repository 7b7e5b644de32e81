//! What a terminal can show, as far as its environment tells. Pure.

use std::ffi::OsString;

/// Looks up an environment variable.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Whether colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// All there are.
    True,
    /// The fixed palette of 256.
    Palette,
    /// The terminal's own sixteen, whose shades its owner chose.
    Sixteen,
    /// None: bold, underlined and reversed must do.
    None,
}

/// Which characters can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Characters {
    /// Everything in UTF-8.
    Utf8,
    /// ASCII only.
    Ascii,
}

/// What can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// Whether colours may be used.
    pub colour: Colour,
    /// Which characters can be shown.
    pub characters: Characters,
}

/// All that the line editor knows as such must be here: it reads plain lines on them, for which the keyboard must be left
/// as it is.
const UNMOVABLE: [&str; 5] = ["", "dumb", "unknown", "cons25", "emacs"];

/// A terminal on which no cursor can be moved, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmovable(pub String);

impl Capability {
    /// What the environment says: `TERM`, `COLORTERM`, `NO_COLOR`, and the locale.
    pub fn of(environment: Lookup<'_>) -> Result<Self, Unmovable> {
        let text = |name: &str| environment(name).map(|value| value.to_string_lossy().into_owned());
        let terminal = text("TERM").unwrap_or_default();
        if UNMOVABLE.iter().any(|name| name.eq_ignore_ascii_case(&terminal)) {
            return Err(Unmovable(terminal));
        }
        let monochrome = ["vt100", "vt102", "vt220", "vt320"].contains(&terminal.as_str())
            || terminal.ends_with("-m")
            || terminal.ends_with("-mono");
        let unwanted = text("NO_COLOR").is_some_and(|value| !value.is_empty());
        let more = text("COLORTERM").unwrap_or_default();
        let colour = match terminal.as_str() {
            _ if monochrome || unwanted => Colour::None,
            name if matches!(more.as_str(), "truecolor" | "24bit") || name.ends_with("-direct") => Colour::True,
            name if name.contains("256color") => Colour::Palette,
            _ => Colour::Sixteen,
        };
        Ok(Self { colour, characters: characters(&text) })
    }
}

/// The first of the three that is set decides (POSIX, 8.2).
fn characters(text: &dyn Fn(&str) -> Option<String>) -> Characters {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| text(name).filter(|value| !value.is_empty()));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") { Characters::Utf8 } else { Characters::Ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(environment: &[(&str, &str)]) -> Result<(Colour, Characters), Unmovable> {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        Capability::of(&lookup).map(|capability| (capability.colour, capability.characters))
    }

    #[test]
    fn the_environment_says_what_can_be_shown() {
        type Case<'a> = (&'a [(&'a str, &'a str)], (Colour, Characters));
        let cases: &[Case<'_>] = &[
            (&[("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")], (Colour::Palette, Characters::Utf8)),
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")], (Colour::True, Characters::Ascii)),
            (&[("TERM", "vt100"), ("COLORTERM", "truecolor")], (Colour::None, Characters::Ascii)),
            (&[("TERM", "linux")], (Colour::Sixteen, Characters::Ascii)),
            (&[("TERM", "xterm"), ("NO_COLOR", "1"), ("LANG", "C.utf8")], (Colour::None, Characters::Utf8)),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], (Colour::Sixteen, Characters::Ascii)),
            (&[("TERM", "vt100"), ("LANG", "de_DE.ISO-8859-1")], (Colour::None, Characters::Ascii)),
            (&[("TERM", "screen"), ("LC_ALL", "C"), ("LANG", "C.UTF-8")], (Colour::Sixteen, Characters::Ascii)),
            (&[("TERM", "screen"), ("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8")], (Colour::Sixteen, Characters::Utf8)),
        ];
        for (environment, expected) in cases {
            assert_eq!(capability(environment), Ok(*expected), "{environment:?}");
        }
    }

    #[test]
    fn where_no_cursor_can_be_moved_there_is_no_screen() {
        for name in ["dumb", "Dumb", "emacs", "CONS25", "unknown"] {
            assert_eq!(capability(&[("TERM", name)]), Err(Unmovable(name.into())));
        }
        assert_eq!(capability(&[]), Err(Unmovable(String::new())));
    }
}

//! Code in colours, line by line. The languages are unpacked when the first code comes that has one: until then they cost
//! nothing.

use std::sync::OnceLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use super::capability::Colour;
use super::markdown::ink::{Hue, Style};

/// A longer line is shown as it is: it was written by a program, and takes long to take apart.
const LONGEST_LINE: usize = 1000;
/// What people call languages besides their names and the endings of their files.
const OTHER_NAMES: [(&str, &str); 11] = [
    ("shell", "sh"),
    ("console", "sh"),
    ("shell-session", "sh"),
    ("zsh", "sh"),
    ("golang", "go"),
    ("jsonc", "json"),
    ("json5", "json"),
    ("docker", "dockerfile"),
    ("patch", "diff"),
    ("node", "js"),
    ("csharp", "cs"),
];
/// What a part of a language is shown as; the first that fits a part's name, innermost part first. Where nothing is to be
/// sought further outside there is `Hue::Own`.
const HUES: [(&str, Hue); 26] = [
    ("comment", Hue::Comment),
    ("meta.interpolation", Hue::Own),
    ("meta.template.expression", Hue::Own),
    ("string", Hue::Literal),
    ("constant", Hue::Number),
    ("keyword.operator.word", Hue::Keyword),
    ("keyword.operator.logical.python", Hue::Keyword),
    ("keyword.operator", Hue::Own),
    ("keyword.declaration.function", Hue::Keyword),
    ("keyword", Hue::Keyword),
    ("storage.type.numeric", Hue::Number),
    ("storage", Hue::Keyword),
    ("entity.name.function", Hue::Name),
    ("entity.name.tag", Hue::Keyword),
    ("entity.name.section", Hue::Name),
    ("entity.other.attribute-name", Hue::Name),
    ("entity.name", Hue::Code),
    ("support.function", Hue::Name),
    ("support.macro", Hue::Name),
    ("support", Hue::Code),
    ("variable.function", Hue::Name),
    ("variable.language", Hue::Keyword),
    ("markup.inserted", Hue::Added),
    ("markup.deleted", Hue::Removed),
    ("meta.diff.header", Hue::Comment),
    ("meta.diff.range", Hue::Name),
];

/// Colours code of one language.
#[derive(Debug)]
pub struct Highlighter {
    state: ParseState,
    parts: ScopeStack,
}

/// All languages.
struct Languages {
    syntaxes: SyntaxSet,
    hues: Vec<(Scope, Hue)>,
}

impl Highlighter {
    /// For code of this language; `None` when it is not known, or when nothing can be coloured.
    pub fn of(language: &str, colour: Colour) -> Option<Self> {
        let language = language.to_ascii_lowercase();
        let plain = matches!(language.as_str(), "" | "text" | "txt" | "plain" | "plaintext" | "output" | "log");
        if plain || colour == Colour::None {
            return None;
        }
        let other = OTHER_NAMES.iter().find(|(name, _)| *name == language);
        let language = other.map_or(language.as_str(), |(_, name)| *name);
        let syntax = languages().syntaxes.find_syntax_by_token(language)?;
        Some(Self { state: ParseState::new(syntax), parts: ScopeStack::new() })
    }

    /// The next whole line, without its end, in pieces.
    pub fn line<'a>(&mut self, line: &'a str) -> Vec<(Style, &'a str)> {
        if line.len() > LONGEST_LINE {
            return vec![(Style::PLAIN, line)];
        }
        let Ok(operations) = self.state.parse_line(&format!("{line}\n"), &languages().syntaxes) else {
            return vec![(Style::PLAIN, line)];
        };
        let mut pieces: Vec<(Style, &str)> = Vec::new();
        let mut from = 0;
        for (at, operation) in operations {
            let at = at.min(line.len());
            self.add(&line[from..at], &mut pieces);
            from = at;
            if self.parts.apply(&operation).is_err() {
                break;
            }
        }
        self.add(&line[from..], &mut pieces);
        pieces
    }

    fn add<'a>(&self, piece: &'a str, pieces: &mut Vec<(Style, &'a str)>) {
        if piece.is_empty() {
            return;
        }
        let style = if piece.trim().is_empty() { Style::PLAIN } else { Style::coloured(self.hue()) };
        pieces.push((style, piece));
    }

    fn hue(&self) -> Hue {
        let hue = |part: &Scope| languages().hues.iter().find(|(known, _)| known.is_prefix_of(*part));
        self.parts.scopes.iter().rev().find_map(hue).map_or(Hue::Own, |(_, hue)| *hue)
    }
}

fn languages() -> &'static Languages {
    static LANGUAGES: OnceLock<Languages> = OnceLock::new();
    LANGUAGES.get_or_init(|| {
        let scope = |(name, hue): &(&str, Hue)| (Scope::new(name).expect("a name of few parts"), *hue);
        Languages { syntaxes: two_face::syntax::extra_newlines(), hues: HUES.iter().map(scope).collect() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::markdown::ink::paint;

    fn coloured(language: &str, code: &str) -> String {
        let Some(mut highlighter) = Highlighter::of(language, Colour::Sixteen) else { return "unknown".into() };
        let line = |line: &str| -> String {
            let pieces = highlighter.line(line);
            assert_eq!(pieces.iter().map(|(_, piece)| *piece).collect::<String>(), line);
            pieces.iter().map(|(style, piece)| paint(piece, *style, Colour::Sixteen)).collect()
        };
        let lines: Vec<String> = code.lines().map(line).collect();
        lines.join("\n").replace("\u{1b}[0m", "<>").replace("\u{1b}[", "<")
    }

    #[test]
    fn words_and_texts_have_their_colours() {
        let rust = coloured("rust", "fn main() { // x\n    let a = \"b\";");
        for part in ["<35mfn<>", "<34mmain<>", "<2m x<>", "<35mlet<>", "<32mb<>"] {
            assert!(rust.contains(part), "{rust}");
        }
        let diff = coloured("diff", "-old\n+new");
        assert!(diff.contains("<31m") && diff.contains("<32m"), "{diff}");
        let comment = coloured("c", "/* one\ntwo */ int x;");
        assert!(comment.contains("<2mtwo "), "over two lines: {comment}");
    }

    #[test]
    fn the_usual_languages_are_known_by_their_usual_names() {
        let names = [
            "rust",
            "rs",
            "python",
            "py",
            "js",
            "javascript",
            "ts",
            "typescript",
            "tsx",
            "json",
            "jsonc",
            "toml",
            "yaml",
            "yml",
            "bash",
            "sh",
            "shell",
            "console",
            "zsh",
            "go",
            "golang",
            "c",
            "cpp",
            "c++",
            "java",
            "kotlin",
            "swift",
            "ruby",
            "php",
            "sql",
            "html",
            "css",
            "xml",
            "dockerfile",
            "Docker",
            "makefile",
            "diff",
            "patch",
            "lua",
            "nix",
            "zig",
            "cs",
            "csharp",
            "scala",
            "haskell",
            "elixir",
            "r",
            "perl",
            "ini",
            "markdown",
            "proto",
            "graphql",
            "terraform",
            "hcl",
            "cmake",
        ];
        let unknown: Vec<_> = names.into_iter().filter(|name| Highlighter::of(name, Colour::True).is_none()).collect();
        assert_eq!(unknown, [""; 0]);
        for plain in ["", "text", "nosuchlanguage"] {
            assert!(Highlighter::of(plain, Colour::True).is_none(), "{plain}");
        }
        assert!(Highlighter::of("rust", Colour::None).is_none());
    }

    #[test]
    fn an_endless_line_is_shown_as_it_is() {
        let line = "x".repeat(LONGEST_LINE + 1);
        assert_eq!(Highlighter::of("rust", Colour::True).unwrap().line(&line), [(Style::PLAIN, line.as_str())]);
    }
}

//! Where in a file a chunk belongs: the model remembers text less exactly than a machine would.

use std::borrow::Cow;
use std::ops::Range;

use super::text::FileLine;

/// How exactly a line must be met, most exact first. Each pass looks through the whole rest of the file.
#[derive(Debug, Clone, Copy)]
enum Pass {
    Exact,
    /// White space at the end does not count.
    TrailingSpace,
    /// Nor does white space at the beginning.
    Space,
    /// Nor does whether a dash, a quote or a space is the ASCII one.
    Punctuation,
}

const PASSES: [Pass; 4] = [Pass::Exact, Pass::TrailingSpace, Pass::Space, Pass::Punctuation];

/// Where the first of `wanted` stands, at `places`; the first place of the most exact pass that finds all of them.
pub fn locate(lines: &[FileLine], wanted: &[&str], places: Range<usize>) -> Option<usize> {
    let last = lines.len().checked_sub(wanted.len())?;
    let places = places.start..places.end.min(last + 1);
    PASSES.iter().find_map(|pass| {
        places.clone().find(|at| wanted.iter().zip(&lines[*at..]).all(|(wanted, line)| pass.same(&line.text, wanted)))
    })
}

impl Pass {
    fn same(self, line: &[u8], wanted: &str) -> bool {
        // A byte that is no UTF-8 is what the model saw of it: the replacement character.
        let text = || String::from_utf8_lossy(line);
        match self {
            Self::Exact => line == wanted.as_bytes(),
            Self::TrailingSpace => text().trim_end() == wanted.trim_end(),
            Self::Space => text().trim() == wanted.trim(),
            Self::Punctuation => plain(text().trim()) == plain(wanted.trim()),
        }
    }
}

/// The text with ASCII dashes, quotes and spaces.
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().map(|c| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    });
    Cow::Owned(plain.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::patch::text::Text;

    fn found(file: &str, wanted: &[&str]) -> Option<usize> {
        let lines = Text::read(file.as_bytes()).unwrap().lines;
        locate(&lines, wanted, 0..lines.len())
    }

    #[test]
    fn the_most_exact_pass_wins_wherever_it_meets() {
        let cases: [(&str, &[&str], Option<usize>); 12] = [
            ("a\nb\nc\n", &["b", "c"], Some(1)),
            ("a\nb\n", &["b", "a"], None),
            ("a\n", &["a", "b"], None),
            ("", &["a"], None),
            ("b\na\nb\n", &["b"], Some(0)),
            ("  b\nb  \nb\n", &["b"], Some(2)),
            ("  b\nb  \n", &["b"], Some(1)),
            ("x\n  b\n", &["b\t"], Some(1)),
            ("\u{201c}x\u{201d} \u{2014} it\u{2019}s\u{a0}a\n", &["\"x\" - it's a"], Some(0)),
            ("\"x\" - it's a\n", &["\u{201c}x\u{201d} \u{2013} it\u{2018}s\u{3000}a"], Some(0)),
            ("B\n", &["b"], None),
            ("a\n\nb\n", &["a", "", "b"], Some(0)),
        ];
        for (file, wanted, at) in cases {
            assert_eq!(found(file, wanted), at, "{file:?} {wanted:?}");
        }
    }

    #[test]
    fn only_the_places_that_are_asked_for_are_looked_at() {
        let lines = Text::read(b"a\nb\na\nb\na\n").unwrap().lines;
        assert_eq!(locate(&lines, &["a"], 1..5), Some(2));
        assert_eq!(locate(&lines, &["a"], 3..4), None);
        assert_eq!(locate(&lines, &["a"], 5..9), None);
    }

    #[test]
    fn a_byte_of_another_encoding_is_met_by_what_the_model_saw_of_it() {
        let lines = Text::read(b"caf\xe9\n").unwrap().lines;
        assert_eq!(locate(&lines, &["caf\u{fffd}"], 0..1), Some(0));
    }
}

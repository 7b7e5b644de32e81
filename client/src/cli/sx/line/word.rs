//! The word at the cursor, as a path is typed: `src/m`, `@src/m`, `"my files/n`. Pure.

/// A path that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// Where it begins in the line, its marks included.
    pub(super) start: usize,
    /// Whether it names a file with an `@`.
    marked: bool,
    /// The folder, with its slash; empty for the current one.
    pub(super) folder: &'a str,
    /// The beginning of a name.
    pub(super) name: &'a str,
}

impl<'a> Word<'a> {
    /// The one that ends at the end of `before`.
    pub(super) fn at_end(before: &'a str) -> Self {
        let start = match open_quote(before) {
            Some(quote) if before[..quote].ends_with('@') => quote - 1,
            Some(quote) => quote,
            None => before
                .rfind(char::is_whitespace)
                .map_or(0, |space| space + before[space..].chars().next().map_or(1, char::len_utf8)),
        };
        let word = &before[start..];
        let (marked, word) = word.strip_prefix('@').map_or((false, word), |word| (true, word));
        let word = word.strip_prefix('"').unwrap_or(word);
        let (folder, name) = word.split_at(word.rfind('/').map_or(0, |slash| slash + 1));
        Self { start, marked, folder, name }
    }

    /// The word with this name in place of its beginning. What holds a space stands in quotes.
    pub(super) fn with(&self, name: &str, ending: &str) -> String {
        let mark = if self.marked { "@" } else { "" };
        let path = format!("{}{name}{ending}", self.folder);
        if !path.contains(char::is_whitespace) {
            return format!("{mark}{path}");
        }
        // A folder is gone on with.
        let close = if ending.is_empty() { "\"" } else { "" };
        format!("{mark}\"{path}{close}")
    }
}

/// Where a quote begins that has no end.
fn open_quote(text: &str) -> Option<usize> {
    let line = text.rfind('\n').map_or(0, |end| end + 1);
    let begins =
        |at: usize| text[line..at].chars().next_back().is_none_or(|before| before.is_whitespace() || before == '@');
    let mut open = None;
    for (at, _) in text[line..].match_indices('"') {
        let at = line + at;
        open = match open {
            Some(_) => None,
            None if begins(at) => Some(at),
            None => None,
        };
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_folder_and_the_beginning_of_a_name() {
        let cases = [
            ("", 0, "", ""),
            ("what is src/ma", 8, "src/", "ma"),
            ("look at @src/", 8, "src/", ""),
            ("@", 0, "", ""),
            ("see \"my files/no", 4, "my files/", "no"),
            ("see @\"my files/no", 4, "my files/", "no"),
            ("he said \"yes\" and", 14, "", "and"),
            ("first\nsecond/x", 6, "second/", "x"),
            ("5\" of ~/x", 6, "~/", "x"),
            ("/etc/pa", 0, "/etc/", "pa"),
            ("über ö", 6, "", "ö"),
        ];
        for (typed, start, folder, name) in cases {
            let word = Word::at_end(typed);
            assert_eq!((word.start, word.folder, word.name), (start, folder, name), "{typed:?}");
        }
    }

    #[test]
    fn what_holds_a_space_is_quoted() {
        let with = |typed, name, ending| Word::at_end(typed).with(name, ending);
        assert_eq!(with("@sr", "src", "/"), "@src/");
        assert_eq!(with("@m", "my files", "/"), "@\"my files/");
        assert_eq!(with("@\"my files/n", "notes", ""), "@\"my files/notes\"");
        assert_eq!(with("a b/c", "cd", ""), "b/cd");
    }
}

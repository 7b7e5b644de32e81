//! What kind of line one is, as soon as its first characters tell. Pure.

/// The beginning of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    /// What stands before the line's own text, outermost first.
    pub(super) leads: Vec<Mark>,
    /// Columns of space before the line's own text, behind the leads.
    pub(super) indent: usize,
    pub(super) kind: Kind,
    /// Where the line's own text begins, in bytes; its spaces and marks left out.
    pub(super) at: usize,
}

/// A mark before a line's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// `>`
    Quote,
    /// An entry of a list: at this column, as it was written, with so many columns up to its text.
    Entry { indent: usize, written: String, width: usize },
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    Text,
    /// A heading of this level.
    Heading(usize),
    /// Fenced code may begin here.
    Fence,
    /// A row of a table may be here.
    Row,
    Rule,
}

/// So many marks are looked at; whoever nests deeper nests for show.
const MOST_MARKS: usize = 8;
const TAB: usize = 4;

/// Reads the beginning of a line as far as it has come; `None` when it may still be several things.
pub(super) fn read(line: &str, ended: bool) -> Option<Opening> {
    let (mut leads, mut at) = (Vec::new(), 0);
    loop {
        let (spaces, indent) = space(&line[at..]);
        let rest = &line[at + spaces..];
        let opening =
            |kind, skipped: usize| Some(Opening { leads: leads.clone(), indent, kind, at: at + spaces + skipped });
        if rest.is_empty() {
            return if ended { opening(Kind::Blank, 0) } else { None };
        }
        if leads.len() == MOST_MARKS {
            return opening(Kind::Text, 0);
        }
        match mark(rest, ended)? {
            Begun::Kind(kind, skipped) => return opening(kind, skipped),
            Begun::Quote(length) => {
                leads.push(Mark::Quote);
                at += spaces + length;
            }
            Begun::Entry(length) => {
                let written = rest[..length].to_owned();
                let behind = space(&rest[length..]).1;
                // Code within an entry is indented by more than this.
                let width = length + if (1..=TAB).contains(&behind) { behind } else { 1 };
                leads.push(Mark::Entry { indent, written, width });
                at += spaces + length;
            }
        }
    }
}

enum Begun {
    Kind(Kind, usize),
    Quote(usize),
    Entry(usize),
}

/// Bytes and columns of the space at the beginning.
fn space(text: &str) -> (usize, usize) {
    let spaces = text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
    spaces.fold((0, 0), |(bytes, columns), byte| {
        (bytes + 1, if byte == b'\t' { (columns / TAB + 1) * TAB } else { columns + 1 })
    })
}

fn mark(rest: &str, ended: bool) -> Option<Begun> {
    let first = rest.chars().next()?;
    let run = rest.chars().take_while(|c| *c == first).count();
    let behind = rest[first.len_utf8() * run..].chars().next();
    let open = behind.is_none() && !ended;
    let text = Some(Begun::Kind(Kind::Text, 0));
    match first {
        '>' => match rest.as_bytes().get(1) {
            None if !ended => None,
            Some(b' ') => Some(Begun::Quote(2)),
            Some(_) | None => Some(Begun::Quote(1)),
        },
        '#' if run <= 6 && open => None,
        '#' if run <= 6 && behind.is_none_or(|c| matches!(c, ' ' | '\t')) => {
            let (spaces, _) = space(&rest[run..]);
            Some(Begun::Kind(Kind::Heading(run), run + spaces))
        }
        '`' | '~' if open => None,
        '`' | '~' if run >= 3 => Some(Begun::Kind(Kind::Fence, 0)),
        '|' => Some(Begun::Kind(Kind::Row, 0)),
        '-' | '*' | '_' | '+' => rule_or_entry(rest, first, ended),
        '0'..='9' => numbered(rest, ended),
        _ => text,
    }
}

fn rule_or_entry(rest: &str, first: char, ended: bool) -> Option<Begun> {
    let only_marks = rest.chars().all(|c| c == first || matches!(c, ' ' | '\t'));
    if only_marks && first != '+' {
        if !ended {
            return None;
        }
        if rest.chars().filter(|c| *c == first).count() >= 3 {
            return Some(Begun::Kind(Kind::Rule, rest.len()));
        }
    }
    match rest[1..].chars().next() {
        None if !ended => None,
        None | Some(' ' | '\t') if first != '_' => Some(Begun::Entry(1)),
        None | Some(_) => Some(Begun::Kind(Kind::Text, 0)),
    }
}

fn numbered(rest: &str, ended: bool) -> Option<Begun> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let text = Some(Begun::Kind(Kind::Text, 0));
    if digits > 9 {
        return text;
    }
    match &rest.as_bytes()[digits..] {
        [] | [b'.' | b')'] if !ended => None,
        [b'.' | b')', b' ' | b'\t', ..] | [b'.' | b')'] => Some(Begun::Entry(digits + 1)),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks, indent, kind, text.
    fn shown(line: &str) -> String {
        let opening = read(line, true).unwrap();
        let marks = opening.leads.iter().map(|mark| match mark {
            Mark::Quote => ">".to_owned(),
            Mark::Entry { indent, written, width } => format!("{indent}:{written}:{width}"),
        });
        let marks: Vec<String> = marks.collect();
        format!("{} {} {:?} {:?}", marks.join(","), opening.indent, opening.kind, &line[opening.at..])
    }

    #[test]
    fn a_line_is_known_by_its_beginning() {
        let cases = [
            ("text", " 0 Text \"text\""),
            ("   ", " 3 Blank \"\""),
            ("## Two", " 0 Heading(2) \"Two\""),
            ("#no", " 0 Text \"#no\""),
            ("####### seven", " 0 Text \"####### seven\""),
            ("```rust", " 0 Fence \"```rust\""),
            ("`code` x", " 0 Text \"`code` x\""),
            ("- one", "0:-:2 1 Text \"one\""),
            ("  * two", "2:*:2 1 Text \"two\""),
            ("10. ten", "0:10.:4 1 Text \"ten\""),
            ("1.5 is", " 0 Text \"1.5 is\""),
            ("2026", " 0 Text \"2026\""),
            ("---", " 0 Rule \"\""),
            ("* * *", " 0 Rule \"\""),
            ("**bold**", " 0 Text \"**bold**\""),
            ("--option", " 0 Text \"--option\""),
            ("-", "0:-:2 0 Blank \"\""),
            ("> quoted", "> 0 Text \"quoted\""),
            (">> deep", ">,> 0 Text \"deep\""),
            ("> - x", ">,0:-:2 1 Text \"x\""),
            ("- ```sh", "0:-:2 1 Fence \"```sh\""),
            ("| a | b |", " 0 Row \"| a | b |\""),
            ("\tx", " 4 Text \"x\""),
            ("", " 0 Blank \"\""),
        ];
        for (line, expected) in cases {
            assert_eq!(shown(line), expected, "{line:?}");
        }
    }

    #[test]
    fn most_lines_are_known_at_their_first_letter() {
        for undecided in ["", "  ", "#", "##", "`", "``", "-", "- ", "- -", "**", "1", "12.", ">", "> "] {
            assert_eq!(read(undecided, false), None, "{undecided:?}");
        }
        for decided in ["T", "# T", "- T", "**T", "1. T", "> T", "```", "|"] {
            assert_eq!(read(decided, false).is_some(), decided != "```", "{decided:?}");
        }
    }
}

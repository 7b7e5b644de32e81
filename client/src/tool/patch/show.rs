//! What a patch would do, for a person who has to decide about it: every line that changes, with nothing hidden in it.

use std::collections::BTreeMap;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::path::RelativePath;
use super::plan::{Change, Plan};
use crate::terminal::sanitize::spelled_out;

/// How many lines around a change are shown.
const AROUND: usize = 3;
/// How long the shortest way to show a change is looked for; then a longer one does.
const PATIENCE: Duration = Duration::from_millis(500);

/// A line for the person. Its text has no control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What kind of line.
    pub kind: Kind,
    /// Its text, without a mark.
    pub text: String,
}

/// What kind of line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Which file, and what becomes of it.
    File,
    /// Lines are left out here, since they stay as they are.
    Gap,
    /// It stays.
    Stays,
    /// It goes.
    Goes,
    /// It comes.
    Comes,
}

impl Kind {
    /// What stands in front of the line, so that it is readable without colour.
    pub fn mark(self) -> &'static str {
        match self {
            Self::File => "",
            Self::Gap => "   ",
            Self::Stays => "  ",
            Self::Goes => "- ",
            Self::Comes => "+ ",
        }
    }
}

/// What the plan would do.
pub fn shown(plan: &Plan) -> Vec<Shown> {
    of_changes(&plan.changes, &Modes::new())
}

/// Files whose permission bits change: what they were, and what they will be.
pub type Modes = BTreeMap<RelativePath, (u32, u32)>;

/// Every line that changes, file by file, and every mode.
pub fn of_changes(changes: &[Change], modes: &Modes) -> Vec<Shown> {
    changes.iter().flat_map(|one| change(one, modes)).collect()
}

fn change(change: &Change, modes: &Modes) -> Vec<Shown> {
    let mode = modes.get(&change.path).map(|(from, to)| format!(" (mode {from:03o} -> {to:03o})"));
    let mut lines = vec![line(Kind::File, &format!("{}{}", headline(change), mode.unwrap_or_default()))];
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    // What comes is always shown: a shell runs a file with a NUL in it as well.
    if change.before.as_ref().is_some_and(|bytes| bytes.contains(&0)) && change.after.is_none() {
        let size = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let sizes = format!("no text: {} bytes before, {} after", size(&change.before), size(&change.after));
        lines.push(line(Kind::Gap, &sizes));
        return lines;
    }
    let (before, after) = (text(&change.before), text(&change.after));
    // At line feeds only: a CR alone is a part of its line, here as for the parser.
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let diff = TextDiff::configure().timeout(PATIENCE).diff_slices(&before, &after);
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            lines.push(line(Kind::Gap, "..."));
        }
        for found in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let kind = match found.tag() {
                ChangeTag::Equal => Kind::Stays,
                ChangeTag::Delete => Kind::Goes,
                ChangeTag::Insert => Kind::Comes,
            };
            lines.push(line(kind, found.value().trim_end_matches('\n')));
        }
    }
    lines
}

fn headline(change: &Change) -> String {
    let path = &change.path;
    match (&change.before, &change.after, &change.moved_from) {
        (None, _, Some(from)) => format!("{path} (moved from {from})"),
        (None, _, None) => format!("{path} (new)"),
        (Some(_), None, _) => format!("{path} (deleted)"),
        (Some(_), Some(_), Some(from)) => format!("{path} (replaced by {from})"),
        (Some(_), Some(_), None) => path.to_string(),
    }
}

fn line(kind: Kind, text: &str) -> Shown {
    Shown { kind, text: spelled_out(text).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;

    /// As it would be printed.
    fn printed(files: &[(&str, &str)], middle: &str) -> String {
        let patch = format!("*** Begin Patch\n{middle}\n*** End Patch");
        let plan = super::super::read(&patch, &Memory::of(files)).unwrap();
        let lines = shown(&plan).into_iter().map(|line| format!("{}{}\n", line.kind.mark(), line.text));
        lines.collect()
    }

    #[test]
    fn a_patch_is_shown_like_this() {
        let long: String = (1..=20).map(|number| format!("line {number}\n")).collect();
        let files = [("long", long.as_str()), ("gone", "x\n"), ("old", "a\nb\n"), ("bin", "\0\n")];
        let middle = "*** Update File: long\n-line 2\n+line two\n@@\n-line 19\n*** Add File: new/file\n+first\n+\n\
            *** Delete File: gone\n*** Update File: old\n*** Move to: d/new\n-b\n+c\n*** Delete File: bin";
        let expected = "\
bin (deleted)
   no text: 2 bytes before, 0 after
d/new (moved from old)
+ a
+ c
gone (deleted)
- x
long
  line 1
- line 2
+ line two
  line 3
  line 4
  line 5
   ...
  line 16
  line 17
  line 18
- line 19
  line 20
new/file (new)
+ first
+ 
old (deleted)
- a
- b
";
        assert_eq!(printed(&files, middle), expected);
    }

    #[test]
    fn a_file_of_which_only_the_mode_changes_is_shown_with_it() {
        let (path, bytes) = (RelativePath::parse("f").unwrap(), Some(b"a\n".to_vec()));
        let change = Change { path: path.clone(), before: bytes.clone(), after: bytes, moved_from: None, mode: None };
        let lines = of_changes(&[change], &Modes::from([(path, (0o644, 0o755))]));
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["f (mode 644 -> 755)"]);
    }

    #[test]
    fn nothing_in_a_line_hides_from_the_person() {
        let middle = "*** Update File: f\n-a\n+b\u{1b}[1A\u{1b}[2K\r\u{202e}c\\";
        assert_eq!(printed(&[("f", "a\n")], middle), "f\n- a\n+ b\\u{1b}[1A\\u{1b}[2K\\r\\u{202e}c\\\\\n");
    }

    #[test]
    fn a_change_of_line_ends_or_of_unseen_bytes_is_seen() {
        assert_eq!(printed(&[("f", "a\r\n")], "*** Add File: f\n+a"), "f\n- a\\r\n+ a\n");
    }
}

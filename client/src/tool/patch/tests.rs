use proptest::prelude::*;

use super::memory::Memory;
use super::*;

/// Reads and applies what stands between the first and the last line.
fn patched(files: &mut Memory, middle: &str) -> Result<String, Rejection> {
    let plan = read(&format!("*** Begin Patch\n{middle}\n*** End Patch"), files)?;
    apply(&plan, files)
}

/// The file `f` after an update of it.
fn updated(file: &str, chunks: &str) -> Result<String, String> {
    let mut files = Memory::of(&[("f", file)]);
    patched(&mut files, &format!("*** Update File: f\n{chunks}")).map_err(|rejection| rejection.to_string())?;
    Ok(String::from_utf8(files.0["f"].clone()).unwrap())
}

#[test]
fn an_update_makes_this_of_a_file() {
    let cases = [
        ("one line", "a\nb\nc\n", "@@\n a\n-b\n+B\n c", "a\nB\nc\n"),
        ("the first of several places", "a\nx\na\nx\n", "@@\n-x\n+y", "a\ny\na\nx\n"),
        ("a context line says which", "fn a\nx\nfn b\nx\n", "@@ fn b\n-x\n+y", "fn a\nx\nfn b\ny\n"),
        ("the context line itself is not searched again", "x\nx\n", "@@ x\n-x\n+y", "x\ny\n"),
        ("chunks go downwards", "x\nx\nx\n", "@@\n-x\n+1\n@@\n-x\n+2", "1\n2\nx\n"),
        ("contexts go downwards", "a\nx\na\nx\n", "@@ a\n-x\n+1\n@@ a\n-x\n+2", "a\n1\na\n2\n"),
        ("lines come", "a\nc\n", "@@\n a\n+b\n c", "a\nb\nc\n"),
        ("lines go", "a\nb\nc\n", "@@\n a\n-b\n c", "a\nc\n"),
        ("all lines go", "a\n", "@@\n-a", ""),
        ("in front of the first", "b\n", "@@\n+a\n b", "a\nb\n"),
        ("behind the last", "a\n", "@@\n a\n+b", "a\nb\n"),
        ("only new lines stand at the end", "a\nb\n", "@@\n+c", "a\nb\nc\n"),
        ("even below a context line", "a\nb\n", "@@ a\n+c", "a\nb\nc\n"),
        ("but before a final empty line", "a\n\n", "@@\n+b", "a\nb\n\n"),
        ("and in the order in which they came", "a\n", "@@\n+b\n@@\n+c", "a\nb\nc\n"),
        ("an empty file gets lines", "", "@@\n+a", "a\n"),
        ("new lines and a final empty line that goes", "a\n\n", "@@\n a\n-\n@@\n+b", "a\nb\n"),
        ("space at the end does not matter", "a  \nb\n", "@@\n a\n-b\n+B", "a  \nB\n"),
        ("space around does not matter", "    a\n\tb\n", "@@\n a\n-b\n+B", "    a\nB\n"),
        (
            "nor do dashes and quotes",
            "\u{201c}a\u{201d} \u{2013} b\nx\n",
            "@@\n \"a\" - b\n-x\n+y",
            "\u{201c}a\u{201d} \u{2013} b\ny\n",
        ),
        ("the exact place wins over an earlier rough one", " x\nx\n", "@@\n-x\n+y", " x\ny\n"),
        ("a context line may be rough", "  fn b  \nx\n", "@@ fn b\n-x\n+y", "  fn b  \ny\n"),
        ("an empty line at the end of the old ones may be missing", "a\nb\n", "@@\n a\n-b\n+B\n ", "a\nB\n"),
        ("also when it is written without its space", "a\nb\n", "@@\n a\n-b\n+B\n\n@@\n+c", "a\nB\nc\n"),
        ("but not when it is there", "a\n\nb\n", "@@\n a\n-\n b", "a\nb\n"),
        ("at the end of the file", "x\na\nx\n", "@@\n-x\n+y\n*** End of File", "x\na\ny\n"),
        ("at the end, new lines", "a\n", "@@\n+b\n*** End of File", "a\nb\n"),
        ("the last line gets an end", "a\nb", "@@\n-a\n+A", "A\nb\n"),
        ("also when it is new", "a", "@@\n a\n+b", "a\nb\n"),
        ("CRLF stays", "a\r\nb\r\n", "@@\n a\n-b\n+B\n+C", "a\r\nB\r\nC\r\n"),
        ("CRLF is not doubled", "a\r\nb\r\n", "@@\n a\r\n-b\n+B\r", "a\r\nB\r\n"),
        ("mixed line ends stay, new lines get the usual one", "a\r\nb\nc\n", "@@\n a\n+x\n b", "a\r\nx\nb\nc\n"),
        ("a byte order mark stays", "\u{feff}a\nb\n", "@@\n-a\n+A", "\u{feff}A\nb\n"),
        ("an update that changes nothing", "a\n", "@@\n a", "a\n"),
        ("a line that looks like a mark", "*** a\n@@ b\n+c\n", "@@\n *** a\n @@ b\n-+c\n++d", "*** a\n@@ b\n+d\n"),
        ("indentation of new lines is kept", "a\n", "@@\n a\n+\t  b  ", "a\n\t  b  \n"),
        ("letters of any script", "\u{e4}\u{4e2d}\n", "@@\n-\u{e4}\u{4e2d}\n+\u{1f600}", "\u{1f600}\n"),
        ("a chunk that stands where the one before ended", "a\nb\n", "@@\n-a\n+A\n@@\n-b\n+B", "A\nB\n"),
    ];
    for (name, file, chunks, expected) in cases {
        assert_eq!(updated(file, chunks).as_deref(), Ok(expected), "{name}");
    }
}

#[test]
fn an_update_that_does_not_fit_is_rejected_and_says_what_was_not_found() {
    let lines = |lines| format!("Failed to find expected lines in f:\n{lines}");
    let context = |line| format!("Failed to find context '{line}' in f");
    let cases = [
        ("another line", "a\nb\n", "@@\n-c\n+d", lines("c")),
        ("all that was expected is said", "a\nb\n", "@@\n a\n+x\n-c", lines("a\nc")),
        ("upper case matters", "A\n", "@@\n-a", lines("a")),
        ("not upwards", "b\na\n", "@@\n-a\n@@\n-b", lines("b")),
        ("not the same lines twice", "a\n", "@@\n-a\n@@\n-a", lines("a")),
        ("an unknown context line", "a\n", "@@ b\n-a", context("b")),
        ("an unknown context line, only new lines", "a\n", "@@ b\n+c", context("b")),
        ("a context line above the place before", "a\nb\n", "@@ b\n+x\n@@ a\n+y", context("a")),
        ("not at the end", "x\na\n", "@@\n-x\n*** End of File", lines("x")),
        ("more lines than there are", "a\n", "@@\n a\n-a", lines("a\na")),
        ("only an empty line, which is not there", "a\n", "@@\n \n+b", lines("")),
        ("an empty file", "", "@@\n-a", lines("a")),
        ("no text", "a\0\n", "@@\n-a", "f is not text".to_owned()),
    ];
    for (name, file, chunks, expected) in cases {
        assert_eq!(updated(file, chunks), Err(expected), "{name}");
    }
}

/// Names and texts of files.
type Named<'a> = &'a [(&'a str, &'a str)];

#[test]
fn whole_files_come_go_and_move() {
    let cases: [(&str, Named, &str, Named, &str); 12] = [
        ("add", &[], "*** Add File: a/b.txt\n+x\n+y", &[("a/b.txt", "x\ny\n")], "A a/b.txt"),
        ("add an empty one", &[], "*** Add File: a", &[("a", "")], "A a"),
        ("add over one", &[("a", "old")], "*** Add File: a\n+new", &[("a", "new\n")], "A a"),
        ("delete", &[("a", "x"), ("b", "y")], "*** Delete File: a", &[("b", "y")], "D a"),
        ("move", &[("a", "x")], "*** Update File: a\n*** Move to: d/b", &[("d/b", "x")], "M d/b"),
        ("move what is no text", &[("a", "\0")], "*** Update File: a\n*** Move to: b", &[("b", "\0")], "M b"),
        (
            "move and change",
            &[("a", "x\ny\n")],
            "*** Update File: a\n*** Move to: b\n@@\n-x\n+z",
            &[("b", "z\ny\n")],
            "M b",
        ),
        ("move to itself", &[("a", "x\n")], "*** Update File: a\n*** Move to: ./a\n-x\n+y", &[("a", "y\n")], "M a"),
        (
            "sections see the ones before",
            &[("a", "x\n")],
            "*** Update File: a\n-x\n+y\n*** Update File: a\n-y\n+z\n*** Add File: b\n+1\n*** Update File: b\n+2",
            &[("a", "z\n"), ("b", "1\n2\n")],
            "M a\nM a\nA b\nM b",
        ),
        ("delete and add", &[("a", "x")], "*** Delete File: a\n*** Add File: a\n+y", &[("a", "y\n")], "D a\nA a"),
        (
            "two change places",
            &[("a", "1"), ("b", "2")],
            "*** Update File: a\n*** Move to: c\n*** Update File: b\n*** Move to: a\n*** Update File: c\n*** Move to: b",
            &[("a", "2"), ("b", "1")],
            "M c\nM a\nM b",
        ),
        ("a path is made plain", &[("a/b", "x\n")], "*** Update File: ./a//b\n-x\n+y", &[("a/b", "y\n")], "M a/b"),
    ];
    for (name, before, middle, after, summary) in cases {
        let mut files = Memory::of(before);
        let said = patched(&mut files, middle).unwrap();
        assert_eq!(said, format!("Success. Updated the following files:\n{summary}\n"), "{name}");
        assert_eq!(files, Memory::of(after), "{name}");
    }
}

#[test]
fn a_patch_with_one_part_that_does_not_fit_changes_nothing() {
    let before = Memory::of(&[("a", "x\n"), ("b", "y\n")]);
    let cases = [
        ("*** Update File: b\n-z", "Failed to find expected lines in b"),
        ("*** Update File: none\n-z", "none does not exist"),
        ("*** Delete File: none", "none does not exist"),
        ("*** Delete File: a\n*** Delete File: a", "a does not exist"),
        ("*** Delete File: b\n*** Update File: b\n-y", "b does not exist"),
        ("*** Update File: a\n*** Move to: b\n-y", "b exists already"),
        ("*** Update File: a\n*** Move to: ../c", "leaves the working directory"),
        ("*** Add File: ../c\n+x", "leaves the working directory"),
        ("*** Add File: /etc/passwd\n+x", "is absolute"),
        ("*** Add File: .git/hooks/pre-commit\n+x", "is protected"),
        ("*** Add File: A\n+x", "differ only in upper and lower case"),
        ("*** Add File: c\n+1\n*** Add File: C\n+2", "differ only in upper and lower case"),
        ("*** Update File: b\n-y\n@@", "Invalid patch hunk"),
    ];
    for (last, says) in cases {
        let mut files = before.clone();
        let said = patched(&mut files, &format!("*** Update File: a\n-x\n+y\n{last}")).unwrap_err().to_string();
        assert!(said.contains(says), "{last:?}: {said}");
        assert_eq!(files, before, "{last:?}");
    }
}

#[test]
fn a_plan_says_what_was_and_what_will_be() {
    let files = Memory::of(&[("a", "x\n"), ("b", "y\n"), ("c", "same\n")]);
    let patch = "*** Begin Patch\n*** Update File: a\n*** Move to: d\n-x\n+z\n*** Delete File: b\n*** Update File: c\n same\n*** End Patch";
    let plan = read(patch, &files).unwrap();
    let change = |path: &str, before: Option<&str>, after: Option<&str>, moved_from: Option<&str>| Change {
        path: path::RelativePath::parse(path).unwrap(),
        before: before.map(|text| text.as_bytes().to_vec()),
        after: after.map(|text| text.as_bytes().to_vec()),
        moved_from: moved_from.map(|path| path::RelativePath::parse(path).unwrap()),
    };
    let expected = [
        change("a", Some("x\n"), None, None),
        change("b", Some("y\n"), None, None),
        change("d", None, Some("z\n"), Some("a")),
    ];
    assert_eq!(plan.changes, expected);
}

proptest! {
    #[test]
    fn a_patch_made_of_two_versions_of_a_file_makes_one_of_the_other(
        lines in prop::collection::vec("[ab]{0,2}", 1..12),
        edits in prop::collection::vec((0..12_usize, prop::sample::select(vec!['-', '+', '=']), "[abc]{0,2}"), 0..6),
    ) {
        // One chunk that spells out the whole file, with lines going and coming.
        let (mut body, mut after) = (Vec::new(), Vec::new());
        for (at, line) in lines.iter().enumerate() {
            let edit = edits.iter().find(|(place, _, _)| *place == at);
            if let Some((_, '+', new)) = edit {
                body.push(format!("+{new}"));
                after.push(new.clone());
            }
            match edit {
                Some((_, '-', _)) => body.push(format!("-{line}")),
                _ => {
                    body.push(format!(" {line}"));
                    after.push(line.clone());
                }
            }
        }
        let before: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let after: String = after.iter().map(|line| format!("{line}\n")).collect();
        prop_assert_eq!(updated(&before, &format!("@@\n{}", body.join("\n"))), Ok(after));
    }

    #[test]
    fn no_text_makes_the_parser_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..25)) {
        let mut files = Memory::of(&[("f", "a\nb\n"), ("g", "")]);
        let _ = patched(&mut files, &pieces.concat());
        let _ = parse::parse(&pieces.concat());
    }
}

const PIECES: &[&str] = &[
    "*** Begin Patch\n",
    "*** End Patch",
    "*** Add File: ",
    "*** Update File: f\n",
    "*** Delete File: f\n",
    "*** Move to: g\n",
    "*** End of File\n",
    "f\n",
    "g\n",
    "@@",
    "@@ a\n",
    "\n",
    " a\n",
    "-b\n",
    "+c\n",
    "\u{e9}",
    "\r\n",
    "<<EOF\n",
    "EOF",
    " ",
];

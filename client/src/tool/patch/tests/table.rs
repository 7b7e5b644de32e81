//! What patches do, in one table: the rules of the format, one by one.

use super::*;

/// What it shows, the file `f`, the chunks of an update of it, and `f` afterwards.
type Update = (&'static str, &'static str, &'static str, &'static str);
const UPDATES: &[Update] = &[
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

/// What it shows, the file `f`, the chunks of an update of it, and all that is said about why not.
const MISFITS: &[Update] = &[
    ("another line", "a\nb\n", "@@\n-c\n+d", "Failed to find expected lines in f:\nc"),
    ("all that was expected is said", "a\nb\n", "@@\n a\n+x\n-c", "Failed to find expected lines in f:\na\nc"),
    ("upper case matters", "A\n", "@@\n-a", "Failed to find expected lines in f:\na"),
    ("not upwards", "b\na\n", "@@\n-a\n@@\n-b", "Failed to find expected lines in f:\nb"),
    ("not the same lines twice", "a\n", "@@\n-a\n@@\n-a", "Failed to find expected lines in f:\na"),
    ("an unknown context line", "a\n", "@@ b\n-a", "Failed to find context 'b' in f"),
    ("an unknown context line, only new lines", "a\n", "@@ b\n+c", "Failed to find context 'b' in f"),
    ("a context line above the place before", "a\nb\n", "@@ b\n+x\n@@ a\n+y", "Failed to find context 'a' in f"),
    ("not at the end", "x\na\n", "@@\n-x\n*** End of File", "Failed to find expected lines in f:\nx"),
    ("more lines than there are", "a\n", "@@\n a\n-a", "Failed to find expected lines in f:\na\na"),
    ("only an empty line, which is not there", "a\n", "@@\n \n+b", "Failed to find expected lines in f:\n"),
    ("an empty file", "", "@@\n-a", "Failed to find expected lines in f:\na"),
    ("no text", "a\0\n", "@@\n-a", "f is not text"),
];

/// Names and texts of files.
type Named = &'static [(&'static str, &'static str)];
/// What it shows, the files, the sections of a patch, the files afterwards, and the files as they are told.
type Change = (&'static str, Named, &'static str, Named, &'static str);
const CHANGES: &[Change] = &[
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

/// The last section of a patch whose first one would change `a`, and what is said of it; the files are [`THREE`].
const REFUSED: &[(&str, &str)] = &[
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
const THREE: Named = &[("a", "x\n"), ("b", "y\n"), ("d/c", "z\n")];

/// What it shows, and the whole text; it changes `x` in [`THREE`] to `y` and nothing else.
const WRITTEN_LIKE_THIS: &[(&str, &str)] = &[
    ("as it is meant", "*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End Patch\n"),
    ("without the last line feed", "*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End Patch"),
    ("with space around it", "\n  *** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End Patch  \n\n"),
    ("without the first chunk's header", "*** Begin Patch\n*** Update File: a\n-x\n+y\n*** End Patch"),
    ("with CRLF", "*** Begin Patch\r\n*** Update File: a\r\n@@\r\n-x\r\n+y\r\n*** End Patch\r\n"),
    ("in a here-document", "<<EOF\n*** Begin Patch\n*** Update File: a\n-x\n+y\n*** End Patch\nEOF"),
    ("in one with quotes", "<<'EOF'\n*** Begin Patch\n*** Update File: a\n-x\n+y\n*** End Patch\nEOF\n"),
    ("in one with double quotes", "<<\"EOF\"\n*** Begin Patch\n*** Update File: a\n-x\n+y\n*** End Patch\nEOF\n"),
    ("anchored at the end", "*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End of File\n*** End Patch"),
    ("with an empty line between sections", "*** Begin Patch\n\n*** Update File: a\n-x\n+y\n\n*** End Patch"),
];

/// What it shows, the whole text, and how what is said begins.
const NO_PATCH: &[(&str, &str, &str)] = &[
    ("nothing", "", "Invalid patch: "),
    ("no sections", "*** Begin Patch\n*** End Patch", "Invalid patch: "),
    ("no first line", "*** Delete File: a\n*** End Patch", "Invalid patch: "),
    ("no last line", "*** Begin Patch\n*** Delete File: a", "Invalid patch: "),
    ("another format", "--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y\n", "Invalid patch: "),
    ("an unknown section", "*** Begin Patch\n*** Rename File: a\n*** End Patch", "Invalid patch hunk on line 2: "),
    (
        "a new file's line without +",
        "*** Begin Patch\n*** Add File: n\nx\n*** End Patch",
        "Invalid patch hunk on line 3: ",
    ),
    (
        "lines of a deleted file",
        "*** Begin Patch\n*** Delete File: a\n-x\n*** End Patch",
        "Invalid patch hunk on line 3: ",
    ),
    ("an update of nothing", "*** Begin Patch\n*** Update File: a\n*** End Patch", "Invalid patch hunk on line 3: "),
    ("a chunk of nothing", "*** Begin Patch\n*** Update File: a\n@@\n*** End Patch", "Invalid patch hunk on line 4: "),
    (
        "two headers in a row",
        "*** Begin Patch\n*** Update File: a\n@@ x\n@@ x\n+y\n*** End Patch",
        "Invalid patch hunk on line 4: ",
    ),
    ("no name", "*** Begin Patch\n*** Delete File: \n*** End Patch", "Invalid patch hunk on line 2: "),
];

#[test]
fn every_row_of_the_table_holds() {
    for (name, file, chunks, expected) in UPDATES {
        assert_eq!(updated(file, chunks).as_deref(), Ok(*expected), "{name}");
    }
    for (name, file, chunks, expected) in MISFITS {
        assert_eq!(updated(file, chunks), Err((*expected).to_owned()), "{name}");
    }
    for (name, before, sections, after, told) in CHANGES {
        let mut files = Memory::of(before);
        let said = patched(&mut files, sections).unwrap();
        assert_eq!(said, format!("Success. Updated the following files:\n{told}\n"), "{name}");
        assert_eq!(files, Memory::of(after), "{name}");
    }
    for (last, says) in REFUSED {
        let mut files = Memory::of(THREE);
        let said = patched(&mut files, &format!("*** Update File: a\n-x\n+y\n{last}")).unwrap_err().to_string();
        assert!(said.contains(says), "{last:?}: {said}");
        assert_eq!(files, Memory::of(THREE), "{last:?}: all or none");
    }
    for (name, text) in WRITTEN_LIKE_THIS {
        let mut files = Memory::of(THREE);
        let told = read(text, &files).and_then(|plan| apply(&plan, &mut files));
        assert_eq!(told.unwrap(), "Success. Updated the following files:\nM a\n", "{name}");
        assert_eq!(files, Memory::of(&[("a", "y\n"), THREE[1], THREE[2]]), "{name}");
    }
    for (name, text, begins) in NO_PATCH {
        let said = read(text, &Memory::of(THREE)).unwrap_err().to_string();
        assert!(said.starts_with(begins), "{name}: {said}");
    }
}

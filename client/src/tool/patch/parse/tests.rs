use super::*;

fn keep(text: &str) -> Line {
    Line::Keep(text.to_owned())
}

fn chunk(context: Option<&str>, lines: Vec<Line>) -> Chunk {
    Chunk { context: context.map(str::to_owned), lines, place: Place::Anywhere }
}

fn section(path: &str, action: Action) -> Section {
    Section { path: path.to_owned(), action }
}

fn update(chunks: Vec<Chunk>) -> Action {
    Action::Update { move_to: None, chunks }
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// What stands between the first and the last line.
fn inside(middle: &str) -> Result<Vec<Section>, Rejection> {
    parse(&format!("*** Begin Patch\n{middle}\n*** End Patch\n"))
}

#[test]
fn all_sections_of_a_patch_are_read() {
    let text = "*** Begin Patch
*** Update File: src/lib.rs
*** Move to: src/main.rs
@@ fn answer()
 {
-    41
+    42

@@
+end
*** End of File
*** Add File: notes/todo.md
+first line
+
++plus
*** Delete File: old.txt
*** End Patch";
    let end = Chunk { place: Place::End, ..chunk(None, vec![Line::Add("end".to_owned())]) };
    let first = vec![keep("{"), Line::Remove("    41".to_owned()), Line::Add("    42".to_owned()), keep("")];
    let expected = [
        section(
            "src/lib.rs",
            Action::Update {
                move_to: Some("src/main.rs".to_owned()),
                chunks: vec![chunk(Some("fn answer()"), first), end],
            },
        ),
        section("notes/todo.md", Action::Add(strings(&["first line", "", "+plus"]))),
        section("old.txt", Action::Delete),
    ];
    assert_eq!(parse(text).unwrap(), expected);
    assert_eq!(parse(&text.replace('\n', "\r\n")).unwrap(), expected, "with CRLF");
    for word in ["EOF", "'EOF'", "\"EOF\""] {
        assert_eq!(parse(&format!("\n <<{word}\n{text}\nEOF\n\n")).unwrap(), expected, "in a here-document");
    }
}

#[test]
fn small_slips_are_read_over() {
    let line = || vec![chunk(None, vec![keep("a"), Line::Add("b".to_owned())])];
    let cases = [
        ("the first chunk without its mark", "*** Update File: f\n a\n+b", update(line())),
        ("an empty line before the first mark", "*** Update File: f\n\n@@\n a\n+b", update(line())),
        ("space behind a mark", "  *** Update File:   f  \n@@ \n a\n+b", update(line())),
        ("space around the first and last line", "*** Update File: f\n@@\n a\n+b\n*** End of File  ", {
            let mut chunks = line();
            chunks[0].place = Place::End;
            update(chunks)
        }),
        ("a new file without lines", "*** Add File: f", Action::Add(vec![])),
        ("empty lines between sections", "\n*** Add File: f\n+x\n\n", Action::Add(strings(&["x"]))),
        (
            "a move that changes nothing else",
            "*** Update File: f\n*** Move to: g",
            Action::Update { move_to: Some("g".to_owned()), chunks: vec![] },
        ),
        ("a CR inside a line stays", "*** Add File: f\n+x\r\n+y", Action::Add(strings(&["x\r", "y"]))),
        (
            "an empty context line is part of the chunk",
            "*** Update File: f\n\n a",
            update(vec![chunk(None, vec![keep(""), keep("a")])]),
        ),
    ];
    for (name, middle, action) in cases {
        assert_eq!(inside(middle).unwrap(), [section("f", action)], "{name}");
    }
    assert!(parse("\n*** Begin Patch \n*** Delete File: f\n  *** End Patch\t\n\n").is_ok());
}

#[test]
fn what_is_no_patch_is_rejected_with_its_line() {
    let whole = [
        ("", "begin with"),
        ("*** Begin Patch", "begin with"),
        ("*** Begin Patch\n*** End Patch", "changes no file"),
        ("*** Begin Patch\n\n\n*** End Patch", "changes no file"),
        ("*** Delete File: f\n*** End Patch", "first line"),
        ("*** Begin Patch\n*** Delete File: f", "last line"),
        ("<<EOF\n*** Begin Patch\n*** Delete File: f\n*** End Patch", "first line"),
        ("diff --git a b\n--- a\n+++ b\n", "first line"),
    ];
    for (text, says) in whole {
        let said = parse(text).unwrap_err().to_string();
        assert!(said.starts_with("Invalid patch: ") && said.contains(says), "{text:?}: {said}");
    }
    let parts = [
        ("x", 2, "no file header"),
        ("*** Rename File: f", 2, "no file header"),
        ("*** Add File: ", 2, "names no file"),
        ("*** Delete File:", 2, "names no file"),
        ("*** Add File: f\n+x\ny", 4, "begin with '+'"),
        ("*** Delete File: f\n-x", 3, "no file header"),
        ("*** Update File: f", 3, "changes nothing"),
        ("*** Update File: f\n*** Delete File: g", 3, "changes nothing"),
        ("*** Update File: f\n@@", 4, "needs lines"),
        ("*** Update File: f\n@@ a\n@@ b\n+x", 4, "needs lines"),
        ("*** Update File: f\n@@\n*** End of File", 4, "needs lines"),
        ("*** Update File: f\nx", 3, "needs lines"),
        ("*** Update File: f\n+x\n*** End of File\n+y", 5, "expected '@@'"),
        ("*** Update File: f\n@@\n+x\ny", 5, "expected '@@'"),
        ("*** Update File: f\n@@\n+x\n*** Begin Patch", 5, "no file header"),
    ];
    for (middle, line, says) in parts {
        let said = inside(middle).unwrap_err().to_string();
        let begins = format!("Invalid patch hunk on line {line}: ");
        assert!(said.starts_with(&begins) && said.contains(says), "{middle:?}: {said}");
    }
}

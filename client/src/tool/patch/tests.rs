use proptest::prelude::*;

use super::memory::Memory;
use super::*;

mod table;

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
fn a_plan_says_what_was_and_what_will_be() {
    let files = Memory::of(&[("a", "x\n"), ("b", "y\n"), ("c", "same\n")]);
    let patch = "*** Begin Patch\n*** Update File: a\n*** Move to: d\n-x\n+z\n*** Delete File: b\n*** Update File: c\n same\n*** End Patch";
    let plan = read(patch, &files).unwrap();
    let change = |path: &str, before: Option<&str>, after: Option<&str>, moved_from: Option<&str>| Change {
        path: path::RelativePath::parse(path).unwrap(),
        before: before.map(|text| text.as_bytes().to_vec()),
        after: after.map(|text| text.as_bytes().to_vec()),
        moved_from: moved_from.map(|path| path::RelativePath::parse(path).unwrap()),
        mode: None,
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

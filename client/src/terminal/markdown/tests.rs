use proptest::prelude::*;

use super::*;

const PLAIN: Look = Look { colour: Colour::None, characters: Characters::Ascii, width: 40, base: Style::PLAIN };
const RICH: Look = Look { colour: Colour::Sixteen, characters: Characters::Utf8, width: 40, base: Style::PLAIN };

fn shown(text: &str, look: Look) -> String {
    let mut markdown = Markdown::new(look);
    let shown = markdown.push(text);
    shown + &markdown.finish()
}

/// With its styles as `<1>` and `<>`.
fn rich(text: &str) -> String {
    let spelled = shown(text, RICH);
    let mut pieces = spelled.split("\u{1b}[");
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| {
        let (style, rest) = piece.split_once('m').unwrap();
        format!("{text}<{}>{rest}", if style == "0" { "" } else { style })
    })
}

#[test]
fn each_kind_of_line_has_its_look() {
    let cases = [
        ("Hello", "Hello\n"),
        ("# One\ntext", "<1;4>One<>\ntext\n"),
        ("a\n\n\n\n## Two", "a\n\n<1>Two<>\n"),
        ("- one\n- two\n  - three\n\n    more\n- four", "• one\n• two\n  • three\n\n    more\n• four\n"),
        ("1. one\n  - sub\n2. two\n\nend", "1. one\n   • sub\n2. two\n\nend\n"),
        ("- [ ] open\n- [x] done", "• [ ] open\n• [x] done\n"),
        ("> said\nlazily\n\n> again", "<2>│ <>said\n<2>│ <>lazily\n\n<2>│ <>again\n"),
        ("> a\n>\n> b", "<2>│ <>a\n<2>│ <>\n<2>│ <>b\n"),
        ("---", "<2>────────────────────────────────────────<>\n"),
        ("a\n---\nb", "a\n<2>────────────────────────────────────────<>\nb\n"),
        ("```text\nls **a**\n\n```\nend", "<2>```text<>\nls **a**\n\n<2>```<>\nend\n"),
        ("- x:\n  ```\n  code\n    more\n  ```\n- y", "• x:\n  <2>```<>\n  code\n    more\n  <2>```<>\n• y\n"),
        ("> ```\n> q\nout", "<2>│ <><2>```<>\n<2>│ <>q\nout\n"),
        ("~~~\n```\n~~~", "<2>~~~<>\n```\n<2>~~~<>\n"),
        ("```a`b```", "<36>a`b<>\n"),
        ("|a|b|\n|-|-|\n|**x**|y|\nend", "<1>a<><2> │ <><1>b<>\n<2>──┼──<>\n<1>x<><2> │ <>y\nend\n"),
        ("| no table |\n\nx", "| no table |\n\nx\n"),
        ("a\n\n    let x;\n\nb", "a\n\n<36>    let x;<>\n\nb\n"),
        ("one two three four five six seven eight", "one two three four five six seven eight\n"),
        ("- one two three four five six seven eight", "• one two three four five six seven\n  eight\n"),
        ("", ""),
        ("\n\n", ""),
        ("-", "• \n"),
    ];
    for (text, expected) in cases {
        assert_eq!(rich(text), expected, "{text:?}");
    }
}

#[test]
fn without_colours_the_marks_stay() {
    let text = "# A *title*\n\n- **one** `two`\n> [x](http://y)\n```sh\nls\n```\n|a|b|\n|-|-|\n|`c`|d|\n";
    let expected = "# A *title*\n\n- **one** `two`\n> [x](http://y)\n```sh\nls\n```\na   | b\n----+--\n`c` | d\n";
    assert_eq!(shown(text, PLAIN), expected);
}

#[test]
fn a_word_is_seen_when_it_is_complete() {
    let mut markdown = Markdown::new(RICH);
    assert_eq!(markdown.push("Some"), "");
    assert_eq!(markdown.push(" "), "Some");
    assert_eq!(markdown.push("**very"), "");
    assert_eq!(markdown.push(" bold** "), " \u{1b}[1mvery\u{1b}[0m \u{1b}[1mbold\u{1b}[0m");
    assert_eq!(markdown.push("end\n- x "), " end\n• x");
    assert_eq!(markdown.finish(), "\n");
}

#[test]
fn a_table_without_end_is_drawn_in_parts() {
    let row = "|a|b|\n".repeat(10 * MOST_ROWS);
    let mut markdown = Markdown::new(RICH);
    let seen = markdown.push(&format!("|a|b|\n|-|-|\n{row}"));
    assert!(seen.lines().count() >= 9 * MOST_ROWS);
}

/// Pieces of Markdown, in any order.
fn marked() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "word ",
        " ",
        "\n",
        "\n\n",
        "*",
        "**",
        "_",
        "`",
        "```",
        "```rust\n",
        "~~~\n",
        "# ",
        "- ",
        "1. ",
        "> ",
        "|",
        "|-|-|\n",
        "[x](",
        ")",
        "]",
        "[",
        "\\",
        "&lt;",
        "---\n",
        "    ",
        "\t",
        "日本",
        "<https://",
        ">",
        "é",
        "!",
        "let x = 1;",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn however_it_is_cut_the_same_is_written(text in marked(), cuts in prop::collection::vec(1_usize..9, 1..60), width in 0_usize..30) {
        for look in [RICH, PLAIN] {
            let look = Look { width, ..look };
            let whole = shown(&text, look);
            let (mut markdown, mut pieces) = (Markdown::new(look), String::new());
            let mut rest: Vec<char> = text.chars().collect();
            for length in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let piece: String = rest.drain(..(*length).min(rest.len())).collect();
                let piece = markdown.push(&piece);
                // Wherever it stops, the terminal is plain.
                let (ends, all) = (piece.matches("\u{1b}[0m").count(), piece.matches("\u{1b}[").count());
                prop_assert_eq!(ends * 2, all);
                pieces.push_str(&piece);
            }
            pieces.push_str(&markdown.finish());
            prop_assert_eq!(&pieces, &whole);
            prop_assert!(whole.is_empty() || whole.ends_with('\n'));
        }
    }

    #[test]
    fn no_letter_is_lost(words in prop::collection::vec("[a-z]{1,12}", 1..30), marks in prop::collection::vec(prop::sample::select(vec!["", "*", "**", "`", "_", "~~"]), 1..30)) {
        let marked: Vec<String> = words.iter().zip(marks.iter().cycle()).map(|(word, mark)| format!("{mark}{word}{mark}")).collect();
        let seen = shown(&marked.join(" "), RICH);
        let unstyled = seen.split("\u{1b}[").enumerate().map(|(at, piece)| if at == 0 { piece } else { piece.split_once('m').unwrap().1 });
        let letters: String = unstyled.collect::<String>().chars().filter(char::is_ascii_lowercase).collect();
        prop_assert_eq!(letters, words.concat());
    }
}

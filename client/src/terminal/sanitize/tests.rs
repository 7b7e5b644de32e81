use proptest::prelude::*;

use super::*;

fn cleaned<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut sanitizer = Sanitizer::default();
    let mut shown: String = parts.into_iter().map(|part| sanitizer.clean(part)).collect();
    shown.push_str(&sanitizer.finish());
    shown
}

const STREAMS: [(&[u8], &str); 31] = [
    (b"", ""),
    (
        "plain text, \u{e4}\u{4e2d}\u{1f600}\n\twith tab\n".as_bytes(),
        "plain text, \u{e4}\u{4e2d}\u{1f600}\n\twith tab\n",
    ),
    (b"a\x1b[31mred\x1b[0m", "ared"),
    (b"a\x1b[2J\x1b[Hb", "ab"),
    (b"a\x1b[?1049hb\x1b[?25lc", "abc"),
    (b"a\x1b[38;5;1 qb", "ab"),
    (b"title \x1b]0;evil\x07done", "title done"),
    (b"\x1b]52;c;ZXZpbA==\x07clip", "clip"),
    (b"\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\ end", "link end"),
    (b"\x1bP1;2|payload\x1b\\a", "a"),
    (b"\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\a", "a"),
    (b"\x1b(0a\x1b)Bb\x1b#8c\x1b=d\x1bce", "abcde"),
    ("\u{9b}31ma\u{9d}0;t\u{9c}b\u{90}q\u{9c}c\u{85}d".as_bytes(), "abcd"),
    (b"a\x9b31mb", "a\u{fffd}31mb"),
    (b"a\x07\x08\x0b\x0c\x0e\x0f\x7f\0b", "ab"),
    (b"never ends \x1b]0;title\nnext line", "never ends \nnext line"),
    (b"never ends \x1b[12\nnext line", "never ends \nnext line"),
    (b"cancelled \x1b]0;t\x18a\x1b]0;t\x1ab", "cancelled ab"),
    (b"\x1b[3\x1b[31ma", "a"),
    (b"\x1b\x1b\x1b[31ma", "a"),
    (b"\x1b[31\xc3\xa9a", "\u{e9}a"),
    (b"a\r\nb\rc\r\r\nd", "a\nb\nc\nd"),
    (b"50%\r100%\r", "50%\n100%"),
    ("a\u{202e}b\u{2066}c\u{2069}d\u{200f}e\u{61c}f".as_bytes(), "abcdef"),
    ("a\u{2028}b\u{2029}c\u{feff}d\u{200b}e\u{ad}f".as_bytes(), "abcdef"),
    ("hidden\u{e0041}\u{e0042}".as_bytes(), "hidden"),
    (
        "\u{1f468}\u{200d}\u{1f469} \u{645}\u{200c}\u{6cc}".as_bytes(),
        "\u{1f468}\u{200d}\u{1f469} \u{645}\u{200c}\u{6cc}",
    ),
    (b"\xff\xfe a\xc3", "\u{fffd}\u{fffd} a\u{fffd}"),
    (b"\xe2\x82", "\u{fffd}"),
    (b"\xe2\x82\x1b[31ma", "\u{fffd}a"),
    (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
];

#[test]
fn this_is_left_of_it_at_every_split() {
    for (stream, expected) in STREAMS {
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(cleaned([head, tail]), expected, "{:?} at {at}", String::from_utf8_lossy(stream));
        }
        assert_eq!(cleaned(stream.chunks(1)), expected, "{:?} byte by byte", String::from_utf8_lossy(stream));
    }
}

proptest! {
    #[test]
    fn nothing_else_than_text_ever_comes_out(
        pieces in prop::collection::vec(prop_oneof![any::<u8>().prop_map(|byte| vec![byte]),
            prop::sample::select(PIECES).prop_map(<[u8]>::to_vec)], 0..60),
        size in 1..7_usize,
    ) {
        let stream = pieces.concat();
        let whole = cleaned([stream.as_slice()]);
        prop_assert!(whole.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{whole:?}");
        prop_assert_eq!(cleaned(stream.chunks(size)), whole);
    }
}

const PIECES: &[&[u8]] =
    &[b"\x1b", b"\x1b[", b"\x1b]", b"\xc2\x9b", b"\xc2\x9d", b"\xe2\x80\xae", b"\r", b"\n", b"\\", b"\x07", b"31m"];

#[test]
fn of_an_endless_line_only_the_beginning_is_shown() {
    let line = [b'x'; 1024 * 1024];
    let shown = cleaned(line.chunks(1000).chain([b"\nnext\n".as_slice()]));
    assert_eq!(shown, format!("{}{LINE_CUT}\nnext\n", "x".repeat(LONGEST_LINE)));
}

#[test]
fn a_sequence_that_never_ends_does_not_hide_the_rest_for_ever() {
    let endless = [b"\x1b]0;".as_slice(), &vec![b'x'; LONGEST_STRING], b"text"].concat();
    assert!(cleaned([endless.as_slice()]).ends_with("text"));
    let endless = [b"\x1b[".as_slice(), &vec![b'1'; LONGEST_PARAMETERS], b";text"].concat();
    assert!(cleaned([endless.as_slice()]).ends_with(";text"));
}

#[test]
fn what_is_to_be_decided_about_is_spelled_out() {
    let cases = [
        ("make test && grep '\\d' x", "make test && grep '\\d' x"),
        ("a\nb", "a\nb"),
        ("rm \u{1b}[2K x", "rm \\u{1b}[2K x"),
        ("a\\b\r", "a\\\\b\\r"),
        ("a\tb\u{7}", "a\\tb\\u{7}"),
        ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
        ("\u{e4}\u{4e2d}", "\u{e4}\u{4e2d}"),
    ];
    for (text, shown) in cases {
        assert_eq!(spelled_out(text), shown);
    }
}

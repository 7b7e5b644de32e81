use proptest::prelude::*;

use super::*;

/// The events of the parts, one after the other, until the stream cannot be read.
fn events<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<String>, Option<EventTooLong>) {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for mut rest in parts {
        loop {
            match decoder.next_data(&mut rest) {
                Ok(Some(data)) => events.push(data),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    (events, None)
}

const STREAMS: [(&[u8], &[&str]); 13] = [
    (b"data: a\n\n", &["a"]),
    (b"data:a\n\ndata:  b\n\n", &["a", " b"]),
    (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", &["a", "b", "c"]),
    (b"data: a\r\ndata: b\rdata\ndata: c\n\n", &["a\nb\n\nc"]),
    (b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: no\n\n", &["a"]),
    (b"\xef\xbbdata: no\n\n\xefdata: no\n\n", &[]),
    (b": hello\n\n:\n\ndata: a\n: in between\ndata: b\n\n", &["a\nb"]),
    (b"event: x\nid: 7\nretry: 3\ndata: a\n\nevent: only\n\n", &["a"]),
    (b"dat: no\ndatax: no\ndatadata: no\n data: no\nDATA: no\n\n", &[]),
    (b"data\n\ndata:\n\ndata: \n\n", &["", "", ""]),
    (b"\n\n\r\n\r\rdata: a\n\n\n", &["a"]),
    (b"data: {\"a\":\"b: c\"}\n\ndata: unfinished\n", &["{\"a\":\"b: c\"}"]),
    (b"data: \xff\xc3\xa9\n\n", &["\u{fffd}\u{e9}"]),
];

#[test]
fn streams_have_these_events_at_every_split() {
    for (stream, expected) in STREAMS {
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            assert_eq!(events([head, tail]).0, expected, "{:?} at {at}", String::from_utf8_lossy(stream));
        }
        assert_eq!(events(stream.chunks(1)).0, expected, "{:?} byte by byte", String::from_utf8_lossy(stream));
    }
}

proptest! {
    #[test]
    fn the_events_do_not_depend_on_the_cuts(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
        cuts in prop::collection::vec(1..9_usize, 1..20),
    ) {
        let stream = pieces.concat();
        let mut parts = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, after) = rest.split_at((*cut).min(rest.len()));
            parts.push(part);
            rest = after;
        }
        prop_assert_eq!(events(parts), events([stream.as_slice()]));
    }
}

const PIECES: &[&[u8]] =
    &[b"data", b":", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"data: x", b"id: 1", b"\xef\xbb\xbf", b"\xe2\x82", b"\xac"];

#[test]
fn an_event_of_twenty_megabytes_is_one_event() {
    let line = [b"data: ".as_slice(), &[b'x'; 1024 * 1024], b"\n"].concat();
    let mut parts: Vec<&[u8]> = Vec::new();
    for _ in 0..20 {
        parts.extend(line.chunks(16 * 1024));
    }
    parts.push(b"\ndata: next\n\n");
    let (events, error) = events(parts);
    assert_eq!(error, None);
    assert_eq!(events.iter().map(String::len).collect::<Vec<_>>(), [20 * (1024 * 1024 + 1) - 1, 4]);
}

#[test]
fn a_longer_event_than_allowed_ends_the_stream_however_it_is_made() {
    let (long, empty) = ([b'x'; 64 * 1024], b"data\n".repeat(16 * 1024));
    let mut one_line: Vec<&[u8]> = vec![b"data: "];
    one_line.extend(std::iter::repeat_n(long.as_slice(), LONGEST_EVENT / long.len()));
    assert_eq!(events(one_line.iter().copied()).1, None);
    one_line.push(b"x");
    assert_eq!(events(one_line).1, Some(EventTooLong));

    let many_lines = std::iter::repeat_n(empty.as_slice(), LONGEST_EVENT / (16 * 1024) + 1);
    assert_eq!(events(many_lines).1, Some(EventTooLong));
}

#[test]
fn a_million_tiny_events_leave_nothing_behind() {
    let chunk = b"data: {}\n\n".repeat(1000);
    let (mut decoder, mut count) = (Decoder::default(), 0);
    for _ in 0..1000 {
        let mut rest = chunk.as_slice();
        while let Some(data) = decoder.next_data(&mut rest).unwrap() {
            assert_eq!(data, "{}");
            count += 1;
        }
        assert_eq!(decoder.data.capacity(), 0);
    }
    assert_eq!(count, 1_000_000);
}

#[test]
fn an_endless_comment_is_not_kept() {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.next_data(&mut b": ".as_slice()), Ok(None));
    for _ in 0..1000 {
        assert_eq!(decoder.next_data(&mut [b'x'; 1024].as_slice()), Ok(None));
    }
    assert_eq!(decoder.data.capacity(), 0);
    assert_eq!(decoder.next_data(&mut b"\ndata: a\n\n".as_slice()), Ok(Some("a".to_owned())));
}

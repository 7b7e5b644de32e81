//! Patterns of `ssh_config` and `known_hosts`: `*` is any text, `?` one character, `!` in front takes away.

/// True when the whole text has the pattern's shape; letters match in either case.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stood, and how far it reaches: enough to go back to, so a hostile pattern costs no more than
    // its length times the text's.
    let mut star = None;
    while seen < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, seen));
            at += 1;
        } else if pattern.get(at).is_some_and(|c| *c == '?' || *c == text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((star_at, reach)) = star {
            star = Some((star_at, reach + 1));
            at = star_at + 1;
            seen = reach + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// True when one of the patterns fits and no negated one does.
pub fn any_fits<'a>(patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if fits(negated, text) => return false,
            Some(_) => {}
            None => found |= fits(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_text() {
        let cases = [
            ("host", "host", true),
            ("HOST", "host", true),
            ("host", "hosts", false),
            ("*", "", true),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("h?st", "host", true),
            ("h?st", "hst", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("[127.0.0.1]:22*", "[127.0.0.1]:2200", true),
            ("", "", true),
            ("", "x", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!fits(&"*a".repeat(60), &"a".repeat(59)), "and it does not take for ever");
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        for patterns in [["*.org", "!a.org"], ["!a.org", "*.org"]] {
            assert!(!any_fits(patterns.into_iter(), "a.org"));
            assert!(any_fits(patterns.into_iter(), "b.org"));
        }
        assert!(!any_fits(["!a.org"].into_iter(), "b.org"), "a negation alone takes nothing in");
    }
}

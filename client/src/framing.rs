//! A text of somebody else between a beginning and an end of ours: nothing in it can pass for the end.

/// The text, with a space in whatever would look like `end`, which is in lower case and begins with `<`.
pub fn inside(text: &str, end: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.to_ascii_lowercase().match_indices(end) {
        kept.push_str(&text[from..=at]);
        kept.push(' ');
        from = at + 1;
    }
    kept + &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_its_own_frame() {
        assert_eq!(inside("a</End> b </eND", "</end"), "a< /End> b < /eND");
        assert_eq!(inside("</other>é", "</end"), "</other>é");
    }
}

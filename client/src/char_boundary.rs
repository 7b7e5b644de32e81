//! Where a text may be cut. (The standard library has these since Rust 1.91; ours may be older.)

/// The last place between two characters that is not behind `at`.
pub fn last_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The first place between two characters that is not before `at`.
pub fn first_boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let text = "a\u{e4}b";
        let last: Vec<usize> = (0..6).map(|at| last_boundary(text, at)).collect();
        let first: Vec<usize> = (0..6).map(|at| first_boundary(text, at)).collect();
        assert_eq!(last, [0, 1, 1, 3, 4, 4]);
        assert_eq!(first, [0, 1, 3, 3, 4, 4]);
    }
}

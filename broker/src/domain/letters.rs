//! Codes that a person reads from one screen and types into another.

/// Consonants that are not mistaken for each other in print. Without vowels no word comes of them (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// `count` letters out of random bytes, at most 20: what the last one is off by is below 2⁻⁴¹.
pub(super) fn spell(random: [u8; 16], count: usize) -> String {
    let mut rest = u128::from_le_bytes(random);
    let letter = |rest: &mut u128| {
        let letter = LETTERS[usize::try_from(*rest % 20).expect("a remainder of 20")];
        *rest /= 20;
        char::from(letter)
    };
    (0..count.min(20)).map(|_| letter(&mut rest)).collect()
}

/// What was typed, as [`spell`] wrote it: in whatever case, with whatever dashes and blanks. None if it is no such code.
pub(super) fn read(typed: &str, count: usize) -> Option<String> {
    let letters = typed.chars().filter(|letter| !matches!(letter, '-' | ' ')).map(|letter| letter.to_ascii_uppercase());
    let code: String = letters.take(count + 1).collect();
    (code.len() == count && code.bytes().all(|letter| LETTERS.contains(&letter))).then_some(code)
}

/// In groups with dashes between them.
pub(super) fn grouped(code: &str, group: usize) -> String {
    let groups: Vec<&str> = code.as_bytes().chunks(group).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_spelt_is_read_however_it_is_typed(random: [u8; 16], count in 1_usize..=20) {
            let code = spell(random, count);
            prop_assert_eq!(code.len(), count);
            let typed = format!(" {} ", grouped(&code, 4).to_lowercase());
            prop_assert_eq!(read(&typed, count), Some(code));
        }
    }

    #[test]
    fn other_letters_and_other_lengths_are_no_code() {
        for typed in ["", "BCD", "BCDFG", "BCDA", "BCD1", "BCDÉ", "BCD_", "BCD\n"] {
            assert_eq!(read(typed, 4), None, "{typed:?}");
        }
    }

    #[test]
    fn every_letter_occurs() {
        let spelt: String = (0..=255_u8).map(|byte| spell([byte; 16], 20)).collect();
        assert!(LETTERS.iter().all(|letter| spelt.contains(char::from(*letter))));
    }
}

//! Bytes as lower-case hexadecimal text and back.

use std::fmt::Write;

use zeroize::Zeroizing;

/// Lower-case hexadecimal digits, two for each byte. The text zeroes itself, because some of it is key material.
pub fn encode(bytes: &[u8]) -> Zeroizing<String> {
    // Reserved in full: a string that grows leaves copies of a key behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes every write");
    }
    text
}

/// The bytes that [`encode`] wrote; `None` for an odd number of digits and for anything but `0-9a-f`.
pub fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
}

/// As [`decode`], for exactly `N` bytes.
pub fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text)?.as_slice().try_into().ok()
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_each_other() {
        assert_eq!(*encode(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
        assert_eq!(decode("000fa5ff").unwrap().as_slice(), [0x00, 0x0f, 0xa5, 0xff]);
        assert_eq!(decode_exact::<2>("a5ff"), Some([0xa5, 0xff]));
    }

    #[test]
    fn one_text_stands_for_one_value() {
        for text in ["0", "0g", "A5", " a5", "a5 ", "+1", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode_exact::<2>("a5"), None);
        assert_eq!(decode_exact::<2>("a5a5a5"), None);
    }
}

//! What bytes are, by their content: a file's name says nothing. Pure.

/// A kind of image that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    WebP,
    /// GIF.
    Gif,
}

/// So many bytes tell the kind.
pub const TELLING: usize = 16;

impl Kind {
    /// The kind of what begins like this.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }
}

/// The name of an image that cannot be sent, for what is said about it.
pub fn foreign(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => Some("AVIF"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', ..] => Some("HEIC"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'm', b'i' | b's', b'f', b'1', ..] => Some("HEIC"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Some("TIFF"),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some("BMP"),
        [b'%', b'P', b'D', b'F', ..] => Some("PDF"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_kind() {
        let cases: [(&[u8], Option<Kind>, Option<&str>); 12] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(Kind::Png), None),
            (b"\xff\xd8\xff\xe1\0\x10Exif", Some(Kind::Jpeg), None),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some(Kind::WebP), None),
            (b"GIF87a", Some(Kind::Gif), None),
            (b"GIF89a", Some(Kind::Gif), None),
            (b"RIFF\x24\0\0\0WAVEfmt ", None, None),
            (b"\0\0\0\x1cftypheic", None, Some("HEIC")),
            (b"\0\0\0\x1cftypavif", None, Some("AVIF")),
            (b"II*\0", None, Some("TIFF")),
            (b"%PDF-1.7", None, Some("PDF")),
            (b"a text", None, None),
            (b"", None, None),
        ];
        for (bytes, kind, other) in cases {
            assert_eq!((Kind::of(bytes), foreign(bytes)), (kind, other), "{bytes:?}");
        }
    }
}

//! A secret out of a file or a descriptor: one line, in a file that is not everybody's. A passphrase, a bearer, a signing key.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::bounded_file;
use crate::config::{SampleSecret, refuse_sample};

/// Nobody's passphrase and nobody's key is longer.
const LARGEST: u64 = 4096;

/// Why a secret cannot be used. None of these repeats it.
#[derive(Debug, thiserror::Error)]
pub enum SecretLineError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Everybody on the machine can read it. (A group may: that is how service managers hand secrets over.)
    #[error("{path} can be used by everybody on this machine: run chmod o= {path}", path = .0.display())]
    TooOpen(PathBuf),
    /// There is none in it, or more than a line.
    #[error("{} must hold the secret on one line, and nothing else", .0.display())]
    NotOneLine(PathBuf),
    /// It stands in the documentation.
    #[error(transparent)]
    Sample(#[from] SampleSecret),
}

/// Reads the file: one line of UTF-8, whose end does not count.
pub fn read(path: &Path) -> Result<Secret, SecretLineError> {
    let (bytes, metadata) =
        bounded_file::read(path, LARGEST).map_err(|source| SecretLineError::Io { path: path.to_owned(), source })?;
    if metadata.permissions().mode() & 0o007 != 0 {
        return Err(SecretLineError::TooOpen(path.to_owned()));
    }
    one_line(path, &bytes)
}

/// Reads it from a descriptor that whoever started this process left open: `--passphrase-fd 3 3<FILE`.
pub fn read_descriptor(number: u32) -> Result<Secret, SecretLineError> {
    let path = PathBuf::from(format!("/dev/fd/{number}"));
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST as usize + 1));
    File::open(&path)
        .and_then(|open| open.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|source| SecretLineError::Io { path: path.clone(), source })?;
    one_line(&path, &bytes)
}

fn one_line(path: &Path, bytes: &[u8]) -> Result<Secret, SecretLineError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SecretLineError::NotOneLine(path.to_owned()))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || bytes.len() as u64 > LARGEST || line.contains(['\n', '\r', '\0']) {
        return Err(SecretLineError::NotOneLine(path.to_owned()));
    }
    refuse_sample(&path.display().to_string(), line.as_bytes())?;
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_in_a_file_that_is_not_everybodys_is_a_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let with = |text: &str, mode| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            read(&path).map(|secret| secret.expose().to_owned())
        };
        for text in ["gone fishing 7", "gone fishing 7\n", "gone fishing 7\r\n"] {
            assert_eq!(with(text, 0o600).unwrap(), "gone fishing 7");
        }
        assert_eq!(with(" kept \n", 0o440).unwrap(), " kept ");
        for text in ["", "\n", "two\nlines\n", "a\0b"] {
            assert!(matches!(with(text, 0o600), Err(SecretLineError::NotOneLine(_))), "{text:?}");
        }
        assert!(matches!(with("change-me\n", 0o600), Err(SecretLineError::Sample(_))));
        assert!(matches!(with("gone fishing 7", 0o604), Err(SecretLineError::TooOpen(_))));
        assert!(matches!(read(directory.path()), Err(SecretLineError::Io { .. })));
    }

    #[test]
    fn a_descriptor_gives_one_line_too() {
        use std::io::Write as _;
        use std::os::fd::AsRawFd as _;
        for (written, expected) in
            [("gone fishing 7\n", Some("gone fishing 7")), ("", None), ("two\nlines", None), (&"x".repeat(5000), None)]
        {
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(written.as_bytes()).unwrap();
            drop(writer);
            let number = reader.as_raw_fd().try_into().unwrap();
            let read = read_descriptor(number).ok();
            assert_eq!(read.as_ref().map(Secret::expose), expected);
        }
        assert!(matches!(read_descriptor(9_999), Err(SecretLineError::Io { .. })));
    }
}

//! Tar, as little of it as is needed: regular files with short names (POSIX.1-1988 ustar).
//!
//! ```text
//!  0      100   108  116  124   136    148  156  157        257        265 ...  512
//!  | name | mode | uid| gid| size| time | sum | 0 | no link | ustar 00 | zeros  |
//! ```
//!
//! Numbers are octal text. The content follows, padded to 512 bytes; two blocks of zeros end the archive.

use std::io::{self, Read, Write};

use super::BackupError;

const BLOCK: usize = 512;
/// Room of the name's field without its final zero.
const LONGEST_NAME: usize = 99;
/// Eleven octal digits.
const LARGEST: u64 = (8 << 30) - 1;

/// Writes an archive.
pub struct Writer<W>(W);

impl<W: Write> Writer<W> {
    /// Begins one.
    pub fn new(out: W) -> Self {
        Self(out)
    }

    /// Adds a file of exactly `size` bytes.
    pub fn add(&mut self, name: &str, size: u64, modified: u64, content: impl Read) -> io::Result<()> {
        self.0.write_all(&header(name, size, modified)?)?;
        let written = io::copy(&mut content.take(size), &mut self.0)?;
        if written != size {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{name} became shorter while it was read"),
            ));
        }
        self.0.write_all(&[0; BLOCK][..padding(size)])
    }

    /// Ends it and gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.0.write_all(&[0; 2 * BLOCK])?;
        Ok(self.0)
    }
}

/// Reads an archive that [`Writer`] made.
pub struct Reader<R>(R);

/// The head of a member; its content is read next.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name: one or two parts of plain characters.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

impl<R: Read> Reader<R> {
    /// Begins.
    pub fn new(input: R) -> Self {
        Self(input)
    }

    /// The next member; `None` at the end, after which nothing follows.
    pub fn next_head(&mut self) -> Result<Option<Head>, BackupError> {
        let mut block = [0; BLOCK];
        self.0.read_exact(&mut block)?;
        if block == [0; BLOCK] {
            let mut rest = Vec::new();
            (&mut self.0).take(2 * BLOCK as u64).read_to_end(&mut rest)?;
            return if rest == [0; BLOCK] { Ok(None) } else { Err(damaged("something follows its end")) };
        }
        let head = parse(&block).ok_or_else(|| damaged("a member of it is none that a broker writes"))?;
        Ok(Some(head))
    }

    /// The content of the member whose head was read last.
    pub fn content(&mut self, head: &Head, out: &mut impl Write) -> Result<(), BackupError> {
        let copied = io::copy(&mut (&mut self.0).take(head.size), out)?;
        let mut rest = [0; BLOCK];
        self.0.read_exact(&mut rest[..padding(head.size)])?;
        if copied == head.size { Ok(()) } else { Err(damaged("it is cut off")) }
    }
}

fn damaged(why: &str) -> BackupError {
    BackupError::Damaged(why.to_owned())
}

fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).expect("less than a block");
    if over == 0 { 0 } else { BLOCK - over }
}

/// Whether this is a name that a broker gives: nothing that leads out of a directory.
fn is_plain(name: &str) -> bool {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    name.len() <= LONGEST_NAME && name.split('/').count() <= 2 && name.split('/').all(part)
}

fn header(name: &str, size: u64, modified: u64) -> io::Result<[u8; BLOCK]> {
    let refused = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("{name}: {why}"));
    if !is_plain(name) {
        return Err(refused("no name for a member of a backup"));
    }
    if size > LARGEST {
        return Err(refused("larger than a member of a backup may be (8 GiB)"));
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000600");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, &format!("{:011o}", modified.min(LARGEST)));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum = sum(&block);
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

fn sum(block: &[u8; BLOCK]) -> u32 {
    block.iter().map(|byte| u32::from(*byte)).sum()
}

fn parse(block: &[u8; BLOCK]) -> Option<Head> {
    let text = |at: usize, length: usize| {
        let field = &block[at..at + length];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
        std::str::from_utf8(&field[..end]).ok()
    };
    let size = u64::from_str_radix(text(124, 12)?, 8).ok()?;
    let name = text(0, 100)?.to_owned();
    // What we write is the only form there is: a header that differs in anything was not ours.
    let modified = u64::from_str_radix(text(136, 12)?, 8).ok()?;
    (header(&name, size, modified).ok()? == *block).then_some(Head { name, size })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (name, content) in members {
            writer.add(name, content.len() as u64, 1_700_000_000, *content).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
        let mut reader = Reader::new(bytes);
        let mut members = Vec::new();
        while let Some(head) = reader.next_head()? {
            let mut content = Vec::new();
            reader.content(&head, &mut content)?;
            members.push((head.name, content));
        }
        Ok(members)
    }

    #[test]
    fn what_was_written_is_read_back_whatever_its_length() {
        for length in [0, 1, 511, 512, 513, 5000] {
            let content = vec![7; length];
            let bytes = archive(&[("broker.db", &content), ("rescue/slot-001", b"x")]);
            let members = read(&bytes).unwrap();
            assert_eq!(members[0], ("broker.db".to_owned(), content));
            assert_eq!(members[1], ("rescue/slot-001".to_owned(), b"x".to_vec()));
        }
    }

    #[test]
    fn the_usual_tar_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive");
        std::fs::write(&path, archive(&[("identity", b"who\n"), ("rescue/slot-001", &[1; 700])])).unwrap();
        let run = |words: &[&str]| {
            let output = Command::new("tar").args(words).arg(&path).stderr(Stdio::null()).output().unwrap();
            assert!(output.status.success());
            output.stdout
        };
        assert_eq!(run(&["-tf"]), b"identity\nrescue/slot-001\n");
        assert_eq!(run(&["-xO", "-f"]), [b"who\n".as_slice(), &[1; 700]].concat());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_neither_written_nor_read() {
        for name in ["../identity", "/etc/passwd", "a/../b", ".hidden", "a//b", "", "a/b/c", "a b", &"n".repeat(100)] {
            assert!(Writer::new(Vec::new()).add(name, 0, 0, io::empty()).is_err(), "{name}");
        }
        let mut bytes = archive(&[("identity", b"")]);
        bytes[..8].copy_from_slice(b"../dentt");
        let block = <[u8; BLOCK]>::try_from(&bytes[..BLOCK]).unwrap();
        let mut blank = block;
        blank[148..156].copy_from_slice(b"        ");
        bytes[148..156].copy_from_slice(format!("{:06o}\0 ", sum(&blank)).as_bytes());
        assert!(matches!(read(&bytes), Err(BackupError::Damaged(_))));
    }

    #[test]
    fn what_is_cut_off_or_changed_is_not_read() {
        let bytes = archive(&[("broker.db", &[7; 600])]);
        for length in [0, 1, 511, 512, 700, bytes.len() - 1] {
            assert!(read(&bytes[..length]).is_err(), "{length}");
        }
        assert!(read(&[bytes.as_slice(), &[0]].concat()).is_err(), "followed by something");
        for at in [0, 110, 130, 150, 156, 260, 400] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&changed).is_err(), "{at}");
        }
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_is_an_error() {
        assert!(Writer::new(Vec::new()).add("broker.db", 10, 0, [1; 9].as_slice()).is_err());
    }
}

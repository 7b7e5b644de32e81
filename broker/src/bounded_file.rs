//! Reading a file that a person named, which may be anything: never blocks, never reads more than allowed.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// The bytes of a regular file of at most `largest`, and what was known of it before they were read.
///
/// [`io::ErrorKind::InvalidInput`] for a directory, a FIFO or a device, [`io::ErrorKind::FileTooLarge`] for more bytes.
pub fn read(path: &Path, largest: u64) -> io::Result<(Zeroizing<Vec<u8>>, Metadata)> {
    // Opening a FIFO would otherwise wait for somebody to write to it.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {largest} bytes"));
    if metadata.len() > largest {
        return Err(too_large());
    }
    // Room for one byte more than allowed from the start: a secret is not copied around while the buffer grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(largest).unwrap_or(0) + 1));
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest { Err(too_large()) } else { Ok((bytes, metadata)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_of_the_allowed_size_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read(&file, 5).unwrap().0.as_slice(), b"12345");
        assert_eq!(read(&file, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(directory.path(), 5).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read(Path::new("/dev/zero"), 5).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read(&directory.path().join("none"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_fifo_that_nobody_writes_to_holds_nobody_up() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(read(&fifo, 5).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}

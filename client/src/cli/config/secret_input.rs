//! A value from standard input: from a pipe, or typed by a person, whose screen does not show it.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use zeroize::Zeroizing;

use crate::failure::{Class, Failure};
use crate::settings::key::Key;

/// Longer than any value, in bytes.
const LONGEST: u64 = 4096;
const CANCEL: u8 = 0x03;
const END: u8 = 0x04;
const ERASE: [u8; 2] = [0x08, 0x7f];
const KILL_LINE: u8 = 0x15;

/// Reads a value; its line end is not part of it.
pub(super) fn read(key: Key) -> Result<Zeroizing<String>, Failure> {
    let stdin = io::stdin();
    let broken = |error: io::Error| Failure::new(Class::Usage, format!("standard input: {error}"));
    let bytes = if stdin.is_terminal() { typed(key) } else { piped() }.map_err(broken)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::new(Class::Usage, "standard input: not UTF-8"))?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn piped() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(0)));
    io::stdin().lock().take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn typed(key: Key) -> io::Result<Zeroizing<Vec<u8>>> {
    let stdin = io::stdin();
    let mut stderr = io::stderr();
    write!(stderr, "{} (not shown): ", key.as_str())?;
    stderr.flush()?;
    let usual = termios::tcgetattr(&stdin)?;
    let _shown_again = ShowAgain(&usual);
    let mut hidden = usual.clone();
    // Byte by byte, and Ctrl-C as a byte: a signal would leave the terminal without echo.
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    termios::tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    let line = read_line(&mut stdin.lock().bytes());
    writeln!(stderr)?;
    line
}

/// Gives the terminal back as it was.
struct ShowAgain<'a>(&'a Termios);

impl Drop for ShowAgain<'_> {
    fn drop(&mut self) {
        // There is nobody left to tell, and nothing else to try.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, self.0);
    }
}

fn read_line(input: &mut dyn Iterator<Item = io::Result<u8>>) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(0)));
    for byte in input.take(usize::try_from(LONGEST).unwrap_or(usize::MAX)) {
        match byte? {
            b'\r' | b'\n' | END => break,
            CANCEL => return Err(io::Error::new(io::ErrorKind::Interrupted, "cancelled; nothing was changed")),
            KILL_LINE => line.clear(),
            byte if ERASE.contains(&byte) => drop(line.pop()),
            byte => line.push(byte),
        }
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_as_usual() {
        let typed = |keys: &[u8]| read_line(&mut keys.iter().map(|byte| Ok(*byte))).map(|line| line.to_vec());
        assert_eq!(typed(b"secret\nrest").unwrap(), b"secret");
        assert_eq!(typed(b"wrong\x15sa\x7fecret\r").unwrap(), b"secret");
        assert_eq!(typed(b"\x7f\x08a\x04").unwrap(), b"a");
        assert!(typed(b"sec\x03").unwrap_err().to_string().contains("cancelled"));
    }
}

//! What is in a backup: the first member of its archive.

use std::io::{self, Read, Write};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::hex;
use crate::high_water::Position;

/// The name of the manifest's member.
pub const NAME: &str = "manifest.json";
/// The form that this version writes and reads.
pub const FORMAT: u32 = 1;
/// A manifest of ten thousand credentials is smaller.
pub const LARGEST: u64 = 16 << 20;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the broker that made it.
    pub version: String,
    /// Whose data this is.
    pub instance: String,
    /// When it was made (Unix seconds).
    pub taken_at: i64,
    /// The master key that its cells need.
    pub key_id: String,
    /// How far each credential had come.
    pub credentials: Vec<Reached>,
    /// All other members, in their order.
    pub members: Vec<Member>,
}

/// How far a credential had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Claims.
    pub epoch: u64,
    /// Token sets; those that a rescue slot held are counted.
    pub generation: u64,
}

impl Reached {
    /// Both numbers.
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, generation: self.generation }
    }
}

/// A file of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name below the data directory.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// SHA-256 of what is written through it.
pub struct Summing<W> {
    inner: W,
    context: digest::Context,
    length: u64,
}

impl<W> Summing<W> {
    /// Counts and sums what goes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, context: digest::Context::new(&digest::SHA256), length: 0 }
    }

    /// What it was written to, its SHA-256 in hexadecimal, and its length.
    pub fn finish(self) -> (W, String, u64) {
        (self.inner, hex::encode(self.context.finish().as_ref()).to_string(), self.length)
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.context.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// SHA-256 in hexadecimal and length of all that `content` gives.
pub fn sum(mut content: impl Read) -> io::Result<(String, u64)> {
    let mut summing = Summing::new(io::sink());
    io::copy(&mut content, &mut summing)?;
    let (_, sum, length) = summing.finish();
    Ok((sum, length))
}

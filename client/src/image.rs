//! Images for the model: what a file holds, made fit to be sent.
//!
//! * [`kind`]: what bytes are, by their content. * [`room`]: how large an image may be.
//! * [`decode`]: bytes to pixels, within limits. * [`encode`]: pixels to what is sent.
//! * [`typed_path`]: paths in what a person typed or pasted.
//!
//! An image can come from anywhere and be made to do harm. It is decoded by libraries in safe Rust, its size is read
//! before its pixels are, and a decoder that gives up in the middle ends the image, not the program. Every image is
//! encoded anew, also one that needs no scaling: what is sent are pixels and nothing else, without the place and the
//! camera of a photo, without comments, and never a file that only looks like an image.

use std::path::Path;

use crate::bounded_file::{self, Symlinks, Unread};
use crate::conversation::item::Content;

pub mod decode;
pub mod encode;
pub mod kind;
pub mod room;
pub mod typed_path;

use self::decode::{Decoded, Frame, NoImage};
use self::room::Detail;

/// The longest file that is taken for an image, in bytes.
pub const LONGEST_FILE: u64 = 20 * 1024 * 1024;

/// An image as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels, as sent.
    pub width: u32,
    /// In pixels, as sent.
    pub height: u32,
    /// Width and height before it was scaled down, if it was.
    pub scaled_from: Option<(u32, u32)>,
    /// Whether there is more to it.
    pub frame: Frame,
    detail: Detail,
    /// A `data:` URL.
    url: String,
}

/// Why a file is not sent as an image.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is too long.
    #[error("is longer than 20 MiB, which is too long for an image")]
    TooLong,
    /// It could not be read.
    #[error("{0}")]
    Unread(#[source] Unread),
    /// It is no image that can be sent.
    #[error("{0}")]
    NoImage(#[from] NoImage),
}

impl From<Unread> for Unusable {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLong(_) => Self::TooLong,
            unread => Self::Unread(unread),
        }
    }
}

impl Picture {
    /// The image in these bytes, scaled down to what this detail allows.
    pub fn of(bytes: &[u8], detail: Detail) -> Result<Self, NoImage> {
        let Decoded { pixels, scaled_from, frame, lossy } = decode::decode(bytes, detail.room())?;
        let url = encode::data_url(&pixels, lossy)?;
        Ok(Self { width: pixels.width(), height: pixels.height(), scaled_from, frame, detail, url })
    }

    /// The image in a file, whatever its name.
    pub fn read(path: &Path, detail: Detail) -> Result<Self, Unusable> {
        let content = bounded_file::read(path, LONGEST_FILE, Symlinks::Follow)?;
        Ok(Self::of(&content.bytes, detail)?)
    }

    /// As the backend takes it.
    pub fn content(&self) -> Content {
        Content::InputImage { image_url: self.url.clone(), detail: Some(self.detail.name().to_owned()) }
    }

    /// Its size in pixels, and what is not as in the file: `800x600`, `1600x1200, scaled down from 4000x3000`.
    pub fn in_words(&self) -> String {
        let mut words = format!("{}x{}", self.width, self.height);
        if let Some((width, height)) = self.scaled_from {
            words += &format!(", scaled down from {width}x{height}");
        }
        match self.frame {
            Frame::Only => {}
            Frame::FirstOfSeveral => words += ", the first frame of an animation",
        }
        words
    }
}

#[cfg(test)]
pub(crate) mod tests;

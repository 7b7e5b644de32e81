//! Bytes to pixels: the size is read first, then no more is decoded than is allowed.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageResult, Limits, RgbaImage};

use super::kind::{Kind, TELLING, foreign};
use super::room::Room;

/// The most pixels: a camera of 50 megapixels.
const MOST_PIXELS: u64 = 50_400_000;
/// The most memory for the pixels of an image as it is in its file, in bytes.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;

/// An image, the right way up.
#[derive(Debug)]
pub struct Decoded {
    /// Its pixels, scaled down as far as necessary.
    pub pixels: DynamicImage,
    /// Width and height before, if it was scaled down.
    pub scaled_from: Option<(u32, u32)>,
    /// Whether there is more to it.
    pub frame: Frame,
    /// Whether its file had lost something already: encoding it so again costs little.
    pub lossy: Lossy,
}

/// Which frame of its file an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// The only one.
    Only,
    /// The first one of an animation.
    FirstOfSeveral,
}

/// How a file kept its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lossy {
    /// As they were.
    No,
    /// Nearly as they were.
    Yes,
}

/// Why bytes are not sent as an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoImage {
    /// Something else.
    #[error("is no image: PNG, JPEG, WebP and GIF are taken")]
    OtherThing,
    /// An image of another kind.
    #[error("is a {0}: PNG, JPEG, WebP and GIF are taken")]
    OtherKind(&'static str),
    /// More pixels than are decoded.
    #[error("has {width}x{height} pixels, which is too large: 50 million are taken")]
    TooManyPixels {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Fewer pixels than that, but more memory than is given to them.
    #[error("needs too much memory: 256 MiB of pixels are taken")]
    TooMuchMemory,
    /// It cannot be decoded.
    #[error("is a damaged image: {0}")]
    Damaged(String),
}

impl From<image::ImageError> for NoImage {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooMuchMemory,
            error => Self::Damaged(error.to_string()),
        }
    }
}

/// Decodes the image in these bytes, scaled down to this room.
pub fn decode(bytes: &[u8], room: Room) -> Result<Decoded, NoImage> {
    let Some(kind) = Kind::of(bytes) else {
        return Err(foreign(&bytes[..bytes.len().min(TELLING)]).map_or(NoImage::OtherThing, NoImage::OtherKind));
    };
    // Decoders are many lines that other people wrote; what one of them did not expect is the image's fault.
    let decoded = catch_unwind(AssertUnwindSafe(|| pixels(kind, bytes, room)));
    decoded.unwrap_or_else(|_| Err(NoImage::Damaged("its decoder gave up".to_owned())))
}

fn pixels(kind: Kind, bytes: &[u8], room: Room) -> Result<Decoded, NoImage> {
    let (mut decoder, frame) = decoder(kind, bytes)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(NoImage::Damaged("it has no pixels".to_owned()));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(NoImage::TooManyPixels { width, height });
    }
    decoder.set_limits(limits())?;
    if decoder.total_bytes() > MOST_MEMORY {
        return Err(NoImage::TooMuchMemory);
    }
    let orientation = decoder.orientation()?;
    let is_transparent = decoder.color_type().has_alpha();
    let decoded = DynamicImage::from_decoder(decoder)?;
    // One kind of pixels: the code for scaling exists once.
    let fitted = room.fitted(width, height);
    let scaled = scaled(decoded.into_rgba8(), fitted);
    let mut pixels = DynamicImage::ImageRgba8(scaled);
    pixels.apply_orientation(orientation);
    if !is_transparent {
        pixels = DynamicImage::ImageRgb8(pixels.into_rgb8());
    }
    let is_turned = (pixels.width(), pixels.height()) != fitted;
    let before = if is_turned { (height, width) } else { (width, height) };
    let scaled_from = (fitted != (width, height)).then_some(before);
    let lossy = if kind == Kind::Jpeg || is_lossy_webp(bytes) { Lossy::Yes } else { Lossy::No };
    Ok(Decoded { pixels, scaled_from, frame, lossy })
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

fn decoder<'a>(kind: Kind, bytes: &'a [u8]) -> ImageResult<(Box<dyn ImageDecoder + 'a>, Frame)> {
    let reader = Cursor::new(bytes);
    let frame = |is_animated| if is_animated { Frame::FirstOfSeveral } else { Frame::Only };
    Ok(match kind {
        Kind::Png => {
            let decoder = PngDecoder::with_limits(reader, limits())?;
            let frame = frame(decoder.is_apng()?);
            (Box::new(decoder), frame)
        }
        Kind::Jpeg => (Box::new(JpegDecoder::new(reader)?), Frame::Only),
        Kind::WebP => {
            let decoder = WebPDecoder::new(reader)?;
            let frame = frame(decoder.has_animation());
            (Box::new(decoder), frame)
        }
        Kind::Gif => (Box::new(GifDecoder::new(reader)?), frame(has_several_frames(bytes).unwrap_or_default())),
    })
}

/// A large step first, by averaging: smoothing over thousands of pixels for each new one would take long.
fn scaled(pixels: RgbaImage, (width, height): (u32, u32)) -> RgbaImage {
    if pixels.dimensions() == (width, height) {
        return pixels;
    }
    let (twice_as_wide, twice_as_high) = (width.saturating_mul(2), height.saturating_mul(2));
    let nearer = if pixels.width() > twice_as_wide && pixels.height() > twice_as_high {
        imageops::thumbnail(&pixels, twice_as_wide, twice_as_high)
    } else {
        pixels
    };
    imageops::resize(&nearer, width, height, FilterType::CatmullRom)
}

/// The chunk behind the header; what else is in an extended file is taken as lossless.
fn is_lossy_webp(bytes: &[u8]) -> bool {
    Kind::of(bytes) == Some(Kind::WebP) && bytes.get(12..16) == Some(b"VP8 ")
}

/// Whether a second image follows in a GIF. `None` when it ends in the middle.
///
/// ```text
/// header 6, size 4, flags 1, background 1, ratio 1, [colours], then blocks:
///   '!' label, sub-blocks             an extension
///   ',' place 8, flags 1, [colours], code size 1, sub-blocks    an image
///   ';'                               the end
/// flags: bit 7 colours follow, bits 0-2 how many (3 bytes each); a sub-block is a length, then so many bytes; 0 ends them
/// ```
fn has_several_frames(bytes: &[u8]) -> Option<bool> {
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + colours(*bytes.get(10)?);
    let mut frames = 0;
    loop {
        match *bytes.get(at)? {
            b'!' => at += 2,
            b',' => {
                frames += 1;
                if frames == 2 {
                    return Some(true);
                }
                at += 11 + colours(*bytes.get(at + 9)?);
            }
            _ => return Some(false),
        }
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
}

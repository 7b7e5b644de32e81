//! Pixels to what is sent: a `data:` URL.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, Rgb, RgbImage, RgbaImage};

use super::decode::{Lossy, NoImage};

/// A PNG that gets longer than this is a photo: it is sent as a JPEG. In bytes.
const LONGEST_PNG: usize = 3 * 1024 * 1024;
const QUALITY: u8 = 90;

/// The URL of these pixels: a JPEG where the file was lossy or a PNG would be very long, else a PNG.
pub fn data_url(pixels: &DynamicImage, lossy: Lossy) -> Result<String, NoImage> {
    if lossy == Lossy::No || pixels.color().has_alpha() {
        let png = png(pixels)?;
        if png.len() <= LONGEST_PNG {
            return Ok(url("png", &png));
        }
    }
    Ok(url("jpeg", &jpeg(pixels)?))
}

fn png(pixels: &DynamicImage) -> Result<Vec<u8>, NoImage> {
    let mut to = Vec::new();
    pixels.write_with_encoder(PngEncoder::new_with_quality(&mut to, CompressionType::Default, FilterType::Adaptive))?;
    Ok(to)
}

fn jpeg(pixels: &DynamicImage) -> Result<Vec<u8>, NoImage> {
    let mut to = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut to, QUALITY);
    match pixels {
        DynamicImage::ImageRgba8(transparent) => on_white(transparent).write_with_encoder(encoder)?,
        opaque => opaque.write_with_encoder(encoder)?,
    }
    Ok(to.into_inner())
}

/// A JPEG knows no transparency.
fn on_white(pixels: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0.map(u16::from);
        let over = |colour: u16| u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        Rgb([red, green, blue].map(over))
    })
}

fn url(kind: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:image/{kind};base64,");
    STANDARD.encode_string(bytes, &mut url);
    url
}

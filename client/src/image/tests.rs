use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, Frame as GifFrame, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// Left half red, right half blue.
pub(crate) fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
}

pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    written(&halves(width, height).into(), ImageFormat::Png)
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut to = Cursor::new(Vec::new());
    image.write_to(&mut to, format).unwrap();
    to.into_inner()
}

fn webp(image: &RgbaImage) -> Vec<u8> {
    let mut to = Vec::new();
    image.write_with_encoder(WebPEncoder::new_lossless(&mut to)).unwrap();
    to
}

fn gif(frames: usize) -> Vec<u8> {
    let mut to = Vec::new();
    let frame = GifFrame::new(DynamicImage::from(halves(20, 10)).into_rgba8());
    GifEncoder::new(&mut to).encode_frames(std::iter::repeat_n(frame, frames)).unwrap();
    to
}

/// A photo as a phone takes it, lying on its side, with the place where it was taken.
fn photo(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"GPS 52.5200 N 13.4050 E");
    let mut to = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut to, 95);
    encoder.set_exif_metadata(exif).unwrap();
    halves(60, 40).write_with_encoder(encoder).unwrap();
    to
}

/// What the backend would see, and of which kind it is.
pub(crate) fn sent(url: &str) -> (String, DynamicImage) {
    let (kind, encoded) = url.strip_prefix("data:image/").unwrap().split_once(";base64,").unwrap();
    let bytes = STANDARD.decode(encoded).unwrap();
    (kind.to_owned(), image::load_from_memory_with_format(&bytes, ImageFormat::from_extension(kind).unwrap()).unwrap())
}

fn refused(bytes: &[u8]) -> NoImage {
    Picture::of(bytes, Detail::High).unwrap_err()
}

/// A PNG that says to be so large, with next to nothing in it.
fn bomb(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([depth, colour, 0, 0, 0]);
    for chunk in [header.as_slice(), b"IDATx\x9c\x03\0\0\0\0\x01", b"IEND"] {
        bytes.extend(u32::try_from(chunk.len() - 4).unwrap().to_be_bytes());
        bytes.extend(chunk);
        bytes.extend(crc(chunk).to_be_bytes());
    }
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn each_kind_is_sent_as_pixels_only() {
    let transparent = RgbaImage::from_pixel(20, 10, Rgba([250, 0, 0, 100]));
    let opaque = DynamicImage::from(halves(20, 10));
    let cases = [
        ("a PNG", png(20, 10), "png"),
        ("a grey PNG of 16 bits", written(&opaque.to_luma16().into(), ImageFormat::Png), "png"),
        ("a JPEG", written(&opaque, ImageFormat::Jpeg), "jpeg"),
        ("a WebP", webp(&transparent), "png"),
        ("a GIF", gif(1), "png"),
    ];
    for (name, bytes, kind) in cases {
        let picture = Picture::of(&bytes, Detail::High).unwrap();
        let (sent_as, image) = sent(&picture.url);
        assert_eq!((sent_as.as_str(), image.width(), image.height()), (kind, 20, 10), "{name}");
        assert_eq!((picture.in_words(), picture.frame), ("20x10".to_owned(), Frame::Only), "{name}");
    }
    let picture = Picture::of(&webp(&transparent), Detail::High).unwrap();
    assert_eq!(sent(&picture.url).1.into_rgba8(), transparent);
}

#[test]
fn a_photo_is_turned_the_right_way_up_and_loses_its_place() {
    let is_red = |pixel: &Rgb<u8>| pixel.0[0] > 200 && pixel.0[2] < 60;
    // What was left in the camera; where it is after turning; in which shape.
    let cases = [(1, (2, 20), (60, 40)), (3, (57, 20), (60, 40)), (6, (20, 2), (40, 60)), (8, (20, 57), (40, 60))];
    for (orientation, (x, y), size) in cases {
        let bytes = photo(orientation);
        assert!(bytes.windows(4).any(|window| window == b"GPS "));
        let picture = Picture::of(&bytes, Detail::High).unwrap();
        assert_eq!((picture.width, picture.height), size);
        let (kind, image) = sent(&picture.url);
        assert_eq!(kind, "jpeg");
        assert!(is_red(image.into_rgb8().get_pixel(x, y)), "orientation {orientation}");
        let encoded = picture.url.split_once("base64,").unwrap().1;
        let bytes = STANDARD.decode(encoded).unwrap();
        assert!(!bytes.windows(4).any(|window| window == b"GPS " || window == b"Exif"), "orientation {orientation}");
    }
}

#[test]
fn what_is_too_large_is_scaled_down_to_what_the_detail_allows() {
    let bytes = png(3000, 100);
    let picture = Picture::of(&bytes, Detail::High).unwrap();
    assert_eq!((picture.width, picture.height), (2048, 68));
    assert_eq!(picture.in_words(), "2048x68, scaled down from 3000x100");
    let (_, image) = sent(&picture.url);
    assert_eq!((image.width(), image.height()), (2048, 68));
    let image = image.into_rgb8();
    assert_eq!((image.get_pixel(100, 30).0, image.get_pixel(1900, 30).0), ([250, 0, 0], [0, 0, 250]));
    let picture = Picture::of(&bytes, Detail::Original).unwrap();
    assert_eq!((picture.width, picture.scaled_from), (3000, None));
    let Content::InputImage { detail, .. } = picture.content() else { unreachable!() };
    assert_eq!(detail.as_deref(), Some("original"));
}

#[test]
fn a_long_step_down_is_made_in_two() {
    let picture = Picture::of(&png(5000, 40), Detail::High).unwrap();
    let image = sent(&picture.url).1.into_rgb8();
    assert_eq!(image.dimensions(), (2048, 16));
    assert_eq!((image.get_pixel(100, 8).0, image.get_pixel(1900, 8).0), ([250, 0, 0], [0, 0, 250]));
}

#[test]
fn of_an_animation_the_first_frame_is_taken_and_that_is_said() {
    let picture = Picture::of(&gif(3), Detail::High).unwrap();
    assert_eq!(picture.in_words(), "20x10, the first frame of an animation");
    let mut cut = gif(3);
    cut.truncate(cut.len() - 20);
    assert!(Picture::of(&cut, Detail::High).is_ok(), "its first frame is whole");
}

#[test]
fn a_noisy_image_is_sent_as_a_jpeg_and_what_is_transparent_lies_on_white() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let image = RgbaImage::from_fn(1100, 1100, |x, _| Rgba([noise(), noise(), noise(), if x < 500 { 0 } else { 255 }]));
    let picture = Picture::of(&written(&image.into(), ImageFormat::Png), Detail::High).unwrap();
    let (kind, image) = sent(&picture.url);
    assert_eq!(kind, "jpeg");
    assert!(image.into_rgb8().get_pixel(100, 100).0.iter().all(|colour| *colour > 250));
}

#[test]
fn what_is_no_image_is_named() {
    assert_eq!(refused(b"\x7fELF"), NoImage::OtherThing);
    assert_eq!(refused(b""), NoImage::OtherThing);
    assert_eq!(refused(b"<svg/>"), NoImage::OtherThing);
    assert_eq!(refused(b"\0\0\0\x1cftypheic\0\0\0\0").to_string(), "is a HEIC: PNG, JPEG, WebP and GIF are taken");
    let mut cut = png(20, 10);
    cut.truncate(50);
    for damaged in [cut, b"\x89PNG\r\n\x1a\n".to_vec(), b"\xff\xd8\xff\xe0".to_vec(), b"GIF89a".to_vec()] {
        assert!(matches!(refused(&damaged), NoImage::Damaged(_)), "{:?}", refused(&damaged));
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_decoded() {
    let is_too_large = |bytes: &[u8]| matches!(refused(bytes), NoImage::TooManyPixels { .. } | NoImage::TooMuchMemory);
    for bomb in [bomb(60_000, 60_000, 8, 2), bomb(u32::MAX / 2, 1000, 1, 0), bomb(50_400_001, 1, 1, 0)] {
        assert!(bomb.len() < 100);
        assert!(is_too_large(&bomb), "{:?}", refused(&bomb));
    }
    let said = refused(&bomb(60_000, 60_000, 8, 2)).to_string();
    assert_eq!(said, "has 60000x60000 pixels, which is too large: 50 million are taken");
    // Few enough pixels, but eight bytes each.
    assert_eq!(refused(&bomb(7000, 7000, 16, 6)), NoImage::TooMuchMemory);
    let mut gif = gif(1);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(is_too_large(&gif), "{:?}", refused(&gif));
}

#[test]
fn a_file_that_is_too_long_or_no_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let said = |name: &str| Picture::read(&path(name), Detail::High).unwrap_err().to_string();
    let long = std::fs::File::create(path("long.png")).unwrap();
    long.set_len(100 * 1024 * 1024).unwrap();
    assert_eq!(said("long.png"), "is longer than 20 MiB, which is too long for an image");
    assert_eq!(said("none.png"), "does not exist");
    assert_eq!(said("."), "is a directory, not a file");
    std::fs::write(path("a.txt"), png(20, 10)).unwrap();
    assert_eq!(Picture::read(&path("a.txt"), Detail::High).unwrap().in_words(), "20x10");
}

/// Decoders see every cut and every changed byte of each kind; none may end the program.
#[test]
fn what_is_damaged_anywhere_is_an_image_or_an_error() {
    let opaque = DynamicImage::from(halves(20, 10));
    for whole in [png(20, 10), written(&opaque, ImageFormat::Jpeg), webp(&opaque.to_rgba8()), gif(2), photo(6)] {
        for at in 0..whole.len() {
            let _ = Picture::of(&whole[..at], Detail::High);
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            let _ = Picture::of(&changed, Detail::High);
        }
    }
}

//! The two facts that we read out of a certificate ourselves: its public key and its end.
//!
//! ```text
//! Certificate  SEQUENCE { tbsCertificate SEQUENCE {
//!                [0] version (optional), INTEGER serial, SEQUENCE algorithm, SEQUENCE issuer,
//!                SEQUENCE validity { notBefore, notAfter }, SEQUENCE subject, SEQUENCE subjectPublicKeyInfo, … }, … }
//! ```
//!
//! RFC 5280 section 4.1. Nothing is decided by them: rustls checks the key against the leaf.

use time::macros::format_description;
use time::{Date, PrimitiveDateTime, Time};

use crate::clock::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

pub(super) struct Facts<'a> {
    /// The whole DER of `SubjectPublicKeyInfo`, its header included: what pins are made of.
    pub(super) public_key_info: &'a [u8],
    pub(super) ends_at: Timestamp,
}

/// Reads a certificate's DER; `None` when it is none.
pub(super) fn facts(certificate: &[u8]) -> Option<Facts<'_>> {
    let (outer, _) = element(certificate)?;
    let (fields, _) = element(outer.within(SEQUENCE)?)?;
    let mut rest = fields.within(SEQUENCE)?;
    let mut next = || {
        let (found, after) = element(rest)?;
        rest = after;
        Some(found)
    };
    if next()?.tag == VERSION {
        next()?;
    }
    let (_algorithm, _issuer) = (next()?, next()?);
    let validity = next()?.within(SEQUENCE)?;
    let (_subject, public_key_info) = (next()?, next()?);
    let (_begins, after) = element(validity)?;
    let (ends, _) = element(after)?;
    public_key_info.within(SEQUENCE)?;
    Some(Facts { public_key_info: public_key_info.whole, ends_at: moment(&ends)? })
}

/// One element of DER.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Element<'a> {
    fn within(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.content)
    }
}

/// The first element and what follows it.
fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&[tag, first], body) = bytes.split_first_chunk()?;
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        // Two length bytes reach 64 KiB; certificates are smaller.
        0x81 => (usize::from(*body.first()?), 3),
        0x82 => (usize::from(u16::from_be_bytes(*body.first_chunk()?)), 4),
        _ => return None,
    };
    let end = header + length;
    let whole = bytes.get(..end)?;
    Some((Element { tag, content: &whole[header..], whole }, &bytes[end..]))
}

fn moment(element: &Element<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(element.content).ok()?.strip_suffix('Z')?;
    let text = match element.tag {
        // Two digits of a year below 50 are in this century (RFC 5280 section 4.1.2.5.1).
        UTC_TIME => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let date = Date::parse(text.get(..8)?, format_description!("[year][month][day]")).ok()?;
    let time = Time::parse(text.get(8..)?, format_description!("[hour][minute][second]")).ok()?;
    Some(Timestamp::from_unix(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time_are_read() {
        for (tag, text, unix) in [
            (UTC_TIME, "700101000000Z", 0),
            (UTC_TIME, "491231235959Z", 2_524_607_999),
            (GENERALIZED_TIME, "20500101000000Z", 2_524_608_000),
        ] {
            let element = Element { tag, content: text.as_bytes(), whole: &[] };
            assert_eq!(moment(&element), Some(Timestamp::from_unix(unix)), "{text}");
        }
        for text in ["", "Z", "491231235959", "4912312359Z", "499931235959Z"] {
            assert_eq!(moment(&Element { tag: UTC_TIME, content: text.as_bytes(), whole: &[] }), None, "{text}");
        }
    }

    #[test]
    fn garbage_is_no_certificate() {
        for bytes in [&b""[..], b"\x30", b"\x30\x03\x30\x01", b"\x30\x84\x00\x00\x00\x01\x00", &[0x30; 64]] {
            assert!(facts(bytes).is_none());
        }
    }
}

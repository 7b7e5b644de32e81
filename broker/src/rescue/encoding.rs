//! The bytes inside a slot's seal.
//!
//! ```text
//!   1      2 + n         8        8            16           2        1 + 8 + 4      1 + 8      8           4 + n
//! +---+------------+-------+------------+-------------+--------+-------------+------+-------------+--------+
//! | 1 | credential | epoch | generation | fingerprint | status | retry after | date | received at |  body  |
//! +---+------------+-------+------------+-------------+--------+-------------+------+-------------+--------+
//! ```
//!
//! Numbers are big-endian; the two optional fields start with 0 or 1; a retry is seconds and nanoseconds. It is binary
//! and not JSON so that a body with tokens is copied once, into memory that is zeroed.

use std::time::Duration;

use zeroize::Zeroizing;

use super::Rescued;
use crate::clock::Timestamp;
use crate::domain::fingerprint::Fingerprint;
use crate::provider::RawAnswer;

const VERSION: u8 = 1;
const FIXED_LENGTH: usize = 1 + 2 + 8 + 8 + Fingerprint::LENGTH + 2 + 13 + 9 + 8 + 4;

/// `None` when a length does not fit its field.
pub(super) fn encode(rescued: &Rescued) -> Option<Zeroizing<Vec<u8>>> {
    let Rescued { credential, epoch, generation, fingerprint, answer } = rescued;
    let mut bytes = Zeroizing::new(Vec::with_capacity(FIXED_LENGTH + credential.len() + answer.body.len()));
    bytes.push(VERSION);
    bytes.extend(u16::try_from(credential.len()).ok()?.to_be_bytes());
    bytes.extend(credential.as_bytes());
    bytes.extend(epoch.to_be_bytes());
    bytes.extend(generation.to_be_bytes());
    bytes.extend(fingerprint.as_bytes());
    bytes.extend(answer.status.to_be_bytes());
    let retry_after = answer.retry_after.unwrap_or_default();
    bytes.push(answer.retry_after.is_some().into());
    bytes.extend(retry_after.as_secs().to_be_bytes());
    bytes.extend(retry_after.subsec_nanos().to_be_bytes());
    bytes.push(answer.date.is_some().into());
    bytes.extend(answer.date.unwrap_or_default().as_unix().to_be_bytes());
    bytes.extend(answer.received_at.as_unix().to_be_bytes());
    bytes.extend(u32::try_from(answer.body.len()).ok()?.to_be_bytes());
    bytes.extend(answer.body.as_slice());
    Some(bytes)
}

/// What [`encode`] made; `None` for anything else.
pub(super) fn decode(bytes: &[u8]) -> Option<Rescued> {
    let mut rest = Rest(bytes);
    let [VERSION] = rest.take()? else { return None };
    let length = u16::from_be_bytes(rest.take()?);
    let credential = String::from_utf8(rest.slice(length.into())?.to_vec()).ok()?;
    let epoch = u64::from_be_bytes(rest.take()?);
    let generation = u64::from_be_bytes(rest.take()?);
    let fingerprint = Fingerprint::from_bytes(rest.take()?);
    let status = u16::from_be_bytes(rest.take()?);
    let has_retry = rest.flag()?;
    let seconds = u64::from_be_bytes(rest.take()?);
    let nanoseconds = u32::from_be_bytes(rest.take()?);
    let has_date = rest.flag()?;
    let date = Timestamp::from_unix(i64::from_be_bytes(rest.take()?));
    let received_at = Timestamp::from_unix(i64::from_be_bytes(rest.take()?));
    let length = u32::from_be_bytes(rest.take()?);
    let body = Zeroizing::new(rest.slice(length.try_into().ok()?)?.to_vec());
    let within_a_second = nanoseconds < 1_000_000_000;
    let answer = RawAnswer {
        status,
        retry_after: (has_retry && within_a_second).then(|| Duration::new(seconds, nanoseconds)),
        date: has_date.then_some(date),
        received_at,
        body,
    };
    rest.0.is_empty().then_some(Rescued { credential, epoch, generation, fingerprint, answer })
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.take()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rescued() -> Rescued {
        Rescued {
            credential: "4k2j".into(),
            epoch: 3,
            generation: 7,
            fingerprint: Fingerprint::from_bytes([9; 16]),
            answer: RawAnswer {
                status: 200,
                retry_after: Some(Duration::from_millis(1500)),
                date: None,
                received_at: Timestamp::from_unix(-1),
                body: Zeroizing::new(b"{}".to_vec()),
            },
        }
    }

    #[test]
    fn an_answer_is_these_bytes() {
        let mut expected = vec![1, 0, 4];
        expected.extend(b"4k2j");
        expected.extend([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7]);
        expected.extend([9; 16]);
        expected.extend([0, 200]);
        expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 1, 0x1d, 0xcd, 0x65, 0]);
        expected.extend([0; 9]);
        expected.extend([0xff; 8]);
        expected.extend([0, 0, 0, 2]);
        expected.extend(b"{}");
        assert_eq!(encode(&rescued()).unwrap().as_slice(), expected);
    }

    #[test]
    fn what_is_cut_off_or_followed_by_something_is_no_answer() {
        let mut bytes = encode(&rescued()).unwrap().to_vec();
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None, "{length}");
        }
        bytes.push(0);
        assert_eq!(decode(&bytes), None);
    }

    proptest! {
        #[test]
        fn every_answer_comes_back_as_it_was(
            credential: String, epoch: u64, generation: u64, fingerprint: [u8; 16],
            status: u16, retry_after: Option<Duration>, date: Option<i64>, received_at: i64, body: Vec<u8>,
        ) {
            let answer = RawAnswer {
                status,
                retry_after,
                date: date.map(Timestamp::from_unix),
                received_at: Timestamp::from_unix(received_at),
                body: Zeroizing::new(body),
            };
            let rescued = Rescued { credential, epoch, generation, fingerprint: Fingerprint::from_bytes(fingerprint), answer };
            prop_assert_eq!(decode(&encode(&rescued).unwrap()), Some(rescued));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}

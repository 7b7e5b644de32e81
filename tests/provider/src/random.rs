//! Invented secrets that are the same for the same seed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SplitMix64: small, fast, and reproducible. Nothing here protects anything real.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `bytes` random bytes (rounded up to eight) as base64url.
    pub(crate) fn text(&mut self, bytes: usize) -> String {
        let raw: Vec<u8> = (0..bytes.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        URL_SAFE_NO_PAD.encode(raw)
    }

    /// A code for people, such as `KQBD-WXHT`.
    pub(crate) fn user_code(&mut self) -> String {
        const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
        let letters: String = (0..8).map(|_| char::from(LETTERS[(self.next() % 20) as usize])).collect();
        format!("{}-{}", &letters[..4], &letters[4..])
    }
}

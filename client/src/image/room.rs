//! How large an image may be that a model looks at. Pure.

/// How closely the model looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// As usual.
    #[default]
    High,
    /// At more pixels, by models that can.
    Original,
}

/// The largest image, in pixels to a side and in patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Pixels, of width and of height.
    pub side: u32,
    /// Squares of 32 x 32 pixels, counting those that are begun.
    pub patches: u32,
}

const PATCH: u32 = 32;

impl Detail {
    /// As the backend calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Original => "original",
        }
    }

    /// Reads the backend's word.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::High, Self::Original].into_iter().find(|detail| detail.name() == name)
    }

    /// What a model looks at in this detail; the stock client's numbers.
    pub fn room(self) -> Room {
        match self {
            Self::High => Room { side: 2048, patches: 2500 },
            Self::Original => Room { side: 6000, patches: 10_000 },
        }
    }
}

impl Room {
    /// The largest size of the same shape that has room: the size itself when it has.
    pub fn fitted(self, width: u32, height: u32) -> (u32, u32) {
        let longest = width.max(height).max(1);
        let scaled = |side: u32, to: u32| {
            let scaled = u64::from(side) * u64::from(to) / u64::from(longest);
            u32::try_from(scaled).expect("no longer than the longest side").max(1)
        };
        let sizes = (1..=longest.min(self.side)).rev().map(|to| (scaled(width, to), scaled(height, to)));
        let mut fitting = sizes.filter(|(width, height)| self.has_room(*width, *height));
        fitting.next().unwrap_or((1, 1))
    }

    fn has_room(self, width: u32, height: u32) -> bool {
        width <= self.side && height <= self.side && width.div_ceil(PATCH) * height.div_ceil(PATCH) <= self.patches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_keeps_its_shape_and_fits_closely() {
        let cases = [
            (Detail::High, (1, 1), (1, 1)),
            (Detail::High, (800, 600), (800, 600)),
            (Detail::High, (1600, 1600), (1600, 1600)),
            (Detail::High, (1601, 1600), (1600, 1599)),
            (Detail::High, (3840, 2160), (2048, 1152)),
            (Detail::High, (4000, 3000), (1835, 1376)),
            (Detail::High, (3000, 4000), (1376, 1835)),
            (Detail::High, (60_000, 2), (2048, 1)),
            (Detail::High, (2049, 1), (2048, 1)),
            (Detail::Original, (3840, 2160), (3840, 2160)),
            (Detail::Original, (8000, 1000), (6000, 750)),
            (Detail::Original, (4000, 3000), (3670, 2752)),
        ];
        for (detail, (width, height), expected) in cases {
            let fitted = detail.room().fitted(width, height);
            assert!(detail.room().has_room(fitted.0, fitted.1));
            assert_eq!(fitted, expected, "{width}x{height} {detail:?}");
        }
    }
}

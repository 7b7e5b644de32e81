//! What a form carries: the request that it answers, with a MAC and an end.
//!
//! A page elsewhere that sends our form would have to show a text that only we make; and what was shown to the person is
//! what is done, because nothing else of the request is read again.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::seal::Sealer;

/// How long a page may stand open.
pub const LIFE: Duration = Duration::from_secs(10 * 60);

/// Longest text that is looked at. The longest that is made: an address and a `state` of control characters, which are six
/// letters each in JSON.
const LONGEST: usize = 8192;

/// The form was not made here, was changed, is another page's, or is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this page has been open for too long, or did not come from here")]
pub struct NotOurs;

/// Writes what a form carries.
pub(super) fn write(sealer: &Sealer, page: &str, content: &impl Serialize, now: Timestamp) -> String {
    let until = (now + LIFE).as_unix();
    let text = serde_json::to_vec(&(page, until, content)).expect("plain data is always JSON");
    let mac = sealer.authenticate("sign-in form", &text);
    format!("{}.{}", URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(mac))
}

/// Reads what [`write`] wrote for the same page.
pub(super) fn read<T: DeserializeOwned>(sealer: &Sealer, page: &str, text: &str, now: Timestamp) -> Result<T, NotOurs> {
    let (text, mac) =
        Some(text).filter(|text| text.len() <= LONGEST).and_then(|text| text.split_once('.')).ok_or(NotOurs)?;
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| NotOurs);
    let (text, mac) = (decoded(text)?, decoded(mac)?);
    if !sealer.verify("sign-in form", &text, &mac) {
        return Err(NotOurs);
    }
    let (of_page, until, content): (String, i64, T) = serde_json::from_slice(&text).map_err(|_| NotOurs)?;
    (of_page == page && now.as_unix() < until).then_some(content).ok_or(NotOurs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    #[test]
    fn a_form_is_read_for_ten_minutes_by_its_own_page_and_unchanged() {
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let text = write(&sealer, "authorize", &"s1".to_owned(), NOW);
        let read = |page, text: &str, after| read::<String>(&sealer, page, text, NOW + Duration::from_secs(after));
        assert_eq!(read("authorize", &text, 599).as_deref(), Ok("s1"));
        assert_eq!(read("authorize", &text, 600), Err(NotOurs));
        assert_eq!(read("device", &text, 1), Err(NotOurs));
        let changed = text.replacen('s', "t", 1).replacen('W', "X", 1);
        let cut = &text[..text.len() - 2];
        for other in [changed.as_str(), cut, "", ".", &format!("{text}.{text}"), &"a".repeat(LONGEST + 1)] {
            assert_eq!(read("authorize", other, 1), Err(NotOurs), "{other}");
        }
        let elsewhere = Sealer::new(&MasterKey::from_bytes([8; 32]));
        assert_eq!(super::read::<String>(&elsewhere, "authorize", &text, NOW), Err(NotOurs));
    }
}

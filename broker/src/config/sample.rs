//! Secrets that stand in our documentation: whoever uses one for real has none.

/// Every secret that the README, the sample configuration or a help text shows.
const SAMPLES: &[&str] = &[
    // The proxy of deploy/scorpiox-broker.toml.
    "http://user:password@proxy.example:3128",
    "correct horse battery staple",
    "change-me",
    "changeme",
    "replace-this-passphrase",
];

/// A secret that was copied from the documentation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} holds the sample from the documentation, which everybody knows: make a secret of your own")]
pub struct SampleSecret {
    place: String,
}

/// Refuses a secret that is one of the documented samples. `place` names where it was found, for a person.
///
/// Space around it does not count, nor does a sample repeated or padded with zero bytes: 32 zero bytes are no key.
pub fn refuse_sample(place: &str, secret: &[u8]) -> Result<(), SampleSecret> {
    let trimmed = secret.trim_ascii();
    let constant = trimmed.windows(2).all(|pair| pair[0] == pair[1]);
    if constant || SAMPLES.iter().any(|sample| trimmed.eq_ignore_ascii_case(sample.as_bytes())) {
        return Err(SampleSecret { place: place.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_refused_and_a_real_secret_is_not() {
        for sample in SAMPLES {
            assert!(refuse_sample("passphrase_file", format!("  {sample}\n").as_bytes()).is_err(), "{sample}");
        }
        assert!(refuse_sample("master_key_file", &[0; 32]).is_err());
        assert!(refuse_sample("passphrase_file", b"\n").is_err());
        assert_eq!(refuse_sample("passphrase_file", b"mL8-gone-fishing-in-a-teapot"), Ok(()));
    }
}

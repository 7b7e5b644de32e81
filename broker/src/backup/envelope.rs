//! Who can open a backup: whoever has the passphrase, or whoever has the identity of a recipient.

use std::io::{Read, Write};
use std::str::FromStr as _;

use age::secrecy::SecretString;
use age::{Decryptor, Encryptor, IdentityFile, Recipient, scrypt, x25519};
use scorpiox_wire::Secret;

use super::BackupError;

/// scrypt with N = 2^18: 256 MiB and about a second, what the age tool uses.
const WORK: u8 = 18;
/// A file that asks for more than 2^22 is refused.
const MOST_WORK: u8 = 22;

/// What a backup is closed with.
#[derive(Clone)]
pub enum Lock {
    /// A passphrase: whoever has it opens the backup.
    Passphrase(Secret),
    /// Public keys, `age1…`: the broker's machine cannot open what it made.
    Recipients(Vec<x25519::Recipient>),
}

impl Lock {
    /// Reads `age1…` texts; the first that is none is the error.
    pub fn to(recipients: &[String]) -> Result<Self, BackupError> {
        let read = recipients.iter().map(|text| x25519::Recipient::from_str(text.trim()));
        match read.collect::<Result<Vec<_>, _>>() {
            Ok(recipients) if !recipients.is_empty() => Ok(Self::Recipients(recipients)),
            Ok(_) => Err(BackupError::Closed("a backup needs a passphrase or a recipient")),
            Err(_) => Err(BackupError::Closed("a recipient is an age public key: age1 and 58 letters and digits")),
        }
    }

    /// Closes what `write` writes, onto `out`.
    pub fn close<W: Write, T>(
        &self,
        out: W,
        write: impl FnOnce(&mut dyn Write) -> Result<T, BackupError>,
    ) -> Result<(W, T), BackupError> {
        self.close_with(WORK, out, write)
    }

    fn close_with<W: Write, T>(
        &self,
        work: u8,
        out: W,
        write: impl FnOnce(&mut dyn Write) -> Result<T, BackupError>,
    ) -> Result<(W, T), BackupError> {
        let mut phrase;
        let recipients: Vec<&dyn Recipient> = match self {
            Self::Passphrase(passphrase) => {
                phrase = scrypt::Recipient::new(SecretString::from(passphrase.expose().to_owned()));
                phrase.set_work_factor(work);
                vec![&phrase]
            }
            Self::Recipients(recipients) => recipients.iter().map(|recipient| recipient as &dyn Recipient).collect(),
        };
        let encryptor = Encryptor::with_recipients(recipients.into_iter())
            .map_err(|_| BackupError::Closed("these recipients cannot open one backup together"))?;
        let mut closed = encryptor.wrap_output(out)?;
        let told = write(&mut closed)?;
        Ok((closed.finish()?, told))
    }
}

/// What a backup is opened with.
pub enum Opener {
    /// The passphrase.
    Passphrase(Secret),
    /// The text of an age identity file, `AGE-SECRET-KEY-1…`.
    Identities(Secret),
}

impl Opener {
    /// What stands inside; reading it fails where it was changed or cut off.
    pub fn open<R: Read>(&self, sealed: R) -> Result<impl Read + use<R>, BackupError> {
        let identities: Vec<Box<dyn age::Identity>> = match self {
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose().to_owned()));
                identity.set_max_work_factor(MOST_WORK);
                vec![Box::new(identity)]
            }
            Self::Identities(text) => {
                const NONE: BackupError =
                    BackupError::Closed("the identity file holds no age identity (AGE-SECRET-KEY-1...)");
                let file = IdentityFile::from_buffer(text.expose().as_bytes()).map_err(|_| NONE)?;
                file.into_identities().map_err(|_| NONE)?
            }
        };
        let decryptor =
            Decryptor::new(sealed).map_err(|error| not_opened(&error, "this is no backup: it is no age file"))?;
        let wrong = match (self, decryptor.is_scrypt()) {
            (Self::Passphrase(_), true) => "the passphrase does not open this backup",
            (Self::Passphrase(_), false) => "this backup is closed to recipients: open it with --identity-file",
            (Self::Identities(_), true) => "this backup is closed with a passphrase: open it with --passphrase-file",
            (Self::Identities(_), false) => "none of these identities opens this backup",
        };
        let opened = decryptor.decrypt(identities.iter().map(AsRef::as_ref));
        opened.map_err(|error| not_opened(&error, wrong))
    }
}

fn not_opened(error: &age::DecryptError, otherwise: &'static str) -> BackupError {
    match error {
        age::DecryptError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            std::io::Error::new(error.kind(), error.to_string()).into()
        }
        age::DecryptError::ExcessiveWork { .. } => {
            BackupError::Closed("this backup asks for more work than any that a broker makes")
        }
        _ => BackupError::Closed(otherwise),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str) -> Secret {
        Secret::new(text)
    }

    fn closed(lock: &Lock, content: &[u8]) -> Vec<u8> {
        lock.close_with(4, Vec::new(), |out| Ok(out.write_all(content)?)).unwrap().0
    }

    fn opened(opener: &Opener, sealed: &[u8]) -> Result<Vec<u8>, BackupError> {
        let mut content = Vec::new();
        opener.open(sealed)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn identity() -> (Opener, String) {
        use age::secrecy::ExposeSecret as _;
        let identity = x25519::Identity::generate();
        let public = identity.to_public().to_string();
        (Opener::Identities(Secret::new(identity.to_string().expose_secret())), public)
    }

    #[test]
    fn a_passphrase_opens_what_it_closed_and_another_does_not() {
        let sealed = closed(&Lock::Passphrase(phrase("gone fishing 7")), b"content");
        assert_eq!(opened(&Opener::Passphrase(phrase("gone fishing 7")), &sealed).unwrap(), b"content");
        let wrong = opened(&Opener::Passphrase(phrase("gone fishing 8")), &sealed).unwrap_err();
        assert!(wrong.to_string().contains("passphrase does not open"), "{wrong}");
        let other_way = opened(&identity().0, &sealed).unwrap_err();
        assert!(other_way.to_string().contains("--passphrase-file"), "{other_way}");
    }

    #[test]
    fn each_recipient_opens_it_alone_and_nobody_else_does() {
        let ((anna, to_anna), (ben, to_ben), (carl, _)) = (identity(), identity(), identity());
        let sealed = closed(&Lock::to(&[to_anna, to_ben]).unwrap(), b"content");
        for somebody in [&anna, &ben] {
            assert_eq!(opened(somebody, &sealed).unwrap(), b"content");
        }
        assert!(opened(&carl, &sealed).unwrap_err().to_string().contains("none of these identities"));
        let other_way = opened(&Opener::Passphrase(phrase("gone fishing 7")), &sealed).unwrap_err();
        assert!(other_way.to_string().contains("--identity-file"), "{other_way}");
    }

    #[test]
    fn what_was_changed_or_cut_off_does_not_open() {
        let (anna, to_anna) = identity();
        let sealed = closed(&Lock::to(&[to_anna]).unwrap(), &[7; 200_000]);
        for length in [0, 10, 100, 300, 70_000, sealed.len() - 1] {
            assert!(opened(&anna, &sealed[..length]).is_err(), "{length}");
        }
        for at in [0, 30, 120, 190, 1000, 150_000, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(opened(&anna, &changed).is_err(), "{at}");
        }
    }

    #[test]
    fn a_text_that_is_no_recipient_is_refused() {
        for text in ["", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQQ"] {
            assert!(Lock::to(&[text.to_owned()]).is_err(), "{text}");
        }
        assert!(Lock::to(&[]).is_err());
    }
}

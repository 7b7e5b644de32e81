//! A file with a private key: what can be said of it before it is opened.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::public_key::PublicKey;
use crate::bounded_file::{self, Symlinks, Unread};
use crate::settings::ssh::secret_file;
use crate::talk::Talk;

const LONGEST_FILE: u64 = 64 * 1024;
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A private key as it lies on the disk.
#[derive(Debug)]
pub struct KeyFile {
    /// Where.
    pub path: PathBuf,
    /// All of it.
    pub text: Secret,
    /// Whether it needs a passphrase.
    pub lock: Lock,
    /// Its public half, when the file says it in the clear (OpenSSH's own format does).
    pub public: Option<PublicKey>,
}

/// Whether a private key needs a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It does not.
    Open,
    /// It does.
    Passphrase,
}

impl KeyFile {
    /// `None` when there is no such file. The error says what is wrong with it.
    pub fn read(path: &Path, talk: &mut Talk) -> Result<Option<Self>, String> {
        let content = match bounded_file::read(path, LONGEST_FILE, Symlinks::Follow) {
            Err(Unread::Missing) => return Ok(None),
            read => read.map_err(|error| format!("{} {error}", path.display()))?,
        };
        secret_file::check_private(path, &content, talk)?;
        let text = std::str::from_utf8(&content.bytes).map_err(|_| format!("{} is no private key", path.display()))?;
        let (lock, public) = describe(text);
        Ok(Some(Self { path: path.to_owned(), text: Secret::new(text), lock, public }))
    }
}

fn describe(text: &str) -> (Lock, Option<PublicKey>) {
    if let Some((lock, public)) = openssh_header(text) {
        return (lock, public);
    }
    // PEM: `Proc-Type: 4,ENCRYPTED` or `BEGIN ENCRYPTED PRIVATE KEY`.
    (if text.contains("ENCRYPTED") { Lock::Passphrase } else { Lock::Open }, None)
}

/// ```text
/// "openssh-key-v1\0" | string cipher | string kdf | string kdf options | u32 keys | string public key | ...
/// ```
/// OpenSSH, `PROTOCOL.key`.
fn openssh_header(text: &str) -> Option<(Lock, Option<PublicKey>)> {
    let body = text.trim().strip_prefix(BEGIN)?.split_once(END)?.0;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let bytes = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    let (cipher, rest) = string(bytes.strip_prefix(MAGIC)?)?;
    let (_kdf, rest) = string(rest)?;
    let (_options, rest) = string(rest)?;
    let (_count, rest) = rest.split_first_chunk::<4>()?;
    let (public, _) = string(rest)?;
    let lock = if cipher == b"none" { Lock::Open } else { Lock::Passphrase };
    Some((lock, PublicKey::from_wire(public)))
}

fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The beginning of a key in OpenSSH's format, as far as it is in the clear.
    pub(crate) fn openssh_key(cipher: &str, public: &[u8]) -> String {
        let mut bytes = MAGIC.to_vec();
        for string in [cipher.as_bytes(), b"bcrypt", b"salt"] {
            bytes.extend_from_slice(&u32::try_from(string.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(string);
        }
        bytes.extend_from_slice(&1_u32.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(public.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(public);
        let body = STANDARD.encode(bytes);
        let (first, second) = body.split_at(body.len() / 2);
        format!("{BEGIN}\n{first}\n{second}\n{END}\n")
    }

    #[test]
    fn a_key_says_whether_it_is_locked_and_which_one_it_is() {
        let public = b"\0\0\0\x02k1x";
        let key = PublicKey::from_wire(public);
        assert!(key.is_some());
        assert_eq!(describe(&openssh_key("aes256-ctr", public)), (Lock::Passphrase, key.clone()));
        assert_eq!(describe(&openssh_key("none", public)), (Lock::Open, key));
        let pem = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n";
        assert_eq!(describe(pem), (Lock::Passphrase, None));
        assert_eq!(describe("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), (Lock::Passphrase, None));
        assert_eq!(describe("-----BEGIN RSA PRIVATE KEY-----\n"), (Lock::Open, None));
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(KeyFile::read(&path, &mut Talk::default()).unwrap_err().contains("chmod 600"));
        assert!(KeyFile::read(&dir.path().join("gone"), &mut Talk::default()).unwrap().is_none());
    }

    #[test]
    fn what_only_looks_like_a_key_is_open_and_nobodys() {
        let cut = openssh_key("none", b"\0\0\0\x02k1x").replace("AAAA", "");
        for text in ["", BEGIN, "x", &cut, &format!("{BEGIN}\nAAAA\n{END}")] {
            assert_eq!(describe(text), (Lock::Open, None), "{text}");
        }
    }
}

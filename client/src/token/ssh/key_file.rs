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
mod tests {
    use std::process::Command;

    use super::*;

    /// A key made by the real tool; its name tells the passphrase.
    fn made(kind: &str, passphrase: &str, more: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", kind, "-N", passphrase, "-f"]).arg(&path).args(more);
        assert!(command.status().unwrap().success());
        (dir, path)
    }

    #[test]
    fn a_key_says_whether_it_is_locked_and_which_one_it_is() {
        let (_dir, path) = made("ed25519", "secret", &[]);
        let key = KeyFile::read(&path, &mut Talk::default()).unwrap().unwrap();
        assert_eq!(key.lock, Lock::Passphrase);
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        assert_eq!(key.public.unwrap().line("x").split(' ').nth(2), public.split(' ').nth(1));
        let (_dir, path) = made("ed25519", "", &[]);
        assert_eq!(KeyFile::read(&path, &mut Talk::default()).unwrap().unwrap().lock, Lock::Open);
        let (_dir, path) = made("ecdsa", "secret", &["-m", "PEM"]);
        assert_eq!(KeyFile::read(&path, &mut Talk::default()).unwrap().unwrap().lock, Lock::Passphrase);
        let (_dir, path) = made("ecdsa", "", &["-m", "PEM"]);
        assert_eq!(KeyFile::read(&path, &mut Talk::default()).unwrap().unwrap().lock, Lock::Open);
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let (_dir, path) = made("ed25519", "", &[]);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(KeyFile::read(&path, &mut Talk::default()).unwrap_err().contains("chmod 600"));
        assert!(KeyFile::read(Path::new("/nowhere/key"), &mut Talk::default()).unwrap().is_none());
    }

    #[test]
    fn what_only_looks_like_a_key_is_open_and_nobodys() {
        for text in ["", BEGIN, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "x"] {
            assert_eq!(describe(text), (Lock::Open, None), "{text}");
        }
    }
}

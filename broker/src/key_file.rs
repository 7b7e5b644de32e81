//! The file that holds a 32-byte key: a few lines of text, readable by its owner only.
//!
//! ```text
//! scorpiox-master-key 1                          what it is, version of the format
//! id 3d9688cf68cb76bc                            the key's public name, and a check of what follows
//! key 64 hexadecimal digits
//! ```
//!
//! With a passphrase the last line is replaced by two:
//!
//! ```text
//! argon2id m=65536 t=3 p=1 salt=32 hexadecimal digits        m in KiB
//! wrapped hexadecimal digits                     the key, sealed under what argon2id made of the passphrase
//! ```
//!
//! Empty lines and lines that start with `#` are for people.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::seal::{KeyId, MasterKey, OpenError, Place, Sealer};
use crate::{durable_file, hex};

/// The 32 bytes.
pub type KeyBytes = Zeroizing<[u8; 32]>;

/// More than any key file needs; the rest of a longer one is not read.
const LONGEST: u64 = 4096;
const SALT_LENGTH: usize = 16;
/// What a wrapped file may ask of this machine: 4 GiB, 64 rounds, 16 lanes.
const MOST: Argon = Argon { memory_kib: 4 << 20, rounds: 64, lanes: 16 };

/// What a key file is for. A pepper put where the master key belongs is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`MasterKey`].
    Master,
    /// [`crate::master_key::Pepper`].
    Pepper,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Master => "scorpiox-master-key",
            Self::Pepper => "scorpiox-pepper",
        }
    }
}

/// Why a key file cannot be used. Each text names the file and the next step.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none at this path.
    #[error("{0} does not exist: put the key file back; a new one would not open what the old one sealed")]
    Missing(PathBuf),
    /// There is one already; nothing was changed.
    #[error("{0} exists already and was left as it is")]
    Exists(PathBuf),
    /// Others could read it.
    #[error("{path} can be used by others (mode {mode:04o}): run chmod 600 {path}", path = .path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key is one that stands in documentation or tests, or is no random one.
    #[error("{0} holds a sample key that everybody knows: remove it to have a new one made")]
    Sample(PathBuf),
    /// The file is wrapped and no passphrase was given.
    #[error("{0} is protected by a passphrase and none was given")]
    PassphraseNeeded(PathBuf),
    /// The passphrase does not open it.
    #[error("the passphrase does not open {0}")]
    PassphraseWrong(PathBuf),
    /// It is cut off, damaged, or something else.
    #[error("{path} is not a key file that this version can use: {why}; restore it from a copy", path = .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without repeating its content.
        why: &'static str,
    },
    /// The machine refused.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// What argon2id costs, as the file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Rounds over that memory.
    pub rounds: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Argon {
    /// 64 MiB, 3 rounds, 1 lane: the second choice of RFC 9106 with its lanes made one; about 0.2 s at each start.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, rounds: 3, lanes: 1 }
    }
}

/// Whether the key is one that stands in documentation or tests, or has no randomness in it.
pub fn is_sample(key: &[u8; 32]) -> bool {
    let constant = key.iter().all(|byte| *byte == key[0]);
    let counted = key.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
    // Texts: somebody typed it.
    let typed = key.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    constant || counted || typed
}

/// Writes a new key file, unprotected; [`KeyFileError::Exists`] when there is one already.
pub fn create(path: &Path, kind: Kind, key: &KeyBytes) -> Result<(), KeyFileError> {
    durable_file::create_new(path, plain_text(kind, key).as_bytes()).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => KeyFileError::Io { path: path.to_owned(), source },
    })
}

/// Reads a key file. `passphrase` is not looked at when the file is not wrapped.
pub fn load(path: &Path, kind: Kind, passphrase: Option<&Secret>) -> Result<KeyBytes, KeyFileError> {
    from_text(path, &read(path)?, kind, passphrase)
}

/// Reads the text of a key file that came from `origin`.
pub fn from_text(origin: &Path, text: &str, kind: Kind, passphrase: Option<&Secret>) -> Result<KeyBytes, KeyFileError> {
    let malformed = |why| KeyFileError::Malformed { path: origin.to_owned(), why };
    let file = Parsed::read(text, kind).map_err(malformed)?;
    let key = match file.content {
        Content::Plain(key) => key,
        Content::Wrapped { argon, salt, sealed } => {
            let passphrase = passphrase.ok_or_else(|| KeyFileError::PassphraseNeeded(origin.to_owned()))?;
            let opened = stretch(passphrase, argon, &salt).open(&place(kind), &sealed);
            let opened = opened.map_err(|error| match error {
                OpenError::WrongKey { .. } => KeyFileError::PassphraseWrong(origin.to_owned()),
                OpenError::Damaged | OpenError::Malformed => malformed("the wrapped key is damaged"),
            })?;
            let key = opened.as_slice().try_into().map_err(|_| malformed("the wrapped key has the wrong length"))?;
            Zeroizing::new(key)
        }
    };
    if id(&key) != file.id {
        return Err(malformed("the key does not fit its id"));
    }
    if is_sample(&key) {
        return Err(KeyFileError::Sample(origin.to_owned()));
    }
    Ok(key)
}

/// Puts another key into a file that is there or not, under the passphrase if there is one. A stop in between leaves
/// the old file or the new one.
pub fn put(path: &Path, kind: Kind, key: &KeyBytes, passphrase: Option<(&Secret, Argon)>) -> Result<(), KeyFileError> {
    let text = text(kind, key, passphrase);
    durable_file::replace(path, text.as_bytes()).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })
}

/// The text of a key file.
pub fn text(kind: Kind, key: &KeyBytes, passphrase: Option<(&Secret, Argon)>) -> Zeroizing<String> {
    match passphrase {
        None => plain_text(kind, key),
        Some((passphrase, argon)) => wrapped_text(kind, key, passphrase, argon),
    }
}

/// Rewrites the file with another passphrase, or with none. A stop in between leaves the old file or the new one.
pub fn rewrite(
    path: &Path,
    kind: Kind,
    current: Option<&Secret>,
    next: Option<(&Secret, Argon)>,
) -> Result<(), KeyFileError> {
    put(path, kind, &load(path, kind, current)?, next)
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let io_error = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => KeyFileError::Io { path: path.to_owned(), source },
    };
    let malformed = |why| KeyFileError::Malformed { path: path.to_owned(), why };
    let file = File::open(path).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    if !metadata.is_file() {
        return Err(malformed("it is no regular file"));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::TooOpen { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_end(&mut bytes).map_err(io_error)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

struct Parsed {
    id: KeyId,
    content: Content,
}

enum Content {
    Plain(KeyBytes),
    Wrapped { argon: Argon, salt: [u8; SALT_LENGTH], sealed: Vec<u8> },
}

impl Parsed {
    fn read(text: &str, kind: Kind) -> Result<Self, &'static str> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut field = |name| lines.next().and_then(|line| line.split_once(' ')).filter(|(word, _)| *word == name);
        let (_, version) = field(kind.word()).ok_or("its first line is not the one expected here")?;
        if version != "1" {
            return Err("it was written by a later version");
        }
        let (_, id) = field("id").ok_or("the id line is missing")?;
        let id = id.parse().map_err(|_| "the id is no key id")?;
        let (word, value) = lines.next().and_then(|line| line.split_once(' ')).ok_or("it is cut off")?;
        let content = match word {
            "key" => {
                Content::Plain(Zeroizing::new(hex::decode_exact(value).ok_or("the key is not 64 hexadecimal digits")?))
            }
            "argon2id" => {
                let (argon, salt) = argon_line(value).ok_or("the argon2id line cannot be used")?;
                let sealed = lines.next().and_then(|line| line.strip_prefix("wrapped ")).ok_or("it is cut off")?;
                let sealed = hex::decode(sealed).ok_or("the wrapped key is damaged")?.to_vec();
                Content::Wrapped { argon, salt, sealed }
            }
            _ => return Err("it holds a line that this version does not know"),
        };
        match lines.next() {
            None => Ok(Self { id, content }),
            Some(_) => Err("something follows the key"),
        }
    }
}

fn argon_line(value: &str) -> Option<(Argon, [u8; SALT_LENGTH])> {
    let mut fields = value.split(' ');
    let mut field = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
    let mut number = |name: &str| field(name)?.parse::<u32>().ok();
    let argon = Argon { memory_kib: number("m")?, rounds: number("t")?, lanes: number("p")? };
    let salt = hex::decode_exact(field("salt")?)?;
    let bearable = argon.memory_kib <= MOST.memory_kib && argon.rounds <= MOST.rounds && argon.lanes <= MOST.lanes;
    let usable = argon2::Params::new(argon.memory_kib, argon.rounds, argon.lanes, Some(32)).is_ok();
    (bearable && usable && fields.next().is_none()).then_some((argon, salt))
}

fn plain_text(kind: Kind, key: &KeyBytes) -> Zeroizing<String> {
    let mut text = head(kind, key);
    writeln!(text, "key {}", *hex::encode(key.as_slice())).expect("a string takes every write");
    text
}

fn wrapped_text(kind: Kind, key: &KeyBytes, passphrase: &Secret, argon: Argon) -> Zeroizing<String> {
    let mut salt = [0; SALT_LENGTH];
    rand::fill(&mut salt).expect("the machine has a random source");
    let sealed = stretch(passphrase, argon, &salt).seal(&place(kind), key.as_slice());
    let mut text = head(kind, key);
    let Argon { memory_kib, rounds, lanes } = argon;
    writeln!(text, "argon2id m={memory_kib} t={rounds} p={lanes} salt={}", *hex::encode(&salt))
        .and_then(|()| writeln!(text, "wrapped {}", *hex::encode(&sealed)))
        .expect("a string takes every write");
    text
}

fn head(kind: Kind, key: &KeyBytes) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
    let note = "# Keep a copy in a safe place, apart from copies of the database.";
    writeln!(text, "{} 1\n{note}\nid {}", kind.word(), id(key)).expect("a string takes every write");
    text
}

fn stretch(passphrase: &Secret, argon: Argon, salt: &[u8]) -> Sealer {
    let params = argon2::Params::new(argon.memory_kib, argon.rounds, argon.lanes, Some(32));
    let params = params.expect("checked when the file was read, or our own");
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon
        .hash_password_into(passphrase.expose().as_bytes(), salt, key.as_mut_slice())
        .expect("salt and output have lengths that argon2 takes");
    Sealer::new(&MasterKey::from_bytes(*key))
}

fn place(kind: Kind) -> Place<'static> {
    Place { table: "key-file", row: kind.word(), column: "key", generation: 0 }
}

fn id(key: &KeyBytes) -> KeyId {
    MasterKey::from_bytes(**key).key_id()
}

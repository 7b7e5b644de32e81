//! The data directory: its mode, its lock, its keys, and the identity that ties them together.
//!
//! Nothing is written into a directory whose master key is missing or another one (matrix S3): the file `identity`
//! says which key it needs before the database is touched.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use scorpiox_wire::Secret;

use crate::backup::marker::Restored;
use crate::config::Config;
use crate::durable_file;
use crate::hex;
use crate::key_file::KeyFileError;
use crate::key_ring::{self, KeyRing, KeyRingError};
use crate::key_source::{CREDENTIALS_DIRECTORY, KeySource, KeySourceError};
use crate::master_key::{self, Pepper};
use crate::seal::{KeyId, MasterKey};

/// The directory, locked for as long as this lives.
pub(super) struct Directory {
    /// What was made now, for a person.
    pub(super) created: Vec<(&'static str, PathBuf)>,
    /// Ties database, mark and slots together.
    pub(super) instance: String,
    /// Held until the process ends.
    _lock: File,
}

/// The keys that open what lies in it.
pub(super) struct Keys {
    /// Opens everything that is sealed.
    pub(super) ring: KeyRing,
    /// Where the master key came from.
    pub(super) source: KeySource,
    /// The key that it gave.
    pub(super) given: KeyId,
    /// What wraps the key files.
    pub(super) passphrase: Option<Secret>,
    /// Recognises client keys.
    pub(super) pepper: Pepper,
}

impl Directory {
    /// Opens the directory, and makes what a first start needs. `passphrase` is the one that a descriptor gave.
    pub(super) fn open(config: &Config, passphrase: Option<Secret>) -> anyhow::Result<(Self, Keys)> {
        let data = &config.data;
        let mut created = Vec::new();
        if make_private(data)? {
            created.push(("data directory", data.clone()));
        }
        let lock = lock(data)?;
        // Half a restore is no broker: nothing is added to it.
        Restored::read(data)?;
        let identity_path = data.join("identity");
        let identity = Identity::read(&identity_path)?;
        if identity.is_none() && database(data).exists() {
            bail!(
                "{} has a database but no file 'identity': restore it from where the database came from",
                data.display()
            );
        }
        if identity.is_some() && !database(data).exists() && config.high_water_file().exists() {
            bail!(
                "the database {} is missing: restore it, or move {} away to begin anew",
                database(data).display(),
                data.display()
            );
        }
        let passphrase = match passphrase {
            Some(passphrase) => Some(passphrase),
            None => config.keys.passphrase_file.as_deref().map(crate::secret_line::read).transpose()?,
        };
        let source = KeySource::of(config, std::env::var_os(CREDENTIALS_DIRECTORY))?;
        let given = master_key(&source, identity.as_ref(), passphrase.as_ref(), &mut created)?;
        let ring = key_ring(data, &source, &given, identity.as_ref())?;
        let pepper = pepper(config, identity.as_ref(), passphrase.as_ref(), &mut created)?;
        let identity = match identity {
            Some(identity) => identity,
            None => {
                let (key_id, pepper_id) = (given.key_id(), pepper.id());
                let identity = Identity { instance: new_instance(), key_id, pepper_id };
                identity.write(&identity_path)?;
                identity
            }
        };
        if !database(data).exists() {
            created.push(("database", database(data)));
        }
        if !config.high_water_file().exists() {
            created.push(("high-water mark", config.high_water_file()));
        }
        for directory in [Some(config.rescue_directory()), config.rotation.rescue_second_directory.clone()] {
            let Some(directory) = directory else { continue };
            if make_private(&directory)? {
                created.push(("rescue slots", directory));
            }
        }
        let directory = Self { created, instance: identity.instance, _lock: lock };
        Ok((directory, Keys { ring, given: given.key_id(), source, passphrase, pepper }))
    }
}

/// The database file.
pub(super) fn database(data: &Path) -> PathBuf {
    data.join("broker.db")
}

/// Makes a directory that only this user may enter; true when it was not there. One that others may enter is refused.
pub(super) fn make_private(path: &Path) -> anyhow::Result<bool> {
    match std::fs::metadata(path) {
        Ok(found) => {
            ensure!(found.is_dir(), "{} is not a directory", path.display());
            let ours = rustix::process::geteuid().as_raw();
            ensure!(found.uid() == ours, "{} belongs to another user", path.display());
            let mode = found.permissions().mode() & 0o777;
            ensure!(
                mode & 0o077 == 0,
                "{} may be entered by others (mode {mode:o}): chmod 700 {}",
                path.display(),
                path.display()
            );
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let make = DirBuilder::new().recursive(true).mode(0o700).create(path);
            make.with_context(|| format!("cannot make the directory {}", path.display()))?;
            Ok(true)
        }
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
    }
}

/// One broker per directory (matrix S5).
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another broker is running on {}: two would redeem the same tokens", data.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// The key that the source gives; for a first start from a file, a new one.
fn master_key(
    source: &KeySource,
    identity: Option<&Identity>,
    passphrase: Option<&Secret>,
    created: &mut Vec<(&'static str, PathBuf)>,
) -> anyhow::Result<MasterKey> {
    match (source.load(passphrase), identity, source) {
        (Ok(key), ..) => Ok(key),
        (Err(KeySourceError::Key(KeyFileError::Missing(_))), None, KeySource::File(path)) => {
            let key = master_key::create(path)?;
            created.push(("master key", path.clone()));
            if let Some(passphrase) = passphrase {
                master_key::wrap(path, None, passphrase, crate::key_file::Argon::default())?;
            }
            Ok(key)
        }
        (Err(KeySourceError::Key(KeyFileError::Missing(path))), Some(identity), _) => bail!(
            "the master key {} is missing: this data needs the key with id {}. Nothing was changed",
            path.display(),
            identity.key_id
        ),
        (Err(error), ..) => Err(error.into()),
    }
}

/// All keys of this data, once the one that was given is known to be right.
fn key_ring(
    data: &Path,
    source: &KeySource,
    given: &MasterKey,
    identity: Option<&Identity>,
) -> anyhow::Result<KeyRing> {
    let other = |needed: KeyId| {
        anyhow::anyhow!(
            "{} holds the key with id {}, but this data needs the key with id {needed}. Nothing was changed",
            source.place(),
            given.key_id()
        )
    };
    let path = data.join(key_ring::NAME);
    let ring = match KeyRing::open(&path, given) {
        Ok(Some(ring)) => ring,
        Ok(None) => KeyRing::alone(given.clone()),
        Err(KeyRingError::OtherKey { needed, .. }) => return Err(other(needed)),
        Err(error) => return Err(error).with_context(|| format!("cannot use {}", path.display())),
    };
    match identity {
        Some(identity) if !ring.knows(identity.key_id) => Err(anyhow::anyhow!(
            "{}; if this data ever had another key, put its file '{}' back from where the directory came from",
            other(identity.key_id),
            key_ring::NAME
        )),
        Some(_) | None => Ok(ring),
    }
}

fn pepper(
    config: &Config,
    identity: Option<&Identity>,
    passphrase: Option<&Secret>,
    created: &mut Vec<(&'static str, PathBuf)>,
) -> anyhow::Result<Pepper> {
    let path = config.pepper_file();
    let needed = identity.map(|identity| &identity.pepper_id);
    match (Pepper::load(&path, passphrase), needed) {
        (Ok(pepper), Some(needed)) if pepper.id() != *needed => bail!(
            "{} holds the pepper with id {}, but this data needs the one with id {needed}. Nothing was changed",
            path.display(),
            pepper.id()
        ),
        (Ok(pepper), _) => Ok(pepper),
        (Err(KeyFileError::Missing { .. }), None) => {
            let pepper = Pepper::create(&path)?;
            created.push(("pepper", path));
            Ok(pepper)
        }
        (Err(KeyFileError::Missing { .. }), Some(needed)) => bail!(
            "the pepper {} is missing: without the one with id {needed} no client's key is recognised. Nothing was changed",
            path.display()
        ),
        (Err(error), _) => Err(error.into()),
    }
}

/// What ties the files of one broker together. Not secret.
struct Identity {
    instance: String,
    key_id: KeyId,
    pepper_id: String,
}

impl Identity {
    fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let mut words = text.split_whitespace();
        let parsed = (|| {
            let (version, instance) = (words.next()?, words.next()?);
            let (key_id, pepper_id) = (words.next()?.parse().ok()?, words.next()?.to_owned());
            (version == "scorpiox-broker-1").then_some(())?;
            Some(Self { instance: instance.to_owned(), key_id, pepper_id })
        })();
        parsed.map(Some).with_context(|| format!("{} is damaged: restore it from a copy", path.display()))
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = format!("scorpiox-broker-1 {} {} {}\n", self.instance, self.key_id, self.pepper_id);
        durable_file::create_new(path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }
}

fn new_instance() -> String {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine has a random source");
    hex::encode(&bytes).to_string()
}

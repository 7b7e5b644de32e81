//! A directory as it is at one moment: every file, its mode, and a digest of every byte.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

/// What lies in a directory, by path below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(pub BTreeMap<PathBuf, Found>);

/// One file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Permission bits.
    pub mode: u32,
    /// SHA-256 of a file; `None` for a directory or socket.
    pub digest: Option<Vec<u8>>,
}

impl Snapshot {
    /// Looks at everything below this directory, and at itself under the empty path.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn of(directory: &Path) -> Self {
        let mut all = BTreeMap::new();
        visit(directory, &mut |path, metadata| {
            let is_file = metadata.is_file() && !metadata.file_type().is_socket();
            let digest = is_file.then(|| {
                let bytes = std::fs::read(path).expect("a file that is there");
                digest::digest(&digest::SHA256, &bytes).as_ref().to_vec()
            });
            let below = path.strip_prefix(directory).expect("found below it").to_owned();
            all.insert(below, Found { mode: metadata.permissions().mode() & 0o7777, digest });
        });
        Self(all)
    }

    /// The names below the directory.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().filter(|path| !path.as_os_str().is_empty()).map(|path| path.display().to_string()).collect()
    }
}

/// Every file below a directory, with its bytes.
///
/// # Panics
/// When it cannot be read.
pub fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    visit(directory, &mut |path, metadata| {
        if metadata.is_file() {
            all.push((path.to_owned(), std::fs::read(path).expect("a file that is there")));
        }
    });
    all
}

/// Copies the files of a directory, not what lies below its directories.
///
/// # Panics
/// When that fails.
pub fn copy_files(from: &Path, to: &Path, wanted: impl Fn(&str) -> bool) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.metadata().expect("metadata").is_file() && wanted(&name) {
            std::fs::copy(entry.path(), to.join(name)).expect("a copy");
        }
    }
}

fn visit(path: &Path, see: &mut impl FnMut(&Path, &std::fs::Metadata)) {
    let metadata = std::fs::symlink_metadata(path).expect("what was listed is there");
    see(path, &metadata);
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).expect("a directory") {
            visit(&entry.expect("an entry").path(), see);
        }
    }
}

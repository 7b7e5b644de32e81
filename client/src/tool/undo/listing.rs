//! All files of a project, and what was in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ignore::WalkBuilder;

use super::store::{ContentId, Store};
use crate::clock::Clock;
use crate::tool::patch::directory::Directory;
use crate::tool::patch::path::RelativePath;

/// The most files and directories of a project that is followed.
const MOST_FILES: usize = 20_000;
/// The most bytes of all its files.
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// A file that was changed so shortly before it was looked at may change again without showing it, in milliseconds: a
/// file system's clock ticks every few of them.
const TICK_MS: i64 = 100;

/// Why what scripts change is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Too many files and directories.
    #[error("the project has more than {MOST_FILES} files and directories that git does not ignore")]
    Files,
    /// Too many bytes.
    #[error("the project's files have more than {} MiB", MOST_BYTES / 1024 / 1024)]
    Bytes,
    /// Nothing can be kept.
    #[error("copies of the project's files cannot be kept: {0}")]
    Unkept(String),
}

/// What a file looked like from outside when its content was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a later change would show.
    fn has_settled(&self, now_ms: i64) -> bool {
        let (seconds, nanoseconds) = self.changed;
        seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000).saturating_add(TICK_MS) < now_ms
    }
}

/// A file's content and permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) content: ContentId,
    pub(super) mode: u32,
}

/// What is known of files from earlier looks, so that only what changed is read again.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<RelativePath, (Stamp, Kept)>);

impl Known {
    pub(super) fn contents(&self) -> impl Iterator<Item = ContentId> {
        self.0.values().map(|(_, kept)| kept.content)
    }
}

/// How a project stands at one moment.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: BTreeMap<RelativePath, Kept>,
    /// What is there and not kept (links, long files, files with several names), by what shows when it changes.
    pub(super) others: BTreeMap<String, Stamp>,
    pub(super) directories: BTreeSet<RelativePath>,
}

impl Listing {
    /// Looks at all files below the workspace, and keeps what is not known.
    pub(super) fn take(
        workspace: &Path,
        files: &Directory,
        known: &mut Known,
        store: &Store,
        clock: &dyn Clock,
    ) -> Result<Self, TooLarge> {
        let mut listing = Self::default();
        let (mut bytes, mut entries) = (0, 0);
        for entry in walk(workspace) {
            // What cannot be looked at cannot be taken back either; who may not see it has not changed it.
            let Ok(entry) = entry else { continue };
            let Ok(relative) = entry.path().strip_prefix(workspace) else { continue };
            let (Ok(metadata), false) = (entry.metadata(), relative.as_os_str().is_empty()) else { continue };
            let name = relative.to_string_lossy().into_owned();
            let path = relative.to_str().and_then(|path| RelativePath::parse(path).ok());
            entries += 1;
            if entries > MOST_FILES {
                return Err(TooLarge::Files);
            }
            if metadata.is_dir() {
                listing.directories.extend(path);
                continue;
            }
            bytes += if metadata.is_file() { metadata.size() } else { 0 };
            if bytes > MOST_BYTES {
                return Err(TooLarge::Bytes);
            }
            let stamp = Stamp::of(&metadata);
            match path {
                Some(path) if metadata.is_file() => listing.take_file(path, stamp, files, known, store, clock)?,
                Some(_) | None => {
                    listing.others.insert(name, stamp);
                }
            }
        }
        known.0.retain(|path, _| listing.files.contains_key(path));
        Ok(listing)
    }

    pub(super) fn contents(&self) -> impl Iterator<Item = ContentId> {
        self.files.values().map(|kept| kept.content)
    }

    fn take_file(
        &mut self,
        path: RelativePath,
        stamp: Stamp,
        files: &Directory,
        known: &mut Known,
        store: &Store,
        clock: &dyn Clock,
    ) -> Result<(), TooLarge> {
        if let Some((then, kept)) = known.0.get(&path)
            && *then == stamp
        {
            self.files.insert(path, *kept);
            return Ok(());
        }
        let now = clock.unix_ms();
        let found = match files.find(&path) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(_) => {
                self.others.insert(path.to_string(), stamp);
                return Ok(());
            }
        };
        let content = store.keep(&found.bytes).map_err(|error| TooLarge::Unkept(error.to_string()))?;
        let kept = Kept { content, mode: found.mode.bits() };
        match stamp.has_settled(now) {
            true => known.0.insert(path.clone(), (stamp, kept)),
            false => known.0.remove(&path),
        };
        self.files.insert(path, kept);
        Ok(())
    }
}

/// Everything that git would know of, and what it ignores left out; no link is followed.
fn walk(workspace: &Path) -> ignore::Walk {
    let mut builder = WalkBuilder::new(workspace);
    builder.standard_filters(false).git_ignore(true).git_exclude(true).parents(true).require_git(false);
    builder.follow_links(false).filter_entry(|entry| entry.file_name() != ".git");
    builder.build()
}

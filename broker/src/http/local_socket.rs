//! The administration socket: whoever can open the file administers the broker.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::Gid;

/// Binds the socket at `path`: 0600, or 0660 for `group` (a name or a number).
///
/// It is bound under another name and renamed when its rights are right, so nobody can connect earlier; a socket that a
/// dead process left behind is replaced. Anything else at that path is left alone, and an error.
pub fn bind(path: &Path, group: Option<&str>) -> io::Result<UnixListener> {
    let describe = |error: io::Error| {
        io::Error::new(error.kind(), format!("cannot listen on the administration socket {}: {error}", path.display()))
    };
    if let Ok(existing) = std::fs::symlink_metadata(path)
        && !existing.file_type().is_socket()
    {
        return Err(describe(io::Error::new(io::ErrorKind::AlreadyExists, "something that is no socket is there")));
    }
    bind_beside(path, group).map_err(describe)
}

fn bind_beside(path: &Path, group: Option<&str>) -> io::Result<UnixListener> {
    let beside = beside(path);
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(&beside)?;
    let mode = match group {
        None => 0o600,
        Some(group) => {
            rustix::fs::chown(&beside, None, Some(group_id(group)?))?;
            0o660
        }
    };
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(mode))?;
    std::fs::rename(&beside, path)?;
    Ok(socket)
}

/// Short, because a socket's path is.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn group_id(group: &str) -> io::Result<Gid> {
    if let Ok(number) = group.parse() {
        return Ok(Gid::from_raw(number));
    }
    let text = std::fs::read_to_string("/etc/group")?;
    find_group(&text, group)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no group {group}")))
}

/// A line of `/etc/group` is `name:password:number:members`.
fn find_group(text: &str, group: &str) -> Option<Gid> {
    let line = text.lines().find(|line| line.split(':').next() == Some(group))?;
    line.split(':').nth(2)?.parse().ok().map(Gid::from_raw)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_socket_is_its_owners_alone_and_replaces_a_dead_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        drop(bind(&path, None).unwrap());
        let _socket = bind(&path, None).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn a_group_may_be_let_in() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let own = std::fs::metadata(directory.path()).unwrap().gid();
        let _socket = bind(&path, Some(&own.to_string())).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
        assert!(bind(&path, Some("no-such-group-here")).is_err());
    }

    #[test]
    fn a_file_in_its_place_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        std::fs::write(&path, "notes").unwrap();
        assert!(bind(&path, None).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "notes");
    }

    #[test]
    fn groups_are_found_by_their_whole_name() {
        let text = "root:x:0:\nscorpiox-dev:x:41:\nscorpiox:x:42:a,b\n";
        assert_eq!(find_group(text, "scorpiox"), Some(Gid::from_raw(42)));
        assert_eq!(find_group(text, "scorpio"), None);
    }
}

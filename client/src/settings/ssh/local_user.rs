//! Who we are on this machine: the user there, unless somebody says otherwise.

use std::path::Path;

use crate::bounded_file::{self, Symlinks};
use crate::failure::Failure;
use crate::settings::Surroundings;

const USERS: &str = "/etc/passwd";
const LONGEST_FILE: u64 = 4 * 1024 * 1024;

/// The user's name: of the user id in `/etc/passwd`, else what the session says (a network's user has no line there).
pub fn name(surroundings: &Surroundings<'_>) -> Result<String, Failure> {
    let text = bounded_file::read(Path::new(USERS), LONGEST_FILE, Symlinks::Follow);
    let of_id = text
        .ok()
        .and_then(|content| find(&String::from_utf8_lossy(&content.bytes), rustix::process::geteuid().as_raw()));
    let of_session =
        || ["USER", "LOGNAME"].iter().find_map(|name| (surroundings.environment)(name)?.into_string().ok());
    let unknown = || Failure::configuration("the name of the user is not known").with_hint("set CODEX_SSH_USER");
    of_id.or_else(of_session).filter(|name| !name.is_empty()).ok_or_else(unknown)
}

/// `root:x:0:0:root:/root:/bin/bash`
fn find(users: &str, id: u32) -> Option<String> {
    let mut lines = users.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_user_id_has_the_name() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1000:1::/:\n";
        assert_eq!(find(users, 1000).as_deref(), Some("ann"));
        assert_eq!(find(users, 0).as_deref(), Some("root"));
        assert_eq!(find(users, 7), None);
    }
}

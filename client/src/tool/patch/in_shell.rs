//! A patch that the model gives to its shell: some do so out of habit, and no program of that name exists.

/// A patch in a shell script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InShell<'a> {
    /// Where the script goes first, as it is written there.
    pub directory: Option<&'a str>,
    /// The patch.
    pub patch: &'a str,
}

const PROGRAMS: [&str; 2] = ["apply_patch", "applypatch"];

/// The patch, when the script does nothing else than to apply it:
///
/// ```text
/// cd src && apply_patch <<'EOF'
/// *** Begin Patch
/// …
/// *** End Patch
/// EOF
/// ```
pub fn find(script: &str) -> Option<InShell<'_>> {
    let (first, rest) = script.trim().split_once('\n')?;
    let (directory, command) = match first.trim().strip_prefix("cd ") {
        Some(after) => {
            let (directory, command) = after.split_once("&&")?;
            (Some(plain_word(directory.trim())?), command.trim())
        }
        None => (None, first.trim()),
    };
    let here_document = PROGRAMS.iter().find_map(|program| command.strip_prefix(program))?;
    let word = here_document.trim_start().strip_prefix("<<")?.trim();
    // An unquoted word lets the shell expand the text; a patch is meant to the letter either way.
    let word = unquoted(word)
        .filter(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))?;
    let (patch, last) = rest.trim_end().rsplit_once('\n')?;
    let is_the_only_end = last == word && !patch.lines().any(|line| line == word);
    is_the_only_end.then_some(InShell { directory, patch })
}

/// A word that means itself, without its quotes.
fn plain_word(text: &str) -> Option<&str> {
    let word = unquoted(text)?;
    let means_itself = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | '@' | ':');
    let quoted = word.len() != text.len();
    let plain = word.chars().all(|c| means_itself(c) || (quoted && c == ' '));
    (plain && !word.is_empty() && !word.starts_with('-')).then_some(word)
}

fn unquoted(text: &str) -> Option<&str> {
    for quote in ['\'', '"'] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.strip_suffix(quote);
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "*** Begin Patch\n*** Delete File: f\n*** End Patch";

    #[test]
    fn a_script_that_only_applies_a_patch_is_one() {
        let cases = [
            ("apply_patch <<'EOF'", "EOF", None),
            ("apply_patch <<EOF", "EOF", None),
            ("apply_patch << \"PATCH\"", "PATCH", None),
            ("  applypatch <<'EOF'  ", "EOF", None),
            ("cd src/a && apply_patch <<'EOF'", "EOF", Some("src/a")),
            ("cd 'my project' && apply_patch <<'EOF'", "EOF", Some("my project")),
            ("cd \"a\" &&apply_patch <<'EOF'", "EOF", Some("a")),
        ];
        for (first, last, directory) in cases {
            let script = format!("\n{first}\n{PATCH}\n{last}\n");
            assert_eq!(find(&script), Some(InShell { directory, patch: PATCH }), "{first}");
        }
    }

    #[test]
    fn a_script_that_does_anything_else_is_left_to_the_shell() {
        let scripts = [
            "apply_patch".to_owned(),
            format!("apply_patch '{PATCH}'"),
            format!("apply_patch <<'EOF'\n{PATCH}"),
            format!("apply_patch <<'EOF'\n{PATCH}\nEOF\nrm x"),
            format!("apply_patch <<'EOF'\n{PATCH}\nEOF\nrm x\nEOF"),
            format!("apply_patch <<'EOF' && rm x\n{PATCH}\nEOF"),
            format!("apply_patch <<'EOF\n{PATCH}\nEOF"),
            format!("apply_patch -R <<'EOF'\n{PATCH}\nEOF"),
            format!("apply_patches <<'EOF'\n{PATCH}\nEOF"),
            format!("cd $(rm x) && apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("cd \"$HOME\" && apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("cd - && apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("cd ~ && apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("cd a b && apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("cd a; apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("rm x && apply_patch <<'EOF'\n{PATCH}\nEOF"),
            format!("cat <<'EOF'\n{PATCH}\nEOF"),
        ];
        for script in scripts {
            assert_eq!(find(&script), None, "{script}");
        }
    }
}

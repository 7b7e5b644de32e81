//! What a command says besides its answer: collected on the way, shown on stderr at the end.

/// Remarks in the order in which they came up. None may hold a secret.
#[derive(Debug, Default)]
pub struct Talk {
    remarks: Vec<(Importance, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Importance {
    Warning,
    Detail,
}

impl Talk {
    /// Something that a person should know although there is a token.
    pub fn warn(&mut self, text: impl AsRef<str>) {
        self.remarks.push((Importance::Warning, crate::failure::visible(text.as_ref())));
    }

    /// How the answer came about: shown with `--verbose` only.
    pub fn detail(&mut self, text: impl AsRef<str>) {
        self.remarks.push((Importance::Detail, crate::failure::visible(text.as_ref())));
    }

    /// What to show, line by line.
    pub fn lines(&self, verbose: bool) -> impl Iterator<Item = &str> {
        let shown = move |importance: &Importance| verbose || *importance == Importance::Warning;
        self.remarks.iter().filter(move |(importance, _)| shown(importance)).map(|(_, text)| text.as_str())
    }
}

//! Why a patch was not applied, in words that the model can act on.

/// Why a patch was not applied; nothing was changed, except where [`Rejection::Left`] and
/// [`Rejection::Unknown`] say so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's text is its documentation")]
pub enum Rejection {
    #[error("Invalid patch: {why}")]
    Invalid { why: String },
    #[error("Invalid patch hunk on line {line}: {why}")]
    InvalidHunk { line: usize, why: String },
    #[error("the path '{path}' {why}")]
    Path { path: String, why: &'static str },
    #[error("{path} {why}")]
    File { path: String, why: String },
    #[error("Failed to find context '{context}' in {path}")]
    NoContext { path: String, context: String },
    #[error("Failed to find expected lines in {path}:\n{lines}")]
    NoLines { path: String, lines: String },
    #[error("{path} {why}; these files could not be put back as they were: {left}")]
    Left { path: String, why: String, left: String },
    #[error("the patch was not confirmed: {why}; look at the files before you go on")]
    Unknown { why: String },
}

impl Rejection {
    pub(super) fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid { why: why.into() }
    }

    pub(super) fn file(path: impl ToString, why: impl ToString) -> Self {
        Self::File { path: path.to_string(), why: why.to_string() }
    }
}

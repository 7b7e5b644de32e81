//! The text of a patch, read.
//!
//! ```text
//! *** Begin Patch
//! *** Update File: src/lib.rs
//! @@ fn answer()
//! -    41
//! +    42
//! *** Add File: notes/todo.md
//! +first line
//! *** Delete File: old.txt
//! *** End Patch
//! ```

use super::Rejection;

/// What is to be done with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The file, as the model named it.
    pub path: String,
    /// What is to be done.
    pub action: Action,
}

/// What is to be done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It gets these lines, whatever it was before.
    Add(Vec<String>),
    /// It goes.
    Delete,
    /// It changes, and perhaps gets another name.
    Update {
        /// The new name.
        move_to: Option<String>,
        /// What changes, from the top to the bottom; empty only in a move.
        chunks: Vec<Chunk>,
    },
}

/// Neighbouring lines that change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// A line somewhere above it.
    pub context: Option<String>,
    /// Its lines, in order.
    pub lines: Vec<Line>,
    /// Where it stands.
    pub place: Place,
}

/// Where a chunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// Somewhere behind the one before.
    #[default]
    Anywhere,
    /// At the end of the file.
    End,
}

/// A line of a chunk, without its mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// It is there and stays.
    Keep(String),
    /// It is there and goes.
    Remove(String),
    /// It comes.
    Add(String),
}

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File: ";
const DELETE: &str = "*** Delete File: ";
const UPDATE: &str = "*** Update File: ";
const MOVE: &str = "*** Move to: ";
const END_OF_FILE: &str = "*** End of File";

/// Reads a patch. Space around it is no part of it, nor is a here-document in which it is wrapped.
pub fn parse(text: &str) -> Result<Vec<Section>, Rejection> {
    let lines = without_here_document(split_lines(text.trim()));
    let [first, middle @ .., last] = lines.as_slice() else {
        return Err(Rejection::invalid(format!("it must begin with '{BEGIN}' and end with '{END}'")));
    };
    if first.trim() != BEGIN {
        return Err(Rejection::invalid(format!("the first line must be '{BEGIN}'")));
    }
    if last.trim() != END {
        return Err(Rejection::invalid(format!("the last line must be '{END}'")));
    }
    let mut reader = Reader { lines: middle, at: 0 };
    let mut sections = Vec::new();
    while reader.skip_blank_lines() {
        sections.push(reader.section()?);
    }
    if sections.is_empty() {
        return Err(Rejection::invalid("it changes no file"));
    }
    Ok(sections)
}

/// Where all lines end in CRLF, that is the line end; elsewhere a CR belongs to its line.
fn split_lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.split('\n').collect();
    let (_, all_but_last) = lines.split_last().expect("a split has at least one part");
    if all_but_last.iter().all(|line| line.ends_with('\r')) {
        return lines.iter().map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    }
    lines
}

fn without_here_document(lines: Vec<&str>) -> Vec<&str> {
    if let [first, middle @ .., last] = lines.as_slice()
        && let Some(word) = first.trim().strip_prefix("<<")
        && ["EOF", "'EOF'", "\"EOF\""].contains(&word)
        && last.trim() == "EOF"
    {
        return middle.to_vec();
    }
    lines
}

/// Reads the lines between the first and the last.
struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    /// False at the end.
    fn skip_blank_lines(&mut self) -> bool {
        while self.peek().is_some_and(|line| line.trim().is_empty()) {
            self.at += 1;
        }
        self.peek().is_some()
    }

    /// Blank lines in front of the first `@@` belong to nothing; in front of anything else they are context.
    fn skip_blank_lines_before_a_mark(&mut self) {
        let rest = self.lines.get(self.at..).unwrap_or_default();
        if let Some(blank) = rest.iter().position(|line| !line.trim().is_empty())
            && (rest[blank].starts_with("@@") || is_header(rest[blank]))
        {
            self.at += blank;
        }
    }

    fn rejection(&self, why: impl Into<String>) -> Rejection {
        // The first line of the patch was taken off before.
        Rejection::InvalidHunk { line: self.at + 2, why: why.into() }
    }

    fn section(&mut self) -> Result<Section, Rejection> {
        let header = self.peek().unwrap_or_default().trim();
        let named =
            |mark: &'static str| header.strip_prefix(mark.trim_end()).map(|path| (mark, path.trim().to_owned()));
        let Some((mark, path)) = [ADD, DELETE, UPDATE].into_iter().find_map(named) else {
            return Err(self.rejection(format!(
                "'{header}' is no file header; expected '{ADD}<path>', '{DELETE}<path>' or '{UPDATE}<path>'"
            )));
        };
        if path.is_empty() {
            return Err(self.rejection("the header names no file"));
        }
        self.at += 1;
        let action = match mark {
            ADD => self.add()?,
            DELETE => Action::Delete,
            _ => self.update()?,
        };
        Ok(Section { path, action })
    }

    fn add(&mut self) -> Result<Action, Rejection> {
        let mut lines = Vec::new();
        while let Some(line) = self.peek().and_then(|line| line.strip_prefix('+')) {
            lines.push(line.to_owned());
            self.at += 1;
        }
        match self.peek() {
            Some(line) if !line.trim().is_empty() && !line.starts_with("***") => {
                Err(self.rejection("every line of a new file must begin with '+'"))
            }
            _ => Ok(Action::Add(lines)),
        }
    }

    fn update(&mut self) -> Result<Action, Rejection> {
        let move_to =
            self.peek().and_then(|line| line.trim_end().strip_prefix(MOVE)).map(|path| path.trim().to_owned());
        self.at += usize::from(move_to.is_some());
        self.skip_blank_lines_before_a_mark();
        let mut chunks = Vec::new();
        while self.peek().is_some_and(|line| !is_header(line)) {
            chunks.push(self.chunk(chunks.is_empty())?);
        }
        if chunks.is_empty() && move_to.is_none() {
            return Err(self.rejection("the update changes nothing"));
        }
        Ok(Action::Update { move_to, chunks })
    }

    fn chunk(&mut self, is_first: bool) -> Result<Chunk, Rejection> {
        let mut chunk = Chunk::default();
        let header = self.peek().unwrap_or_default();
        if let Some(context) = header.strip_prefix("@@") {
            chunk.context = context.strip_prefix(' ').filter(|line| !line.is_empty()).map(str::to_owned);
            self.at += 1;
        } else if !is_first {
            return Err(self.rejection("expected '@@', or '@@ ' and a line above the change"));
        }
        while let Some(line) = self.peek().and_then(body_line) {
            chunk.lines.push(line);
            self.at += 1;
        }
        if chunk.lines.is_empty() {
            return Err(self.rejection("a change needs lines that begin with ' ', '-' or '+'"));
        }
        if self.peek().is_some_and(|line| line.trim_end() == END_OF_FILE) {
            chunk.place = Place::End;
            self.at += 1;
            self.skip_blank_lines();
        }
        Ok(chunk)
    }
}

fn is_header(line: &str) -> bool {
    line.starts_with("***") && line.trim_end() != END_OF_FILE
}

fn body_line(line: &str) -> Option<Line> {
    let Some(mark) = line.chars().next() else { return Some(Line::Keep(String::new())) };
    let text = || line[mark.len_utf8()..].to_owned();
    match mark {
        ' ' => Some(Line::Keep(text())),
        '-' => Some(Line::Remove(text())),
        '+' => Some(Line::Add(text())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

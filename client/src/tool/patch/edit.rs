//! The chunks of an update, applied to the text of a file.

use super::locate::locate;
use super::parse::{Chunk, Line, Place};
use super::rejection::Rejection;
use super::text::{End, FileLine, Text};

/// The file after the update. `path` is for the rejection.
pub fn edited(path: &str, mut text: Text, chunks: &[Chunk]) -> Result<Text, Rejection> {
    let mut replacements = Vec::new();
    let mut position = 0;
    for chunk in chunks {
        let replacement = place(path, &text, chunk, position)?;
        position = replacement.next;
        replacements.push(replacement);
    }
    // Lines that only come stand in front of a final empty line, but not inside of what another chunk has met.
    let met_until = replacements.iter().map(|met| met.at + met.old()).max().unwrap_or(0);
    for coming in replacements.iter_mut().filter(|replacement| replacement.old() == 0) {
        coming.at = coming.at.max(met_until);
    }
    // From the bottom to the top, so that places above stay what they were.
    replacements.sort_by_key(|replacement| replacement.at);
    let usual = text.usual_end();
    for replacement in replacements.into_iter().rev() {
        replacement.perform(&mut text.lines, usual);
    }
    Ok(text)
}

/// A chunk that has found its place.
struct Replacement<'a> {
    at: usize,
    lines: Vec<&'a Line>,
    /// Where the next chunk may begin.
    next: usize,
}

fn place<'a>(path: &str, text: &Text, chunk: &'a Chunk, position: usize) -> Result<Replacement<'a>, Rejection> {
    let file = &text.lines;
    let mut from = position;
    if let Some(context) = &chunk.context {
        let found = locate(file, &[context], from..file.len());
        let missing = || Rejection::NoContext { path: path.to_owned(), context: context.clone() };
        from = found.ok_or_else(missing)? + 1;
    }
    let mut lines: Vec<&Line> = chunk.lines.iter().collect();
    if old(&lines).is_empty() {
        let before_an_empty_line = file.last().is_some_and(|line| line.text.is_empty());
        return Ok(Replacement { at: file.len() - usize::from(before_an_empty_line), lines, next: from });
    }
    if let Some(at) = find(file, &old(&lines), chunk.place, from) {
        let next = at + old(&lines).len();
        return Ok(Replacement { at, lines, next });
    }
    if let Some(last) = lines.iter().rposition(|line| old_text(line).is_some())
        && old_text(lines[last]) == Some("")
    {
        lines.remove(last);
        let old = old(&lines);
        if !old.is_empty()
            && let Some(at) = find(file, &old, chunk.place, from)
        {
            return Ok(Replacement { at, next: at + old.len(), lines });
        }
    }
    let expected: Vec<&Line> = chunk.lines.iter().collect();
    Err(Rejection::NoLines { path: path.to_owned(), lines: old(&expected).join("\n") })
}

fn find(file: &[FileLine], old: &[&str], place: Place, from: usize) -> Option<usize> {
    let from = match place {
        Place::Anywhere => from,
        Place::End => from.max(file.len().saturating_sub(old.len())),
    };
    locate(file, old, from..file.len())
}

/// The lines that must be there.
fn old<'a>(lines: &[&'a Line]) -> Vec<&'a str> {
    lines.iter().filter_map(|line| old_text(line)).collect()
}

fn old_text(line: &Line) -> Option<&str> {
    match line {
        Line::Keep(text) | Line::Remove(text) => Some(text),
        Line::Add(_) => None,
    }
}

impl Replacement<'_> {
    /// How many lines of the file it has to do with.
    fn old(&self) -> usize {
        self.lines.iter().filter(|line| old_text(line).is_some()).count()
    }

    fn perform(self, file: &mut Vec<FileLine>, usual: End) {
        let old = self.old();
        // What stays is taken from the file, not from the patch, which may have met it only roughly.
        let there: Vec<FileLine> = file.drain(self.at..self.at + old).collect();
        let mut there = there.into_iter();
        let mut lines = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            match line {
                Line::Keep(_) => lines.extend(there.next()),
                Line::Remove(_) => drop(there.next()),
                Line::Add(text) => lines.push(added(text, usual)),
            }
        }
        file.splice(self.at..self.at, lines);
    }
}

fn added(text: &str, end: End) -> FileLine {
    let text = if end == End::CrLf { text.strip_suffix('\r').unwrap_or(text) } else { text };
    FileLine { text: text.as_bytes().to_vec(), end }
}

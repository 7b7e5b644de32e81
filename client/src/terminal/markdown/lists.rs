//! How far the entries of lists are indented: on the screen always by their marks, however they were written. Pure.

use super::opening::Mark;

/// Code is indented by so much more than what is around it.
const CODE: usize = 4;

/// The lists that are open, outermost first.
#[derive(Debug, Default)]
pub(super) struct Lists {
    open: Vec<Entry>,
}

/// The entry of a list that was read last.
#[derive(Debug)]
struct Entry {
    /// Columns of its mark and of its text, as written.
    mark: usize,
    text: usize,
    /// Column of its text on the screen.
    shown: usize,
}

/// Where a line stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Columns before its marks.
    pub(super) before: usize,
    /// Its marks, as written.
    pub(super) written: Vec<String>,
    /// Column of its text.
    pub(super) column: usize,
}

impl Lists {
    /// Where a line with these marks and this indent stands. A line that goes on with the one above it is where that is.
    pub(super) fn place(&mut self, leads: &[Mark], indent: usize, goes_on: bool) -> Place {
        let entries: Vec<(usize, &str, usize)> = leads.iter().filter_map(entry).collect();
        let Some((first, _, _)) = entries.first() else {
            if !goes_on {
                self.close(indent);
            }
            return Place { before: self.shown(), written: Vec::new(), column: self.shown() };
        };
        self.close(*first);
        let before = self.shown();
        let mut written_column = 0;
        for (indent, written, width) in &entries {
            let mark = written_column + indent;
            let shown = self.shown() + written.chars().count() + 1;
            self.open.push(Entry { mark, text: mark + width, shown });
            // The next mark of this line is indented from the end of this one.
            written_column = mark + written.len();
        }
        let written = entries.iter().map(|(_, written, _)| (*written).to_owned()).collect();
        Place { before, written, column: self.shown() }
    }

    /// The column from which a line of its own is code.
    pub(super) fn code_column(&self, indent: usize) -> usize {
        let around = self.open.iter().rev().find(|entry| indent >= entry.mark + 2);
        around.map_or(0, |entry| entry.text) + CODE
    }

    /// Closes the lists to which what is indented by so much does not belong.
    fn close(&mut self, indent: usize) {
        // Two columns are enough, although a number with its dot takes three: many write it so.
        while self.open.last().is_some_and(|entry| indent < entry.mark + 2) {
            self.open.pop();
        }
    }

    fn shown(&self) -> usize {
        self.open.last().map_or(0, |entry| entry.shown)
    }
}

fn entry(mark: &Mark) -> Option<(usize, &str, usize)> {
    match mark {
        Mark::Quote => None,
        Mark::Entry { indent, written, width } => Some((*indent, written, *width)),
    }
}

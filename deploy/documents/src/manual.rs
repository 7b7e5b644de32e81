//! What `man` reads: a page for each command and each of its subcommands.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

use super::Document;

/// The manual's section for programs.
const SECTION: &str = "1";

/// The pages of one command.
pub fn documents(command: Command) -> Vec<Document> {
    // The pages of `help` would say nothing that `--help` does not.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut documents = Vec::new();
    collect(&command, &mut documents);
    documents
}

fn collect(command: &Command, documents: &mut Vec<Document>) {
    let man = Man::new(command.clone()).section(SECTION).manual("scorpiox");
    let path = format!("share/man/man{SECTION}/{}", man.get_filename()).into();
    let mut bytes = Vec::new();
    page(&man, command, &mut bytes).expect("writing into memory does not fail");
    documents.push(Document { path, bytes });
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        collect(subcommand, documents);
    }
}

fn page(man: &Man, command: &Command, to: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(to)?;
    man.render_name_section(to)?;
    man.render_synopsis_section(to)?;
    man.render_description_section(to)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(to)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(to)?;
    }
    let notes = command.get_after_long_help().or(command.get_after_help());
    notes.map_or(Ok(()), |notes| write_notes(&notes.to_string(), to))
}

/// The end of the help: examples and tables, whose lines must stay as they are. A paragraph that begins with a short
/// line and a colon is a section.
fn write_notes(notes: &str, to: &mut Vec<u8>) -> io::Result<()> {
    let mut under_a_heading = false;
    for paragraph in notes.trim().split("\n\n") {
        let (first, rest) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        let heading = first.strip_suffix(':').filter(|text| text.len() < 40 && !text.starts_with(' '));
        let body = match heading {
            Some(heading) => {
                writeln!(to, ".SH \"{}\"", escaped(&heading.to_uppercase()))?;
                rest
            }
            None if under_a_heading => paragraph,
            None => {
                writeln!(to, ".SH NOTES")?;
                paragraph
            }
        };
        under_a_heading = true;
        writeln!(to, ".PP\n.nf")?;
        body.lines().try_for_each(|line| writeln!(to, "{}", escaped(line)))?;
        writeln!(to, ".fi")?;
    }
    Ok(())
}

/// A line that `groff` shows as it is: no line may begin with a request, and a dash stays one that can be copied.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_examples_and_tables_stay_as_they_are() {
        let mut page = Vec::new();
        write_notes("before\n\nExamples:\n  a --b \\\n.c\n\nand more", &mut page).unwrap();
        let expected = ".SH NOTES\n.PP\n.nf\nbefore\n.fi\n.SH \"EXAMPLES\"\n.PP\n.nf\n  a \\-\\-b \\e\n\\&.c\n.fi\n.PP\n.nf\nand more\n.fi\n";
        assert_eq!(String::from_utf8(page).unwrap(), expected);
    }
}

//! Fuzz targets: what may never happen, whatever is read. Each `check` panics when it does.
//!
//! * [`sse`]: an answer's stream. * [`patch`]: a patch and the file that it changes.
//! * [`sanitizer`]: what reaches a terminal. * [`arguments`]: what a model calls tools with.
//!
//! `run` beside this crate lets a fuzzer look for such inputs; the test here tries those that were kept.

pub mod arguments;
pub mod patch;
pub mod sanitizer;
pub mod sse;

/// The parts of an input that are meant separately, split at the first NUL.
fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (&[], input),
    }
}

/// The first byte says into how long pieces the rest is cut.
fn pieces(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (length, rest) = input.split_first().map_or((1, input), |(first, rest)| (usize::from(*first % 16) + 1, rest));
    rest.chunks(length)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = (&'static str, fn(&[u8]));

    #[test]
    fn the_kept_inputs_are_harmless() {
        let targets: [Target; 4] = [
            ("sse", super::sse::check),
            ("patch", super::patch::check),
            ("sanitizer", super::sanitizer::check),
            ("arguments", super::arguments::check),
        ];
        for (name, check) in targets {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
            let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(!files.is_empty(), "{name} has no corpus");
            for file in files {
                eprintln!("{}", file.display());
                check(&fs::read(file).unwrap());
            }
        }
    }
}
